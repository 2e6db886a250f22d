//! The month of a client as it is told by mail.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Analysis, Month, Share};

/// A language that reports are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReportLanguage {
    /// French.
    #[serde(rename = "fr")]
    French,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl ReportLanguage {
    /// The tag.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::English => "en",
        }
    }
}

/// A month of calls, and the one before. What calls cost the agency is no part of it.
#[derive(Debug, Clone)]
pub struct Report {
    /// Whose calls; nothing for everybody's.
    pub of: Option<String>,
    /// Which month.
    pub month: Month,
    /// On whose clocks.
    pub zone: TimeZone,
    /// In which language.
    pub language: ReportLanguage,
    /// What the calls show.
    pub now: Analysis,
    /// The same of the month before.
    pub before: Analysis,
    /// What calls were about, most frequent first.
    pub topics: Vec<Share>,
}
