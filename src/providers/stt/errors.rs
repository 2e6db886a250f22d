//! What a vendor's refusal means, in the words of the transcript.
//!
//! Decided by status and by codes, never by prose. What ends up in `detail` is short and holds no key.

use std::{error::Error as _, time::Duration};

use serde_json::Value;

use crate::{
    domain::{Outcome, Secret},
    providers::speech::SpeechError,
};

/// Characters of a vendor's message that are kept.
const DETAIL: usize = 200;

/// Refusals with status 429 that mean money, and that no waiting mends (OpenAI, "Error codes").
const MONEY: [&str; 2] = ["insufficient_quota", "credit_balance_exhausted"];

/// What the beginnings of vendors' keys look like, in case one quotes another key than ours.
const KEY_PREFIXES: [&str; 2] = ["sk-", "AIza"];
const SHORTEST_KEY: usize = 8;

/// An answer with a status that is not the hoped-for one.
pub(super) fn refused(status: u16, retry_after: Option<Duration>, body: &str) -> SpeechError {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let names = names(&parsed);
    let outcome = match status {
        429 if MONEY.iter().any(|word| names.contains(word)) => Outcome::Denied,
        429 => Outcome::RateLimited,
        401..=403 => Outcome::Denied,
        404 | 405 | 410 => Outcome::NotFound,
        408 | 409 | 500.. => Outcome::ServerError,
        400..500 => Outcome::BadRequest,
        _ => Outcome::Unusable,
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

/// When to come back, in milliseconds or seconds.
pub(super) fn retry_after<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    let number = |name: &str| header(name)?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number("retry-after"));
    Duration::try_from_secs_f64(seconds?).ok()
}

/// A request that came to no answer.
pub(super) fn unreachable(cause: &reqwest::Error) -> SpeechError {
    let outcome = if cause.is_timeout() && !cause.is_connect() {
        Outcome::TimedOut
    } else if cause.is_builder() {
        Outcome::BadRequest
    } else {
        Outcome::Unreachable
    };
    // What lies above the root says only that something failed, and where to.
    let mut deepest: &dyn std::error::Error = cause;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let detail = match cause.source() {
        Some(_) => deepest.to_string(),
        None if cause.is_builder() => "the request cannot be built".to_owned(),
        None => "the connection failed".to_owned(),
    };
    SpeechError::new(outcome, detail)
}

/// Makes an error fit to be stored: one short line without keys.
pub(super) fn presentable(mut error: SpeechError, key: Option<&Secret>) -> SpeechError {
    let mut text = error.detail;
    if let Some(key) = key.map(Secret::expose).filter(|key| !key.is_empty()) {
        text = text.replace(key, "***");
    }
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> =
        words.filter(|word| !word.is_empty()).map(without_key).take(DETAIL).collect();
    let line = words.join(" ");
    error.detail = if line.chars().count() > DETAIL {
        line.chars().take(DETAIL - 1).chain(['…']).collect()
    } else {
        line
    };
    error
}

/// Hides a word with something in it that looks like a key.
fn without_key(word: &str) -> &str {
    let is_key = |prefix: &&str| {
        // `task-force` and the like are words, and so is what is short.
        let begins = |at: usize| {
            !word[..at].ends_with(char::is_alphanumeric) && word.len() > at + SHORTEST_KEY
        };
        word.match_indices(*prefix).any(|(at, _)| begins(at))
    };
    if KEY_PREFIXES.iter().any(is_key) { "***" } else { word }
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

    #[test]
    fn when_to_come_back_is_read() {
        let header = |name: &str| (name == "retry-after").then_some("1.5");
        assert_eq!(retry_after(header), Some(Duration::from_millis(1500)));
        assert_eq!(retry_after(|_| Some("soon")), None);
        assert_eq!(retry_after(|_| Some("-1")), None);
    }

    #[test]
    fn no_key_is_told_and_nothing_is_long() {
        let key = Secret::new("dg-very-secret");
        let told = |text: &str| presentable(SpeechError::new(Outcome::Denied, text), Some(&key));
        assert_eq!(told("bad dg-very-secret!").detail, "bad ***!");
        assert_eq!(told("bad key=sk-proj-AbCdEf123,\n see docs").detail, "bad *** see docs");
        assert_eq!(told("task-force:sk-AbCdEf123").detail, "***");
        assert_eq!(told("a task-force of sk-1").detail, "a task-force of sk-1");
        assert_eq!(told(&"é ".repeat(500)).detail.chars().count(), DETAIL);
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_vendor_says_is_bounded(status: u16, body in ".{0,400}") {
            let error = presentable(refused(status, None, &body), None);
            proptest::prop_assert!(error.detail.chars().count() <= DETAIL);
        }
    }
}
