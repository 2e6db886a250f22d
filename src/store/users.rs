//! Users and their tokens: rows.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{StoreError, Tx, assistants::time, contacts, do_not_call};
use crate::domain::{AssistantId, EmailAddress, Error, Role, Scope, Token, TokenId, User, UserId};

const COLUMNS: &str = "u.id, u.email, u.role, u.created_at, u.disabled_at,
    (SELECT count(*) FROM assistants a WHERE a.owner_id = u.id AND a.deleted_at IS NULL),
    (SELECT count(*) FROM tokens t WHERE t.user_id = u.id AND t.revoked_at IS NULL
        AND (t.expires_at IS NULL OR t.expires_at > ?1))";

fn read(row: &Row<'_>) -> Result<User, StoreError> {
    Ok(User {
        id: UserId(row.get(0)?),
        email: row.get::<_, String>(1)?.parse().map_err(StoreError::User)?,
        role: row.get::<_, String>(2)?.parse().map_err(StoreError::User)?,
        created_at: time(row.get(3)?)?,
        disabled_at: row.get::<_, Option<i64>>(4)?.map(time).transpose()?,
        assistants: row.get::<_, i64>(5)?.max(0) as u64,
        tokens: row.get::<_, i64>(6)?.max(0) as u64,
    })
}

/// All users, by address.
pub fn list(tx: &Tx, now: Timestamp) -> Result<Vec<User>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM users u ORDER BY u.email");
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query([now.as_millisecond()])?;
    let mut users = Vec::new();
    while let Some(row) = rows.next()? {
        users.push(read(row)?);
    }
    Ok(users)
}

/// By address.
pub fn by_email(tx: &Tx, email: &EmailAddress, now: Timestamp) -> Result<Option<User>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM users u WHERE u.email = ?2");
    tx.prepare_cached(&sql)?
        .query_row(params![now.as_millisecond(), email.as_str()], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

/// Adds a user.
pub fn insert(
    tx: &Tx,
    email: &EmailAddress,
    role: Role,
    now: Timestamp,
) -> Result<UserId, StoreError> {
    if by_email(tx, email, now)?.is_some() {
        return Err(Error::conflict(format!("there is a user `{email}` already"))
            .hint(format!("change it with `webox users set-role {email} --role …`"))
            .into());
    }
    let id = tx
        .prepare_cached(
            "INSERT INTO users (email, role, created_at) VALUES (?1, ?2, ?3) RETURNING id",
        )?
        .query_row(params![email.as_str(), role.as_str(), now.as_millisecond()], |row| {
            row.get(0)
        })?;
    Ok(UserId(id))
}

/// Changes what a user may do.
pub fn set_role(tx: &Tx, id: UserId, role: Role) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE users SET role = ?2 WHERE id = ?1")?
        .execute(params![id.0, role.as_str()])?;
    Ok(())
}

/// Accepts a user's tokens no longer, or again.
pub fn set_disabled(tx: &Tx, id: UserId, at: Option<Timestamp>) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE users SET disabled_at = ?2 WHERE id = ?1")?
        .execute(params![id.0, at.map(Timestamp::as_millisecond)])?;
    Ok(())
}

/// Takes a user and the user's tokens out. Nothing may belong to the user any more.
pub fn delete(tx: &Tx, id: UserId) -> Result<(), StoreError> {
    // Those that were deleted still name their owner.
    tx.prepare_cached("UPDATE assistants SET owner_id = NULL WHERE owner_id = ?1")?
        .execute([id.0])?;
    contacts::forget_owner(tx, id)?;
    do_not_call::give(tx, id, None)?;
    tx.prepare_cached("DELETE FROM users WHERE id = ?1")?.execute([id.0])?;
    Ok(())
}

/// The assistants of a user.
pub fn assistants(tx: &Tx, id: UserId) -> Result<Vec<AssistantId>, StoreError> {
    let mut statement =
        tx.prepare_cached("SELECT id FROM assistants WHERE owner_id = ?1 ORDER BY id")?;
    let ids = statement.query_map([id.0], |row| Ok(AssistantId(row.get(0)?)))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Makes an assistant somebody's, or nobody's.
pub fn set_owner(tx: &Tx, id: AssistantId, owner: Option<UserId>) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE assistants SET owner_id = ?2 WHERE id = ?1")?
        .execute(params![id.0, owner.map(|user| user.0)])?;
    Ok(())
}

const TOKEN: &str =
    "t.id, t.user_id, u.email, t.name, t.lookup, t.scope, t.created_at, t.expires_at,
    t.revoked_at, t.last_used_at";

fn read_token(row: &Row<'_>) -> Result<Token, StoreError> {
    let moment = |column: usize| -> Result<Option<Timestamp>, StoreError> {
        row.get::<_, Option<i64>>(column)?.map(time).transpose()
    };
    Ok(Token {
        id: TokenId(row.get(0)?),
        user: UserId(row.get(1)?),
        email: row.get::<_, String>(2)?.parse().map_err(StoreError::User)?,
        name: row.get(3)?,
        lookup: row.get(4)?,
        scope: row.get::<_, String>(5)?.parse().map_err(StoreError::User)?,
        created_at: time(row.get(6)?)?,
        expires_at: moment(7)?,
        revoked_at: moment(8)?,
        last_used_at: moment(9)?,
    })
}

/// The tokens of a user or of all, newest first.
pub fn tokens(tx: &Tx, user: Option<UserId>) -> Result<Vec<Token>, StoreError> {
    let sql = format!(
        "SELECT {TOKEN} FROM tokens t JOIN users u ON u.id = t.user_id
         WHERE (?1 IS NULL OR t.user_id = ?1) ORDER BY t.id DESC"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let mut rows = statement.query([user.map(|user| user.0)])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        tokens.push(read_token(row)?);
    }
    Ok(tokens)
}

/// A token by its row.
pub fn token(tx: &Tx, id: TokenId) -> Result<Option<Token>, StoreError> {
    let sql =
        format!("SELECT {TOKEN} FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = ?1");
    tx.prepare_cached(&sql)?.query_row([id.0], |row| Ok(read_token(row))).optional()?.transpose()
}

/// A key's row, and what it is checked against.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// The token.
    pub token: Token,
    /// SHA-256 of the key.
    pub hash: Vec<u8>,
    /// What its user may do.
    pub role: Role,
    /// Whether its user is disabled.
    pub disabled: bool,
}

/// By the part of a key that is no secret.
pub fn by_lookup(tx: &Tx, lookup: &str) -> Result<Option<KeyRow>, StoreError> {
    let sql = format!(
        "SELECT {TOKEN}, t.hash, u.role, u.disabled_at IS NOT NULL
         FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.lookup = ?1"
    );
    let read = |row: &Row<'_>| -> Result<KeyRow, StoreError> {
        Ok(KeyRow {
            token: read_token(row)?,
            hash: row.get(10)?,
            role: row.get::<_, String>(11)?.parse().map_err(StoreError::User)?,
            disabled: row.get(12)?,
        })
    };
    tx.prepare_cached(&sql)?.query_row([lookup], |row| Ok(read(row))).optional()?.transpose()
}

/// A token as it is made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Whose.
    pub user: UserId,
    /// What for.
    pub name: String,
    /// The part of the key that is no secret.
    pub lookup: String,
    /// SHA-256 of the key.
    pub hash: Vec<u8>,
    /// How far it reaches.
    pub scope: Scope,
    /// Until when.
    pub expires_at: Option<Timestamp>,
}

/// Adds a token.
pub fn insert_token(tx: &Tx, new: &NewToken, now: Timestamp) -> Result<TokenId, StoreError> {
    let same: Option<i64> = tx
        .prepare_cached(
            "SELECT id FROM tokens WHERE user_id = ?1 AND name = ?2 AND revoked_at IS NULL",
        )?
        .query_row(params![new.user.0, new.name], |row| row.get(0))
        .optional()?;
    if let Some(id) = same {
        return Err(Error::conflict(format!("this user has a token `{}` already", new.name))
            .hint(format!("choose another name, or `webox tokens revoke {id}` first"))
            .into());
    }
    let id = tx
        .prepare_cached(
            "INSERT INTO tokens (user_id, name, lookup, hash, scope, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
        )?
        .query_row(
            params![
                new.user.0,
                new.name,
                new.lookup,
                new.hash,
                new.scope.as_str(),
                now.as_millisecond(),
                new.expires_at.map(Timestamp::as_millisecond)
            ],
            |row| row.get(0),
        )?;
    Ok(TokenId(id))
}

/// Accepts a token no longer.
pub fn revoke(tx: &Tx, id: TokenId, now: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute(params![id.0, now.as_millisecond()])?;
    Ok(())
}

/// Notes that a token was used.
pub fn touch(tx: &Tx, id: TokenId, now: Timestamp) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE tokens SET last_used_at = ?2 WHERE id = ?1")?
        .execute(params![id.0, now.as_millisecond()])?;
    Ok(())
}
