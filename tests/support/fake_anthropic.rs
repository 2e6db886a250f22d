//! A double of Anthropic: messages, streamed as Anthropic streams them.

use serde_json::{Value, json};

use super::fake_http::{Behaviour, Content, Dialect, Fault, KEY, Request, Server, pieces};

/// Anthropic on this machine.
pub(crate) struct FakeAnthropic(Server<Anthropic>);

impl FakeAnthropic {
    pub(crate) fn start(behaviours: Vec<Behaviour>) -> Self {
        Self(Server::start(behaviours))
    }

    /// Its base URL, as `ANTHROPIC_BASE_URL` wants it.
    pub(crate) fn url(&self) -> String {
        self.0.origin()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.0.requests()
    }
}

struct Anthropic;

impl Dialect for Anthropic {
    fn objection(request: &Request) -> Option<(Fault, String)> {
        let bad = |what: &str| Some((Fault::BadRequest, what.to_owned()));
        let json = &request.json;
        if request.header("x-api-key") != KEY {
            return Some((Fault::Unauthorized, "a wrong key".to_owned()));
        }
        if request.path != "/v1/messages" {
            return Some((Fault::NotFound, "no such path".to_owned()));
        }
        if request.header("anthropic-version") != "2023-06-01" {
            return bad("no version");
        }
        if json["stream"] != true || !json["model"].is_string() || !json["max_tokens"].is_u64() {
            return bad("no model, no bound or no stream");
        }
        if json.get("temperature").is_some() {
            return bad("temperature is not supported by this model");
        }
        if !results_follow_calls(json) {
            return bad("a tool_use without its tool_result right after it");
        }
        None
    }

    fn answer(_: &Request, content: &Content<'_>) -> Vec<String> {
        let usage = json!({
            "input_tokens": 180, "cache_creation_input_tokens": 8,
            "cache_read_input_tokens": 512, "output_tokens": 1,
        });
        let mut events = vec![
            json!({"type": "message_start", "message": {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "double",
                "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage,
            }}),
            json!({"type": "ping"}),
        ];
        if !content.text.is_empty() {
            let empty = json!({"type": "text", "text": ""});
            let deltas = pieces(content.text);
            let deltas = deltas.iter().map(|text| json!({"type": "text_delta", "text": text}));
            block(0, &empty, deltas, &mut events);
        }
        for (index, (name, arguments)) in content.calls.iter().enumerate() {
            let id = format!("toolu_{index}_{name}");
            let call = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
            let deltas = pieces(arguments);
            let deltas = deltas
                .iter()
                .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
            block(index, &call, deltas, &mut events);
        }
        let reason = match content {
            Content { declined: true, .. } => "refusal",
            Content { calls: [], .. } => "end_turn",
            _ => "tool_use",
        };
        events.push(json!({
            "type": "message_delta", "usage": {"output_tokens": 30},
            "delta": {"stop_reason": reason, "stop_sequence": null},
        }));
        events.push(json!({"type": "message_stop"}));
        events.iter().map(event).collect()
    }

    fn refusal(fault: Fault, message: &str) -> Value {
        let kind = match fault {
            Fault::BadRequest => "invalid_request_error",
            Fault::Unauthorized => "authentication_error",
            Fault::NotFound => "not_found_error",
            // A spending limit differs in that it does not say when to come back.
            Fault::RateLimited | Fault::Quota => "rate_limit_error",
            Fault::Server => "api_error",
            Fault::Overloaded => "overloaded_error",
        };
        json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})
    }

    fn failure(_: &Request, message: &str) -> String {
        event(&Self::refusal(Fault::Overloaded, message))
    }

    fn word(_: &Request, text: &str) -> String {
        let delta = json!({"type": "text_delta", "text": text});
        event(&json!({"type": "content_block_delta", "index": 0, "delta": delta}))
    }
}

fn event(json: &Value) -> String {
    format!("event: {}\ndata: {json}\n\n", json["type"].as_str().unwrap_or_default())
}

fn block(
    index: usize,
    start: &Value,
    deltas: impl Iterator<Item = Value>,
    events: &mut Vec<Value>,
) {
    events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
    events.extend(
        deltas.map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})),
    );
    events.push(json!({"type": "content_block_stop", "index": index}));
}

/// Whether each message that uses tools is followed by one that begins with all their results.
fn results_follow_calls(json: &Value) -> bool {
    let messages = json["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ids = |message: Option<&Value>, kind: &str, id: &str| -> Vec<String> {
        let blocks = message.and_then(|message| message["content"].as_array());
        blocks
            .into_iter()
            .flatten()
            .filter(|block| block["type"] == kind)
            .filter_map(|block| block[id].as_str().map(str::to_owned))
            .collect()
    };
    messages.iter().enumerate().all(|(at, message)| {
        let asked = ids(Some(message), "tool_use", "id");
        asked.is_empty() || asked == ids(messages.get(at + 1), "tool_result", "tool_use_id")
    })
}
