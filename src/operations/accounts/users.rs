//! Users: add, change, take out.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    domain::{Actor, EmailAddress, Error, Kind, Result, Role, User},
    operations::{assistants::may_receive, audit},
    store::{Store, StoreError, Tx, audit::Deed, users, versions::Stamp},
};

/// All users.
pub fn list(store: &Store, actor: &Actor, now: Timestamp) -> Result<Vec<User>> {
    actor.may_administer()?;
    store.read(|tx| users::list(tx, now))
}

/// One user: any, for an admin; oneself otherwise.
pub fn show(store: &Store, actor: &Actor, email: &EmailAddress, now: Timestamp) -> Result<User> {
    let oneself = actor.account.as_ref().is_some_and(|account| account.email == *email);
    if !oneself {
        actor.may_administer()?;
    }
    store.read(|tx| present(tx, email, now))
}

/// Adds a user.
pub fn add(
    store: &Store,
    actor: &Actor,
    email: EmailAddress,
    role: Role,
    now: Timestamp,
) -> Result<User> {
    actor.may_administer()?;
    let actor = actor.clone();
    store.write(move |tx| {
        users::insert(tx, &email, role, now)?;
        let user = present(tx, &email, now)?;
        let deed = deed("user.add", &user, Value::Null, json!({ "role": role }));
        audit::record(tx, &actor, now, &deed)?;
        Ok(user)
    })
}

/// What is to be changed of a user.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change {
    /// What the user may do.
    pub role: Option<Role>,
    /// Whether none of the user's tokens is accepted.
    pub disabled: Option<bool>,
}

/// Changes what a user may do. The last admin stays one.
pub fn set_role(
    store: &Store,
    actor: &Actor,
    email: EmailAddress,
    role: Role,
    now: Timestamp,
) -> Result<User> {
    let role = Change { role: Some(role), ..Change::default() };
    change(store, actor, email, role, now, |_| true)
}

/// Accepts none of a user's tokens any longer, or accepts them again.
pub fn set_disabled(
    store: &Store,
    actor: &Actor,
    email: EmailAddress,
    disabled: bool,
    now: Timestamp,
) -> Result<User> {
    let disabled = Change { disabled: Some(disabled), ..Change::default() };
    change(store, actor, email, disabled, now, |_| true)
}

/// Changes a user, if the user is as expected: all that is wanted, or nothing.
pub fn change(
    store: &Store,
    actor: &Actor,
    email: EmailAddress,
    wanted: Change,
    now: Timestamp,
    is_expected: impl FnOnce(&User) -> bool + Send + 'static,
) -> Result<User> {
    actor.may_administer()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let mut user = present(tx, &email, now)?;
        as_expected(&user, is_expected)?;
        if let Some(role) = wanted.role.filter(|role| *role != user.role) {
            not_the_last_admin(tx, &actor, &user, now)?;
            users::set_role(tx, user.id, role)?;
            let deed =
                deed("user.set-role", &user, json!({ "role": user.role }), json!({ "role": role }));
            audit::record(tx, &actor, now, &deed)?;
            user.role = role;
        }
        let is_disabled = user.disabled_at.is_some();
        if let Some(disabled) = wanted.disabled.filter(|disabled| *disabled != is_disabled) {
            if disabled {
                not_the_last_admin(tx, &actor, &user, now)?;
            }
            user.disabled_at = disabled.then_some(now);
            users::set_disabled(tx, user.id, user.disabled_at)?;
            let action = if disabled { "user.disable" } else { "user.enable" };
            let (before, after) =
                (json!({ "disabled": !disabled }), json!({ "disabled": disabled }));
            audit::record(tx, &actor, now, &deed(action, &user, before, after))?;
        }
        Ok(user)
    })
}

fn as_expected(user: &User, is_expected: impl FnOnce(&User) -> bool) -> Result<()> {
    if is_expected(user) {
        return Ok(());
    }
    let message = format!("`{}` was changed by somebody else meanwhile", user.email);
    Err(Error::new(Kind::Outdated, message).hint("look again, then repeat your change"))
}

/// Takes a user out, with the user's tokens. What belongs to the user must go to somebody first,
/// or in the same step.
pub fn delete(
    store: &Store,
    actor: &Actor,
    email: EmailAddress,
    heir: Option<EmailAddress>,
    now: Timestamp,
    is_expected: impl FnOnce(&User) -> bool + Send + 'static,
) -> Result<User> {
    actor.may_administer()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let user = present(tx, &email, now)?;
        as_expected(&user, is_expected)?;
        not_the_last_admin(tx, &actor, &user, now)?;
        if let Some(heir) = &heir {
            let heir = present(tx, heir, now)?;
            if heir.id == user.id {
                return Err(Error::input("nobody inherits from oneself").into());
            }
            let stamp = Stamp { at: now, author: &actor.author, apply: None };
            for id in users::assistants(tx, user.id)? {
                if let Some(assistant) = crate::store::assistants::by_id(tx, id)? {
                    may_receive(tx, &assistant, Some(heir.id))?;
                }
                crate::store::assistants::hand_over(tx, id, Some(heir.id), &stamp)?;
            }
            crate::store::contacts::give(tx, user.id, heir.id)?;
            crate::store::do_not_call::give(tx, user.id, Some(heir.id))?;
        } else if user.assistants > 0 {
            return Err(Error::new(
                Kind::Refused,
                format!("{} assistants belong to `{}`", user.assistants, user.email),
            )
            .hint("say who has them from now on with `--give-to EMAIL`")
            .into());
        }
        if crate::store::secrets::list(tx)?.iter().any(|row| row.owner == Some(user.id)) {
            return Err(Error::new(Kind::Refused, format!("`{}` has secrets", user.email))
                .hint(format!("delete them first: `webox secrets list --user {}`", user.email))
                .into());
        }
        users::delete(tx, user.id)?;
        let after = heir.map_or(Value::Null, |heir| json!({ "given_to": heir }));
        let before = json!({ "role": user.role, "assistants": user.assistants });
        audit::record(tx, &actor, now, &deed("user.delete", &user, before, after))?;
        Ok(user)
    })
}

pub(super) fn present(tx: &Tx, email: &EmailAddress, now: Timestamp) -> Result<User, StoreError> {
    users::by_email(tx, email, now)?.ok_or_else(|| {
        Error::not_found(format!("no user `{email}`")).hint("list them with `webox users`").into()
    })
}

/// Over the network nobody may lock everybody out. At the file itself there is always a way back.
fn not_the_last_admin(
    tx: &Tx,
    actor: &Actor,
    user: &User,
    now: Timestamp,
) -> Result<(), StoreError> {
    if actor.account.is_none() || user.role != Role::Admin || user.disabled_at.is_some() {
        return Ok(());
    }
    let admins = users::list(tx, now)?
        .iter()
        .filter(|user| user.role == Role::Admin && user.disabled_at.is_none())
        .count();
    if admins > 1 {
        return Ok(());
    }
    Err(Error::new(Kind::Refused, format!("`{}` is the last admin", user.email))
        .hint("make somebody else an admin first")
        .into())
}

fn deed(action: &'static str, user: &User, before: Value, after: Value) -> Deed {
    Deed { action, target: format!("user/{}", user.email), before, after }
}
