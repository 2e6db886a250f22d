//! What happens on the phone, for those who watch.

use crate::{
    domain::{Actor, CallEvent, EventId, Result},
    store::{Store, events},
};

/// Events in one reading.
const AT_ONCE: u32 = 500;

/// The last event of all: where watching begins.
pub async fn newest(store: &Store) -> Result<EventId> {
    store.read_async(events::newest).await
}

/// What happened after an event, as far as the actor may see it, and the last event looked at.
pub async fn after(
    store: &Store,
    actor: &Actor,
    last: EventId,
) -> Result<(Vec<CallEvent>, EventId)> {
    let sight = actor.sight();
    store.read_async(move |tx| events::after(tx, last, sight, AT_ONCE)).await
}
