//! What the tests of the wire formats share.

use proptest::prelude::*;
use serde_json::json;

use super::{ChatEvent, ChatMessage, ChatRequest, StopReason, ToolCall, ToolSpec};
use crate::domain::TokenUsage;

pub(super) fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: arguments.to_owned() }
}

pub(super) fn text(text: &str) -> ChatEvent {
    ChatEvent::Text(text.to_owned())
}

pub(super) fn done(reason: StopReason, usage: Option<TokenUsage>) -> ChatEvent {
    ChatEvent::Done { reason, usage }
}

/// A greeting, a wish, two tools at once of which one failed, and impatience.
pub(super) fn conversation() -> ChatRequest {
    let tool = |name: &'static str, description: &str| ToolSpec {
        name: name.into(),
        description: description.to_owned(),
        parameters: json!({"type": "object"}),
    };
    let result = |id: &str, content: &str, is_error: bool| ChatMessage::ToolResult {
        call_id: id.to_owned(),
        content: content.to_owned(),
        is_error,
    };
    ChatRequest {
        system: "Be kind.".to_owned(),
        messages: vec![
            ChatMessage::Assistant { text: "Bonjour !".to_owned(), calls: Vec::new() },
            ChatMessage::User("Une table".to_owned()),
            ChatMessage::Assistant {
                text: String::new(),
                calls: vec![call("call:1", "book", r#"{"size":2}"#), call("call:2", "now", "{")],
            },
            result("call:1", "full", true),
            result("call:2", "noon", false),
            ChatMessage::User("Alors ?".to_owned()),
        ],
        tools: vec![tool("book", "Books."), tool("now", "Tells.")],
        max_output_tokens: 400,
        cache_key: Some("le-gourmet".to_owned()),
    }
}

/// Events in any order: likely ones, cut ones, and noise.
pub(super) fn any_events(likely: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let cut = (proptest::sample::select(likely), any::<proptest::sample::Index>())
        .prop_map(|(event, at)| event.chars().take(at.index(event.len())).collect());
    let event = prop_oneof![
        3 => proptest::sample::select(likely).prop_map(str::to_owned),
        1 => cut,
        1 => ".{0,80}",
    ];
    proptest::collection::vec(event, 0..12)
}
