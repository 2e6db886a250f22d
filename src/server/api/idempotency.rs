//! `Idempotency-Key`: a change that is sent again is made once, and answered as the first time.

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
use tracing::Instrument;

use super::extract;
use crate::{
    domain::{Account, Actor, Error, Kind},
    server::{App, problem},
    store::idempotency::{self, Known},
};

/// The longest key.
const LONGEST: usize = 200;

/// Routes whose answers are not kept: keys of tokens, what is known of a caller, and those that
/// change nothing, so that asking again is as good.
const NOT_KEPT: [&str; 6] = [
    "/api/voice/tokens",
    "/api/voice/privacy/export",
    "/api/voice/privacy/erase",
    "/api/voice/validate",
    "/api/voice/plan",
    "/api/voice/assistants/{id}/rehearse",
];

/// Answers a repeated POST from what is kept of the first.
pub(super) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").cloned();
    let who = request.extensions().get::<Actor>().and_then(|actor| who(actor.account.as_ref()));
    let (Some(key), Some(who)) = (key, who) else { return next.run(request).await };
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if request.method() != Method::POST || route.is_none_or(|route| NOT_KEPT.contains(&route)) {
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
        // In a task of its own: a peer that hangs up does not keep the answer from being kept.
        Ok(Known::New) => {
            let request = Request::from_parts(head, Body::from(body));
            let work = async move { keep(&app, &who, &key, next.run(request).await).await };
            tokio::spawn(work.in_current_span()).await.unwrap_or_else(|cause| {
                let error = Error::failure("a request was broken off: this is a bug of webox");
                problem::from_error(&error.because(cause))
            })
        }
    }
}

/// Whose answers: a token's, while its user has the same role. No other key is given them.
fn who(account: Option<&Account>) -> Option<String> {
    let account = account?;
    Some(format!("{}/{}/{}", account.token?.0, account.role, account.scope))
}

fn fingerprint(uri: &str, body: &Bytes) -> String {
    let mut hasher = Sha256::new();
    hasher.update(uri.as_bytes());
    hasher.update([0]);
    hasher.update(body);
    hex::encode(hasher.finalize())
}

fn again(status: u16, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotent-replayed", "true")
        .body(Body::from(body))
        .unwrap_or_default()
}

/// Keeps the answer of what was done. What was refused was not done: it may be tried again.
async fn keep(app: &App, who: &str, key: &str, response: Response) -> Response {
    let (head, body) = response.into_parts();
    let (who, key, status) = (who.to_owned(), key.to_owned(), head.status);
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(cause) => {
            return problem::from_error(&Error::failure("an answer broke off").because(cause));
        }
    };
    let text = String::from_utf8(body.to_vec()).ok().filter(|_| status.is_success());
    let kept = match text {
        Some(text) => {
            let write = move |tx: &crate::store::Tx| {
                idempotency::finish(tx, &who, &key, status.as_u16(), &text)
            };
            app.store.write_async(write).await
        }
        None => app.store.write_async(move |tx| idempotency::cancel(tx, &who, &key)).await,
    };
    if let Err(error) = kept {
        tracing::error!(%error, "an answer could not be kept for a repeated request");
    }
    Response::from_parts(head, Body::from(body))
}
