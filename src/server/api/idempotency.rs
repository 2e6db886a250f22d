//! `Idempotency-Key`: a POST that is sent again gets the answer of the first time.

use axum::{
    body::{Body, Bytes},
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::extract;
use crate::{
    domain::{Actor, Error, Kind},
    server::{App, problem},
    store::idempotency::{self, Known},
};

/// The longest key.
const LONGEST: usize = 200;

/// The address whose answer is a secret: it is not kept, and so cannot be given again.
const TOKENS: &str = "/api/voice/tokens";

/// Answers a repeated POST from what is kept of the first.
pub(super) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").cloned();
    let who = request.extensions().get::<Actor>().and_then(Actor::user);
    let (Some(key), Some(who)) = (key, who) else { return next.run(request).await };
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if request.method() != Method::POST || route == Some(TOKENS) {
        return next.run(request).await;
    }
    let key = match key.to_str() {
        Ok(key) if !key.trim().is_empty() && key.len() <= LONGEST => key.trim().to_owned(),
        _ => {
            let error = Error::input("the `Idempotency-Key` is empty, too long, or no text")
                .hint("send up to 200 letters and digits, such as a UUID");
            return problem::from_error(&error);
        }
    };
    let who = who.0.to_string();
    let (head, body) = request.into_parts();
    let whole = Request::from_parts(head.clone(), body);
    let body = match extract::read(whole, &app).await {
        Ok(body) => body,
        Err(failure) => return problem::from_error(&failure.0),
    };
    let print = fingerprint(&head.uri.to_string(), &body);
    let begun = {
        let (who, key, now) = (who.clone(), key.clone(), Timestamp::now());
        app.store.write_async(move |tx| idempotency::begin(tx, &who, &key, &print, now)).await
    };
    match begun {
        Err(error) => problem::from_error(&error),
        Ok(Known::InFlight) => problem::from_error(
            &Error::conflict("this request is being answered right now")
                .hint("wait for the first answer"),
        ),
        Ok(Known::Other) => problem::from_error(
            &Error::new(Kind::Refused, "this `Idempotency-Key` came with another request before")
                .hint("use a new key for a new request"),
        ),
        Ok(Known::Answered { status, body }) => again(status, body),
        Ok(Known::New) => {
            let response = next.run(Request::from_parts(head, Body::from(body))).await;
            keep(&app, &who, &key, response).await
        }
    }
}

fn fingerprint(uri: &str, body: &Bytes) -> String {
    let mut hasher = Sha256::new();
    hasher.update(uri.as_bytes());
    hasher.update([0]);
    hasher.update(body);
    hasher.finalize().iter().fold(String::new(), |mut digits, byte| {
        use std::fmt::Write as _;
        // Writing into a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn again(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let media_type =
        if status.is_success() { "application/json" } else { "application/problem+json" };
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media_type)
        .header("idempotent-replayed", "true")
        .body(Body::from(body))
        .unwrap_or_default()
}

/// Keeps an answer, unless it says that it may be otherwise next time.
async fn keep(app: &App, who: &str, key: &str, response: Response) -> Response {
    let (head, body) = response.into_parts();
    let (who, key, status) = (who.to_owned(), key.to_owned(), head.status.as_u16());
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = String::from_utf8(body.to_vec()).ok();
    let kept = match text {
        Some(text) if status < 500 && status != 429 => {
            let write =
                move |tx: &crate::store::Tx| idempotency::finish(tx, &who, &key, status, &text);
            app.store.write_async(write).await
        }
        _ => app.store.write_async(move |tx| idempotency::cancel(tx, &who, &key)).await,
    };
    if let Err(error) = kept {
        tracing::error!(%error, "an answer could not be kept for a repeated request");
    }
    Response::from_parts(head, Body::from(body))
}
