//! Amounts and telephone numbers in words that somebody wrote, as the language says them: "12,50 €"
//! is "12 euros 50", and a French number is said in pairs.

use super::phrases::{self, FigureWords};
use crate::domain::LanguageTag;

/// A telephone number has so many digits: fewer are something else.
const SHORTEST: usize = 9;
const LONGEST: usize = 15;

/// A text with its amounts and telephone numbers as they are said.
pub(super) fn said(text: &str, language: &LanguageTag) -> String {
    let words = &phrases::for_language(language).figures;
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    let mut within_a_word = false;
    while let Some(c) = rest.chars().next() {
        let begins = !within_a_word && (c.is_ascii_digit() || "+€£$".contains(c));
        let found =
            begins.then(|| telephone(rest, words).or_else(|| amount(rest, words))).flatten();
        if let Some((taken, spoken)) = found {
            said.push_str(&spoken);
            rest = &rest[taken..];
            within_a_word = true;
        } else {
            said.push(c);
            within_a_word = c.is_alphanumeric() || (within_a_word && ".,".contains(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    said
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{202f}')
}

/// A telephone number at the beginning of a text: its length, and how it is said.
fn telephone(text: &str, words: &FigureWords) -> Option<(usize, String)> {
    let (mut end, mut groups, mut open) = (0, vec![String::new()], false);
    for (at, c) in text.char_indices() {
        match c {
            '+' if at == 0 => {}
            c if c.is_ascii_digit() => {
                if open && groups.last().is_some_and(|group| !group.is_empty()) {
                    groups.push(String::new());
                }
                open = false;
                groups.last_mut()?.push(c);
                end = at + 1;
            }
            c if (is_space(c) || ".-".contains(c)) && !open && at > 0 => open = true,
            _ => break,
        }
    }
    let after = text[end..].chars().next();
    let digits: usize = groups.iter().map(String::len).sum();
    let abroad = text.starts_with('+');
    let like_one = abroad || text.starts_with('0') || groups.len() > 2;
    if !(SHORTEST..=LONGEST).contains(&digits)
        || !like_one
        || after.is_some_and(|c| c.is_alphanumeric() || c == '/' || c == '€')
    {
        return None;
    }
    let all = groups.concat();
    let home = all.strip_prefix(words.home.as_str()).filter(|_| abroad && !words.home.is_empty());
    let (plus, groups) = match home {
        Some(rest) => (false, cut(&format!("{}{rest}", words.trunk), words)),
        None if groups.len() == 1 => (abroad, cut(&all, words)),
        None => (abroad, groups.iter().flat_map(|group| shortened(group, words)).collect()),
    };
    let spoken: Vec<String> = groups.iter().map(|group| group_said(group, words)).collect();
    let plus = if plus { format!("{} ", words.plus) } else { String::new() };
    Some((end, format!("{plus}{}", spoken.join(", "))))
}

/// Digits in groups as the language has them.
fn cut(digits: &str, words: &FigureWords) -> Vec<String> {
    let size = if words.pairs { 2 } else { 3 };
    let mut groups: Vec<String> = digits
        .as_bytes()
        .chunks(size)
        .map(|group| group.iter().map(|b| char::from(*b)).collect())
        .collect();
    // No digit stands alone at the end.
    if groups.len() > 1 && groups.last().is_some_and(|last| last.len() == 1) {
        let last = groups.pop().unwrap_or_default();
        if let Some(before) = groups.last_mut() {
            before.push_str(&last);
        }
    }
    groups
}

/// A group as it was written: in pairs, where numbers are said in pairs.
fn shortened(group: &str, words: &FigureWords) -> Vec<String> {
    if words.pairs && group.len() > 2 { cut(group, words) } else { vec![group.to_owned()] }
}

/// "zéro un" and "23", or one digit after the other.
fn group_said(group: &str, words: &FigureWords) -> String {
    if words.pairs && group.len() <= 2 && !group.starts_with('0') {
        return group.to_owned();
    }
    let digit = |c: char| Some(words.digits.get(c.to_digit(10)? as usize)?.as_str());
    group.chars().filter_map(digit).collect::<Vec<_>>().join(" ")
}

/// An amount at the beginning of a text, its sign before or after it.
fn amount(text: &str, words: &FigureWords) -> Option<(usize, String)> {
    let sign_first = text.chars().next().filter(|c| "€£$".contains(*c));
    let start = sign_first.map_or(0, char::len_utf8);
    let start =
        start + text[start..].chars().next().filter(|c| is_space(*c)).map_or(0, char::len_utf8);
    let (mut end, mut units) = (start, String::new());
    for (at, c) in text[start..].char_indices() {
        let at = start + at;
        let rest = &text[at + c.len_utf8()..];
        let thousand = rest.len() >= 3
            && rest.bytes().take(3).all(|b| b.is_ascii_digit())
            && !rest.as_bytes().get(3).is_some_and(u8::is_ascii_digit);
        match c {
            c if c.is_ascii_digit() => {
                units.push(c);
                end = at + 1;
            }
            c if (is_space(c) || ".,'".contains(c)) && !units.is_empty() && thousand => {}
            _ => break,
        }
    }
    if units.is_empty() || units.len() > 9 {
        return None;
    }
    let cents = text[end..].strip_prefix([',', '.']).and_then(|rest| {
        let cents = rest.get(..2)?;
        let whole = cents.bytes().all(|b| b.is_ascii_digit());
        (whole && !rest[2..].starts_with(|c: char| c.is_ascii_digit())).then_some(cents)
    });
    let after_cents = end + cents.map_or(0, |_| 3);
    let (taken, currency) = if let Some(sign) = sign_first {
        (after_cents, currency(&sign.to_string())?.1)
    } else {
        let gap = text[after_cents..].chars().next().filter(|c| is_space(*c));
        let sign = after_cents + gap.map_or(0, char::len_utf8);
        let (length, currency) = currency(&text[sign..])?;
        let next = text[sign + length..].chars().next();
        if next.is_some_and(char::is_alphanumeric) {
            return None;
        }
        (sign + length, currency)
    };
    let [one, many] = words.currencies.get(currency)?;
    let name = if units == "1" { one } else { many };
    let spoken = match cents.filter(|cents| *cents != "00") {
        Some(cents) => {
            let values = [("units", units.as_str()), ("currency", name), ("cents", cents)];
            phrases::fill(&words.amount, &values)
        }
        None => format!("{units} {name}"),
    };
    Some((taken, spoken))
}

/// The currency whose sign a text begins with, and the length of that.
fn currency(text: &str) -> Option<(usize, &'static str)> {
    const SIGNS: [(&str, &str); 7] = [
        ("€", "eur"),
        ("EUR", "eur"),
        ("£", "gbp"),
        ("GBP", "gbp"),
        ("$", "usd"),
        ("USD", "usd"),
        ("CHF", "chf"),
    ];
    let (sign, currency) = SIGNS.iter().find(|(sign, _)| text.starts_with(sign))?;
    Some((sign.len(), currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_(language: &str, text: &str) -> String {
        said(text, &language.parse().unwrap())
    }

    #[test]
    fn french_numbers_are_said_in_pairs() {
        for (text, expected) in [
            ("01 23 45 67 89", "zéro un, 23, 45, 67, 89"),
            ("au 0123456789.", "au zéro un, 23, 45, 67, 89."),
            ("01.23.45.00.09", "zéro un, 23, 45, zéro zéro, zéro neuf"),
            ("+33 1 23 45 67 89", "zéro un, 23, 45, 67, 89"),
            ("+33123456789", "zéro un, 23, 45, 67, 89"),
            ("+44 20 7946 0018", "plus 44, 20, 79, 46, zéro zéro, 18"),
            ("le 12 rue des Martyrs", "le 12 rue des Martyrs"),
            ("le 05/12/2026 à 20 h 30", "le 05/12/2026 à 20 h 30"),
            ("le 2026-12-25", "le 2026-12-25"),
            ("de 12:00 à 14:00", "de 12:00 à 14:00"),
        ] {
            assert_eq!(in_("fr-FR", text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_said_digit_by_digit_elsewhere() {
        for (language, text, expected) in [
            ("en-GB", "020 7946 0018", "zero two zero, seven nine four six, zero zero one eight"),
            (
                "en-GB",
                "+44 20 7946 0018",
                "zero two zero, seven nine four, six zero zero, one eight",
            ),
            ("de-DE", "030 123456", "null drei null, eins zwei drei vier fünf sechs"),
            ("es-ES", "910 00 02 14", "nueve uno cero, cero cero, cero dos, uno cuatro"),
            ("it-IT", "+39 06 1234567", "zero sei uno, due tre quattro, cinque sei sette"),
            (
                "en-US",
                "+33 1 23 45 67 89",
                "plus three three, one, two three, four five, six seven, eight nine",
            ),
        ] {
            assert_eq!(in_(language, text), expected, "{language}: {text}");
        }
    }

    #[test]
    fn amounts_are_said_as_people_say_them() {
        for (language, text, expected) in [
            ("fr-FR", "Le menu est à 12,50 €.", "Le menu est à 12 euros 50."),
            ("fr-FR", "1 €, 28€, 1 200 €", "1 euro, 28 euros, 1200 euros"),
            ("fr-FR", "65,00 €", "65 euros"),
            ("fr-FR", "12,50 EUR la bouteille", "12 euros 50 la bouteille"),
            ("en-GB", "£12.50, or €18", "12 pounds 50, or 18 euros"),
            ("en-US", "$1,250.99", "1250 dollars 99"),
            ("de-DE", "12,50 € und 95 €", "12 Euro 50 und 95 Euro"),
            ("es-ES", "12,50 €", "12 euros con 50"),
            ("it-IT", "12,50 €", "12 euro e 50"),
            ("pt-PT", "12,50 €", "12 euros e 50"),
            ("nl-NL", "€ 12,50", "12 euro 50"),
            ("fr-FR", "18 euros, 50 %, 20h30, 3 étoiles", "18 euros, 50 %, 20h30, 3 étoiles"),
            ("fr-FR", "A12,50", "A12,50"),
        ] {
            assert_eq!(in_(language, text), expected, "{language}: {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_written_is_said(text in "\\PC{0,60}", figures in "[0-9 .,+€$£-]{0,40}") {
            for text in [text.as_str(), figures.as_str()] {
                for language in ["fr-FR", "en-US", "de-DE", "pl-PL"] {
                    let said = in_(language, text);
                    let letters = |text: &str| text.chars().any(char::is_alphanumeric);
                    proptest::prop_assert_eq!(letters(text), letters(&said));
                }
            }
        }
    }
}
