//! When others are busy by their own calendars, as they were last read.

use jiff::Timestamp;
use rusqlite::params;

use super::{StoreError, Tx};
use crate::domain::AssistantId;

/// Writes what was read of a calendar, instead of what was read before.
pub fn keep(
    tx: &Tx,
    assistant: AssistantId,
    place: &str,
    resource: Option<&str>,
    busy: &[(Timestamp, Timestamp)],
) -> Result<(), StoreError> {
    forget(tx, assistant, place)?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO calendar_busy (assistant_id, place, resource, starts_at, ends_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (from, until) in busy {
        insert.execute(params![
            assistant.0,
            place,
            resource,
            from.as_millisecond(),
            until.as_millisecond()
        ])?;
    }
    Ok(())
}

/// Forgets what was read of a calendar.
pub fn forget(tx: &Tx, assistant: AssistantId, place: &str) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM calendar_busy WHERE assistant_id = ?1 AND place = ?2")?
        .execute(params![assistant.0, place])?;
    Ok(())
}

/// The calendars of which something is kept.
pub fn kept(tx: &Tx) -> Result<Vec<(AssistantId, String)>, StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT DISTINCT assistant_id, place FROM calendar_busy")?;
    let rows = statement.query_map([], |row| Ok((AssistantId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
