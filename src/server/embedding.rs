//! Asks models for the vectors of passages that lack one, for as long as the daemon runs.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    operations::knowledge::{Library, embed_due},
    store::Store,
};

/// How often it is looked, and how soon it goes on while vectors come: what was applied is found by what
/// it means within seconds.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const GO_ON: Duration = Duration::from_millis(20);

/// How long it rests when the store does not take what came.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

pub(super) async fn run(store: Store, library: Library) {
    loop {
        let wait = match embed_due(&store, &library, Timestamp::now()).await {
            Ok(true) => GO_ON,
            Ok(false) => LOOK_EVERY,
            Err(error) => {
                // What came and could not be kept was paid for: not again at once.
                tracing::error!(%error, "passages could not be embedded");
                AFTER_FAILURE
            }
        };
        tokio::time::sleep(wait).await;
    }
}
