//! What a vendor's refusal means, in the words of the transcript. Decided by status and by codes,
//! never by prose.

use std::time::Duration;

use serde_json::Value;

use crate::{
    audio::wav::WavError,
    domain::{Outcome, Secret},
    providers::{refusal, speech::SpeechError},
};

/// Codes that say more than their status: ElevenLabs's, OpenAI's and Google's.
#[rustfmt::skip]
const CODES: [(&str, Outcome); 14] = [
    ("invalid_api_key", Outcome::Denied),
    ("missing_permissions", Outcome::Denied),
    ("quota_exceeded", Outcome::Denied),
    ("insufficient_quota", Outcome::Denied),
    ("credit_balance_exhausted", Outcome::Denied),
    ("API_KEY_INVALID", Outcome::Denied),
    ("PERMISSION_DENIED", Outcome::Denied),
    ("UNAUTHENTICATED", Outcome::Denied),
    ("voice_not_found", Outcome::NotFound),
    ("model_not_found", Outcome::NotFound),
    ("max_character_limit_exceeded", Outcome::BadRequest),
    ("too_many_concurrent_requests", Outcome::RateLimited),
    ("system_busy", Outcome::RateLimited),
    ("RESOURCE_EXHAUSTED", Outcome::RateLimited),
];

/// Where vendors put their codes.
const CODE_PLACES: [&str; 9] = [
    "/detail/status",
    "/detail/code",
    "/error/status",
    "/error/code",
    "/error/type",
    "/error/details/0/reason",
    "/error",
    "/code",
    "/err_code",
];

/// Where vendors put what they say.
const MESSAGE_PLACES: [&str; 6] =
    ["/detail/message", "/error/message", "/message", "/detail", "/detail/0/msg", "/err_msg"];

/// An answer with a status other than 200.
pub(super) fn refused(status: u16, retry_after: Option<Duration>, body: &str) -> SpeechError {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let outcome = by_code(&json).unwrap_or(refusal::by_status(status));
    let said = said(&json).unwrap_or_else(|| body.to_owned());
    SpeechError { outcome, detail: format!("{status}: {said}"), retry_after }
}

/// An error that came instead of sound, after all seemed well.
pub(super) fn in_stream(json: &Value) -> SpeechError {
    let outcome = by_code(json).unwrap_or(Outcome::BrokenStream);
    let said = said(json).unwrap_or_else(|| "an error without a word".to_owned());
    SpeechError::new(outcome, said)
}

fn by_code(json: &Value) -> Option<Outcome> {
    let codes: Vec<&str> = codes(json).collect();
    CODES.iter().find(|(code, _)| codes.contains(code)).map(|(_, outcome)| *outcome)
}

fn codes(json: &Value) -> impl Iterator<Item = &str> {
    CODE_PLACES.iter().filter_map(|place| json.pointer(place)?.as_str())
}

fn said(json: &Value) -> Option<String> {
    let message = MESSAGE_PLACES.iter().find_map(|place| json.pointer(place)?.as_str());
    match (codes(json).next(), message) {
        (Some(code), Some(message)) => Some(format!("{code}: {message}")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}

/// One short line without keys.
pub(super) fn presentable(mut error: SpeechError, key: Option<&Secret>) -> SpeechError {
    error.detail = refusal::presentable(&error.detail, key);
    error
}

/// Sound that is none.
pub(super) fn no_sound(wrong: &WavError) -> SpeechError {
    SpeechError::new(Outcome::Unusable, format!("the answer is no sound: {wrong}"))
}

pub(super) fn broken(detail: impl Into<String>) -> SpeechError {
    SpeechError::new(Outcome::BrokenStream, detail)
}

pub(super) fn late(what: &str) -> SpeechError {
    SpeechError::new(Outcome::TimedOut, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, body: &str) -> Outcome {
        refused(status, None, body).outcome
    }

    #[test]
    fn a_status_means_an_outcome() {
        for (status, expected) in [
            (204, Outcome::Unusable),
            (302, Outcome::Unusable),
            (400, Outcome::BadRequest),
            (401, Outcome::Denied),
            (402, Outcome::Denied),
            (404, Outcome::NotFound),
            (415, Outcome::BadRequest),
            (422, Outcome::BadRequest),
            (429, Outcome::RateLimited),
            (500, Outcome::ServerError),
            (503, Outcome::ServerError),
        ] {
            assert_eq!(outcome(status, "sorry"), expected, "{status}");
        }
    }

    #[test]
    fn a_code_says_more_than_a_status() {
        let eleven = |code: &str| format!(r#"{{"detail":{{"status":"{code}","message":"m"}}}}"#);
        assert_eq!(outcome(400, &eleven("voice_not_found")), Outcome::NotFound);
        assert_eq!(outcome(400, &eleven("quota_exceeded")), Outcome::Denied);
        assert_eq!(outcome(429, &eleven("system_busy")), Outcome::RateLimited);
        let google = r#"{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"m",
            "details":[{"reason":"API_KEY_INVALID"}]}}"#;
        assert_eq!(outcome(400, google), Outcome::Denied);
        let openai = r#"{"error":{"message":"m","type":"insufficient_quota","code":null}}"#;
        assert_eq!(outcome(429, openai), Outcome::Denied);
        let python = r#"{"detail":[{"loc":["body","text"],"msg":"too long","type":"value"}]}"#;
        assert_eq!(refused(422, None, python).detail, "422: too long");
        let closed = serde_json::json!({"message": "m", "error": "invalid_api_key", "code": 1008});
        assert_eq!(in_stream(&closed).outcome, Outcome::Denied);
        assert_eq!(in_stream(&serde_json::json!({"error": "?"})).outcome, Outcome::BrokenStream);
    }
}
