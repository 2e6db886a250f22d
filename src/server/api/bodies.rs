//! Bodies: read whole before anything is done with them, bounded each and all together.

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use hyper::body::Body as _;

use super::failure::Failure;
use crate::{
    domain::{Actor, Error, Kind},
    server::{App, permits::Permit, problem},
};

/// Bytes of a body: a long context, a value of 64 KiB, with room.
const BODY: usize = 1024 * 1024;

/// Bytes of a bundle of files or a list of people, and the routes that take one.
const BUNDLE: usize = 16 * 1024 * 1024;
const BUNDLES: [&str; 7] = [
    "/api/voice/validate",
    "/api/voice/plan",
    "/api/voice/apply",
    "/api/voice/plan/numbers",
    "/api/voice/apply/numbers",
    "/api/voice/campaigns",
    "/api/voice/campaigns/preview",
];

/// A body that is not there by then is given up.
const WITHIN: Duration = Duration::from_secs(10);

/// The beginning of each body is not counted: nearly all are shorter, and they are not to wait for
/// the few that are large.
const UNCOUNTED: usize = 16 * 1024;

/// How soon to come back when there is no room: most have it for less.
const COME_BACK: Duration = WITHIN;

/// Bytes of a body that is too large which are read and thrown away: somebody who is still sending
/// when the connection is closed does not see the answer.
const SPILLED: usize = 4 * 1024 * 1024;
const SPILLED_WITHIN: Duration = Duration::from_secs(1);

/// Reads the body, and holds its share of the room until the request is answered.
pub(super) async fn buffer(State(app): State<App>, request: Request, next: Next) -> Response {
    if ![Method::POST, Method::PUT, Method::PATCH].contains(request.method()) {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let most = if route.is_some_and(|route| BUNDLES.contains(&route)) { BUNDLE } else { BODY };
    let (head, body) = request.into_parts();
    let user = head.extensions.get::<Actor>().and_then(Actor::user);
    let reading = read(body, most, |count| app.bodies.try_take_many(user, count));
    match tokio::time::timeout(WITHIN, reading).await {
        Err(_) => Failure::from(Error::input("the body took too long")).into_response(),
        Ok(Err(response)) => response,
        Ok(Ok((bytes, held))) => {
            let response = next.run(Request::from_parts(head, Body::from(bytes))).await;
            drop(held);
            response
        }
    }
}

async fn read(
    mut body: Body,
    most: usize,
    room: impl Fn(u32) -> Option<Permit>,
) -> Result<(Bytes, Option<Permit>), Response> {
    // What its length says, before any of it is kept.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(body).await);
    }
    let mut bytes = Vec::new();
    let mut held: Option<Permit> = None;
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Failure::from(Error::input("the body broke off")).into_response())?;
        let Ok(data) = frame.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > most {
            return Err(too_large(body).await);
        }
        let counted = length.saturating_sub(UNCOUNTED) - bytes.len().saturating_sub(UNCOUNTED);
        if counted > 0 {
            let Some(more) = u32::try_from(counted).ok().and_then(&room) else {
                return Err(problem::unavailable("too many large bodies at once", COME_BACK));
            };
            match &mut held {
                Some(held) => held.merge(more),
                None => held = Some(more),
            }
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes.into(), held))
}

/// The answer to a body that is too large, once it was sent, or [`SPILLED`] of it were, or too slowly.
async fn too_large(body: Body) -> Response {
    let mut rest = Limited::new(body, SPILLED);
    let spilled = async { while let Some(Ok(_)) = rest.frame().await {} };
    // Who waits to be told to send it sends nothing.
    let _ = tokio::time::timeout(SPILLED_WITHIN, spilled).await;
    Failure::from(Error::new(Kind::TooLarge, "the body is too large")).into_response()
}
