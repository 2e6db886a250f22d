//! `/api/voice/events`: calls as they happen, as server-sent events (WHATWG HTML, section 9.2).
//!
//! One task asks the store what the newest event is, for everybody; each stream reads what is new
//! to it when it is told of a newer one.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use aide::{
    OperationInput, OperationOutput, generate::GenContext, openapi::Operation,
    transform::TransformOperation,
};
use axum::{
    extract::{FromRequestParts, State},
    http::{HeaderName, HeaderValue, request::Parts},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::{auth::Asker, document, failure::Failure};
use crate::{
    api::EventView,
    domain::{Actor, Error, EventId, UserId},
    operations::events,
    server::{App, problem, shares::Share},
    store::Store,
};

/// How often the store is asked: also other processes write there.
const EVERY: Duration = Duration::from_millis(200);

/// How often a token is looked at again: one that was revoked hears no more.
const STILL_GOOD: Duration = Duration::from_secs(1);

/// A comment now and then: proxies cut what is silent.
const ALIVE: Duration = Duration::from_secs(15);

/// How soon somebody with too many streams may look whether one has ended.
const STREAM_ENDS: Duration = Duration::from_secs(30);

/// Tells those who watch of the newest event, while there are any.
pub(in crate::server) async fn tell_of_events(store: Store, newest: Arc<watch::Sender<EventId>>) {
    loop {
        tokio::time::sleep(EVERY).await;
        if newest.receiver_count() == 0 {
            continue;
        }
        match events::newest(&store).await {
            Ok(id) => {
                newest.send_if_modified(|known| std::mem::replace(known, id) != id);
            }
            // The store is busy; those who watch can wait.
            Err(error) => tracing::debug!(%error, "events could not be looked for"),
        }
    }
}

/// What the document says of the stream.
pub(super) fn told(operation: TransformOperation<'_>) -> TransformOperation<'_> {
    let text = "Calls as they happen: server-sent events `ring`, `turn`, `end`, each with a CallEvent as JSON";
    document::told("watchEvents", text, &[])(operation).response_with::<200, EventStream, _>(
        |response| response.description("A stream that does not end by itself"),
    )
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

/// The event that was heard last, from `Last-Event-ID`.
pub(super) struct Resumed(Option<EventId>);

impl FromRequestParts<App> for Resumed {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get("last-event-id") else { return Ok(Self(None)) };
        let id = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
        match id.and_then(|id| i64::try_from(id).ok()) {
            Some(id) => Ok(Self(Some(EventId(id)))),
            None => Err(Error::input("the `Last-Event-ID` is none of ours")
                .hint("send the `id` of the last event back, or leave it out to begin now")
                .into()),
        }
    }
}

impl OperationInput for Resumed {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        let description = "Goes on after this event, up to a day later";
        document::header::<EventId>(ctx, operation, "Last-Event-ID", description);
    }
}

struct Watch {
    store: Store,
    actor: Actor,
    newest: watch::Receiver<EventId>,
    last: EventId,
    waiting: VecDeque<EventView>,
    looked_at_token: Instant,
    _share: Option<Share<UserId>>,
}

pub(super) async fn watch(
    State(app): State<App>,
    asker: Asker,
    Resumed(resumed): Resumed,
) -> Result<Response, Failure> {
    let share = match asker.actor.user().map(|user| app.streams.take(user)) {
        Some(None) => return Ok(problem::too_many(STREAM_ENDS)),
        share => share.flatten(),
    };
    let newest = events::newest(&app.store).await?;
    // One that is still to come was of another store: from now on, nothing is passed over.
    let last = resumed.map_or(newest, |resumed| resumed.min(newest));
    let watch = Watch {
        store: app.store,
        actor: asker.actor,
        newest: app.newest_event.subscribe(),
        last,
        waiting: VecDeque::new(),
        looked_at_token: Instant::now(),
        _share: share,
    };
    // Something may have happened before this one was there to be told of it.
    app.newest_event.send_if_modified(|known| {
        let newer = newest > *known;
        *known = newest.max(*known);
        newer
    });
    let stopping = app.stopping.clone();
    let mut response = Sse::new(until(stopping, events_of(watch)))
        .keep_alive(KeepAlive::new().interval(ALIVE))
        .into_response();
    // nginx would keep events until it has a page of them.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(unbuffered, HeaderValue::from_static("no"));
    Ok(response)
}

/// Ends the stream when the daemon stops, so that nobody waits for it.
fn until(
    mut stopping: watch::Receiver<bool>,
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
            if let Some(view) = watch.waiting.pop_front() {
                return Some((Ok(event(&view)), watch));
            }
            if watch.looked_at_token.elapsed() >= STILL_GOOD {
                watch.looked_at_token = Instant::now();
                if !still_good(&watch).await {
                    return None;
                }
            }
            let last = watch.last;
            let newer = watch.newest.wait_for(|newest| *newest > last);
            let Ok(Ok(newest)) =
                tokio::time::timeout(STILL_GOOD, newer).await.map(|newest| newest.map(|id| *id))
            else {
                continue;
            };
            match events::after(&watch.store, &watch.actor, last).await {
                Ok((found, looked_at)) => {
                    // Also past what may not be seen: it is not looked at again. Where there is
                    // nothing to look at, it is forgotten by now.
                    watch.last = if looked_at > last { looked_at } else { newest };
                    watch.waiting = found.into_iter().map(EventView::from).collect();
                }
                Err(error) => {
                    tracing::debug!(%error, "events could not be read");
                    tokio::time::sleep(EVERY).await;
                }
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
