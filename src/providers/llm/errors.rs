//! What a provider's refusal means, in the words of the transcript.
//!
//! Decided by status and by codes, never by prose. What ends up in `detail` is short and holds no key.

use std::time::Duration;

use serde_json::Value;

use super::{ModelError, wire::Wire};
use crate::{
    domain::{Outcome, Secret},
    providers::refusal,
};

/// Refusals that mean money, and that no waiting mends.
const MONEY: [&str; 3] = ["insufficient_quota", "credit_balance_exhausted", "billing_error"];

pub(super) fn error(outcome: Outcome, detail: impl Into<String>) -> ModelError {
    ModelError { outcome, detail: detail.into(), retry_after: None }
}

pub(super) fn broken(detail: impl Into<String>) -> ModelError {
    error(Outcome::BrokenStream, detail)
}

/// An answer with a status other than 200.
pub(super) fn refused(
    wire: Wire,
    status: u16,
    retry_after: Option<Duration>,
    body: &str,
) -> ModelError {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let names = names(&parsed);
    let says = |word: &str| names.iter().any(|name| name == word);
    let outcome = match status {
        400 if says("content_filter") => Outcome::Declined,
        429 if MONEY.iter().any(|word| says(word)) => Outcome::Denied,
        // Anthropic says when to come back, unless a spending limit was reached.
        429 if wire == Wire::Messages && retry_after.is_none() => Outcome::Denied,
        _ => refusal::by_status(status),
    };
    let detail = match (names.join(" "), message(&parsed)) {
        (_, None) => format!("{status}: {body}"),
        (names, Some(message)) if names.is_empty() => format!("{status}: {message}"),
        (names, Some(message)) => format!("{status} {names}: {message}"),
    };
    ModelError { outcome, detail, retry_after }
}

/// An error that came as an event of the stream, after status 200.
pub(super) fn in_stream(event: &Value) -> ModelError {
    let names = names(event);
    let says = |word: &str| names.iter().any(|name| name.contains(word));
    let outcome = if MONEY.iter().any(|word| says(word)) {
        Outcome::Denied
    } else if says("overloaded") {
        Outcome::ServerError
    } else if says("rate_limit") {
        Outcome::RateLimited
    } else {
        Outcome::BrokenStream
    };
    let message = message(event).unwrap_or_else(|| "the answer broke off with an error".to_owned());
    error(outcome, format!("{}: {message}", names.join(" ")))
}

/// The field that a provider refused as unknown or unsupported, by its top-level name.
pub(super) fn refused_field(status: u16, body: &str) -> Option<String> {
    if status != 400 && status != 422 {
        return None;
    }
    let parsed: Value = serde_json::from_str(body).ok()?;
    let top = |path: &str| path.split(['.', '[']).next().map(str::to_owned);
    let error = &parsed["error"];
    if let Some(field) = error["param"].as_str() {
        let code = error["code"].as_str().unwrap_or("unsupported");
        return if code.starts_with("unsupported") || code.starts_with("unknown") {
            top(field)
        } else {
            None
        };
    }
    // Servers in Python: {"detail":[{"type":"extra_forbidden","loc":["body","field"]}]}.
    let first = &parsed["detail"][0];
    (first["type"] == "extra_forbidden").then(|| first["loc"][1].as_str().and_then(top)).flatten()
}

/// Type and code of an error; some servers send numbers, which say nothing.
fn names(body: &Value) -> Vec<String> {
    let error = inner(body);
    let mut names = Vec::new();
    for name in [&error["type"], &error["code"], &error["details"]["error_code"]] {
        if let Some(name) = name.as_str().filter(|name| !names.iter().any(|known| known == name)) {
            names.push(name.to_owned());
        }
    }
    names
}

fn message(body: &Value) -> Option<String> {
    let error = inner(body);
    let text = error.as_str().or_else(|| error["message"].as_str());
    text.or_else(|| body["detail"].as_str()).map(str::to_owned)
}

fn inner(body: &Value) -> &Value {
    match &body["error"] {
        Value::Null => body,
        error => error,
    }
}

/// Makes an error fit to be stored: one short line without keys.
pub(super) fn presentable(mut error: ModelError, key: Option<&Secret>) -> ModelError {
    error.detail = refusal::presentable(&error.detail, key);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::refusal::LONGEST;

    fn outcome(wire: Wire, status: u16, code: &str) -> Outcome {
        let body = format!(r#"{{"error":{{"message":"m","type":"t","code":"{code}"}}}}"#);
        refused(wire, status, None, &body).outcome
    }

    #[test]
    fn a_status_means_an_outcome() {
        for (status, expected) in [
            (302, Outcome::Unusable),
            (400, Outcome::BadRequest),
            (401, Outcome::Denied),
            (402, Outcome::Denied),
            (403, Outcome::Denied),
            (404, Outcome::NotFound),
            (413, Outcome::BadRequest),
            (422, Outcome::BadRequest),
            (429, Outcome::RateLimited),
            (500, Outcome::ServerError),
            (503, Outcome::ServerError),
            (529, Outcome::ServerError),
        ] {
            assert_eq!(outcome(Wire::ChatCompletions, status, "c"), expected, "{status}");
        }
    }

    #[test]
    fn too_many_requests_may_mean_too_little_money() {
        assert_eq!(outcome(Wire::ChatCompletions, 429, "insufficient_quota"), Outcome::Denied);
        assert_eq!(outcome(Wire::Responses, 429, "credit_balance_exhausted"), Outcome::Denied);
        assert_eq!(outcome(Wire::Messages, 429, "rate_limit_error"), Outcome::Denied);
        let told = refused(Wire::Messages, 429, Some(Duration::from_secs(3)), "{}");
        assert_eq!(told.outcome, Outcome::RateLimited);
        assert_eq!(told.retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_refused_field_is_named_by_param_or_by_place() {
        let openai = |param: &str, code: &str| {
            let body = format!(r#"{{"error":{{"message":"m","param":{param},"code":{code}}}}}"#);
            refused_field(400, &body)
        };
        let effort = Some("reasoning".to_owned());
        assert_eq!(openai(r#""reasoning.effort""#, r#""unsupported_value""#), effort);
        assert_eq!(openai(r#""reasoning""#, r#""unsupported_parameter""#), effort);
        assert_eq!(openai(r#""messages[0].content""#, r#""context_length_exceeded""#), None);
        assert_eq!(openai("null", "400"), None);
        let python = r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"]}]}"#;
        assert_eq!(refused_field(422, python), Some("stream_options".to_owned()));
        assert_eq!(refused_field(500, python), None);
        assert_eq!(refused_field(400, "<html>"), None);
    }

    #[test]
    fn an_error_in_the_stream_breaks_it_unless_it_says_more() {
        let outcome = |json: &str| in_stream(&serde_json::from_str(json).unwrap()).outcome;
        assert_eq!(outcome(r#"{"error":{"message":"m","code":500}}"#), Outcome::BrokenStream);
        assert_eq!(outcome(r#"{"error":"out of memory"}"#), Outcome::BrokenStream);
        assert_eq!(
            outcome(r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#),
            Outcome::ServerError
        );
        assert_eq!(
            outcome(r#"{"type":"error","code":"rate_limit_exceeded"}"#),
            Outcome::RateLimited
        );
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_provider_says_is_bounded(status: u16, body in ".{0,400}") {
            let _ = refused_field(status, &body);
            let error = presentable(refused(Wire::Messages, status, None, &body), None);
            proptest::prop_assert!(error.detail.chars().count() <= LONGEST);
        }
    }
}
