//! Looking things up in an assistant's documents: for a caller, and for whoever wants to see what would
//! be found.

mod asking;
mod embedding;
mod shelves;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    domain::{
        Actor, Assistant, AssistantSpec, Error, Found, Heard, KeptDocument, LanguageTag, Question,
        Result, Turn, goes_on, merge, rank,
    },
    providers::{breaker::Breakers, llm::Models},
    store::{Store, StoreError, Tx, embeddings, knowledge},
};

use self::{asking::Asking, shelves::Shelves};
pub use embedding::embed_due;

/// Passages that join one turn, and how long they may be together, in characters: about 600 tokens.
const MOST: usize = 4;
const LONGEST: usize = 2_400;

/// A turn waits no longer for them; it takes a few milliseconds.
const WITHIN: Duration = Duration::from_millis(500);

/// The longest question, in characters.
const LONGEST_QUESTION: usize = 1_000;

/// What is found of own words, and is little: the words before are taken along.
const LITTLE: f64 = 0.5;

/// How documents are looked up: by words, and by what they mean where a model can be asked.
#[derive(Clone, Default)]
pub struct Library {
    asking: Option<Arc<Asking>>,
    shelves: Arc<Shelves>,
}

impl Library {
    /// By words alone: nobody is asked.
    pub fn by_words() -> Self {
        Self::default()
    }

    /// With the models that assistants' files name. One that failed a few times is left alone for a while.
    pub fn asking(models: Models, breakers: Breakers) -> Self {
        let asking = Some(Arc::new(Asking::new(models, breakers)));
        Self { asking, shelves: Arc::default() }
    }

    /// Whether models can be asked.
    pub fn asks(&self) -> bool {
        self.asking.is_some()
    }

    /// What is found for a caller in the documents of the version that the call began with. `before` is
    /// what was said before, where what is said now may go on with it. A turn goes on without, and says
    /// so in the log, when they cannot be read in time.
    pub async fn look_up(
        &self,
        store: &Store,
        assistant: &Arc<Assistant>,
        said: &str,
        before: Option<&str>,
    ) -> Vec<Found> {
        if assistant.spec.knowledge.is_empty() || said.trim().is_empty() {
            return Vec::new();
        }
        let found = self.find(store, assistant, said, before).await;
        found.unwrap_or_else(|error| {
            let name = &assistant.spec.name;
            tracing::error!(assistant = %name, %error, "documents could not be looked up: the turn goes on without");
            Vec::new()
        })
    }

    async fn find(
        &self,
        store: &Store,
        assistant: &Arc<Assistant>,
        said: &str,
        before: Option<&str>,
    ) -> Result<Vec<Found>> {
        let (of, said, before) =
            (Arc::clone(assistant), said.to_owned(), before.map(str::to_owned));
        let by_words =
            in_time(store.read_async(move |tx| in_words(tx, &of, &said, before.as_deref())))
                .await?;
        let InWords { asked, says_something, found } = by_words;
        let question = match &self.asking {
            Some(asking) if says_something => asking.question(assistant, &asked).await,
            _ => None,
        };
        let Some((model, question)) = question else { return Ok(short(found)) };
        let (of, shelves) = (Arc::clone(assistant), Arc::clone(&self.shelves));
        let by_meaning =
            in_time(store.read_async(move |tx| shelves.nearest(tx, &of, &model, &question))).await;
        match by_meaning {
            Ok(by_meaning) => Ok(short(merge(found, by_meaning))),
            Err(error) => {
                let name = &assistant.spec.name;
                tracing::error!(assistant = %name, %error, "vectors could not be read: documents are found by words");
                Ok(short(found))
            }
        }
    }

    /// The same of what was heard, after some turns.
    pub(super) async fn heard(
        &self,
        store: &Store,
        assistant: &Arc<Assistant>,
        heard: &Heard,
        history: &[Turn],
    ) -> Vec<Found> {
        let spoken = |heard: &Heard| match heard {
            Heard::Speech { text, .. } => Some(text.clone()),
            Heard::Digits(_) | Heard::Silence => None,
        };
        let Some(said) = spoken(heard) else { return Vec::new() };
        let before = history.iter().rev().find_map(|turn| spoken(turn.heard.as_ref()?));
        self.look_up(store, assistant, &said, before.as_deref()).await
    }
}

async fn in_time<T>(read: impl Future<Output = Result<T>>) -> Result<T> {
    let read = tokio::time::timeout(WITHIN, read).await;
    read.unwrap_or_else(|_| Err(Error::unavailable("the store took too long")))
}

/// What was found by words.
struct InWords {
    /// What was looked up: what was said, and what was said before where that belongs to it.
    asked: String,
    /// Whether anything is asked at all.
    says_something: bool,
    found: Vec<Found>,
}

/// The best passages for something said, in any of the assistant's languages.
fn in_words(
    tx: &Tx,
    assistant: &Assistant,
    said: &str,
    before: Option<&str>,
) -> Result<InWords, StoreError> {
    let languages: Vec<LanguageTag> = assistant.spec.voice.spoken().into_iter().cloned().collect();
    let look = |asked: &str| -> Result<(Question, Vec<Found>), StoreError> {
        let question = Question::of(asked, &languages);
        let (passages, of) = knowledge::look_up(tx, assistant, &question)?;
        let found = rank(&question, passages, of);
        Ok((question, found))
    };
    let asked: String = said.chars().take(LONGEST_QUESTION).collect();
    let (question, found) = look(&asked)?;
    let is_little = found.first().is_none_or(|best| best.score < LITTLE);
    if let (true, Some(before)) = (is_little && goes_on(&asked, &languages), before) {
        let together: String = format!("{before} {asked}").chars().take(LONGEST_QUESTION).collect();
        let (question, found) = look(&together)?;
        return Ok(InWords { asked: together, says_something: !question.is_empty(), found });
    }
    Ok(InWords { asked, says_something: !question.is_empty(), found })
}

/// As many as join one turn.
fn short(mut found: Vec<Found>) -> Vec<Found> {
    let mut left = LONGEST;
    found.retain(|one| {
        let length = one.passage.heading.chars().count() + one.passage.text.chars().count();
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    });
    found.truncate(MOST);
    found
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
pub async fn search(
    store: &Store,
    library: &Library,
    actor: &Actor,
    name: &str,
    said: &str,
    now: Timestamp,
) -> Result<Vec<Found>> {
    let (of, actor, name) = (store.clone(), actor.clone(), name.to_owned());
    let found =
        tokio::task::spawn_blocking(move || super::assistants::find(&of, &actor, &name)).await;
    let assistant = found
        .unwrap_or_else(|error| Err(Error::failure("a read was broken off").because(error)))?;
    if assistant.spec.knowledge.is_empty() {
        return Ok(Vec::new());
    }
    let found = library.find(store, &Arc::new(assistant), said, None).await;
    if let Some(asking) = &library.asking {
        asking.note_tokens(store, now).await?;
    }
    found
}

/// An assistant with the texts of its documents, to be rehearsed or written elsewhere.
pub fn with_texts(store: &Store, assistant: &Assistant) -> Result<AssistantSpec> {
    store.read(|tx| knowledge::with_texts(tx, assistant))
}

/// Drops passages and vectors that nobody looks up any more; says of how many documents.
pub async fn drop_unused(store: &Store) -> Result<u64> {
    // Looked for by a reader: what is not due costs callers nothing.
    let mut dropped = 0;
    if !store.read_async(knowledge::unused).await?.is_empty() {
        dropped = store.write_async(knowledge::drop_unused).await?;
    }
    if !store.read_async(embeddings::unused).await?.is_empty() {
        store.write_async(embeddings::drop_unused).await?;
    }
    Ok(dropped)
}
