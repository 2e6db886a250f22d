//! What the JSON Schema says of values that are text with a rule.
//!
//! The pattern is what an editor can check while somebody types; the type's own reading decides.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{
    AccountSid, AssistantName, CallSid, Cents, ClockTime, Closure, EmailAddress, HumanDuration,
    LanguageTag, Micros, ModelRef, Month, Percent, PhoneNumber, SecretRef, SetName, TimeRange,
    ZoneName,
};

macro_rules! text_schema {
    ($name:ident, $pattern:literal, $description:literal, [$($example:literal),+]) => {
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": $pattern,
                    "description": $description,
                    "examples": [$($example),+],
                })
            }
        }
    };
}

text_schema!(
    AssistantName,
    r"^(?=.*[a-z-])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "A slug: lower-case letters, digits and hyphens",
    ["le-gourmet"]
);
text_schema!(
    SetName,
    r"^(?=.*[a-z-])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
    "A slug: lower-case letters, digits and hyphens",
    ["agency-paris"]
);
text_schema!(
    CallSid,
    r"^CA[0-9a-fA-F]{32}$",
    "A call at Twilio",
    ["CA00000000000000000000000000000001"]
);
text_schema!(
    AccountSid,
    r"^AC[0-9a-fA-F]{32}$",
    "An account at Twilio",
    ["AC00000000000000000000000000000001"]
);
text_schema!(
    EmailAddress,
    r"^\s*[^@\s]+@[^@\s.]+(\.[^@\s.]+)+\s*$",
    "An e-mail address",
    ["claire@agence.fr"]
);
text_schema!(
    PhoneNumber,
    r"^\s*(\+|00?)?[\s().-]*[0-9][0-9\s().-]{3,30}$",
    "A phone number in any usual spelling; without a country it is French",
    ["+33123456789", "01 23 45 67 89"]
);
text_schema!(
    LanguageTag,
    r"^[A-Za-z]{2,3}([-_]([A-Za-z]{2}|[0-9]{3}))?$",
    "A language tag (BCP 47)",
    ["fr-FR", "en-US", "de"]
);
text_schema!(
    ModelRef,
    r"^\s*[A-Za-z0-9_.:/@-]{1,128}\s*$",
    "`builtin`, an alias such as `gpt-4`, or `provider/model`",
    ["builtin", "gpt-4", "anthropic/claude-haiku-5-5"]
);
text_schema!(ZoneName, r"^[A-Za-z0-9_+/-]+$", "An IANA time zone", ["Europe/Paris"]);
text_schema!(
    HumanDuration,
    r"^\s*([0-9]+[smhd]\s*)+$",
    "A length of time: numbers with units s, m, h, d",
    ["90s", "10m", "1h30m"]
);
text_schema!(
    TimeRange,
    r"^\s*[0-9]{1,2}:[0-9]{2}\s*[-–]\s*[0-9]{1,2}:[0-9]{2}\s*$",
    "From when to when, on the client's wall clock",
    ["12:00-14:00", "19:00-02:00"]
);

text_schema!(
    Closure,
    r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(/[0-9]{4}-[0-9]{2}-[0-9]{2})?\s*$",
    "A day, or the first and the last of a stretch of days",
    ["2026-12-25", "2026-08-01/2026-08-21"]
);
text_schema!(
    ClockTime,
    r"^\s*[0-9]{1,2}:[0-9]{2}\s*$",
    "A time of day on the client's wall clock",
    ["15:00"]
);

text_schema!(Month, r"^2[01][0-9]{2}-(0[1-9]|1[0-2])$", "A year and a month", ["2026-11"]);
text_schema!(Cents, r"^-?[0-9]+\.[0-9]{2}$", "An amount, in whole hundredths", ["59.75"]);
text_schema!(Micros, r"^-?[0-9]+\.[0-9]{2,6}$", "An amount, up to six places", ["0.60"]);
text_schema!(Percent, r"^[0-9]{1,3}(\.[0-9]{1,2})?$", "A percentage", ["20", "5.5"]);

/// Hours of days as `2026-12-24`.
pub(super) fn hours_by_date(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "patternProperties": {
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}$": generator.subschema_for::<Vec<TimeRange>>(),
        },
        "additionalProperties": false,
    })
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = |key: &str, what: &str| {
            json_schema!({
                "type": "object",
                "properties": { key: { "type": "string", "minLength": 1, "description": what } },
                "required": [key],
                "additionalProperties": false,
            })
        };
        json_schema!({
            "description": "Where a secret is kept; the secret itself is never written here",
            "oneOf": [
                one("env", "The environment variable, of the daemon, that holds it"),
                one("file", "The file, on the daemon's machine, that holds it: an absolute path"),
                one("secret", "Its name in the daemon's own keeping"),
            ],
        })
    }
}
