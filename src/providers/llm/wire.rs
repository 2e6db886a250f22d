//! What the three wire formats have in common: a request body, and a decoder of its event stream.
//!
//! Both are pure: bytes go in and come out in `http`.

use serde::Deserialize;
use serde_json::Value;

use super::{
    ChatEvent, ChatRequest, ModelError, ToolCall, chat_completions, errors, messages, responses,
    table::Capabilities,
};
use crate::domain::Outcome;

/// How a model is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Wire {
    /// OpenAI's `POST /chat/completions`, and everybody who copies it.
    ChatCompletions,
    /// OpenAI's `POST /responses`.
    Responses,
    /// Anthropic's `POST /v1/messages`.
    Messages,
}

impl Wire {
    pub(super) fn body(self, can: &Capabilities, model: &str, request: &ChatRequest) -> Value {
        match self {
            Self::ChatCompletions => chat_completions::body(can, model, request),
            Self::Responses => responses::body(can, model, request),
            Self::Messages => messages::body(can, model, request),
        }
    }

    pub(super) fn decoder(self) -> Box<dyn Decoder> {
        match self {
            Self::ChatCompletions => Box::<chat_completions::Decoder>::default(),
            Self::Responses => Box::<responses::Decoder>::default(),
            Self::Messages => Box::<messages::Decoder>::default(),
        }
    }

    /// The address under a base URL. OpenAI's bases end in `/v1`, Anthropic's usually do not.
    pub(super) fn url(self, base: &str) -> String {
        let base = base.trim_end_matches('/');
        match self {
            Self::ChatCompletions => format!("{base}/chat/completions"),
            Self::Responses => format!("{base}/responses"),
            Self::Messages => {
                format!("{}/v1/messages", base.strip_suffix("/v1").unwrap_or(base))
            }
        }
    }
}

/// Reads one answer, event by event.
pub(super) trait Decoder: Send {
    /// Takes the data of one server-sent event. The answer is over once it gives
    /// [`ChatEvent::Done`].
    fn event(&mut self, data: &str) -> Result<Vec<ChatEvent>, ModelError>;

    /// The stream ended without [`ChatEvent::Done`].
    fn finish(&mut self) -> Result<Vec<ChatEvent>, ModelError> {
        Err(errors::broken("the answer ended early"))
    }
}

/// The JSON object in an event's data.
pub(super) fn object(data: &str) -> Result<Value, ModelError> {
    match serde_json::from_str::<Value>(data) {
        Ok(value) if value.is_object() => Ok(value),
        _ => Err(errors::error(Outcome::Unusable, format!("not a JSON object: {data}"))),
    }
}

/// A token count; what is absent or absurd counts as none.
pub(super) fn tokens(value: &Value) -> u32 {
    value.as_u64().and_then(|count| u32::try_from(count).ok()).unwrap_or_default()
}

/// Arguments as they came: fragments of text, or (from some servers) a ready object.
pub(super) fn fragment(arguments: &Value) -> String {
    match arguments {
        Value::String(text) => text.clone(),
        Value::Object(_) => arguments.to_string(),
        _ => String::new(),
    }
}

/// A tool called without arguments is called with an empty object.
pub(super) fn whole_call(id: String, name: String, arguments: String) -> ToolCall {
    let arguments = if arguments.trim().is_empty() { "{}".to_owned() } else { arguments };
    ToolCall { id, name, arguments }
}

/// Whether a call's arguments are an object: one that was cut off by the bound is not.
pub(super) fn is_whole(call: &ToolCall) -> bool {
    serde_json::from_str::<serde_json::Map<String, Value>>(&call.arguments).is_ok()
}

/// A call's arguments as an object, to be sent back; what the model garbled becomes an empty one,
/// since servers refuse a history that holds broken JSON.
pub(super) fn arguments_object(call: &ToolCall) -> Value {
    serde_json::from_str::<serde_json::Map<String, Value>>(&call.arguments)
        .unwrap_or_default()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anthropic_addresses_may_or_may_not_end_in_v1() {
        for base in ["https://x.test", "https://x.test/", "https://x.test/v1", "https://x.test/v1/"]
        {
            assert_eq!(Wire::Messages.url(base), "https://x.test/v1/messages");
        }
        assert_eq!(Wire::ChatCompletions.url("http://h/v1/"), "http://h/v1/chat/completions");
        assert_eq!(Wire::Responses.url("http://h/v1"), "http://h/v1/responses");
    }

    #[test]
    fn broken_arguments_are_not_sent_back() {
        let call = |arguments: &str| whole_call("c".into(), "t".into(), arguments.into());
        assert_eq!(call(" ").arguments, "{}");
        assert_eq!(arguments_object(&call("{\"a\":1}")), serde_json::json!({"a": 1}));
        assert_eq!(arguments_object(&call("{\"a\":")), serde_json::json!({}));
        assert!(!is_whole(&call("{\"a\":")));
        assert!(!is_whole(&call("[1]")));
    }
}
