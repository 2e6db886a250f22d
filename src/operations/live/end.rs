//! A call ends: Twilio says so, or nobody does.

use jiff::{SignedDuration, Timestamp};

use super::{Ringing, new_call, outbound::asked_for};
use crate::{
    domain::{Assistant, Call, CallId, CallStatus, EndReason, Result},
    operations::{
        afterwards, contacts, ledger, outbound,
        outbox::{self, Happened},
    },
    store::{
        Store, StoreError, Tx,
        calls::{self, CallEnd, LiveCall},
        events, places, removals, turns,
    },
};

/// A change of a call's status, as Twilio announces it.
#[derive(Debug, Clone)]
pub struct StatusChange {
    /// The call, with what is needed should its row be missing.
    pub ringing: Ringing,
    /// The new status.
    pub status: CallStatus,
    /// In seconds; in final ones only.
    pub duration_s: Option<u32>,
    /// Whether Twilio's log of calls says so: the length there is the one that is charged. A callback may come
    /// twice, and the first stands.
    pub is_logged: bool,
}

/// Follows a change of status; only final ones change anything. Says whether the call is known.
pub async fn follow_status(store: &Store, change: StatusChange) -> Result<bool> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let StatusChange { ringing, status, duration_s, is_logged } = change;
            let found = calls::by_sid(tx, &ringing.sid)?;
            if let Some(id) = ringing.outbound {
                let assistant = match (&found, &ringing.to) {
                    (Some(call), _) => Some(call.assistant_id),
                    (None, Some(to)) => {
                        cache.assistants().by_phone(tx, to)?.map(|assistant| assistant.id)
                    }
                    (None, None) => None,
                };
                asked_for(tx, Some(id), &ringing.sid, assistant)?;
            }
            if !status.is_final() {
                return Ok(found.is_some());
            }
            let end = CallEnd { status, ended_at: ringing.at, duration_s, reason: None };
            if let Some(call) = found {
                let assistant =
                    cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
                end_known(tx, &cache, &assistant, &call, end, is_logged)?;
                return Ok(true);
            }
            // The end before the beginning: keep it, so that the beginning finds the call over.
            let Some(to) = &ringing.to else { return Ok(false) };
            let Some(assistant) = cache.assistants().by_phone(tx, to)? else { return Ok(false) };
            let mut call = new_call(&ringing, &assistant, to);
            let length = SignedDuration::from_secs(i64::from(duration_s.unwrap_or(0)));
            call.started_at = ringing.at.checked_sub(length).unwrap_or(ringing.at);
            let id = calls::insert_ended(tx, &call, &end)?;
            ledger::closed(tx, &cache, id)?;
            events::note(tx, call.started_at, id, "ring", None)?;
            events::note(tx, ringing.at, id, "end", None)?;
            contacts::note(tx, &assistant, id, false)?;
            outbound::ended(tx, &ringing.sid, status, None, ringing.at)?;
            let known = afterwards::settle(tx, &assistant, id, Some(ringing.at))?;
            tell(tx, &assistant, id, known, ringing.at)?;
            Ok(true)
        })
        .await
}

/// Has others told that a call is over: its rows are as they will stay, but for what a model is asked.
/// Where it is `known` already what came of it, that is told as well.
fn tell(
    tx: &Tx,
    assistant: &Assistant,
    call: CallId,
    known: bool,
    at: Timestamp,
) -> Result<(), StoreError> {
    outbox::tell(tx, assistant, Some(call), &Happened::CallEnded, at)?;
    if known {
        afterwards::tell(tx, assistant, call, at)?;
    }
    Ok(())
}

fn end_known(
    tx: &Tx,
    store: &Store,
    assistant: &Assistant,
    call: &Call,
    mut end: CallEnd,
    is_logged: bool,
) -> Result<(), StoreError> {
    // Its end was guessed, or its length: the sweep had only what was last heard of it.
    let is_guessed = call.end_reason == Some(EndReason::Swept)
        || is_logged
            && call.ended_at.is_some()
            && call.status == end.status
            && end.duration_s.is_some_and(|length| call.duration_s != Some(length));
    if call.status == CallStatus::Rejected {
        return ledger::turned_down(tx, store, call, end.duration_s.unwrap_or(0), end.ended_at);
    }
    if call.ended_at.is_some() && !is_guessed {
        // Announced before: what is stored stands.
        return Ok(());
    }
    // A callback that comes late tells no better when it was.
    if let Some(ended_at) = call.ended_at.filter(|_| !is_logged) {
        end.ended_at = ended_at;
    }
    if matches!(call.end_reason, None | Some(EndReason::Swept)) {
        end.reason = (end.status == CallStatus::Completed).then_some(EndReason::CallerHungUp);
    }
    events::note(tx, end.ended_at, call.id, "end", None)?;
    removals::is_over(tx, &call.sid)?;
    places::release(tx, call.id)?;
    turns::tidy(tx, call.id)?;
    let at = end.ended_at;
    calls::end(tx, call.id, &end)?;
    ledger::closed(tx, store, call.id)?;
    outbound::ended(tx, &call.sid, end.status, call.answered_by, at)?;
    contacts::note(tx, assistant, call.id, is_guessed)?;
    let known = afterwards::settle(tx, assistant, call.id, (!is_guessed).then_some(at))?;
    tell(tx, assistant, call.id, known, at)
}

/// Closes live calls whose end was never announced; answers how many.
///
/// A call that we hung up gets two minutes for its status callback, any other one its maximum
/// duration and a minute: `lasted` says how long one has gone on.
pub async fn sweep(
    store: &Store,
    now: Timestamp,
    lasted: impl Fn(&LiveCall) -> SignedDuration + Send + 'static,
) -> Result<u32> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let two_minutes = SignedDuration::from_mins(2);
            let before = now.checked_sub(SignedDuration::from_secs(30)).unwrap_or(now);
            let mut swept = 0;
            for call in calls::live_before(tx, before, 1_000)? {
                let assistant =
                    cache.assistants().version(tx, call.assistant, call.assistant_revision)?;
                let spec = &assistant.spec;
                let longest = SignedDuration::try_from(spec.limits.max_call_duration.get())
                    .unwrap_or(SignedDuration::MAX);
                let transferred = call.end_reason == Some(EndReason::Transferred);
                let hung_up = call.end_reason.is_some() && !transferred;
                // People talk as long as they like, up to Twilio's own limit on a call.
                let longest = if transferred { SignedDuration::from_hours(4) } else { longest };
                let is_due = if hung_up {
                    now.duration_since(call.last_heard_at) >= two_minutes
                } else {
                    lasted(&call) >= longest.saturating_add(SignedDuration::from_mins(1))
                };
                if !is_due {
                    continue;
                }
                let end = CallEnd {
                    status: CallStatus::Completed,
                    ended_at: call.last_heard_at,
                    duration_s: None,
                    reason: (!hung_up).then_some(EndReason::Swept),
                };
                calls::end(tx, call.id, &end)?;
                ledger::closed(tx, &cache, call.id)?;
                outbound::ended(tx, &call.sid, end.status, None, now)?;
                events::note(tx, now, call.id, "end", None)?;
                removals::is_over(tx, &call.sid)?;
                places::release(tx, call.id)?;
                turns::tidy(tx, call.id)?;
                contacts::note(tx, &assistant, call.id, false)?;
                let known = afterwards::settle(tx, &assistant, call.id, Some(now))?;
                tell(tx, &assistant, call.id, known, now)?;
                tracing::warn!(call_sid = %call.sid, "closed a call whose end was never announced");
                swept += 1;
            }
            Ok(swept)
        })
        .await
}
