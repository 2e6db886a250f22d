//! A socket as a line sees it: messages in text, both ways.

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
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

/// Resolves when the daemon is to stop.
pub(super) async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stop| *stop).await.is_err() {
        // Nobody can tell any more.
        std::future::pending::<()>().await;
    }
}
