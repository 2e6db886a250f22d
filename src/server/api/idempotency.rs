//! `Idempotency-Key`: a change that is sent again is made once, and answered as the first time.

use std::collections::BTreeMap;

use axum::{
    body::{Body, Bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderName, Method, StatusCode, header, response::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tracing::Instrument;

use super::failure::Failure;
use crate::{
    domain::{Account, Actor, Error, Kind},
    server::{App, problem},
    store::idempotency::{self, Known},
};

/// The longest key.
const LONGEST: usize = 200;

/// Routes whose answers are not kept: keys of tokens, what is known of a caller, and those that
/// change nothing, so that asking again is as good.
const NOT_KEPT: [&str; 9] = [
    "/api/voice/tokens",
    "/api/voice/privacy/export",
    "/api/voice/privacy/erase",
    "/api/voice/validate",
    "/api/voice/plan",
    "/api/voice/plan/numbers",
    "/api/voice/apply/numbers",
    "/api/voice/campaigns/preview",
    "/api/voice/assistants/{id}/rehearse",
];

/// Whether answers of a route are kept.
pub(super) fn keeps(route: &str) -> bool {
    !NOT_KEPT.contains(&route)
}

/// Answers a repeated POST from what is kept of the first.
pub(super) async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    let key = request.headers().get("idempotency-key").cloned();
    let who = request.extensions().get::<Actor>().and_then(|actor| who(actor.account.as_ref()));
    let (Some(key), Some(who)) = (key, who) else { return next.run(request).await };
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if request.method() != Method::POST || !route.is_some_and(keeps) {
        return next.run(request).await;
    }
    let key = match key.to_str() {
        Ok(key)
            if (1..=LONGEST).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            key.to_owned()
        }
        _ => {
            let error = Error::input("the `Idempotency-Key` is empty, too long, or no word")
                .hint("send up to 200 letters, digits and signs without a space, such as a UUID");
            return problem::from_error(&error);
        }
    };
    let (head, body) = request.into_parts();
    // In memory already: `bodies::buffer`.
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Failure::from(Error::input("the body broke off")).into_response(),
    };
    let print = fingerprint(&head.uri.to_string(), &body);
    // In a task of its own, from the note that it is being done to the answer: a peer that hangs up
    // leaves neither behind without the other.
    let work = async move {
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
                &Error::new(
                    Kind::Refused,
                    "this `Idempotency-Key` came with another request before",
                )
                .hint("use a new key for a new request"),
            ),
            Ok(Known::Answered { status, kept }) => again(status, &kept),
            Ok(Known::New) => {
                let request = Request::from_parts(head, Body::from(body));
                keep(&app, &who, &key, next.run(request).await).await
            }
        }
    };
    tokio::spawn(work.in_current_span()).await.unwrap_or_else(|cause| {
        let error = Error::failure("a request was broken off: this is a bug of webox");
        problem::from_error(&error.because(cause))
    })
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

/// Headers of an answer that belong to what was done.
const KEPT_HEADERS: [HeaderName; 2] = [header::ETAG, header::LOCATION];

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    headers: BTreeMap<String, String>,
    body: String,
}

impl Kept {
    fn of(head: &Parts, body: &Bytes) -> Option<Self> {
        let headers = KEPT_HEADERS.iter().filter_map(|name| {
            Some((name.to_string(), head.headers.get(name)?.to_str().ok()?.to_owned()))
        });
        let body = std::str::from_utf8(body).ok()?.to_owned();
        Some(Self { headers: headers.collect(), body })
    }
}

fn again(status: u16, kept: &str) -> Response {
    if kept.is_empty() {
        let done = "this request was answered before, and who it was about has been erased since";
        return problem::from_error(&Error::conflict(done).hint("use a new Idempotency-Key"));
    }
    let Ok(kept) = serde_json::from_str::<Kept>(kept) else {
        return problem::from_error(&Error::failure("an answer that was kept cannot be read"));
    };
    let mut response = Response::builder()
        .status(StatusCode::from_u16(status).unwrap_or(StatusCode::OK))
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotent-replayed", "true");
    for (name, value) in kept.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(kept.body)).unwrap_or_default()
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
    let kept = Kept::of(&head, &body).filter(|_| status.is_success());
    let kept = match kept.and_then(|kept| serde_json::to_string(&kept).ok()) {
        Some(kept) => {
            let write = move |tx: &crate::store::Tx| {
                idempotency::finish(tx, &who, &key, status.as_u16(), &kept)
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
