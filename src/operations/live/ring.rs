//! A call rings.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{Ringing, Ticket, new_call, outbound::asked_for, screening};
use crate::{
    domain::{
        Assistant, Call, CallStatus, Direction, EndReason, LanguageTag, Recording,
        RecordingConsent, Reply, Result, TurnId, TurnTimings,
    },
    operations::{billing, ledger},
    store::{
        Store, StoreError, Tx,
        calls::{self, CallEnd, NewCall},
        events, figures, outbound, tickets,
        turns::{self, Finished},
        usage,
    },
};

/// What to do with a call that rings.
#[derive(Debug, Clone)]
pub enum Rung {
    /// It is answered with this TwiML, now or when it was first announced.
    Answered {
        /// Who answers.
        assistant: Arc<Assistant>,
        /// The greeting.
        twiml: String,
        /// Whether it was announced before.
        again: bool,
    },
    /// It is turned down, and why; a row says so.
    Declined {
        /// Who would have answered.
        assistant: Arc<Assistant>,
        /// One for which [`EndReason::is_refusal`] holds.
        reason: EndReason,
    },
    /// It was answered before, and is past its greeting.
    GoesOn,
    /// It is over already: its end was announced first.
    Over,
    /// Nobody has this number.
    NobodyThere,
}

/// A greeting, and how it reaches the caller.
#[derive(Debug, Clone)]
pub struct Greeted {
    /// The greeting.
    pub reply: Reply,
    /// The TwiML that says it, or leads to it.
    pub twiml: String,
    /// Whether the TwiML says it; over a socket, [`super::deliver`] tells when it was heard.
    pub heard: bool,
    /// The ticket in the TwiML, for the socket that the call goes on over.
    pub ticket: Option<Ticket>,
}

/// Makes the greeting of an assistant, in a language: where we call, with the first words of the call
/// that was asked for.
pub type Greet = Box<dyn FnOnce(&Assistant, &LanguageTag, Option<&str>) -> Greeted + Send>;

/// A call rings: finds the assistant, stores call and greeting, or turns it down.
pub async fn ring(store: &Store, ringing: Ringing, greet: Greet) -> Result<Rung> {
    let cache = store.clone();
    store.write_async(move |tx| ring_in(tx, &cache, ringing, greet)).await
}

fn ring_in(tx: &Tx, store: &Store, ringing: Ringing, greet: Greet) -> Result<Rung, StoreError> {
    if let Some(call) = calls::by_sid(tx, &ringing.sid)? {
        return announced_again(tx, store, &call);
    }
    let Some(to) = &ringing.to else { return Ok(Rung::NobodyThere) };
    let Some(assistant) = store.assistants().by_phone(tx, to)? else {
        return Ok(Rung::NobodyThere);
    };
    let call = new_call(&ringing, &assistant, to);
    let called = ringing.direction == Direction::Outbound;
    let asked = if called {
        asked_for(tx, ringing.outbound, &ringing.sid, Some(assistant.id))?
    } else {
        None
    };
    let reason = if called {
        // Looked at before it was dialled: now somebody has picked up.
        None
    } else if !assistant.spec.active {
        Some(EndReason::Disabled)
    } else if figures::live_calls(tx, assistant.id)? >= assistant.spec.limits.max_concurrent_calls {
        Some(EndReason::TooManyCalls)
    } else if let Some(reason) = screening::refusal(tx, &ringing, &call, &assistant)? {
        Some(reason)
    } else if dials_too_often(tx, &call, &assistant)? {
        Some(EndReason::Flood)
    } else if day_is_used_up(tx, store, &assistant, ringing.at)? {
        Some(EndReason::DailyLimit)
    } else if billing::refuses(tx, store, &assistant, ringing.at)? {
        Some(EndReason::PlanLimit)
    } else {
        None
    };
    if let Some(reason) = reason {
        let end = CallEnd {
            status: CallStatus::Rejected,
            ended_at: ringing.at,
            duration_s: Some(0),
            reason: Some(reason),
        };
        let id = calls::insert_ended(tx, &call, &end)?;
        events::note(tx, ringing.at, id, "ring", None)?;
        events::note(tx, ringing.at, id, "end", None)?;
        return Ok(Rung::Declined { assistant, reason });
    }
    let Greeted { reply, twiml, heard, ticket } =
        greet(&assistant, &call.language, asked.as_ref().map(|asked| asked.opening.as_str()));
    let id = TurnId { call: calls::insert_live(tx, &call)?, number: 0 };
    let timings = TurnTimings::default();
    let finished = Finished { reply: &reply, timings, twiml: &twiml, heard };
    turns::insert(tx, id, ringing.at, &finished)?;
    events::note(tx, ringing.at, id.call, "ring", None)?;
    if let Some(asked) = &asked {
        outbound::answered(tx, asked.id)?;
        if let Some(who) = asked.answered_by {
            calls::set_answered_by(tx, id.call, who)?;
        }
    }
    if let Some(ticket) = ticket {
        tickets::give(tx, id.call, ticket.hash(), ticket.expires_at())?;
    }
    if heard {
        events::note(tx, ringing.at, id.call, "turn", Some(0))?;
    }
    if heard && assistant.spec.announces_ai() {
        calls::set_disclosed(tx, id.call, ringing.at)?;
    }
    if assistant.spec.compliance.recording == Recording::Announce {
        calls::set_recording_consent(tx, id.call, RecordingConsent::Announced)?;
    }
    Ok(Rung::Answered { assistant, twiml, again: false })
}

/// In how long a time a caller's calls are counted.
const FLOOD: SignedDuration = SignedDuration::from_mins(10);

/// Counted in the store: it holds in every process, after a restart, and for a repeated delivery.
fn dials_too_often(tx: &Tx, call: &NewCall, assistant: &Assistant) -> Result<bool, StoreError> {
    // Withheld numbers are many people.
    let Some(caller) = &call.caller else { return Ok(false) };
    let since = call.started_at.checked_sub(FLOOD).unwrap_or(call.started_at);
    let most = assistant.spec.limits.max_calls_per_caller;
    Ok(calls::count_recent(tx, assistant.id, caller, since, most)? >= most)
}

fn day_is_used_up(
    tx: &Tx,
    store: &Store,
    assistant: &Assistant,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let limits = &assistant.spec.limits;
    if limits.max_daily_minutes.is_none() && limits.max_daily_cost.is_none() {
        return Ok(false);
    }
    let since = screening::start_of_day(assistant, at);
    if let Some(minutes) = limits.max_daily_minutes
        && usage::seconds_since(tx, assistant.id, since, at)? >= u64::from(minutes) * 60
    {
        return Ok(true);
    }
    let Some(most) = limits.max_daily_cost else { return Ok(false) };
    ledger::is_used_up(tx, store, assistant.id, most, since, at)
}

fn announced_again(tx: &Tx, store: &Store, call: &Call) -> Result<Rung, StoreError> {
    let assistant = store.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
    if let Some(reason) = call.end_reason.filter(|reason| reason.is_refusal()) {
        return Ok(Rung::Declined { assistant, reason });
    }
    if call.status.is_final() {
        return Ok(Rung::Over);
    }
    if tickets::was_connected(tx, call.id)? {
        return Ok(Rung::GoesOn);
    }
    let greeting = turns::get(tx, TurnId { call: call.id, number: 0 })?;
    match greeting.and_then(|turn| turn.twiml) {
        Some(twiml) => Ok(Rung::Answered { assistant, twiml, again: true }),
        None => Err(StoreError::Row(format!("call {} has no greeting", call.sid))),
    }
}
