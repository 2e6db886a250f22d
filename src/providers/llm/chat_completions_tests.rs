use proptest::prelude::*;

use super::*;
use crate::{
    domain::Outcome,
    providers::llm::{
        ToolCall,
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

fn tool_calls(events: &[&str]) -> Vec<ToolCall> {
    decode(events)
        .unwrap()
        .into_iter()
        .filter_map(|event| match event {
            ChatEvent::ToolCall(call) => Some(call),
            _ => None,
        })
        .collect()
}

fn capabilities(model: &str) -> &'static Capabilities {
    &Table::get().unwrap().row(model).unwrap().capabilities
}

#[test]
fn the_request_holds_what_the_model_accepts() {
    assert_eq!(
        body(capabilities("gpt-6-luna"), "gpt-6-luna", &conversation()),
        json!({
            "model": "gpt-6-luna",
            "stream": true,
            "stream_options": {"include_usage": true},
            "max_completion_tokens": 400,
            "reasoning_effort": "none",
            "prompt_cache_key": "le-gourmet",
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "assistant", "content": "Bonjour !"},
                {"role": "user", "content": "Une table"},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "call:1", "type": "function",
                     "function": {"name": "book", "arguments": "{\"size\":2}"}},
                    {"id": "call:2", "type": "function",
                     "function": {"name": "now", "arguments": "{}"}},
                ]},
                {"role": "tool", "tool_call_id": "call:1", "content": "full"},
                {"role": "tool", "tool_call_id": "call:2", "content": "noon"},
                {"role": "user", "content": "Alors ?"},
            ],
            "tools": [
                {"type": "function", "function": {"name": "book", "description": "Books.",
                    "parameters": {"type": "object"}}},
                {"type": "function", "function": {"name": "now", "description": "Tells.",
                    "parameters": {"type": "object"}}},
            ],
        })
    );
}

#[test]
fn a_server_of_ones_own_gets_the_common_fields() {
    let least = &Table::get().unwrap().fallback.compatible;
    let body = body(least, "mistral", &ChatRequest { tools: Vec::new(), ..conversation() });
    let mut fields: Vec<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["max_tokens", "messages", "model", "stream", "stream_options"]);
}

#[test]
fn models_that_reason_get_room_for_it() {
    let body = body(capabilities("o3"), "o3", &conversation());
    assert_eq!(body["max_completion_tokens"], 2400);
    assert_eq!(body["reasoning_effort"], "low");
}

#[test]
fn text_usage_and_end_are_read() {
    let usage = TokenUsage { input: 100, cached: 80, cache_write: 5, output: 7, estimated: false };
    assert_eq!(
        decode(&[
            // Azure's verdict on the prompt, then the first delta, padded.
            r#"{"id":"","choices":[],"prompt_filter_results":[{"prompt_index":0}]}"#,
            r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null,"obfuscation":"x1"}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"Bon"},"finish_reason":null}],"usage":null,"obfuscation":"Zq"}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"jour"},"finish_reason":null}],"usage":null}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null,"timings":{"predicted_n":2}}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"prompt_tokens_details":{"cached_tokens":80,"cache_write_tokens":5}}}"#,
            "[DONE]",
        ]),
        Ok(vec![text("Bon"), text("jour"), done(StopReason::Finished, Some(usage))])
    );
}

#[test]
fn calls_are_joined_by_index() {
    assert_eq!(
        tool_calls(&[
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"book","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"size\""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"now","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":2}"}}]}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
            "[DONE]",
        ]),
        [call("a", "book", r#"{"size":2}"#), call("b", "now", "{}")]
    );
}

#[test]
fn servers_that_number_calls_badly_are_understood() {
    let whole = r#"{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"book","arguments":"{\"size\":2}"}},{"id":"b","function":{"name":"book","arguments":{"size":3}}}]},"finish_reason":"stop"}]}"#;
    let two = [call("a", "book", r#"{"size":2}"#), call("b", "book", r#"{"size":3}"#)];
    assert_eq!(tool_calls(&[whole, "[DONE]"]), two, "whole calls, no index, an object");

    let same_index = [
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"book","arguments":"{\"size\":2}"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"book","arguments":"{\"size\":3}"}}]}}]}"#,
        "[DONE]",
    ];
    assert_eq!(tool_calls(&same_index), two, "two calls with one index");

    let repeated = [
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"book","arguments":"{\"si"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"book","arguments":"ze\":2}"}}]}}]}"#,
        "[DONE]",
    ];
    assert_eq!(tool_calls(&repeated), two[..1], "id and name with every part");

    let unnumbered = [
        r#"{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"book","arguments":"{\"si"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"ze\":2}"}}]}}]}"#,
        "[DONE]",
    ];
    assert_eq!(tool_calls(&unnumbered), two[..1], "parts without index or id");

    let anonymous = r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"now"}},{"function":{"name":"now"}}]}}]}"#;
    assert_eq!(
        tool_calls(&[anonymous, "[DONE]"]),
        [call("call_0", "now", "{}"), call("call_1", "now", "{}")],
        "no ids at all"
    );
}

#[test]
fn an_answer_with_calls_waits_for_tools_whatever_it_says() {
    let events = decode(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"now","arguments":""}}]},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    assert_eq!(events.unwrap().last(), Some(&done(StopReason::ToolCalls, None)));
}

#[test]
fn a_call_cut_off_by_the_bound_is_dropped() {
    assert_eq!(
        decode(&[
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"book","arguments":"{\"si"}}]}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#,
            "[DONE]",
        ]),
        Ok(vec![done(StopReason::Length, None)])
    );
}

#[test]
fn filters_and_refusals_decline() {
    for event in [
        r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#,
        r#"{"choices":[{"delta":{"refusal":"I cannot."},"finish_reason":"stop"}]}"#,
    ] {
        assert_eq!(
            decode(&[event, "[DONE]"]),
            Ok(vec![done(StopReason::Declined, None)]),
            "{event}"
        );
    }
}

#[test]
fn errors_and_garbage_end_the_answer() {
    let outcome = |event: &str| decode(&[event]).unwrap_err().outcome;
    assert_eq!(outcome(r#"{"error":{"message":"slot lost","code":500}}"#), Outcome::BrokenStream);
    assert_eq!(
        outcome(r#"{"error":{"message":"busy","code":"server_is_overloaded"}}"#),
        Outcome::ServerError
    );
    for garbage in ["<html>", "[]", "42", "", "{\"choices\":"] {
        assert_eq!(outcome(garbage), Outcome::Unusable, "{garbage}");
    }
}

#[test]
fn the_end_of_the_stream_is_the_end_only_after_a_reason() {
    let mut decoder = Decoder::default();
    decoder.event(r#"{"choices":[{"delta":{"content":"Bon"}}]}"#).unwrap();
    assert_eq!(decoder.finish().unwrap_err().outcome, Outcome::BrokenStream);
    decoder.event(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#).unwrap();
    assert_eq!(decoder.finish(), Ok(vec![done(StopReason::Finished, None)]));
}

proptest! {
    #[test]
    fn nothing_that_arrives_panics(events in crate::providers::llm::testing::any_events(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"book","arguments":"{"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":7}]},"finish_reason":"length"}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":-1,"completion_tokens":99999999999}}"#,
        "[DONE]",
    ])) {
        let mut decoder = Decoder::default();
        for event in &events {
            let _ = decoder.event(event);
        }
        let _ = decoder.finish();
    }
}
