//! Sums over calls: daily roll-ups for whole days, the covering index for the ragged ends.

use jiff::Timestamp;
use rusqlite::params;

use super::{StoreError, Tx};
use crate::domain::{AssistantId, Breakdown, CallStatus, Sight};

const DAY_MS: i64 = 86_400_000;

/// Adds one ended call to its day, or takes it out (`calls` = -1).
pub(super) fn roll_up(
    tx: &Tx,
    assistant: AssistantId,
    started_ms: i64,
    status: &str,
    calls: i64,
    duration_s: i64,
    satisfaction: Option<i64>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO call_days (day, assistant_id, status, calls, duration_s, satisfaction_sum, satisfaction_count)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,
            duration_s = duration_s + excluded.duration_s,
            satisfaction_sum = satisfaction_sum + excluded.satisfaction_sum,
            satisfaction_count = satisfaction_count + excluded.satisfaction_count",
    )?
    .execute(params![
        started_ms.div_euclid(DAY_MS),
        assistant.0,
        status,
        calls,
        duration_s,
        satisfaction.unwrap_or(0) * calls,
        satisfaction.map_or(0, |_| calls)
    ])?;
    Ok(())
}

/// Adds the score of a call that ended before to its day.
pub(super) fn add_score(
    tx: &Tx,
    assistant: AssistantId,
    started_ms: i64,
    status: &str,
    score: i64,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE call_days SET satisfaction_sum = satisfaction_sum + ?4,
            satisfaction_count = satisfaction_count + 1
         WHERE day = ?1 AND assistant_id = ?2 AND status = ?3",
    )?
    .execute(params![started_ms.div_euclid(DAY_MS), assistant.0, status, score])?;
    Ok(())
}

/// Sums of some calls that share an assistant and a status.
#[derive(Debug, Clone)]
pub struct Group {
    /// Whose.
    pub assistant: AssistantId,
    /// Standing at.
    pub status: CallStatus,
    /// The sums.
    pub sums: Breakdown,
}

/// A window of time, both ends optional, and whose calls.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Inclusive.
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
    /// One assistant only.
    pub assistant: Option<AssistantId>,
    /// Those that may be seen only.
    pub sight: Sight,
}

/// The sums over a window, by assistant and status, live calls included.
pub fn by_assistant_and_status(tx: &Tx, window: &Window) -> Result<Vec<Group>, StoreError> {
    let since = window.since.map_or(i64::MIN / 2, Timestamp::as_millisecond);
    let until = window.until.map_or(i64::MAX / 2, Timestamp::as_millisecond);
    let assistant = window.assistant.map(|id| id.0);
    let owner = window.sight.owner();
    // Whole days of the window come from the roll-ups; they hold ended calls only.
    let first_day = since.div_euclid(DAY_MS) + i64::from(since.rem_euclid(DAY_MS) != 0);
    let end_day = until.div_euclid(DAY_MS);
    let mut groups = Vec::new();
    if first_day < end_day {
        collect(
            tx,
            "SELECT assistant_id, status, sum(calls), sum(duration_s), sum(satisfaction_sum), sum(satisfaction_count)
             FROM call_days WHERE day >= ?1 AND day < ?2 AND (?3 IS NULL OR assistant_id = ?3)
               AND (?4 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?4))
             GROUP BY assistant_id, status",
            params![first_day, end_day, assistant, owner],
            &mut groups,
        )?;
        let raw = "SELECT assistant_id, status, count(*), total(duration_s), total(satisfaction), count(satisfaction)
             FROM calls WHERE started_at >= ?1 AND started_at < ?2 AND (?3 IS NULL OR assistant_id = ?3)
               AND (?4 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?4))
             GROUP BY assistant_id, status";
        collect(tx, raw, params![since, first_day * DAY_MS, assistant, owner], &mut groups)?;
        collect(tx, raw, params![end_day * DAY_MS, until, assistant, owner], &mut groups)?;
        // Live calls that rang on a whole day are in no roll-up yet.
        collect(
            tx,
            "SELECT assistant_id, status, count(*), 0, 0, 0 FROM calls
             WHERE status IN ('ringing', 'in-progress') AND status <> 'completed'
               AND started_at >= ?1 AND started_at < ?2 AND (?3 IS NULL OR assistant_id = ?3)
               AND (?4 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?4))
             GROUP BY assistant_id, status",
            params![first_day * DAY_MS, end_day * DAY_MS, assistant, owner],
            &mut groups,
        )?;
    } else {
        collect(
            tx,
            "SELECT assistant_id, status, count(*), total(duration_s), total(satisfaction), count(satisfaction)
             FROM calls WHERE started_at >= ?1 AND started_at < ?2 AND (?3 IS NULL OR assistant_id = ?3)
               AND (?4 IS NULL OR assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?4))
             GROUP BY assistant_id, status",
            params![since, until, assistant, owner],
            &mut groups,
        )?;
    }
    Ok(groups)
}

fn collect(
    tx: &Tx,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
    groups: &mut Vec<Group>,
) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let status: CallStatus = row
            .get_ref(1)?
            .as_str()
            .map_err(rusqlite::Error::from)?
            .parse()
            .map_err(StoreError::User)?;
        let sums = sums(row, 2)?;
        if sums.calls > 0 {
            groups.push(Group { assistant: AssistantId(row.get(0)?), status, sums });
        }
    }
    Ok(())
}

fn sums(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Breakdown> {
    // total() answers a REAL, sum() an INTEGER: both are whole numbers well below 2^53.
    let whole =
        |column: usize| -> rusqlite::Result<u64> { Ok(row.get::<_, f64>(column)?.max(0.0) as u64) };
    let integer = |column: usize| -> rusqlite::Result<u64> {
        row.get::<_, i64>(column).map(|n| n.max(0) as u64).or_else(|_| whole(column))
    };
    Ok(Breakdown {
        calls: integer(first)?,
        duration_s: integer(first + 1)?,
        satisfaction_sum: integer(first + 2)?,
        satisfaction_count: integer(first + 3)?,
    })
}

/// How many assistants that may be seen answer, and how many there are.
pub fn assistants(tx: &Tx, sight: Sight) -> Result<(u64, u64), StoreError> {
    let (active, total): (i64, i64) = tx
        .prepare_cached(
            "SELECT coalesce(sum(active), 0), count(*) FROM assistants
             WHERE deleted_at IS NULL AND (?1 IS NULL OR owner_id = ?1)",
        )?
        .query_row([sight.owner()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((active.max(0) as u64, total.max(0) as u64))
}

/// Names of assistants, deleted ones included, to label sums with.
pub fn assistant_names(
    tx: &Tx,
) -> Result<std::collections::HashMap<AssistantId, String>, StoreError> {
    let mut statement = tx.prepare_cached("SELECT id, name FROM assistants")?;
    let names =
        statement.query_map([], |row| Ok((AssistantId(row.get(0)?), row.get::<_, String>(1)?)))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}
