//! What an assistant may remember of those who called before.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CallOutcome;

/// Whether callers are known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Memory {
    /// Whether a call begins with what is known of the caller, and ends with a summary by the
    /// assistant's model. Off: nothing is read, and no model is asked.
    pub enabled: bool,
    /// How far back, in days.
    pub days: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self { enabled: false, days: 365 }
    }
}

impl Memory {
    /// Whether nothing is said but what is usual.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The rule broken, if any: the field and what is wrong with it.
    pub(super) fn broken(&self) -> Option<(&'static str, &'static str)> {
        (!(1..=3_650).contains(&self.days))
            .then_some(("memory.days", "must lie between 1 and 3650"))
    }
}

/// What an assistant knows of a caller who called it before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recollection {
    /// As given to this assistant, or written by hand.
    pub name: Option<String>,
    /// Written by hand.
    pub notes: Option<String>,
    /// The last calls to this assistant, the newest first; at least one.
    pub calls: Vec<PastCall>,
}

/// A call of before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCall {
    /// When it began.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: CallOutcome,
    /// The same in a sentence.
    pub summary: Option<String>,
}
