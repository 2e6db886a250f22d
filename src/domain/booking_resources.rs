//! What is done for whoever books, and what or who a booking occupies.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Hours, HumanDuration, LanguageTag, Party};

/// One thing that is done for whoever comes: a consultation, a service of a car.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingService {
    /// As the assistant says it.
    pub name: String,
    /// Words a caller uses for it, beside its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// As the assistant says it in other languages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<LanguageTag, String>,
    /// How long it takes; the section's `duration` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<HumanDuration>,
}

/// What or who a booking occupies: a kind of table, a doctor, a lift, a kind of room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingResource {
    /// As the assistant says it.
    pub name: String,
    /// Words a caller uses for it, beside its name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub about: Vec<String>,
    /// As the assistant says it in other languages.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<LanguageTag, String>,
    /// How many of them there are, each for one booking at a time.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u32,
    /// The parties it is given to; the section's `party` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Party>,
    /// What is done there, by name; everything otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// When it is there, within the opening hours; always otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
}

const fn one() -> u32 {
    1
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_one(count: &u32) -> bool {
    *count == 1
}

/// Names are compared as people say them.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// A name in a language: in that of a region, then in any other of the same language.
fn said_in<'a>(
    names: &'a BTreeMap<LanguageTag, String>,
    name: &'a str,
    language: &LanguageTag,
) -> &'a str {
    let other = || names.iter().find(|(tag, _)| tag.primary() == language.primary());
    let said = names.get(language).or_else(|| other().map(|(_, said)| said));
    said.map_or(name, String::as_str)
}

impl BookingService {
    /// Its name in a language.
    pub fn said_in(&self, language: &LanguageTag) -> &str {
        said_in(&self.names, &self.name, language)
    }
}

impl BookingResource {
    /// Its name in a language.
    pub fn said_in(&self, language: &LanguageTag) -> &str {
        said_in(&self.names, &self.name, language)
    }

    /// Whether a service is done there.
    pub fn does(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|name| same_name(name, service))
    }

    /// Whether it goes by this name.
    pub fn is_called(&self, name: &str) -> bool {
        same_name(&self.name, name)
    }
}
