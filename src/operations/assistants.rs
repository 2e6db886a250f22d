//! Assistants: find, create, change, switch, hand over, delete.

use jiff::Timestamp;
use serde_json::json;

use super::audit;
use crate::{
    domain::{
        Actor, Assistant, AssistantId, AssistantName, AssistantSpec, EmailAddress, Error, Kind,
        Result, SecretRef, Sight, UserId, suggestion_hint,
    },
    store::{Store, StoreError, Tx, assistants, audit::Deed, secrets, users, versions::Stamp},
};

pub use crate::store::assistants::AssistantOverview;

/// All assistants that the actor may see, by name, with their figures.
pub fn list(store: &Store, actor: &Actor) -> Result<Vec<AssistantOverview>> {
    let sight = actor.sight();
    store.read(|tx| assistants::list(tx, sight))
}

/// By slug, or by the API's `id`. One that the actor may not see is one that is not there.
pub fn find(store: &Store, actor: &Actor, name_or_id: &str) -> Result<Assistant> {
    let sight = actor.sight();
    store.read(|tx| {
        let found = match name_or_id.parse::<i64>() {
            Ok(id) => assistants::by_id(tx, AssistantId(id))?,
            Err(_) => assistants::by_name(tx, name_or_id)?,
        };
        match found.filter(|found| may_see(sight, found)) {
            Some(found) => Ok(found),
            None => Err(unknown(tx, sight, name_or_id)?.into()),
        }
    })
}

/// An assistant that the actor was shown, with its figures.
pub fn overview(store: &Store, assistant: Assistant) -> Result<AssistantOverview> {
    store.read(|tx| assistants::overview(tx, assistant))
}

pub(super) fn may_see(sight: Sight, assistant: &Assistant) -> bool {
    match sight {
        Sight::All => true,
        Sight::Of(user) => assistant.owner.as_ref().is_some_and(|owner| owner.id == user),
    }
}

pub(super) fn unknown(tx: &Tx, sight: Sight, name: &str) -> Result<Error, StoreError> {
    let names = assistants::names(tx, sight)?;
    let hint =
        suggestion_hint(name, names.iter().map(AssistantName::as_str)).unwrap_or_else(|| {
            if names.is_empty() {
                "there is none yet: create one with `webox assistants create`".to_owned()
            } else {
                "list them with `webox assistants`".to_owned()
            }
        });
    let shown: String = name.chars().take(80).collect();
    Ok(Error::not_found(format!("no assistant named `{}`", shown.escape_debug())).hint(hint))
}

/// Refuses what the actor may not write into an assistant: a member's file must not name what lies
/// on the daemon's machine.
pub(super) fn may_say(
    actor: &Actor,
    before: Option<&AssistantSpec>,
    spec: &AssistantSpec,
) -> Result<()> {
    if actor.sees_all() {
        return Ok(());
    }
    let known = before.map(AssistantSpec::secrets).unwrap_or_default();
    let foreign = spec.secrets().into_iter().find(|(field, reference)| {
        !matches!(reference, SecretRef::Secret(_)) && !known.contains(&(*field, *reference))
    });
    match foreign {
        None => Ok(()),
        Some((field, _)) => Err(Error::new(
            Kind::Denied,
            format!("`{field}` of `{}` names something on the daemon's machine", spec.name),
        )
        .hint("keep it with `webox secrets set NAME`, and write `{ secret = \"NAME\" }`")),
    }
}

/// Adds an assistant: a member's own, or whose an admin says.
pub fn create(
    store: &Store,
    actor: &Actor,
    spec: AssistantSpec,
    owner: Option<EmailAddress>,
    now: Timestamp,
) -> Result<Assistant> {
    actor.may_write()?;
    spec.check()?;
    may_say(actor, None, &spec)?;
    let actor = actor.clone();
    store.write(move |tx| {
        let owner = match owner {
            Some(email) if actor.sees_all() => Some(user(tx, &email, now)?),
            _ => own(&actor),
        };
        let stamp = Stamp { at: now, author: &actor.author, apply: None };
        let assistant =
            assistants::insert(tx, &spec, owner, &stamp).map_err(|e| veiled(&actor, e))?;
        let deed = audit::of_assistant("assistant.create", None, Some(&spec));
        audit::record(tx, &actor, now, &deed)?;
        Ok(assistant)
    })
}

/// Whose what the actor makes is: a member's own, nobody's in particular otherwise.
pub(super) fn own(actor: &Actor) -> Option<UserId> {
    match actor.sight() {
        Sight::All => None,
        Sight::Of(user) => Some(user),
    }
}

/// A name or number that is taken, without telling a member by whom.
pub(super) fn veiled(actor: &Actor, error: StoreError) -> StoreError {
    match error {
        StoreError::User(error) if error.kind() == Kind::Conflict && !actor.sees_all() => {
            Error::conflict("this name or this number is taken")
                .hint("choose another name; if the number is yours, ask an admin")
                .into()
        }
        error => error,
    }
}

fn user(tx: &Tx, email: &EmailAddress, now: Timestamp) -> Result<UserId, StoreError> {
    users::by_email(tx, email, now)?.map(|user| user.id).ok_or_else(|| {
        Error::not_found(format!("no user `{email}`")).hint("list them with `webox users`").into()
    })
}

/// Changes an assistant; with an expected revision, only if nobody else changed it meanwhile.
pub fn update(
    store: &Store,
    actor: &Actor,
    id: AssistantId,
    spec: AssistantSpec,
    expected_revision: Option<i64>,
    now: Timestamp,
) -> Result<Assistant> {
    actor.may_write()?;
    spec.check()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let current = present(tx, &actor, id)?;
        as_expected(&current, expected_revision)?;
        may_say(&actor, Some(&current.spec), &spec)?;
        if current.spec == spec {
            return Ok(current);
        }
        let stamp = Stamp { at: now, author: &actor.author, apply: None };
        let changed = assistants::update(tx, id, &spec, &stamp).map_err(|e| veiled(&actor, e))?;
        let deed = audit::of_assistant("assistant.update", Some(&current.spec), Some(&spec));
        audit::record(tx, &actor, now, &deed)?;
        Ok(changed)
    })
}

fn as_expected(current: &Assistant, revision: Option<i64>) -> Result<()> {
    if revision.is_none_or(|revision| revision == current.revision) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Outdated,
        format!("the assistant `{}` was changed by somebody else meanwhile", current.spec.name),
    )
    .hint("look at it again, then repeat your change"))
}

/// Switches an assistant on or off, or over when nothing is said; true on the very next call.
pub fn switch(
    store: &Store,
    actor: &Actor,
    id: AssistantId,
    active: Option<bool>,
    now: Timestamp,
) -> Result<Assistant> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let current = present(tx, &actor, id)?;
        let active = active.unwrap_or(!current.spec.active);
        if current.spec.active == active {
            return Ok(current);
        }
        let spec = AssistantSpec { active, ..current.spec.clone() };
        let stamp = Stamp { at: now, author: &actor.author, apply: None };
        let changed = assistants::update(tx, id, &spec, &stamp)?;
        let deed = audit::of_assistant("assistant.switch", Some(&current.spec), Some(&spec));
        audit::record(tx, &actor, now, &deed)?;
        Ok(changed)
    })
}

/// Makes an assistant, with all that came and comes of it, somebody's; or nobody's in particular.
pub fn hand_over(
    store: &Store,
    actor: &Actor,
    id: AssistantId,
    to: Option<EmailAddress>,
    now: Timestamp,
) -> Result<Assistant> {
    actor.may_administer()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let current = present(tx, &actor, id)?;
        let owner = to.as_ref().map(|email| user(tx, email, now)).transpose()?;
        let before = current.owner.as_ref();
        if before.map(|owner| owner.id) == owner {
            return Ok(current);
        }
        may_receive(tx, &current, owner)?;
        let stamp = Stamp { at: now, author: &actor.author, apply: None };
        let changed = assistants::hand_over(tx, id, owner, &stamp)?;
        let deed = Deed {
            action: "assistant.hand-over",
            target: format!("assistant/{}", current.spec.name),
            before: json!({ "owner": before.map(|owner| &owner.email) }),
            after: json!({ "owner": to }),
        };
        audit::record(tx, &actor, now, &deed)?;
        Ok(changed)
    })
}

/// An assistant finds the secrets of its owner only: a new owner needs those that its file names,
/// or its calls would no longer be answered.
pub(super) fn may_receive(
    tx: &Tx,
    assistant: &Assistant,
    owner: Option<UserId>,
) -> Result<(), StoreError> {
    for (field, reference) in assistant.spec.secrets() {
        let SecretRef::Secret(name) = reference else { continue };
        if secrets::get(tx, owner, name)?.is_none() {
            let whose = owner.map_or("the agency has", |_| "the new owner has");
            return Err(Error::new(
                Kind::Refused,
                format!(
                    "`{}` of `{}` is the secret `{name}`, and {whose} none of that name",
                    field, assistant.spec.name
                ),
            )
            .hint(format!("keep it there first: `webox secrets set {name} [--user EMAIL]`"))
            .into());
        }
    }
    Ok(())
}

/// Takes an assistant out of service for good; with an expected revision, only if nobody else
/// changed it meanwhile. Its calls stay.
pub fn delete(
    store: &Store,
    actor: &Actor,
    id: AssistantId,
    expected_revision: Option<i64>,
    now: Timestamp,
) -> Result<()> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let current = present(tx, &actor, id)?;
        as_expected(&current, expected_revision)?;
        let stamp = Stamp { at: now, author: &actor.author, apply: None };
        assistants::delete(tx, &current, &stamp)?;
        let deed = audit::of_assistant("assistant.delete", Some(&current.spec), None);
        audit::record(tx, &actor, now, &deed)
    })
}

pub(super) fn present(tx: &Tx, actor: &Actor, id: AssistantId) -> Result<Assistant, StoreError> {
    assistants::by_id(tx, id)?
        .filter(|assistant| may_see(actor.sight(), assistant))
        .ok_or_else(|| Error::not_found(format!("there is no assistant {}", id.0)).into())
}
