//! Who changed something, from where, and by what.

use super::row_number::row_number;
use serde::{Deserialize, Serialize};

/// The author of a change, for the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Author {
    /// A person or an account: the login name at the terminal.
    pub who: String,
    /// The machine, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The command, such as `assistants edit` or `apply`.
    pub command: String,
    /// The revision of the files it came from, when they are under version control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
}

impl Author {
    /// Somebody, doing something.
    pub fn new(who: impl Into<String>, command: impl Into<String>) -> Self {
        Self { who: who.into(), host: None, command: command.into(), git: None }
    }
}

impl std::fmt::Display for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (`{}`)", self.who, self.command)
    }
}

row_number!(
    /// The row number of an apply.
    ApplyId
);
