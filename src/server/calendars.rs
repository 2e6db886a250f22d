//! Calendars that programs fetch. The token in the address is all that is asked for: no calendar
//! program sends a key of ours.

use axum::{
    extract::{Path, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::App;
use jiff::Timestamp;

use crate::operations::calendars;

/// A client's bookings as a calendar.
pub(super) async fn read(
    State(app): State<App>,
    name: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Response {
    let token = name.ok().and_then(|Path(name)| name.strip_suffix(".ics").map(str::to_owned));
    // Nothing is said of why: a token that is not good is like one that never was.
    let Some(token) = token.filter(|token| token.len() == 48) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match calendars::read(&app.store, &token, Timestamp::now()).await {
        Ok(Some(calendar)) => {
            let mut response = calendar.into_response();
            let out = response.headers_mut();
            let kind = HeaderValue::from_static("text/calendar; charset=utf-8");
            out.insert(header::CONTENT_TYPE, kind);
            out.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=60"));
            response
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::error!(%error, "a calendar cannot be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
