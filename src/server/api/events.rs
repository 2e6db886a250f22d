//! `/api/voice/events`: calls as they happen, as server-sent events (WHATWG HTML, section 9.2).

use std::{convert::Infallible, time::Duration};

use aide::{
    OperationOutput, generate::GenContext, openapi::Operation, transform::TransformOperation,
};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, Stream};

use super::{auth::Asker, extract::Failure};
use crate::{
    api::EventView,
    domain::{Actor, EventId},
    operations::events,
    server::App,
    store::Store,
};

/// How often the store is asked: also other processes write there.
const EVERY: Duration = Duration::from_millis(200);

/// How often a token is looked at again: one that was revoked hears no more.
const STILL_GOOD: u32 = 5;

/// A comment now and then: proxies cut what is silent.
const ALIVE: Duration = Duration::from_secs(15);

/// What the document says of the stream.
pub(super) fn told(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    operation
        .summary("Calls as they happen: server-sent events `ring`, `turn`, `end`, each with a CallEvent as JSON; `Last-Event-ID` resumes")
        .response_with::<200, EventStream, _>(|response| {
            response.description("A stream that does not end by itself")
        })
}

/// The stream, for the document only.
pub(super) struct EventStream;

impl OperationOutput for EventStream {
    type Inner = EventView;

    fn operation_response(
        ctx: &mut GenContext,
        operation: &mut Operation,
    ) -> Option<aide::openapi::Response> {
        let mut response = axum::Json::<EventView>::operation_response(ctx, operation)?;
        let content = response.content.swap_remove("application/json")?;
        response.content.insert("text/event-stream".to_owned(), content);
        Some(response)
    }
}

struct Watch {
    store: Store,
    actor: Actor,
    last: EventId,
    waiting: Vec<EventView>,
    looks: u32,
}

pub(super) async fn watch(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let resumed = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse().ok());
    let last = match resumed {
        Some(id) => EventId(id),
        None => events::newest(&app.store).await?,
    };
    let watch = Watch { store: app.store, actor: asker.actor, last, waiting: Vec::new(), looks: 0 };
    let stopping = app.stopping.clone();
    Ok(Sse::new(until(stopping, events_of(watch)))
        .keep_alive(KeepAlive::new().interval(ALIVE))
        .into_response())
}

/// Ends the stream when the daemon stops, so that nobody waits for it.
fn until(
    mut stopping: tokio::sync::watch::Receiver<bool>,
    events: impl Stream<Item = Result<Event, Infallible>>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    use futures_util::StreamExt;
    events.take_until(async move {
        // A daemon that is gone has stopped, too.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    })
}

fn events_of(watch: Watch) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(watch, |mut watch| async move {
        loop {
            if let Some(view) = watch.waiting.pop() {
                return Some((Ok(event(&view)), watch));
            }
            tokio::time::sleep(EVERY).await;
            watch.looks += 1;
            if watch.looks.is_multiple_of(STILL_GOOD) && !still_good(&watch).await {
                return None;
            }
            match events::after(&watch.store, &watch.actor, watch.last).await {
                Ok(found) => {
                    watch.last = found.last().map_or(watch.last, |event| event.id);
                    watch.waiting = found.into_iter().rev().map(EventView::from).collect();
                }
                // The store is busy; those who watch can wait.
                Err(error) => tracing::debug!(%error, "events could not be read"),
            }
        }
    })
}

async fn still_good(watch: &Watch) -> bool {
    let (store, actor) = (watch.store.clone(), watch.actor.clone());
    let now = jiff::Timestamp::now();
    let look = move || crate::operations::accounts::is_still(&store, &actor, now);
    matches!(tokio::task::spawn_blocking(look).await, Ok(Ok(true)))
}

fn event(view: &EventView) -> Event {
    let event = Event::default().id(view.id.0.to_string()).event(view.event.clone());
    match serde_json::to_string(view) {
        Ok(json) => event.data(json),
        Err(_) => event.comment("unreadable"),
    }
}
