//! A message is spoken when nobody took a call: kept for the client, with where Twilio keeps it.

use std::sync::Arc;

use jiff::Timestamp;

use super::kept_text;
use crate::{
    domain::{
        Assistant, Call, CallSid, EndReason, KeptRecording, Message, MessageRecording, Removable,
        Result,
    },
    operations::{
        afterwards, ledger,
        outbox::{self, Happened},
    },
    store::{Store, calls, messages, privacy, removals},
};

/// A message as it was spoken.
#[derive(Debug, Clone)]
pub struct Spoken {
    /// In which call.
    pub sid: CallSid,
    /// Where it is kept.
    pub kept: KeptRecording,
    /// How long it is.
    pub seconds: u32,
    /// Whether the caller hung up.
    pub is_over: bool,
}

/// What became of a message.
#[derive(Debug, Clone)]
pub enum Left {
    /// It is kept.
    Kept {
        /// In which call.
        call: Box<Call>,
        /// For whom.
        assistant: Arc<Assistant>,
    },
    /// Its call was forgotten: Twilio is asked to remove it.
    Unwanted,
    /// Nobody knows the call.
    Unknown,
}

/// Keeps a message that was spoken. Telling it again changes nothing.
pub async fn leave_message(store: &Store, spoken: Spoken, now: Timestamp) -> Result<Left> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let Spoken { sid, kept, seconds, is_over } = spoken;
            let Some(call) = calls::by_sid(tx, &sid)? else { return Ok(Left::Unknown) };
            ledger::recorded(tx, &cache, &call, &kept.sid, seconds, now)?;
            if privacy::is_erased(tx, call.id)? {
                removals::ask(tx, &sid, &Removable::Recording(kept), now)?;
                return Ok(Left::Unwanted);
            }
            let assistant =
                cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
            let message = Message {
                assistant: call.assistant_id,
                call: call.id,
                caller: call.caller.clone(),
                name: None,
                text: String::new(),
                recording: Some(MessageRecording { kept, seconds }),
                created_at: now,
            };
            match (messages::insert(tx, &message)?, &message.recording) {
                (Some(row), _) => {
                    let taken = Happened::MessageTaken { row, message: &message };
                    outbox::tell(tx, &assistant, Some(call.id), &taken, now)?;
                }
                (None, Some(recording)) => messages::set_seconds(tx, call.id, recording)?,
                (None, None) => {}
            }
            afterwards::settle(tx, &assistant, call.id, None)?;
            if !is_over {
                calls::set_end_reason(tx, call.id, EndReason::AssistantHungUp)?;
            }
            Ok(Left::Kept { call: Box::new(call), assistant })
        })
        .await
}

/// Keeps the words of a message that was spoken, once; says whether there is such a message.
pub async fn set_words(
    store: &Store,
    sid: CallSid,
    kept: KeptRecording,
    words: String,
    now: Timestamp,
) -> Result<bool> {
    let cache = store.clone();
    store
        .write_async(move |tx| {
            let Some(call) = calls::by_sid(tx, &sid)? else { return Ok(false) };
            let assistant =
                cache.assistants().version(tx, call.assistant_id, call.assistant_revision)?;
            let words = kept_text(&words, assistant.spec.compliance.redact).into_owned();
            let messages = messages::of_call(tx, call.id)?;
            let its = messages.iter().filter_map(|one| one.recording.as_ref());
            let its = its.filter(|recording| recording.kept == kept).map(|one| one.seconds);
            ledger::transcribed(tx, &cache, &call, &kept.sid, its.max().unwrap_or(0), now)?;
            if privacy::is_erased(tx, call.id)? {
                return Ok(false);
            }
            // The words may be there before it is told that the message is.
            if !messages::has_recording(tx, call.id, &kept)? {
                let message = Message {
                    assistant: call.assistant_id,
                    call: call.id,
                    caller: call.caller.clone(),
                    name: None,
                    text: words,
                    recording: Some(MessageRecording { kept, seconds: 0 }),
                    created_at: now,
                };
                let Some(row) = messages::insert(tx, &message)? else { return Ok(false) };
                let taken = Happened::MessageTaken { row, message: &message };
                outbox::tell(tx, &assistant, Some(call.id), &taken, now)?;
                afterwards::settle(tx, &assistant, call.id, None)?;
                return Ok(true);
            }
            messages::set_text(tx, call.id, &kept, &words)?;
            Ok(true)
        })
        .await
}
