//! What is known of one caller: handed out, or forgotten. And forgetting in time.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::audit;
use crate::{
    domain::{Actor, Caller, Error, HumanDuration, PhoneNumber, Result},
    store::{
        Store, assistants,
        audit::Deed,
        events, idempotency,
        privacy::{self, Due, Table},
    },
};

pub use crate::store::privacy::Erasure;

/// Everything that is kept of a caller.
#[derive(Debug, Clone, PartialEq)]
pub struct Dossier {
    /// The number or address.
    pub caller: String,
    /// Rows as they are stored, by table.
    pub calls: Vec<Value>,
    /// What was said.
    pub turns: Vec<Value>,
    /// What was booked.
    pub bookings: Vec<Value>,
    /// What was written down.
    pub messages: Vec<Value>,
}

/// What an erasure did, and what it could not reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// Taken out.
    pub erasure: Erasure,
    /// What stands in the number's place.
    pub pseudonym: String,
    /// How many records and recordings Twilio is asked to remove.
    pub removals: u64,
    /// Recordings that were linked to and are not at Twilio: to be deleted where they are.
    pub recordings: Vec<String>,
    /// Whether the file was written anew; otherwise copies may stay in its free space for a while.
    pub scrubbed: bool,
}

/// A number in any spelling, or an address, as it is stored.
pub fn stored_caller(text: &str) -> Result<String> {
    if text.contains([':', '@']) {
        return Ok(Caller::read(text).as_stored().unwrap_or_default().to_owned());
    }
    Ok(text.parse::<PhoneNumber>()?.as_str().to_owned())
}

/// All that is kept of a caller, as far as the actor may see it.
pub fn export(store: &Store, actor: &Actor, caller: &str) -> Result<Dossier> {
    let caller = stored_caller(caller)?;
    let sight = actor.sight();
    store.read(|tx| {
        let rows = |table| privacy::rows(tx, table, sight, &caller);
        Ok(Dossier {
            calls: rows(Table::Calls)?,
            turns: rows(Table::Turns)?,
            bookings: rows(Table::Bookings)?,
            messages: rows(Table::Messages)?,
            caller: caller.clone(),
        })
    })
}

/// Forgets a caller, as far as the actor may: number, words, bookings, messages. The calls stay as
/// figures. The line in the audit log does not name the caller.
pub fn erase(store: &Store, actor: &Actor, caller: &str, now: Timestamp) -> Result<Erased> {
    actor.may_write()?;
    let caller = stored_caller(caller)?;
    let live = privacy_live(store, actor, &caller)?;
    if live {
        return Err(Error::conflict("this caller is on the phone now")
            .hint("wait until the call is over, then erase"));
    }
    let (actor, sight) = (actor.clone(), actor.sight());
    let salt = salt()?;
    let erased = store.write(move |tx| {
        let pseudonym = privacy::pseudonym(&salt, &caller);
        let (removals, recordings) = privacy::ask_twilio(tx, sight, &caller, now)?;
        let erasure = privacy::erase(tx, sight, &caller, &pseudonym, now)?;
        let deed = Deed {
            action: "privacy.erase",
            target: format!("caller/{pseudonym}"),
            before: Value::Null,
            after: json!({
                "calls": erasure.calls, "turns": erasure.turns,
                "bookings": erasure.bookings, "messages": erasure.messages, "removals": removals,
            }),
        };
        audit::record(tx, &actor, now, &deed)?;
        Ok(Erased { erasure, pseudonym, removals, recordings, scrubbed: false })
    })?;
    // What was deleted must not stay behind in the file or its log.
    let scrubbed = erased.erasure == Erasure::default() || store.scrub()?;
    Ok(Erased { scrubbed, ..erased })
}

fn privacy_live(store: &Store, actor: &Actor, caller: &str) -> Result<bool> {
    let sight = actor.sight();
    store.read(|tx| {
        Ok(privacy::rows(tx, Table::Calls, sight, caller)?
            .iter()
            .any(|call| call["ended_at"].is_null()))
    })
}

/// Drawn anew each time and not kept: nobody can try all numbers to find the one.
fn salt() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Error::failure("this machine gives no random numbers").because(cause.to_string())
    })?;
    Ok(hex::encode(bytes))
}

/// Events and answers to repeated requests are kept this long.
const WATCHED: SignedDuration = SignedDuration::from_hours(24);

/// How far the clock may move between two looks before nothing is forgotten: a clock that jumped
/// must not empty the store.
pub const LARGEST_STEP: SignedDuration = SignedDuration::from_hours(2);

/// Forgets what is due, a few calls at a time; answers of how many, nothing when all is done.
pub async fn forget_due(store: &Store, now: Timestamp) -> Result<u64> {
    let ago = move |length: HumanDuration| {
        let length = SignedDuration::try_from(length.get()).unwrap_or(SignedDuration::MAX);
        now.checked_sub(length).unwrap_or(Timestamp::MIN)
    };
    let salt = salt()?;
    // Looked for by a reader: what is not due costs callers nothing.
    let due = store
        .read_async(move |tx| {
            let mut due = Vec::new();
            for (id, compliance) in assistants::compliance(tx)? {
                for (what, kept) in [
                    (Due::Transcripts, compliance.keep_transcripts),
                    (Due::Recordings, Some(compliance.recordings())),
                    (Due::Callers, compliance.keep_callers),
                ] {
                    let Some(kept) = kept else { continue };
                    let calls = privacy::due(tx, what, id, ago(kept))?;
                    if !calls.is_empty() {
                        due.push((what, calls));
                    }
                }
            }
            Ok(due)
        })
        .await?;
    store
        .write_async(move |tx| {
            let before = now.checked_sub(WATCHED).unwrap_or(Timestamp::MIN);
            let mut forgotten = events::forget(tx, before)?;
            idempotency::forget(tx, before)?;
            for (what, calls) in &due {
                forgotten += privacy::forget(tx, *what, calls, &salt, now)?;
            }
            Ok(forgotten)
        })
        .await
}
