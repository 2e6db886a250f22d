//! OpenAI's Responses: the only way to models that always reason and use tools.

use serde_json::{Value, json};

use super::{
    ChatEvent, ChatMessage, ChatRequest, ModelError, StopReason, errors,
    table::Capabilities,
    wire::{self, arguments_object, fragment, is_whole, tokens, whole_call},
};
use crate::domain::TokenUsage;

/// The request. Nothing of it is kept at the provider.
pub(super) fn body(can: &Capabilities, model: &str, request: &ChatRequest) -> Value {
    let input: Vec<Value> = request.messages.iter().flat_map(items).collect();
    let mut body = json!({"model": model, "input": input, "stream": true, "store": false});
    body[&can.token_limit] = can.limit(request.max_output_tokens).into();
    if !request.system.is_empty() {
        body["instructions"] = request.system.as_str().into();
    }
    if let Some(effort) = &can.reasoning_effort {
        body["reasoning"] = json!({"effort": effort});
    }
    if let Some(key) = request.cache_key.as_ref().filter(|_| can.cache_key) {
        body["prompt_cache_key"] = key.as_str().into();
    }
    if !request.tools.is_empty() {
        // Strict is the default here, and would make every optional argument required.
        body["tools"] = request
            .tools
            .iter()
            .map(|tool| {
                json!({
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                    "strict": false,
                })
            })
            .collect();
    }
    body
}

fn items(message: &ChatMessage) -> Vec<Value> {
    let said = |role: &str, kind: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]});
    match message {
        ChatMessage::User(text) => vec![said("user", "input_text", text)],
        ChatMessage::Assistant { text, calls } => {
            let text = (!text.is_empty()).then(|| said("assistant", "output_text", text));
            let calls = calls.iter().map(|call| {
                json!({
                    "type": "function_call",
                    "call_id": call.id,
                    "name": call.name,
                    "arguments": arguments_object(call).to_string(),
                })
            });
            text.into_iter().chain(calls).collect()
        }
        ChatMessage::ToolResult { call_id, content, .. } => {
            vec![json!({"type": "function_call_output", "call_id": call_id, "output": content})]
        }
    }
}

/// Reads the answer.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    called: bool,
    refused: bool,
}

impl wire::Decoder for Decoder {
    fn event(&mut self, data: &str) -> Result<Vec<ChatEvent>, ModelError> {
        // Sent by some who copy this format; the answer's end has been told by then.
        if data.trim() == "[DONE]" {
            return Ok(Vec::new());
        }
        let event = wire::object(data)?;
        match event["type"].as_str().unwrap_or_default() {
            "response.output_text.delta" => {
                let text = event["delta"].as_str().filter(|text| !text.is_empty());
                Ok(text.map(|text| ChatEvent::Text(text.to_owned())).into_iter().collect())
            }
            "response.refusal.delta" | "response.refusal.done" => {
                self.refused = true;
                Ok(Vec::new())
            }
            // The finished item holds the whole call: no need to join its parts.
            "response.output_item.done" if event["item"]["type"] == "function_call" => {
                Ok(self.call(&event["item"]).into_iter().collect())
            }
            "response.completed" | "response.incomplete" => Ok(vec![self.done(&event["response"])]),
            "response.failed" => Err(errors::in_stream(&event["response"])),
            "error" => Err(errors::in_stream(&event)),
            _ if !event["error"].is_null() => Err(errors::in_stream(&event)),
            _ => Ok(Vec::new()),
        }
    }
}

impl Decoder {
    fn call(&mut self, item: &Value) -> Option<ChatEvent> {
        let text = |field: &str| item[field].as_str().map(str::to_owned);
        let id = text("call_id").or_else(|| text("id")).unwrap_or_default();
        let name = text("name").unwrap_or_default();
        let call = whole_call(id, name, fragment(&item["arguments"]));
        if item["status"] == "incomplete" && !is_whole(&call) {
            return None;
        }
        self.called = true;
        Some(ChatEvent::ToolCall(call))
    }

    fn done(&self, response: &Value) -> ChatEvent {
        let reason = match response["incomplete_details"]["reason"].as_str() {
            Some("content_filter") => StopReason::Declined,
            Some(_) => StopReason::Length,
            None if self.refused => StopReason::Declined,
            None if self.called => StopReason::ToolCalls,
            None => StopReason::Finished,
        };
        ChatEvent::Done { reason, usage: usage(&response["usage"]) }
    }
}

fn usage(usage: &Value) -> Option<TokenUsage> {
    usage.is_object().then(|| TokenUsage {
        input: tokens(&usage["input_tokens"]),
        cached: tokens(&usage["input_tokens_details"]["cached_tokens"]),
        cache_write: tokens(&usage["input_tokens_details"]["cache_write_tokens"]),
        output: tokens(&usage["output_tokens"]),
        estimated: false,
    })
}

#[cfg(test)]
#[path = "responses_tests.rs"]
mod tests;
