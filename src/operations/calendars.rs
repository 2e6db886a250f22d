//! Calendars to subscribe to: a secret address under which an assistant's bookings are seen.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::audit;
use crate::{
    domain::{Actor, Assistant, BookingFilter, Error, Result, Secret, Sight},
    integrations::ics,
    store::{Store, assistants, audit::Deed, bookings, feeds},
};

/// How far back a calendar reaches: what was before then, nobody subscribes for.
const BACK: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Events in one calendar.
const AT_MOST: u64 = 5_000;

/// Opens the calendar under a new address; the one before is no longer good.
pub fn open(store: &Store, actor: &Actor, assistant: &Assistant, now: Timestamp) -> Result<Secret> {
    actor.may_write()?;
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Error::failure("this machine gives no random numbers").because(cause.to_string())
    })?;
    let token = hex::encode(bytes);
    let (hash, id) = (hash(&token), assistant.id);
    let (actor, target) = (actor.clone(), format!("assistant/{}", assistant.spec.name));
    store.write(move |tx| {
        feeds::open(tx, id, &hash, now)?;
        let (before, after) = (json!(null), json!({ "calendar": "open" }));
        audit::record(tx, &actor, now, &Deed { action: "calendar.open", target, before, after })
    })?;
    Ok(Secret::new(token))
}

/// Closes it: nobody's address is good any more.
pub fn close(store: &Store, actor: &Actor, assistant: &Assistant, now: Timestamp) -> Result<()> {
    actor.may_write()?;
    let id = assistant.id;
    let (actor, target) = (actor.clone(), format!("assistant/{}", assistant.spec.name));
    store.write(move |tx| {
        if feeds::close(tx, id)? {
            let (before, after) = (json!({ "calendar": "open" }), json!({ "calendar": "closed" }));
            let deed = Deed { action: "calendar.close", target, before, after };
            audit::record(tx, &actor, now, &deed)?;
        }
        Ok(())
    })
}

/// Where a calendar is, below the daemon's address.
pub fn path(token: &Secret) -> String {
    format!("/api/voice/calendar/{}.ics", token.expose())
}

/// The calendar that a token shows, if it shows one.
pub async fn read(store: &Store, token: &str, now: Timestamp) -> Result<Option<String>> {
    let hash = hash(token);
    store
        .read_async(move |tx| {
            let Some(id) = feeds::shown(tx, &hash)? else { return Ok(None) };
            let Some(assistant) = assistants::by_id(tx, id)? else { return Ok(None) };
            let filter = BookingFilter {
                assistant: Some(id),
                since: now.checked_sub(BACK).ok(),
                until: None,
                cancelled: true,
                limit: Some(AT_MOST),
            };
            let bookings = bookings::list(tx, Sight::All, &filter)?;
            Ok(Some(ics::calendar(&assistant.spec, &bookings)))
        })
        .await
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
