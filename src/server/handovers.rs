//! Twilio's webhooks of calls that are handed to a human: its outcome, what the human hears and presses,
//! and a message when nobody takes the call.

use axum::{extract::State, http::StatusCode, response::Response};

use super::{
    App,
    admission::{Admitted, Query},
    problem,
    webhooks::{in_own_task, noted},
};
use crate::{
    domain::CallSid,
    line::Line,
    twilio::{
        handed::{Dialled, HumanLeg, LeftMessage, Transcribed},
        webhook::Recorded,
    },
};

/// A human was rung.
pub(super) async fn transfer(
    State(app): State<App>,
    Admitted { request, query, .. }: Admitted<Dialled>,
) -> Response {
    let Some(turn) = query.turn else {
        return problem::problem(StatusCode::BAD_REQUEST, "the address lacks `turn`");
    };
    let sid = request.call_sid.clone();
    // Addresses that were given out before humans were counted.
    let attempt = query.attempt.unwrap_or(1);
    let step = query.step.unwrap_or(0);
    let back =
        move |line: Line| async move { line.transferred(request, turn, attempt, step).await };
    in_own_task(&sid, app.line, back).await
}

/// The call, turn and attempt that a request of the human's side is for.
/// Which call, our own address says, which is signed: what else the request names, anybody may write.
fn rung_for(query: &Query) -> Option<(CallSid, u32, u32)> {
    Some((query.call_sid.clone()?, query.turn?, query.attempt?))
}

fn incomplete() -> Response {
    problem::problem(StatusCode::BAD_REQUEST, "the address lacks `call_sid`, `turn` or `attempt`")
}

/// A human picked up.
pub(super) async fn whisper(
    State(app): State<App>,
    Admitted { query, .. }: Admitted<HumanLeg>,
) -> Response {
    let Some((sid, turn, attempt)) = rung_for(&query) else { return incomplete() };
    let call = sid.clone();
    let told = move |line: Line| async move { line.whisper(&call, turn, attempt).await };
    in_own_task(&sid, app.line, told).await
}

/// A human pressed a key.
pub(super) async fn take(
    State(app): State<App>,
    Admitted { request, query, .. }: Admitted<HumanLeg>,
) -> Response {
    let Some((sid, turn, attempt)) = rung_for(&query) else { return incomplete() };
    let (call, step) = (sid.clone(), query.step.unwrap_or(0));
    let taken =
        move |line: Line| async move { line.taken(&call, &request, turn, attempt, step).await };
    in_own_task(&sid, app.line, taken).await
}

/// A message was spoken.
pub(super) async fn voicemail(
    State(app): State<App>,
    Admitted { request, query, .. }: Admitted<LeftMessage>,
) -> Response {
    let (sid, step) = (request.call_sid.clone(), query.step.unwrap_or(0));
    let left = move |line: Line| async move { line.left_message(request, step).await };
    in_own_task(&sid, app.line, left).await
}

/// A message is ready.
pub(super) async fn voicemail_recording(
    State(app): State<App>,
    Admitted { request, .. }: Admitted<Recorded>,
) -> Response {
    let sid = request.call_sid.clone();
    noted(&sid, async move { app.line.message_is_ready(request).await }).await
}

/// A message was written down.
pub(super) async fn voicemail_words(
    State(app): State<App>,
    Admitted { request, .. }: Admitted<Transcribed>,
) -> Response {
    let sid = request.call_sid.clone();
    noted(&sid, async move { app.line.message_in_words(request).await }).await
}
