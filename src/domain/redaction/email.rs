//! E-mail addresses, written and spoken.

use std::ops::Range;

use super::{Sensitive, words::Word};

/// Words of an address on one side of the sign.
const MOST: usize = 12;

pub(super) fn find(text: &str, words: &[Word]) -> Vec<(Range<usize>, Sensitive)> {
    let mut found = written(text);
    for (at, word) in words.iter().enumerate() {
        let range = match word.plain.as_str() {
            "arobase" | "arobas" | "arrobase" | "arobaze" | "arrobaze" => spoken(words, at),
            // Ordinary words, too: only where a domain follows.
            "at" | "chez" => spoken(words, at).filter(|_| domain_follows(words, at)),
            _ => None,
        };
        found.extend(range.map(|range| (range, Sensitive::Email)));
    }
    found
}

fn written(text: &str) -> Vec<(Range<usize>, Sensitive)> {
    let local = |c: char| c.is_alphanumeric() || "._%+-'".contains(c);
    let host = |c: char| c.is_alphanumeric() || ".-".contains(c);
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        // `claire @ gmail.com`: a space at most on either side.
        let name_end = text[..at].strip_suffix(' ').map_or(at, str::len);
        let start = text[..name_end]
            .char_indices()
            .rev()
            .take_while(|(_, c)| local(*c))
            .last()
            .map_or(name_end, |(start, _)| start);
        let after = at + 1 + usize::from(text[at + 1..].starts_with(' '));
        let rest = &text[after..];
        let end = rest.find(|c: char| !host(c)).unwrap_or(rest.len());
        let domain = rest[..end].trim_end_matches(['.', '-']);
        let ends_well = domain.rsplit_once('.').is_some_and(|(name, top)| {
            !name.is_empty() && top.chars().count() >= 2 && top.chars().all(char::is_alphabetic)
        });
        if start < name_end && ends_well {
            found.push((start..after + domain.len(), Sensitive::Email));
        }
    }
    found
}

fn is_dot(word: &Word) -> bool {
    matches!(word.plain.as_str(), "point" | "dot")
}

fn is_joint(word: &Word) -> bool {
    is_dot(word)
        || matches!(
            word.plain.as_str(),
            "tiret" | "underscore" | "dash" | "moins" | "bas" | "du" | "sous" | "plus"
        )
}

/// What addresses end in that callers have: an ordinary word after `chez` must not be taken for one.
const TOPS: [&str; 22] = [
    "be", "biz", "ca", "ch", "co", "com", "de", "es", "eu", "fr", "info", "io", "it", "lu", "me",
    "net", "nl", "org", "paris", "pro", "pt", "uk",
];

/// `gmail point com` after the sign; also written with a real point. `at 8.30` is a time.
fn domain_follows(words: &[Word], sign: usize) -> bool {
    let is_top = |word: Option<&Word>| word.is_some_and(|word| TOPS.contains(&word.plain.as_str()));
    (2..=4).any(|n| {
        words.get(sign + n).is_some_and(|word| {
            (is_dot(word) && is_top(words.get(sign + n + 1)))
                || (word.gap == "." && is_top(Some(word)))
        })
    })
}

/// From the first word of the name to the end of the domain.
fn spoken(words: &[Word], sign: usize) -> Option<Range<usize>> {
    let mut first = sign.checked_sub(1)?;
    if words[sign].gap.starts_with(']') {
        // What stands before is masked already, and so is the address it belonged to.
        return None;
    }
    // Words of the name are joined by a joint, or are letters and digits said one by one.
    let single = |word: &Word| word.plain.chars().count() == 1 || word.is_digits();
    for _ in 0..MOST {
        let Some(before) = first.checked_sub(1) else { break };
        if words[first].gap == "." || words[first].gap == "-" || words[first].gap.is_empty() {
            first = before;
        } else if is_joint(&words[before]) {
            let name = (0..before).rev().find(|at| !is_joint(&words[*at]));
            first = name?;
        } else if single(&words[first]) && single(&words[before]) {
            first = before;
        } else {
            break;
        }
    }
    let mut last = sign + 1;
    words.get(last)?;
    for _ in 0..MOST {
        let Some(next) = words.get(last + 1) else { break };
        if matches!(next.gap.as_str(), "." | "-" | "") {
            last += 1;
        } else if (is_dot(next) || next.plain == "tiret") && words.len() > last + 2 {
            last += 2;
        } else {
            break;
        }
    }
    Some(words[first].at.start..words[last].at.end)
}
