//! Tokens: make, list, revoke. A key is shown once and kept only as a hash.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{key, users::present};
use crate::{
    domain::{Actor, EmailAddress, Error, Kind, Result, Role, Scope, Secret, Token, TokenId},
    operations::audit,
    store::{
        Store, StoreError, Tx,
        audit::Deed,
        users::{self, NewToken},
    },
};

/// The longest name of a token.
const LONGEST_NAME: usize = 100;

/// A token that somebody asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whose.
    pub email: EmailAddress,
    /// What for.
    pub name: String,
    /// How far it reaches.
    pub scope: Scope,
    /// Until when; without end otherwise.
    pub expires_at: Option<Timestamp>,
}

/// Makes a token; its key is answered now and never again. For oneself with the scope one has; for
/// others as an admin.
pub fn create_token(
    store: &Store,
    actor: &Actor,
    wanted: Wanted,
    now: Timestamp,
) -> Result<(Token, Secret)> {
    actor.may_write()?;
    may_touch(actor, &wanted.email, wanted.scope)?;
    let name = wanted.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(Error::input("a token needs a name of 1 to 100 characters")
            .hint("say what it is for, such as `ci`"));
    }
    if wanted.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::input("a token cannot expire before it is made"));
    }
    let (secret, key) = key::generate()?;
    let actor = actor.clone();
    let token = store.write(move |tx| {
        let user = present(tx, &wanted.email, now)?;
        let expires_at = no_later_than_its_maker(tx, &actor, wanted.expires_at)?;
        if wanted.scope == Scope::Admin && user.role != Role::Admin {
            return Err(Error::new(
                Kind::Refused,
                format!("`{}` is a member, whom no token makes an admin", user.email),
            )
            .hint("use `--scope write`, or change the role first")
            .into());
        }
        let new = NewToken {
            user: user.id,
            name: name.clone(),
            lookup: key.lookup.clone(),
            hash: key.hash.clone(),
            scope: wanted.scope,
            expires_at,
        };
        let id = users::insert_token(tx, &new, now)?;
        let token = users::token(tx, id)?.ok_or_else(|| unknown(id))?;
        let after = json!({
            "user": user.email, "name": name, "scope": wanted.scope,
            "expires_at": expires_at.map(|at| at.to_string()),
        });
        audit::record(tx, &actor, now, &deed("token.create", id, Value::Null, after))?;
        Ok(token)
    })?;
    Ok((token, secret))
}

/// The tokens of a user, or of all; one's own for who is no admin.
pub fn tokens(
    store: &Store,
    actor: &Actor,
    email: Option<&EmailAddress>,
    now: Timestamp,
) -> Result<Vec<Token>> {
    let own = actor.account.as_ref().map(|account| (account.user, &account.email));
    let user = match (email, own) {
        (Some(email), Some((user, address))) if email == address => Some(user),
        (None, Some((user, _))) if actor.may_administer().is_err() => Some(user),
        (email, _) => {
            actor.may_administer()?;
            email
                .map(|email| store.read(|tx| present(tx, email, now)))
                .transpose()?
                .map(|user| user.id)
        }
    };
    store.read(|tx| users::tokens(tx, user))
}

/// Accepts a token no longer, from the next request on.
pub fn revoke_token(store: &Store, actor: &Actor, id: TokenId, now: Timestamp) -> Result<Token> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let token = users::token(tx, id)?.ok_or_else(|| unknown(id))?;
        may_revoke(tx, &actor, &token, now)?;
        if token.revoked_at.is_none() {
            users::revoke(tx, id, now)?;
            let before = json!({ "user": token.email, "name": token.name });
            audit::record(tx, &actor, now, &deed("token.revoke", id, before, Value::Null))?;
        }
        Ok(Token { revoked_at: Some(token.revoked_at.unwrap_or(now)), ..token })
    })
}

/// Nobody makes a token that reaches further than the one in hand.
fn may_touch(actor: &Actor, email: &EmailAddress, scope: Scope) -> Result<()> {
    match &actor.account {
        Some(account) if account.email == *email && scope != Scope::Admin => Ok(()),
        _ => actor.may_administer(),
    }
}

/// A token with an end makes none that goes on after it: whoever has it for a while would have
/// made it eternal. Revoking a token leaves those that it made as they are.
fn no_later_than_its_maker(
    tx: &Tx,
    actor: &Actor,
    wanted: Option<Timestamp>,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(id) = actor.account.as_ref().and_then(|account| account.token) else {
        return Ok(wanted);
    };
    let Some(end) = users::token(tx, id)?.and_then(|maker| maker.expires_at) else {
        return Ok(wanted);
    };
    match wanted {
        Some(at) if at > end => Err(Error::new(
            Kind::Refused,
            format!("this token ends at {end}, and makes none that ends later"),
        )
        .hint("ask for an earlier end, or for none: then it ends with this one")
        .into()),
        Some(at) => Ok(Some(at)),
        None => Ok(Some(end)),
    }
}

/// One's own, as far as the token in hand reaches; any as an admin. Another's is not there.
fn may_revoke(tx: &Tx, actor: &Actor, token: &Token, now: Timestamp) -> Result<(), StoreError> {
    let Some(account) = &actor.account else { return Ok(()) };
    if actor.may_administer().is_ok() {
        return Ok(());
    }
    if account.user != token.user {
        return Err(unknown(token.id).into());
    }
    let user = present(tx, &token.email, now)?;
    if !account.scope.reaches(token.scope.of(user.role)) {
        return Err(Error::new(Kind::Denied, "this token does not reach as far as that one")
            .hint("revoke it with one that does, or as an admin")
            .into());
    }
    Ok(())
}

/// A token that is not there, or not for the actor to know of.
pub fn unknown(id: TokenId) -> Error {
    Error::not_found(format!("there is no token {}", id.0)).hint("list them with `webox tokens`")
}

fn deed(action: &'static str, id: TokenId, before: Value, after: Value) -> Deed {
    Deed { action, target: format!("token/{}", id.0), before, after }
}
