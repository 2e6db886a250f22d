//! What is known of one caller: handed out, or forgotten.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::audit;
use crate::{
    domain::{Actor, CallSid, Caller, Error, PhoneNumber, Result},
    store::{
        self, Store,
        audit::Deed,
        calls,
        privacy::{self, Table},
        retention,
    },
};

pub use crate::store::privacy::{Erasure, Subject};

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
    /// What others were told of it.
    pub deliveries: Vec<Value>,
    /// Who it is.
    pub contacts: Vec<Value>,
    /// What calls to them were asked for.
    pub outbound_calls: Vec<Value>,
    /// Which campaigns they are in.
    pub campaign_rows: Vec<Value>,
    /// Whether they are not to be called: this stays when the rest is forgotten.
    pub do_not_call: Vec<Value>,
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
    /// Whether the file was written anew; otherwise copies stay in its free space for a while.
    pub scrubbed: bool,
}

/// A number in any spelling, or an address, as it is stored.
pub fn stored_caller(text: &str) -> Result<String> {
    if text.contains([':', '@']) {
        let caller = Caller::read(text);
        let stored = caller.as_stored().unwrap_or_default();
        // What names nobody would be found in everybody's.
        let name = stored.split_once(':').map_or(stored, |(_, name)| name);
        if name.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
            return Err(Error::input(format!("`{}` is nobody's address", text.escape_debug()))
                .hint("give a number, or an address such as `sip:ada@example.com`"));
        }
        return Ok(stored.to_owned());
    }
    Ok(text.parse::<PhoneNumber>()?.as_str().to_owned())
}

/// Whose data is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// A caller's: a number in any usual spelling, or an address.
    Caller(String),
    /// A call's: for callers who withheld their number.
    Call(CallSid),
}

impl Whose {
    /// The rows of it, as far as they may be seen, and how it is called.
    fn subject(&self, store: &Store, actor: &Actor) -> Result<(Subject, String)> {
        match self {
            Self::Caller(text) => {
                let caller = stored_caller(text)?;
                Ok((Subject::Caller(caller.clone()), caller))
            }
            Self::Call(sid) => {
                let found = store.read(|tx| calls::seen(tx, actor.sight(), sid))?;
                let call = found.ok_or_else(|| {
                    Error::not_found(format!("no call `{sid}`"))
                        .hint("list them with `webox calls --since 7d`")
                })?;
                Ok((Subject::Call(call.id), sid.to_string()))
            }
        }
    }
}

/// All that is kept of a caller or a call, as far as the actor may see it. That it was handed out is
/// a line in the audit log, which does not name the caller.
pub fn export(store: &Store, actor: &Actor, whose: &Whose, now: Timestamp) -> Result<Dossier> {
    let (subject, caller) = whose.subject(store, actor)?;
    let sight = actor.sight();
    let dossier = store.read(|tx| {
        let rows = |table| privacy::rows(tx, table, sight, &subject);
        Ok(Dossier {
            calls: rows(Table::Calls)?,
            turns: rows(Table::Turns)?,
            bookings: rows(Table::Bookings)?,
            messages: rows(Table::Messages)?,
            deliveries: rows(Table::Deliveries)?,
            contacts: rows(Table::Contacts)?,
            outbound_calls: rows(Table::Outbound)?,
            campaign_rows: rows(Table::Campaigns)?,
            do_not_call: rows(Table::DoNotCall)?,
            caller: caller.clone(),
        })
    })?;
    let (actor, calls) = (actor.clone(), dossier.calls.len());
    let target = match whose {
        Whose::Caller(_) => "caller".to_owned(),
        Whose::Call(sid) => format!("call/{sid}"),
    };
    store.write(move |tx| {
        let after = json!({ "calls": calls });
        let deed = Deed { action: "privacy.export", target, before: Value::Null, after };
        audit::record(tx, &actor, now, &deed)
    })?;
    Ok(dossier)
}

/// Forgets a caller or a call, as far as the actor may: number, words, bookings, messages. The calls
/// stay as figures. The line in the audit log does not name the caller.
pub fn erase(store: &Store, actor: &Actor, whose: &Whose, now: Timestamp) -> Result<Erased> {
    actor.may_write()?;
    let (subject, caller) = whose.subject(store, actor)?;
    let (actor, sight) = (actor.clone(), actor.sight());
    let salt = salt()?;
    let (erased, due) = store.write(move |tx| {
        if privacy::goes_on(tx, sight, &subject)? {
            return Err(Error::conflict("this caller is on the phone now")
                .hint("wait until the call is over, then erase")
                .into());
        }
        let before = privacy::changes(tx)?;
        let pseudonym = privacy::pseudonym(&salt, &caller);
        let (removals, recordings) = privacy::ask_twilio(tx, sight, &subject, now)?;
        let erasure = privacy::erase(tx, sight, &subject, &pseudonym, now)?;
        // Of whom nothing was there, nothing can have stayed: nobody need wait for a file written anew.
        let touched = privacy::changes(tx)? != before;
        if touched {
            retention::set_scrub_due(tx, now)?;
        }
        // An erasure of before may have left something: whoever asks again has it cleared.
        let due = retention::scrub_due(tx)?;
        let deed = Deed {
            action: "privacy.erase",
            target: format!("caller/{pseudonym}"),
            before: Value::Null,
            after: json!({
                "calls": erasure.calls, "turns": erasure.turns, "bookings": erasure.bookings,
                "messages": erasure.messages, "deliveries": erasure.deliveries,
                "contacts": erasure.contacts,
                "removals": removals,
            }),
        };
        audit::record(tx, &actor, now, &deed)?;
        Ok((Erased { erasure, pseudonym, removals, recordings, scrubbed: due.is_none() }, due))
    })?;
    let Some(due) = due else { return Ok(erased) };
    // What was deleted must not stay behind in the file or its log. Where that would keep callers
    // waiting, the daemon does it when nobody is on the phone.
    let scrubbed = store.scrub(store::SCRUB_AT_ONCE)?;
    if scrubbed {
        store.write(move |tx| retention::scrubbed(tx, due))?;
    }
    Ok(Erased { scrubbed, ..erased })
}

/// Drawn anew each time and not kept: nobody can try all numbers to find the one.
pub(super) fn salt() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Error::failure("this machine gives no random numbers").because(cause.to_string())
    })?;
    Ok(hex::encode(bytes))
}
