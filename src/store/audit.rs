//! The audit log: a chain of lines, each with a hash over itself and the one before.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{StoreError, Tx, assistants::time};
use crate::domain::Author;

/// Something that was done.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// Such as `assistant.update`.
    pub action: &'static str,
    /// What was acted on, such as `assistant/le-gourmet`.
    pub target: String,
    /// What was so before; null when there was nothing. Never a secret.
    pub before: Value,
    /// What is so now; null when nothing is left.
    pub after: Value,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its place in the chain, from 1.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Who, from where, by what.
    pub author: Author,
    /// Such as `assistant.update`.
    pub action: String,
    /// What was acted on.
    pub target: String,
    /// What was so before.
    pub before: Value,
    /// What is so now.
    pub after: Value,
    /// SHA-256 over the line and the hash of the line before it, in hexadecimal digits.
    pub hash: String,
}

/// What a check of the whole log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Lines whose hash was computed again.
    pub lines: u64,
    /// The hash of the last line: kept elsewhere, it proves that nothing was cut off.
    pub head: Option<String>,
    /// The first line that is not as it was written, if any.
    pub broken_at: Option<i64>,
}

/// The fields of a line as they are stored: the hash is over exactly these texts.
struct Texts {
    id: i64,
    at: i64,
    author: String,
    action: String,
    target: String,
    before: String,
    after: String,
}

impl Texts {
    fn hash(&self, previous: &str) -> String {
        let mut hasher = Sha256::new();
        let (id, at) = (self.id.to_string(), self.at.to_string());
        let parts = [
            previous,
            &id,
            &at,
            &self.author,
            &self.action,
            &self.target,
            &self.before,
            &self.after,
        ];
        for part in parts {
            // With its length, so that no two lines are one and the same text.
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hex::encode(hasher.finalize())
    }
}

fn last(tx: &Tx) -> Result<Option<(i64, String)>, StoreError> {
    Ok(tx
        .prepare_cached("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?)
}

/// Adds a line, in the transaction of what it tells.
pub fn record(tx: &Tx, at: Timestamp, author: &Author, deed: &Deed) -> Result<(), StoreError> {
    let (previous_id, previous) = last(tx)?.unwrap_or_default();
    let texts = Texts {
        id: previous_id + 1,
        at: at.as_millisecond(),
        author: serde_json::to_string(author)?,
        action: deed.action.to_owned(),
        target: deed.target.clone(),
        before: deed.before.to_string(),
        after: deed.after.to_string(),
    };
    let hash = texts.hash(&previous);
    let Texts { id, at, author, action, target, before, after } = texts;
    tx.prepare_cached(
        "INSERT INTO audit (id, at, author, action, target, before, after, hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![id, at, author, action, target, before, after, hash])?;
    Ok(())
}

const COLUMNS: &str = "id, at, author, action, target, before, after, hash";

fn read(row: &Row<'_>) -> Result<Entry, StoreError> {
    let text = |column: usize| row.get::<_, String>(column);
    Ok(Entry {
        id: row.get(0)?,
        at: time(row.get(1)?)?,
        author: serde_json::from_str(&text(2)?)?,
        action: text(3)?,
        target: text(4)?,
        before: serde_json::from_str(&text(5)?)?,
        after: serde_json::from_str(&text(6)?)?,
        hash: text(7)?,
    })
}

/// Whether a line has this hash.
pub fn holds(tx: &Tx, hash: &str) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM audit WHERE hash = ?1)")?
        .query_row([hash], |row| row.get(0))?)
}

/// Lines of a window, newest first; from before a line on, if one is named.
pub fn list(
    tx: &Tx,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    before: Option<i64>,
    most: Option<u64>,
) -> Result<Vec<Entry>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE at >= ?1 AND at < ?2 AND id < ?4
         ORDER BY id DESC LIMIT ?3"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query(params![
        since.map_or(i64::MIN, Timestamp::as_millisecond),
        until.map_or(i64::MAX, Timestamp::as_millisecond),
        most.map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX)),
        before.unwrap_or(i64::MAX),
    ])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(read(row)?);
    }
    Ok(entries)
}

/// Computes every hash again, from the first line on.
pub fn check(tx: &Tx) -> Result<Check, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM audit ORDER BY id");
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut check = Check { lines: 0, head: None, broken_at: None };
    let mut previous = String::new();
    while let Some(row) = rows.next()? {
        let texts = Texts {
            id: row.get(0)?,
            at: row.get(1)?,
            author: row.get(2)?,
            action: row.get(3)?,
            target: row.get(4)?,
            before: row.get(5)?,
            after: row.get(6)?,
        };
        let stored: String = row.get(7)?;
        check.lines += 1;
        let in_order = texts.id == i64::try_from(check.lines).unwrap_or(i64::MAX);
        if check.broken_at.is_none() && (!in_order || texts.hash(&previous) != stored) {
            check.broken_at = Some(texts.id);
        }
        previous = stored;
    }
    check.head = (check.lines > 0).then_some(previous);
    Ok(check)
}
