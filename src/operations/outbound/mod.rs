//! Calls that we make: asked for, taken by the daemon, followed to their end.
//!
//! Whoever asks, the checks and the row are one transaction, and the row is there before Twilio is
//! asked. Twilio knows of no name that would keep it from dialling twice: what it was asked for and
//! did not answer is told as unknown, and never asked again.

mod dial;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{assistants, audit};
use crate::{
    domain::{
        Actor, Assistant, AssistantSpec, CallContext, CallPurpose, CallingHours, Error, Kind,
        NewOutbound, Outbound, OutboundCall, OutboundId, OutboundState, PhoneNumber, Result,
        ZoneName,
    },
    provision::template,
    store::{self, Store, StoreError, Tx, audit::Deed, campaign_rows, do_not_call, outbound},
};

pub use dial::{Dial, denied, ended, give_up, later, next, own_number, placed, refused, unclear};

/// A call that nobody dialled by then is not made any more: whoever asked has gone on.
const DIALLED_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// Those that are listed at most.
const LISTED: u32 = 1_000;

/// A call that somebody wants to be made.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whom to call.
    pub number: PhoneNumber,
    /// What is known of them.
    pub context: CallContext,
    /// First words in the place of the file's; a template too.
    pub say: Option<String>,
    /// Where they are, if that is known better than by the number.
    pub zone: Option<ZoneName>,
    /// Also outside the hours of courtesy: they expect the call. The law's hours hold all the same.
    pub anyway: bool,
}

/// Asks for a call. It is made by the daemon.
pub fn ask(
    store: &Store,
    actor: &Actor,
    name: &str,
    wanted: Wanted,
    now: Timestamp,
) -> Result<OutboundCall> {
    actor.may_write()?;
    let assistant = assistants::find(store, actor, name)?;
    let new = judged(&assistant, &wanted, now)?;
    let (actor, anyway) = (actor.clone(), wanted.anyway);
    let hours = CallingHours::of(&new.number, new.kind, wanted.zone.as_ref())?;
    store.write(move |tx| {
        may_be_called(tx, &assistant, &new, hours.most())?;
        let id = outbound::insert(tx, &new)?;
        let deed = Deed {
            action: "call.ask",
            target: format!("outbound/{}", id.0),
            before: json!(null),
            after: json!({ "assistant": assistant.spec.name, "kind": new.kind, "anyway": anyway }),
        };
        audit::record(tx, &actor, now, &deed)?;
        outbound::by_id(tx, id)?
            .ok_or_else(|| StoreError::Row("a call that was asked for is gone".to_owned()))
    })
}

/// What needs no look at the store: who calls, with which words, at what time.
fn judged(assistant: &Assistant, wanted: &Wanted, now: Timestamp) -> Result<NewOutbound> {
    let rules = may_call(&assistant.spec)?;
    let hours = CallingHours::of(&wanted.number, rules.kind, wanted.zone.as_ref())?;
    if !hours.clone().anyway(wanted.anyway).allow(now) {
        let next = hours.next(now).map_or_else(
            || "not in the next two weeks".to_owned(),
            |next| format!("from {} on", hours.there(next)),
        );
        let way = match rules.kind {
            CallPurpose::Service => "; `--anyway` if they expect the call now",
            CallPurpose::Marketing => "",
        };
        return Err(Error::new(
            Kind::Refused,
            format!(
                "it is {} there, when nobody may be called: {}",
                hours.there(now),
                hours.source()
            ),
        )
        .hint(format!("call {next}{way}")));
    }
    composed(assistant, wanted, now, "`--context NAME=VALUE`")
}

/// How an assistant calls people, if it may.
pub(super) fn may_call(spec: &AssistantSpec) -> Result<&Outbound> {
    let refused = |why: String| Error::new(Kind::Refused, why);
    let Some(rules) = &spec.outbound else {
        return Err(refused(format!("assistant `{}` calls nobody", spec.name)).hint(
            "give its file a section `[outbound]` with a `greeting`; see webox-assistant(5)",
        ));
    };
    if !spec.active {
        return Err(refused(format!("assistant `{}` is switched off", spec.name))
            .hint(format!("switch it on with `webox assistants enable {}`", spec.name)));
    }
    if rules.kind == CallPurpose::Marketing && !rules.consent {
        return Err(refused(format!(
            "assistant `{}` calls for marketing, and its file does not say that people agreed to it",
            spec.name
        ))
        .hint(
            "if everybody on your list agreed before, write `consent = true` under `[outbound]`; \
             if these are calls that people expect, `kind = \"service\"`",
        ));
    }
    Ok(rules)
}

/// The call, with its words. `way` is how a value that is missing is given.
pub(super) fn composed(
    assistant: &Assistant,
    wanted: &Wanted,
    now: Timestamp,
    way: &str,
) -> Result<NewOutbound> {
    let spec = &assistant.spec;
    let rules = may_call(spec)?;
    let values = values(spec, &wanted.context);
    let fill = |what: &str, text: &str| {
        template::fill_in_whole(text, &values).map_err(|error| {
            let hint = error.hint_text().unwrap_or("look at the template").to_owned();
            Error::input(format!("the {what} of assistant `{}` cannot be filled in", spec.name))
                .hint(format!("{hint}: {way}"))
                .because(error)
        })
    };
    let opening = fill("greeting", wanted.say.as_deref().unwrap_or(&rules.greeting))?;
    if opening.is_empty() {
        return Err(Error::input("there are no first words to say")
            .hint("say who calls, and why: `--say \"Bonjour, ici …\"`"));
    }
    let message = rules.message.as_deref().map(|text| fill("message", text)).transpose()?;
    Ok(NewOutbound {
        assistant: assistant.id,
        number: wanted.number.clone(),
        context: wanted.context.clone(),
        opening,
        message,
        kind: rules.kind,
        machine: rules.machine,
        asked_at: now,
        expires_at: now.checked_add(DIALLED_WITHIN).unwrap_or(now),
        anyway: wanted.anyway,
        zone: wanted.zone.clone(),
        campaign_row: None,
    })
}

/// What the templates of an assistant may name.
fn values(spec: &AssistantSpec, context: &CallContext) -> BTreeMap<String, String> {
    let mut values = context.values().clone();
    values.entry("client".to_owned()).or_insert_with(|| spec.client.clone());
    values
}

/// Checked in the transaction that stores the row.
pub(super) fn may_be_called(
    tx: &Tx,
    assistant: &Assistant,
    new: &NewOutbound,
    most: Option<u32>,
) -> Result<(), StoreError> {
    let number = &new.number;
    if store::assistants::by_phone(tx, number)?.is_some() {
        return Err(Error::input(format!("{number} is the number of an assistant"))
            .hint("assistants do not call each other")
            .into());
    }
    if do_not_call::holds(tx, assistant.id, number)? {
        return Err(Error::new(Kind::Refused, format!("{number} is on the do-not-call list"))
            .hint("if they asked to be called again: `webox do-not-call remove NUMBER`")
            .into());
    }
    if outbound::is_under_way(tx, assistant.id, number)? {
        return Err(Error::conflict(format!("{number} is being called already"))
            .hint("wait until that call is over")
            .into());
    }
    let since = CallingHours::counted_since(new.asked_at);
    if let Some(most) = most
        && outbound::dialled_since(tx, assistant.id, number, since)? >= most
    {
        return Err(Error::new(
            Kind::Refused,
            format!("{number} was called {most} times in the last 30 days, as often as may be"),
        )
        .hint("wait until the first of these calls is 30 days old")
        .into());
    }
    Ok(())
}

/// One that was asked for.
pub fn show(store: &Store, actor: &Actor, id: OutboundId) -> Result<OutboundCall> {
    let sight = actor.sight();
    store.read(|tx| outbound::seen(tx, sight, id)?.ok_or_else(|| unknown(id).into()))
}

/// Those that were asked for, the newest first.
pub fn list(store: &Store, actor: &Actor) -> Result<Vec<OutboundCall>> {
    let sight = actor.sight();
    store.read(|tx| outbound::list(tx, sight, LISTED))
}

/// Takes one back, if nobody was dialled yet.
pub fn take_back(
    store: &Store,
    actor: &Actor,
    id: OutboundId,
    now: Timestamp,
) -> Result<OutboundCall> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let call = outbound::seen(tx, actor.sight(), id)?.ok_or_else(|| unknown(id))?;
        if call.state != OutboundState::Queued {
            return Err(Error::conflict(format!("the call stands at `{}`", call.state))
                .hint("only a call that was not dialled yet can be taken back")
                .into());
        }
        outbound::end(tx, id, OutboundState::Cancelled, Some("taken back"), now)?;
        campaign_rows::taken_back(tx, id)?;
        let deed = Deed {
            action: "call.take-back",
            target: format!("outbound/{}", id.0),
            before: json!(null),
            after: json!(null),
        };
        audit::record(tx, &actor, now, &deed)?;
        outbound::seen(tx, actor.sight(), id)?.ok_or_else(|| unknown(id).into())
    })
}

fn unknown(id: OutboundId) -> Error {
    Error::not_found(format!("no call {} was asked for", id.0))
}
