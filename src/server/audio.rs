//! Sounds that Twilio fetches for `<Play>`. The key in the address is all that is asked for: Twilio's
//! requests for sounds carry none of the fields that it signs (Twilio, "TwiML: Play").

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_range_header::parse_range_header;
use sha2::{Digest, Sha256};

use super::App;

/// A sound as a WAV, whole or a part of it; `HEAD` gets the same without the sound.
pub(super) async fn play(
    State(app): State<App>,
    key: Result<Path<String>, axum::extract::rejection::PathRejection>,
    headers: HeaderMap,
) -> Response {
    let sound = match key {
        Ok(Path(key)) => app.line.wav(key).await,
        Err(_) => None,
    };
    // Nothing is said of why: a key that is not good is like one that never was.
    let Some(sound) = sound else { return StatusCode::NOT_FOUND.into_response() };
    let hash = Sha256::digest(&sound);
    let etag = format!("\"{}\"", hex::encode(&hash[..16]));
    let mut response = part(&headers, &etag, sound);
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static("audio/wav"));
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // As long as the key is good, and for nobody between Twilio and us.
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=600"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        out.insert(header::ETAG, etag);
    }
    response
}

/// What is asked for of a sound.
pub(super) fn part(headers: &HeaderMap, etag: &str, sound: Bytes) -> Response {
    let given = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if given(header::IF_NONE_MATCH).is_some_and(|tags| matches(tags, etag)) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    // A part of another sound is of no use.
    let is_same = given(header::IF_RANGE).is_none_or(|tag| tag == etag);
    // What cannot be read is left out of account, as are several parts at once (RFC 9110, 14.2).
    let Some(ranges) = given(header::RANGE)
        .filter(|_| is_same)
        .and_then(|range| parse_range_header(range).ok())
        .filter(|ranges| ranges.len() == 1)
    else {
        return sound.into_response();
    };
    let length = sound.len() as u64;
    let range = ranges.validate(length).ok().and_then(|ranges| ranges.into_iter().next());
    let Some(range) = range else {
        let mut refused = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
        set_range(&mut refused, &format!("bytes */{length}"));
        return refused;
    };
    let (first, last) = (*range.start(), *range.end());
    let wanted = usize::try_from(first).ok().zip(usize::try_from(last).ok());
    let Some(part) = wanted.filter(|(first, last)| first <= last && *last < sound.len()) else {
        return sound.into_response();
    };
    let mut response = (StatusCode::PARTIAL_CONTENT, sound.slice(part.0..=part.1)).into_response();
    set_range(&mut response, &format!("bytes {first}-{last}/{length}"));
    response
}

fn set_range(response: &mut Response, range: &str) {
    if let Ok(range) = HeaderValue::from_str(range) {
        response.headers_mut().insert(header::CONTENT_RANGE, range);
    }
}

/// Whether one of some tags is ours; a weak one is as good (RFC 9110, 13.1.2).
fn matches(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: &str = "\"e\"";

    async fn asked(pairs: &[(header::HeaderName, &str)]) -> (u16, Option<String>, Vec<u8>) {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect();
        let response = part(&headers, ETAG, Bytes::from_static(b"0123456789"));
        let range = response.headers().get(header::CONTENT_RANGE);
        let range = range.map(|range| range.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        (status, range, body.to_vec())
    }

    #[tokio::test]
    async fn one_part_is_given_as_asked() {
        for (asked_for, range, body) in [
            ("bytes=0-3", "bytes 0-3/10", "0123"),
            ("bytes=4-", "bytes 4-9/10", "456789"),
            ("bytes=-2", "bytes 8-9/10", "89"),
            ("bytes=9-9", "bytes 9-9/10", "9"),
        ] {
            let expected = (206, Some(range.to_owned()), body.as_bytes().to_vec());
            assert_eq!(asked(&[(header::RANGE, asked_for)]).await, expected, "{asked_for}");
        }
        let whole = (200, None, b"0123456789".to_vec());
        for left_out in ["bytes=0-1,3-4", "bytes=x-", "lines=0-1", "bytes", ""] {
            assert_eq!(asked(&[(header::RANGE, left_out)]).await, whole, "{left_out}");
        }
        let beyond = asked(&[(header::RANGE, "bytes=10-")]).await;
        assert_eq!(beyond, (416, Some("bytes */10".to_owned()), Vec::new()));
        for (tag, status) in [(ETAG, 206), ("\"other\"", 200)] {
            let pairs = [(header::RANGE, "bytes=0-3"), (header::IF_RANGE, tag)];
            assert_eq!(asked(&pairs).await.0, status, "{tag}");
        }
        for (tags, status) in [(ETAG, 304), ("W/\"e\", \"x\"", 304), ("*", 304), ("\"x\"", 200)] {
            assert_eq!(asked(&[(header::IF_NONE_MATCH, tags)]).await.0, status, "{tags}");
        }
    }
}
