//! How long the calls of a day took.

use jiff::Timestamp;
use rusqlite::params;

use super::{StoreError, Tx};
use crate::domain::AssistantId;

/// Seconds of an assistant's calls that began since a moment; those that go on count up to now.
pub fn seconds_since(
    tx: &Tx,
    assistant: AssistantId,
    since: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let seconds: i64 = tx
        .prepare_cached(
            "SELECT coalesce(sum(coalesce(duration_s, max(?3 - started_at, 0) / 1000)), 0)
             FROM calls WHERE assistant_id = ?1 AND started_at >= ?2",
        )?
        .query_row(params![assistant.0, since.as_millisecond(), now.as_millisecond()], |row| {
            row.get(0)
        })?;
    Ok(seconds.max(0) as u64)
}
