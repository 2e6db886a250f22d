//! The number of an assistant, and whether webox keeps it connected at Twilio.

use std::{borrow::Cow, fmt, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap,
};

use super::PhoneNumber;

/// The number callers dial. In a file it is a text, or a table where webox is to keep it connected:
/// `phone = { number = "+33…", manage = true }`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssistantPhone {
    /// The number.
    pub number: PhoneNumber,
    /// Whether applying files connects it at Twilio to this daemon.
    pub manage: bool,
}

impl From<PhoneNumber> for AssistantPhone {
    fn from(number: PhoneNumber) -> Self {
        Self { number, manage: false }
    }
}

/// Most who ask want the number.
impl Deref for AssistantPhone {
    type Target = PhoneNumber;

    fn deref(&self) -> &PhoneNumber {
        &self.number
    }
}

impl fmt::Display for AssistantPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number.fmt(f)
    }
}

impl Serialize for AssistantPhone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !self.manage {
            return self.number.serialize(serializer);
        }
        let mut table = serializer.serialize_map(Some(2))?;
        table.serialize_entry("number", &self.number)?;
        table.serialize_entry("manage", &true)?;
        table.end()
    }
}

impl<'de> Deserialize<'de> for AssistantPhone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrTable)
    }
}

struct TextOrTable;

impl<'de> Visitor<'de> for TextOrTable {
    type Value = AssistantPhone;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a phone number, or a table with `number` and `manage`")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AssistantPhone, E> {
        text.parse::<PhoneNumber>().map(AssistantPhone::from).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<AssistantPhone, A::Error> {
        let (mut number, mut manage) = (None, false);
        while let Some(key) = table.next_key::<Cow<'_, str>>()? {
            match key.as_ref() {
                "number" => number = Some(table.next_value::<PhoneNumber>()?),
                "manage" => manage = table.next_value()?,
                other => return Err(A::Error::unknown_field(other, &["number", "manage"])),
            }
        }
        let number = number.ok_or_else(|| A::Error::missing_field("number"))?;
        Ok(AssistantPhone { number, manage })
    }
}

impl JsonSchema for AssistantPhone {
    fn schema_name() -> Cow<'static, str> {
        "AssistantPhone".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let number = generator.subschema_for::<PhoneNumber>();
        json_schema!({
            "anyOf": [
                number,
                {
                    "type": "object",
                    "properties": {
                        "number": number,
                        "manage": {
                            "type": "boolean",
                            "description": "Whether applying this file connects the number at Twilio to this daemon",
                        },
                    },
                    "required": ["number"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_text_until_it_is_managed() {
        let read = |json: &str| serde_json::from_str::<AssistantPhone>(json);
        let plain = read("\"01 23 45 67 89\"").unwrap();
        assert_eq!((plain.as_str(), plain.manage), ("+33123456789", false));
        assert_eq!(serde_json::to_string(&plain).unwrap(), "\"+33123456789\"");
        let managed = read("{\"manage\":true,\"number\":\"+33123456789\"}").unwrap();
        let written = serde_json::to_string(&managed).unwrap();
        assert_eq!(written, "{\"number\":\"+33123456789\",\"manage\":true}");
        assert_eq!(read(&written).unwrap(), managed);
        // Without its only reason to be a table it is a text again.
        assert_eq!(read("{\"number\":\"+33123456789\"}").unwrap(), plain);
        for wrong in ["{}", "3", "{\"number\":\"x\"}", "{\"number\":\"+33123456789\",\"a\":1}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
