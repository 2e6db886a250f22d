//! The entries of a window of time, a page at a time: what is of no call by an index of its own, what is
//! of calls by those calls alone that were entered for in the window. A turn writes nothing for it.

use rusqlite::{params, types::Value};

use super::{
    StoreError, Tx,
    call_figures::GOES_ON,
    datasets::{LEDGER, LEDGER_KEY, Place, Read, Rows, select},
};
use crate::domain::Cell;

/// What is of no call. `?1` is the owner, `?2` the assistant, `?3` and `?4` the window, `?5` how many.
const OF_NO_CALL: &str = "ledger_entries e INDEXED BY ledger_of_no_call
    CROSS JOIN ledger_rates r ON r.id = e.rate_id CROSS JOIN assistants a ON a.id = e.assistant_id
    LEFT JOIN calls c ON c.id = e.call_id
    WHERE e.call_id = 0";

/// What is of calls between two, `?6` and `?7`. A call that goes on is not noted yet.
const OF_CALLS: &str = "calls c NOT INDEXED CROSS JOIN ledger_entries e ON e.call_id = c.id
    CROSS JOIN ledger_rates r ON r.id = e.rate_id CROSS JOIN assistants a ON a.id = e.assistant_id
    WHERE c.id BETWEEN ?6 AND ?7
      AND (c.entered_until IS NULL OR c.entered_until >= ?3 AND c.entered_from < ?4)";

const IN_WINDOW: &str = "e.at >= ?3 AND e.at < ?4 AND (?1 IS NULL OR a.owner_id = ?1)
    AND (?2 IS NULL OR e.assistant_id = ?2)";

/// The first and the last call that may have entries in a window: read from two indexes alone.
const BETWEEN: &str = "SELECT min(id), max(id) FROM (
    SELECT id FROM calls INDEXED BY calls_entered WHERE entered_until >= ?1 AND entered_from < ?2
    UNION ALL SELECT c.id FROM calls c INDEXED BY calls_not_completed WHERE ";

/// Between which calls.
type Calls = (i64, i64);

fn calls(tx: &Tx, rows: &Rows) -> Result<Option<Calls>, StoreError> {
    let [.., since, until] = rows.window();
    let mut statement = tx.prepare_cached(&format!("{BETWEEN}{GOES_ON})"))?;
    let found: (Option<i64>, Option<i64>) =
        statement.query_row(params![since, until], |row| Ok((row.get(0)?, row.get(1)?)))?;
    #[cfg(test)]
    super::datasets::tests::note(&statement);
    // What begins while they are read is of a window without an end.
    let last = if rows.until.is_some() { found.1 } else { Some(i64::MAX) };
    Ok(found.0.zip(last))
}

/// How many there are.
pub(super) fn count(rows: &Rows, tx: &Tx) -> Result<u64, StoreError> {
    let count = |from: &str, more: Vec<Value>| -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) FROM {from} AND {IN_WINDOW} AND ?5 IS NULL");
        let values = rows.window().into_iter().chain([Value::Null]).chain(more);
        let found: i64 = tx
            .prepare_cached(&sql)?
            .query_row(rusqlite::params_from_iter(values), |row| row.get(0))?;
        Ok(found.max(0).unsigned_abs())
    };
    let of_calls = match calls(tx, rows)? {
        Some((first, last)) => count(OF_CALLS, vec![first.into(), last.into()])?,
        None => 0,
    };
    Ok(count(OF_NO_CALL, Vec::new())? + of_calls)
}

/// A page, in the order of the ledger: what is of no call comes first. A place among calls has the last
/// call behind its key, so that it is looked up once.
pub(super) fn page(
    rows: &Rows,
    tx: &Tx,
    after: Option<&Place>,
    most: u32,
    take: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), StoreError>,
) -> Result<Option<Place>, StoreError> {
    let key = after.map(|Place(key)| key.as_slice());
    let (count, between) = match key {
        Some([Value::Integer(call @ 1..), .., Value::Integer(last)])
            if key.is_some_and(|key| key.len() > LEDGER_KEY.len()) =>
        {
            (0, Some((*call, *last)))
        }
        _ => {
            let (count, place) = read(rows, tx, OF_NO_CALL, None, key, most, take)?;
            if place.is_some() {
                return Ok(place);
            }
            (count, calls(tx, rows)?)
        }
    };
    let Some((first, last)) = between else { return Ok(None) };
    let key = key.filter(|key| key.len() > LEDGER_KEY.len());
    let (_, place) = read(rows, tx, OF_CALLS, Some((first, last)), key, most - count, take)?;
    Ok(place.map(|Place(mut key)| {
        key.push(Value::Integer(last));
        Place(key)
    }))
}

fn read(
    rows: &Rows,
    tx: &Tx,
    from: &str,
    between: Option<Calls>,
    key: Option<&[Value]>,
    most: u32,
    take: &mut dyn FnMut(&[Cell<'_>]) -> Result<(), StoreError>,
) -> Result<(u32, Option<Place>), StoreError> {
    let mut sql = format!("{} FROM {from} AND {IN_WINDOW}", select(LEDGER_KEY, LEDGER));
    let mut values = Vec::from(rows.window());
    values.push(Value::Integer(most.into()));
    if let Some((first, last)) = between {
        values.extend([Value::Integer(first), Value::Integer(last)]);
    }
    if let Some(key) = key {
        let places: Vec<String> =
            (1..=LEDGER_KEY.len()).map(|at| format!("?{}", values.len() + at)).collect();
        sql.push_str(&format!(" AND ({}) > ({})", LEDGER_KEY.join(", "), places.join(", ")));
        values.extend(key.iter().take(LEDGER_KEY.len()).cloned());
    }
    // The order of the ledger: in each call, the order in which its entries lie.
    let call = if between.is_some() { "c.id" } else { "e.call_id" };
    sql.push_str(&format!(" ORDER BY {call}, {} LIMIT ?5", LEDGER_KEY[1..].join(", ")));
    Read { dataset: rows.dataset, keys: LEDGER_KEY.len(), most }.all(tx, &sql, values, take)
}
