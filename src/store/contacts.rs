//! Contacts: rows.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::{
    Assistant, AssistantId, Call, Contact, ContactChange, ContactFilter, ContactId, PhoneNumber,
    Sight, UserId,
};

const COLUMNS: &str = "id, owner_id, number, name, language, notes, recording_consent, \
                       first_call_at, last_call_at, calls";

/// As far as they may be seen: `?1` is the owner, or nothing for all.
const SEEN: &str = "(?1 IS NULL OR owner_id = ?1)";

fn read(row: &Row<'_>) -> Result<Contact, StoreError> {
    let number: String = row.get(2)?;
    let consent: Option<String> = row.get(6)?;
    Ok(Contact {
        id: ContactId(row.get(0)?),
        owner: row.get::<_, Option<i64>>(1)?.map(UserId),
        number: PhoneNumber::from_e164(&number)
            .ok_or_else(|| StoreError::Row("a contact has no number".to_owned()))?,
        name: row.get(3)?,
        language: row.get::<_, String>(4)?.parse().map_err(StoreError::User)?,
        notes: row.get(5)?,
        recording_consent: consent
            .map(|word| word.parse())
            .transpose()
            .map_err(|_| StoreError::Row("a contact's consent is no known word".to_owned()))?,
        first_call_at: time(row.get(7)?)?,
        last_call_at: time(row.get(8)?)?,
        calls: row.get::<_, i64>(9)?.max(0) as u64,
    })
}

fn many(tx: &Tx, sql: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Contact>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut contacts = Vec::new();
    while let Some(row) = rows.next()? {
        contacts.push(read(row)?);
    }
    Ok(contacts)
}

/// Contacts that may be seen, those who called last first.
pub fn list(tx: &Tx, sight: Sight, filter: &ContactFilter) -> Result<Vec<Contact>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM contacts WHERE {SEEN}
         AND (?2 IS NULL OR last_call_at >= ?2) AND (?3 IS NULL OR last_call_at < ?3)
         ORDER BY last_call_at DESC, id DESC LIMIT ?4"
    );
    let limit = filter.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
    let since = filter.since.map(Timestamp::as_millisecond);
    let until = filter.until.map(Timestamp::as_millisecond);
    many(tx, &sql, params![sight.owner(), since, until, limit])
}

/// By row, if it may be seen.
pub fn seen(tx: &Tx, sight: Sight, id: ContactId) -> Result<Option<Contact>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM contacts WHERE {SEEN} AND id = ?2");
    Ok(many(tx, &sql, params![sight.owner(), id.0])?.pop())
}

/// By number, as far as they may be seen: one an owner.
pub fn by_number(tx: &Tx, sight: Sight, number: &PhoneNumber) -> Result<Vec<Contact>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM contacts WHERE {SEEN} AND number = ?2 ORDER BY id");
    many(tx, &sql, params![sight.owner(), number.as_str()])
}

/// Takes a call in: one more of a caller. `again` is one that was counted before.
pub fn note(
    tx: &Tx,
    assistant: &Assistant,
    call: &Call,
    number: &PhoneNumber,
    name: Option<&str>,
    again: bool,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO contacts (owner_id, number, name, language, recording_consent,
         first_call_at, last_call_at, calls) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1)
         ON CONFLICT (number, coalesce(owner_id, 0)) DO UPDATE SET
         name = CASE WHEN name_by_hand THEN name ELSE coalesce(excluded.name, name) END,
         language = CASE WHEN language_by_hand OR last_call_at > excluded.last_call_at
             THEN language ELSE excluded.language END,
         recording_consent = coalesce(excluded.recording_consent, recording_consent),
         first_call_at = min(first_call_at, excluded.first_call_at),
         last_call_at = max(last_call_at, excluded.last_call_at),
         calls = calls + ?7",
    )?
    .execute(params![
        assistant.owner.as_ref().map(|owner| owner.id.0),
        number.as_str(),
        name,
        call.language.as_str(),
        call.recording_consent.map(crate::domain::RecordingConsent::as_str),
        call.started_at.as_millisecond(),
        i64::from(!again),
    ])?;
    Ok(())
}

/// Writes by hand what is to be changed.
pub fn change(tx: &Tx, id: ContactId, change: &ContactChange) -> Result<(), StoreError> {
    fn kept(text: &str) -> Option<&str> {
        Some(text.trim()).filter(|text| !text.is_empty())
    }
    if let Some(name) = &change.name {
        tx.prepare_cached("UPDATE contacts SET name = ?2, name_by_hand = ?3 WHERE id = ?1")?
            .execute(params![id.0, kept(name), kept(name).is_some()])?;
    }
    if let Some(notes) = &change.notes {
        tx.prepare_cached("UPDATE contacts SET notes = ?2 WHERE id = ?1")?
            .execute(params![id.0, kept(notes)])?;
    }
    if let Some(language) = &change.language {
        tx.prepare_cached("UPDATE contacts SET language = ?2, language_by_hand = 1 WHERE id = ?1")?
            .execute(params![id.0, language.as_str()])?;
    }
    Ok(())
}

/// Takes a contact out.
pub fn delete(tx: &Tx, id: ContactId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM contacts WHERE id = ?1")?.execute([id.0])?;
    Ok(())
}

/// Takes a number out, as far as it may be seen; answers how many contacts that were.
pub fn erase(tx: &Tx, sight: Sight, number: &str) -> Result<u64, StoreError> {
    let sql = format!("DELETE FROM contacts WHERE {SEEN} AND number = ?2");
    Ok(tx.prepare_cached(&sql)?.execute(params![sight.owner(), number])? as u64)
}

/// How many calls of a contact are left.
const LEFT: &str = "SELECT count(*) FROM calls c JOIN assistants a ON a.id = c.assistant_id
    WHERE c.caller = contacts.number AND a.owner_id IS contacts.owner_id
    AND c.started_at >= contacts.first_call_at AND c.ended_at IS NOT NULL
    AND c.status <> 'rejected'";

/// The name that they gave last.
const NAMED: &str = "SELECT name FROM (
    SELECT b.name, b.created_at FROM bookings b JOIN assistants a ON a.id = b.assistant_id
    WHERE b.caller = contacts.number AND a.owner_id IS contacts.owner_id AND b.name <> ''
    UNION ALL
    SELECT m.name, m.created_at FROM messages m JOIN assistants a ON a.id = m.assistant_id
    WHERE m.caller = contacts.number AND a.owner_id IS contacts.owner_id AND m.name <> ''
    ORDER BY 2 DESC LIMIT 1)";

/// Once calls of a number to an assistant were forgotten, leaves of its contact what the calls that
/// are left still tell; nothing when there are none.
pub fn tidy(tx: &Tx, assistant: AssistantId, number: &str) -> Result<(), StoreError> {
    let owner: Option<i64> = tx
        .prepare_cached("SELECT owner_id FROM assistants WHERE id = ?1")?
        .query_row([assistant.0], |row| row.get(0))
        .optional()?
        .flatten();
    let sql = format!(
        "UPDATE contacts SET calls = ({LEFT}),
         name = CASE WHEN name_by_hand THEN name ELSE ({NAMED}) END
         WHERE number = ?1 AND owner_id IS ?2"
    );
    tx.prepare_cached(&sql)?.execute(params![number, owner])?;
    tx.prepare_cached("DELETE FROM contacts WHERE number = ?1 AND owner_id IS ?2 AND calls = 0")?
        .execute(params![number, owner])?;
    Ok(())
}

/// Gives a user's contacts to another one, who may know the same people already.
pub fn give(tx: &Tx, from: UserId, to: UserId) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE contacts SET
         name = coalesce(name, (SELECT old.name FROM contacts old
             WHERE old.number = contacts.number AND old.owner_id = ?1)),
         notes = coalesce(notes, (SELECT old.notes FROM contacts old
             WHERE old.number = contacts.number AND old.owner_id = ?1)),
         first_call_at = min(first_call_at, (SELECT old.first_call_at FROM contacts old
             WHERE old.number = contacts.number AND old.owner_id = ?1)),
         last_call_at = max(last_call_at, (SELECT old.last_call_at FROM contacts old
             WHERE old.number = contacts.number AND old.owner_id = ?1)),
         calls = calls + (SELECT old.calls FROM contacts old
             WHERE old.number = contacts.number AND old.owner_id = ?1)
         WHERE owner_id = ?2
         AND number IN (SELECT number FROM contacts WHERE owner_id = ?1)",
    )?
    .execute(params![from.0, to.0])?;
    tx.prepare_cached("UPDATE OR IGNORE contacts SET owner_id = ?2 WHERE owner_id = ?1")?
        .execute(params![from.0, to.0])?;
    forget_owner(tx, from)
}

/// Takes out the contacts of a user who is no more: another one may get the number of the row.
pub fn forget_owner(tx: &Tx, owner: UserId) -> Result<(), StoreError> {
    tx.prepare_cached("DELETE FROM contacts WHERE owner_id = ?1")?.execute([owner.0])?;
    Ok(())
}
