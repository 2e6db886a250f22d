//! Vectors for passages that lack one: asked for beside the calls, until they came.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::{Library, asking::Asking};
use crate::{
    domain::{Outcome, Result, Vector},
    operations::ledger,
    providers::llm::{Embedded, ModelError},
    store::{
        Store,
        embeddings::{self, Batch},
    },
};

/// Assistants whose passages are asked for at once, and passages in one request.
const ASSISTANTS: usize = 4;
const TEXTS: usize = 32;

/// How often a provider may fail before it is looked at which text it fails on.
const PATIENCE: u32 = 6;

/// Nobody waits for it, and models on one's own machine take their time.
const WITHIN: Duration = Duration::from_mins(2);

/// Asks for what is due, a batch for each of some assistants. Says whether any came: there may be more.
pub async fn embed_due(store: &Store, library: &Library, now: Timestamp) -> Result<bool> {
    let Some(asking) = &library.asking else { return Ok(false) };
    asking.note_tokens(store, now).await?;
    let due = store.read_async(move |tx| embeddings::due(tx, now, ASSISTANTS, TEXTS)).await?;
    let settled = join_all(due.into_iter().map(|batch| settle(store, asking, batch, now))).await;
    settled.into_iter().try_fold(false, |any, one| Ok(any | one?))
}

async fn settle(store: &Store, asking: &Asking, batch: Batch, now: Timestamp) -> Result<bool> {
    match ask(asking, &batch).await {
        Ok(Embedded { vectors, tokens }) => {
            let digests = batch.texts.into_iter().map(|(digest, _)| digest);
            let came: Vec<_> =
                digests.zip(vectors.iter().map(|numbers| Vector::of(numbers))).collect();
            let (id, model) = (batch.assistant.id, batch.model);
            let cache = store.clone();
            store
                .write_async(move |tx| {
                    embeddings::came(tx, id, &model, &came, now)?;
                    ledger::embedded(tx, &cache, id, model.as_str(), tokens, now)
                })
                .await?;
            Ok(true)
        }
        Err(error) => {
            let (name, model) = (batch.assistant.spec.name.clone(), batch.model.clone());
            let why = format!("{}: {}", error.outcome.as_str(), error.detail);
            // A text that a server breaks on looks like a server that is down: after a few tries each is
            // asked for by itself, so that one keeps no others back.
            // One alone waits like any other: its server may be down after all.
            let broken = error.outcome == Outcome::ServerError
                && batch.attempts >= PATIENCE
                && batch.texts.len() > 1;
            if broken || matches!(error.outcome, Outcome::BadRequest | Outcome::Unusable) {
                if batch.texts.len() == 1 {
                    tracing::warn!(assistant = %name, model = %model, why, "a passage cannot be embedded");
                }
                store.write_async(move |tx| embeddings::refused(tx, &batch, &why)).await?;
                return Ok(false);
            }
            if batch.attempts == 0 {
                tracing::warn!(
                    assistant = %name, model = %model, why,
                    "passages could not be embedded: they are found by words until they are"
                );
            }
            let not_before = error.retry_after.and_then(|wait| SignedDuration::try_from(wait).ok());
            let not_before = not_before.unwrap_or(SignedDuration::ZERO);
            store
                .write_async(move |tx| embeddings::failed(tx, &batch, &why, not_before, now))
                .await?;
            Ok(false)
        }
    }
}

async fn ask(asking: &Asking, batch: &Batch) -> std::result::Result<Embedded, ModelError> {
    let embedder = asking.embedder(&batch.assistant, &batch.model)?;
    let texts: Vec<String> = batch.texts.iter().map(|(_, text)| text.clone()).collect();
    tokio::time::timeout(WITHIN, embedder.embed(&texts)).await.unwrap_or_else(|_| {
        let detail = format!("no answer within {} s", WITHIN.as_secs());
        Err(ModelError { outcome: Outcome::TimedOut, detail, retry_after: None })
    })
}
