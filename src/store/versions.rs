//! The versions of assistants, the applies that made them, and which files own what.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{
    StoreError, Tx,
    assistants::{read, time},
};
use crate::domain::{
    AccountSid, ApplyId, Assistant, AssistantId, AssistantName, AssistantSpec, Author, PhoneNumber,
    SetName, Sight,
};

/// When, by whom, and in which apply something is changed.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub author: &'a Author,
    /// In which apply, if in one.
    pub apply: Option<ApplyId>,
}

/// One version of an assistant.
#[derive(Debug, Clone)]
pub struct Version {
    /// Counts from 1.
    pub revision: i64,
    /// What was set.
    pub spec: AssistantSpec,
    /// Whether it was taken out of service here.
    pub deleted: bool,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub author: Author,
    /// In which apply, if in one.
    pub apply: Option<ApplyId>,
}

/// An assistant as the store has it, and what the files last said.
#[derive(Debug, Clone)]
pub struct Standing {
    /// As it is now.
    pub assistant: Assistant,
    /// Whose files it is in; nothing when it was made by hand.
    pub set: Option<SetName>,
    /// What the files said when they were last applied.
    pub applied: Option<AssistantSpec>,
    /// Who changed it last.
    pub author: Author,
    /// Calls it is in now.
    pub live_calls: u64,
}

/// One apply, as recorded.
#[derive(Debug, Clone)]
pub struct Apply {
    /// Row number.
    pub id: ApplyId,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub author: Author,
    /// The paths, or the plan file, as they were named.
    pub source: String,
    /// What it did, as JSON.
    pub summary: String,
}

/// Which store this is.
pub fn store_id(tx: &Tx) -> Result<String, StoreError> {
    Ok(tx
        .prepare_cached("SELECT store_id FROM identity WHERE id = 1")?
        .query_row([], |row| row.get(0))?)
}

/// The oldest thing that this store knows of: a call, or a change.
pub fn oldest(tx: &Tx) -> Result<Option<Timestamp>, StoreError> {
    let oldest: Option<i64> = tx
        .prepare_cached(
            "SELECT min(at) FROM (SELECT min(started_at) AS at FROM calls
             UNION ALL SELECT min(at) FROM audit)",
        )?
        .query_row([], |row| row.get(0))?;
    oldest.map(time).transpose()
}

/// Keeps a version; the row of the assistant has its revision already.
pub(super) fn keep(
    tx: &Tx,
    id: AssistantId,
    revision: i64,
    spec: &str,
    deleted: bool,
    stamp: &Stamp<'_>,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO assistant_versions (assistant_id, revision, spec, deleted, at, author, apply_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        id.0,
        revision,
        spec,
        deleted,
        stamp.at.as_millisecond(),
        serde_json::to_string(stamp.author)?,
        stamp.apply.map(|apply| apply.0)
    ])?;
    Ok(())
}

/// Every assistant that is not deleted and may be seen, by name.
pub fn standings(tx: &Tx, sight: Sight) -> Result<Vec<Standing>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT a.id, a.spec, a.revision, a.created_at, a.updated_at, a.owner_id, u.email, a.set_name,
                CASE WHEN a.applied_revision = a.revision THEN NULL ELSE l.spec END,
                a.applied_revision = a.revision, v.author, coalesce(f.live_calls, 0)
         FROM assistants a
         LEFT JOIN assistant_versions l ON l.assistant_id = a.id AND l.revision = a.applied_revision
         LEFT JOIN assistant_versions v ON v.assistant_id = a.id AND v.revision = a.revision
         LEFT JOIN assistant_figures f ON f.assistant_id = a.id
         LEFT JOIN users u ON u.id = a.owner_id
         WHERE a.deleted_at IS NULL AND (?1 IS NULL OR a.owner_id = ?1) ORDER BY a.name",
    )?;
    let mut rows = statement.query([sight.owner()])?;
    let mut standings = Vec::new();
    while let Some(row) = rows.next()? {
        let assistant = read(row)?;
        let set: Option<String> = row.get(7)?;
        let older: Option<String> = row.get(8)?;
        // The usual case, in which the version need not be read a second time.
        let applied = match (row.get::<_, Option<bool>>(9)?, older) {
            (Some(true), _) => Some(assistant.spec.clone()),
            (_, Some(json)) => Some(serde_json::from_str(&json)?),
            _ => None,
        };
        standings.push(Standing {
            assistant,
            set: set.map(|set| set.parse().map_err(StoreError::User)).transpose()?,
            applied,
            author: author(row, 10)?,
            live_calls: row.get::<_, i64>(11)?.max(0) as u64,
        });
    }
    Ok(standings)
}

fn author(row: &Row<'_>, column: usize) -> Result<Author, StoreError> {
    let json: Option<String> = row.get(column)?;
    Ok(json
        .map(|json| serde_json::from_str(&json))
        .transpose()?
        .unwrap_or_else(|| Author::new("unknown", "unknown")))
}

/// Notes that an assistant is now as the files of a set say.
pub fn set_applied(tx: &Tx, id: AssistantId, set: &SetName) -> Result<(), StoreError> {
    tx.prepare_cached(
        "UPDATE assistants SET set_name = ?2, applied_revision = revision WHERE id = ?1",
    )?
    .execute(params![id.0, set.as_str()])?;
    Ok(())
}

/// Records an apply; its versions name it.
pub fn insert_apply(
    tx: &Tx,
    at: Timestamp,
    author: &Author,
    source: &str,
    summary: &str,
) -> Result<ApplyId, StoreError> {
    Ok(ApplyId(
        tx.prepare_cached(
            "INSERT INTO applies (at, author, source, summary) VALUES (?1, ?2, ?3, ?4) RETURNING id",
        )?
        .query_row(
            params![at.as_millisecond(), serde_json::to_string(author)?, source, summary],
            |row| row.get(0),
        )?,
    ))
}

/// The applies of somebody or of all, newest first; from before one on, if it is named.
pub fn applies(
    tx: &Tx,
    who: Option<&str>,
    before: Option<ApplyId>,
    most: Option<u64>,
) -> Result<Vec<Apply>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, at, source, summary, author FROM applies
         WHERE (?2 IS NULL OR json_extract(author, '$.who') = ?2) AND id < ?3
         ORDER BY id DESC LIMIT ?1",
    )?;
    let most = most.map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX));
    let before = before.map_or(i64::MAX, |apply| apply.0);
    let mut rows = statement.query(params![most, who, before])?;
    let mut applies = Vec::new();
    while let Some(row) = rows.next()? {
        applies.push(Apply {
            id: ApplyId(row.get(0)?),
            at: time(row.get(1)?)?,
            source: row.get(2)?,
            summary: row.get(3)?,
            author: author(row, 4)?,
        });
    }
    Ok(applies)
}

/// The versions of an assistant, newest first.
pub fn of_assistant(tx: &Tx, id: AssistantId) -> Result<Vec<Version>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT revision, spec, deleted, at, apply_id, author
         FROM assistant_versions WHERE assistant_id = ?1 ORDER BY revision DESC",
    )?;
    let mut rows = statement.query([id.0])?;
    let mut versions = Vec::new();
    while let Some(row) = rows.next()? {
        versions.push(Version {
            revision: row.get(0)?,
            spec: serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?,
            deleted: row.get(2)?,
            at: time(row.get(3)?)?,
            apply: row.get::<_, Option<i64>>(4)?.map(ApplyId),
            author: author(row, 5)?,
        });
    }
    Ok(versions)
}

/// The number that an assistant had at a moment; that of its oldest version, where none is as old.
pub fn number_at(
    tx: &Tx,
    id: AssistantId,
    at: Timestamp,
) -> Result<Option<PhoneNumber>, StoreError> {
    let spec: Option<String> = tx
        .prepare_cached(
            "SELECT coalesce(
                (SELECT spec FROM assistant_versions WHERE assistant_id = ?1 AND at <= ?2
                 ORDER BY revision DESC LIMIT 1),
                (SELECT spec FROM assistant_versions WHERE assistant_id = ?1
                 ORDER BY revision LIMIT 1))",
        )?
        .query_row(params![id.0, at.as_millisecond()], |row| row.get(0))?;
    let spec = spec.map(|text| serde_json::from_str::<AssistantSpec>(&text)).transpose()?;
    Ok(spec.map(|spec| spec.phone.number))
}

pub(super) const ACCOUNTS: &str = "
    SELECT DISTINCT json_extract(spec, '$.twilio.account_sid') FROM assistant_versions
    WHERE json_extract(spec, '$.twilio.account_sid') IS NOT NULL";

/// The accounts at Twilio that are a client's own in any version of any assistant: a call keeps the
/// version that it began with.
pub fn accounts(tx: &Tx) -> Result<HashSet<AccountSid>, StoreError> {
    let mut statement = tx.prepare_cached(ACCOUNTS)?;
    let accounts = statement.query_map([], |row| row.get::<_, String>(0))?;
    accounts.map(|account| account?.parse().map_err(StoreError::User)).collect()
}

/// The assistant that has a name, or that had it last and is deleted, if it may be seen.
pub fn named(
    tx: &Tx,
    sight: Sight,
    name: &AssistantName,
) -> Result<Option<(AssistantId, bool)>, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT id, deleted_at IS NOT NULL FROM assistants
             WHERE name = ?1 AND (?2 IS NULL OR owner_id = ?2)
             ORDER BY deleted_at IS NOT NULL, deleted_at DESC LIMIT 1",
        )?
        .query_row(params![name.as_str(), sight.owner()], |row| {
            Ok((AssistantId(row.get(0)?), row.get(1)?))
        })
        .optional()?)
}
