//! Time zones by name.

use std::str::FromStr;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Error, text::text_type};

/// A time zone by its IANA name, known to exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZoneName(String);

impl ZoneName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The zone.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl FromStr for ZoneName {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        TimeZone::get(text).map(|_| Self(text.to_owned())).map_err(|_| {
            Error::input(format!("`{}` is not a time zone", text.escape_debug()))
                .hint("write an IANA name, such as `Europe/Paris`")
        })
    }
}

text_type!(ZoneName);
