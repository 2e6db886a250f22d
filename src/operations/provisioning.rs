//! Files against the store: what would change, and changing it, all or nothing.

use jiff::Timestamp;
use serde_json::json;

use super::{
    assistants::{
        forget_token, may_receive, may_say, may_see, own, present, take_out, unknown, veiled,
    },
    audit,
};
use crate::{
    domain::{
        Actor, ApplyId, Assistant, AssistantId, AssistantName, AssistantSpec, Error, Kind, Result,
        Sight,
    },
    provision::{self, Action, Block, Change, Loaded, Plan, Problem},
    store::{
        Store, StoreError, Tx, assistants,
        versions::{self, Stamp},
    },
};

pub use crate::store::versions::{Apply, Standing, Version};

/// How much a deletion may take at a time when nothing else is said.
pub const MAX_DELETES: usize = 5;

/// What the user allows.
#[derive(Debug, Clone, Default)]
pub struct Consent {
    /// Replace what was changed or made by hand.
    pub overwrite: bool,
    /// How many deletions, when the user said so.
    pub max_deletes: Option<usize>,
}

/// What applying files would do.
pub fn plan(
    store: &Store,
    actor: &Actor,
    files: &[Loaded],
    prune: bool,
) -> Result<Result<Plan, Vec<Problem>>> {
    let sight = actor.sight();
    store.read(|tx| {
        let standings = versions::standings(tx, sight)?;
        Ok(crate::provision::plan(&versions::store_id(tx)?, files, &standings, prune))
    })
}

/// Which store this is: plans name it.
pub fn store_id(store: &Store) -> Result<String> {
    store.read(versions::store_id)
}

/// Every assistant that the actor may see, and what the files last said of it.
pub fn standings(store: &Store, actor: &Actor) -> Result<Vec<Standing>> {
    let sight = actor.sight();
    store.read(|tx| versions::standings(tx, sight))
}

/// Refuses what needs a wider consent: drift, deletions by the dozen.
pub fn check(plan: &Plan, consent: &Consent) -> Result<()> {
    let blocked: Vec<&Change> =
        plan.changes.iter().filter(|change| change.block.is_some()).collect();
    if !consent.overwrite && !blocked.is_empty() {
        let told: Vec<String> = blocked.iter().filter_map(|change| why(change)).collect();
        return Err(Error::new(Kind::Refused, told.join("\n")).hint(
            "nothing was applied; take the change into the files with `webox export --dir DIR`, or replace it with `--overwrite`",
        ));
    }
    let summary = plan.summary();
    let most = consent.max_deletes.unwrap_or(MAX_DELETES);
    if summary.delete > most {
        return Err(Error::new(
            Kind::Refused,
            format!("{} assistants would be deleted, and at most {most} may be", summary.delete),
        )
        .hint(format!("if that is right, say `--max-deletes {}`", summary.delete)));
    }
    let kept = summary.unchanged + plan.changes.len() - summary.delete;
    if summary.delete > 0 && kept == 0 && consent.max_deletes.is_none() {
        return Err(Error::new(Kind::Refused, "every assistant of the set would be deleted")
            .hint(format!("if that is right, say `--max-deletes {}`", summary.delete)));
    }
    Ok(())
}

/// Why a change is not made unasked, in a sentence.
pub fn why(change: &Change) -> Option<String> {
    let name = change.renamed_from.as_ref().unwrap_or(&change.name);
    let day = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
    Some(match change.block.as_ref()? {
        Block::Drift(drift) => {
            let fields: Vec<&str> = drift.fields.iter().map(|f| f.path.as_str()).collect();
            let what = if fields.is_empty() { "something".to_owned() } else { fields.join(", ") };
            format!(
                "`{name}` was changed by hand: {what}, on {} by {}",
                day(&drift.at),
                drift.author
            )
        }
        Block::MadeByHand { author, at } => {
            format!("`{name}` was made by hand, last changed on {} by {author}", day(at))
        }
        Block::OtherSet(set) => format!("`{name}` is in the files of the set `{set}`"),
    })
}

/// Applies a plan, all or nothing: refused when anything it was made from has moved. Answers the
/// apply that was recorded; nothing when there was nothing to do.
pub fn apply(
    store: &Store,
    actor: &Actor,
    plan: Plan,
    source: String,
    now: Timestamp,
) -> Result<Option<ApplyId>> {
    actor.may_write()?;
    let plan = plan.with_texts();
    // A plan may come from anywhere: nothing in it is believed unseen.
    for spec in plan.changes.iter().filter_map(|change| change.spec.as_ref()) {
        provision::check_spec(spec)?;
    }
    if plan.changes.is_empty() {
        // Still a promise that this is what the plan saw.
        return store.read(|tx| as_planned(tx, actor, &plan)).map(|()| None);
    }
    let actor = actor.clone();
    store.write(move |tx| {
        as_planned(tx, &actor, &plan)?;
        let author = &actor.author;
        let apply = if plan.is_empty() {
            None
        } else {
            let summary = recorded(&plan);
            Some(versions::insert_apply(tx, now, author, &source, &summary)?)
        };
        carry_out(tx, &actor, &plan, &Stamp { at: now, author, apply })?;
        Ok(apply)
    })
}

fn recorded(plan: &Plan) -> String {
    let names = |action| -> Vec<&str> {
        let of = plan.changes.iter().filter(|change| change.action == action);
        of.map(|change| change.name.as_str()).collect()
    };
    json!({
        "created": names(Action::Create),
        "changed": names(Action::Change),
        "adopted": names(Action::Adopt),
        "deleted": names(Action::Delete),
    })
    .to_string()
}

/// The store must be the one, and as, the plan saw it; what moved is told, as far as it may be seen.
/// A name that somebody else has is told of where it is taken, without saying whose it is.
fn as_planned(tx: &Tx, actor: &Actor, plan: &Plan) -> Result<(), StoreError> {
    let seen = |name: &AssistantName| -> Result<Option<Assistant>, StoreError> {
        let found = assistants::by_name(tx, name.as_str())?;
        Ok(found.filter(|found| may_see(actor.sight(), found)))
    };
    let again = "plan again, look at the difference, and apply that";
    if versions::store_id(tx)? != plan.store_id {
        return Err(Error::new(Kind::Refused, "the plan was made for another store")
            .hint(again)
            .into());
    }
    let mut moved = Vec::new();
    for (name, planned) in &plan.revisions {
        match seen(name)? {
            None => moved.push(format!("`{name}` is gone or renamed")),
            Some(found) if found.revision != *planned => {
                let versions = versions::of_assistant(tx, found.id)?;
                let by = versions
                    .first()
                    .map_or_else(String::new, |version| format!(" by {}", version.author));
                moved.push(format!(
                    "`{name}` is at version {}, the plan saw {planned}: changed on {}{by}",
                    found.revision,
                    found.updated_at.strftime("%Y-%m-%d %H:%M UTC"),
                ));
            }
            Some(_) => {}
        }
    }
    for change in &plan.changes {
        let new_name = change.action == Action::Create || change.renamed_from.is_some();
        let planned = plan.revisions.contains_key(&change.name);
        if new_name && !planned && seen(&change.name)?.is_some() {
            moved.push(format!("there is an assistant `{}` by now", change.name));
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    moved.insert(0, "the store has moved since this plan was made; nothing was applied".to_owned());
    Err(Error::new(Kind::Refused, moved.join("\n")).hint(again).into())
}

fn carry_out(tx: &Tx, actor: &Actor, plan: &Plan, stamp: &Stamp<'_>) -> Result<(), StoreError> {
    let ids: Vec<AssistantId> = plan
        .changes
        .iter()
        .filter(|change| matches!(change.action, Action::Change | Action::Delete))
        .filter_map(|change| change.id)
        .collect();
    let mut before = Vec::new();
    for id in plan.changes.iter().filter_map(|change| change.id) {
        before.push(present(tx, actor, id)?);
    }
    // Names and numbers may change hands in a circle.
    assistants::give_up_keys(tx, &ids)?;
    for change in plan.changes.iter().filter(|change| change.action == Action::Delete) {
        if let Some(assistant) = before.iter().find(|before| Some(before.id) == change.id) {
            take_out(tx, actor, assistant, stamp)?;
        }
    }
    for change in &plan.changes {
        let Some(spec) = &change.spec else { continue };
        let old = before.iter().find(|before| Some(before.id) == change.id);
        let old = old.map(|assistant| &assistant.spec);
        may_say(tx, actor, old, spec)?;
        let (id, deed) = match (change.action, change.id) {
            (Action::Create, _) | (_, None) => {
                let made = assistants::insert(tx, spec, own(actor), stamp);
                let id = made.map_err(|error| veiled(actor, error))?.id;
                (id, Some(audit::of_assistant("assistant.create", None, Some(spec))))
            }
            (Action::Change, Some(id)) => {
                let changed = assistants::update(tx, id, spec, stamp);
                let id = changed.map_err(|error| veiled(actor, error))?.id;
                (id, Some(audit::of_assistant("assistant.update", old, Some(spec))))
            }
            (_, Some(id)) => (id, None),
        };
        if let Some(deed) = deed {
            audit::record(tx, actor, stamp.at, &deed)?;
        }
        versions::set_applied(tx, id, &change.set)?;
    }
    // Last: what the files say by now may name the same secret.
    for change in plan.changes.iter().filter(|change| change.action == Action::Delete) {
        if let Some(assistant) = before.iter().find(|before| Some(before.id) == change.id) {
            forget_token(tx, actor, assistant, stamp.at)?;
        }
    }
    Ok(())
}

/// The applies, newest first: all of them, or a member's own; from before one on, if it is named.
pub fn applies(
    store: &Store,
    actor: &Actor,
    before: Option<ApplyId>,
    most: Option<u64>,
) -> Result<Vec<Apply>> {
    let who = (!actor.sees_all()).then_some(actor.author.who.as_str());
    store.read(|tx| versions::applies(tx, who, before, most))
}

/// The versions of an assistant, newest first, also of one that was deleted.
pub fn history(
    store: &Store,
    actor: &Actor,
    name: &AssistantName,
) -> Result<(AssistantId, Vec<Version>)> {
    let sight = actor.sight();
    store.read(|tx| {
        let (id, _) = named(tx, sight, name)?;
        Ok((id, versions::of_assistant(tx, id)?))
    })
}

fn named(tx: &Tx, sight: Sight, name: &AssistantName) -> Result<(AssistantId, bool), StoreError> {
    match versions::named(tx, sight, name)? {
        Some(found) => Ok(found),
        None => Err(unknown(tx, sight, name.as_str())?.into()),
    }
}

/// What going back to an earlier version means.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// The assistant's row.
    pub id: AssistantId,
    /// The version in force.
    pub from: Version,
    /// The version to go back to.
    pub to: Version,
}

/// The version to go back to: the one asked for, else the last that was different.
pub fn plan_rollback(
    store: &Store,
    actor: &Actor,
    name: &AssistantName,
    to: Option<i64>,
) -> Result<Rollback> {
    let (id, versions) = history(store, actor, name)?;
    rollback_of(name, id, versions, to)
}

/// The same, of versions that are at hand, newest first.
pub fn rollback_of(
    name: &AssistantName,
    id: AssistantId,
    versions: Vec<Version>,
    to: Option<i64>,
) -> Result<Rollback> {
    let mut newest_first = versions.into_iter();
    let from =
        newest_first.next().ok_or_else(|| Error::failure(format!("`{name}` has no versions")))?;
    let mut earlier: Vec<Version> = newest_first.filter(|version| !version.deleted).collect();
    let found = match to {
        Some(revision) => earlier.iter().position(|version| version.revision == revision),
        None => earlier.iter().position(|version| from.deleted || version.spec != from.spec),
    };
    let to = match (found, to) {
        (Some(at), _) => earlier.swap_remove(at),
        (None, Some(revision)) => {
            let message = format!("`{name}` has no earlier version {revision}");
            return Err(Error::input(message).hint(format!("see `webox history {name}`")));
        }
        (None, None) => {
            return Err(Error::new(
                Kind::Refused,
                format!("`{name}` has no earlier version that was different"),
            )
            .hint(format!("see `webox history {name}`")));
        }
    };
    Ok(Rollback { id, from, to })
}

/// Goes back: a new version that says what the earlier one said.
pub fn rollback(
    store: &Store,
    actor: &Actor,
    rollback: Rollback,
    now: Timestamp,
) -> Result<Assistant> {
    actor.may_write()?;
    let spec: AssistantSpec = rollback.to.spec.clone();
    provision::check_spec(&spec)?;
    let actor = actor.clone();
    store.write(move |tx| {
        let (id, _) = named(tx, actor.sight(), &rollback.from.spec.name)?;
        if id != rollback.id {
            return Err(unknown(tx, actor.sight(), rollback.from.spec.name.as_str())?.into());
        }
        let newest = versions::of_assistant(tx, rollback.id)?.first().map(|v| v.revision);
        if newest != Some(rollback.from.revision) {
            return Err(Error::conflict(format!(
                "the assistant `{}` was changed by somebody else meanwhile",
                rollback.from.spec.name
            ))
            .hint("look at `webox history` again")
            .into());
        }
        may_say(tx, &actor, Some(&rollback.from.spec), &spec)?;
        let stamp = Stamp { at: now, author: &actor.author, apply: None };
        let changed = assistants::update(tx, rollback.id, &spec, &stamp);
        let changed = changed.map_err(|error| veiled(&actor, error))?;
        if rollback.from.deleted {
            // A secret that was kept for it alone went with it.
            may_receive(tx, &changed, changed.owner.as_ref().map(|owner| owner.id))?;
        }
        let before = Some(&rollback.from.spec);
        let deed = audit::of_assistant("assistant.rollback", before, Some(&spec));
        audit::record(tx, &actor, now, &deed)?;
        Ok(changed)
    })
}
