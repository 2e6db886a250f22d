//! Notices on their way: what is to be told now, and how telling ended.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{AlertKind, AlertNotice, AssistantId, PhoneNumber, Result, Trouble, sms_segments},
    operations::{ledger, outbox},
    store::{Store, alert_notices, alerts, deliveries::Ended},
};

/// How long a daemon may be at a notice: longer than a try takes.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// Takes notices that may be tried now, at most so many, each with what is sent.
pub async fn take_ready(
    store: &Store,
    most: usize,
    now: Timestamp,
) -> Result<Vec<(AlertNotice, String)>> {
    if most == 0 {
        return Ok(Vec::new());
    }
    // Looked for by a reader: nothing to tell costs callers nothing.
    let ready = store.read_async(move |tx| alert_notices::ready(tx, now, most)).await?;
    if ready.is_empty() {
        return Ok(Vec::new());
    }
    store
        .write_async(move |tx| {
            let taken = ready.into_iter().map(|id| alert_notices::take(tx, id, now, LEASE));
            Ok(taken.collect::<std::result::Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
        .await
}

/// Notes how telling ended; answers what became of the notice, as far as that was still to say.
/// `text` is an SMS that left, of an assistant.
pub async fn settle(
    store: &Store,
    notice: AlertNotice,
    outcome: std::result::Result<(), (Trouble, String)>,
    text: Option<(AssistantId, PhoneNumber, String)>,
    now: Timestamp,
) -> Result<Option<Ended>> {
    let text = text.filter(|_| outcome.is_ok());
    let cache = store.clone();
    let ended = outbox::ended(outcome, notice.attempts, notice.expires_at, now);
    store
        .write_async(move |tx| {
            if let Some((assistant, to, words)) = &text {
                // Below zero: above it the numbers are those of deliveries.
                let number = -((notice.id.0 << 16) | i64::from(notice.attempts & 0xffff));
                let segments = sms_segments(words) as u64;
                ledger::texted(tx, &cache, (*assistant, None), number, (to, segments), now)?;
            }
            let is_ours = alert_notices::settle(tx, &notice, &ended, now)?;
            Ok(is_ours.then_some(ended))
        })
        .await
}

/// Adds up what a daemon counted; what is none is not written.
pub async fn count(
    store: &Store,
    counts: BTreeMap<(AlertKind, String), u64>,
    now: Timestamp,
) -> Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    store
        .write_async(move |tx| {
            for ((kind, part), count) in &counts {
                alerts::count(tx, *kind, part, *count, now)?;
            }
            Ok(())
        })
        .await
}
