//! Who is not to be called: because they said so in a call, or because somebody wrote them down.

use jiff::Timestamp;
use serde_json::json;

use super::audit;
use crate::{
    domain::{Actor, CallId, DoNotCall, Error, PhoneNumber, Result},
    store::{
        Store, StoreError, Tx, assistants, audit::Deed, calls, do_not_call, outbound, retention,
    },
};

/// Those that the actor may see, the newest first.
pub fn list(store: &Store, actor: &Actor) -> Result<Vec<DoNotCall>> {
    let sight = actor.sight();
    store.read(|tx| do_not_call::list(tx, sight))
}

/// Adds numbers by hand, all of them or none: for the assistants of the actor, or for all where the
/// actor may see all. Answers how many are new. The audit log does not name them.
pub fn add(store: &Store, actor: &Actor, numbers: Vec<PhoneNumber>, now: Timestamp) -> Result<u64> {
    actor.may_write()?;
    let owner = if actor.sees_all() { None } else { actor.user() };
    let actor = actor.clone();
    store.write(move |tx| {
        let mut added = 0;
        for number in &numbers {
            added += u64::from(do_not_call::add(tx, owner, number, "hand", now)?);
        }
        record(tx, &actor, "do-not-call.add", added, now)?;
        Ok(added)
    })
}

/// Takes a number out. Whoever it was taken out for may be called again.
pub fn remove(store: &Store, actor: &Actor, number: PhoneNumber, now: Timestamp) -> Result<u64> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let removed = do_not_call::remove(tx, actor.sight(), &number)?;
        if removed == 0 {
            return Err(Error::not_found(format!("{number} is not on the do-not-call list"))
                .hint("list it with `webox do-not-call`")
                .into());
        }
        retention::set_scrub_due(tx, now)?;
        record(tx, &actor, "do-not-call.remove", removed, now)?;
        Ok(removed)
    })
}

fn record(
    tx: &Tx,
    actor: &Actor,
    action: &'static str,
    numbers: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (target, after) = ("do-not-call".to_owned(), json!({ "numbers": numbers }));
    audit::record(tx, actor, now, &Deed { action, target, before: json!(null), after })
}

/// The other side of a call does not want to be called again: noted in the transaction that stores
/// the answer, before it is said. What was still to be dialled is not.
pub(super) fn asked(tx: &Tx, call: CallId, now: Timestamp) -> Result<(), StoreError> {
    let Some(call) = calls::by_id(tx, call)? else { return Ok(()) };
    let number = call.caller.as_deref().and_then(PhoneNumber::from_e164);
    let Some(number) = number else { return Ok(()) };
    let owner = assistants::by_id(tx, call.assistant_id)?.and_then(|assistant| assistant.owner);
    do_not_call::add(tx, owner.map(|owner| owner.id), &number, "asked", now)?;
    outbound::call_off(tx, call.assistant_id, &number, now)
}
