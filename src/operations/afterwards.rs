//! What came of a call: noted by rule when it ends, said better by a model later, and remembered when
//! the caller calls again.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{
    live::{asked_in, kept_text},
    outbox::{self, Happened},
};
use crate::{
    domain::{
        Assistant, Attempt, Call, CallId, CallOutcome, LONGEST_SUMMARY, LONGEST_TOPIC, LONGEST_WHY,
        Members, Rating, Recollection, Redaction, Result, Rows, Turn, TurnId, Wanted,
    },
    store::{
        Store, StoreError, Tx,
        afterwards::{self, Looked},
        bookings, calls, messages, privacy, transfers, turns,
    },
};

/// Calls looked at together.
const TOGETHER: u32 = 4;

/// A call that is over, and that a model is to be asked about.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The call.
    pub call: Call,
    /// Who answered.
    pub assistant: Arc<Assistant>,
    /// What was said.
    pub turns: Vec<Turn>,
}

impl Ended {
    /// What a model is to be asked: not what the caller has said already.
    pub fn wanted(&self) -> Option<Wanted<'_>> {
        let wanted = self.assistant.spec.wanted_after()?;
        let satisfaction = wanted.satisfaction && self.call.satisfaction.is_none();
        Some(Wanted { satisfaction, ..wanted })
    }
}

/// What a model said of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What came of it.
    pub summary: Option<String>,
    /// What it was about.
    pub topic: Option<String>,
    /// How satisfied the caller was.
    pub rating: Option<Rating>,
    /// What the file asks for: what fits its schema.
    pub extract: Option<Members>,
}

/// Notes what came of a call, in the transaction that ends it, or that adds to it afterwards. A model is
/// asked about calls that end now, at `ended_at`, where the file wants it; answers whether the call
/// ends now and no model will be asked: then [`tell`] others.
pub(super) fn settle(
    tx: &Tx,
    assistant: &Assistant,
    id: CallId,
    ended_at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let Some(call) = calls::by_id(tx, id)? else { return Ok(false) };
    if !call.status.is_final() {
        return Ok(false);
    }
    let (turns, booked) = (turns::of_call(tx, id)?, bookings::of_call(tx, id)?);
    let (left, rung) = (messages::of_call(tx, id)?, transfers::of_call(tx, id)?);
    let rows = Rows {
        done: done(&turns),
        call: &call,
        turns: &turns,
        bookings: &booked,
        messages: &left,
        handovers: &rung,
    };
    let spoke = turns.iter().any(|turn| turn.heard.as_ref().is_some_and(|h| !h.text().is_empty()));
    let due = ended_at.filter(|_| spoke && assistant.spec.wanted_after().is_some());
    afterwards::settle(tx, id, rows.outcome(), &rows.summary(), due)?;
    Ok(ended_at.is_some() && due.is_none())
}

/// Has others told what came of a call.
pub(super) fn tell(
    tx: &Tx,
    assistant: &Assistant,
    id: CallId,
    at: Timestamp,
) -> Result<(), StoreError> {
    outbox::tell(tx, assistant, Some(id), &Happened::CallSummarised, at)
}

/// What was done of a booking: the tools of a call say so, also of one that was made in another call.
fn done(turns: &[Turn]) -> Option<CallOutcome> {
    let did = |name: &str, word: &str| {
        let tools = turns.iter().flat_map(|turn| &turn.tools).filter(|tool| tool.tool == name);
        let mut results =
            tools.filter_map(|tool| serde_json::from_str::<serde_json::Value>(&tool.result).ok());
        results.any(|result| result[word] == true)
    };
    [
        ("book", "booked", CallOutcome::Booked),
        ("reschedule", "moved", CallOutcome::Changed),
        ("cancel", "cancelled", CallOutcome::Cancelled),
    ]
    .into_iter()
    .find_map(|(name, word, outcome)| did(name, word).then_some(outcome))
}

/// What is known of a caller, where the assistant's file allows it; otherwise nothing is read.
pub(super) fn recall(
    tx: &Tx,
    assistant: &Assistant,
    call: &Call,
) -> Result<Option<Recollection>, StoreError> {
    let memory = &assistant.spec.memory;
    if !memory.enabled || privacy::is_erased(tx, call.id)? {
        return Ok(None);
    }
    let days = SignedDuration::from_hours(24 * i64::from(memory.days));
    let since = call.started_at.checked_sub(days).unwrap_or(Timestamp::MIN);
    afterwards::recall(tx, assistant, call, since)
}

/// Calls that a model is to be asked about.
pub async fn due(store: &Store) -> Result<Vec<Ended>> {
    let cache = store.clone();
    store
        .read_async(move |tx| {
            let mut ended = Vec::new();
            for id in afterwards::due(tx, TOGETHER)? {
                let Some(call) = calls::by_id(tx, id)? else { continue };
                let assistant =
                    cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
                let turns = turns::of_call(tx, id)?;
                ended.push(Ended { call, assistant, turns });
            }
            Ok(ended)
        })
        .await
}

/// Keeps what a model said, or that it said nothing: then what was noted by rule stands. Others are told
/// either way, once. What was asked of the model is part of what the call cost.
pub async fn summarise(
    store: &Store,
    ended: &Ended,
    said: Option<Said>,
    attempt: Option<Attempt>,
    now: Timestamp,
) -> Result<bool> {
    let (id, assistant) = (ended.call.id, Arc::clone(&ended.assistant));
    let looked = looked(&ended.assistant, said);
    let last = ended.turns.last().map(|turn| TurnId { call: id, number: turn.number });
    let cache = store.clone();
    store
        .write_async(move |tx| {
            if let (Some(attempt), Some(last)) = (attempt, last) {
                asked_in(tx, &cache, last, &[attempt], now)?;
            }
            let was_due = afterwards::summarise(tx, id, &looked)?;
            if was_due {
                tell(tx, &assistant, id, now)?;
            }
            Ok(was_due)
        })
        .await
}

/// What is kept of what a model said.
fn looked(assistant: &Assistant, said: Option<Said>) -> Looked {
    let redaction = assistant.spec.compliance.redact;
    let shortened = |text: &str, most: usize| {
        let text = shortened(text, most, redaction);
        (!text.is_empty()).then_some(text)
    };
    let said = said.unwrap_or_default();
    let summary = said.summary.and_then(|summary| shortened(&summary, LONGEST_SUMMARY));
    let topic = said.topic.and_then(|topic| shortened(&topic, LONGEST_TOPIC));
    let rating = said.rating.map(|rating| Rating {
        why: rating.why.and_then(|why| shortened(&why, LONGEST_WHY)),
        ..rating
    });
    let extract = assistant.spec.after.extract.as_ref().zip(said.extract);
    let extracted = extract.map(|(schema, found)| {
        let mut found = serde_json::Value::Object(schema.filled(&found));
        mask(&mut found, redaction);
        found.to_string()
    });
    Looked { summary: summary.map(|summary| (summary, topic)), rating, extracted }
}

/// A text on one line, masked where the file wants it, and not longer than allowed.
pub(super) fn shortened(text: &str, most: usize, redaction: Redaction) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    kept_text(&text, redaction).chars().take(most).collect()
}

/// Masks the texts of a value.
fn mask(value: &mut serde_json::Value, redaction: Redaction) {
    use serde_json::Value;
    match value {
        Value::String(text) => *text = kept_text(text, redaction).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| mask(item, redaction)),
        Value::Object(members) => members.values_mut().for_each(|value| mask(value, redaction)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
