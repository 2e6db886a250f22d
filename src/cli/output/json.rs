//! JSON for scripts. `format_version` grows in its second part when keys are added.

use serde_json::{Map, Value};

use super::Listing;

const FORMAT_VERSION: &str = "1.0";

/// An object with its format version.
pub(super) fn wrap<'k>(entries: impl IntoIterator<Item = (&'k str, Value)>) -> Value {
    let mut object = Map::new();
    object.insert("format_version".to_owned(), FORMAT_VERSION.into());
    object.extend(entries.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Value::Object(object)
}

pub(super) fn object(listing: &Listing) -> String {
    let rows = listing.rows.iter().map(|row| row.json.clone()).collect();
    let beside = listing.beside.iter().map(|(key, value)| (key.as_str(), value.clone()));
    pretty(&wrap(std::iter::once((listing.key, Value::Array(rows))).chain(beside)))
}

pub(super) fn lines(listing: &Listing) -> String {
    listing.rows.iter().flat_map(|row| [row.json.to_string(), "\n".to_owned()]).collect()
}

pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
