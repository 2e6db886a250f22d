//! Tab-separated: raw values, no headings, one line a row whatever the values hold.

use super::Listing;

pub(super) fn lines(listing: &Listing, columns: &[usize]) -> String {
    let mut text = String::new();
    for row in &listing.rows {
        let values: Vec<String> = columns.iter().map(|at| one_line(&row.cells[*at].raw)).collect();
        text.push_str(&values.join("\t"));
        text.push('\n');
    }
    text
}

/// Tabs and line ends inside a value would look like new columns and rows.
fn one_line(value: &str) -> String {
    value.replace(['\t', '\n', '\r'], " ")
}
