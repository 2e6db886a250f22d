//! Reading a webhook's body: form-encoded, bounded in size and in time.

use std::time::Duration;

use axum::{
    BoxError,
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Twilio's own requests are about 2 KiB.
const BYTES: usize = 64 * 1024;

/// What every request may send. Whoever sends more needs a share of its address's: strangers may send many
/// at a time, before anybody knows who they are.
const USUAL: usize = 8 * 1024;

/// A body that is not there by then is given up.
const WITHIN: Duration = Duration::from_secs(8);

/// Reads the body, or says with which status to refuse the request, and why.
pub(super) async fn read_form<S>(
    headers: &HeaderMap,
    body: Body,
    share: impl Fn() -> Option<S>,
) -> Result<Vec<u8>, (StatusCode, &'static str)> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not form-encoded"));
    }
    match tokio::time::timeout(WITHIN, collect(Limited::new(body, BYTES), share)).await {
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB"))
        }
        Ok(Err(error)) if error.is::<NoShare>() => {
            Err((StatusCode::SERVICE_UNAVAILABLE, "too many large bodies from one address"))
        }
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the body broke off")),
        Ok(Ok(body)) => Ok(body),
    }
}

/// The address has as many large bodies on their way as it may.
#[derive(Debug, thiserror::Error)]
#[error("no share")]
struct NoShare;

async fn collect<S>(
    mut body: Limited<Body>,
    share: impl Fn() -> Option<S>,
) -> Result<Vec<u8>, BoxError> {
    let (mut bytes, mut held) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if held.is_none() && bytes.len() + data.len() > USUAL {
            held = Some(share().ok_or(NoShare)?);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
