//! Reading a webhook's body: form-encoded, bounded in size and in time.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Twilio's own requests are about 2 KiB.
const BYTES: usize = 64 * 1024;

/// A body that is not there by then is given up.
const WITHIN: Duration = Duration::from_secs(8);

/// Reads the body, or says with which status to refuse the request, and why.
pub(super) async fn read_form(
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<u8>, (StatusCode, &'static str)> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not form-encoded"));
    }
    match tokio::time::timeout(WITHIN, Limited::new(body, BYTES).collect()).await {
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long")),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB"))
        }
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the body broke off")),
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
    }
}
