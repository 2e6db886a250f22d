//! What Twilio has still to remove: the recordings and records of callers who were forgotten, and
//! of those who do not want to be recorded. The daemon asks until it is done.

use jiff::Timestamp;

use crate::{
    domain::{Actor, Removal, RemovalId, Result},
    store::{Store, removals},
};

/// At a time: whoever objects to being recorded waits for one of the others at most.
const AT_ONCE: u32 = 1;

/// What the actor may see of it, oldest first.
pub fn list(store: &Store, actor: &Actor) -> Result<Vec<Removal>> {
    let sight = actor.sight();
    store.read(|tx| removals::list(tx, sight))
}

/// Some of those that are due.
pub async fn due(store: &Store, now: Timestamp) -> Result<Vec<Removal>> {
    store.read_async(move |tx| removals::due(tx, now, AT_ONCE)).await
}

/// Twilio has done it.
pub async fn done(store: &Store, id: RemovalId) -> Result<()> {
    store.write_async(move |tx| removals::done(tx, id)).await
}

/// Twilio has not done it, and why.
pub async fn failed(store: &Store, removal: Removal, why: String, now: Timestamp) -> Result<()> {
    store.write_async(move |tx| removals::failed(tx, &removal, &why, now)).await
}
