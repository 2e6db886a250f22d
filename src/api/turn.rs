//! Turns.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Moment;
use crate::domain::{
    Attempt, CallId, Heard, LanguageTag, Next, PhoneNumber, TokenUsage, ToolUse, Turn, TurnTimings,
};

/// One model that was asked.
pub type AttemptView = Attempt;

/// A turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Turn")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct TurnView {
    /// 0 is the greeting.
    pub number: u32,
    pub heard: Option<String>,
    /// `speech`, `digits` or `silence`; null in the greeting.
    pub heard_as: Option<String>,
    /// 0 to 1.
    pub confidence: Option<f64>,
    /// As which language the caller was heard, where several were listened for.
    #[serde(default)]
    pub heard_language: Option<LanguageTag>,
    #[schemars(with = "Moment")]
    pub heard_at: Timestamp,
    /// What the caller heard; null until there is a reply.
    pub said: Option<String>,
    /// What the caller cut off.
    pub unheard: Option<String>,
    /// The language of the reply, and of the call from here on.
    pub language: LanguageTag,
    /// `listen`, `hang-up` or `transfer`.
    pub next: Option<String>,
    /// Whom the call was handed to.
    pub transfer_to: Option<PhoneNumber>,
    pub engine: Option<String>,
    pub attempts: Vec<AttemptView>,
    pub tools: Vec<ToolUse>,
    pub first_token_ms: Option<u32>,
    pub reply_ms: Option<u32>,
    /// From the end of the caller's speech until it was taken for the end.
    #[serde(default)]
    pub endpoint_ms: Option<u32>,
    /// From the end of the caller's speech until its words were known: the others begin here.
    #[serde(default)]
    pub words_ms: Option<u32>,
    #[serde(default)]
    pub sentence_ms: Option<u32>,
    #[serde(default)]
    pub audio_ms: Option<u32>,
    #[serde(default)]
    pub frame_ms: Option<u32>,
    /// Who heard the caller, where it was not Twilio.
    #[serde(default)]
    pub ear: Option<String>,
    /// Who spoke, where it was not Twilio.
    #[serde(default)]
    pub mouth: Option<String>,
    pub usage: TokenUsage,
    pub fillers: u32,
}

impl From<&Turn> for TurnView {
    fn from(turn: &Turn) -> Self {
        let (kind, confidence) = match &turn.heard {
            None => (None, None),
            Some(Heard::Speech { confidence, .. }) => (Some("speech"), *confidence),
            Some(Heard::Digits(_)) => (Some("digits"), None),
            Some(Heard::Silence) => (Some("silence"), None),
        };
        let heard_language = match &turn.heard {
            Some(Heard::Speech { language, .. }) => language.clone(),
            _ => None,
        };
        let (next, transfer_to) = match &turn.next {
            None => (None, None),
            Some(Next::Listen) => (Some("listen"), None),
            Some(Next::HangUp) => (Some("hang-up"), None),
            Some(Next::Transfer(number)) => (Some("transfer"), Some(number.clone())),
        };
        Self {
            number: turn.number,
            heard: turn.heard.as_ref().map(|heard| heard.text().to_owned()),
            heard_as: kind.map(str::to_owned),
            // Two digits are all a recogniser means; a float's tail would be noise.
            confidence: confidence.map(|c| (f64::from(c) * 100.0).round() / 100.0),
            heard_language,
            heard_at: turn.heard_at,
            said: turn.said.clone(),
            unheard: turn.unheard.clone(),
            language: turn.language.clone(),
            next: next.map(str::to_owned),
            transfer_to,
            engine: turn.engine.clone(),
            attempts: turn.attempts.clone(),
            tools: turn.tools.clone(),
            first_token_ms: turn.timings.first_token_ms,
            reply_ms: turn.timings.reply_ms,
            endpoint_ms: turn.timings.endpoint_ms,
            words_ms: turn.timings.words_ms,
            sentence_ms: turn.timings.sentence_ms,
            audio_ms: turn.timings.audio_ms,
            frame_ms: turn.timings.frame_ms,
            ear: turn.ear.clone(),
            mouth: turn.mouth.clone(),
            usage: turn.usage,
            fillers: turn.fillers,
        }
    }
}

impl TurnView {
    /// The turn of a call.
    pub fn of(self, call: CallId) -> Turn {
        let view = self;
        let text = view.heard.unwrap_or_default();
        let heard = view.heard_as.as_deref().map(|kind| match kind {
            "digits" => Heard::Digits(text),
            "silence" => Heard::Silence,
            _ => Heard::Speech {
                text,
                confidence: view.confidence.map(|c| c as f32),
                language: view.heard_language.clone(),
            },
        });
        let next = match (view.next.as_deref(), view.transfer_to) {
            (Some("listen"), _) => Some(Next::Listen),
            (Some("transfer"), Some(number)) => Some(Next::Transfer(number)),
            (Some(_), _) => Some(Next::HangUp),
            (None, _) => None,
        };
        Turn {
            call,
            number: view.number,
            heard,
            heard_at: view.heard_at,
            said: view.said,
            unheard: view.unheard,
            language: view.language,
            next,
            engine: view.engine,
            attempts: view.attempts,
            tools: view.tools,
            state: None,
            timings: TurnTimings {
                endpoint_ms: view.endpoint_ms,
                words_ms: view.words_ms,
                first_token_ms: view.first_token_ms,
                sentence_ms: view.sentence_ms,
                audio_ms: view.audio_ms,
                frame_ms: view.frame_ms,
                reply_ms: view.reply_ms,
            },
            usage: view.usage,
            fillers: view.fillers,
            ear: view.ear,
            mouth: view.mouth,
            twiml: None,
        }
    }
}
