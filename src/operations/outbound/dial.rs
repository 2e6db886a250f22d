//! Those that are dialled: taken once, and what Twilio said noted.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        AnsweredBy, Assistant, CallSid, CallStatus, CallingHours, CampaignState, OutboundCall,
        OutboundId, OutboundState, PhoneNumber, Result,
    },
    operations::billing,
    store::{
        Store, StoreError, Tx, assistants, campaign_rows, campaigns, do_not_call, figures, outbound,
    },
};

/// Looks in one transaction.
const AT_ONCE: u32 = 20;

/// An answer of Twilio's that was not noted by then is lost: the daemon was killed in between.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// Nothing rings for so long.
const RINGS_FOR: SignedDuration = SignedDuration::from_mins(5);

/// How often Twilio may say that it is too busy.
const TRIES: u32 = 6;

/// A call to be dialled now.
#[derive(Debug, Clone)]
pub struct Dial {
    /// It.
    pub call: OutboundCall,
    /// By whom.
    pub assistant: Arc<Assistant>,
}

/// Takes the next one that may be dialled: nobody else dials it then.
pub async fn next(store: &Store, now: Timestamp) -> Result<Option<Dial>> {
    if store.read_async(move |tx| outbound::due(tx, now)).await?.is_empty() {
        return Ok(None);
    }
    let cache = store.clone();
    store.write_async(move |tx| next_in(tx, &cache, now)).await
}

fn next_in(tx: &Tx, store: &Store, now: Timestamp) -> Result<Option<Dial>, StoreError> {
    // The first of each assistant, so that none keeps others back. Behind one that is not made any more
    // stands the next.
    for _ in 0..AT_ONCE {
        match first_of_each(tx, store, now)? {
            Looked::Dial(dial) => return Ok(Some(*dial)),
            Looked::Ended => {}
            Looked::Nobody => break,
        }
    }
    Ok(None)
}

/// What a look at the first calls of all assistants found.
enum Looked {
    /// One to be dialled.
    Dial(Box<Dial>),
    /// Some that are not made any more.
    Ended,
    /// None that may be dialled now.
    Nobody,
}

fn first_of_each(tx: &Tx, store: &Store, now: Timestamp) -> Result<Looked, StoreError> {
    let ended = std::cell::Cell::new(false);
    for call in outbound::due(tx, now)? {
        let end = |state: OutboundState, why: &str| {
            ended.set(true);
            outbound::end(tx, call.id, state, Some(why), now)
        };
        let Some(assistant) = assistants::by_id(tx, call.assistant_id)? else {
            end(OutboundState::Refused, "its assistant is no more")?;
            continue;
        };
        let assistant = store.assistants().version(tx, assistant.id, assistant.revision)?;
        let spec = &assistant.spec;
        let terms = outbound::terms(tx, call.id)?;
        // Whoever is part of a campaign waits for another time.
        let not_now = match terms.campaign {
            Some(_) => OutboundState::Cancelled,
            None => OutboundState::Refused,
        };
        if terms.rests {
            end(not_now, "its campaign calls nobody now")?;
            continue;
        }
        if spec.outbound.is_none() {
            end(not_now, "its assistant calls nobody any more")?;
            continue;
        }
        if !spec.active {
            end(not_now, "its assistant was switched off")?;
            continue;
        }
        if billing::refuses(tx, store, &assistant, now)? {
            end(not_now, "its assistant is used up to what its plan covers")?;
            continue;
        }
        if do_not_call::holds(tx, assistant.id, &call.number)? {
            end(OutboundState::Refused, "the number is on the do-not-call list by now")?;
            continue;
        }
        match CallingHours::of(&call.number, call.kind, terms.zone.as_ref()) {
            Err(error) => {
                end(OutboundState::Refused, error.message())?;
                continue;
            }
            Ok(hours) => {
                let hours = hours.within(terms.window.as_ref()).anyway(terms.anyway);
                if !hours.allow(now) {
                    let there = hours.there(now);
                    end(
                        not_now,
                        &format!("it is {there} there by now, when nobody may be called"),
                    )?;
                    continue;
                }
            }
        }
        let busy = figures::live_calls(tx, assistant.id)? + outbound::under_way(tx, assistant.id)?;
        if busy >= spec.limits.max_concurrent_calls {
            continue;
        }
        if outbound::take(tx, call.id, now)? {
            return Ok(Looked::Dial(Box::new(Dial { call, assistant })));
        }
    }
    Ok(if ended.get() { Looked::Ended } else { Looked::Nobody })
}

/// Twilio has taken it: it rings.
pub async fn placed(store: &Store, id: OutboundId, sid: CallSid) -> Result<()> {
    store.write_async(move |tx| outbound::link(tx, id, &sid, None)).await
}

/// Nobody was dialled, and nobody will be.
pub async fn refused(store: &Store, id: OutboundId, why: String, now: Timestamp) -> Result<()> {
    store
        .write_async(move |tx| {
            outbound::end(tx, id, OutboundState::Refused, Some(&why), now).map(drop)
        })
        .await
}

/// The account, or our number in it, is not right: nobody was dialled, and nobody else would be. A
/// campaign goes to rest, and whom it was to call waits.
pub async fn denied(store: &Store, id: OutboundId, why: String, now: Timestamp) -> Result<()> {
    store
        .write_async(move |tx| {
            let state = match campaign_rows::of_call(tx, id)? {
                Some(campaign) => {
                    campaigns::stop(tx, campaign, CampaignState::Paused, &why, now)?;
                    OutboundState::Cancelled
                }
                None => OutboundState::Refused,
            };
            outbound::end(tx, id, state, Some(&why), now).map(drop)
        })
        .await
}

/// Nobody was dialled for certain: it is tried again later, a few times.
pub async fn later(store: &Store, id: OutboundId, why: String, now: Timestamp) -> Result<()> {
    store
        .write_async(move |tx| {
            let tries = outbound::put_back(tx, id, &why)?;
            if tries > TRIES {
                let state = match outbound::terms(tx, id)?.campaign {
                    Some(_) => OutboundState::Cancelled,
                    None => OutboundState::Refused,
                };
                return outbound::end(tx, id, state, Some(&why), now).map(drop);
            }
            let wait = SignedDuration::from_secs(2_i64.saturating_pow(tries.min(6)));
            outbound::set_due(tx, id, now.checked_add(wait).unwrap_or(now))
        })
        .await
}

/// Twilio was asked, and whether it dials is not known.
pub async fn unclear(store: &Store, id: OutboundId, why: String, now: Timestamp) -> Result<()> {
    store
        .write_async(move |tx| {
            outbound::end(tx, id, OutboundState::Unknown, Some(&why), now).map(drop)
        })
        .await
}

/// Those of which nothing more will be heard; answers how many.
pub async fn give_up(store: &Store, now: Timestamp) -> Result<usize> {
    if !store.read_async(outbound::any_live).await? {
        return Ok(0);
    }
    let before = move |length: SignedDuration| now.checked_sub(length).unwrap_or(Timestamp::MIN);
    store
        .write_async(move |tx| {
            outbound::give_up(tx, before(ANSWERED_WITHIN), before(RINGS_FOR), now)
        })
        .await
}

/// The number that a call is made from: whose account it is in tells who signs its webhooks.
pub async fn own_number(store: &Store, id: OutboundId) -> Result<Option<PhoneNumber>> {
    store
        .read_async(move |tx| {
            let Some(call) = outbound::by_id(tx, id)? else { return Ok(None) };
            let assistant = assistants::by_id(tx, call.assistant_id)?;
            Ok(assistant.map(|assistant| assistant.spec.phone.number))
        })
        .await
}

/// The call is over, in the transaction that says so of its row.
pub fn ended(
    tx: &Tx,
    sid: &CallSid,
    status: CallStatus,
    answered_by: Option<AnsweredBy>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(call) = outbound::by_call(tx, sid)? else { return Ok(()) };
    let machine = answered_by.or(call.answered_by).is_some_and(AnsweredBy::is_machine);
    let state = match status {
        CallStatus::Completed if machine => OutboundState::Machine,
        CallStatus::Completed => OutboundState::Completed,
        CallStatus::Busy => OutboundState::Busy,
        CallStatus::NoAnswer => OutboundState::NoAnswer,
        CallStatus::Failed
        | CallStatus::Canceled
        | CallStatus::Rejected
        | CallStatus::Ringing
        | CallStatus::InProgress => OutboundState::Failed,
    };
    outbound::end(tx, call.id, state, None, now).map(drop)
}
