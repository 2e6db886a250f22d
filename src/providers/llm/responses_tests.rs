use proptest::prelude::*;

use super::*;
use crate::{
    domain::Outcome,
    providers::llm::{
        table::Table,
        testing::{call, conversation, done, text},
        wire::Decoder as _,
    },
};

fn decode(events: &[&str]) -> Result<Vec<ChatEvent>, ModelError> {
    let mut decoder = Decoder::default();
    let mut all = Vec::new();
    for event in events {
        all.extend(decoder.event(event)?);
    }
    Ok(all)
}

#[test]
fn the_request_holds_what_the_model_accepts() {
    let can = &Table::get().unwrap().row("gpt-6-astra").unwrap().capabilities;
    let said = |role: &str, kind: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": kind, "text": text}]});
    assert_eq!(
        body(can, "gpt-6-astra", &conversation()),
        json!({
            "model": "gpt-6-astra",
            "stream": true,
            "store": false,
            "instructions": "Be kind.",
            "max_output_tokens": 2400,
            "reasoning": {"effort": "low"},
            "prompt_cache_key": "le-gourmet",
            "input": [
                said("assistant", "output_text", "Bonjour !"),
                said("user", "input_text", "Une table"),
                {"type": "function_call", "call_id": "call:1", "name": "book",
                 "arguments": "{\"size\":2}"},
                {"type": "function_call", "call_id": "call:2", "name": "now", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call:1", "output": "full"},
                {"type": "function_call_output", "call_id": "call:2", "output": "noon"},
                said("user", "input_text", "Alors ?"),
            ],
            "tools": [
                {"type": "function", "name": "book", "description": "Books.",
                 "parameters": {"type": "object"}, "strict": false},
                {"type": "function", "name": "now", "description": "Tells.",
                 "parameters": {"type": "object"}, "strict": false},
            ],
        })
    );
}

#[test]
fn text_is_read_past_reasoning_and_news() {
    let usage = TokenUsage { input: 50, cached: 40, cache_write: 0, output: 9, estimated: false };
    assert_eq!(
        decode(&[
            r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","error":null}}"#,
            r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}"#,
            r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[]}}"#,
            r#"{"type":"response.something.new","sequence_number":4,"delta":"?"}"#,
            // Not everybody numbers the events.
            r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"Bon"}"#,
            r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"jour","obfuscation":"ab"}"#,
            r#"{"type":"response.output_text.done","text":"Bonjour"}"#,
            r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Bonjour"}]}}"#,
            r#"{"type":"response.completed","response":{"status":"completed","error":null,"incomplete_details":null,"usage":{"input_tokens":50,"input_tokens_details":{"cached_tokens":40},"output_tokens":9,"total_tokens":59}}}"#,
        ]),
        Ok(vec![text("Bon"), text("jour"), done(StopReason::Finished, Some(usage))])
    );
}

#[test]
fn calls_are_answered_by_call_id() {
    assert_eq!(
        decode(&[
            r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"book","arguments":""}}"#,
            r#"{"type":"response.function_call_arguments.delta","item_id":"fc_1","output_index":0,"delta":"{\"size\":2}"}"#,
            r#"{"type":"response.function_call_arguments.done","arguments":"{\"size\":2}","name":"book"}"#,
            r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"fc_1","call_id":"call_1","name":"book","arguments":"{\"size\":2}","status":"completed"}}"#,
            r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"fc_2","call_id":"call_2","name":"now","arguments":""}}"#,
            r#"{"type":"response.completed","response":{}}"#,
        ]),
        Ok(vec![
            ChatEvent::ToolCall(call("call_1", "book", r#"{"size":2}"#)),
            ChatEvent::ToolCall(call("call_2", "now", "{}")),
            done(StopReason::ToolCalls, None),
        ])
    );
}

#[test]
fn an_incomplete_answer_says_why() {
    let end = |reason: &str| {
        decode(&[&format!(
            r#"{{"type":"response.incomplete","response":{{"incomplete_details":{{"reason":"{reason}"}}}}}}"#
        )])
    };
    assert_eq!(end("max_output_tokens"), Ok(vec![done(StopReason::Length, None)]));
    assert_eq!(end("content_filter"), Ok(vec![done(StopReason::Declined, None)]));
    assert_eq!(
        decode(&[
            r#"{"type":"response.output_item.done","item":{"type":"function_call","call_id":"c","name":"book","arguments":"{\"si","status":"incomplete"}}"#,
            r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}"#,
        ]),
        Ok(vec![done(StopReason::Length, None)])
    );
}

#[test]
fn a_refusal_declines() {
    assert_eq!(
        decode(&[
            r#"{"type":"response.refusal.delta","delta":"I cannot."}"#,
            r#"{"type":"response.completed","response":{"incomplete_details":null}}"#,
        ]),
        Ok(vec![done(StopReason::Declined, None)])
    );
}

#[test]
fn errors_and_garbage_end_the_answer() {
    let outcome = |event: &str| decode(&[event]).unwrap_err().outcome;
    assert_eq!(
        outcome(
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"m"}}}"#
        ),
        Outcome::BrokenStream
    );
    assert_eq!(
        outcome(r#"{"type":"error","code":"server_is_overloaded","message":"m","param":null}"#),
        Outcome::ServerError
    );
    assert_eq!(outcome(r#"{"error":{"message":"m","code":500}}"#), Outcome::BrokenStream);
    assert_eq!(outcome("<html>"), Outcome::Unusable);
    assert_eq!(Decoder::default().finish().unwrap_err().outcome, Outcome::BrokenStream);
}

proptest! {
    #[test]
    fn nothing_that_arrives_panics(events in crate::providers::llm::testing::any_events(&[
        r#"{"type":"response.output_item.done","item":{"type":"function_call","arguments":7}}"#,
        r#"{"type":"response.completed","response":[]}"#,
        r#"{"type":"response.failed"}"#,
        r#"{"type":7,"error":7}"#,
    ])) {
        let mut decoder = Decoder::default();
        for event in &events {
            let _ = decoder.event(event);
        }
        let _ = decoder.finish();
    }
}
