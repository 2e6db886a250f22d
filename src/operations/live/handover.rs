//! A call is handed to a human: who rings, who takes it, and what comes after those who do not.
//!
//! Everything is in the rows: each human rung is one of `transfers`, keyed by the call, the turn that
//! handed it over and the attempt, all three in the address that Twilio comes back to. So any process
//! answers any delivery, and one that comes again gets the same answer.

use std::sync::Arc;

use jiff::{Timestamp, civil::DateTime};

use super::{Greeted, answer::resume_in};
use crate::{
    domain::{
        Assistant, AssistantSpec, Call, CallId, CallSid, EndReason, Handover, HandoverId,
        HandoverOutcome, Human, Next, PhoneNumber, Result, Turn, TurnId,
    },
    operations::{afterwards, ledger},
    store::{Store, StoreError, Tx, calls, transfers, turns},
};

/// What Twilio says became of ringing a human.
#[derive(Debug, Clone)]
pub struct Report {
    /// The call.
    pub sid: CallSid,
    /// The turn that comes after the one that handed it over.
    pub turn: u32,
    /// Which human.
    pub attempt: u32,
    /// Whether somebody, or something, picked up; else what became of it.
    pub picked_up: std::result::Result<(), HandoverOutcome>,
    /// Whether the two were connected, where Twilio says so.
    pub bridged: Option<bool>,
    /// How long, in seconds.
    pub duration_s: Option<u32>,
    /// Whether the caller hung up.
    pub is_over: bool,
}

/// A human who rings.
#[derive(Debug, Clone)]
pub struct Rung {
    /// The call.
    pub call: Call,
    /// Whose call it is.
    pub assistant: Arc<Assistant>,
    /// Which human, for this turn.
    pub attempt: u32,
    /// Whom.
    pub number: PhoneNumber,
}

/// What comes after a human did not take a call, or did.
#[derive(Debug, Clone)]
pub enum Onward {
    /// The next one rings.
    Ring(Box<Rung>),
    /// Nobody is left: the assistant speaks, with this TwiML.
    Say(String),
    /// They talked, or the caller hung up.
    HangUp,
}

/// Notes that the first human rings for a reply that hands its call over.
pub(super) fn begin(
    tx: &Tx,
    cache: &Store,
    sid: &CallSid,
    id: TurnId,
    number: &PhoneNumber,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some((assistant, revision)) = calls::assistant_of(tx, sid)? else { return Ok(()) };
    let assistant = cache.assistants().version(tx, assistant, revision)?;
    let first = HandoverId { call: id.call, turn: id.number, attempt: 1 };
    ring(tx, &assistant.spec, first, number, now)
}

fn ring(
    tx: &Tx,
    spec: &AssistantSpec,
    id: HandoverId,
    number: &PhoneNumber,
    now: Timestamp,
) -> Result<(), StoreError> {
    let human = Human { name: spec.transfer.name_of(number), number };
    transfers::ring(tx, id, human, spec.transfer.warm, now)
}

/// The same, for a call that comes from a socket.
pub async fn hand_over(
    store: &Store,
    sid: CallSid,
    id: TurnId,
    number: PhoneNumber,
    now: Timestamp,
) -> Result<()> {
    let cache = store.clone();
    store.write_async(move |tx| begin(tx, &cache, &sid, id, &number, now)).await
}

/// The time on the client's wall.
fn wall(spec: &AssistantSpec, now: Timestamp) -> DateTime {
    now.to_zoned_datetime(spec.zone()).datetime()
}

/// What became of it, in our words. With a key to be pressed, a voice mailbox that picks up has not
/// taken the call.
fn judged(report: &Report, human: Option<&Handover>) -> HandoverOutcome {
    if human.is_some_and(|human| human.takes == Some(false)) {
        return HandoverOutcome::Refused;
    }
    match report.picked_up {
        Ok(()) => {
            let taken = human.is_none_or(|human| !human.warm || human.takes == Some(true));
            match (taken, report.bridged) {
                (true, None | Some(true)) => HandoverOutcome::Answered,
                _ if report.is_over => HandoverOutcome::Canceled,
                _ => HandoverOutcome::NoAnswer,
            }
        }
        // Broken off from elsewhere: the caller is still there.
        Err(HandoverOutcome::Canceled) if !report.is_over => HandoverOutcome::NoAnswer,
        Err(HandoverOutcome::NoAnswer | HandoverOutcome::Failed) if report.is_over => {
            HandoverOutcome::Canceled
        }
        Err(outcome) => outcome,
    }
}

/// A human was rung: notes what came of it, and says what comes next. `speak` makes the words of the
/// assistant when nobody is left.
pub async fn dialled(
    store: &Store,
    report: Report,
    now: Timestamp,
    speak: impl FnOnce(&AssistantSpec, &[Turn], &Call) -> Greeted + Send + 'static,
) -> Result<Onward> {
    let cache = store.clone();
    store.write_async(move |tx| dialled_in(tx, &cache, &report, now, speak)).await
}

fn dialled_in(
    tx: &Tx,
    cache: &Store,
    report: &Report,
    now: Timestamp,
    speak: impl FnOnce(&AssistantSpec, &[Turn], &Call) -> Greeted,
) -> Result<Onward, StoreError> {
    let (Some(call), Some(turn)) = (calls::by_sid(tx, &report.sid)?, report.turn.checked_sub(1))
    else {
        return Ok(Onward::HangUp);
    };
    let assistant = cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
    let spec = &assistant.spec;
    let id = HandoverId { call: call.id, turn, attempt: report.attempt };
    let human = rung(tx, spec, id, now)?;
    let stored = human.as_ref().and_then(|human| human.outcome);
    let outcome = stored.unwrap_or_else(|| judged(report, human.as_ref()));
    if human.is_some() {
        let talked = report.duration_s.filter(|_| outcome == HandoverOutcome::Answered);
        transfers::finish(tx, id, outcome, talked)?;
        // A voicemail that picked up, and nobody who took the call, is paid for as well.
        let picked_up = report.duration_s.filter(|_| report.picked_up.is_ok());
        ledger::handed_over(tx, cache, id, talked.or(picked_up), now)?;
    }
    if outcome == HandoverOutcome::Answered {
        // Of a call whose end was announced before.
        afterwards::settle(tx, &assistant, call.id, None)?;
        return Ok(Onward::HangUp);
    }
    if outcome == HandoverOutcome::Canceled || call.status.is_final() {
        // The end may have been announced before, or is about to be.
        calls::clear_end_reason(tx, call.id)?;
        calls::was_not_handed_over(tx, call.id)?;
        afterwards::settle(tx, &assistant, call.id, None)?;
        return Ok(Onward::HangUp);
    }
    let goes_on = turns::get(tx, TurnId { call: call.id, number: report.turn })?.is_some();
    if human.is_some() && !goes_on {
        let rung = of_turn(tx, call.id, turn)?;
        let attempt = report.attempt + 1;
        let again = rung.iter().find(|human| human.attempt == attempt);
        let numbers: Vec<_> = rung.iter().map(|human| human.number.clone()).collect();
        let number = again.map(|human| human.number.clone()).or_else(|| {
            let next = spec.transfer.next_after(&numbers, wall(spec, now))?;
            Some(next.number.clone())
        });
        if let Some(number) = number {
            ring(tx, spec, HandoverId { attempt, ..id }, &number, now)?;
            let assistant = Arc::clone(&assistant);
            return Ok(Onward::Ring(Box::new(Rung { call, assistant, attempt, number })));
        }
    }
    let said = resume_in(tx, cache, &report.sid, report.turn, now, speak)?;
    Ok(said.map_or(Onward::HangUp, Onward::Say))
}

/// A human of a call. A row that is missing is made from the turn that handed the call over: the store
/// could not be written when it rang, or webox kept none then.
fn rung(
    tx: &Tx,
    spec: &AssistantSpec,
    id: HandoverId,
    now: Timestamp,
) -> Result<Option<Handover>, StoreError> {
    if let Some(human) = transfers::get(tx, id)? {
        return Ok(Some(human));
    }
    let turn = turns::get(tx, TurnId { call: id.call, number: id.turn })?;
    match turn.and_then(|turn| turn.next) {
        Some(Next::Transfer(number)) if id.attempt == 1 => {
            ring(tx, spec, id, &number, now)?;
            transfers::get(tx, id)
        }
        _ => Ok(None),
    }
}

fn of_turn(tx: &Tx, call: CallId, turn: u32) -> Result<Vec<Handover>, StoreError> {
    let mut all = transfers::of_call(tx, call)?;
    all.retain(|human| human.turn == turn);
    Ok(all)
}

/// A human who picked up and has not decided yet: what the call is about.
#[derive(Debug, Clone)]
pub struct HumanLeg {
    /// The call.
    pub call: Call,
    /// Whose call it is.
    pub assistant: Arc<Assistant>,
    /// What was said in it.
    pub history: Vec<Turn>,
    /// What was pressed so far.
    pub takes: Option<bool>,
}

/// Finds what a human who picked up is to be told; nothing when there is nothing to take any more.
pub async fn human_leg(
    store: &Store,
    sid: CallSid,
    turn: u32,
    attempt: u32,
) -> Result<Option<HumanLeg>> {
    let cache = store.clone();
    store.read_async(move |tx| human_leg_in(tx, &cache, &sid, turn, attempt)).await
}

fn human_leg_in(
    tx: &Tx,
    cache: &Store,
    sid: &CallSid,
    turn: u32,
    attempt: u32,
) -> Result<Option<HumanLeg>, StoreError> {
    let (Some(call), Some(turn)) = (calls::by_sid(tx, sid)?, turn.checked_sub(1)) else {
        return Ok(None);
    };
    let human = transfers::get(tx, HandoverId { call: call.id, turn, attempt })?;
    let Some(human) = human.filter(|human| human.outcome.is_none() && !call.status.is_final())
    else {
        return Ok(None);
    };
    let assistant = cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
    let history = turns::of_call(tx, call.id)?;
    Ok(Some(HumanLeg { call, assistant, history, takes: human.takes }))
}

/// The human pressed a key: 1 takes the call, 2 refuses it, any other one is none. The first that is
/// one of them counts; answers where that stands.
pub async fn press(
    store: &Store,
    sid: CallSid,
    turn: u32,
    attempt: u32,
    key: Option<char>,
) -> Result<Option<HumanLeg>> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let takes = match key {
                Some('1') => Some(true),
                Some('2') => Some(false),
                _ => None,
            };
            let found = human_leg_in(tx, &cache, &sid, turn, attempt)?;
            if let (Some(leg), Some(takes), Some(turn)) = (&found, takes, turn.checked_sub(1)) {
                transfers::press(tx, HandoverId { call: leg.call.id, turn, attempt }, takes)?;
                if takes && leg.takes.is_none() {
                    calls::set_end_reason(tx, leg.call.id, EndReason::Transferred)?;
                }
            }
            human_leg_in(tx, &cache, &sid, turn, attempt)
        })
        .await
}
