//! What a vendor's refusal means, in the words of the transcript.
//!
//! Decided by status and by codes, never by prose.

use std::time::Duration;

use serde_json::Value;

use crate::{
    domain::{Outcome, Secret},
    providers::{refusal, speech::SpeechError},
};

/// Refusals with status 429 that mean money, and that no waiting mends (OpenAI, "Error codes").
const MONEY: [&str; 2] = ["insufficient_quota", "credit_balance_exhausted"];

/// An answer with a status that is not the hoped-for one.
pub(super) fn refused(status: u16, retry_after: Option<Duration>, body: &str) -> SpeechError {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let names = names(&parsed);
    let outcome = match status {
        429 if MONEY.iter().any(|word| names.contains(word)) => Outcome::Denied,
        _ => refusal::by_status(status),
    };
    let detail = match (names.join(" "), message(&parsed)) {
        (_, None) => format!("{status}: {body}"),
        (names, Some(message)) if names.is_empty() => format!("{status}: {message}"),
        (names, Some(message)) => format!("{status} {names}: {message}"),
    };
    SpeechError { outcome, detail, retry_after }
}

/// The codes of an error. OpenAI nests them; Deepgram has `err_code` or `category`.
fn names(body: &Value) -> Vec<&str> {
    let error = inner(body);
    let mut names = Vec::new();
    for name in [&error["type"], &error["code"], &body["err_code"], &body["category"]] {
        if let Some(name) = name.as_str().filter(|name| !names.contains(name)) {
            names.push(name);
        }
    }
    names
}

fn message(body: &Value) -> Option<&str> {
    let error = inner(body);
    let text = error.as_str().or_else(|| error["message"].as_str());
    text.or_else(|| body["err_msg"].as_str()).or_else(|| body["detail"].as_str())
}

fn inner(body: &Value) -> &Value {
    match &body["error"] {
        Value::Null => body,
        error => error,
    }
}

/// A request that came to no answer.
pub(super) fn unreachable(cause: &reqwest::Error) -> SpeechError {
    let (outcome, reason) = refusal::unreachable(cause);
    let late = cause.is_timeout() && !cause.is_connect();
    SpeechError::new(if late { Outcome::TimedOut } else { outcome }, reason)
}

/// One short line without keys.
pub(super) fn presentable(mut error: SpeechError, key: Option<&Secret>) -> SpeechError {
    error.detail = refusal::presentable(&error.detail, key);
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_means_an_outcome() {
        for (status, expected) in [
            (301, Outcome::Unusable),
            (400, Outcome::BadRequest),
            (401, Outcome::Denied),
            (402, Outcome::Denied),
            (403, Outcome::Denied),
            (404, Outcome::NotFound),
            (413, Outcome::BadRequest),
            (429, Outcome::RateLimited),
            (500, Outcome::ServerError),
            (503, Outcome::ServerError),
        ] {
            assert_eq!(refused(status, None, "{}").outcome, expected, "{status}");
        }
        let money = r#"{"error":{"type":"insufficient_quota","message":"no credit"}}"#;
        assert_eq!(refused(429, None, money).outcome, Outcome::Denied);
    }

    #[test]
    fn what_each_vendor_says_is_found() {
        let told = |body: &str| refused(402, None, body).detail;
        assert_eq!(
            told(r#"{"err_code":"ASR_PAYMENT_REQUIRED","err_msg":"no credit","request_id":"1"}"#),
            "402 ASR_PAYMENT_REQUIRED: no credit"
        );
        assert_eq!(
            told(r#"{"category":"PAYMENT","message":"no credit","details":"d"}"#),
            "402 PAYMENT: no credit"
        );
        assert_eq!(
            told(r#"{"error":{"code":"billing","message":"no credit"}}"#),
            "402 billing: no credit"
        );
        assert_eq!(told("<html>"), "402: <html>");
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_vendor_says_is_bounded(status: u16, body in ".{0,400}") {
            let error = presentable(refused(status, None, &body), None);
            proptest::prop_assert!(error.detail.chars().count() <= refusal::LONGEST);
        }
    }
}
