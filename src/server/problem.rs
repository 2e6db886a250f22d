//! Errors over HTTP: RFC 9457 problem documents. The table from kinds to statuses is here.

use std::time::Duration;

use axum::{
    Json,
    extract::OriginalUri,
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use crate::{
    api::Problem,
    domain::{Error, Kind},
};

/// The HTTP status of a kind of error.
pub(super) fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Usage | Kind::Input => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Outdated => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Denied => StatusCode::FORBIDDEN,
        // Settings are for the operator to mend; whoever asks can only come back later.
        Kind::Unavailable | Kind::Busy | Kind::Interrupted | Kind::Config => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Kind::Partial | Kind::Failure => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The kind of error that a status tells of.
const fn kind_of(status: StatusCode) -> Kind {
    match status {
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::FORBIDDEN => Kind::Denied,
        StatusCode::PAYLOAD_TOO_LARGE => Kind::TooLarge,
        StatusCode::SERVICE_UNAVAILABLE => Kind::Unavailable,
        StatusCode::INTERNAL_SERVER_ERROR => Kind::Failure,
        _ => Kind::Input,
    }
}

/// A problem document.
pub(super) fn problem(status: StatusCode, detail: &str) -> Response {
    with_status(status, &Error::new(kind_of(status), detail))
}

/// A user-facing error as a problem document. What failed inside is for the log.
pub(super) fn from_error(error: &Error) -> Response {
    let status = status_of(error.kind());
    if status.is_server_error() {
        tracing::error!(%error, causes = ?error.causes(), "a request failed");
    }
    with_status(status, outside(error.kind()).as_ref().unwrap_or(error))
}

/// What others are told instead: errors of these kinds name files of this machine.
fn outside(kind: Kind) -> Option<Error> {
    let in_log = "the daemon's log says why, under the `x-request-id` of this answer";
    Some(match kind {
        Kind::Config => Error::new(kind, "this daemon is not set up for that").hint(in_log),
        Kind::Failure => Error::new(kind, "something failed inside the daemon").hint(in_log),
        Kind::Busy => Error::new(kind, "the daemon's store is busy").hint("ask again in a moment"),
        _ => return None,
    })
}

/// A user-facing error with a status of its own.
pub(super) fn with_status(status: StatusCode, error: &Error) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let document = Problem::new(status.as_u16(), title, error);
    let mut response = (status, Json(document)).into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// Asked too often; says when to ask again.
pub(super) fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let error =
        Error::new(Kind::TooMany, "too many requests").hint(format!("ask again in {seconds} s"));
    let mut response = from_error(&error);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Somebody else has all there is; says when to ask again.
pub(super) fn unavailable(what: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs().max(1);
    let error = Error::unavailable(what).hint(format!("ask again in {seconds} s"));
    let mut response = with_status(StatusCode::SERVICE_UNAVAILABLE, &error);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

pub(super) async fn not_found(OriginalUri(uri): OriginalUri) -> Response {
    from_error(&nothing_at(&uri))
}

/// An address at which there is nothing, whole: also where routes are nested.
pub(super) fn nothing_at(uri: &Uri) -> Error {
    let path: String = uri.path().chars().take(200).collect();
    Error::not_found(format!("there is nothing at `{}`", path.escape_debug()))
}

pub(super) async fn method_not_allowed() -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, "this address does not take that method; see `allow`")
}
