//! How much assistants were used, as clients pay for it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params;

use super::{StoreError, Tx, assistants::time, call_costs::COST_EUR};
use crate::domain::{
    AssistantId, CallOutcome, CallStatus, Counts, Direction, Micros, Month, UserId,
};

/// An assistant that somebody may pay for, also one that was taken out of service.
#[derive(Debug, Clone)]
pub struct Billable {
    /// Which.
    pub id: AssistantId,
    /// Its name.
    pub name: String,
    /// For whom it works.
    pub client: String,
    /// The plan that its file names.
    pub plan: Option<String>,
    /// Whose it is.
    pub owner: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was taken out of service.
    pub deleted_at: Option<Timestamp>,
}

/// All of them, by client and name.
pub fn billables(tx: &Tx) -> Result<Vec<Billable>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, name, spec ->> '$.client', spec ->> '$.billing.plan', owner_id, created_at,
                deleted_at FROM assistants ORDER BY 3, 2, 1",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Billable {
            id: AssistantId(row.get(0)?),
            name: row.get(1)?,
            client: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
            plan: row.get(3)?,
            owner: row.get::<_, Option<i64>>(4)?.map(UserId),
            created_at: time(row.get(5)?)?,
            deleted_at: row.get::<_, Option<i64>>(6)?.map(time).transpose()?,
        });
    }
    Ok(found)
}

/// When the first assistant of a client was made.
pub fn first_of(tx: &Tx, client: &str) -> Result<Option<Timestamp>, StoreError> {
    let first: Option<i64> = tx
        .prepare_cached("SELECT min(created_at) FROM assistants WHERE spec ->> '$.client' = ?1")?
        .query_row([client], |row| row.get(0))?;
    first.map(time).transpose()
}

/// Calls, and how long they lasted together, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// How many.
    pub calls: u64,
    /// How long.
    pub seconds: u64,
}

/// The calls of an assistant that began within some time, are over, and count.
pub fn used(
    tx: &Tx,
    assistant: AssistantId,
    (begin, end): (Timestamp, Timestamp),
    counts: &Counts,
) -> Result<Used, StoreError> {
    // Grouped by all that the rule looks at besides the length: the rule itself is not in SQL.
    let mut statement = tx.prepare_cached(
        "SELECT status, outcome, direction, count(*), sum(duration_s)
         FROM calls INDEXED BY calls_that_count
         WHERE status IN ('completed', 'failed') AND assistant_id = ?1 AND started_at >= ?2
           AND started_at < ?3 AND duration_s >= ?4
         GROUP BY status, outcome, direction",
    )?;
    let mut rows = statement.query(params![
        assistant.0,
        begin.as_millisecond(),
        end.as_millisecond(),
        counts.min_seconds
    ])?;
    let mut used = Used::default();
    while let Some(row) = rows.next()? {
        let status: CallStatus = row.get::<_, String>(0)?.parse().map_err(StoreError::User)?;
        let outcome: Option<String> = row.get(1)?;
        let outcome: Option<CallOutcome> =
            outcome.map(|word| word.parse()).transpose().map_err(StoreError::User)?;
        let direction: Direction = row.get::<_, String>(2)?.parse().map_err(StoreError::User)?;
        if counts.count(status, outcome, counts.min_seconds, direction == Direction::Outbound) {
            used.calls += row.get::<_, i64>(3)?.max(0).unsigned_abs();
            used.seconds += row.get::<_, i64>(4)?.max(0).unsigned_abs();
        }
    }
    Ok(used)
}

/// Those that began within some time, may come to count and go on, up to now.
pub fn going_on(
    tx: &Tx,
    assistant: AssistantId,
    (begin, end): (Timestamp, Timestamp),
    counts: &Counts,
    now: Timestamp,
) -> Result<Used, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT count(*), coalesce(sum(max(?4 - started_at, 0) / 1000), 0)
             FROM calls INDEXED BY calls_not_completed
             WHERE status IN ('ringing', 'in-progress') AND status <> 'completed'
               AND assistant_id = ?1 AND started_at >= ?2 AND started_at < ?3 AND ended_at IS NULL
               AND (?5 OR direction <> 'outbound')",
        )?
        .query_row(
            params![
                assistant.0,
                begin.as_millisecond(),
                end.as_millisecond(),
                now.as_millisecond(),
                counts.outbound
            ],
            |row| {
                Ok(Used {
                    calls: row.get::<_, i64>(0)?.max(0).unsigned_abs(),
                    seconds: row.get::<_, i64>(1)?.max(0).unsigned_abs(),
                })
            },
        )?)
}

/// Notes that an assistant is used up to what its plan covers; says whether that is news.
pub fn note_limit(
    tx: &Tx,
    assistant: AssistantId,
    month: Month,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let noted = tx
        .prepare_cached(
            "INSERT INTO plan_limits_reached VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![assistant.0, month.to_string(), now.as_millisecond()])?;
    Ok(noted == 1)
}

/// Which assistants were used up to what their plan covers, and since when.
pub fn limits_reached(
    tx: &Tx,
    month: Month,
) -> Result<BTreeMap<AssistantId, Timestamp>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT assistant_id, reached_at FROM plan_limits_reached WHERE month = ?1",
    )?;
    let mut rows = statement.query([month.to_string()])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        found.insert(AssistantId(row.get(0)?), time(row.get(1)?)?);
    }
    Ok(found)
}

/// What was spent for each client in euros: on calls that began within some time, whenever they ended,
/// and within it on what is of no call.
pub fn costs(
    tx: &Tx,
    (begin, end): (Timestamp, Timestamp),
) -> Result<BTreeMap<String, Micros>, StoreError> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT coalesce(a.spec ->> '$.client', ''), sum(spent.eur) FROM
            (SELECT c.assistant_id AS assistant_id, coalesce({COST_EUR}, 0) AS eur FROM calls c
             WHERE c.started_at >= ?1 AND c.started_at < ?2
             UNION ALL
             SELECT assistant_id, eur FROM ledger_entries
             WHERE call_id = 0 AND at >= ?1 AND at < ?2) spent
         JOIN assistants a ON a.id = spent.assistant_id GROUP BY 1"
    ))?;
    let mut rows = statement.query(params![begin.as_millisecond(), end.as_millisecond()])?;
    let mut found = BTreeMap::new();
    while let Some(row) = rows.next()? {
        found.insert(row.get(0)?, Micros::from_micros(row.get(1)?));
    }
    Ok(found)
}
