//! A socket as a line sees it: messages in text, both ways.

use std::{pin::Pin, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, Sleep, sleep_until},
};

/// The other end is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the socket is closed")]
pub struct Closed;

/// The text messages of a socket.
pub trait Socket: Send {
    /// The next one; nothing when the other end is gone, or did what it may not. Nothing is lost
    /// when this is dropped while it waits.
    fn receive(&mut self) -> impl Future<Output = Option<String>> + Send;

    /// Sends one.
    fn send(&mut self, message: String) -> impl Future<Output = Result<(), Closed>> + Send;

    /// Says goodbye.
    fn close(&mut self, why: Goodbye) -> impl Future<Output = ()> + Send;
}

/// Why we close a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goodbye {
    /// It is done.
    Done,
    /// It has no business here.
    Refused,
}

/// Resolves at a moment; never without one.
pub(super) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// A clock that is seldom set: setting one anew for each of fifty messages a second is a good part of
/// what they cost.
pub(super) struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    pub(super) fn new() -> Self {
        Self(Box::pin(sleep_until(Instant::now())))
    }

    /// Resolves at a moment, or at one before it that it was set to: look at the time.
    pub(super) async fn by(&mut self, due: Instant) {
        if self.0.is_elapsed() || due < self.0.deadline() {
            self.0.as_mut().reset(due);
        }
        self.0.as_mut().await;
    }
}

/// When we are to stop, how long what is being said may take. A short sentence ends; the rest of a long
/// one is said by the next process, and nobody whose socket is closed already waits for long.
pub const LAST_WORDS: Duration = Duration::from_secs(2);

/// Resolves when the daemon is to stop.
pub(super) async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stop| *stop).await.is_err() {
        // Nobody can tell any more.
        std::future::pending::<()>().await;
    }
}
