//! Twilio's webhooks: what was let in goes to the line, and its TwiML goes back.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use super::{
    App, admission::Admitted, leaving, limits::Signer, problem, twilio_accounts::OwnAccount,
};
use crate::{
    domain::CallSid,
    line::Line,
    twilio::webhook::{Gathered, Incoming, Recorded, Resumed, Status},
};

/// A call rings.
pub(super) async fn incoming(
    State(app): State<App>,
    Admitted { request, query, own }: Admitted<Incoming>,
) -> Response {
    let (sid, step) = (request.call_sid.clone(), query.step.unwrap_or(0));
    let later = query.later.unwrap_or(0);
    if step == 0 && app.leaving.has_begun() && later < leaving::RINGS_ON {
        tracing::info!(call_sid = %sid, "stopping: a new call rings on until the next process answers");
        return twiml(app.line.later(&sid, "incoming", 4, later + 1));
    }
    // A call that Twilio comes back for was let through before.
    if step == 0 && is_too_much(&app, &request, own.as_ref()) {
        tracing::warn!(call_sid = %sid, "too many calls ring at once: answered as busy");
        return twiml(app.line.busy(request.to.as_ref()));
    }
    in_own_task(&sid, app.line, move |line| async move { line.ring(request, step).await }).await
}

/// Whether too many ring. What is counted is what the signature is good for: a client's own account signs for
/// its numbers, whatever others its requests name.
fn is_too_much(app: &App, request: &Incoming, own: Option<&OwnAccount>) -> bool {
    let (signer, number) = if let Some(own) = own {
        (Some(Signer::Client(own.sid.clone())), request.to.as_ref().filter(|to| **to == own.number))
    } else {
        (request.account.clone().map(Signer::Agency), request.to.as_ref())
    };
    app.limits.ring(signer, number).is_err()
}

/// Twilio comes here where the address of a call that rings gave no answer that it could use. Whatever
/// is the matter, the caller hears a sentence, or is put through to a human.
pub(super) async fn fallback(
    State(app): State<App>,
    admitted: Result<Admitted<Incoming>, Response>,
) -> Response {
    match admitted {
        Ok(Admitted { request, .. }) => {
            let sid = request.call_sid.clone();
            tracing::error!(call_sid = %sid, "Twilio came to the fallback address: a call could not be answered");
            let answer = app.line.fall_back(request.to).await;
            twiml(answer)
        }
        // A client's own token is in the store: who cannot be told from a stranger because that is away
        // hears an apology, and nothing else.
        Err(refused) if refused.status() == StatusCode::FORBIDDEN => {
            if app.line.ready().await.is_ok() { refused } else { twiml(app.line.apology()) }
        }
        Err(refused) if refused.status() == StatusCode::TOO_MANY_REQUESTS => refused,
        Err(_) => twiml(app.line.apology()),
    }
}

/// The caller was heard.
pub(super) async fn process(
    State(app): State<App>,
    Admitted { request, query, .. }: Admitted<Gathered>,
) -> Response {
    let (sid, step) = (request.call_sid.clone(), query.step.unwrap_or(0));
    let hear = move |line: Line| async move { line.hear(request, query.turn, step).await };
    in_own_task(&sid, app.line, hear).await
}

/// Twilio comes back for a reply that was late.
pub(super) async fn wait(
    State(app): State<App>,
    Admitted { request, query, .. }: Admitted<Incoming>,
) -> Response {
    let (Some(turn), Some(step)) = (query.turn, query.step) else {
        return problem::problem(StatusCode::BAD_REQUEST, "the address lacks `turn` or `step`");
    };
    let sid = request.call_sid.clone();
    in_own_task(&sid, app.line, move |line| async move { line.wait(request, turn, step).await })
        .await
}

/// A socket of ours is over.
pub(super) async fn resume(
    State(app): State<App>,
    Admitted { request, query, .. }: Admitted<Resumed>,
) -> Response {
    let (sid, step) = (request.incoming.call_sid.clone(), query.step.unwrap_or(0));
    if *app.stopping.borrow() {
        // Another socket of ours would be closed at once: the next process opens one.
        let later = query.later.unwrap_or(0);
        if later < leaving::WAITS_ON {
            return twiml(app.line.later(&sid, "resume", 1, later + 1));
        }
        let resume =
            move |line: Line| async move { line.resume_without_socket(request, step).await };
        return in_own_task(&sid, app.line, resume).await;
    }
    in_own_task(&sid, app.line, move |line| async move { line.resume(request, step).await }).await
}

/// A call's status changed. Twilio does not repeat these; should one be lost, the sweep closes the
/// call.
pub(super) async fn status(
    State(app): State<App>,
    Admitted { mut request, query, .. }: Admitted<Status>,
) -> Response {
    request.outbound = query.outbound;
    let sid = request.call_sid.clone();
    noted(&sid, async move { app.line.follow_status(request).await }).await
}

/// Nothing happened: `webox doctor` asks whether what is signed arrives as it was signed. It came
/// through the same doors as every webhook, and that is all.
pub(super) async fn check(_: Admitted<Status>) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// A recording changed.
pub(super) async fn recording(
    State(app): State<App>,
    Admitted { request, .. }: Admitted<Recorded>,
) -> Response {
    let sid = request.call_sid.clone();
    noted(&sid, async move { app.line.recorded(request).await }).await
}

/// Does something in a task that outlives the connection, and has nothing to tell of it.
pub(super) async fn noted(
    sid: &CallSid,
    work: impl Future<Output = crate::domain::Result<()>> + Send + 'static,
) -> Response {
    let span = tracing::info_span!("call", call_sid = %sid);
    match tokio::spawn(work.instrument(span)).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, causes = ?error.causes(), "what Twilio told could not be stored");
            problem::from_error(&error)
        }
        Err(error) => {
            tracing::error!(call_sid = %sid, %error, "what Twilio told was broken off: this is a bug of webox");
            problem::problem(StatusCode::INTERNAL_SERVER_ERROR, "this is a bug of webox")
        }
    }
}

/// Runs a turn in a task that outlives the connection, and answers its TwiML.
pub(super) async fn in_own_task<F>(
    sid: &CallSid,
    line: Line,
    work: impl FnOnce(Line) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = String> + Send + 'static,
{
    let span = tracing::info_span!("call", call_sid = %sid);
    let fallback = line.clone();
    let answer = tokio::spawn(work(line).instrument(span)).await.unwrap_or_else(|error| {
        tracing::error!(call_sid = %sid, %error, "a turn was broken off: this is a bug of webox");
        fallback.apology()
    });
    twiml(answer)
}

fn twiml(document: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], document).into_response()
}
