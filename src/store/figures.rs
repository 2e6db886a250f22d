//! Running figures of an assistant: how many calls it is in, how many it ever took.

use jiff::Timestamp;
use rusqlite::params;

use super::{StoreError, Tx};
use crate::domain::AssistantId;

/// Calls an assistant is in now.
pub fn live_calls(tx: &Tx, assistant: AssistantId) -> Result<u32, StoreError> {
    Ok(tx
        .prepare_cached("SELECT live_calls FROM assistant_figures WHERE assistant_id = ?1")?
        .query_row([assistant.0], |row| row.get(0))?)
}

/// A call began (`live`) or was turned down (not `live`).
pub(super) fn count_call(
    tx: &Tx,
    assistant: AssistantId,
    live: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE assistant_figures SET live_calls = live_calls + ?2, total_calls = total_calls + 1,
         last_call_at = max(coalesce(last_call_at, ?3), ?3) WHERE assistant_id = ?1",
    )?
    .execute(params![assistant.0, i64::from(live), at.as_millisecond()])?;
    Ok(())
}

/// A live call ended.
pub(super) fn count_end(tx: &Tx, assistant: AssistantId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE assistant_figures SET live_calls = max(live_calls - 1, 0) WHERE assistant_id = ?1",
    )?
    .execute([assistant.0])?;
    Ok(())
}

/// Rewrites the heartbeat: proves that the store can be written.
pub fn beat(tx: &Tx, now: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO heartbeat (id, at) VALUES (1, ?1) ON CONFLICT DO UPDATE SET at = excluded.at",
    )?
    .execute([now.as_millisecond()])?;
    Ok(())
}

/// Calls in progress, assistants that answer, and deliveries on their way.
pub fn standing(tx: &Tx) -> Result<(u64, u64, u64), StoreError> {
    let count = |sql| -> Result<u64, StoreError> {
        let count: i64 = tx.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(count.max(0) as u64)
    };
    Ok((
        count("SELECT coalesce(sum(live_calls), 0) FROM assistant_figures")?,
        count("SELECT count(*) FROM assistants WHERE active AND deleted_at IS NULL")?,
        count("SELECT count(*) FROM deliveries WHERE state = 'pending'")?,
    ))
}
