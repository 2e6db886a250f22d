//! A message taken for the client when the assistant cannot do more.

use jiff::Timestamp;

use super::{AssistantId, CallId, KeptRecording};

/// What a caller left to be passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// For which assistant's client.
    pub assistant: AssistantId,
    /// In which call.
    pub call: CallId,
    /// Number to call back, when the caller has one.
    pub caller: Option<String>,
    /// Name given by the caller.
    pub name: Option<String>,
    /// What to pass on, in the caller's words; empty where it was spoken and is not written down.
    pub text: String,
    /// Where it was spoken, if it was.
    pub recording: Option<MessageRecording>,
    /// When it was taken.
    pub created_at: Timestamp,
}

/// A message as it was spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecording {
    /// Where Twilio keeps it.
    pub kept: KeptRecording,
    /// How long it is.
    pub seconds: u32,
}
