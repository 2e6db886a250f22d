//! Card numbers, IBANs, French social-security numbers and e-mail addresses in what callers say:
//! found as they are written, and as they are spoken in French, and masked before they are stored.

mod email;
mod numbers;
mod words;

use std::{borrow::Cow, ops::Range};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sensitive {
    /// The number of a payment card (ISO/IEC 7812, with Luhn's check digit).
    Card,
    /// A bank account (ISO 13616).
    Iban,
    /// A French social-security number (NIR).
    SocialSecurity,
    /// An e-mail address.
    Email,
    /// Figures that would take too long to judge, more of them than a telephone number has.
    Unjudged,
}

impl Sensitive {
    /// What stands in its place.
    const fn mask(self) -> &'static str {
        match self {
            Self::Card => "[card]",
            Self::Iban => "[iban]",
            Self::SocialSecurity => "[nir]",
            Self::Email => "[email]",
            Self::Unjudged => "[number]",
        }
    }
}

/// Longer texts are masked in parts of this size: a search stays short whatever is said.
const PART: usize = 16 * 1024;

/// How often a text is looked at again: what stood beside a mask may be an address by itself now.
const AGAIN: u32 = 32;

/// A text with everything sensitive masked.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut result = masked(text, find(text));
    for _ in 0..AGAIN {
        let found = find(&result);
        if found.is_empty() {
            break;
        }
        result = Cow::Owned(masked(&result, found).into_owned());
    }
    result
}

/// The same but for e-mail addresses: for what a live call remembers, which may be a message with
/// the address to write to.
pub fn redact_numbers(text: &str) -> Cow<'_, str> {
    let mut found = find(text);
    found.retain(|(_, what)| *what != Sensitive::Email);
    masked(text, found)
}

fn masked(text: &str, found: Vec<(Range<usize>, Sensitive)>) -> Cow<'_, str> {
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut masked = String::with_capacity(text.len());
    let mut done = 0;
    for (range, what) in found {
        masked.push_str(&text[done..range.start]);
        masked.push_str(what.mask());
        done = range.end;
    }
    masked.push_str(&text[done..]);
    Cow::Owned(masked)
}

/// Where something sensitive stands, in order, as ranges of bytes.
fn find(text: &str) -> Vec<(Range<usize>, Sensitive)> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = (start + PART).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let part = &text[start..end];
        let words = words::split(part);
        let mut here = email::find(part, &words);
        here.extend(numbers::find(&words));
        here.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        for (range, what) in here {
            let range = start + range.start..start + range.end;
            if found.last().is_none_or(|(last, _): &(Range<usize>, _)| last.end <= range.start) {
                found.push((range, what));
            }
        }
        start = end;
    }
    found
}

#[cfg(test)]
mod tests;
