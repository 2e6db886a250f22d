//! Assistants: rows, and the ones already read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{
    StoreError, Tx, knowledge,
    versions::{self, Stamp},
};
use crate::domain::{
    AccountSid, Assistant, AssistantId, AssistantName, AssistantSpec, Compliance, Error, Owner,
    PhoneNumber, Sight, UserId,
};

const COLUMNS: &str = "id, spec, revision, created_at, updated_at, owner_id,
     (SELECT email FROM users WHERE users.id = owner_id)";

/// An assistant with its running figures.
#[derive(Debug, Clone)]
pub struct AssistantOverview {
    /// The assistant.
    pub assistant: Assistant,
    /// Calls it ever took.
    pub total_calls: u64,
    /// Calls it is in now.
    pub live_calls: u64,
    /// When the last one rang.
    pub last_call_at: Option<Timestamp>,
}

/// Assistants already read, so that a call need not parse a long file again. Each version is kept
/// as itself: a change made by another process counts from the next call on, and not before.
#[derive(Default)]
pub struct Cache {
    known: Mutex<HashMap<AssistantId, Vec<Arc<Assistant>>>>,
}

/// Versions of one assistant kept at a time: live calls rarely have more than two.
const VERSIONS: usize = 4;

impl Cache {
    /// The assistant that answers a number, if there is one.
    pub fn by_phone(
        &self,
        tx: &Tx,
        phone: &PhoneNumber,
    ) -> Result<Option<Arc<Assistant>>, StoreError> {
        let found: Option<(i64, i64)> = tx
            .prepare_cached(
                "SELECT id, revision FROM assistants WHERE phone = ?1 AND deleted_at IS NULL",
            )?
            .query_row([phone.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        found.map(|(id, revision)| self.version(tx, AssistantId(id), revision)).transpose()
    }

    /// A version of an assistant, also when it was changed or deleted since: a live call keeps the
    /// one it began with.
    pub fn version(
        &self,
        tx: &Tx,
        id: AssistantId,
        revision: i64,
    ) -> Result<Arc<Assistant>, StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let versions = known.entry(id).or_default();
        if let Some(found) = versions.iter().find(|version| version.revision == revision) {
            return Ok(Arc::clone(found));
        }
        let assistant = tx
            .prepare_cached(
                "SELECT a.id, v.spec, v.revision, a.created_at, v.at, a.owner_id, u.email
                 FROM assistant_versions v JOIN assistants a ON a.id = v.assistant_id
                 LEFT JOIN users u ON u.id = a.owner_id
                 WHERE v.assistant_id = ?1 AND v.revision = ?2",
            )?
            .query_row(params![id.0, revision], |row| Ok(read(row)))??;
        let assistant = Arc::new(assistant);
        if versions.len() >= VERSIONS {
            versions.remove(0);
        }
        versions.push(Arc::clone(&assistant));
        Ok(assistant)
    }
}

pub(super) fn read(row: &Row<'_>) -> Result<Assistant, StoreError> {
    let owner = match (row.get::<_, Option<i64>>(5)?, row.get::<_, Option<String>>(6)?) {
        (Some(id), Some(email)) => {
            Some(Owner { id: UserId(id), email: email.parse().map_err(StoreError::User)? })
        }
        _ => None,
    };
    Ok(Assistant {
        id: AssistantId(row.get(0)?),
        owner,
        spec: serde_json::from_str(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)?,
        revision: row.get(2)?,
        created_at: time(row.get(3)?)?,
        updated_at: time(row.get(4)?)?,
    })
}

pub(super) fn time(ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|error| StoreError::Row(error.to_string()))
}

/// All assistants that are not deleted and may be seen, by name.
pub fn list(tx: &Tx, sight: Sight) -> Result<Vec<AssistantOverview>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT a.id, a.spec, a.revision, a.created_at, a.updated_at, a.owner_id, u.email,
                coalesce(f.total_calls, 0), coalesce(f.live_calls, 0), f.last_call_at
         FROM assistants a LEFT JOIN assistant_figures f ON f.assistant_id = a.id
         LEFT JOIN users u ON u.id = a.owner_id
         WHERE a.deleted_at IS NULL AND (?1 IS NULL OR a.owner_id = ?1) ORDER BY a.name",
    )?;
    let mut rows = statement.query([sight.owner()])?;
    let mut assistants = Vec::new();
    while let Some(row) = rows.next()? {
        assistants.push(AssistantOverview {
            assistant: read(row)?,
            total_calls: row.get::<_, i64>(7)?.max(0) as u64,
            live_calls: row.get::<_, i64>(8)?.max(0) as u64,
            last_call_at: row.get::<_, Option<i64>>(9)?.map(time).transpose()?,
        });
    }
    Ok(assistants)
}

/// An assistant with its running figures.
pub fn overview(tx: &Tx, assistant: Assistant) -> Result<AssistantOverview, StoreError> {
    let figures: Option<(i64, i64, Option<i64>)> = tx
        .prepare_cached(
            "SELECT total_calls, live_calls, last_call_at FROM assistant_figures
             WHERE assistant_id = ?1",
        )?
        .query_row([assistant.id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let (total, live, last) = figures.unwrap_or_default();
    Ok(AssistantOverview {
        assistant,
        total_calls: total.max(0) as u64,
        live_calls: live.max(0) as u64,
        last_call_at: last.map(time).transpose()?,
    })
}

/// By slug.
pub fn by_name(tx: &Tx, name: &str) -> Result<Option<Assistant>, StoreError> {
    one(tx, "name = ?1", name)
}

/// By row number, unless deleted.
pub fn by_id(tx: &Tx, id: AssistantId) -> Result<Option<Assistant>, StoreError> {
    one(tx, "id = ?1", id.0)
}

/// By slug, if it may be seen. What may not be seen is found by nobody: the same query answers for
/// it and for what is not there, and takes the same time.
pub fn seen_by_name(tx: &Tx, sight: Sight, name: &str) -> Result<Option<Assistant>, StoreError> {
    seen(tx, "name = ?1", name, sight)
}

/// By row number, unless deleted, if it may be seen.
pub fn seen_by_id(tx: &Tx, sight: Sight, id: AssistantId) -> Result<Option<Assistant>, StoreError> {
    seen(tx, "id = ?1", id.0, sight)
}

/// By number.
pub fn by_phone(tx: &Tx, phone: &PhoneNumber) -> Result<Option<Assistant>, StoreError> {
    one(tx, "phone = ?1", phone.as_str())
}

fn one(
    tx: &Tx,
    condition: &'static str,
    value: impl rusqlite::ToSql,
) -> Result<Option<Assistant>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM assistants WHERE {condition} AND deleted_at IS NULL");
    tx.prepare_cached(&sql)?.query_row([value], |row| Ok(read(row))).optional()?.transpose()
}

fn seen(
    tx: &Tx,
    condition: &'static str,
    value: impl rusqlite::ToSql,
    sight: Sight,
) -> Result<Option<Assistant>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM assistants
         WHERE {condition} AND deleted_at IS NULL AND (?2 IS NULL OR owner_id = ?2)"
    );
    tx.prepare_cached(&sql)?
        .query_row(params![value, sight.owner()], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// The slugs of all assistants that are not deleted and may be seen.
pub fn names(tx: &Tx, sight: Sight) -> Result<Vec<AssistantName>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT name FROM assistants
         WHERE deleted_at IS NULL AND (?1 IS NULL OR owner_id = ?1) ORDER BY name",
    )?;
    let names = statement.query_map([sight.owner()], |row| row.get::<_, String>(0))?;
    names.map(|name| name?.parse().map_err(StoreError::User)).collect()
}

/// Whether a client is served by an assistant that is not a user's, also by one that was taken out of
/// service: names are compared as a person reads them.
pub fn has_others(tx: &Tx, client: &str, user: UserId) -> Result<bool, StoreError> {
    let same = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut statement = tx.prepare_cached(
        "SELECT DISTINCT spec ->> '$.client' FROM assistants WHERE owner_id IS NOT ?1",
    )?;
    let mut rows = statement.query([user.0])?;
    while let Some(row) = rows.next()? {
        let name: Option<String> = row.get(0)?;
        if name.is_some_and(|name| same(&name) == same(client)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an account at Twilio is that of an assistant that is not a user's.
pub fn is_account_of_others(
    tx: &Tx,
    account: &AccountSid,
    user: UserId,
) -> Result<bool, StoreError> {
    Ok(tx
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM assistants WHERE owner_id IS NOT ?1
             AND deleted_at IS NULL AND spec ->> '$.twilio.account_sid' = ?2)",
        )?
        .query_row(params![user.0, account.as_str()], |row| row.get(0))?)
}

/// The newest version of every assistant.
pub fn revisions(tx: &Tx) -> Result<Vec<(AssistantId, i64)>, StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT id, revision FROM assistants WHERE deleted_at IS NULL")?;
    let rows = statement.query_map([], |row| Ok((AssistantId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Adds an assistant.
pub fn insert(
    tx: &Tx,
    spec: &AssistantSpec,
    owner: Option<UserId>,
    stamp: &Stamp<'_>,
) -> Result<Assistant, StoreError> {
    free_for(tx, spec, None)?;
    let ms = stamp.at.as_millisecond();
    let json = serde_json::to_string(spec)?;
    let id: i64 = tx
        .prepare_cached(
            "INSERT INTO assistants (name, phone, active, spec, created_at, updated_at, owner_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) RETURNING id",
        )?
        .query_row(
            params![
                spec.name.as_str(),
                spec.phone.as_str(),
                spec.active,
                json,
                ms,
                owner.map(|owner| owner.0)
            ],
            |row| row.get(0),
        )?;
    tx.prepare_cached("INSERT INTO assistant_figures (assistant_id) VALUES (?1)")?.execute([id])?;
    let id = AssistantId(id);
    knowledge::keep(tx, id, spec)?;
    versions::keep(tx, id, 1, &json, false, stamp)?;
    by_id(tx, id)?.ok_or_else(|| StoreError::Row(format!("assistant {} is gone", id.0)))
}

/// Changes an assistant, one revision further; one that was deleted is in service again.
pub fn update(
    tx: &Tx,
    id: AssistantId,
    spec: &AssistantSpec,
    stamp: &Stamp<'_>,
) -> Result<Assistant, StoreError> {
    free_for(tx, spec, Some(id))?;
    let json = serde_json::to_string(spec)?;
    let sql = format!(
        "UPDATE assistants SET name = ?2, phone = ?3, active = ?4, spec = ?5, updated_at = ?6,
         deleted_at = NULL, revision = revision + 1 WHERE id = ?1 RETURNING {COLUMNS}"
    );
    let assistant = tx.prepare_cached(&sql)?.query_row(
        params![
            id.0,
            spec.name.as_str(),
            spec.phone.as_str(),
            spec.active,
            json,
            stamp.at.as_millisecond()
        ],
        |row| Ok(read(row)),
    )??;
    knowledge::keep(tx, id, spec)?;
    versions::keep(tx, id, assistant.revision, &json, false, stamp)?;
    Ok(assistant)
}

/// Makes an assistant somebody's, or nobody's: one revision further, that live calls may tell.
pub fn hand_over(
    tx: &Tx,
    id: AssistantId,
    owner: Option<UserId>,
    stamp: &Stamp<'_>,
) -> Result<Assistant, StoreError> {
    super::users::set_owner(tx, id, owner)?;
    let sql = format!(
        "UPDATE assistants SET revision = revision + 1, updated_at = ?2,
         applied_revision = CASE WHEN applied_revision = revision THEN revision + 1
                                 ELSE applied_revision END
         WHERE id = ?1 RETURNING {COLUMNS}, deleted_at IS NOT NULL"
    );
    let (assistant, deleted): (Assistant, bool) =
        tx.prepare_cached(&sql)?.query_row(params![id.0, stamp.at.as_millisecond()], |row| {
            let deleted = row.get(7)?;
            Ok(read(row).map(|assistant| (assistant, deleted)))
        })??;
    let json = serde_json::to_string(&assistant.spec)?;
    versions::keep(tx, id, assistant.revision, &json, deleted, stamp)?;
    Ok(assistant)
}

/// Gives up name and number of assistants that are about to change, so that two may swap theirs
/// within a transaction.
pub fn give_up_keys(tx: &Tx, ids: &[AssistantId]) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "UPDATE assistants SET name = '~' || id, phone = '~' || id WHERE id = ?1",
    )?;
    for id in ids {
        statement.execute([id.0])?;
    }
    Ok(())
}

/// Takes an assistant out of service for good; its calls stay.
pub fn delete(tx: &Tx, assistant: &Assistant, stamp: &Stamp<'_>) -> Result<(), StoreError> {
    let spec = AssistantSpec { active: false, ..assistant.spec.clone() };
    let revision: i64 = tx
        .prepare_cached(
            "UPDATE assistants SET name = ?3, phone = ?4, deleted_at = ?2, updated_at = ?2, active = 0,
             applied_revision = NULL, revision = revision + 1 WHERE id = ?1 RETURNING revision",
        )?
        .query_row(
            params![
                assistant.id.0,
                stamp.at.as_millisecond(),
                spec.name.as_str(),
                spec.phone.as_str()
            ],
            |row| row.get(0),
        )?;
    let json = serde_json::to_string(&spec)?;
    versions::keep(tx, assistant.id, revision, &json, true, stamp)
}

/// A name and a number have one assistant each; says whose they are.
fn free_for(tx: &Tx, spec: &AssistantSpec, id: Option<AssistantId>) -> Result<(), StoreError> {
    let other = |found: Option<Assistant>| found.filter(|found| Some(found.id) != id);
    if let Some(found) = other(by_name(tx, spec.name.as_str())?) {
        return Err(Error::conflict(format!("there is an assistant `{}` already", spec.name))
            .hint(format!(
                "change it with `webox assistants edit {}`, or choose another name",
                found.spec.name
            ))
            .into());
    }
    if let Some(found) = other(by_phone(tx, &spec.phone)?) {
        return Err(Error::conflict(format!(
            "the number {} belongs to the assistant `{}`",
            spec.phone, found.spec.name
        ))
        .hint("one number has one assistant: give this one another number, or change the other one first")
        .into());
    }
    Ok(())
}

/// What is to be forgotten of the calls of every assistant, deleted ones included.
pub fn compliance(tx: &Tx) -> Result<Vec<(AssistantId, Compliance)>, StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT id, json_extract(spec, '$.compliance') FROM assistants")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let json: Option<String> = row.get(1)?;
        let compliance = json.map(|json| serde_json::from_str(&json)).transpose()?;
        found.push((AssistantId(row.get(0)?), compliance.unwrap_or_default()));
    }
    Ok(found)
}

/// Names of the assistants that use a secret of their owner's.
pub fn using_secret(
    tx: &Tx,
    owner: Option<UserId>,
    secret: &str,
) -> Result<Vec<String>, StoreError> {
    let mut statement = tx.prepare_cached(
        "SELECT name FROM assistants
         WHERE deleted_at IS NULL AND coalesce(owner_id, 0) = ?1
           AND (?2 IN (json_extract(spec, '$.ai.api_key.secret'),
                       json_extract(spec, '$.twilio.auth_token.secret'))
                OR EXISTS (SELECT 1 FROM json_each(spec, '$.deliver') place
                           WHERE json_extract(place.value, '$.secret.secret') = ?2))
         ORDER BY name",
    )?;
    let names =
        statement.query_map(params![owner.map_or(0, |user| user.0), secret], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}
