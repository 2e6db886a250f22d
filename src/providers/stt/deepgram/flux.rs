//! Flux: turns, each told whole again and again until it is over.

use serde::Deserialize;
use serde_json::Value;

use super::{Heard, Reader, Understood, mean, told_error, unreadable, without_first};
use crate::providers::speech::SpeechError;

/// A finish is timed in bytes, what was heard in Flux's own steps.
const ROUNDING: f64 = 0.1;

/// Deepgram, "Force End Turn": the turn ends on the sound transcribed so far, as it does by itself.
/// Without a turn it is ignored.
const END_TURN: &str = r#"{"type":"ForceEndTurn"}"#;

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Message {
    TurnInfo(TurnInfo),
    Error {
        code: String,
        description: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct TurnInfo {
    event: Event,
    turn_index: u64,
    audio_window_end: f64,
    transcript: String,
    #[serde(default)]
    words: Vec<Word>,
    #[serde(default)]
    languages: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Word {
    confidence: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Event {
    Update,
    StartOfTurn,
    EagerEndOfTurn,
    TurnResumed,
    EndOfTurn,
    #[serde(other)]
    Unknown,
}

#[derive(Debug, Default)]
pub(super) struct Flux {
    /// The turn under way: its number, and its words so far.
    turn: Option<(u64, String)>,
    /// A turn that was told before it was over, and how many words of it.
    told: Option<(u64, usize)>,
    /// The utterance is over after this many seconds.
    finish: Option<f64>,
    /// The end of the turn was asked for.
    asked: bool,
}

impl Reader for Flux {
    fn understand(&mut self, message: Value) -> Result<Understood, SpeechError> {
        match serde_json::from_value(message).map_err(|cause| unreadable(&cause))? {
            Message::TurnInfo(info) => Ok(self.turn(info)),
            Message::Error { code, description } => Err(told_error(&code, &description)),
            Message::Other => Ok(Understood::default()),
        }
    }

    /// Sound that was just sent is not transcribed yet: a turn that was ended now would lose it.
    fn finish(&mut self, seconds: f64) -> Option<&'static str> {
        self.finish = Some(seconds);
        self.asked = false;
        None
    }

    fn settle_for_less(&mut self) -> Vec<Heard> {
        self.finish = None;
        let Some((number, text)) = self.turn.take() else { return Vec::new() };
        let before = self.words_told(number);
        self.told = Some((number, before + text.split_whitespace().count()));
        if text.is_empty() {
            return Vec::new();
        }
        vec![Heard::Final { text, confidence: None, language: None }]
    }

    fn begin_again(&mut self) {
        *self = Self::default();
    }

    fn wants_silence(&self) -> bool {
        true
    }

    fn within_a_turn(&self) -> bool {
        self.turn.is_some()
    }
}

impl Flux {
    fn words_told(&self, number: u64) -> usize {
        self.told.filter(|(told, _)| *told == number).map_or(0, |(_, words)| words)
    }

    fn turn(&mut self, info: TurnInfo) -> Understood {
        let text = without_first(self.words_told(info.turn_index), &info.transcript);
        let mut understood = Understood { is_about_sound: true, ..Understood::default() };
        let heard = &mut understood.heard;
        let is_heard = |seconds: f64| info.audio_window_end + ROUNDING >= seconds;
        if info.event == Event::EndOfTurn {
            let said_before = self.told.take().is_some_and(|(told, _)| told == info.turn_index);
            self.turn = None;
            if !text.is_empty() {
                let confidence = mean(info.words.iter().map(|word| word.confidence));
                let language = info.languages.first().and_then(|language| language.parse().ok());
                heard.push(Heard::Final { text: text.clone(), confidence, language });
            }
            // What was told before its time is no second turn.
            if !(said_before && text.is_empty()) {
                heard.push(Heard::TurnEnd);
            }
            understood.settled = Some(info.audio_window_end);
            // A turn may end before what was said last is transcribed: it is another one then.
            if self.finish.is_some_and(is_heard) {
                self.finish = None;
                understood.finished = u32::MAX;
            }
            return understood;
        }
        let before = self.turn.as_ref().map(|(_, text)| text.as_str());
        let is_new = before != Some(text.as_str());
        if !text.is_empty() && is_new {
            heard.push(Heard::Interim(text.clone()));
        }
        match info.event {
            Event::EagerEndOfTurn => heard.push(Heard::EagerTurnEnd),
            Event::TurnResumed => heard.push(Heard::TurnResumed),
            _ => {}
        }
        // Updates also come when nobody speaks; they are no turn.
        if before.is_some() || !text.is_empty() || info.event == Event::StartOfTurn {
            self.turn = Some((info.turn_index, text));
        }
        if self.finish.is_some_and(is_heard) {
            if self.turn.is_none() {
                self.finish = None;
                understood.finished = u32::MAX;
            } else if !self.asked {
                self.asked = true;
                understood.answer = Some(END_TURN);
            }
        }
        understood
    }
}
