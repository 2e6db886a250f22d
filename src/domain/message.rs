//! A message taken for the client when the assistant cannot do more.

use jiff::Timestamp;

use super::{AssistantId, CallId};

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
    /// What to pass on, in the caller's words.
    pub text: String,
    /// When it was taken.
    pub created_at: Timestamp,
}
