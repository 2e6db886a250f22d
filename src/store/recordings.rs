//! Recordings that are kept here instead of at Twilio.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::{StoreError, Tx};
use crate::domain::{CallSid, KeptRecording};

/// The first time to wait after a failure; twice as long each time after it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(5);

/// The longest time to wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

/// A recording that is to be fetched.
#[derive(Debug, Clone)]
pub struct ToFetch {
    /// The call it is of.
    pub call: CallSid,
    /// Where it is.
    pub kept: KeptRecording,
    /// How often it was tried.
    pub attempts: u32,
}

/// Has a recording fetched; once is enough.
pub fn want(
    tx: &Tx,
    call: &CallSid,
    kept: &KeptRecording,
    now: Timestamp,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO recordings_here (sid, account_sid, call_sid, due_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        kept.sid.as_str(),
        kept.account.as_str(),
        call.as_str(),
        now.as_millisecond()
    ])?;
    Ok(())
}

/// The recordings of calls and messages that nobody has fetched yet, of calls that began after a moment.
pub fn not_known(tx: &Tx, since: Timestamp) -> Result<Vec<(CallSid, KeptRecording)>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT sid, url FROM (
             SELECT c.sid AS sid, c.recording_url AS url FROM calls c
             WHERE c.recording_url IS NOT NULL AND c.started_at >= ?1
             UNION
             SELECT c.sid, m.recording_url FROM messages m JOIN calls c ON c.id = m.call_id
             WHERE m.recording_url IS NOT NULL AND m.created_at >= ?1)
         WHERE substr(url, -34) NOT IN (SELECT r.sid FROM recordings_here r)",
    )?;
    let mut rows = statement.query([since.as_millisecond()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (sid, address): (String, String) = (row.get(0)?, row.get(1)?);
        if let Some(kept) = KeptRecording::at(&address) {
            found.push((sid.parse().map_err(StoreError::User)?, kept));
        }
    }
    Ok(found)
}

/// Those that are due, oldest first.
pub fn due(tx: &Tx, now: Timestamp, most: u32) -> Result<Vec<ToFetch>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT call_sid, account_sid, sid, attempts FROM recordings_here
         WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2",
    )?;
    let mut rows = statement.query(params![now.as_millisecond(), most])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column: usize| row.get::<_, String>(column);
        due.push(ToFetch {
            call: text(0)?.parse().map_err(StoreError::User)?,
            kept: KeptRecording {
                account: text(1)?.parse().map_err(StoreError::User)?,
                sid: text(2)?.parse().map_err(StoreError::User)?,
            },
            attempts: row.get(3)?,
        });
    }
    Ok(due)
}

/// Whether a call or a message still has a recording.
pub fn is_wanted(tx: &Tx, call: &CallSid, kept: &KeptRecording) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM calls WHERE sid = ?1 AND recording_url = ?2)
                 OR EXISTS (SELECT 1 FROM messages m JOIN calls c ON c.id = m.call_id
                            WHERE c.sid = ?1 AND m.recording_url = ?2)",
        )?
        .query_row(params![call.as_str(), kept.address()], |row| row.get(0))?)
}

/// Whether a recording is kept here.
pub fn is_here(tx: &Tx, kept: &KeptRecording) -> Result<bool, StoreError> {
    let due: Option<Option<i64>> = tx
        .prepare_cached("SELECT due_at FROM recordings_here WHERE sid = ?1")?
        .query_row([kept.sid.as_str()], |row| row.get(0))
        .optional()?;
    Ok(due == Some(None))
}

/// It is here now.
pub fn fetched(tx: &Tx, kept: &KeptRecording) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE recordings_here SET due_at = NULL, failure = NULL WHERE sid = ?1")?
        .execute([kept.sid.as_str()])?;
    Ok(())
}

/// It could not be fetched: it is tried again later.
pub fn failed(tx: &Tx, one: &ToFetch, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let wait = FIRST_WAIT.saturating_mul(1_i32 << one.attempts.min(16)).min(LONGEST_WAIT);
    let due = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    tx.prepare_cached(
        "UPDATE recordings_here SET attempts = attempts + 1, failure = ?2, due_at = ?3 WHERE sid = ?1",
    )?
    .execute(params![one.kept.sid.as_str(), why, due.as_millisecond()])?;
    Ok(())
}

/// Nobody wants it any more.
pub fn forget(tx: &Tx, kept: &KeptRecording) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM recordings_here WHERE sid = ?1")?
        .execute([kept.sid.as_str()])?;
    Ok(())
}
