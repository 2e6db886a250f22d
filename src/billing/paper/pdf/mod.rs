//! A bill as PDF, on A4: what the page says, and the electronic bill within it, so that people and programs
//! read one file (Factur-X, PDF/A-3b).

mod bill;
mod file;
mod font;
mod sheet;

use super::{cii, content, words::Words};
use crate::{
    billing::invoice::Invoice,
    domain::{Error, Result},
};

/// The document. The same bill is the same bytes. As with `cii`, both sides must have a country.
pub fn pdf(invoice: &Invoice) -> Result<Vec<u8>> {
    let words = Words::of(&invoice.language);
    let xml = cii(invoice)?;
    let (pages, fonts, missing) = bill::drawn(invoice, words)?.finish();
    if let Some(letter) = missing {
        let code = u32::from(letter);
        return Err(Error::input(format!(
            "bill {} has the letter `{letter}` (U+{code:04X}), which the font of PDF bills lacks",
            invoice.number
        ))
        .hint("it has the Latin, Greek and Cyrillic letters; `--format html` has all"));
    }
    let about = file::About {
        title: &format!("{} {}", content::title(invoice, words), invoice.number),
        author: &invoice.seller.name,
        language: words.either("fr", "en"),
        day: invoice.issued,
        xml: &xml,
    };
    file::document(&about, sheet::SIZE, pages, &fonts)
}

#[cfg(test)]
mod tests;
