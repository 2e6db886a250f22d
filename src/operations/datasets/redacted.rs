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

/// A text whose long numbers are masked, however they are grouped. Times, dates and prices stay.
fn without_numbers(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut done = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let begin = at;
        let (mut digits, mut end) = (0, at);
        while at < bytes.len() {
            if bytes[at].is_ascii_digit() {
                digits += 1;
                at += 1;
                end = at;
            } else if matches!(bytes[at], b' ' | b'.' | b'-' | b'/')
                && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
            {
                at += 1;
            } else {
                break;
            }
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
