//! Assistants: find, create, change, switch, hand over, delete.

use jiff::Timestamp;
use serde_json::json;

use super::audit;
use crate::{
    domain::{
        Actor, Assistant, AssistantId, AssistantName, AssistantSpec, Deliver, EmailAddress, Error,
        Expected, HttpTool, Kind, Result, SecretRef, Sight, UserId, suggestion_hint,
    },
    provision,
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
            Ok(id) => assistants::seen_by_id(tx, sight, AssistantId(id))?,
            Err(_) => assistants::seen_by_name(tx, sight, name_or_id)?,
        };
        match found {
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
    Ok(unknown_among(&assistants::names(tx, sight)?, name))
}

/// The same where the names that the actor may see are at hand.
pub fn unknown_among(names: &[AssistantName], name: &str) -> Error {
    let hint =
        suggestion_hint(name, names.iter().map(AssistantName::as_str)).unwrap_or_else(|| {
            if names.is_empty() {
                "there is none yet: create one with `webox assistants create`".to_owned()
            } else {
                "list them with `webox assistants`".to_owned()
            }
        });
    let shown: String = name.chars().take(80).collect();
    Error::not_found(format!("no assistant named `{}`", shown.escape_debug())).hint(hint)
}

/// Refuses what the actor may not write into an assistant: a member's file must not name what lies
/// on the daemon's machine, nor its own price.
pub(super) fn may_say(
    tx: &Tx,
    actor: &Actor,
    before: Option<&AssistantSpec>,
    spec: &AssistantSpec,
) -> Result<(), StoreError> {
    let Sight::Of(member) = actor.sight() else { return Ok(()) };
    // Whoever works for a client is on that client's bill.
    if before.is_none_or(|before| before.client != spec.client)
        && assistants::has_others(tx, &spec.client, member)?
    {
        let shown: String = spec.client.chars().take(60).collect();
        let what = format!("`{}` is the client of another's assistant", shown.escape_debug());
        return Err(Error::new(Kind::Denied, what)
            .hint("name the client otherwise; if it is yours, ask an admin")
            .into());
    }
    // Nor may anybody speak for another's account, whose token they cannot know.
    let account = spec.twilio.account_sid.as_ref();
    if let Some(account) = account
        && before.is_none_or(|before| before.twilio.account_sid.as_ref() != Some(account))
        && assistants::is_account_of_others(tx, account, member)?
    {
        let what = format!("`{account}` is the account of another's assistant");
        return Err(Error::new(Kind::Denied, what)
            .hint("name your own account at Twilio; if it is yours, ask an admin")
            .into());
    }
    Ok(may_write_down(before, spec)?)
}

/// What of a member's file is for an admin to say.
fn may_write_down(before: Option<&AssistantSpec>, spec: &AssistantSpec) -> Result<()> {
    // What a client pays is agreed with the agency.
    if spec.billing.plan != before.and_then(|before| before.billing.plan.clone()) {
        let what = format!("the plan of `{}` is for an admin to set", spec.name);
        return Err(Error::new(Kind::Denied, what).hint("leave `billing.plan` as it is"));
    }
    let known = before.map(AssistantSpec::secrets).unwrap_or_default();
    let foreign = spec.secrets().into_iter().find(|named| {
        let goes_out = named.0.starts_with("deliver") || named.0.starts_with("tools");
        !goes_out && !matches!(named.1, SecretRef::Secret(_)) && !known.contains(named)
    });
    // What the machine keeps stays with the place that an admin named it for.
    let doors: Vec<_> = before.iter().flat_map(|spec| &spec.deliver).map(Deliver::door).collect();
    let foreign = foreign.map(|(field, _)| field).or_else(|| {
        let at = spec.deliver.iter().position(|place| {
            matches!(place.secret, Some(SecretRef::Env(_) | SecretRef::File(_)))
                && !doors.contains(&place.door())
        })?;
        Some(format!("deliver[{at}].secret"))
    });
    let doors: Vec<_> = before.iter().flat_map(|spec| &spec.tools).map(HttpTool::door).collect();
    let foreign = foreign.or_else(|| {
        let at = spec.tools.iter().position(|tool| {
            matches!(tool.secret, Some(SecretRef::Env(_) | SecretRef::File(_)))
                && !doors.contains(&tool.door())
        })?;
        Some(format!("tools[{at}].secret"))
    });
    match foreign {
        None => Ok(()),
        Some(field) => Err(Error::new(
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
    provision::check_spec(&spec)?;
    let actor = actor.clone();
    store.write(move |tx| {
        may_say(tx, &actor, None, &spec)?;
        let owner = match owner {
            Some(email) if actor.sees_all() => Some(user(tx, &email, now)?),
            Some(email) if !actor.is_called(&email) => {
                return Err(Error::new(
                    Kind::Denied,
                    "only an admin makes an assistant for another",
                )
                .hint("leave the owner out: it will be yours")
                .into());
            }
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
    expected: Expected,
    now: Timestamp,
) -> Result<Assistant> {
    change(store, actor, id, expected, now, |_| Ok(spec))
}

/// Makes another of an assistant as it is at this moment: two who change different things at once
/// both have what they want.
pub fn change(
    store: &Store,
    actor: &Actor,
    id: AssistantId,
    expected: Expected,
    now: Timestamp,
    make: impl FnOnce(AssistantSpec) -> Result<AssistantSpec> + Send + 'static,
) -> Result<Assistant> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let current = present(tx, &actor, id)?;
        as_expected(&current, &expected)?;
        let spec = make(current.spec.clone())?;
        provision::check_spec(&spec)?;
        may_say(tx, &actor, Some(&current.spec), &spec)?;
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

fn as_expected(current: &Assistant, expected: &Expected) -> Result<()> {
    if expected.allows(current.revision) {
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
    expected: Expected,
    now: Timestamp,
) -> Result<Assistant> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let current = present(tx, &actor, id)?;
        as_expected(&current, &expected)?;
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
    expected: Expected,
    now: Timestamp,
) -> Result<Assistant> {
    actor.may_administer()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let current = present(tx, &actor, id)?;
        as_expected(&current, &expected)?;
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
    expected: Expected,
    now: Timestamp,
) -> Result<()> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let current = present(tx, &actor, id)?;
        as_expected(&current, &expected)?;
        let stamp = Stamp { at: now, author: &actor.author, apply: None };
        take_out(tx, &actor, &current, &stamp)?;
        forget_token(tx, &actor, &current, now)
    })
}

/// Takes an assistant out of service.
pub(super) fn take_out(
    tx: &Tx,
    actor: &Actor,
    assistant: &Assistant,
    stamp: &Stamp<'_>,
) -> Result<(), StoreError> {
    assistants::delete(tx, assistant, stamp)?;
    let deed = audit::of_assistant("assistant.delete", Some(&assistant.spec), None);
    audit::record(tx, actor, stamp.at, &deed)
}

/// Forgets the token that was kept for an assistant which is out of service, unless another
/// assistant names it. A call that it is in needs the token to its end: then it stays.
pub(super) fn forget_token(
    tx: &Tx,
    actor: &Actor,
    gone: &Assistant,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(name) = token_kept_for(&gone.spec) else { return Ok(()) };
    let kept = SecretRef::Secret(name.clone());
    let owner = gone.owner.as_ref().map(|owner| owner.id);
    let is_named = assistants::list(tx, Sight::All)?.iter().any(|other| {
        let of = other.assistant.owner.as_ref().map(|owner| owner.id);
        of == owner && other.assistant.spec.secrets().iter().any(|(_, secret)| **secret == kept)
    });
    let is_live = assistants::overview(tx, gone.clone())?.live_calls > 0;
    if is_named || is_live || !secrets::delete(tx, owner, &name)? {
        return Ok(());
    }
    let whose = owner.map_or_else(String::new, |user| format!("user-{}/", user.0));
    let deed = Deed {
        action: "secret.delete",
        target: format!("secret/{whose}{name}"),
        before: json!("***"),
        after: serde_json::Value::Null,
    };
    audit::record(tx, actor, now, &deed)
}

/// What the token of an assistant's own account is kept under when it is given with the assistant.
pub fn token_name(name: &AssistantName) -> String {
    format!("twilio:{name}")
}

fn token_kept_for(spec: &AssistantSpec) -> Option<String> {
    let name = token_name(&spec.name);
    let kept = SecretRef::Secret(name.clone());
    (spec.twilio.auth_token.as_ref() == Some(&kept)).then_some(name)
}

pub(super) fn present(tx: &Tx, actor: &Actor, id: AssistantId) -> Result<Assistant, StoreError> {
    assistants::seen_by_id(tx, actor.sight(), id)?
        .ok_or_else(|| Error::not_found(format!("there is no assistant {}", id.0)).into())
}
