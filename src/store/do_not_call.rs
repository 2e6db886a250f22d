//! Who is not to be called: rows.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{AssistantId, DoNotCall, DoNotCallId, PhoneNumber, Sight, UserId};

fn read(row: &Row<'_>) -> Result<DoNotCall, StoreError> {
    let number: String = row.get(2)?;
    Ok(DoNotCall {
        id: DoNotCallId(row.get(0)?),
        owner: row.get::<_, Option<i64>>(1)?.map(UserId),
        number: PhoneNumber::from_e164(&number)
            .ok_or_else(|| StoreError::Row("a row of do_not_call has no number".to_owned()))?,
        source: row.get(3)?,
        added_at: time(row.get(4)?)?,
    })
}

/// Those that may be seen, the newest first.
pub fn list(tx: &Tx, sight: Sight) -> Result<Vec<DoNotCall>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, owner_id, number, source, added_at FROM do_not_call
         WHERE ?1 IS NULL OR owner_id = ?1 ORDER BY id DESC",
    )?;
    let mut rows = statement.query([sight.owner()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Adds a number, for the assistants of an owner or for all; says whether it is new.
pub fn add(
    tx: &Tx,
    owner: Option<UserId>,
    number: &PhoneNumber,
    source: &'static str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let added = tx
        .prepare_cached(
            "INSERT INTO do_not_call (owner_id, number, source, added_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (number, coalesce(owner_id, 0)) DO NOTHING",
        )?
        .execute(params![
            owner.map(|owner| owner.0),
            number.as_str(),
            source,
            now.as_millisecond()
        ])?;
    Ok(added == 1)
}

/// Takes a number out, as far as it may be seen; answers how many rows that were.
pub fn remove(tx: &Tx, sight: Sight, number: &PhoneNumber) -> Result<u64, StoreError> {
    Ok(tx
        .prepare_cached(
            "DELETE FROM do_not_call WHERE number = ?1 AND (?2 IS NULL OR owner_id = ?2)",
        )?
        .execute(params![number.as_str(), sight.owner()])? as u64)
}

/// Whether an assistant may not call a number: its owner's list says so, or everybody's.
pub fn holds(tx: &Tx, assistant: AssistantId, number: &PhoneNumber) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM do_not_call WHERE number = ?1 AND (owner_id IS NULL
             OR owner_id = (SELECT owner_id FROM assistants WHERE id = ?2)))",
        )?
        .query_row(params![number.as_str(), assistant.0], |row| row.get(0))?)
}

/// Gives a user's rows to another one; what is no longer anybody's holds for all.
pub fn give(tx: &Tx, from: UserId, to: Option<UserId>) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE OR IGNORE do_not_call SET owner_id = ?2 WHERE owner_id = ?1")?
        .execute(params![from.0, to.map(|to| to.0)])?;
    tx.prepare_cached("DELETE FROM do_not_call WHERE owner_id = ?1")?.execute([from.0])?;
    Ok(())
}
