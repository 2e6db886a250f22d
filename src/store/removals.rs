//! What Twilio has still to remove, until it has: kept like everything else that was promised.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{CallSid, KeptRecording, Removable, Removal, RemovalId, Sight};

/// The first time to wait after a failure; twice as long each time after it.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(3);

/// The longest time to wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

const COLUMNS: &str = "r.id, r.call_sid, r.what, r.account_sid, r.recording_sid, r.asked_at, \
                       r.due_at, r.attempts, r.failure";

/// Asks for a removal, at the account of the recording, or of the call; once is enough. Asked again, it is
/// tried again at once: what it is for may be another thing now.
pub fn ask(tx: &Tx, call: &CallSid, what: &Removable, now: Timestamp) -> Result<(), StoreError> {
    let kept = what.recording();
    tx.prepare_cached(
        "INSERT INTO removals (call_sid, what, account_sid, recording_sid, asked_at, due_at)
         VALUES (?1, ?2, coalesce(?3, (SELECT account_sid FROM calls WHERE sid = ?1)), ?4, ?5, ?5)
         ON CONFLICT DO UPDATE SET due_at = min(due_at, excluded.due_at)",
    )?
    .execute(params![
        call.as_str(),
        what.as_str(),
        kept.map(|kept| kept.account.as_str()),
        kept.map(|kept| kept.sid.as_str()),
        now.as_millisecond()
    ])?;
    Ok(())
}

/// Those that are due: first the recordings that go on though somebody objects, then the oldest.
pub fn due(tx: &Tx, now: Timestamp, most: u32) -> Result<Vec<Removal>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM removals r WHERE r.due_at <= ?1
         ORDER BY r.what <> 'live-recording', r.due_at LIMIT ?2"
    );
    read_all(tx, &sql, params![now.as_millisecond(), most])
}

/// All of them that may be seen, oldest first.
pub fn list(tx: &Tx, sight: Sight) -> Result<Vec<Removal>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM removals r
         WHERE ?1 IS NULL OR EXISTS (SELECT 1 FROM calls c JOIN assistants a ON a.id = c.assistant_id
                                     WHERE c.sid = r.call_sid AND a.owner_id = ?1)
         ORDER BY r.id"
    );
    read_all(tx, &sql, params![sight.owner()])
}

/// Whether something of a call is still to be removed.
pub fn is_asked(tx: &Tx, call: &CallSid) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM removals WHERE call_sid = ?1)")?
        .query_row([call.as_str()], |row| row.get(0))?)
}

/// A call is over: nothing of it is recorded any more.
pub fn is_over(tx: &Tx, call: &CallSid) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM removals WHERE what = 'live-recording' AND call_sid = ?1")?
        .execute([call.as_str()])?;
    Ok(())
}

/// Twilio has done it.
pub fn done(tx: &Tx, id: RemovalId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM removals WHERE id = ?1")?.execute([id.0])?;
    Ok(())
}

/// Twilio has not done it: it is asked again later.
pub fn failed(tx: &Tx, removal: &Removal, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let factor = 1_i32 << removal.attempts.min(16);
    let wait = FIRST_WAIT.saturating_mul(factor).min(LONGEST_WAIT);
    let due = now.checked_add(wait).unwrap_or(Timestamp::MAX);
    tx.prepare_cached(
        "UPDATE removals SET attempts = attempts + 1, failure = ?2, due_at = ?3 WHERE id = ?1",
    )?
    .execute(params![removal.id.0, why, due.as_millisecond()])?;
    Ok(())
}

fn read_all(
    tx: &Tx,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Vec<Removal>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut removals = Vec::new();
    while let Some(row) = rows.next()? {
        removals.push(read(row)?);
    }
    Ok(removals)
}

fn read(row: &Row<'_>) -> Result<Removal, StoreError> {
    let text = |column: usize| row.get::<_, Option<String>>(column);
    let sid = |text: Option<String>| {
        text.ok_or_else(|| StoreError::Row("a removal without what is to be removed".to_owned()))
    };
    let what = match text(2)?.as_deref() {
        Some("live-recording") => Removable::LiveRecording,
        Some("recording") => Removable::Recording(KeptRecording {
            account: sid(text(3)?)?.parse().map_err(StoreError::User)?,
            sid: sid(text(4)?)?.parse().map_err(StoreError::User)?,
        }),
        Some("call-record") => Removable::CallRecord,
        other => return Err(StoreError::Row(format!("an unknown removal: {other:?}"))),
    };
    Ok(Removal {
        id: RemovalId(row.get(0)?),
        call: sid(text(1)?)?.parse().map_err(StoreError::User)?,
        what,
        account: text(3)?.map(|sid| sid.parse()).transpose().map_err(StoreError::User)?,
        asked_at: time(row.get(5)?)?,
        due_at: time(row.get(6)?)?,
        attempts: row.get(7)?,
        failure: row.get(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{super::Options, *};
    use crate::store::Store;

    #[test]
    fn a_recording_that_goes_on_is_stopped_before_anything_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
        let call = |n: u32| format!("CA{n:032x}").parse::<CallSid>().unwrap();
        let at = |seconds: i64| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let due = store.write(move |tx| {
            for n in 1..=30 {
                ask(tx, &call(n), &Removable::CallRecord, at(n.into()))?;
            }
            ask(tx, &call(31), &Removable::LiveRecording, at(60))?;
            Ok::<_, StoreError>((due(tx, at(59), 2)?, due(tx, at(60), 2)?))
        });
        let (before, after) = due.unwrap();
        let calls = |found: Vec<Removal>| found.into_iter().map(|one| one.call).collect::<Vec<_>>();
        assert_eq!(calls(before), [call(1), call(2)]);
        assert_eq!(calls(after), [call(31), call(1)]);
    }
}
