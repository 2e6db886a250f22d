//! What a provider's refusal means, whoever it is, and what of its words may be stored: one short
//! line without keys.

use std::{error::Error as _, time::Duration};

use crate::domain::{Outcome, Secret};

/// Characters of a provider's message that are kept.
pub(super) const LONGEST: usize = 200;

/// What keys begin with, in case a provider quotes another one than ours: OpenAI's, Anthropic's and
/// ElevenLabs's, Google's.
const KEY_PREFIXES: [&str; 3] = ["sk-", "sk_", "AIza"];

/// One short line without keys.
pub(super) fn presentable(text: &str, key: Option<&Secret>) -> String {
    let text = match key.map(Secret::expose).filter(|key| !key.is_empty()) {
        Some(key) => text.replace(key, "***"),
        None => text.to_owned(),
    };
    let text = KEY_PREFIXES.iter().fold(text, |text, prefix| without_keys(&text, prefix));
    let mut line = String::with_capacity(LONGEST);
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    if line.chars().count() > LONGEST {
        line.chars().take(LONGEST - 1).chain(['…']).collect()
    } else {
        line
    }
}

/// What a status other than 200 means, where no code says more.
pub(super) const fn by_status(status: u16) -> Outcome {
    match status {
        429 => Outcome::RateLimited,
        401..=403 => Outcome::Denied,
        404 | 405 | 410 => Outcome::NotFound,
        408 | 409 | 500.. => Outcome::ServerError,
        400..500 => Outcome::BadRequest,
        _ => Outcome::Unusable,
    }
}

/// When to come back, in milliseconds or seconds.
pub(super) fn retry_after<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Duration> {
    let number = |name: &str| header(name)?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number("retry-after"));
    Duration::try_from_secs_f64(seconds?).ok()
}

/// Why a request came to no answer.
pub(super) fn unreachable(cause: &reqwest::Error) -> (Outcome, String) {
    let outcome = if cause.is_builder() { Outcome::BadRequest } else { Outcome::Unreachable };
    (outcome, reason(cause))
}

/// The root of a failure; what lies above it says only that something failed, and where to.
pub(super) fn reason(cause: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = cause;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    match cause.source() {
        Some(_) => deepest.to_string(),
        None if cause.is_builder() => "the request cannot be built".to_owned(),
        None => "the connection failed".to_owned(),
    }
}

/// Hides everything that looks like a key.
fn without_keys(text: &str, prefix: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(prefix) {
        let (before, key) = rest.split_at(start);
        let part_of_key = |c: char| c.is_ascii_alphanumeric() || "-_*.".contains(c);
        let end = key.find(|c: char| !part_of_key(c)).unwrap_or(key.len());
        shown.push_str(before);
        // `task-force` and the like are words.
        let is_word = before.ends_with(|c: char| c.is_alphanumeric());
        shown.push_str(if is_word { &key[..end] } else { "***" });
        rest = &key[end..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_means_an_outcome() {
        for (status, expected) in [
            (204, Outcome::Unusable),
            (302, Outcome::Unusable),
            (400, Outcome::BadRequest),
            (401, Outcome::Denied),
            (402, Outcome::Denied),
            (404, Outcome::NotFound),
            (422, Outcome::BadRequest),
            (429, Outcome::RateLimited),
            (503, Outcome::ServerError),
        ] {
            assert_eq!(by_status(status), expected, "{status}");
        }
    }

    #[test]
    fn when_to_come_back_is_read() {
        let header = |name: &str| (name == "retry-after").then_some("1.5");
        assert_eq!(retry_after(header), Some(Duration::from_millis(1500)));
        let finer = |name: &str| Some(if name == "retry-after-ms" { "20" } else { "9" });
        assert_eq!(retry_after(finer), Some(Duration::from_millis(20)));
        assert_eq!(retry_after(|_| Some("soon")), None);
        assert_eq!(retry_after(|_| Some("-1")), None);
    }

    #[test]
    fn no_key_is_told_and_nothing_is_long() {
        let key = Secret::new("wx-very-secret");
        let told = |text: &str| presentable(text, Some(&key));
        assert_eq!(told("bad key wx-very-secret!"), "bad key ***!");
        assert_eq!(told("bad sk-ant-api03-AbC_9**xyz, see\n docs"), "bad ***, see docs");
        assert_eq!(told("sk_0123abc or AIzaSyD-x_1 is wrong"), "*** or *** is wrong");
        assert_eq!(told("a task-force of sk-1"), "a task-force of ***");
        assert_eq!(told(&"é ".repeat(500)).chars().count(), LONGEST);
    }
}
