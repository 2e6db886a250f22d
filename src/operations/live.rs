//! The life of a call: it rings, is heard, is answered, ends. One transaction each.
//!
//! A call lives in the store: every step works from the rows alone, in any process, and doing it
//! again changes nothing.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        Assistant, AssistantSpec, Call, CallSid, CallStatus, Caller, EndReason, Heard, LanguageTag,
        Next, PhoneNumber, Reply, Result, Turn, TurnId, TurnTimings,
    },
    store::{
        Store, StoreError, Tx,
        calls::{self, CallEnd, NewCall},
        figures,
        turns::{self, Finished},
    },
};

/// A call as it is announced.
#[derive(Debug, Clone)]
pub struct Ringing {
    /// Twilio's identifier.
    pub sid: CallSid,
    /// Who calls.
    pub from: Caller,
    /// The number dialled, when it is one.
    pub to: Option<PhoneNumber>,
    /// When.
    pub at: Timestamp,
}

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
        /// `Disabled` or `TooManyCalls`.
        reason: EndReason,
    },
    /// It is over already: its end was announced first.
    Over,
    /// Nobody has this number.
    NobodyThere,
}

/// A greeting, and the TwiML that says it.
pub type Greet = Box<dyn FnOnce(&Assistant) -> (Reply, String) + Send>;

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
    let reason = if !assistant.spec.active {
        Some(EndReason::Disabled)
    } else if figures::live_calls(tx, assistant.id)? >= assistant.spec.limits.max_concurrent_calls {
        Some(EndReason::TooManyCalls)
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
        calls::insert_ended(tx, &call, &end)?;
        return Ok(Rung::Declined { assistant, reason });
    }
    let (greeting, twiml) = greet(&assistant);
    let id = TurnId { call: calls::insert_live(tx, &call)?, number: 0 };
    turns::begin(tx, id, None, &greeting.language, ringing.at)?;
    let finished = Finished { reply: &greeting, timings: TurnTimings::default(), twiml: &twiml };
    turns::finish(tx, id, &finished)?;
    Ok(Rung::Answered { assistant, twiml, again: false })
}

fn announced_again(tx: &Tx, store: &Store, call: &Call) -> Result<Rung, StoreError> {
    let assistant = store.assistants().by_id(tx, call.assistant_id)?;
    if let Some(reason @ (EndReason::Disabled | EndReason::TooManyCalls)) = call.end_reason {
        return Ok(Rung::Declined { assistant, reason });
    }
    if call.status.is_final() {
        return Ok(Rung::Over);
    }
    let greeting = turns::get(tx, TurnId { call: call.id, number: 0 })?;
    match greeting.and_then(|turn| turn.twiml) {
        Some(twiml) => Ok(Rung::Answered { assistant, twiml, again: true }),
        None => Err(StoreError::Row(format!("call {} has no greeting", call.sid))),
    }
}

fn new_call(ringing: &Ringing, assistant: &Assistant, to: &PhoneNumber) -> NewCall {
    NewCall {
        sid: ringing.sid.clone(),
        assistant: assistant.id,
        caller: ringing.from.as_stored().map(str::to_owned),
        to_number: to.to_string(),
        line: assistant.spec.voice.line,
        language: assistant.spec.voice.language.clone(),
        started_at: ringing.at,
    }
}

/// Something heard from a caller, in answer to turn `number - 1`.
#[derive(Debug, Clone)]
pub struct Utterance {
    /// The call, with what is needed should its row be missing.
    pub ringing: Ringing,
    /// The turn it belongs to, from the action URL.
    pub number: u32,
    /// What was heard.
    pub heard: Heard,
}

/// A turn to think about.
#[derive(Debug, Clone)]
pub struct OpenTurn {
    /// The call.
    pub call: Call,
    /// Who answers.
    pub assistant: Arc<Assistant>,
    /// The turns before.
    pub history: Vec<Turn>,
    /// The turn.
    pub id: TurnId,
    /// What was heard in it, as first stored.
    pub heard: Heard,
    /// Fillers the caller heard so far.
    pub fillers: u32,
}

/// What to do with something heard.
#[derive(Debug, Clone)]
pub enum Hearing {
    /// Think; `again` when it was delivered before and has no reply yet.
    Think {
        /// What about.
        turn: Box<OpenTurn>,
        /// Whether it was delivered before.
        again: bool,
    },
    /// It has its reply already.
    Replied {
        /// Who answers.
        assistant: Arc<Assistant>,
        /// The turn.
        number: u32,
        /// In which language.
        language: LanguageTag,
        /// The TwiML stored with it.
        twiml: String,
        /// How many fillers went before.
        fillers: u32,
    },
    /// It belongs to no turn that can be next; this one is.
    OutOfOrder {
        /// The turn that is next.
        next: u32,
        /// Spoken now.
        language: LanguageTag,
        /// Who answers.
        assistant: Arc<Assistant>,
    },
    /// The call is over.
    Over,
    /// Nobody has this number.
    NobodyThere,
}

/// Something is heard: its turn is begun, or found.
pub async fn hear(store: &Store, utterance: Utterance) -> Result<Hearing> {
    let cache = store.clone();
    store.write_async(move |tx| hear_in(tx, &cache, utterance)).await
}

fn hear_in(tx: &Tx, store: &Store, utterance: Utterance) -> Result<Hearing, StoreError> {
    let Utterance { ringing, number, heard } = utterance;
    let (call, number) = match calls::by_sid(tx, &ringing.sid)? {
        Some(call) => (call, number),
        // Twilio knows the call and we do not (a store restored from a backup): go on from here
        // rather than lose the caller.
        None => match adopt(tx, store, &ringing)? {
            Some(call) => (call, 1),
            None => return Ok(Hearing::NobodyThere),
        },
    };
    let assistant = store.assistants().by_id(tx, call.assistant_id)?;
    let mut history = turns::of_call(tx, call.id)?;
    if let Some(turn) = history.iter().find(|turn| turn.number == number)
        && let Some(twiml) = &turn.twiml
    {
        return Ok(Hearing::Replied {
            assistant,
            number,
            language: turn.language.clone(),
            twiml: twiml.clone(),
            fillers: turn.fillers,
        });
    }
    if call.status.is_final() {
        return Ok(Hearing::Over);
    }
    let id = TurnId { call: call.id, number };
    let language = call.language.clone();
    let next = history.last().map_or(0, |turn| turn.number + u32::from(turn.said.is_some()));
    if number != next || number == 0 {
        return Ok(Hearing::OutOfOrder { next: next.max(1), language, assistant });
    }
    let open = history.last().filter(|turn| turn.number == number).cloned();
    let again = open.is_some();
    let (heard, fillers) = if let Some(turn) = open {
        history.pop();
        (turn.heard.unwrap_or(heard), turn.fillers)
    } else {
        turns::begin(tx, id, Some(&heard), &language, ringing.at)?;
        (heard, 0)
    };
    let turn = Box::new(OpenTurn { call, assistant, history, id, heard, fillers });
    Ok(Hearing::Think { turn, again })
}

/// Makes the row of a call that goes on at Twilio's but is unknown here.
fn adopt(tx: &Tx, store: &Store, ringing: &Ringing) -> Result<Option<Call>, StoreError> {
    let Some(to) = &ringing.to else { return Ok(None) };
    let Some(assistant) = store.assistants().by_phone(tx, to)? else { return Ok(None) };
    let id = calls::insert_live(tx, &new_call(ringing, &assistant, to))?;
    let language = &assistant.spec.voice.language;
    let turn = TurnId { call: id, number: 0 };
    turns::begin(tx, turn, None, language, ringing.at)?;
    let greeting = Reply {
        text: String::new(),
        language: language.clone(),
        next: Next::Listen,
        engine: "webox".to_owned(),
        attempts: Vec::new(),
        tools: Vec::new(),
        state: None,
    };
    let finished = Finished { reply: &greeting, timings: TurnTimings::default(), twiml: "" };
    turns::finish(tx, turn, &finished)?;
    calls::by_sid(tx, &ringing.sid)
}

/// A reply as the line will say it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What the engine decided.
    pub reply: Reply,
    /// How long it took.
    pub timings: TurnTimings,
    /// What Twilio is told.
    pub twiml: String,
    /// Why the call is about to end, if it is.
    pub end_reason: Option<EndReason>,
    /// Whether the caller is told in it that time is nearly up.
    pub warned: bool,
}

/// Stores the reply of a turn and answers what the caller is to hear: the reply that was stored
/// first, should there be two.
pub async fn answer(store: &Store, id: TurnId, answer: Answer, now: Timestamp) -> Result<String> {
    store
        .write_async(move |tx| {
            let finished =
                Finished { reply: &answer.reply, timings: answer.timings, twiml: &answer.twiml };
            if turns::finish(tx, id, &finished)? {
                if answer.warned {
                    calls::set_warned(tx, id.call, now)?;
                }
                if let Some(reason) = answer.end_reason {
                    calls::set_end_reason(tx, id.call, reason)?;
                }
                return Ok(answer.twiml);
            }
            let stored = turns::get(tx, id)?.and_then(|turn| turn.twiml);
            Ok(stored.unwrap_or(answer.twiml))
        })
        .await
}

/// Notes that the caller is given a filler, so that a repeated delivery gets the same one.
pub async fn count_filler(store: &Store, id: TurnId, fillers: u32) -> Result<()> {
    store.write_async(move |tx| turns::count_filler(tx, id, fillers)).await
}

/// Finds a turn that somebody waits for.
pub async fn waiting(store: &Store, sid: CallSid, number: u32) -> Result<Hearing> {
    let cache = store.clone();
    store
        .read_async(move |tx| {
            let Some(call) = calls::by_sid(tx, &sid)? else { return Ok(Hearing::NobodyThere) };
            let assistant = cache.assistants().by_id(tx, call.assistant_id)?;
            let mut history = turns::of_call(tx, call.id)?;
            let position = history.iter().position(|turn| turn.number == number);
            let Some(position) = position else {
                let next = history.last().map_or(1, |turn| turn.number + 1);
                return Ok(Hearing::OutOfOrder { next, language: call.language, assistant });
            };
            let turn = history.swap_remove(position);
            history.truncate(position);
            if let Some(twiml) = turn.twiml {
                return Ok(Hearing::Replied {
                    assistant,
                    number,
                    language: turn.language,
                    twiml,
                    fillers: turn.fillers,
                });
            }
            if call.status.is_final() {
                return Ok(Hearing::Over);
            }
            let id = TurnId { call: call.id, number };
            let heard = turn.heard.unwrap_or(Heard::Silence);
            let open = OpenTurn { call, assistant, history, id, heard, fillers: turn.fillers };
            Ok(Hearing::Think { turn: Box::new(open), again: true })
        })
        .await
}

/// Speaks of our own accord, as turn `number`: nothing was heard in it. Answers the TwiML, also
/// when this is asked again; nothing when the call is over or the turn cannot be next.
pub async fn resume(
    store: &Store,
    sid: CallSid,
    number: u32,
    now: Timestamp,
    speak: impl FnOnce(&AssistantSpec, &[Turn], &Call) -> (Reply, String) + Send + 'static,
) -> Result<Option<String>> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let Some(call) = calls::by_sid(tx, &sid)? else { return Ok(None) };
            let history = turns::of_call(tx, call.id)?;
            if let Some(turn) = history.iter().find(|turn| turn.number == number) {
                return Ok(turn.twiml.clone());
            }
            let next =
                history.last().map_or(0, |turn| turn.number + u32::from(turn.said.is_some()));
            if call.status.is_final() || number != next {
                return Ok(None);
            }
            let assistant = cache.assistants().by_id(tx, call.assistant_id)?;
            let (reply, twiml) = speak(&assistant.spec, &history, &call);
            let id = TurnId { call: call.id, number };
            turns::begin(tx, id, None, &reply.language, now)?;
            let timings = TurnTimings::default();
            turns::finish(tx, id, &Finished { reply: &reply, timings, twiml: &twiml })?;
            calls::clear_end_reason(tx, call.id)?;
            Ok(Some(twiml))
        })
        .await
}

/// A change of a call's status, as Twilio announces it.
#[derive(Debug, Clone)]
pub struct StatusChange {
    /// The call, with what is needed should its row be missing.
    pub ringing: Ringing,
    /// The new status.
    pub status: CallStatus,
    /// In seconds; in final ones only.
    pub duration_s: Option<u32>,
}

/// Follows a change of status; only final ones change anything. Says whether the call is known.
pub async fn follow_status(store: &Store, change: StatusChange) -> Result<bool> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let StatusChange { ringing, status, duration_s } = change;
            let found = calls::by_sid(tx, &ringing.sid)?;
            if !status.is_final() {
                return Ok(found.is_some());
            }
            let end = CallEnd { status, ended_at: ringing.at, duration_s, reason: None };
            if let Some(call) = found {
                end_known(tx, &call, end)?;
                return Ok(true);
            }
            // The end before the beginning: keep it, so that the beginning finds the call over.
            let Some(to) = &ringing.to else { return Ok(false) };
            let Some(assistant) = cache.assistants().by_phone(tx, to)? else { return Ok(false) };
            let mut call = new_call(&ringing, &assistant, to);
            let length = SignedDuration::from_secs(i64::from(duration_s.unwrap_or(0)));
            call.started_at = ringing.at.checked_sub(length).unwrap_or(ringing.at);
            calls::insert_ended(tx, &call, &end)?;
            Ok(true)
        })
        .await
}

fn end_known(tx: &Tx, call: &Call, mut end: CallEnd) -> Result<(), StoreError> {
    let swept = call.end_reason == Some(EndReason::Swept);
    if call.status == CallStatus::Rejected || (call.ended_at.is_some() && !swept) {
        // Announced before, or turned down by us: what is stored stands.
        return Ok(());
    }
    if let Some(ended_at) = call.ended_at {
        end.ended_at = ended_at;
    }
    if call.end_reason.is_none() || swept {
        end.reason = Some(EndReason::CallerHungUp);
    }
    calls::end(tx, call.id, &end)
}

/// Closes live calls whose end was never announced; answers how many.
///
/// A call that we hung up gets two minutes for its status callback, any other one its maximum
/// duration and a minute.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<u32> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let two_minutes = SignedDuration::from_mins(2);
            let before = now.checked_sub(SignedDuration::from_secs(30)).unwrap_or(now);
            let mut swept = 0;
            for call in calls::live_before(tx, before, 1_000)? {
                let spec = &cache.assistants().by_id(tx, call.assistant)?.spec;
                let longest = SignedDuration::try_from(spec.limits.max_call_duration.get())
                    .unwrap_or(SignedDuration::MAX);
                let hung_up = call.end_reason.is_some();
                let due = if hung_up {
                    call.last_heard_at.checked_add(two_minutes)
                } else {
                    call.started_at.checked_add(longest + SignedDuration::from_mins(1))
                };
                if due.is_ok_and(|due| now < due) {
                    continue;
                }
                let end = CallEnd {
                    status: CallStatus::Completed,
                    ended_at: call.last_heard_at,
                    duration_s: None,
                    reason: (!hung_up).then_some(EndReason::Swept),
                };
                calls::end(tx, call.id, &end)?;
                tracing::warn!(call_sid = %call.sid, "closed a call whose end was never announced");
                swept += 1;
            }
            Ok(swept)
        })
        .await
}

/// The assistant of a number, read without the writer: what is left when nothing can be written.
pub async fn assistant_of(store: &Store, to: PhoneNumber) -> Result<Option<Arc<Assistant>>> {
    let cache = store.clone();
    store.read_async(move |tx| cache.assistants().by_phone(tx, &to)).await
}

/// Whether the store can be written now: for readiness.
pub async fn ready(store: &Store, now: Timestamp) -> Result<()> {
    store.write_async(move |tx| figures::beat(tx, now)).await
}
