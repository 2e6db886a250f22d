//! What came of a call: noted by rule when it ends, said better by a model later, and remembered when
//! the caller calls again.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::live::kept_text;
use crate::{
    domain::{
        Assistant, Call, CallId, CallOutcome, LONGEST_SUMMARY, LONGEST_TOPIC, Recollection, Result,
        Rows, Turn,
    },
    store::{
        Store, StoreError, Tx, afterwards, bookings, calls, messages, privacy, transfers, turns,
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

/// What a model said of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What came of it.
    pub summary: String,
    /// What it was about.
    pub topic: Option<String>,
}

/// Notes what came of a call, in the transaction that ends it, or that adds to it afterwards.
pub(super) fn settle(
    tx: &Tx,
    assistant: &Assistant,
    id: CallId,
    ended_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let Some(call) = calls::by_id(tx, id)? else { return Ok(()) };
    if !call.status.is_final() {
        return Ok(());
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
    let spec = &assistant.spec;
    let spoke = turns.iter().any(|turn| turn.heard.as_ref().is_some_and(|h| !h.text().is_empty()));
    let asks = spec.memory.enabled && !spec.ai.model.is_builtin() && spoke;
    let due = ended_at.filter(|_| asks);
    afterwards::settle(tx, id, rows.outcome(), &rows.summary(), due)
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

/// Keeps what a model said, or that it said nothing: then what was noted by rule stands.
pub async fn summarise(store: &Store, ended: &Ended, said: Option<Said>) -> Result<bool> {
    let (id, redaction) = (ended.call.id, ended.assistant.spec.compliance.redact);
    let shortened = |text: &str, most: usize| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        kept_text(&text, redaction).chars().take(most).collect::<String>()
    };
    let said = said.map(|said| {
        let topic = said.topic.map(|topic| shortened(&topic, LONGEST_TOPIC));
        (shortened(&said.summary, LONGEST_SUMMARY), topic.filter(|topic| !topic.is_empty()))
    });
    store
        .write_async(move |tx| {
            let said = said.as_ref().map(|(summary, topic)| (summary.as_str(), topic.as_deref()));
            afterwards::summarise(tx, id, said)
        })
        .await
}
