//! Looking for words in what was said.

use crate::{
    domain::{Actor, Result, TranscriptPage, TranscriptQuery},
    store::{Store, turn_words},
};

/// Turns in which some words were said, the newest call first: those of the calls that the actor may see.
pub fn search(store: &Store, actor: &Actor, query: &TranscriptQuery) -> Result<TranscriptPage> {
    let sight = actor.sight();
    store.read(|tx| turn_words::search(tx, sight, query))
}
