//! What the daemon does again and again beside the calls: closes those that were forgotten, asks models about those
//! that are over, forgets what is due.

use std::{sync::Arc, time::Duration};

use super::limits::Limits;
use crate::{
    line::Line,
    operations::retention::{self, Looked},
    store::Store,
};

/// How often calls that were never announced as ended are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// How long it is left alone when what a model said could not be kept.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// How often it is looked for calls to ask models about.
const LOOK_BACK_EVERY: Duration = Duration::from_secs(1);

/// How often what is due is forgotten, and how soon it goes on when there is more.
const FORGET_EVERY: Duration = Duration::from_mins(10);
const FORGET_MORE: Duration = Duration::from_millis(200);

/// How long calls have the store to themselves after some were forgotten, which takes a few milliseconds.
const FORGET_PAUSE: Duration = Duration::from_millis(40);

/// Forgets what is due, and clears it out of the file when nobody is on the phone.
pub(super) async fn forget(store: Store) {
    let (mut wait, mut held) = (FORGET_MORE, None);
    loop {
        tokio::time::sleep(wait).await;
        wait = FORGET_EVERY;
        match retention::forget_due(&store, jiff::Timestamp::now(), FORGET_PAUSE).await {
            Ok(Looked::Forgot(0)) => held = None,
            Ok(Looked::Forgot(forgotten)) => {
                tracing::info!(forgotten, "forgot what was due");
                (wait, held) = (FORGET_MORE, None);
                continue;
            }
            // Told when it begins, not at every look.
            Ok(Looked::Holding(until)) if held == Some(until) => {}
            Ok(Looked::Holding(until)) => {
                held = Some(until);
                tracing::warn!(
                    %until,
                    "the clock is far from where it was when webox last ran: nothing is forgotten until it has gone steadily; if it is wrong, set it right"
                );
            }
            Err(error) => tracing::error!(%error, "what is due could not be forgotten"),
        }
        let scrubbed = store.clone();
        let scrubbed = tokio::task::spawn_blocking(move || retention::scrub_when_quiet(&scrubbed));
        match scrubbed.await {
            Ok(Ok(true)) => tracing::info!("cleared the database of what was deleted"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "the database could not be cleared of what was deleted");
            }
            Err(error) => tracing::error!(%error, "clearing the database was broken off"),
        }
    }
}

/// Asks models what came of calls that are over. One that is broken off is asked again after a restart.
pub(super) async fn look_back(line: Line) {
    loop {
        match line.look_back().await {
            Ok(0) => {}
            Ok(calls) => {
                tracing::debug!(calls, "models were asked about calls that are over");
                continue;
            }
            Err(error) => {
                tracing::error!(%error, "what came of calls could not be noted");
                // Each time a model is asked anew, for a price.
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
        tokio::time::sleep(LOOK_BACK_EVERY).await;
    }
}

pub(super) async fn sweep(line: Line, limits: Arc<Limits>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        limits.tidy();
        if let Err(error) = line.sweep().await {
            tracing::error!(%error, "forgotten calls could not be closed");
        }
    }
}
