//! Secrets: sealed values. What is in them, only `vault` can tell.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx, assistants::time};
use crate::domain::UserId;

/// A sealed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// Whose; the agency's own otherwise.
    pub owner: Option<UserId>,
    /// What it is called.
    pub name: String,
    /// Which master key wrapped its key.
    pub key_id: String,
    /// Its key, wrapped.
    pub wrapped: Vec<u8>,
    /// Its value, sealed.
    pub sealed: Vec<u8>,
    /// Since when it is kept.
    pub created_at: Timestamp,
    /// When it was last set.
    pub updated_at: Timestamp,
}

const COLUMNS: &str = "user_id, name, key_id, wrapped, sealed, created_at, updated_at";

fn read(row: &Row<'_>) -> Result<SecretRow, StoreError> {
    Ok(SecretRow {
        owner: row.get::<_, Option<i64>>(0)?.map(UserId),
        name: row.get(1)?,
        key_id: row.get(2)?,
        wrapped: row.get(3)?,
        sealed: row.get(4)?,
        created_at: time(row.get(5)?)?,
        updated_at: time(row.get(6)?)?,
    })
}

/// All secrets, the agency's first.
pub fn list(tx: &Tx) -> Result<Vec<SecretRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM secrets ORDER BY coalesce(user_id, 0), name");
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut secrets = Vec::new();
    while let Some(row) = rows.next()? {
        secrets.push(read(row)?);
    }
    Ok(secrets)
}

/// One secret.
pub fn get(tx: &Tx, owner: Option<UserId>, name: &str) -> Result<Option<SecretRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM secrets WHERE coalesce(user_id, 0) = ?1 AND name = ?2");
    tx.prepare_cached(&sql)?
        .query_row(params![owner.map_or(0, |user| user.0), name], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Keeps a secret, in place of one that has its name.
pub fn put(tx: &Tx, row: &SecretRow) -> Result<(), StoreError> {
    tx.prepare_cached(
        "INSERT INTO secrets (user_id, name, key_id, wrapped, sealed, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET key_id = excluded.key_id, wrapped = excluded.wrapped,
            sealed = excluded.sealed, updated_at = excluded.updated_at",
    )?
    .execute(params![
        row.owner.map(|user| user.0),
        row.name,
        row.key_id,
        row.wrapped,
        row.sealed,
        row.created_at.as_millisecond(),
        row.updated_at.as_millisecond()
    ])?;
    Ok(())
}

/// Forgets a secret; says whether there was one.
pub fn delete(tx: &Tx, owner: Option<UserId>, name: &str) -> Result<bool, StoreError> {
    let gone = tx
        .prepare_cached("DELETE FROM secrets WHERE coalesce(user_id, 0) = ?1 AND name = ?2")?
        .execute(params![owner.map_or(0, |user| user.0), name])?;
    Ok(gone > 0)
}
