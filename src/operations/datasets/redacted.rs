//! Rows without what tells who it was.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::{
    domain::{Cell, Field, Result, WhenRedacted, redact},
    operations::privacy,
};

/// Of a pseudonym: 64 bits tell ten million callers apart.
const PSEUDONYM: usize = 16;

pub(super) struct Redacted {
    fields: Vec<WhenRedacted>,
    salt: String,
}

impl Redacted {
    pub(super) fn new(fields: &[Field]) -> Result<Self> {
        let fields = fields.iter().map(|field| field.redacted).collect();
        Ok(Self { fields, salt: privacy::salt()? })
    }

    fn pseudonym(&self, number: &str) -> String {
        let digest = Sha256::new().chain_update(&self.salt).chain_update(number).finalize();
        let mut name = hex::encode(digest);
        name.truncate(PSEUDONYM);
        format!("caller:{name}")
    }

    /// Hands the row on, with what may be known of it.
    pub(super) fn row(
        &self,
        cells: &[Cell<'_>],
        take: &mut dyn FnMut(&[Cell<'_>]) -> Result<()>,
    ) -> Result<()> {
        let kept: Vec<Option<Cow<'_, str>>> = cells
            .iter()
            .zip(&self.fields)
            .map(|(cell, rule)| match (cell, rule) {
                (Cell::Text(text), WhenRedacted::Pseudonym) => Some(self.pseudonym(text).into()),
                (Cell::Text(text), WhenRedacted::Masked) => Some(without_numbers(redact(text))),
                _ => None,
            })
            .collect();
        let row: Vec<Cell<'_>> = cells
            .iter()
            .zip(&self.fields)
            .zip(&kept)
            .map(|((cell, rule), kept)| match (rule, kept) {
                (WhenRedacted::Empty, _) => Cell::Null,
                (_, Some(text)) => Cell::Text(text),
                _ => *cell,
            })
            .collect();
        take(&row)
    }
}

/// Digits of a number that may be somebody's: a telephone, an order, a file.
const LONG: usize = 6;

/// Signs between the digits of one number, at most: "06, 12" and "06 - 12".
const BETWEEN: usize = 3;

/// A text whose long numbers are masked, however they are grouped, dates of eight digits among them. Times and
/// prices stay.
fn without_numbers(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut done = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((begin, first)) = chars.next() {
        if !first.is_ascii_digit() {
            continue;
        }
        let (mut digits, mut end, mut between) = (1, begin + 1, 0);
        while let Some((at, next)) = chars.peek().copied() {
            if next.is_ascii_digit() {
                (digits, end, between) = (digits + 1, at + 1, 0);
            } else if !next.is_alphanumeric() && between < BETWEEN {
                between += 1;
            } else {
                break;
            }
            chars.next();
        }
        if digits >= LONG {
            masked.push_str(&text[done..begin]);
            masked.push_str("[number]");
            done = end;
        }
    }
    if done == 0 {
        return text;
    }
    masked.push_str(&text[done..]);
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_numbers_go_and_short_ones_stay() {
        for (said, masked) in [
            ("Rappelez au 06 12 34 56 78, merci.", "Rappelez au [number], merci."),
            ("+33612345678", "+[number]"),
            ("commande 48213, à 19h30 pour 4", "commande 48213, à 19h30 pour 4"),
            ("dossier 2024-118822 et 061.234.567", "dossier [number] et [number]"),
            ("é1234567é", "é[number]é"),
            ("06, 12, 34, 56, 78", "[number]"),
            ("06\u{202f}12\u{a0}34 - 56 - 78 ?", "[number] ?"),
            ("06\u{2011}12\u{2011}34\u{2011}56", "[number]"),
        ] {
            assert_eq!(without_numbers(said.into()), masked);
        }
    }

    proptest! {
        #[test]
        fn no_run_of_digits_is_long(text in ".{0,40}[0-9]{0,12}.{0,10}") {
            let masked = without_numbers(text.as_str().into());
            let longest = masked.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
            prop_assert!(longest.unwrap_or(0) < LONG);
        }
    }
}
