//! Cards, bank accounts and social-security numbers: digits and number words, in groups of any
//! size, checked by their check digits.

use std::{fmt::Write as _, ops::Range};

use super::{
    Sensitive,
    words::{self, Word},
};

/// Readings tried from one word on. What people dictate is among the first of them.
const BUDGET: u32 = 4_000;

/// Readings tried in one text: hostile words cost no more than this.
const WHOLE_BUDGET: u32 = 400_000;

/// The most digits of anything here: an IBAN has 34 characters.
const MOST: usize = 34;

pub(super) fn find(all: &[Word]) -> Vec<(Range<usize>, Sensitive)> {
    let mut found = Vec::new();
    let mut left = WHOLE_BUDGET;
    let mut at = 0;
    let mut short_until = 0;
    let mut judged = 0;
    while at < all.len() && left > 0 {
        let budget = BUDGET.min(left);
        if at >= short_until && is_number(all, at) {
            let (end, digits) = natural(all, at, LONGEST_PHONE, MOST_WORDS);
            // As people hear it, a telephone number at most: only forced apart could it be more.
            short_until = if digits <= LONGEST_PHONE { end } else { at };
        }
        if at < short_until {
            at += 1;
            continue;
        }
        let hit = iban(all, at, budget, &mut left).or_else(|| other(all, at, budget, &mut left));
        match hit {
            Some((last, what)) => {
                found.push((all[at].at.start..all[last].at.end, what));
                at = last + 1;
                judged = at;
            }
            None => at += 1,
        }
    }
    if left == 0 {
        // Words made to take long hide nothing: rather too much is masked than too little. The last ones
        // were not judged to the end.
        let at = at.saturating_sub(1).max(judged);
        found.extend(long_runs(all, begin_of_run(all, at, judged)));
    }
    found
}

/// Digits of the longest telephone number that people say, with the way abroad.
const LONGEST_PHONE: usize = 12;

/// Words looked at for it: a run that has more is no telephone number.
const MOST_WORDS: usize = 60;

fn is_number(all: &[Word], at: usize) -> bool {
    let word = &all[at];
    word.is_digits() || word.plain == "mille" || !words::numbers(&[word.plain.as_str()]).is_empty()
}

/// Where the run of numbers begins that a word is in, no earlier than a place.
fn begin_of_run(all: &[Word], at: usize, earliest: usize) -> usize {
    let joined = |at: usize| {
        (earliest + 1..all.len()).contains(&at)
            && all[at].follows_closely()
            && (all[at - 1].is_filler() || is_part(all, at - 1))
    };
    let mut at = at;
    while joined(at) {
        at -= 1;
    }
    at
}

/// Whether a word is a number, or part of one: `double`, and the letter of a Corsican department.
fn is_part(all: &[Word], at: usize) -> bool {
    all[at].plain == "double" || all[at].letter().is_some() || is_number(all, at)
}

/// Runs of numbers that are longer than a telephone number, from a word on.
fn long_runs(all: &[Word], mut at: usize) -> Vec<(Range<usize>, Sensitive)> {
    let mut found = Vec::new();
    while at < all.len() {
        let (begin, mut digits) = (at, 0);
        while at < all.len() && is_part(all, at) && (at == begin || all[at].follows_closely()) {
            if is_number(all, at) {
                let (end, more) = natural(all, at, usize::MAX, all.len());
                digits += more;
                at = end.max(at + 1);
            } else {
                // A letter is one sign, and `double` one more than is said after it.
                digits += 1;
                at += 1;
            }
        }
        if digits > LONGEST_PHONE {
            found.push((all[begin].at.start..all[at - 1].at.end, Sensitive::Unjudged));
        }
        at = at.max(begin + 1);
    }
    found
}

/// Where the run of numbers ends that begins at a word, and how many digits it has as it is heard:
/// each group as long as it can be. Read until it has more than so many digits, or words.
fn natural(all: &[Word], at: usize, most_digits: usize, most_words: usize) -> (usize, usize) {
    let (mut at, mut digits, mut first) = (at, 0, true);
    let last = at + most_words;
    while let Some(word) = all.get(at).filter(|_| digits <= most_digits && at < last) {
        if !first && !word.follows_closely() {
            break;
        }
        if word.is_digits() {
            digits += word.plain.len();
            at += 1;
        } else {
            let near: Vec<&str> =
                all[at..].iter().take(10).map(|word| word.plain.as_str()).collect();
            match words::numbers(&near).first() {
                Some((taken, number)) => {
                    digits += number.checked_ilog10().unwrap_or(0) as usize + 1;
                    at += taken;
                }
                None if word.is_filler() && !first => at += 1,
                None => break,
            }
        }
        first = false;
    }
    (at, if at < last { digits } else { usize::MAX })
}

/// A run of groups, read one way: its digits (and letters), and its last word.
struct Search<'w> {
    all: &'w [Word],
    budget: u32,
    /// Judges what was read so far; the longest that is accepted wins.
    accept: &'w dyn Fn(&str) -> bool,
    letters: bool,
    best: Option<usize>,
    most: usize,
}

impl Search<'_> {
    fn go(&mut self, at: usize, read: &mut String) {
        if self.budget == 0 {
            return;
        }
        self.budget -= 1;
        if at > 0 && (self.accept)(read) && self.best.is_none_or(|best| best < at - 1) {
            self.best = Some(at - 1);
        }
        if read.len() >= self.most {
            return;
        }
        let mut at = at;
        if !read.is_empty() {
            while let Some(word) = self.all.get(at)
                && word.follows_closely()
                && !(self.letters && word.letter().is_some())
            {
                // `F comme François`: the name only says which letter it was.
                at += match word.plain.as_str() {
                    "comme" if self.letters => 2,
                    _ if word.is_filler() => 1,
                    _ => break,
                };
            }
        }
        let Some(word) = self.all.get(at) else { return };
        if !read.is_empty() && !word.follows_closely() {
            return;
        }
        let length = read.len();
        if word.is_digits() || (self.letters && word.plain.len() <= MOST && is_alone(self.all, at))
        {
            read.push_str(&word.plain);
            if read.len() <= self.most {
                self.go(at + 1, read);
            }
            read.truncate(length);
        }
        if word.is_digits() {
            return;
        }
        // `double cinq`
        let double = usize::from(matches!(word.plain.as_str(), "double"));
        let next: Vec<&str> = self.all[at + double..]
            .iter()
            .take(10)
            .enumerate()
            .take_while(|(n, word)| *n + double == 0 || word.follows_closely())
            .map(|(_, word)| word.plain.as_str())
            .collect();
        for (taken, number) in words::numbers(&next) {
            // `soixante-dix-huit` is one number: nobody hears it as 60, 10, 8.
            if self.all.get(at + double + taken).is_some_and(is_tied) {
                continue;
            }
            for _ in 0..=double {
                // Writing into a string cannot fail.
                let _ = write!(read, "{number}");
            }
            if read.len() <= self.most {
                self.go(at + double + taken, read);
            }
            read.truncate(length);
        }
    }
}

/// Whether a word is tied to the one before by a hyphen, as the words of one number are.
fn is_tied(word: &Word) -> bool {
    matches!(word.gap.as_str(), "-" | "‐" | "‑") && !word.is_digits()
}

/// Letters of an account stand by themselves, or next to its digits.
fn is_alone(all: &[Word], at: usize) -> bool {
    let touches = |n: usize| all.get(n).is_some_and(|word| word.gap.is_empty());
    all[at].plain.is_ascii()
        && (all[at].letter().is_some() || touches(at + 1) || all[at].gap.is_empty())
}

fn search(
    all: &[Word],
    at: usize,
    begun: &str,
    letters: bool,
    budget: (u32, &mut u32),
    most: usize,
    accept: &dyn Fn(&str) -> bool,
) -> Option<usize> {
    let (budget, left) = budget;
    let mut search = Search { all, budget, accept, letters, best: None, most };
    let mut read = begun.to_owned();
    search.go(at, &mut read);
    *left = left.saturating_sub(budget - search.budget);
    search.best
}

/// A card or a social-security number that begins at a word.
fn other(all: &[Word], at: usize, budget: u32, left: &mut u32) -> Option<(usize, Sensitive)> {
    let word = &all[at];
    let starts = word.is_digits()
        || word.plain == "double"
        || !words::numbers(&[word.plain.as_str()]).is_empty()
        || word.plain == "mille";
    let in_the_middle = at > 0 && is_tied(word) && !word.is_digits();
    if !starts || in_the_middle || budget == 0 {
        return None;
    }
    let card = search(all, at, "", false, (budget, left), 19, &is_card);
    let nir = search(all, at, "", false, (budget, left), 15, &is_nir)
        .or_else(|| corsican(all, at, budget, left));
    let mut short = || {
        named(all, at)
            .then(|| search(all, at, "", false, (budget, left), 13, &is_short_nir))
            .flatten()
    };
    match (card, nir) {
        (Some(card), Some(nir)) if nir >= card => Some((nir, Sensitive::SocialSecurity)),
        (Some(card), _) => Some((card, Sensitive::Card)),
        (None, Some(nir)) => Some((nir, Sensitive::SocialSecurity)),
        (None, None) => short().map(|last| (last, Sensitive::SocialSecurity)),
    }
}

/// `2 85 03 2A …`: the department of Corsica has a letter.
fn corsican(all: &[Word], at: usize, budget: u32, left: &mut u32) -> Option<usize> {
    let near = &all[at..all.len().min(at + 12)];
    if !near.iter().any(|word| matches!(word.plain.as_str(), "a" | "b")) {
        return None;
    }
    search(all, at, "", true, (budget, left), 15, &|read| {
        read.len() == 15 && matches!(read.as_bytes()[6], b'a' | b'b') && {
            let department = if read.as_bytes()[6] == b'a' { "19" } else { "18" };
            read.as_bytes()[5] == b'2'
                && is_nir(&format!("{}{department}{}", &read[..5], &read[7..]))
        }
    })
}

/// Whether somebody said what the number is.
fn named(all: &[Word], at: usize) -> bool {
    all[at.saturating_sub(10)..at].iter().any(|word| {
        matches!(word.plain.as_str(), "secu" | "securite" | "sociale" | "nir" | "vitale")
    })
}

fn is_card(digits: &str) -> bool {
    (13..=19).contains(&digits.len())
        && (b'2'..=b'6').contains(&digits.as_bytes()[0])
        && luhn(digits)
}

fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            if place % 2 == 0 { digit } else { digit * 2 - if digit > 4 { 9 } else { 0 } }
        })
        .sum();
    digits.bytes().all(|byte| byte.is_ascii_digit()) && sum.is_multiple_of(10)
}

/// Sex and month are as they can be.
fn begins_like_nir(digits: &str) -> bool {
    let month: u32 = digits.get(3..5).and_then(|month| month.parse().ok()).unwrap_or(0);
    matches!(digits.as_bytes().first(), Some(b'1'..=b'4' | b'7' | b'8'))
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
}

fn is_nir(digits: &str) -> bool {
    let parts = (digits.len() == 15).then(|| digits.split_at(13));
    let numbers = parts
        .and_then(|(number, key)| Some((number.parse::<u64>().ok()?, key.parse::<u64>().ok()?)));
    numbers.is_some_and(|(number, key)| key == 97 - number % 97) && begins_like_nir(digits)
}

fn is_short_nir(digits: &str) -> bool {
    digits.len() == 13 && begins_like_nir(digits)
}

/// Countries and the lengths of their accounts (SWIFT, "IBAN registry").
const LENGTHS: &[(&str, usize)] = &[
    ("ad", 24),
    ("at", 20),
    ("be", 16),
    ("bg", 22),
    ("ch", 21),
    ("cy", 28),
    ("cz", 24),
    ("de", 22),
    ("dk", 18),
    ("ee", 20),
    ("es", 24),
    ("fi", 18),
    ("fr", 27),
    ("gb", 22),
    ("gi", 23),
    ("gr", 27),
    ("hr", 21),
    ("hu", 28),
    ("ie", 22),
    ("is", 26),
    ("it", 27),
    ("li", 21),
    ("lt", 20),
    ("lu", 20),
    ("lv", 21),
    ("mc", 27),
    ("mt", 31),
    ("nl", 18),
    ("no", 15),
    ("pl", 28),
    ("pt", 25),
    ("ro", 24),
    ("se", 24),
    ("si", 19),
    ("sk", 24),
    ("sm", 27),
    ("va", 22),
];

/// An account that begins at a word: two letters, together or one by one.
fn iban(all: &[Word], at: usize, budget: u32, left: &mut u32) -> Option<(usize, Sensitive)> {
    let first = &all[at];
    let spelled = all.get(at + 1).is_some_and(|word| word.plain == "comme");
    let second = at + if spelled { 3 } else { 1 };
    let (country, next) = match (first.letter(), all.get(second).and_then(Word::letter)) {
        (Some(first), Some(letter)) => (format!("{first}{letter}"), second + 1),
        _ if first.plain.len() == 2 => (first.plain.clone(), at + 1),
        _ => return None,
    };
    let length = LENGTHS.iter().find(|(code, _)| *code == country)?.1;
    if budget == 0 {
        return None;
    }
    let accept = |read: &str| read.len() == length && is_iban(read);
    let last = search(all, next, &country, true, (budget, left), length, &accept)?;
    Some((last, Sensitive::Iban))
}

/// ISO 7064, mod 97-10.
fn is_iban(text: &str) -> bool {
    let (head, body) = text.split_at(4);
    let rest = body.chars().chain(head.chars()).try_fold(0_u32, |rest, c| {
        let value = c.to_digit(36)?;
        Some((rest * if value > 9 { 100 } else { 10 } + value) % 97)
    });
    rest == Some(1) && head[2..].bytes().all(|byte| byte.is_ascii_digit())
}
