//! Ears: speech to text behind one trait, [`SpeechToText`]. One file a vendor.

mod chain;
mod deepgram;
mod ends;
mod errors;
mod google;
#[doc(hidden)]
pub mod offline;
mod openai;
mod registry;
mod repeat;
mod tail;

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;

pub use self::{
    chain::{EarRecord, FINISH_WITHIN, Gate, ListeningChain, OpenGate},
    deepgram::hears_together as deepgram_hears_together,
    registry::{EarPatience, EarSettings, Ears},
};
use super::speech::SpeechError;
use crate::domain::LanguageTag;

/// How a caller is listened to, for the length of a call.
#[derive(Debug, Clone, Default)]
pub struct ListenRequest {
    /// The languages that may be spoken, the likeliest first; never empty.
    pub languages: Vec<LanguageTag>,
    /// Words to expect: names, dishes, services.
    pub hints: Vec<String>,
}

/// What an ear is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sound {
    /// Some μ-law, 8 kHz, mono, in real time. Silence between utterances may be left out: an ear
    /// whose vendor minds keeps its connection alive itself.
    Audio(Bytes),
    /// The caller's utterance is over: what was heard until here is wanted now, whole, and then
    /// [`Heard::Finished`].
    Finish,
}

/// What an ear tells.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// The utterance so far that is not final yet; replaces the one before.
    Interim(String),
    /// A part of the utterance that will not change any more; the next part follows it.
    Final {
        /// The words.
        text: String,
        /// 0–1, where the vendor says so.
        confidence: Option<f32>,
        /// The language heard, where the vendor says so.
        language: Option<LanguageTag>,
    },
    /// Everything before the last [`Sound::Finish`] has been told.
    Finished,
    /// The vendor itself believes that the turn may be over soon: a reply may be prepared.
    EagerTurnEnd,
    /// It was not over after all.
    TurnResumed,
    /// The vendor itself decided that the turn is over (its finals were told before).
    TurnEnd,
}

/// An ear at work. Dropping both ends it.
pub struct Listening {
    /// What it hears. Closed when the ear has failed.
    pub sound: mpsc::Sender<Sound>,
    /// What it understands. Ends after an error.
    pub heard: Pin<Box<dyn Stream<Item = Result<Heard, SpeechError>> + Send>>,
}

/// Something that listens.
pub trait SpeechToText: Send + Sync {
    /// The provider's word and its model: `deepgram/nova-3`, `google/telephony`, `openai/whisper-1`.
    fn id(&self) -> &str;

    /// Whether it decides itself when a turn is over ([`Heard::TurnEnd`]).
    fn ends_turns(&self) -> bool {
        false
    }

    /// Whether it hears all of these, whichever is spoken; otherwise only the first of a request.
    fn hears_together(&self, languages: &[&LanguageTag]) -> bool {
        let _ = languages;
        true
    }

    /// Listens to one call. Connects in the background; a failure is the stream's first item.
    fn listen(&self, request: ListenRequest) -> Listening;
}
