//! A double of OpenAI: chat completions and Responses, streamed as OpenAI streams them.

use serde_json::{Value, json};

use super::fake_http::{Behaviour, Content, Dialect, Fault, KEY, Request, Server, pieces};

/// OpenAI on this machine.
pub(crate) struct FakeOpenAi(Server<OpenAi>);

impl FakeOpenAi {
    pub(crate) fn start(behaviours: Vec<Behaviour>) -> Self {
        Self(Server::start(behaviours))
    }

    /// Its base URL, as `OPENAI_BASE_URL` wants it.
    pub(crate) fn url(&self) -> String {
        format!("{}/v1", self.0.origin())
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.0.requests()
    }
}

struct OpenAi;

impl Dialect for OpenAi {
    fn objection(request: &Request) -> Option<(Fault, String)> {
        if request.header("authorization") != format!("Bearer {KEY}") {
            return Some((Fault::Unauthorized, "a wrong key".to_owned()));
        }
        let json = &request.json;
        if json["stream"] != true || !json["model"].is_string() {
            return Some((Fault::BadRequest, "no model or no stream".to_owned()));
        }
        let (asked, answered) = match request.path.as_str() {
            "/v1/chat/completions" => tools_of_chat(json),
            "/v1/responses" => tools_of_responses(json),
            _ => return Some((Fault::NotFound, "no such path".to_owned())),
        };
        (asked != answered)
            .then(|| (Fault::BadRequest, "a tool call without its answer".to_owned()))
    }

    fn answer(request: &Request, content: &Content<'_>) -> Vec<String> {
        if is_chat(request) { chat(&request.json, content) } else { responses(content) }
    }

    fn refusal(fault: Fault, message: &str) -> Value {
        let (kind, code) = match fault {
            Fault::BadRequest => ("invalid_request_error", "invalid_value"),
            Fault::Unauthorized => ("invalid_request_error", "invalid_api_key"),
            Fault::NotFound => ("invalid_request_error", "model_not_found"),
            Fault::RateLimited => ("requests", "rate_limit_exceeded"),
            Fault::Quota => ("insufficient_quota", "insufficient_quota"),
            Fault::Server => ("server_error", "server_error"),
            Fault::Overloaded => ("server_error", "server_is_overloaded"),
        };
        json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
    }

    fn failure(request: &Request, message: &str) -> String {
        if is_chat(request) {
            return data(&Self::refusal(Fault::Server, message));
        }
        let error = json!({"code": "server_error", "message": message, "param": null});
        named(&json!({"type": "error", "code": error["code"], "message": message, "param": null}))
    }

    fn word(request: &Request, text: &str) -> String {
        if is_chat(request) {
            return data(&chat_chunk(&json!({"content": text}), &Value::Null));
        }
        named(&text_delta(text))
    }
}

fn is_chat(request: &Request) -> bool {
    request.path.ends_with("/chat/completions")
}

/// Ids of the tools asked for in the history, and of those answered; in their order.
fn tools_of_chat(json: &Value) -> (Vec<&str>, Vec<&str>) {
    let messages = || json["messages"].as_array().into_iter().flatten();
    let asked = messages()
        .flat_map(|message| message["tool_calls"].as_array().into_iter().flatten())
        .filter_map(|call| call["id"].as_str())
        .collect();
    let answered = messages().filter_map(|message| message["tool_call_id"].as_str()).collect();
    (asked, answered)
}

fn tools_of_responses(json: &Value) -> (Vec<&str>, Vec<&str>) {
    let of = |kind: &str| {
        let items = json["input"].as_array().into_iter().flatten();
        items
            .filter(|item| item["type"] == kind)
            .filter_map(|item| item["call_id"].as_str())
            .collect()
    };
    (of("function_call"), of("function_call_output"))
}

fn data(json: &Value) -> String {
    format!("data: {json}\n\n")
}

fn named(json: &Value) -> String {
    format!("event: {}\ndata: {json}\n\n", json["type"].as_str().unwrap_or_default())
}

fn chat_chunk(delta: &Value, finish_reason: &Value) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000,
        "model": "double", "usage": null, "obfuscation": "x1y2z3",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    })
}

fn chat(request: &Value, content: &Content<'_>) -> Vec<String> {
    let mut deltas = vec![json!({"role": "assistant", "content": "", "refusal": null})];
    if content.declined {
        deltas.push(json!({"refusal": "I cannot help with that."}));
    }
    deltas.extend(pieces(content.text).iter().map(|piece| json!({"content": piece})));
    for (index, (name, arguments)) in content.calls.iter().enumerate() {
        deltas.push(json!({"tool_calls": [{
            "index": index, "id": format!("call_{index}_{name}"), "type": "function",
            "function": {"name": name, "arguments": ""},
        }]}));
        deltas.extend(pieces(arguments).iter().map(
            |piece| json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}),
        ));
    }
    let mut events: Vec<String> =
        deltas.iter().map(|delta| data(&chat_chunk(delta, &Value::Null))).collect();
    let reason = if content.calls.is_empty() { "stop" } else { "tool_calls" };
    events.push(data(&chat_chunk(&json!({}), &reason.into())));
    if request["stream_options"]["include_usage"] == true {
        let usage = json!({
            "prompt_tokens": 700, "completion_tokens": 30, "total_tokens": 730,
            "prompt_tokens_details": {"cached_tokens": 512, "cache_write_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        });
        let mut last = chat_chunk(&json!({}), &Value::Null);
        last["choices"] = json!([]);
        last["usage"] = usage;
        events.push(data(&last));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn text_delta(text: &str) -> Value {
    json!({
        "type": "response.output_text.delta", "sequence_number": 5, "item_id": "msg_1",
        "output_index": 0, "content_index": 0, "delta": text, "obfuscation": "x1y2",
    })
}

fn responses(content: &Content<'_>) -> Vec<String> {
    let response = |status: &str| json!({"id": "resp_1", "object": "response", "status": status});
    let mut events = vec![
        json!({"type": "response.created", "response": response("in_progress")}),
        json!({"type": "response.in_progress", "response": response("in_progress")}),
    ];
    if content.declined || content.calls.is_empty() {
        message_item(content, &mut events);
    }
    for (index, (name, arguments)) in content.calls.iter().enumerate() {
        let (id, call) = (format!("fc_{index}"), format!("call_{index}_{name}"));
        let item = |arguments: &str, status: &str| {
            json!({
                "type": "function_call", "id": id, "call_id": call, "name": name,
                "arguments": arguments, "status": status,
            })
        };
        events.push(json!({
            "type": "response.output_item.added", "output_index": index,
            "item": item("", "in_progress"),
        }));
        events.extend(pieces(arguments).iter().map(|piece| {
            json!({
                "type": "response.function_call_arguments.delta", "item_id": id,
                "output_index": index, "delta": piece,
            })
        }));
        events.push(json!({
            "type": "response.function_call_arguments.done", "item_id": id,
            "output_index": index, "name": name, "arguments": arguments,
        }));
        events.push(json!({
            "type": "response.output_item.done", "output_index": index,
            "item": item(arguments, "completed"),
        }));
    }
    let mut completed = response("completed");
    completed["usage"] = json!({
        "input_tokens": 700, "output_tokens": 30, "total_tokens": 730,
        "input_tokens_details": {"cached_tokens": 512, "cache_write_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    });
    events.push(json!({"type": "response.completed", "response": completed}));
    let mut numbered = events;
    for (number, event) in numbered.iter_mut().enumerate() {
        event["sequence_number"] = number.into();
    }
    numbered.iter().map(named).collect()
}

fn message_item(content: &Content<'_>, events: &mut Vec<Value>) {
    let place = |kind: &str| json!({"type": kind, "item_id": "msg_1", "output_index": 0, "content_index": 0});
    let with = |kind: &str, name: &str, value: Value| {
        let mut event = place(kind);
        event[name] = value;
        event
    };
    let item = |parts: Value| json!({"type": "message", "id": "msg_1", "role": "assistant", "content": parts});
    let part = if content.declined {
        json!({"type": "refusal", "refusal": "I cannot help with that."})
    } else {
        json!({"type": "output_text", "text": content.text, "annotations": []})
    };
    events.push(json!({
        "type": "response.output_item.added", "output_index": 0, "item": item(json!([])),
    }));
    let empty = json!({"type": part["type"], "text": ""});
    events.push(with("response.content_part.added", "part", empty));
    if content.declined {
        events.push(with("response.refusal.delta", "delta", part["refusal"].clone()));
        events.push(with("response.refusal.done", "refusal", part["refusal"].clone()));
    } else {
        events.extend(pieces(content.text).iter().map(|piece| text_delta(piece)));
        events.push(with("response.output_text.done", "text", content.text.into()));
    }
    events.push(with("response.content_part.done", "part", part.clone()));
    events.push(json!({
        "type": "response.output_item.done", "output_index": 0, "item": item(json!([part])),
    }));
}
