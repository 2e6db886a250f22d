//! Replies that are late: thought about once, waited for by whoever asks.
//!
//! A turn is thought about in a task of its own. The request that began it waits a little, then
//! gives the caller a word and lets Twilio come back; a repeated delivery waits beside it.

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::domain::TurnId;

/// How long one request may wait, and how often Twilio may come back.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The first request: beyond it the caller hears a filler. Twilio itself waits 15 s.
    pub first: Duration,
    /// The following ones.
    pub next: Duration,
    /// How many fillers at most; then an apology.
    pub fillers: u32,
    /// For the store to take a write, before the caller is asked to hold on.
    pub store: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(3),
            next: Duration::from_secs(5),
            fillers: 6,
            store: Duration::from_secs(4),
        }
    }
}

impl Patience {
    /// Waits for a reply as long as it takes: nobody holds a telephone.
    pub fn patient() -> Self {
        let long = Duration::from_mins(1);
        Self { first: long, next: long, ..Self::default() }
    }
}

/// What a thought came to: the TwiML, or nothing when it could not be stored.
type Outcome = Option<Result<String, ()>>;

/// The turns being thought about in this process.
#[derive(Clone, Default)]
pub(super) struct Thinking {
    turns: Arc<Mutex<HashMap<TurnId, watch::Receiver<Outcome>>>>,
    apart: Arc<AtomicUsize>,
}

impl Thinking {
    /// Joins the thought about a turn, or starts it.
    pub(super) fn join_or_start<F>(&self, id: TurnId, think: impl FnOnce() -> F) -> Waiter
    where
        F: Future<Output = Result<String, ()>> + Send + 'static,
    {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receiver) = turns.get(&id) {
            return Waiter(receiver.clone());
        }
        let (sender, receiver) = watch::channel(None);
        turns.insert(id, receiver.clone());
        drop(turns);
        let (thinking, thought) = (self.clone(), think());
        // The entry goes even if the thought panics: the next delivery then starts it again.
        let done = Forget { thinking, id };
        let task = async move {
            let outcome = thought.await;
            drop(done);
            sender.send_replace(Some(outcome));
        };
        tokio::spawn(tracing::Instrument::in_current_span(task));
        Waiter(receiver)
    }

    /// Counts a turn that nobody else can join, until what this gives is dropped.
    pub(super) fn counted(&self) -> Counted {
        self.apart.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(&self.apart))
    }

    /// How many turns are being thought about.
    pub(super) fn count(&self) -> usize {
        let joined = self.turns.lock().unwrap_or_else(PoisonError::into_inner).len();
        joined + self.apart.load(Ordering::Relaxed)
    }
}

/// A turn that is counted.
pub(super) struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Forget {
    thinking: Thinking,
    id: TurnId,
}

impl Drop for Forget {
    fn drop(&mut self) {
        let mut turns = self.thinking.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.remove(&self.id);
    }
}

/// Waits for a thought.
pub(super) struct Waiter(watch::Receiver<Outcome>);

/// What became of waiting.
pub(super) enum Waited {
    /// The reply, stored.
    Reply(String),
    /// It is late.
    Late,
    /// It waits for somebody else, and the caller is to hear these words.
    HoldOn(String),
    /// It could not be stored, or its thought broke off.
    Lost,
}

impl Waiter {
    /// Waits, but not longer than this.
    pub(super) async fn wait(mut self, longest: Duration) -> Waited {
        match tokio::time::timeout(longest, self.0.wait_for(Option::is_some)).await {
            Err(_) => Waited::Late,
            Ok(Ok(outcome)) => match outcome.as_ref() {
                Some(Ok(twiml)) => Waited::Reply(twiml.clone()),
                _ => Waited::Lost,
            },
            Ok(Err(_)) => Waited::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CallId;

    const TURN: TurnId = TurnId { call: CallId(1), number: 1 };

    #[tokio::test]
    async fn a_turn_is_thought_about_once_however_many_ask() {
        let thinking = Thinking::default();
        let (release, held) = tokio::sync::oneshot::channel::<()>();
        let first = thinking.join_or_start(TURN, || async {
            let _ = held.await;
            Ok("reply".to_owned())
        });
        let second = thinking.join_or_start(TURN, || async { panic!("thought about twice") });
        assert!(matches!(first.wait(Duration::from_millis(5)).await, Waited::Late));
        release.send(()).unwrap();
        assert!(
            matches!(second.wait(Duration::from_secs(5)).await, Waited::Reply(r) if r == "reply")
        );
        assert_eq!(thinking.count(), 0);
    }

    #[tokio::test]
    async fn a_thought_that_panics_is_forgotten() {
        let thinking = Thinking::default();
        let waiter = thinking.join_or_start(TURN, || async { panic!("a bug") });
        assert!(matches!(waiter.wait(Duration::from_secs(5)).await, Waited::Lost));
        assert_eq!(thinking.count(), 0);
    }
}
