//! What monitoring is told: figures to be scraped or pushed, and a trace of each call.
//!
//! It looks at what was stored, after the fact: no turn waits for it, and nothing is lost to it when
//! it is slow.

mod figures;
mod gauges;
mod scrape;
mod spans;
mod traces;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

pub use figures::Figures;
pub use scrape::Scraped;
pub use traces::{Target, Traces};

use crate::{
    domain::{EventId, Result},
    operations::observed::{self, Observed},
    store::Store,
};

/// How often it is looked for what happened.
const EVERY: Duration = Duration::from_millis(500);

/// What a daemon tells of itself. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Observing {
    figures: Figures,
    traces: Option<Traces>,
    /// The last event looked at; nothing before the first look.
    last: Arc<Mutex<Option<EventId>>>,
}

impl Observing {
    /// Counts, and sends calls as traces where somebody takes them.
    pub fn new(figures: Figures, traces: Option<Traces>) -> Self {
        Self { figures, traces, last: Arc::default() }
    }

    pub(super) const fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Looks at what happens on the phone, for as long as the daemon runs.
    pub(super) async fn run(self, store: Store) {
        loop {
            // The store may be busy: what happened is there the next time.
            if let Err(error) = self.look(&store).await {
                tracing::debug!(%error, "what happened could not be read");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    async fn look(&self, store: &Store) -> Result<()> {
        loop {
            let Some(last) = self.last() else {
                self.set(observed::newest(store).await?);
                return Ok(());
            };
            let (happened, until) = observed::after(store, last).await?;
            for one in &happened {
                match one {
                    Observed::Turn { call, turn } => self.figures.turn(call, turn),
                    Observed::End(whole) => {
                        self.figures.ended(whole);
                        if let Some(traces) = &self.traces {
                            traces.send(spans::of(whole, Timestamp::now()));
                        }
                    }
                }
            }
            self.set(until);
            if until == last {
                return Ok(());
            }
        }
    }

    /// Tells what was not told yet, before the daemon ends; waits for it a little.
    pub(super) async fn finish(self, store: &Store) {
        if let Err(error) = self.look(store).await {
            tracing::debug!(%error, "what happened last could not be read");
        }
        // Both wait for their threads.
        let flushed = tokio::task::spawn_blocking(move || {
            if let Some(traces) = &self.traces {
                traces.flush();
            }
            self.figures.flush();
        });
        if let Err(error) = flushed.await {
            tracing::error!(%error, "the last figures were not told: this is a bug of webox");
        }
    }

    fn last(&self) -> Option<EventId> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, last: EventId) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }
}
