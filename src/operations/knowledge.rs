//! Looking things up in an assistant's documents: for a caller, and for whoever wants to see what would
//! be found.

use std::{sync::Arc, time::Duration};

use crate::{
    domain::{
        Actor, Assistant, AssistantSpec, Error, Found, Heard, KeptDocument, LanguageTag, Question,
        Result, rank,
    },
    store::{Store, StoreError, Tx, knowledge},
};

/// Passages that join one turn, and how long they may be together, in characters: about 600 tokens.
const MOST: usize = 4;
const LONGEST: usize = 2_400;

/// A turn waits no longer for them; it takes a few milliseconds.
const WITHIN: Duration = Duration::from_millis(500);

/// The longest question, in characters.
const LONGEST_QUESTION: usize = 1_000;

/// The best passages for something said, in any of the assistant's languages.
fn look_up_in(tx: &Tx, assistant: &Assistant, said: &str) -> Result<Vec<Found>, StoreError> {
    let said: String = said.chars().take(LONGEST_QUESTION).collect();
    let languages: Vec<LanguageTag> = assistant.spec.voice.spoken().into_iter().cloned().collect();
    let question = Question::of(&said, &languages);
    let (passages, of) = knowledge::look_up(tx, assistant, &question)?;
    let mut left = LONGEST;
    let mut found = rank(&question, passages, of);
    found.retain(|one| {
        let length = one.passage.heading.chars().count() + one.passage.text.chars().count();
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    });
    found.truncate(MOST);
    Ok(found)
}

/// What is found for a caller in the documents of the version that the call began with. A turn goes on
/// without, and says so in the log, when they cannot be read in time.
pub async fn look_up(store: &Store, assistant: &Arc<Assistant>, said: &str) -> Vec<Found> {
    if assistant.spec.knowledge.is_empty() || said.trim().is_empty() {
        return Vec::new();
    }
    let (name, said, assistant) =
        (assistant.spec.name.clone(), said.to_owned(), Arc::clone(assistant));
    let read = store.read_async(move |tx| look_up_in(tx, &assistant, &said));
    let read = tokio::time::timeout(WITHIN, read).await;
    let found = read.unwrap_or_else(|_| Err(Error::unavailable("the store took too long")));
    found.unwrap_or_else(|error| {
        tracing::error!(assistant = %name, %error, "documents could not be looked up: the turn goes on without");
        Vec::new()
    })
}

/// The same of what was heard.
pub(super) async fn heard(store: &Store, assistant: &Arc<Assistant>, heard: &Heard) -> Vec<Found> {
    match heard {
        Heard::Speech { text, .. } => look_up(store, assistant, text).await,
        Heard::Digits(_) | Heard::Silence => Vec::new(),
    }
}

/// The documents of an assistant, by path.
pub fn documents(
    store: &Store,
    actor: &Actor,
    name: &str,
    texts: bool,
) -> Result<Vec<KeptDocument>> {
    let assistant = super::assistants::find(store, actor, name)?;
    store.read(|tx| knowledge::of_assistant(tx, &assistant, texts))
}

/// What a caller who says this would be answered from.
pub fn search(store: &Store, actor: &Actor, name: &str, said: &str) -> Result<Vec<Found>> {
    let assistant = super::assistants::find(store, actor, name)?;
    store.read(|tx| look_up_in(tx, &assistant, said))
}

/// An assistant with the texts of its documents, to be rehearsed or written elsewhere.
pub fn with_texts(store: &Store, assistant: &Assistant) -> Result<AssistantSpec> {
    store.read(|tx| knowledge::with_texts(tx, assistant))
}

/// Drops passages that nobody looks up any more; says of how many documents.
pub async fn drop_unused(store: &Store) -> Result<u64> {
    // Looked for by a reader: what is not due costs callers nothing.
    if store.read_async(knowledge::unused).await?.is_empty() {
        return Ok(0);
    }
    store.write_async(knowledge::drop_unused).await
}
