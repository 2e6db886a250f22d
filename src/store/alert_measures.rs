//! What rules of alerts look at, as far as it stands in calls and in the ledger.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{StoreError, Tx, assistants::time, call_costs};
use crate::domain::{AssistantId, Cost, Micros};

/// Of calls that began since a moment and are over: how many failed, and how many there were.
/// Those that were turned down, or that nobody picked up, say nothing of us.
pub fn failed_calls(
    tx: &Tx,
    since: Timestamp,
) -> Result<BTreeMap<AssistantId, (u64, u64)>, StoreError> {
    // Counted here: grouped by SQLite, all calls of the window would be kept to be sorted.
    let mut statement = tx.prepare_cached(
        "SELECT assistant_id, status = 'failed' FROM calls INDEXED BY calls_by_start
         WHERE started_at >= ?1 AND status IN ('completed', 'failed')",
    )?;
    let mut rows = statement.query([since.as_millisecond()])?;
    let mut counts: BTreeMap<AssistantId, (u64, u64)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (failed, all) = counts.entry(AssistantId(row.get(0)?)).or_default();
        *failed += u64::from(row.get::<_, bool>(1)?);
        *all += 1;
    }
    Ok(counts)
}

/// When somebody last called an assistant.
pub fn last_call(tx: &Tx, assistant: AssistantId) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = tx
        .prepare_cached(
            "SELECT started_at FROM calls WHERE assistant_id = ?1 AND direction = 'inbound'
             ORDER BY started_at DESC LIMIT 1",
        )?
        .query_row([assistant.0], |row| row.get(0))
        .optional()?;
    at.map(time).transpose()
}

/// Whether so many called an assistant since a moment.
pub fn called_so_often(
    tx: &Tx,
    assistant: AssistantId,
    since: Timestamp,
    times: u32,
) -> Result<bool, StoreError> {
    let count: u32 = tx
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM calls
             WHERE assistant_id = ?1 AND started_at >= ?2 AND direction = 'inbound' LIMIT ?3)",
        )?
        .query_row(params![assistant.0, since.as_millisecond(), times], |row| row.get(0))?;
    Ok(count >= times)
}

const DAY_MS: i64 = 86_400_000;

/// What was spent from the day of a moment on, UTC.
pub fn spent(tx: &Tx, since: Timestamp) -> Result<BTreeMap<AssistantId, Cost>, StoreError> {
    let live = call_costs::of_live_calls();
    let mut statement = tx.prepare_cached(&format!(
        "SELECT assistant_id, sum(eur), sum(usd)
         FROM (SELECT day, assistant_id, eur, usd FROM ledger_days WHERE day >= ?1
               UNION ALL SELECT day, assistant_id, eur, usd FROM ({live} AND e.at / 86400000 >= ?1))
         GROUP BY assistant_id"
    ))?;
    let day = since.as_millisecond().div_euclid(DAY_MS);
    let rows = statement.query_map([day], |row| {
        let cost =
            Cost { eur: Micros::from_micros(row.get(1)?), usd: Micros::from_micros(row.get(2)?) };
        Ok((AssistantId(row.get(0)?), cost))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Assistants that answer, in which version.
pub fn active_assistants(tx: &Tx) -> Result<Vec<(AssistantId, i64)>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, revision FROM assistants WHERE deleted_at IS NULL AND active ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| Ok((AssistantId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
