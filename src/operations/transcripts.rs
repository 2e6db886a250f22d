//! Looking for words in what was said.

use std::time::Duration;

use crate::{
    domain::{Actor, Result, TranscriptPage, TranscriptQuery},
    store::{Store, turn_search},
};

/// How long a page takes at most, but for what happens between two looks at the clock: a page that has
/// less than it could is better than none for seconds.
const PATIENCE: Duration = Duration::from_millis(150);

/// Turns in which some words were said, the newest call first: those of the calls that the actor may see.
/// A page with fewer turns than asked for is the last one only when nothing is next.
///
/// # Errors
/// When the store cannot be read.
pub fn search(store: &Store, actor: &Actor, query: &TranscriptQuery) -> Result<TranscriptPage> {
    let sight = actor.sight();
    store.read(|tx| turn_search::search(tx, sight, query, PATIENCE))
}
