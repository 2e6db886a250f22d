//! Values that a spreadsheet opens as text, not as a formula (OWASP, "CSV Injection").

use std::borrow::Cow;

/// Whether a program for spreadsheets would calculate it.
fn is_formula(value: &str) -> bool {
    // The wide forms are what Japanese keyboards write, and count as the narrow ones.
    let begins = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    // Numbers, of telephones as well, begin with a sign and calculate nothing.
    begins && !is_number(value)
}

fn is_number(value: &str) -> bool {
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
}

/// A value for a cell of a CSV file: what would be a formula begins with an apostrophe, which
/// spreadsheets take for the sign of a text. Where the comma is for decimals they take a semicolon for the
/// end of a cell, also within quotes that do not begin the line: what follows one is a value as well.
pub fn cell(value: &str) -> Cow<'_, str> {
    if !value.split(';').any(is_formula) {
        return Cow::Borrowed(value);
    }
    let parts = value.split(';').map(|part| {
        if is_formula(part) { Cow::Owned(format!("'{part}")) } else { Cow::Borrowed(part) }
    });
    Cow::Owned(parts.collect::<Vec<_>>().join(";"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_calculates_becomes_text_and_numbers_stay() {
        for formula in [
            "=1+1",
            "@SUM(A1)",
            "+cmd|' /C calc'!A0",
            "-2+3",
            "\t=1",
            "\r=1",
            "＝1",
            "-",
            "+1-1",
            "+1.2.3",
        ] {
            assert_eq!(cell(formula), format!("'{formula}"), "{formula:?}");
        }
        assert_eq!(cell("Bob;=1+1;-2;@x"), "Bob;'=1+1;-2;'@x");
        for plain in [
            "",
            "Léa",
            "a; b;+33612345678",
            "+33612345678",
            "-12.5",
            "+1",
            "a=b",
            "1-2",
            "sip:x@y.z",
        ] {
            assert_eq!(cell(plain), plain);
        }
    }

    proptest! {
        #[test]
        fn nothing_begins_like_a_formula_but_numbers(value in "([=+@\t\r\n＝-]?[^;]{0,6};?){0,3}") {
            let cell = cell(&value);
            let (told, given): (Vec<_>, Vec<_>) = (cell.split(';').collect(), value.split(';').collect());
            prop_assert_eq!(told.len(), given.len());
            for (told, given) in told.into_iter().zip(given) {
                let begins = told.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
                prop_assert!(!begins || is_number(given));
                prop_assert_eq!(told.strip_prefix('\'').unwrap_or(told), given.strip_prefix('\'').unwrap_or(given));
            }
        }
    }
}
