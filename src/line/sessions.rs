//! The sockets that are open in this process: one a call. A new one, let in with a new ticket, ends
//! the one before, which Twilio has left even if we have not noticed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Notify;

use crate::domain::CallId;

/// The open sockets.
#[derive(Clone, Default)]
pub(super) struct Sessions {
    open: Arc<Mutex<HashMap<CallId, Arc<Notify>>>>,
}

/// One that is open; closed when dropped.
pub(super) struct Session {
    sessions: Sessions,
    call: CallId,
    replaced: Arc<Notify>,
}

impl Sessions {
    /// Opens one, and ends the one that the call had.
    pub(super) fn open(&self, call: CallId) -> Session {
        let replaced = Arc::new(Notify::new());
        let before = self.lock().insert(call, Arc::clone(&replaced));
        if let Some(before) = before {
            before.notify_one();
        }
        Session { sessions: self.clone(), call, replaced }
    }

    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<CallId, Arc<Notify>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Resolves when another socket has taken its place.
    pub(super) async fn replaced(&self) {
        self.replaced.notified().await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut open = self.sessions.lock();
        if open.get(&self.call).is_some_and(|current| Arc::ptr_eq(current, &self.replaced)) {
            open.remove(&self.call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_socket_ends_the_one_before() {
        let sessions = Sessions::default();
        let first = sessions.open(CallId(1));
        let other = sessions.open(CallId(2));
        let second = sessions.open(CallId(1));
        first.replaced().await;
        drop(first);
        assert_eq!(sessions.count(), 2, "the second one stays");
        drop((second, other));
        assert_eq!(sessions.count(), 0);
    }
}
