//! Looks for callers who are to be reminded, for as long as the daemon runs.

use std::time::Duration;

use jiff::Timestamp;

use crate::{operations::reminders, store::Store};

/// How often.
const EVERY: Duration = Duration::from_mins(1);

pub(super) async fn run(store: Store) {
    loop {
        match reminders::tell_due(&store, Timestamp::now()).await {
            Ok(0) => {}
            Ok(told) => tracing::info!(told, "callers are reminded of what they booked"),
            Err(error) => tracing::error!(%error, "who is to be reminded is not known"),
        }
        tokio::time::sleep(EVERY).await;
    }
}
