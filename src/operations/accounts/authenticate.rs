//! From a key to the account that asks.

use jiff::{SignedDuration, Timestamp};

use super::{key, users::present};
use crate::{
    domain::{Account, Actor, Author, EmailAddress, Error, Kind, Result, Scope},
    store::{Store, users},
};

/// How exact the time of a token's last use is: one write a minute at most.
const EXACT_TO: SignedDuration = SignedDuration::from_mins(1);

/// Why a key is not accepted. For the log; whoever sent it learns only that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is no key of webox, or none that was ever given out.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
    /// Its user is disabled.
    Disabled,
}

impl Refused {
    /// A word for the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Disabled => "disabled",
        }
    }
}

/// The account of a key. It is read from the store each time: a token that is revoked here is not
/// accepted by any process a moment later.
pub async fn authenticate(
    store: &Store,
    key: &str,
    now: Timestamp,
) -> Result<Result<Account, Refused>> {
    let Some(key) = key::read(key) else { return Ok(Err(Refused::Unknown)) };
    let lookup = key.lookup.clone();
    let found = store.read_async(move |tx| users::by_lookup(tx, &lookup)).await?;
    // Also where there is no row, so that both take the same time.
    let nothing = vec![0_u8; key.hash.len()];
    let expected = found.as_ref().map_or(&nothing, |row| &row.hash);
    let same = same_bytes(expected, &key.hash);
    let Some(row) = found.filter(|_| same) else { return Ok(Err(Refused::Unknown)) };
    let token = row.token;
    if token.revoked_at.is_some() {
        return Ok(Err(Refused::Revoked));
    }
    if token.expires_at.is_some_and(|at| at <= now) {
        return Ok(Err(Refused::Expired));
    }
    if row.disabled {
        return Ok(Err(Refused::Disabled));
    }
    let stale = |at: Timestamp| now.duration_since(at) >= EXACT_TO;
    if token.last_used_at.is_none_or(stale) {
        let store = store.clone();
        let id = token.id;
        // Nobody waits for this.
        tokio::spawn(async move { store.write_async(move |tx| users::touch(tx, id, now)).await });
    }
    let scope = token.scope.of(row.role);
    Ok(Ok(Account {
        user: token.user,
        email: token.email,
        role: row.role,
        scope,
        token: Some(token.id),
    }))
}

/// Whether an actor's token is still accepted, and still that of the same role: for those who are
/// answered over a long time.
pub fn is_still(store: &Store, actor: &Actor, now: Timestamp) -> Result<bool> {
    let Some(account) = &actor.account else { return Ok(true) };
    let Some(id) = account.token else { return Ok(true) };
    store.read(|tx| {
        let Some(token) = users::token(tx, id)? else { return Ok(false) };
        let Some(user) = users::by_email(tx, &token.email, now)? else { return Ok(false) };
        Ok(token.user == account.user
            && token.email == account.email
            && token.revoked_at.is_none()
            && token.expires_at.is_none_or(|at| at > now)
            && user.id == account.user
            && user.disabled_at.is_none()
            && user.role == account.role)
    })
}

/// Compares hashes without telling by the time it takes where they differ. They are of random
/// keys, so that guessing a prefix of a hash would be of no use either.
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0_u8, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// The owner of the file, acting as a user.
pub fn act_as(
    store: &Store,
    author: Author,
    email: &EmailAddress,
    now: Timestamp,
) -> Result<Actor> {
    let user = store.read(|tx| present(tx, email, now))?;
    if user.disabled_at.is_some() {
        return Err(Error::new(Kind::Denied, format!("`{email}` is disabled"))
            .hint(format!("let the user in again: `webox users enable {email}`")));
    }
    let account = Account {
        user: user.id,
        email: user.email,
        role: user.role,
        scope: Scope::Admin.of(user.role),
        token: None,
    };
    // Who really sits at the keyboard stays in the history.
    let author = Author { who: format!("{} as {}", author.who, account.email), ..author };
    Ok(Actor { author, account: Some(account) })
}
