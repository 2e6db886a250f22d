//! Language models behind one trait: [`ChatModel`].
//!
//! Three wire formats (OpenAI chat completions, OpenAI Responses, Anthropic messages), one table
//! of what each model accepts. The built-in concierge is not a provider: it lives in
//! `conversation::concierge`.

mod chat_completions;
mod embeddings;
mod errors;
mod http;
mod messages;
#[doc(hidden)]
pub mod offline;
mod registry;
mod responses;
mod table;
#[cfg(test)]
mod testing;
mod wire;

use std::{borrow::Cow, pin::Pin, time::Duration};

use futures_util::Stream;

pub use self::{
    embeddings::{Embedded, Embedder},
    registry::{Keeper, Models, ProviderSettings},
    table::warning,
};
use crate::domain::{Outcome, TokenUsage};

/// What a model is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatRequest {
    /// Instructions, stable over a call so that providers can cache them.
    pub system: String,
    /// The conversation so far, oldest first; the last one is the caller's or a tool's.
    pub messages: Vec<ChatMessage>,
    /// Tools it may use.
    pub tools: Vec<ToolSpec>,
    /// Bound on the answer.
    pub max_output_tokens: u32,
    /// Groups requests that share a prefix, where the provider wants to know.
    pub cache_key: Option<String>,
}

/// One entry of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatMessage {
    /// Said by the caller.
    User(String),
    /// Said by the assistant, and the tools it asked for.
    Assistant {
        /// What it said; may be empty beside tool calls.
        text: String,
        /// Tools asked for.
        calls: Vec<ToolCall>,
    },
    /// What a tool answered.
    ToolResult {
        /// The `id` of the [`ToolCall`].
        call_id: String,
        /// JSON.
        content: String,
        /// Whether the tool failed.
        is_error: bool,
    },
}

/// A tool as offered to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: Cow<'static, str>,
    /// When to use it.
    pub description: String,
    /// JSON Schema of its arguments.
    pub parameters: serde_json::Value,
}

/// A model asking for a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The provider's id, to answer with.
    pub id: String,
    /// Which tool.
    pub name: String,
    /// A JSON object as text; `{}` when the tool takes nothing.
    pub arguments: String,
}

/// A piece of an answer, as it arrives.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// Some text.
    Text(String),
    /// A whole tool call.
    ToolCall(ToolCall),
    /// The regular end. Without it the stream broke.
    Done {
        /// Why it ended.
        reason: StopReason,
        /// What it cost, when the provider said so.
        usage: Option<TokenUsage>,
    },
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// It was finished.
    Finished,
    /// It waits for tools.
    ToolCalls,
    /// It reached the bound.
    Length,
    /// It declined, or the provider's filter did.
    Declined,
}

/// Why a model did not answer. `detail` is for logs, never for callers, and holds no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", outcome.as_str())]
pub struct ModelError {
    /// In the words of the transcript.
    pub outcome: Outcome,
    /// What the provider said, shortened.
    pub detail: String,
    /// When it may be asked again, if it said so.
    pub retry_after: Option<Duration>,
}

/// An answer as it arrives. Dropping it cancels the request.
pub type ChatStream = Pin<Box<dyn Stream<Item = Result<ChatEvent, ModelError>> + Send>>;

/// A language model.
pub trait ChatModel: Send + Sync {
    /// `provider/model`, as stored with each turn.
    fn id(&self) -> &str;

    /// Asks it. The request is sent when the stream is first polled.
    fn stream(&self, request: ChatRequest) -> ChatStream;
}
