//! Twilio's webhooks: read, judged, handed to the line, answered with TwiML.

use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tracing::Instrument;

use super::{App, body, problem};
use crate::{
    domain::{CallSid, Result},
    line::Line,
    twilio::{
        form::Form,
        webhook::{Dialled, Gathered, Incoming, Status, WebhookError},
    },
};

/// A call rings.
pub(super) async fn incoming(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (form, query) = match admit(&app, &uri, &headers, query, body).await {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    let request = match Incoming::read(&form) {
        Ok(request) => request,
        Err(error) => return unreadable(&error),
    };
    let attempt = query.step.unwrap_or(0);
    let sid = request.call_sid.clone();
    in_own_task(&sid, app.line, move |line| async move { line.ring(request, attempt).await }).await
}

/// The caller was heard.
pub(super) async fn process(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (form, query) = match admit(&app, &uri, &headers, query, body).await {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    let request = match Gathered::read(&form) {
        Ok(request) => request,
        Err(error) => return unreadable(&error),
    };
    if let Err(refused) = same_call(&query, &request.call_sid) {
        return *refused;
    }
    let (turn, step) = (query.turn, query.step.unwrap_or(0));
    let sid = request.call_sid.clone();
    in_own_task(&sid, app.line, move |line| async move { line.hear(request, turn, step).await })
        .await
}

/// Twilio comes back for a reply that was late.
pub(super) async fn wait(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (form, query) = match admit(&app, &uri, &headers, query, body).await {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    let request = match Incoming::read(&form) {
        Ok(request) => request,
        Err(error) => return unreadable(&error),
    };
    if let Err(refused) = same_call(&query, &request.call_sid) {
        return *refused;
    }
    let (Some(turn), Some(step)) = (query.turn, query.step) else {
        return refuse(StatusCode::BAD_REQUEST, "the address lacks `turn` or `step`");
    };
    let sid = request.call_sid.clone();
    in_own_task(&sid, app.line, move |line| async move { line.wait(request, turn, step).await })
        .await
}

/// A transfer is over.
pub(super) async fn transfer(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let (form, query) = match admit(&app, &uri, &headers, query, body).await {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    let request = match Dialled::read(&form) {
        Ok(request) => request,
        Err(error) => return unreadable(&error),
    };
    if let Err(refused) = same_call(&query, &request.call_sid) {
        return *refused;
    }
    let Some(turn) = query.turn else {
        return refuse(StatusCode::BAD_REQUEST, "the address lacks `turn`");
    };
    let sid = request.call_sid.clone();
    in_own_task(&sid, app.line, move |line| async move { line.transferred(request, turn).await })
        .await
}

/// A call's status changed.
pub(super) async fn status(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match admit(&app, &uri, &headers, query, body).await {
        Ok((form, _)) => form,
        Err(refused) => return *refused,
    };
    let request = match Status::read(&form) {
        Ok(request) => request,
        Err(error) => return unreadable(&error),
    };
    let span = tracing::info_span!("call", call_sid = %request.call_sid);
    let task = async move { app.line.follow_status(request).await };
    match tokio::spawn(task.instrument(span)).await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        // Twilio does not repeat status callbacks; the sweep closes the call. The log says so.
        Ok(Err(error)) => problem::from_error(&error),
        Err(_) => problem::problem(StatusCode::INTERNAL_SERVER_ERROR, "this is a bug of webox"),
    }
}

/// What our own action URLs carry.
#[derive(Debug, Default, Deserialize)]
struct Query {
    call_sid: Option<CallSid>,
    turn: Option<u32>,
    step: Option<u32>,
}

/// Reads a request and lets it in, or answers why not. Nothing is stored before this.
async fn admit(
    app: &App,
    uri: &Uri,
    headers: &HeaderMap,
    query: Option<String>,
    body: Body,
) -> Result<(Form, Query), Box<Response>> {
    let bytes = body::read_form(headers, body)
        .await
        .map_err(|(status, why)| Box::new(refuse(status, why)))?;
    let form = match Form::parse(&bytes) {
        Ok(form) => form,
        Err(error) => return Err(Box::new(unreadable(&WebhookError::from(error)))),
    };
    if !app.gate.lets_in(headers, uri, &form) {
        tracing::warn!(path = uri.path(), "refused a request without a valid Twilio signature");
        // No body: a stranger learns nothing.
        return Err(Box::new(StatusCode::FORBIDDEN.into_response()));
    }
    let query = read_query(query.as_deref().unwrap_or_default()).ok_or_else(|| {
        Box::new(refuse(StatusCode::BAD_REQUEST, "the address has an unreadable query"))
    })?;
    Ok((form, query))
}

fn read_query(query: &str) -> Option<Query> {
    let form = Form::parse(query.as_bytes()).ok()?;
    let number = |name: &str| form.get(name).map(str::parse::<u32>).transpose().ok();
    Some(Query {
        call_sid: form.get("call_sid").map(str::parse).transpose().ok()?,
        turn: number("turn")?,
        step: number("step")?,
    })
}

fn same_call(query: &Query, sid: &CallSid) -> Result<(), Box<Response>> {
    match &query.call_sid {
        Some(other) if other != sid => {
            Err(Box::new(refuse(StatusCode::BAD_REQUEST, "the address is that of another call")))
        }
        _ => Ok(()),
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    tracing::warn!(status = status.as_u16(), why, "refused a webhook");
    problem::problem(status, why)
}

fn unreadable(error: &WebhookError) -> Response {
    refuse(StatusCode::BAD_REQUEST, &error.to_string())
}

/// Runs a turn in a task that outlives the connection, and answers its TwiML.
async fn in_own_task<F>(
    sid: &CallSid,
    line: Line,
    work: impl FnOnce(Line) -> F + Send + 'static,
) -> Response
where
    F: Future<Output = String> + Send + 'static,
{
    let span = tracing::info_span!("call", call_sid = %sid);
    let fallback = line.clone();
    match tokio::spawn(work(line).instrument(span)).await {
        Ok(twiml) => twiml_response(twiml),
        Err(error) => {
            tracing::error!(call_sid = %sid, %error, "a turn was broken off: this is a bug of webox");
            twiml_response(fallback.apology())
        }
    }
}

fn twiml_response(twiml: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], twiml).into_response()
}
