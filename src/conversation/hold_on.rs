//! What a caller hears while the client's own system is asked, on lines that say a reply only when it
//! is whole.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

use crate::domain::CallId;

/// The words that callers are to hear now. Clones share them.
#[derive(Clone, Default)]
pub struct HoldOn {
    words: Arc<Mutex<HashMap<CallId, String>>>,
    changed: Arc<Notify>,
}

impl HoldOn {
    /// Has a caller asked to hold on.
    pub(super) fn ask(&self, call: CallId, words: String) {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).insert(call, words);
        self.changed.notify_waiters();
    }

    /// Nobody needs to hold on any more.
    pub(super) fn is_over(&self, call: CallId) {
        self.take(call);
    }

    /// Waits until a caller is to be asked to hold on; each time once.
    pub async fn wanted(&self, call: CallId) -> String {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            if let Some(words) = self.take(call) {
                return words;
            }
            changed.await;
        }
    }

    fn take(&self, call: CallId) -> Option<String> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).remove(&call)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn each_caller_is_asked_once() {
        let hold_on = HoldOn::default();
        let (one, other) = (CallId(1), CallId(2));
        let waiting = tokio::spawn({
            let hold_on = hold_on.clone();
            async move { hold_on.wanted(one).await }
        });
        tokio::task::yield_now().await;
        hold_on.ask(other, "no".to_owned());
        hold_on.ask(one, "un instant".to_owned());
        assert_eq!(waiting.await.unwrap(), "un instant");
        hold_on.is_over(other);
        for call in [one, other] {
            let again = tokio::time::timeout(Duration::from_millis(5), hold_on.wanted(call)).await;
            assert!(again.is_err());
        }
    }
}
