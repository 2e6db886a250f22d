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

fn capabilities(model: &str) -> &'static Capabilities {
    &Table::get().unwrap().row(model).unwrap().capabilities
}

#[test]
fn the_request_marks_what_is_to_be_cached() {
    let cached = json!({"type": "ephemeral"});
    assert_eq!(
        body(capabilities("claude-haiku-5-5"), "claude-haiku-5-5", &conversation()),
        json!({
            "model": "claude-haiku-5-5",
            "stream": true,
            "max_tokens": 400,
            "thinking": {"type": "disabled"},
            "system": [{"type": "text", "text": "Be kind.", "cache_control": cached}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "[the call begins]"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "Bonjour !"}]},
                {"role": "user", "content": [{"type": "text", "text": "Une table"}]},
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "call_1", "name": "book", "input": {"size": 2}},
                    {"type": "tool_use", "id": "call_2", "name": "now", "input": {}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "full",
                     "is_error": true},
                    {"type": "tool_result", "tool_use_id": "call_2", "content": "noon"},
                    {"type": "text", "text": "Alors ?", "cache_control": cached},
                ]},
            ],
            "tools": [
                {"name": "book", "description": "Books.", "input_schema": {"type": "object"}},
                {"name": "now", "description": "Tells.", "input_schema": {"type": "object"},
                 "cache_control": cached},
            ],
        })
    );
}

#[test]
fn results_come_first_and_roles_alternate() {
    let result = |id: &str| ChatMessage::ToolResult {
        call_id: id.into(),
        content: "ok".into(),
        is_error: false,
    };
    let turns = turns(&[
        ChatMessage::User("a".into()),
        ChatMessage::User("  ".into()),
        ChatMessage::Assistant { text: String::new(), calls: Vec::new() },
        ChatMessage::User("b".into()),
        ChatMessage::Assistant { text: "c".into(), calls: vec![call("1", "now", "{}")] },
        ChatMessage::User("d".into()),
        result("1"),
    ]);
    let kinds: Vec<Vec<&str>> = turns
        .iter()
        .map(|turn| {
            turn["content"].as_array().unwrap().iter().filter_map(|b| b["type"].as_str()).collect()
        })
        .collect();
    assert_eq!(
        kinds,
        [vec!["text", "text"], vec!["text", "tool_use"], vec!["tool_result", "text"]]
    );
}

#[test]
fn thinking_is_sent_as_the_model_takes_it() {
    let thinking =
        |model: &str| body(capabilities(model), model, &conversation())["thinking"].clone();
    assert_eq!(thinking("claude-sonnet-5-5"), json!({"type": "between_tools"}));
    assert_eq!(thinking("claude-opus-5-5"), Value::Null);
    let body = body(capabilities("claude-opus-5-5"), "claude-opus-5-5", &conversation());
    assert_eq!(body["max_tokens"], 2400);
}

#[test]
fn text_is_read_past_thinking_and_pings() {
    let usage =
        TokenUsage { input: 1120, cached: 1000, cache_write: 100, output: 12, estimated: false };
    assert_eq!(
        decode(&[
            r#"{"type":"message_start","message":{"id":"msg_1","content":[],"usage":{"input_tokens":20,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm."}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Bon"}}"#,
            r#"{"type":"something_new","index":1}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"jour"}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":12}}"#,
            r#"{"type":"message_stop"}"#,
        ]),
        Ok(vec![text("Bon"), text("jour"), done(StopReason::Finished, Some(usage))])
    );
}

#[test]
fn calls_are_joined_and_may_be_empty() {
    assert_eq!(
        decode(&[
            // Not everybody sends an `input` to begin with.
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"book"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"size\":"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"2}"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"toolu_2","name":"now","input":{}}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":3}}"#,
            r#"{"type":"message_stop"}"#,
        ]),
        Ok(vec![
            ChatEvent::ToolCall(call("toolu_1", "book", r#"{"size":2}"#)),
            ChatEvent::ToolCall(call("toolu_2", "now", "{}")),
            done(StopReason::ToolCalls, Some(TokenUsage { output: 3, ..TokenUsage::default() })),
        ])
    );
}

#[test]
fn the_reason_to_stop_is_told() {
    let end = |reason: &str| {
        let delta = format!(r#"{{"type":"message_delta","delta":{{"stop_reason":"{reason}"}}}}"#);
        decode(&[&delta, r#"{"type":"message_stop"}"#])
    };
    assert_eq!(end("refusal"), Ok(vec![done(StopReason::Declined, None)]));
    assert_eq!(end("max_tokens"), Ok(vec![done(StopReason::Length, None)]));
    assert_eq!(end("end_turn"), Ok(vec![done(StopReason::Finished, None)]));
}

#[test]
fn a_call_cut_off_by_the_bound_is_dropped() {
    assert_eq!(
        decode(&[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"book","input":{}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"si"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"}}"#,
            r#"{"type":"message_stop"}"#,
        ]),
        Ok(vec![done(StopReason::Length, None)])
    );
}

#[test]
fn errors_and_garbage_end_the_answer() {
    let outcome = |event: &str| decode(&[event]).unwrap_err().outcome;
    let error =
        |kind: &str| format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"m"}}}}"#);
    assert_eq!(outcome(&error("overloaded_error")), Outcome::ServerError);
    assert_eq!(outcome(&error("api_error")), Outcome::BrokenStream);
    assert_eq!(outcome("<html>"), Outcome::Unusable);
    assert_eq!(Decoder::default().finish().unwrap_err().outcome, Outcome::BrokenStream);
}

proptest! {
    #[test]
    fn nothing_that_arrives_panics(events in crate::providers::llm::testing::any_events(&[
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","input":7}}"#,
        r#"{"type":"content_block_stop","index":3}"#,
        r#"{"type":"message_delta","usage":{"input_tokens":4294967295,"cache_read_input_tokens":4294967295}}"#,
        r#"{"type":"message_stop"}"#,
    ])) {
        let mut decoder = Decoder::default();
        for event in &events {
            let _ = decoder.event(event);
        }
        let _ = decoder.finish();
    }
}
