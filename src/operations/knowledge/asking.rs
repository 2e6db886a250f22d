//! Asking a model what a caller's words are about, in the time that a turn has.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    domain::{Assistant, AssistantId, ModelRef, Outcome, Result, Vector},
    operations::ledger,
    providers::{
        breaker::Breakers,
        llm::{Embedded, Embedder, ModelError, Models},
    },
    store::{Store, Tx},
};

/// A caller waits no longer: who answers in time does so within a third of a second, and nobody hears the
/// rest.
const WITHIN: Duration = Duration::from_millis(600);

/// Questions whose vectors are kept: one is looked up several times within a turn.
const KEPT: usize = 256;

/// The models, and what they said lately.
pub(super) struct Asking {
    models: Models,
    breakers: Breakers,
    kept: Mutex<VecDeque<(String, String, Arc<Vector>)>>,
    /// Tokens of questions that are still to be stored: a turn does not wait for that.
    read: Mutex<BTreeMap<(AssistantId, String), u32>>,
}

impl Asking {
    pub(super) fn new(models: Models, breakers: Breakers) -> Self {
        Self { models, breakers, kept: Mutex::default(), read: Mutex::default() }
    }

    /// An assistant's model, with the client's own key where that is one for it.
    pub(super) fn embedder(
        &self,
        assistant: &Assistant,
        model: &ModelRef,
    ) -> std::result::Result<Embedder, ModelError> {
        let ai = &assistant.spec.ai;
        let key = ai.api_key.as_ref().filter(|_| self.models.share_a_provider(model, &ai.model));
        self.models.find_embedder(model, key, assistant.owner.as_ref().map(|owner| owner.id))
    }

    /// The vector of a question, and of which model; nothing where it does not come in time. Why, the log
    /// tells.
    pub(super) async fn question(
        &self,
        assistant: &Assistant,
        asked: &str,
    ) -> Option<(ModelRef, Arc<Vector>)> {
        let model = assistant.spec.ai.embeddings.clone()?;
        if let Some(vector) = self.known(&model, asked) {
            return Some((model, vector));
        }
        let breaker = breaker(&model);
        if !self.breakers.allows(&breaker) {
            return None;
        }
        let asking = async {
            let embedder = self.embedder(assistant, &model)?;
            embedder.embed(&[asked.to_owned()]).await
        };
        let answered = tokio::time::timeout(WITHIN, asking).await.unwrap_or_else(|_| {
            let detail = format!("no answer within {} ms", WITHIN.as_millis());
            Err(ModelError { outcome: Outcome::TimedOut, detail, retry_after: None })
        });
        match answered {
            Ok(Embedded { vectors, tokens }) => {
                self.breakers.succeeded(&breaker);
                let vector = Arc::new(Vector::of(vectors.first()?));
                self.keep(&model, asked, &vector);
                self.count(assistant.id, &model, tokens);
                Some((model, vector))
            }
            Err(error) => {
                self.breakers.failed(&breaker, &error.outcome);
                tracing::warn!(
                    assistant = %assistant.spec.name, model = %model,
                    outcome = error.outcome.as_str(), detail = %error.detail,
                    "what was said could not be embedded: documents are found by words"
                );
                None
            }
        }
    }

    fn known(&self, model: &ModelRef, asked: &str) -> Option<Arc<Vector>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is =
            |(of, text, _): &&(String, String, Arc<Vector>)| of == model.as_str() && text == asked;
        kept.iter().find(is).map(|(_, _, vector)| Arc::clone(vector))
    }

    fn keep(&self, model: &ModelRef, asked: &str, vector: &Arc<Vector>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(KEPT - 1);
        kept.push_front((model.as_str().to_owned(), asked.to_owned(), Arc::clone(vector)));
    }

    fn count(&self, id: AssistantId, model: &ModelRef, tokens: u32) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let count = read.entry((id, model.as_str().to_owned())).or_default();
        *count = count.saturating_add(tokens);
    }

    /// Stores how many tokens questions had since the last time.
    pub(super) async fn note_tokens(&self, store: &Store, now: Timestamp) -> Result<()> {
        let read = std::mem::take(&mut *self.read.lock().unwrap_or_else(PoisonError::into_inner));
        if read.is_empty() {
            return Ok(());
        }
        let (cache, again) = (store.clone(), read.clone());
        let note = move |tx: &Tx| {
            read.iter().try_for_each(|((id, model), tokens)| {
                ledger::embedded(tx, &cache, *id, model, *tokens, now)
            })
        };
        let noted = store.write_async(note).await;
        if noted.is_err() {
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            for (of, tokens) in again {
                let count = read.entry(of).or_default();
                *count = count.saturating_add(tokens);
            }
        }
        noted
    }
}

/// Embeddings have a breaker of their own: a provider may answer chats and not these.
pub(super) fn breaker(model: &ModelRef) -> String {
    let provider = model.as_str().split('/').next().unwrap_or_default();
    format!("embeddings/{provider}")
}
