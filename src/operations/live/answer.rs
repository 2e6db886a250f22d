//! The caller is answered.

use jiff::Timestamp;

use super::{Greeted, Ticket, handover, kept_reply, kept_text, next_number};
use crate::{
    domain::{
        AssistantSpec, Attempt, Call, CallSid, Delivery, EndReason, LONGEST_WHY, LanguageTag, Next,
        Rating, RecordingConsent, Redaction, Removable, Reply, Result, SatisfactionSource, Turn,
        TurnId, TurnTimings, Use,
    },
    operations::{
        afterwards, do_not_call, ledger,
        outbox::{self, Happened},
    },
    store::{
        Store, StoreError, Tx, afterwards as store_afterwards, calls, events, removals, tickets,
        turns::{self, Finished},
    },
};

/// A reply as the line will say it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What the engine decided.
    pub reply: Reply,
    /// How long it took.
    pub timings: TurnTimings,
    /// What Twilio is told.
    pub twiml: String,
    /// The same as it is kept, where its words are masked: for a delivery that comes again.
    pub kept_twiml: Option<String>,
    /// Why the call is about to end, if it is.
    pub end_reason: Option<EndReason>,
    /// Whether the caller is told in it that time is nearly up.
    pub warned: bool,
    /// Whether the caller is told in it that a machine speaks.
    pub disclosed: bool,
    /// What the caller said in it to being recorded.
    pub consent: Option<RecordingConsent>,
    /// How satisfied the caller, who was asked, said to be.
    pub rating: Option<Rating>,
    /// The language that the call goes on in, if it is another one.
    pub language: Option<LanguageTag>,
    /// What becomes of card numbers and the like in what is kept.
    pub redaction: Redaction,
    /// Whether the caller is known to hear it; [`deliver`] tells of it otherwise.
    pub heard: bool,
    /// The ticket in the TwiML, for the socket that the call goes on over.
    pub ticket: Option<Ticket>,
    /// What of speech was used for it.
    pub used: Vec<Use>,
}

/// Stores the reply of a turn and answers what the caller is to hear: the reply that was stored
/// first, should there be two.
pub async fn answer(
    store: &Store,
    sid: CallSid,
    id: TurnId,
    answer: Answer,
    now: Timestamp,
) -> Result<String> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            // It was used, whatever becomes of the reply.
            ledger::asked(tx, &cache, id, &answer.reply.attempts, now)?;
            ledger::metered(tx, &cache, id, answer.used, now)?;
            let reply = kept_reply(answer.reply, answer.redaction);
            let twiml = answer.kept_twiml.as_deref().unwrap_or(&answer.twiml);
            let finished =
                Finished { reply: &reply, timings: answer.timings, twiml, heard: answer.heard };
            if turns::finish(tx, id, &finished)? {
                if answer.warned {
                    calls::set_warned(tx, id.call, now)?;
                }
                if let Some(reason) = answer.end_reason {
                    calls::set_end_reason(tx, id.call, reason)?;
                    if reason == EndReason::DoNotCall {
                        do_not_call::asked(tx, id.call, now)?;
                    }
                }
                if let Some(language) = &answer.language {
                    calls::set_language(tx, id.call, language)?;
                }
                if answer.disclosed {
                    calls::set_disclosed(tx, id.call, now)?;
                }
                if let Some(consent) = answer.consent {
                    calls::set_recording_consent(tx, id.call, consent)?;
                    if consent == RecordingConsent::Withdrawn {
                        removals::ask(tx, &sid, &Removable::LiveRecording, now)?;
                        if let Some(kept) = calls::take_recording(tx, id.call)? {
                            removals::ask(tx, &sid, &Removable::Recording(kept), now)?;
                        }
                    }
                }
                if let Some(Rating { score, why }) = answer.rating {
                    let redaction = answer.redaction;
                    let why = why.map(|why| afterwards::shortened(&why, LONGEST_WHY, redaction));
                    let rating = Rating { score, why: why.filter(|why| !why.is_empty()) };
                    store_afterwards::rate(tx, id.call, &rating, SatisfactionSource::Asked)?;
                }
                if let Some(ticket) = &answer.ticket {
                    tickets::give(tx, id.call, ticket.hash(), ticket.expires_at())?;
                }
                // What is still on its way is told of when it has been heard.
                if answer.heard {
                    if let Next::Transfer(number) = &reply.next {
                        handover::begin(tx, &cache, &sid, id, number, now)?;
                    }
                    events::note(tx, now, id.call, "turn", Some(id.number))?;
                    tell_of_transfer(tx, &cache, id, &reply.next, now)?;
                }
                return Ok(answer.twiml);
            }
            // Thought about twice: the first reply stands, and both were paid for.
            turns::add_attempts(tx, id, &reply.attempts)?;
            let stored = turns::get(tx, id)?.and_then(|turn| turn.twiml);
            Ok(stored.unwrap_or(answer.twiml))
        })
        .await
}

/// Notes what a caller heard of a reply. `disclosed` is when it said that a machine speaks.
pub async fn deliver(
    store: &Store,
    id: TurnId,
    delivery: Delivery,
    redaction: Redaction,
    disclosed: bool,
    now: Timestamp,
) -> Result<()> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let mask = |text: &str| kept_text(text, redaction).into_owned();
            let delivery = Delivery {
                said: mask(&delivery.said),
                unheard: delivery.unheard.as_deref().map(mask),
                ..delivery
            };
            ledger::metered(tx, &cache, id, delivery.used.clone(), now)?;
            if !turns::deliver(tx, id, &delivery)? {
                return Ok(());
            }
            if delivery.interrupted {
                calls::clear_end_reason(tx, id.call)?;
            }
            if disclosed {
                calls::set_disclosed(tx, id.call, now)?;
            }
            if let Some(next) = turns::get(tx, id)?.and_then(|turn| turn.next) {
                tell_of_transfer(tx, &cache, id, &next, now)?;
            }
            events::note(tx, now, id.call, "turn", Some(id.number))
        })
        .await
}

/// Has others told that a call is handed to a human, if that comes after a turn.
fn tell_of_transfer(
    tx: &Tx,
    store: &Store,
    id: TurnId,
    next: &Next,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Next::Transfer(to) = next else { return Ok(()) };
    let Some(call) = calls::by_id(tx, id.call)? else { return Ok(()) };
    let assistant = store.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
    let handed = Happened::CallTransferred { turn: id.number, to };
    outbox::tell(tx, &assistant, Some(call.id), &handed, now)
}

/// Notes models that were asked, and not for the reply of any turn, with the latest one.
pub async fn asked_besides(
    store: &Store,
    id: TurnId,
    attempts: Vec<Attempt>,
    now: Timestamp,
) -> Result<()> {
    let cache = store.clone();
    store.write_async(move |tx| asked_in(tx, &cache, id, &attempts, now)).await
}

/// The same in a transaction.
pub(in crate::operations) fn asked_in(
    tx: &Tx,
    store: &Store,
    id: TurnId,
    attempts: &[Attempt],
    now: Timestamp,
) -> Result<(), StoreError> {
    ledger::asked(tx, store, id, attempts, now)?;
    turns::add_attempts(tx, id, attempts)
}

/// Notes what of speech was used with the latest turn of a call.
pub async fn used_besides(store: &Store, id: TurnId, used: Vec<Use>, now: Timestamp) -> Result<()> {
    let cache = store.clone();
    store.write_async(move |tx| ledger::metered(tx, &cache, id, used, now)).await
}

/// Notes that the caller is given a filler, so that a repeated delivery gets the same one.
/// `disclosed` is when it also said that a machine speaks.
pub async fn count_filler(
    store: &Store,
    id: TurnId,
    fillers: u32,
    disclosed: Option<Timestamp>,
) -> Result<()> {
    store
        .write_async(move |tx| {
            if let Some(at) = disclosed {
                calls::set_disclosed(tx, id.call, at)?;
            }
            turns::count_filler(tx, id, fillers)
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
    speak: impl FnOnce(&AssistantSpec, &[Turn], &Call) -> Greeted + Send + 'static,
) -> Result<Option<String>> {
    let cache = store.clone();
    store.write_async(move |tx| resume_in(tx, &cache, &sid, number, now, speak)).await
}

/// The same in a transaction.
pub(super) fn resume_in(
    tx: &Tx,
    cache: &Store,
    sid: &CallSid,
    number: u32,
    now: Timestamp,
    speak: impl FnOnce(&AssistantSpec, &[Turn], &Call) -> Greeted,
) -> Result<Option<String>, StoreError> {
    let Some(call) = calls::by_sid(tx, sid)? else { return Ok(None) };
    let history = turns::of_call(tx, call.id)?;
    if let Some(turn) = history.iter().find(|turn| turn.number == number) {
        return Ok(turn.twiml.clone());
    }
    let next = next_number(&history);
    if call.status.is_final() || number != next {
        return Ok(None);
    }
    let assistant = cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
    let Greeted { reply, twiml, heard, ticket } = speak(&assistant.spec, &history, &call);
    let reply = kept_reply(reply, assistant.spec.compliance.redact);
    let id = TurnId { call: call.id, number };
    let timings = TurnTimings::default();
    let finished = Finished { reply: &reply, timings, twiml: &twiml, heard };
    turns::insert(tx, id, now, &finished)?;
    if let Some(ticket) = ticket {
        tickets::give(tx, call.id, ticket.hash(), ticket.expires_at())?;
    }
    calls::clear_end_reason(tx, call.id)?;
    if heard {
        events::note(tx, now, call.id, "turn", Some(number))?;
    }
    Ok(Some(twiml))
}
