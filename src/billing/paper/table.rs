//! Bills as rows of a table, a line each, for a spreadsheet or a ledger program.

use crate::billing::{invoice::Invoice, paper::words::Words};

/// The columns.
pub const COLUMNS: [&str; 16] = [
    "number",
    "credits",
    "issued",
    "due",
    "month",
    "client",
    "buyer",
    "assistant",
    "item",
    "description",
    "quantity",
    "price",
    "net",
    "vat",
    "currency",
    "total",
];

/// The lines of a bill, in the order of the columns. The total is that of the whole bill.
pub fn table(invoice: &Invoice) -> Vec<[String; 16]> {
    let words = Words::of(&invoice.language);
    let row = |line: &crate::billing::statement::Line| {
        [
            invoice.number.clone(),
            invoice.credits.as_ref().map(|credited| credited.number.clone()).unwrap_or_default(),
            invoice.issued.to_string(),
            invoice.due.to_string(),
            invoice.month.to_string(),
            invoice.client.clone(),
            invoice.buyer.name.clone(),
            line.assistant.clone(),
            line.what.item().to_owned(),
            words.what(&line.what),
            line.quantity.to_string(),
            line.price.to_string(),
            line.net.to_string(),
            line.vat.rate().to_string(),
            invoice.currency.clone(),
            invoice.total.to_string(),
        ]
    };
    invoice.lines.iter().map(row).collect()
}
