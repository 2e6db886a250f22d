//! What an `ETag` says of a thing. The daemon writes tags, and `--server` sends them back.

use std::{fmt, str::FromStr};

use jiff::Timestamp;

use crate::domain::{AssistantId, Error, Result, User};

/// What an `ETag` says of an assistant: which one, and in which version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssistantTag {
    /// Which.
    pub id: AssistantId,
    /// The version.
    pub revision: i64,
}

impl fmt::Display for AssistantTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.id.0, self.revision)
    }
}

impl FromStr for AssistantTag {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split_once('-').and_then(|(id, revision)| {
            Some(Self { id: AssistantId(id.parse().ok()?), revision: revision.parse().ok()? })
        });
        parts.ok_or_else(|| Error::input("this is no tag of an assistant"))
    }
}

/// What an `ETag` says of a user: all that can be changed.
pub fn user_tag(user: &User) -> String {
    let disabled = user.disabled_at.map_or(0, Timestamp::as_millisecond);
    format!("u{}-{}-{disabled}", user.id.0, user.role)
}
