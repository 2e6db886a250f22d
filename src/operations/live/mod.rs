//! The life of a call: it rings, is heard, is answered, ends. One transaction each.
//!
//! A call lives in the store: every step works from the rows alone, in any process, and doing it
//! again changes nothing.

mod answer;
mod end;
mod go_on;
mod handover;
mod hear;
mod outbound;
mod recorded;
mod ring;
pub(super) mod screening;
mod ticket;
mod voicemail;

use std::{borrow::Cow, collections::HashSet, sync::Arc};

use jiff::Timestamp;

use crate::{
    domain::{
        AccountSid, Assistant, AssistantId, CallSid, Caller, Direction, Error, Heard, LanguageTag,
        OutboundId, PhoneNumber, Redaction, Reply, Result, ToolUse, Turn, redact, redact_numbers,
    },
    store::{
        Store, assistants,
        calls::{self, NewCall},
        figures, versions,
    },
};

pub(super) use answer::asked_in;
pub use answer::{Answer, answer, asked_besides, count_filler, deliver, resume, used_besides};
pub use end::{StatusChange, follow_status, sweep};
pub use go_on::{Opened, Standing, open, over_webhooks, reconnect, standing};
pub use handover::{
    HumanLeg, Onward, Report, Rung as HumanRung, dialled, hand_over, human_leg, press,
};
pub use hear::{Hearing, OpenTurn, Utterance, expect, hear, waiting};
pub use outbound::{PickedUp, leave_on_machine, picked_up};
pub use recorded::{Recorded, recorded};
pub use ring::{Greet, Greeted, Rung, ring};
pub use ticket::Ticket;
pub use voicemail::{Left, Spoken, leave_message, set_words};

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
    /// The account that says so.
    pub account: Option<AccountSid>,
    /// Whether the caller's operator says that the number is not theirs.
    pub spoofed: bool,
    /// Who began it.
    pub direction: Direction,
    /// The call that was asked for, where we began it and its address says which.
    pub outbound: Option<OutboundId>,
}

/// Every assistant's newest version.
pub async fn revisions(store: &Store) -> Result<Vec<(AssistantId, i64)>> {
    store.read_async(assistants::revisions).await
}

/// A version of an assistant.
pub async fn version(store: &Store, id: AssistantId, revision: i64) -> Result<Arc<Assistant>> {
    let cache = store.clone();
    store.read_async(move |tx| cache.assistants().version(tx, id, revision)).await
}

fn new_call(ringing: &Ringing, assistant: &Assistant, to: &PhoneNumber) -> NewCall {
    NewCall {
        sid: ringing.sid.clone(),
        assistant: assistant.id,
        assistant_revision: assistant.revision,
        caller: ringing.from.as_stored().map(str::to_owned),
        to_number: to.to_string(),
        direction: ringing.direction,
        line: assistant.spec.voice.line,
        language: first_language(ringing, assistant),
        started_at: ringing.at,
        account: ringing.account.clone(),
    }
}

/// The language that a call begins in. Who is known to speak another one is asked for here, once
/// callers are known.
fn first_language(ringing: &Ringing, assistant: &Assistant) -> LanguageTag {
    // What the file has us say first when we call is in its own language.
    if ringing.direction == Direction::Outbound {
        return assistant.spec.voice.language.clone();
    }
    let known = None;
    assistant.spec.voice.first_language(known, ringing.from.number())
}

/// What is kept of something heard.
fn kept(heard: &Heard, redaction: Redaction) -> Heard {
    match (heard, redaction) {
        (Heard::Speech { text, confidence, language }, Redaction::Mask) => Heard::Speech {
            text: redact(text).into_owned(),
            confidence: *confidence,
            language: language.clone(),
        },
        // Keys pressed one after the other are a number like any other.
        (Heard::Digits(keys), Redaction::Mask) => Heard::Digits(redact(keys).into_owned()),
        (heard, _) => heard.clone(),
    }
}

/// What is kept of words said.
pub fn kept_text(text: &str, redaction: Redaction) -> Cow<'_, str> {
    match redaction {
        Redaction::Mask => redact(text),
        Redaction::Off => Cow::Borrowed(text),
    }
}

/// What is kept of a reply: its words, and what passed through tools. What was said before is
/// borrowed from the caller's own words as often as not.
fn kept_reply(reply: Reply, redaction: Redaction) -> Reply {
    if redaction == Redaction::Off {
        return reply;
    }
    let mask = |text: &str| kept_text(text, redaction).into_owned();
    let tools = reply.tools.iter().map(|tool| ToolUse {
        tool: tool.tool.clone(),
        arguments: mask(&tool.arguments),
        result: mask(&tool.result),
    });
    let state = reply.state.as_deref().map(|state| redact_numbers(state).into_owned());
    Reply { text: mask(&reply.text), tools: tools.collect(), state, ..reply }
}

/// The turn that is next: the first without a reply.
fn next_number(history: &[Turn]) -> u32 {
    history.last().map_or(0, |turn| turn.number + u32::from(turn.said.is_some()))
}

/// The assistant of a number, read without the writer: what is left when nothing can be written.
pub async fn assistant_of(store: &Store, to: PhoneNumber) -> Result<Option<Arc<Assistant>>> {
    let cache = store.clone();
    store.read_async(move |tx| cache.assistants().by_phone(tx, &to)).await
}

/// The assistant of a call in the version that the call began with, when it is known; the assistant
/// of the number dialled otherwise.
pub async fn answering(
    store: &Store,
    call: Option<CallSid>,
    number: Option<PhoneNumber>,
) -> Result<Option<Arc<Assistant>>> {
    let cache = store.clone();
    store
        .read_async(move |tx| {
            let known = match &call {
                Some(sid) => calls::assistant_of(tx, sid)?,
                None => None,
            };
            match (known, &number) {
                (Some((id, revision)), _) => cache.assistants().version(tx, id, revision).map(Some),
                (None, Some(number)) => cache.assistants().by_phone(tx, number),
                (None, None) => Ok(None),
            }
        })
        .await
}

/// The accounts at Twilio that are a client's own, or were when a call began.
pub async fn clients_accounts(store: &Store) -> Result<HashSet<AccountSid>> {
    store.read_async(versions::accounts).await
}

/// Whether the store can be written now, and is found again: for readiness.
pub async fn ready(store: &Store, now: Timestamp) -> Result<()> {
    let looked = store.clone();
    let is_in_place = tokio::task::spawn_blocking(move || looked.is_in_place())
        .await
        .map_err(std::io::Error::other)
        .and_then(|looked| looked)
        .map_err(|cause| {
            let path = store.path().display();
            Error::failure(format!("the database {path} cannot be looked at")).because(cause)
        })?;
    if !is_in_place {
        let path = store.path().display();
        return Err(Error::failure(format!("the database {path} was moved away or exchanged"))
            .hint("put it back, or start webox anew"));
    }
    store.write_async(move |tx| figures::beat(tx, now)).await
}
