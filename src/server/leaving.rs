//! A daemon that is told to stop: it takes no new calls, lets live ones go on for as long as it is
//! set to, and hands the rest back to Twilio, which comes to the next process with them.
//!
//! Requests are answered until the last socket is closed: whoever takes our place may not be there yet.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::{Instant, sleep};

use super::{App, DRAIN};
use crate::{line::LAST_WORDS, operations::observed};

/// How often it is looked whether calls are still live.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How often a call is told to come back before it is taken after all. A caller hears it ring for
/// four seconds each time, and most networks let it ring for thirty.
pub(super) const RINGS_ON: u32 = 5;

/// The same for a call that was on a socket: a second of silence each time.
pub(super) const WAITS_ON: u32 = 5;

// Those whose socket is closed first wait for those who are still speaking, and for the next process. For a
// peer that does not close in time nobody is kept in silence: the others go on by webhooks.
const _: () = assert!(WAITS_ON as u64 > LAST_WORDS.as_secs() + 2);

/// Whether the daemon is stopping, and how long it may take.
#[derive(Clone, Default)]
pub(super) struct Leaving {
    begun: Arc<AtomicBool>,
    drain: Arc<Mutex<Duration>>,
}

impl Leaving {
    /// Whether it was told to stop.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// How long live calls may go on.
    pub(super) fn drain(&self) -> Duration {
        *self.drain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_drain(&self, drain: Duration) {
        *self.drain.lock().unwrap_or_else(PoisonError::into_inner) = drain;
    }
}

/// Resolves when no more connections need be taken.
pub(super) async fn leave(app: &App) {
    app.leaving.begun.store(true, Ordering::Relaxed);
    if !app.leaving.drain().is_zero() {
        live_calls_end(app).await;
    }
    // The sockets finish what they say. Those who watch events would keep us from stopping.
    app.stop.send_replace(true);
    app.line.without_sockets(DRAIN).await;
}

/// Waits until no call is live, or it has taken long enough. That may be set otherwise meanwhile.
async fn live_calls_end(app: &App) {
    let begun = Instant::now();
    let mut told = None;
    loop {
        let until = begun + app.leaving.drain();
        let store = app.store.clone();
        let live = tokio::task::spawn_blocking(move || observed::standing(&store)).await;
        let live = match live {
            Ok(Ok(standing)) => standing.live_calls,
            // A store that cannot be read is no reason to wait.
            Ok(Err(_)) | Err(_) => 0,
        };
        if live == 0 {
            return;
        }
        if Instant::now() >= until {
            tracing::warn!(
                live,
                "the time for live calls is over: they go on with the next process"
            );
            return;
        }
        if told != Some(live) {
            let left_s = until.saturating_duration_since(Instant::now()).as_secs();
            tracing::info!(live, left_s, "stopping: no new calls, live ones go on");
            told = Some(live);
        }
        sleep(LOOK_EVERY).await;
    }
}
