//! JSON Schema in assistants' files: what a tool is given, what is to be known of a call.

use jsonschema::{PatternOptions, Validator};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The largest schema, as JSON, in bytes: models read it in every turn.
const LARGEST: usize = 8_000;

/// What a pattern may take when it is compiled, in bytes.
const LARGEST_PATTERN: usize = 1024 * 1024;

/// The properties of an object, by JSON Schema (<https://json-schema.org>). `type = "object"` and
/// `additionalProperties = false` hold without being said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DataSchema(Map<String, Value>);

/// Something that does not fit.
type Misfit = String;

impl DataSchema {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The whole schema, as models and validators get it.
    pub fn to_value(&self) -> Value {
        let mut whole = self.0.clone();
        whole.entry("type").or_insert_with(|| json!("object"));
        whole.entry("properties").or_insert_with(|| json!({}));
        whole.entry("additionalProperties").or_insert_with(|| json!(false));
        Value::Object(whole)
    }

    /// The names of its properties, those that must be there first, in the order of `required`.
    pub fn names(&self) -> Vec<&str> {
        let mut names = self.required();
        let all = self.properties().into_iter().flat_map(Map::keys).map(String::as_str);
        let optional: Vec<&str> = all.filter(|name| !names.contains(name)).collect();
        names.extend(optional);
        names
    }

    /// The names of the properties that must be there.
    pub fn required(&self) -> Vec<&str> {
        let listed = self.0.get("required").and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn properties(&self) -> Option<&Map<String, Value>> {
        self.0.get("properties").and_then(Value::as_object)
    }

    /// What one property may be.
    pub fn property(&self, name: &str) -> Option<&Value> {
        self.properties()?.get(name)
    }

    /// The rule that it breaks itself, if any.
    pub fn broken(&self) -> Option<String> {
        let whole = self.to_value();
        if whole.get("type") != Some(&json!("object")) {
            return Some("must describe an object: leave its `type` out".to_owned());
        }
        if whole.to_string().len() > LARGEST {
            return Some(format!("is larger than {LARGEST} bytes as JSON"));
        }
        let unknown = self.required().into_iter().find(|name| self.property(name).is_none());
        if let Some(name) = unknown {
            return Some(format!("requires `{name}`, which is none of its properties"));
        }
        if let Err(error) = jsonschema::meta::validate(&whole) {
            return Some(format!("is no JSON Schema: {}", told(&error)));
        }
        validator(&whole).err().map(|error| format!("is no JSON Schema: {error}"))
    }

    /// What of a value does not fit it, if anything. The first misfit is enough to say.
    ///
    /// # Errors
    /// What does not fit, and where.
    pub fn fits(&self, value: &Value) -> Result<(), Misfit> {
        let validator = validator(&self.to_value())?;
        validator.validate(value).map_err(|error| told(&error))
    }

    /// Whether a value may stand for one property.
    pub fn may_be(&self, name: &str, value: &Value) -> bool {
        self.judge(name).is_some_and(|judge| judge(value))
    }

    /// Says of many values whether they may stand for one property, if there is such a one.
    pub fn judge(&self, name: &str) -> Option<impl Fn(&Value) -> bool + use<>> {
        let mut alone = self.to_value();
        alone["properties"] = json!({ name: self.property(name)? });
        alone["required"] = json!([name]);
        let (validator, name) = (validator(&alone).ok()?, name.to_owned());
        Some(move |value: &Value| validator.is_valid(&json!({ &name: value })))
    }
}

/// Patterns run in linear time: what callers say is matched against them.
pub(super) fn validator(schema: &Value) -> Result<Validator, Misfit> {
    let patterns = PatternOptions::regex().size_limit(LARGEST_PATTERN);
    let options =
        jsonschema::options().with_pattern_options(patterns).should_validate_formats(true);
    options.build(schema).map_err(|error| told(&error))
}

/// An error in a line, without a long value in it.
fn told(error: &jsonschema::ValidationError<'_>) -> String {
    let at = error.instance_path().to_string();
    let what: String = error.to_string().chars().take(200).collect();
    if at.is_empty() { what } else { format!("`{}`: {what}", at.trim_start_matches('/')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: Value) -> DataSchema {
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn what_is_no_schema_is_said() {
        let order = json!({ "properties": { "number": { "type": "string", "pattern": "^[0-9]{5}$" } }, "required": ["number"] });
        assert_eq!(schema(order).broken(), None);
        assert_eq!(DataSchema::default().broken(), None);
        for (wrong, said) in [
            (json!({ "type": "array" }), "must describe an object"),
            (json!({ "required": ["a"] }), "requires `a`"),
            (json!({ "properties": { "a": { "type": "strin" } } }), "is no JSON Schema"),
            (json!({ "properties": { "a": { "pattern": "(" } } }), "is no JSON Schema"),
            (
                json!({ "properties": { "a": { "$ref": "https://a.example/b.json" } } }),
                "is no JSON Schema",
            ),
            (json!({ "properties": { "a": { "description": "x".repeat(9_000) } } }), "is larger"),
        ] {
            let broken = schema(wrong.clone()).broken().unwrap();
            assert!(broken.starts_with(said), "{wrong}: {broken}");
        }
    }

    #[test]
    fn values_are_judged() {
        let order = schema(
            json!({ "properties": { "number": { "type": "string", "pattern": "^[0-9]{5}$" }, "year": { "type": "integer" } }, "required": ["number"] }),
        );
        assert_eq!(order.fits(&json!({ "number": "48213" })), Ok(()));
        assert!(order.fits(&json!({ "number": 48213 })).unwrap_err().starts_with("`number`: "));
        assert!(order.fits(&json!({})).is_err());
        assert!(order.fits(&json!({ "number": "48213", "x": 1 })).is_err());
        assert!(order.may_be("number", &json!("48213")) && !order.may_be("number", &json!("4821")));
        assert!(order.may_be("year", &json!(2026)) && !order.may_be("colour", &json!("red")));
        assert_eq!(order.names(), ["number", "year"]);
    }
}
