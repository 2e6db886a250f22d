//! Whose calls an assistant does not take: `[screening]`.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer, de};

use super::{Error, PhoneNumber};

/// What becomes of a call of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Admission {
    /// It is answered.
    #[default]
    Answer,
    /// It is turned down.
    Refuse,
}

/// Numbers that are not answered: one, or all that begin so, with a star at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// This number.
    Number(PhoneNumber),
    /// All numbers that begin with this, a `+` first.
    Beginning(String),
}

/// Fewer figures than this are a whole country.
const SHORTEST_BEGINNING: usize = 3;

impl Blocked {
    /// Whether a number, as Twilio sends it, is one of them.
    pub fn covers(&self, number: &str) -> bool {
        match self {
            Self::Number(blocked) => blocked.as_str() == number,
            Self::Beginning(beginning) => number.starts_with(beginning.as_str()),
        }
    }
}

impl FromStr for Blocked {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let Some(beginning) = text.strip_suffix('*') else { return text.parse().map(Self::Number) };
        let plain: String = beginning.chars().filter(|c| !" .-()".contains(*c)).collect();
        let figures = plain.strip_prefix('+').unwrap_or_default();
        let is_one = figures.bytes().all(|byte| byte.is_ascii_digit())
            && (SHORTEST_BEGINNING..=15).contains(&figures.len());
        if !is_one {
            return Err(Error::input(format!(
                "`{}` is no beginning of numbers",
                text.escape_debug()
            ))
            .hint(
                "write a number, or how some begin with the country's code and a star: \"+33899*\"",
            ));
        }
        Ok(Self::Beginning(plain))
    }
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => f.write_str(number.as_str()),
            Self::Beginning(beginning) => write!(f, "{beginning}*"),
        }
    }
}

impl Serialize for Blocked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Blocked {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Blocked {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Blocked".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"^[+0-9(][0-9 .()\-]{2,24}\*?$",
            "description": "A number, or how some begin with a star at the end",
            "examples": ["+33899*", "+33 6 12 34 56 78"],
        })
    }
}

/// Whose calls are not taken. They are turned down before they are answered, which costs nothing; a row
/// says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Screening {
    /// Numbers that are not answered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub block: Vec<Blocked>,
    /// Callers who show no number; refused, they are told to show it.
    #[serde(skip_serializing_if = "is_answered")]
    pub anonymous: Admission,
    /// Callers whose number is not theirs, as their operator's signature (STIR/SHAKEN) tells.
    #[serde(skip_serializing_if = "is_answered")]
    pub spoofed: Admission,
    /// Calls of one number in a day; no limit otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_calls_per_day: Option<u32>,
}

/// More than this is a list for the operator.
const MOST: usize = 1_000;

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_answered(admission: &Admission) -> bool {
    *admission == Admission::Answer
}

impl Screening {
    /// Whether everybody is answered.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a number is blocked.
    pub fn blocks(&self, number: &str) -> bool {
        self.block.iter().any(|blocked| blocked.covers(number))
    }

    /// The rule broken, if any: the field and what is wrong with it.
    pub(super) fn broken(&self) -> Option<(&'static str, &'static str)> {
        if self.block.len() > MOST {
            return Some(("screening.block", "has more than 1,000 entries"));
        }
        (self.max_calls_per_day == Some(0)).then_some((
            "screening.max_calls_per_day",
            "cannot be 0; use `active = false` to switch off",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_beginnings_are_blocked() {
        let screening: Screening =
            serde_json::from_str(r#"{"block":["+33 6 12 34 56 78","+33 (8) 99*"]}"#).unwrap();
        assert!(screening.blocks("+33612345678") && screening.blocks("+33899123456"));
        assert!(!screening.blocks("+33612345679") && !screening.blocks("+33890123456"));
        assert!(!screening.blocks("sip:x@y"));
        let again = serde_json::to_string(&screening).unwrap();
        assert_eq!(again, r#"{"block":["+33612345678","+33899*"]}"#);
        for wrong in ["*", "+*", "+33*", "33899*", "+33a99*", "012", "+3389999999999999999*"] {
            assert!(wrong.parse::<Blocked>().is_err(), "{wrong}");
        }
    }
}
