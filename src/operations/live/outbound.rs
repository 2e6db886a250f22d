//! A call that we made: answered, by whom, and what an answering machine is told.

use jiff::{SignedDuration, Timestamp};

use super::{Greeted, kept_reply, next_number};
use crate::{
    domain::{
        AnsweredBy, AssistantId, AssistantSpec, Call, CallSid, Direction, EndReason, Errand,
        LanguageTag, OnMachine, OutboundCall, OutboundId, Result, TurnId, TurnTimings,
    },
    operations::ledger,
    store::{
        Store, StoreError, Tx, calls, events, outbound,
        turns::{self, Finished},
    },
};

/// Twilio has said by then who picked up (its `MachineDetectionTimeout`), or will not any more.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_secs(32);

/// What is to be done once it is known who picked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickedUp {
    /// A person, as far as anybody knows: the call goes on.
    Person,
    /// Nobody to talk to: hang up.
    HangUp,
    /// An answering machine that a message is left on.
    LeaveMessage,
    /// The call is over, or none of ours.
    Over,
}

/// The call that was asked for, of a call: by what Twilio was given along, or by the call itself. Of another
/// assistant than the call's it is none: whoever signs for one may name any.
pub(super) fn asked_for(
    tx: &Tx,
    id: Option<OutboundId>,
    sid: &CallSid,
    assistant: Option<AssistantId>,
) -> Result<Option<OutboundCall>, StoreError> {
    if let Some(id) = id {
        outbound::link(tx, id, sid, assistant)?;
    }
    let asked = outbound::by_call(tx, sid)?;
    Ok(asked.filter(|asked| assistant.is_none_or(|assistant| asked.assistant_id == assistant)))
}

/// What a call that we made is for.
pub(super) fn errand(tx: &Tx, call: &Call) -> Result<Option<Errand>, StoreError> {
    if call.direction == Direction::Inbound {
        return Ok(None);
    }
    let asked = outbound::by_call(tx, &call.sid)?;
    Ok(asked.map(|asked| Errand { context: asked.context, opening: asked.opening }))
}

/// Whether it is still to be told who picked up: until then, nothing that is heard is thought about.
pub(super) fn is_undecided(tx: &Tx, call: &Call, now: Timestamp) -> Result<bool, StoreError> {
    if call.direction == Direction::Inbound || call.answered_by.is_some() {
        return Ok(false);
    }
    if now.duration_since(call.started_at) > TOLD_WITHIN {
        return Ok(false);
    }
    let asked = outbound::by_call(tx, &call.sid)?;
    Ok(asked.is_some_and(|asked| asked.machine != OnMachine::Talk))
}

/// Twilio says who picked up.
pub async fn picked_up(
    store: &Store,
    id: Option<OutboundId>,
    sid: CallSid,
    who: AnsweredBy,
) -> Result<PickedUp> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let call = calls::by_sid(tx, &sid)?;
            let assistant = call.as_ref().map(|call| call.assistant_id);
            let Some(asked) = asked_for(tx, id, &sid, assistant)? else {
                return Ok(PickedUp::Over);
            };
            outbound::set_answered_by(tx, asked.id, who)?;
            if let Some(call) = &call {
                calls::set_answered_by(tx, call.id, who)?;
            }
            if let Some(call) = call.as_ref().filter(|call| call.status.is_final()) {
                // Told after the end: it was looked for, and is paid for.
                ledger::closed(tx, &cache, call.id)?;
            }
            let live = call.filter(|call| !call.status.is_final());
            let Some(call) = live else { return Ok(PickedUp::Over) };
            if !who.is_machine() || asked.machine == OnMachine::Talk {
                return Ok(PickedUp::Person);
            }
            calls::set_end_reason(tx, call.id, EndReason::AnsweringMachine)?;
            let leaves = asked.machine == OnMachine::LeaveMessage && who == AnsweredBy::Machine;
            Ok(match asked.message {
                Some(_) if leaves => PickedUp::LeaveMessage,
                _ => PickedUp::HangUp,
            })
        })
        .await
}

/// Leaves the message on an answering machine, as the last turn. Answers the TwiML, also when this is
/// asked again; nothing when there is nothing to leave.
pub async fn leave_on_machine(
    store: &Store,
    sid: CallSid,
    now: Timestamp,
    speak: impl FnOnce(&AssistantSpec, &LanguageTag, &str) -> Greeted + Send + 'static,
) -> Result<Option<String>> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let Some(call) = calls::by_sid(tx, &sid)? else { return Ok(None) };
            let machine = call.answered_by == Some(AnsweredBy::Machine);
            let asked = outbound::by_call(tx, &sid)?.filter(|_| machine);
            let Some(message) = asked.and_then(|asked| asked.message) else { return Ok(None) };
            if call.status.is_final() {
                return Ok(None);
            }
            let assistant =
                cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
            let Greeted { reply, twiml, .. } =
                speak(&assistant.spec, &assistant.spec.voice.language, &message);
            let reply = kept_reply(reply, assistant.spec.compliance.redact);
            let history = turns::of_call(tx, call.id)?;
            // A second delivery: it was said, and is said again.
            if history.last().is_some_and(|turn| turn.said.as_deref() == Some(&*reply.text)) {
                return Ok(Some(twiml));
            }
            let id = TurnId { call: call.id, number: next_number(&history) };
            let timings = TurnTimings::default();
            let finished = Finished { reply: &reply, timings, twiml: &twiml, heard: true };
            turns::insert(tx, id, now, &finished)?;
            calls::set_end_reason(tx, call.id, EndReason::AnsweringMachine)?;
            events::note(tx, now, call.id, "turn", Some(id.number))?;
            Ok(Some(twiml))
        })
        .await
}
