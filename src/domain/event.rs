//! What happens on the phone, as it happens.

use jiff::Timestamp;

use super::row_number::row_number;
use super::{AssistantId, AssistantName, CallSid, CallStatus};

row_number!(
    /// The place of an event in the order of all.
    EventId
);

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A call rang, and was answered or turned down.
    Ring,
    /// The caller was answered.
    Turn {
        /// The turn.
        number: u32,
        /// What the caller said.
        heard: Option<String>,
        /// What the assistant said.
        said: Option<String>,
    },
    /// The call is over.
    End,
}

impl Happening {
    /// Its name in the stream.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Turn { .. } => "turn",
            Self::End => "end",
        }
    }
}

/// An event of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEvent {
    /// Its place.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
    /// The call.
    pub call: CallSid,
    /// Who answers.
    pub assistant_id: AssistantId,
    /// Who answers, by name.
    pub assistant: AssistantName,
    /// How the call stands now.
    pub status: CallStatus,
    /// What happened.
    pub happening: Happening,
}
