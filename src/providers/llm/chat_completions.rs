//! OpenAI's chat completions, as OpenAI and all who copy it speak them.

use serde_json::{Value, json};

use super::{
    ChatEvent, ChatMessage, ChatRequest, ModelError, StopReason, errors,
    table::Capabilities,
    wire::{self, arguments_object, fragment, is_whole, tokens, whole_call},
};
use crate::domain::TokenUsage;

/// The request.
pub(super) fn body(can: &Capabilities, model: &str, request: &ChatRequest) -> Value {
    let mut messages = Vec::with_capacity(request.messages.len() + 1);
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": request.system}));
    }
    messages.extend(request.messages.iter().filter_map(message));
    let mut body = json!({"model": model, "messages": messages, "stream": true});
    body[&can.token_limit] = can.limit(request.max_output_tokens).into();
    if can.stream_usage {
        body["stream_options"] = json!({"include_usage": true});
    }
    if let Some(effort) = &can.reasoning_effort {
        body["reasoning_effort"] = effort.as_str().into();
    }
    if let Some(key) = request.cache_key.as_ref().filter(|_| can.cache_key) {
        body["prompt_cache_key"] = key.as_str().into();
    }
    if !request.tools.is_empty() {
        body["tools"] = request
            .tools
            .iter()
            .map(|tool| {
                json!({"type": "function", "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                }})
            })
            .collect();
    }
    body
}

fn message(message: &ChatMessage) -> Option<Value> {
    Some(match message {
        ChatMessage::User(text) => json!({"role": "user", "content": text}),
        ChatMessage::Assistant { text, calls } if calls.is_empty() => {
            if text.is_empty() {
                return None;
            }
            json!({"role": "assistant", "content": text})
        }
        ChatMessage::Assistant { text, calls } => {
            let calls: Vec<Value> = calls
                .iter()
                .map(|call| {
                    let arguments = arguments_object(call).to_string();
                    json!({"id": call.id, "type": "function", "function": {
                        "name": call.name, "arguments": arguments,
                    }})
                })
                .collect();
            let content = if text.is_empty() { Value::Null } else { text.as_str().into() };
            json!({"role": "assistant", "content": content, "tool_calls": calls})
        }
        ChatMessage::ToolResult { call_id, content, .. } => {
            json!({"role": "tool", "tool_call_id": call_id, "content": content})
        }
    })
}

/// A call whose parts are arriving.
#[derive(Debug, Default)]
struct Slot {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

/// Reads the answer.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    slots: Vec<Slot>,
    reason: Option<StopReason>,
    refused: bool,
    usage: Option<TokenUsage>,
}

impl wire::Decoder for Decoder {
    fn event(&mut self, data: &str) -> Result<Vec<ChatEvent>, ModelError> {
        if data.trim() == "[DONE]" {
            return Ok(self.done());
        }
        let chunk = wire::object(data)?;
        if !chunk["error"].is_null() {
            return Err(errors::in_stream(&chunk));
        }
        if let Some(usage) = usage(&chunk["usage"]).or_else(|| usage(&chunk["x_groq"]["usage"])) {
            self.usage = Some(usage);
        }
        // Without choices it is the usage, or Azure's verdict on the prompt.
        let choice = &chunk["choices"][0];
        let delta = &choice["delta"];
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            self.tool_delta(call);
        }
        self.refused |= delta["refusal"].as_str().is_some_and(|text| !text.is_empty());
        if let Some(reason) = choice["finish_reason"].as_str() {
            self.reason = Some(match reason {
                "length" => StopReason::Length,
                "content_filter" => StopReason::Declined,
                "tool_calls" | "function_call" => StopReason::ToolCalls,
                _ => StopReason::Finished,
            });
        }
        let text = delta["content"].as_str().filter(|text| !text.is_empty());
        Ok(text.map(|text| ChatEvent::Text(text.to_owned())).into_iter().collect())
    }

    /// Some servers leave out `[DONE]`; an answer that gave its reason to stop is whole.
    fn finish(&mut self) -> Result<Vec<ChatEvent>, ModelError> {
        match self.reason {
            Some(_) => Ok(self.done()),
            None => Err(errors::broken("the answer ended early")),
        }
    }
}

impl Decoder {
    /// Joins a part to its call. The index tells which one, but there are servers that leave it
    /// out, that give every call the same one, and that repeat the id with every part.
    fn tool_delta(&mut self, delta: &Value) {
        let index = delta["index"].as_u64();
        let id = delta["id"].as_str().unwrap_or_default();
        let name = delta["function"]["name"].as_str().unwrap_or_default();
        let known = match index {
            Some(_) => self.slots.iter().rposition(|slot| {
                slot.index == index && (id.is_empty() || slot.id.is_empty() || slot.id == id)
            }),
            None if !id.is_empty() => self.slots.iter().rposition(|slot| slot.id == id),
            None if name.is_empty() => self.slots.len().checked_sub(1),
            None => None,
        };
        let at = known.unwrap_or_else(|| {
            self.slots.push(Slot { index, ..Slot::default() });
            self.slots.len() - 1
        });
        let slot = &mut self.slots[at];
        if slot.id.is_empty() {
            id.clone_into(&mut slot.id);
        }
        if slot.name.is_empty() {
            name.clone_into(&mut slot.name);
        }
        slot.arguments.push_str(&fragment(&delta["function"]["arguments"]));
    }

    fn done(&mut self) -> Vec<ChatEvent> {
        let mut events = Vec::new();
        let mut reason = self.reason.unwrap_or(StopReason::Finished);
        if self.refused {
            reason = StopReason::Declined;
        }
        for (number, slot) in self.slots.drain(..).enumerate() {
            let id = if slot.id.is_empty() { format!("call_{number}") } else { slot.id };
            let call = whole_call(id, slot.name, slot.arguments);
            let cut_off = reason == StopReason::Length && !is_whole(&call);
            if reason != StopReason::Declined && !cut_off {
                events.push(ChatEvent::ToolCall(call));
            }
        }
        // Some servers say `stop` when they wait for tools.
        if reason == StopReason::Finished && !events.is_empty() {
            reason = StopReason::ToolCalls;
        }
        events.push(ChatEvent::Done { reason, usage: self.usage });
        events
    }
}

fn usage(usage: &Value) -> Option<TokenUsage> {
    usage.is_object().then(|| TokenUsage {
        input: tokens(&usage["prompt_tokens"]),
        cached: tokens(&usage["prompt_tokens_details"]["cached_tokens"]),
        cache_write: tokens(&usage["prompt_tokens_details"]["cache_write_tokens"]),
        output: tokens(&usage["completion_tokens"]),
        estimated: false,
    })
}

#[cfg(test)]
#[path = "chat_completions_tests.rs"]
mod tests;
