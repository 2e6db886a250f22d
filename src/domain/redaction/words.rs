//! A text as words, and the numbers that runs of French words mean.

use std::ops::Range;

/// A word, plain: in lower case, without accents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) plain: String,
    pub(super) at: Range<usize>,
    /// What stands between the word before and this one.
    pub(super) gap: String,
}

/// Letters and digits apart: `FR76` is two words, without a gap.
pub(super) fn split(text: &str) -> Vec<Word> {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Letter,
        Digit,
        Gap,
    }
    let kind = |c: char| {
        if c.is_ascii_digit() {
            Kind::Digit
        } else if c.is_alphabetic() {
            Kind::Letter
        } else {
            Kind::Gap
        }
    };
    let mut words: Vec<Word> = Vec::new();
    let (mut gap, mut current) = (String::new(), Kind::Gap);
    for (at, c) in text.char_indices() {
        let next = kind(c);
        if next == Kind::Gap {
            gap.push(c);
        } else {
            if next != current {
                let gap = std::mem::take(&mut gap);
                words.push(Word { plain: String::new(), at: at..at, gap });
            }
            if let Some(word) = words.last_mut() {
                word.plain.extend(c.to_lowercase().map(bare));
                word.at.end = at + c.len_utf8();
            }
        }
        current = next;
    }
    words
}

fn bare(c: char) -> char {
    match c {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'û' | 'ù' | 'ü' => 'u',
        'ç' => 'c',
        c => c,
    }
}

impl Word {
    pub(super) fn is_digits(&self) -> bool {
        self.plain.bytes().all(|byte| byte.is_ascii_digit()) && !self.plain.is_empty()
    }

    /// A letter said by itself.
    pub(super) fn letter(&self) -> Option<char> {
        let mut letters = self.plain.chars();
        let only = letters.next().filter(char::is_ascii_alphabetic)?;
        letters.next().is_none().then_some(only)
    }

    /// Words that people put between groups of a number, and that mean nothing.
    pub(super) fn is_filler(&self) -> bool {
        const FILLERS: [&str; 23] = [
            "euh", "heu", "alors", "ensuite", "puis", "et", "virgule", "espace", "point", "tiret",
            "apres", "donc", "cle", "c", "est", "and", "suivi", "suivie", "de", "attendez",
            "voila", "hein", "bon",
        ];
        FILLERS.contains(&self.plain.as_str())
    }

    /// Whether a number may go on from the word before to this one.
    pub(super) fn follows_closely(&self) -> bool {
        self.gap.chars().count() <= 3
            && self.gap.chars().all(|c| c.is_whitespace() || "-.,–—'’…/_:*()|".contains(c))
    }
}

/// A word's own number: units, tens, and English digits.
fn small(word: &str) -> Option<u32> {
    Some(match word {
        "zero" | "oh" => 0,
        "un" | "une" | "one" => 1,
        "deux" | "two" => 2,
        "trois" | "three" => 3,
        "quatre" | "four" => 4,
        "cinq" | "five" => 5,
        "six" => 6,
        "sept" | "seven" => 7,
        "huit" | "eight" => 8,
        "neuf" | "nine" => 9,
        "dix" => 10,
        "onze" => 11,
        "douze" => 12,
        "treize" => 13,
        "quatorze" => 14,
        "quinze" => 15,
        "seize" => 16,
        _ => return None,
    })
}

fn tens(word: &str) -> Option<u32> {
    Some(match word {
        "vingt" | "vingts" => 20,
        "trente" => 30,
        "quarante" => 40,
        "cinquante" => 50,
        "soixante" => 60,
        "septante" => 70,
        "huitante" | "octante" => 80,
        "nonante" => 90,
        _ => return None,
    })
}

/// Numbers that begin at a word: how many words they take, and what they are. All readings, the
/// longest first: `soixante douze` is 72, and 60 when 12 is the next group.
type Readings = Vec<(usize, u32)>;

fn below_20(words: &[&str]) -> Readings {
    let Some(first) = words.first().and_then(|word| small(word)) else { return Vec::new() };
    let mut readings = vec![(1, first)];
    if first == 10
        && let Some(unit @ 7..=9) = words.get(1).and_then(|word| small(word))
    {
        readings.insert(0, (2, 10 + unit));
    }
    readings
}

fn below_100(words: &[&str]) -> Readings {
    let mut readings = below_20(words);
    let Some(first) = words.first() else { return readings };
    let four_twenty = *first == "quatre" && words.get(1).is_some_and(|w| w.starts_with("vingt"));
    let (base, taken) = match tens(first) {
        Some(base) => (base, 1),
        None if four_twenty => (80, 2),
        None => return readings,
    };
    readings.push((taken, base));
    let et = usize::from(words.get(taken) == Some(&"et"));
    for (length, rest) in below_20(&words[(taken + et).min(words.len())..]) {
        let goes_on = rest > 0 && (rest < 10 || matches!(base, 60 | 80));
        if goes_on {
            readings.push((taken + et + length, base + rest));
        }
    }
    readings.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    readings
}

fn below_1000(words: &[&str]) -> Readings {
    let mut readings = below_100(words);
    let is_cent = |word: Option<&&str>| word.is_some_and(|word| matches!(*word, "cent" | "cents"));
    let head = if is_cent(words.first()) {
        Some((1, 100))
    } else {
        let unit = words.first().and_then(|word| small(word)).filter(|unit| (2..10).contains(unit));
        unit.filter(|_| is_cent(words.get(1))).map(|unit| (2, unit * 100))
    };
    if let Some((taken, hundreds)) = head {
        readings.push((taken, hundreds));
        for (length, rest) in below_100(&words[taken..]) {
            if rest > 0 {
                readings.push((taken + length, hundreds + rest));
            }
        }
    }
    readings.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    readings
}

/// Every number that begins at the first of some words.
pub(super) fn numbers(words: &[&str]) -> Readings {
    let words = &words[..words.len().min(10)];
    let mut readings = below_1000(words);
    let heads: Readings = if words.first() == Some(&"mille") {
        vec![(0, 1)]
    } else {
        readings.iter().copied().filter(|(_, head)| (2..100).contains(head)).collect()
    };
    for (taken, head) in heads {
        if words.get(taken) != Some(&"mille") {
            continue;
        }
        readings.push((taken + 1, head * 1_000));
        for (length, rest) in below_1000(&words[taken + 1..]) {
            if rest > 0 {
                readings.push((taken + 1 + length, head * 1_000 + rest));
            }
        }
    }
    readings.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    readings.dedup();
    readings
}
