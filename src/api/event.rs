//! Events of calls, as the stream tells them.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Moment;
use crate::domain::{
    AssistantId, AssistantName, CallEvent, CallSid, CallStatus, EventId, Happening,
};

/// An event of a call, as the stream tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CallEvent")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct EventView {
    /// Its place: what `Last-Event-ID` resumes after.
    pub id: EventId,
    /// `ring`, `turn` or `end`.
    pub event: String,
    #[schemars(with = "Moment")]
    pub at: Timestamp,
    pub call_sid: CallSid,
    pub assistant_id: AssistantId,
    pub assistant: AssistantName,
    pub status: CallStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl From<CallEvent> for EventView {
    fn from(event: CallEvent) -> Self {
        let word = event.happening.word().to_owned();
        let (turn, heard, said) = match event.happening {
            Happening::Turn { number, heard, said } => (Some(number), heard, said),
            Happening::Ring | Happening::End => (None, None, None),
        };
        Self {
            id: event.id,
            event: word,
            at: event.at,
            call_sid: event.call,
            assistant_id: event.assistant_id,
            assistant: event.assistant,
            status: event.status,
            turn,
            heard,
            said,
        }
    }
}
