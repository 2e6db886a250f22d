//! A human who was rung for a call, and what came of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallId, PhoneNumber};

/// One human rung for a call: after which turn, and the how-many-eth after that turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HandoverId {
    /// The call.
    pub call: CallId,
    /// The turn that handed it over.
    pub turn: u32,
    /// From 1.
    pub attempt: u32,
}

/// What came of ringing a human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HandoverOutcome {
    /// They talked.
    Answered,
    /// The human did not want the call.
    Refused,
    /// The human's line was busy.
    Busy,
    /// Nobody took the call.
    NoAnswer,
    /// The number could not be reached.
    Failed,
    /// The caller hung up before anybody took it.
    Canceled,
}

impl HandoverOutcome {
    const ALL: [Self; 6] =
        [Self::Answered, Self::Refused, Self::Busy, Self::NoAnswer, Self::Failed, Self::Canceled];

    /// The word in the store, the API and the terminal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Reads the word in the store.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// A human who was rung for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// The turn that handed the call over.
    pub turn: u32,
    /// From 1 for each such turn.
    pub attempt: u32,
    /// Who, as the assistant's file had it; the short form has no name.
    pub name: Option<String>,
    /// Whom was dialled.
    pub number: PhoneNumber,
    /// Whether the human had to take it with a key.
    pub warm: bool,
    /// When it began to ring.
    pub rang_at: Timestamp,
    /// What the human pressed: whether the call is taken; nothing when nothing was pressed.
    pub takes: Option<bool>,
    /// What came of it; nothing while it goes on.
    pub outcome: Option<HandoverOutcome>,
    /// How long they talked, in seconds.
    pub duration_s: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for outcome in HandoverOutcome::ALL {
            assert_eq!(HandoverOutcome::from_stored(outcome.as_str()), Some(outcome));
        }
        assert_eq!(HandoverOutcome::from_stored("rung"), None);
    }
}
