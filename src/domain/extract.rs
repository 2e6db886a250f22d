//! What a file wants known of every call, by a schema: what of an answer fits, and what does not.

use serde_json::{Map, Value};

use super::{DataSchema, data_schema::validator};

/// The members of a JSON object.
pub type Members = Map<String, Value>;

/// Properties of one object at most.
const MOST: usize = 40;

/// The longest name of a property.
const LONGEST_NAME: usize = 64;

/// The longest value of one property, as JSON.
const LONGEST_VALUE: usize = 2_000;

impl DataSchema {
    /// The rule broken by a schema of what is to be known of calls, if any.
    pub(super) fn broken_extract(&self) -> Option<String> {
        let names = self.names();
        if names.is_empty() || names.len() > MOST {
            return Some(format!("has 1 to {MOST} `properties`: what should be found out?"));
        }
        if let Some(name) = names.into_iter().find(|name| !is_name(name)) {
            return Some(format!(
                "has the property `{}`: names are letters without accents, digits and `_`, \
                 {LONGEST_NAME} at most, and begin with no digit",
                name.escape_debug()
            ));
        }
        if !is_writable(&self.to_value()) {
            return Some("has a null or a number that a TOML file cannot hold".to_owned());
        }
        self.broken()
    }

    /// What fits of some members, and why the others do not. What is null is not known, and left out;
    /// so `required` asks for nothing here.
    pub fn fit(&self, mut found: Members) -> (Members, Vec<String>) {
        let mut dropped = Vec::new();
        found.retain(|_, value| !value.is_null());
        found.retain(|name, value| {
            let known = self.property(name).is_some();
            let fits = value.to_string().len() <= LONGEST_VALUE;
            if !known {
                dropped.push(format!("`{}` was not asked for", name.escape_debug()));
            } else if !fits {
                dropped.push(format!("`{name}` is longer than {LONGEST_VALUE} characters"));
            }
            known && fits
        });
        let mut lenient = self.to_value();
        if let Some(rules) = lenient.as_object_mut() {
            rules.remove("required");
        }
        let validator = match validator(&lenient) {
            Ok(validator) => validator,
            Err(why) => return (Members::new(), vec![why]),
        };
        // Each round takes out a member at least; what cannot be blamed on one takes out all.
        while !found.is_empty() {
            let whole = Value::Object(found.clone());
            let mut blamed: Vec<(String, String)> = Vec::new();
            for error in validator.iter_errors(&whole) {
                let path = error.instance_path().to_string();
                let name = path.split('/').nth(1).unwrap_or_default().to_owned();
                let shown = if name.is_empty() { "all of it" } else { name.as_str() };
                // The value itself may be anything that a caller said: it is not for the log.
                let text = format!("`{shown}` does not fit `{}`", error.schema_path());
                blamed.push((name, text));
            }
            if blamed.is_empty() {
                break;
            }
            let before = found.len();
            for (name, text) in blamed {
                found.remove(&name);
                dropped.push(text);
            }
            if found.len() == before {
                found.clear();
            }
        }
        (found, dropped)
    }

    /// Every property, with null for what is not known.
    pub fn filled(&self, found: &Members) -> Members {
        let value = |name: &str| found.get(name).cloned().unwrap_or(Value::Null);
        self.names().into_iter().map(|name| (name.to_owned(), value(name))).collect()
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether TOML can say the same.
fn is_writable(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Number(number) => number.is_i64() || number.is_f64(),
        Value::Array(items) => items.iter().all(is_writable),
        Value::Object(members) => members.values().all(is_writable),
        Value::Bool(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema(value: Value) -> DataSchema {
        serde_json::from_value(value).unwrap()
    }

    fn members(value: Value) -> Members {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_schema_is_judged_before_it_is_used() {
        for (value, part) in [
            (json!({ "type": "array", "properties": { "a": {} } }), "must describe an object"),
            (json!({}), "has 1 to 40"),
            (json!({ "properties": {} }), "has 1 to 40"),
            (json!({ "properties": { "numéro": {} } }), "the property `numéro`"),
            (json!({ "properties": { "1a": {} } }), "the property `1a`"),
            (json!({ "properties": { "a": { "type": "words" } } }), "is no JSON Schema"),
            (json!({ "properties": { "a": { "pattern": "(" } } }), "is no JSON Schema"),
            (json!({ "properties": { "a": { "$ref": "https://a.example/b" } } }), "is no JSON"),
            (json!({ "properties": { "a": { "$ref": "file:///etc/passwd" } } }), "is no JSON"),
            (json!({ "properties": { "a": { "enum": ["b", null] } } }), "has a null"),
            (json!({ "properties": { "a": { "description": "x".repeat(8_000) } } }), "is larger"),
        ] {
            let broken = schema(value.clone()).broken_extract();
            assert!(broken.as_ref().is_some_and(|what| what.contains(part)), "{value}: {broken:?}");
        }
        let good = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
        assert_eq!(schema(good).broken_extract(), None);
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_the_rest_stays() {
        let schema = schema(json!({
            "properties": {
                "plate": { "type": "string", "pattern": "^[A-Z0-9-]{4,10}$" },
                "km": { "type": "integer", "minimum": 0 },
                "parts": { "type": "array", "items": { "type": "string" } },
            },
            "required": ["plate", "km"],
        }));
        let found = json!({ "plate": "AB-123-CD", "km": -4, "parts": ["frein", 3], "more": 1 });
        let (fits, dropped) = schema.fit(members(found));
        assert_eq!(json!(fits), json!({ "plate": "AB-123-CD" }));
        assert_eq!(dropped.len(), 3, "{dropped:?}");
        assert!(!dropped.join(" ").contains("-4"), "what was said is not for the log");
        assert_eq!(
            json!(schema.filled(&fits)),
            json!({ "plate": "AB-123-CD", "km": null, "parts": null })
        );
        let (fits, dropped) = schema.fit(members(json!({ "plate": null, "km": 7 })));
        assert_eq!((json!(fits), dropped.len()), (json!({ "km": 7 }), 0));
        let (fits, _) = schema.fit(members(json!({ "parts": ["x".repeat(2_000)] })));
        assert!(fits.is_empty());
    }

    #[test]
    fn what_no_member_is_to_blame_for_takes_out_all() {
        let schema = schema(json!({
            "properties": { "a": {}, "b": {} }, "not": { "required": ["a"] },
        }));
        let (fits, dropped) = schema.fit(members(json!({ "a": 1, "b": 2 })));
        assert!(fits.is_empty() && dropped[0].contains("all of it"), "{dropped:?}");
    }
}
