//! Calendars to subscribe to: which token shows whose bookings.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::{StoreError, Tx};
use crate::domain::AssistantId;

/// Opens an assistant's calendar to a token, and closes it to the one before.
pub fn open(tx: &Tx, id: AssistantId, hash: &[u8], at: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO calendar_feeds (assistant_id, hash, created_at) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![id.0, hash, at.as_millisecond()])?;
    Ok(())
}

/// Closes it to everybody; says whether it was open.
pub fn close(tx: &Tx, id: AssistantId) -> Result<bool, StoreError> {
    let closed =
        tx.prepare_cached("DELETE FROM calendar_feeds WHERE assistant_id = ?1")?.execute([id.0])?;
    Ok(closed > 0)
}

/// Whose bookings a token shows.
pub fn shown(tx: &Tx, hash: &[u8]) -> Result<Option<AssistantId>, StoreError> {
    let id = tx
        .prepare_cached("SELECT assistant_id FROM calendar_feeds WHERE hash = ?1")?
        .query_row([hash], |row| row.get(0))
        .optional()?;
    Ok(id.map(AssistantId))
}
