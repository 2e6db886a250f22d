//! Contacts: who called. Written when a call ends, read and corrected by people.

use jiff::Timestamp;
use serde_json::json;

use super::audit;
use crate::{
    domain::{
        Actor, AnsweredBy, Assistant, CallId, CallStatus, Contact, ContactChange, ContactFilter,
        ContactId, Direction, Error, PhoneNumber, Result,
    },
    store::{
        Store, StoreError, Tx, audit::Deed, bookings, calls, contacts, messages, privacy, retention,
    },
};

/// Contacts that the actor may see, those who called last first.
pub fn list(store: &Store, actor: &Actor, filter: &ContactFilter) -> Result<Vec<Contact>> {
    let sight = actor.sight();
    store.read(|tx| contacts::list(tx, sight, filter))
}

/// One, by id or by number in any usual spelling.
pub fn show(store: &Store, actor: &Actor, name: &str) -> Result<Contact> {
    store.read(|tx| one(tx, actor, name))
}

fn one(tx: &Tx, actor: &Actor, name: &str) -> Result<Contact, StoreError> {
    let sight = actor.sight();
    let name = name.trim();
    // Numbers begin with a plus or a zero; ids do not.
    let id = name.parse().ok().filter(|_| !name.starts_with(['+', '0']));
    if let Some(id) = id {
        return contacts::seen(tx, sight, ContactId(id))?.ok_or_else(|| unknown(name).into());
    }
    let number: PhoneNumber = name.parse().map_err(|_| unknown(name))?;
    let mut found = contacts::by_number(tx, sight, &number)?;
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(|contact| contact.id.0.to_string()).collect();
        return Err(Error::conflict("this number called assistants of several owners")
            .hint(format!("name one of the contacts by its id: {}", ids.join(", ")))
            .into());
    }
    found.pop().ok_or_else(|| unknown(name).into())
}

fn unknown(name: &str) -> Error {
    let shown: String = name.chars().take(40).collect();
    Error::not_found(format!("no contact `{}`", shown.escape_debug()))
        .hint("list them with `webox contacts`")
}

/// Corrects one by hand. The line in the audit log says which fields, and not of whom or what.
pub fn edit(
    store: &Store,
    actor: &Actor,
    name: &str,
    change: ContactChange,
    now: Timestamp,
) -> Result<Contact> {
    actor.may_write()?;
    change.check()?;
    let (actor, name) = (actor.clone(), name.to_owned());
    store.write(move |tx| {
        let contact = one(tx, &actor, &name)?;
        contacts::change(tx, contact.id, &change)?;
        let fields = [
            ("name", change.name.is_some()),
            ("notes", change.notes.is_some()),
            ("language", change.language.is_some()),
        ];
        let changed: Vec<&str> =
            fields.into_iter().filter(|(_, is)| *is).map(|(field, _)| field).collect();
        let after = json!({ "changed": changed });
        record(tx, &actor, now, "contact.edit", contact.id, after)?;
        one(tx, &actor, &contact.id.0.to_string())
    })
}

/// Takes one out. The calls stay; the next one begins another contact.
pub fn delete(store: &Store, actor: &Actor, name: &str, now: Timestamp) -> Result<Contact> {
    actor.may_write()?;
    let (actor, name) = (actor.clone(), name.to_owned());
    store.write(move |tx| {
        let contact = one(tx, &actor, &name)?;
        contacts::delete(tx, contact.id)?;
        retention::set_scrub_due(tx, now)?;
        record(tx, &actor, now, "contact.delete", contact.id, json!(null))?;
        Ok(contact)
    })
}

fn record(
    tx: &Tx,
    actor: &Actor,
    now: Timestamp,
    action: &'static str,
    id: ContactId,
    after: serde_json::Value,
) -> Result<(), StoreError> {
    let target = format!("contact/{}", id.0);
    audit::record(tx, actor, now, &Deed { action, target, before: json!(null), after })
}

/// Notes who called, in the transaction that ends the call; `again` when that is corrected. Nobody is
/// noted whose number is withheld, and nobody who was forgotten.
pub(super) fn note(
    tx: &Tx,
    assistant: &Assistant,
    call: CallId,
    again: bool,
) -> Result<(), StoreError> {
    let Some(call) = calls::by_id(tx, call)? else { return Ok(()) };
    // Whom we called in vain has not spoken to us.
    let machine = call.answered_by.is_some_and(AnsweredBy::is_machine);
    if call.direction == Direction::Outbound && (call.status != CallStatus::Completed || machine) {
        return Ok(());
    }
    let number = call.caller.as_deref().and_then(PhoneNumber::from_e164);
    let Some(number) = number.filter(|_| call.status != CallStatus::Rejected) else {
        return Ok(());
    };
    if privacy::is_erased(tx, call.id)? {
        return Ok(());
    }
    let booked = bookings::of_call(tx, call.id)?;
    let left = messages::of_call(tx, call.id)?;
    let booked = booked.iter().rev().map(|booking| booking.name.as_str());
    let left = left.iter().rev().filter_map(|message| message.name.as_deref());
    let name = booked.chain(left).map(str::trim).find(|name| !name.is_empty());
    contacts::note(tx, assistant, &call, &number, name, again)
}
