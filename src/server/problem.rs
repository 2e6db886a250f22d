//! Errors over HTTP: RFC 9457 problem documents. The table from kinds to statuses is here.

use axum::{
    Json,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::domain::{Error, Kind};

/// The HTTP status of a kind of error.
pub(super) fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Usage | Kind::Input => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Outdated => StatusCode::PRECONDITION_FAILED,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::Unavailable | Kind::Busy | Kind::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Partial | Kind::Config | Kind::Failure => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A problem document.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let document = json!({
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
    });
    let mut response = (status, Json(document)).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/problem+json"));
    response
}

/// A user-facing error as a problem document.
pub(super) fn from_error(error: &Error) -> Response {
    let detail = match error.hint_text() {
        Some(hint) => format!("{error}: {hint}"),
        None => error.to_string(),
    };
    problem(status_of(error.kind()), &detail)
}

pub(super) async fn not_found(uri: Uri) -> Response {
    problem(StatusCode::NOT_FOUND, &format!("there is nothing at `{}`", uri.path()))
}

pub(super) async fn method_not_allowed() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, "this address does not take that method; see `allow`")
}
