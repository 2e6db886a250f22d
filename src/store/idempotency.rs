//! Requests that may be sent again, and what was answered the first time.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{StoreError, Tx};

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is being answered from now on.
    New,
    /// The same one is being answered right now.
    InFlight,
    /// The same key came with another request.
    Other,
    /// It was answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The answer, as it was kept.
        kept: String,
    },
}

/// A request whose answer never came is forgotten after this: the process died with it.
const LOST_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Takes note of a request, or says what is known of it.
pub fn begin(
    tx: &Tx,
    who: &str,
    key: &str,
    request: &str,
    now: Timestamp,
) -> Result<Known, StoreError> {
    let found: Option<(String, i64, Option<u16>, Option<String>)> = tx
        .prepare_cached(
            "SELECT request, created_at, status, body FROM idempotency WHERE who = ?1 AND key = ?2",
        )?
        .query_row(params![who, key], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let lost = now.as_millisecond() - LOST_AFTER.as_millis() as i64;
    match found {
        Some((first, ..)) if first != request => return Ok(Known::Other),
        Some((_, _, Some(status), body)) => {
            return Ok(Known::Answered { status, kept: body.unwrap_or_default() });
        }
        Some((_, created_at, None, _)) if created_at > lost => return Ok(Known::InFlight),
        _ => {}
    }
    tx.prepare_cached(
        "INSERT INTO idempotency (who, key, request, created_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET created_at = excluded.created_at",
    )?
    .execute(params![who, key, request, now.as_millisecond()])?;
    Ok(Known::New)
}

/// Keeps an answer.
pub fn finish(tx: &Tx, who: &str, key: &str, status: u16, kept: &str) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE idempotency SET status = ?3, body = ?4 WHERE who = ?1 AND key = ?2")?
        .execute(params![who, key, status, kept])?;
    Ok(())
}

/// Forgets a request that came to nothing: it may be tried again.
pub fn cancel(tx: &Tx, who: &str, key: &str) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM idempotency WHERE who = ?1 AND key = ?2 AND status IS NULL")?
        .execute(params![who, key])?;
    Ok(())
}

/// Takes out what was answered of a caller or a call. That it was answered stays known: what was asked
/// for is not done twice.
pub fn erase(tx: &Tx, named: &str) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE idempotency SET body = '' WHERE instr(body, ?1) > 0")?
        .execute([named])?;
    Ok(())
}

/// Forgets answers from before a moment.
pub fn forget(tx: &Tx, before: Timestamp) -> Result<u64, StoreError> {
    let gone = tx
        .prepare_cached("DELETE FROM idempotency WHERE created_at < ?1")?
        .execute([before.as_millisecond()])?;
    Ok(gone as u64)
}
