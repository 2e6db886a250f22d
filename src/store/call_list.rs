//! Lists of calls: which match and may be seen, a page of them, how many.

use super::{
    StoreError, Tx,
    call_costs::{COST_EUR, COST_UNPRICED, COST_USD},
    calls::{COLUMNS, read},
};
use crate::domain::{Call, CallFilter, CallId, CallStatus, Direction, Sight};

type Value = Box<dyn rusqlite::ToSql + Send>;

/// One query a kind of filter, so that each has its index: SQLite plans before it sees the values.
fn conditions(sight: Sight, filter: &CallFilter) -> (String, Vec<Value>) {
    let mut sql = String::from("1");
    let mut values: Vec<Value> = Vec::new();
    let mut add = |condition: &str, value: Value| {
        values.push(value);
        let place = format!("?{}", values.len());
        sql.push_str(" AND ");
        sql.push_str(&condition.replace('?', &place));
    };
    if let Some(owner) = sight.owner() {
        let own = "c.assistant_id IN (SELECT id FROM assistants WHERE owner_id = ?)";
        add(own, Box::new(owner));
    }
    if let Some(since) = filter.since {
        add("c.started_at >= ?", Box::new(since.as_millisecond()));
    }
    if let Some(until) = filter.until {
        add("c.started_at < ?", Box::new(until.as_millisecond()));
    }
    if let Some((started_at, id)) = filter.older_than {
        let ms = started_at.as_millisecond();
        // The first condition is implied, and is the one that an index answers.
        add("c.started_at <= ?", Box::new(ms));
        let same_moment = format!("(c.started_at < {ms} OR c.id < ?)");
        add(&same_moment, Box::new(id.0));
    }
    if let Some(assistant) = filter.assistant {
        add("c.assistant_id = ?", Box::new(assistant.0));
    }
    if let Some(outcome) = filter.outcome {
        add("c.outcome = ?", Box::new(outcome.as_str()));
    }
    if let Some(direction) = filter.direction {
        // Said again in the index's own words, which SQLite needs to see that the index applies.
        let outbound =
            if direction == Direction::Outbound { " AND c.direction = 'outbound'" } else { "" };
        add(&format!("c.direction = ?{outbound}"), Box::new(direction.as_str()));
    }
    if let Some(caller) = &filter.caller {
        add("c.caller = ?", Box::new(caller.clone()));
    }
    match filter.status {
        Some(CallStatus::Completed) => add("c.status = ?", Box::new("completed")),
        // The same.
        Some(status) => add("c.status = ? AND c.status <> 'completed'", Box::new(status.as_str())),
        None => {}
    }
    (sql, values)
}

/// What finds calls that match and may be seen, newest first.
pub(super) fn listing(sight: Sight, filter: &CallFilter) -> (String, Vec<Value>) {
    let (conditions, mut values) = conditions(sight, filter);
    let limit = filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    values.push(Box::new(limit));
    values.push(Box::new(i64::try_from(filter.offset).unwrap_or(i64::MAX)));
    let sql = format!(
        "SELECT {COLUMNS}, {COST_EUR}, {COST_USD}, {COST_UNPRICED} FROM calls c JOIN assistants a ON a.id = c.assistant_id
         WHERE {conditions} ORDER BY c.started_at DESC, c.id DESC LIMIT ?{} OFFSET ?{}",
        values.len() - 1,
        values.len()
    );
    (sql, values)
}

/// Calls that match and may be seen, newest first.
pub fn list(tx: &Tx, sight: Sight, filter: &CallFilter) -> Result<Vec<Call>, StoreError> {
    let (sql, values) = listing(sight, filter);
    let mut statement = tx.prepare_cached(&sql)?;
    let calls = statement.query_map(rusqlite::params_from_iter(values), read)?;
    Ok(calls.collect::<rusqlite::Result<_>>()?)
}

/// How many calls match and may be seen, whatever the limit.
pub fn count(tx: &Tx, sight: Sight, filter: &CallFilter) -> Result<u64, StoreError> {
    let (conditions, values) = conditions(sight, filter);
    let sql = format!("SELECT count(*) FROM calls c WHERE {conditions}");
    let count: i64 =
        tx.prepare_cached(&sql)?.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?;
    Ok(count.max(0) as u64)
}

/// Calls stored after one, oldest first, that match; as many as the limit says.
pub fn after(
    tx: &Tx,
    sight: Sight,
    last: CallId,
    filter: &CallFilter,
) -> Result<Vec<Call>, StoreError> {
    let (conditions, mut values) = conditions(sight, filter);
    values.push(Box::new(last.0));
    let limit = filter.limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
    values.push(Box::new(limit));
    let sql = format!(
        "SELECT {COLUMNS}, {COST_EUR}, {COST_USD}, {COST_UNPRICED} FROM calls c JOIN assistants a ON a.id = c.assistant_id
         WHERE c.id > ?{} AND {conditions} ORDER BY c.id LIMIT ?{}",
        values.len() - 1,
        values.len()
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let calls = statement.query_map(rusqlite::params_from_iter(values), read)?;
    Ok(calls.collect::<rusqlite::Result<_>>()?)
}

/// The call stored last.
pub fn newest(tx: &Tx) -> Result<Option<CallId>, StoreError> {
    let id: Option<i64> =
        tx.prepare_cached("SELECT max(id) FROM calls")?.query_row([], |row| row.get(0))?;
    Ok(id.map(CallId))
}
