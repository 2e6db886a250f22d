//! Humans who were rung for a call, one row each.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{CallId, Handover, HandoverId, HandoverOutcome, Human};

const COLUMNS: &str = "turn, attempt, name, number, warm, rang_at, takes, outcome, duration_s";

fn read(row: &Row<'_>) -> Result<Handover, StoreError> {
    let outcome: Option<String> = row.get(7)?;
    let outcome = outcome
        .map(|word| {
            HandoverOutcome::from_stored(&word)
                .ok_or_else(|| StoreError::Row(format!("outcome of a transfer `{word}`")))
        })
        .transpose()?;
    Ok(Handover {
        turn: row.get(0)?,
        attempt: row.get(1)?,
        name: row.get(2)?,
        number: row.get::<_, String>(3)?.parse().map_err(StoreError::User)?,
        warm: row.get(4)?,
        rang_at: time(row.get(5)?)?,
        takes: row.get(6)?,
        outcome,
        duration_s: row.get(8)?,
    })
}

/// A human rings. Telling it again changes nothing.
pub fn ring(
    tx: &Tx,
    id: HandoverId,
    human: Human<'_>,
    warm: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO transfers (call_id, turn, attempt, name, number, warm, rang_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        id.call.0,
        id.turn,
        id.attempt,
        human.name,
        human.number.as_str(),
        warm,
        at.as_millisecond()
    ])?;
    Ok(())
}

/// One of them.
pub fn get(tx: &Tx, id: HandoverId) -> Result<Option<Handover>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM transfers WHERE call_id = ?1 AND turn = ?2 AND attempt = ?3"
    );
    tx.prepare_cached(&sql)?
        .query_row(params![id.call.0, id.turn, id.attempt], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Those of a call, in order.
pub fn of_call(tx: &Tx, call: CallId) -> Result<Vec<Handover>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM transfers WHERE call_id = ?1 ORDER BY turn, attempt");
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query([call.0])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Notes the key that the human pressed: the first one counts, and only while it goes on.
pub fn press(tx: &Tx, id: HandoverId, takes: bool) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE transfers SET takes = ?4
         WHERE call_id = ?1 AND turn = ?2 AND attempt = ?3 AND takes IS NULL AND outcome IS NULL",
    )?
    .execute(params![id.call.0, id.turn, id.attempt, takes])?;
    Ok(())
}

/// Notes what came of it: the first word counts.
pub fn finish(
    tx: &Tx,
    id: HandoverId,
    outcome: HandoverOutcome,
    duration_s: Option<u32>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE transfers SET outcome = ?4, duration_s = ?5
         WHERE call_id = ?1 AND turn = ?2 AND attempt = ?3 AND outcome IS NULL",
    )?
    .execute(params![id.call.0, id.turn, id.attempt, outcome.as_str(), duration_s])?;
    Ok(())
}
