//! Comma-separated, RFC 4180: a heading, and quotes where a value needs them.

use super::Listing;
use crate::domain::spreadsheet;

pub(super) fn lines(listing: &Listing, columns: &[usize], heading: bool) -> String {
    let mut text = String::new();
    if heading {
        let names = columns.iter().map(|at| listing.columns[*at].name);
        text.push_str(&line(names));
    }
    for row in &listing.rows {
        text.push_str(&line(columns.iter().map(|at| row.cells[*at].raw.as_str())));
    }
    text
}

fn line<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = values.map(quote).collect();
    quoted.join(",") + "\n"
}

fn quote(value: &str) -> String {
    let value = spreadsheet::cell(value);
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_where_needed() {
        assert_eq!(line(["a", "b,c", "d\"e", ""].into_iter()), "a,\"b,c\",\"d\"\"e\",\n");
        assert_eq!(line(["=1+1", "+33612345678", "-2"].into_iter()), "'=1+1,+33612345678,-2\n");
    }
}
