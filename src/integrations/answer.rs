//! What an answer means for a delivery.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::{
    Failure,
    outgoing::{Refused, Response},
};
use crate::domain::Trouble;

/// Letters of an answer that a failure quotes: enough to see what is wrong.
const QUOTED: usize = 200;

/// Whether an answer takes what was sent; `now` is in seconds.
pub(super) fn taken(response: &Response, now: i64) -> Result<(), Failure> {
    let status = response.status;
    let trouble = match status {
        200..=299 => return Ok(()),
        410 => Trouble::Gone,
        // Too early, too slow, too often: later.
        408 | 425 | 429 | 500..=599 => Trouble::Later(retry_after(&response.headers, now)),
        _ => Trouble::Refused,
    };
    let quoted = quoted(&response.body);
    let said = if quoted.is_empty() { String::new() } else { format!(": {quoted}") };
    Err((trouble, format!("it answered {status}{said}")))
}

/// A request that got no answer.
pub(super) fn unanswered(refused: &Refused) -> Failure {
    let trouble = match refused {
        // The address, not the weather.
        Refused::BadUrl
        | Refused::Scheme { .. }
        | Refused::UserInfo
        | Refused::Forbidden { .. }
        | Refused::Private { .. }
        | Refused::Redirected
        | Refused::TooLarge { .. } => Trouble::Refused,
        Refused::TooSlow { .. } | Refused::Failed(_) => Trouble::Later(None),
    };
    (trouble, refused.to_string())
}

/// When a receiver wants to be asked again: in seconds, or at a date.
fn retry_after(headers: &HeaderMap, now: i64) -> Option<SignedDuration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return SignedDuration::try_from(Duration::from_secs(seconds.into())).ok();
    }
    let at: Timestamp = rfc2822::parse(text).ok()?.timestamp();
    Some(SignedDuration::from_secs(at.as_second().saturating_sub(now).max(0)))
}

/// The beginning of an answer, fit for a log and a table.
pub(super) fn quoted(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(4 * QUOTED)]);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|c| !c.is_control()).take(QUOTED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry: Option<&str>) -> Result<(), Trouble> {
        let mut headers = HeaderMap::new();
        if let Some(retry) = retry {
            headers.insert(RETRY_AFTER, retry.parse().unwrap());
        }
        let response = Response { status, headers, body: b"  no\n\tway \x07".to_vec() };
        taken(&response, 1_445_412_420).map_err(|(trouble, what)| {
            assert_eq!(what, format!("it answered {status}: no way "));
            trouble
        })
    }

    #[test]
    fn a_status_says_whether_to_go_on() {
        let seconds = |n| Err(Trouble::Later(Some(SignedDuration::from_secs(n))));
        assert_eq!(answer(204, None), Ok(()));
        assert_eq!(answer(410, None), Err(Trouble::Gone));
        for refused in [301, 400, 401, 403, 404, 405, 413, 422] {
            assert_eq!(answer(refused, None), Err(Trouble::Refused), "{refused}");
        }
        for later in [408, 425, 429, 500, 502, 503, 504] {
            assert_eq!(answer(later, None), Err(Trouble::Later(None)), "{later}");
        }
        assert_eq!(answer(429, Some("90")), seconds(90));
        assert_eq!(answer(503, Some("Wed, 21 Oct 2015 07:28:00 GMT")), seconds(60));
        assert_eq!(answer(503, Some("Wed, 21 Oct 2015 07:20:00 GMT")), seconds(0));
        assert_eq!(answer(503, Some("soon")), Err(Trouble::Later(None)));
    }
}
