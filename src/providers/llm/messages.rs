//! Anthropic's messages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    ChatEvent, ChatMessage, ChatRequest, ModelError, StopReason, errors,
    table::Capabilities,
    wire::{self, arguments_object, is_whole, tokens, whole_call},
};
use crate::domain::TokenUsage;

/// The request. Tools, instructions and the conversation so far are marked for the cache: each
/// turn repeats them.
pub(super) fn body(can: &Capabilities, model: &str, request: &ChatRequest) -> Value {
    let mut messages = turns(&request.messages);
    let last = messages.last_mut().and_then(|turn| turn["content"].as_array_mut()?.last_mut());
    mark(can, last);
    let mut body = json!({"model": model, "messages": messages, "stream": true});
    body[&can.token_limit] = can.limit(request.max_output_tokens).into();
    if !request.system.is_empty() {
        let mut system = json!({"type": "text", "text": request.system});
        mark(can, Some(&mut system));
        body["system"] = json!([system]);
    }
    if let Some(thinking) = &can.thinking {
        body["thinking"] = json!({"type": thinking});
    }
    let mut tools: Vec<Value> = request
        .tools
        .iter()
        .map(|tool| {
            json!({
                "name": tool.name,
                "description": tool.description,
                "input_schema": tool.parameters,
            })
        })
        .collect();
    mark(can, tools.last_mut());
    if !tools.is_empty() {
        body["tools"] = tools.into();
    }
    body
}

/// Marks the end of what is to be cached.
fn mark(can: &Capabilities, block: Option<&mut Value>) {
    if let Some(block) = block.filter(|_| can.cache_control) {
        block["cache_control"] = json!({"type": "ephemeral"});
    }
}

/// Turns alternate, begin with the user's, and hold the results of tools before anything said.
fn turns(messages: &[ChatMessage]) -> Vec<Value> {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in messages {
        let (role, blocks) = blocks(message);
        match turns.last_mut() {
            _ if blocks.is_empty() => {}
            Some((last, content)) if *last == role => content.extend(blocks),
            _ => turns.push((role, blocks)),
        }
    }
    if turns.first().is_some_and(|(role, _)| *role == "assistant") {
        // The assistant greeted first.
        turns.insert(0, ("user", vec![json!({"type": "text", "text": "[the call begins]"})]));
    }
    turns
        .into_iter()
        .map(|(role, mut content)| {
            content.sort_by_key(|block| block["type"] != "tool_result");
            json!({"role": role, "content": content})
        })
        .collect()
}

fn blocks(message: &ChatMessage) -> (&'static str, Vec<Value>) {
    // Empty text is refused.
    let said = |text: &str| {
        (!text.trim().is_empty()).then(|| json!({"type": "text", "text": text})).into_iter()
    };
    match message {
        ChatMessage::User(text) => ("user", said(text).collect()),
        ChatMessage::Assistant { text, calls } => {
            let calls = calls.iter().map(|call| {
                json!({
                    "type": "tool_use",
                    "id": id(&call.id),
                    "name": call.name,
                    "input": arguments_object(call),
                })
            });
            ("assistant", said(text).chain(calls).collect())
        }
        ChatMessage::ToolResult { call_id, content, is_error } => {
            let mut result =
                json!({"type": "tool_result", "tool_use_id": id(call_id), "content": content});
            if *is_error {
                result["is_error"] = true.into();
            }
            ("user", vec![result])
        }
    }
}

/// An id as accepted here: a call may have been made by another provider's model, before it failed.
fn id(id: &str) -> String {
    let accepted = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    id.chars().map(accepted).collect()
}

/// A call whose arguments are arriving.
#[derive(Debug, Default)]
struct Slot {
    id: String,
    name: String,
    /// Given at the start by servers that do not send it in parts.
    input: Value,
    json: String,
}

/// Reads the answer.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    slots: BTreeMap<u64, Slot>,
    called: bool,
    stop: Option<String>,
    usage: Option<Usage>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Usage {
    fresh: u32,
    cached: u32,
    written: u32,
    output: u32,
}

impl wire::Decoder for Decoder {
    fn event(&mut self, data: &str) -> Result<Vec<ChatEvent>, ModelError> {
        let event = wire::object(data)?;
        let index = event["index"].as_u64().unwrap_or_default();
        match event["type"].as_str().unwrap_or_default() {
            "message_start" => self.count(&event["message"]["usage"]),
            "content_block_start" => return Ok(self.start(index, &event["content_block"])),
            "content_block_delta" => return Ok(self.delta(index, &event["delta"])),
            "content_block_stop" => return Ok(self.call(index).into_iter().collect()),
            "message_delta" => {
                self.count(&event["usage"]);
                if let Some(stop) = event["delta"]["stop_reason"].as_str() {
                    self.stop = Some(stop.to_owned());
                }
            }
            "message_stop" => return Ok(vec![self.done()]),
            "error" => return Err(errors::in_stream(&event)),
            // A ping, or something newer than this program.
            _ if !event["error"].is_null() => return Err(errors::in_stream(&event)),
            _ => {}
        }
        Ok(Vec::new())
    }
}

impl Decoder {
    fn start(&mut self, index: u64, block: &Value) -> Vec<ChatEvent> {
        let text = |field: &str| block[field].as_str().unwrap_or_default().to_owned();
        match block["type"].as_str() {
            Some("tool_use") => {
                let slot = Slot {
                    id: text("id"),
                    name: text("name"),
                    input: block["input"].clone(),
                    json: String::new(),
                };
                self.slots.insert(index, slot);
                Vec::new()
            }
            Some("text") => said(text("text")),
            // Thinking is not said.
            _ => Vec::new(),
        }
    }

    fn delta(&mut self, index: u64, delta: &Value) -> Vec<ChatEvent> {
        match delta["type"].as_str() {
            Some("text_delta") => said(delta["text"].as_str().unwrap_or_default().to_owned()),
            Some("input_json_delta") => {
                if let Some(slot) = self.slots.get_mut(&index) {
                    slot.json.push_str(delta["partial_json"].as_str().unwrap_or_default());
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    /// The call of a block that ended.
    fn call(&mut self, index: u64) -> Option<ChatEvent> {
        let slot = self.slots.remove(&index)?;
        let arguments = match &slot.input {
            Value::Object(_) if slot.json.trim().is_empty() => slot.input.to_string(),
            _ => slot.json,
        };
        let call = whole_call(slot.id, slot.name, arguments);
        // Only the bound cuts a call off: the answer will say so at its end.
        if !is_whole(&call) {
            return None;
        }
        self.called = true;
        Some(ChatEvent::ToolCall(call))
    }

    /// Counts are cumulative, and the last event need not repeat them all.
    fn count(&mut self, usage: &Value) {
        if !usage.is_object() {
            return;
        }
        let counted = self.usage.get_or_insert_default();
        for (count, field) in [
            (&mut counted.fresh, "input_tokens"),
            (&mut counted.cached, "cache_read_input_tokens"),
            (&mut counted.written, "cache_creation_input_tokens"),
            (&mut counted.output, "output_tokens"),
        ] {
            if usage[field].is_u64() {
                *count = tokens(&usage[field]);
            }
        }
    }

    fn done(&self) -> ChatEvent {
        let reason = match self.stop.as_deref() {
            Some("refusal") => StopReason::Declined,
            Some("max_tokens" | "model_context_window_exceeded") => StopReason::Length,
            _ if self.called => StopReason::ToolCalls,
            _ => StopReason::Finished,
        };
        // Input is told without what the cache took part in; ours includes it.
        let usage = self.usage.map(|usage| TokenUsage {
            input: usage.fresh.saturating_add(usage.cached).saturating_add(usage.written),
            cached: usage.cached,
            cache_write: usage.written,
            output: usage.output,
            estimated: false,
        });
        ChatEvent::Done { reason, usage }
    }
}

fn said(text: String) -> Vec<ChatEvent> {
    if text.is_empty() { Vec::new() } else { vec![ChatEvent::Text(text)] }
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
