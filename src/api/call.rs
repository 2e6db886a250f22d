//! Calls, what was said in them, and what came of them.

use jiff::{Timestamp, civil::DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Moment, Success};
use crate::domain::{
    AssistantId, AssistantName, Attempt, Booking, BookingId, Call, CallEvent, CallExtras, CallId,
    CallSid, CallStatus, EndReason, Error, EventId, Happening, Heard, LanguageTag, Message, Next,
    PhoneNumber, Result, TokenUsage, ToolUse, Turn, TurnTimings, VoiceLine, WholeCall,
};

/// A call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Call")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct CallView {
    pub id: CallId,
    pub assistant_id: AssistantId,
    pub assistant: AssistantName,
    /// The version of the assistant that the call began with.
    pub assistant_revision: i64,
    pub call_sid: CallSid,
    /// E.164 or an address; null when withheld.
    pub from_number: Option<String>,
    pub to_number: String,
    /// In seconds.
    pub duration: Option<u32>,
    pub status: CallStatus,
    /// 0 to 5.
    pub satisfaction_score: Option<u8>,
    pub line: VoiceLine,
    pub language: LanguageTag,
    pub end_reason: Option<EndReason>,
    /// When the caller was told that a machine speaks.
    #[schemars(with = "Option<Moment>")]
    pub disclosed_at: Option<Timestamp>,
    #[schemars(with = "Moment")]
    pub started_at: Timestamp,
    #[schemars(with = "Option<Moment>")]
    pub ended_at: Option<Timestamp>,
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub extras: Option<Extras>,
}

/// What a call brought from another program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Extras {
    /// The whole call as one text.
    pub transcription: Option<String>,
    /// Where its sound is.
    pub recording_url: Option<String>,
    /// Whatever else was noted.
    pub call_metadata: Value,
}

impl From<&Call> for CallView {
    fn from(call: &Call) -> Self {
        Self {
            id: call.id,
            assistant_id: call.assistant_id,
            assistant: call.assistant.clone(),
            assistant_revision: call.assistant_revision,
            call_sid: call.sid.clone(),
            from_number: call.caller.clone(),
            to_number: call.to_number.clone(),
            duration: call.duration_s,
            status: call.status,
            satisfaction_score: call.satisfaction,
            line: call.line,
            language: call.language.clone(),
            end_reason: call.end_reason,
            disclosed_at: call.disclosed_at,
            started_at: call.started_at,
            ended_at: call.ended_at,
            extras: None,
        }
    }
}

impl CallView {
    /// With what it brought along.
    pub fn with(self, extras: &CallExtras) -> Self {
        // Kept as JSON; should somebody else have written there, as text.
        let metadata = extras.metadata.as_deref().map_or(Value::Null, |text| {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        });
        let extras = Extras {
            transcription: extras.transcription.clone(),
            recording_url: extras.recording_url.clone(),
            call_metadata: metadata,
        };
        Self { extras: Some(extras), ..self }
    }
}

impl From<CallView> for Call {
    fn from(view: CallView) -> Self {
        Self {
            id: view.id,
            sid: view.call_sid,
            assistant_id: view.assistant_id,
            assistant: view.assistant,
            assistant_revision: view.assistant_revision,
            disclosed_at: view.disclosed_at,
            caller: view.from_number,
            to_number: view.to_number,
            status: view.status,
            line: view.line,
            language: view.language,
            started_at: view.started_at,
            ended_at: view.ended_at,
            duration_s: view.duration,
            satisfaction: view.satisfaction_score,
            end_reason: view.end_reason,
        }
    }
}

/// A page of calls, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Calls {
    /// True.
    pub success: Success,
    /// The calls.
    pub calls: Vec<CallView>,
    /// How many match in all.
    pub total: u64,
    /// What to send as `cursor` for the next page; null at the end.
    pub next: Option<String>,
}

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
    #[schemars(with = "Moment")]
    pub heard_at: Timestamp,
    /// What the caller heard; null until there is a reply.
    pub said: Option<String>,
    /// What the caller cut off.
    pub unheard: Option<String>,
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
            _ => Heard::Speech { text, confidence: view.confidence.map(|c| c as f32) },
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
            timings: TurnTimings { first_token_ms: view.first_token_ms, reply_ms: view.reply_ms },
            usage: view.usage,
            fillers: view.fillers,
            twiml: None,
        }
    }
}

/// A booking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Booking")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct BookingView {
    pub id: BookingId,
    pub assistant_id: AssistantId,
    pub call_id: Option<CallId>,
    pub name: String,
    pub party: u32,
    pub caller: Option<String>,
    /// What was promised, on the client's wall clock, such as `2026-11-24T20:00:00`.
    #[schemars(with = "String")]
    pub at: DateTime,
    pub timezone: String,
    #[schemars(with = "Moment")]
    pub starts_at: Timestamp,
    #[schemars(with = "Moment")]
    pub ends_at: Timestamp,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
}

impl From<&Booking> for BookingView {
    fn from(booking: &Booking) -> Self {
        Self {
            id: booking.id,
            assistant_id: booking.assistant,
            call_id: booking.call,
            name: booking.name.clone(),
            party: booking.party,
            caller: booking.caller.clone(),
            at: booking.at,
            timezone: booking.timezone.clone(),
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            created_at: booking.created_at,
        }
    }
}

impl From<BookingView> for Booking {
    fn from(view: BookingView) -> Self {
        Self {
            id: view.id,
            assistant: view.assistant_id,
            call: view.call_id,
            name: view.name,
            party: view.party,
            caller: view.caller,
            at: view.at,
            timezone: view.timezone,
            starts_at: view.starts_at,
            ends_at: view.ends_at,
            created_at: view.created_at,
        }
    }
}

/// Bookings in the order they take place.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Bookings {
    /// True.
    pub success: Success,
    /// The bookings.
    pub bookings: Vec<BookingView>,
}

/// A message for the client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Message")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct MessageView {
    pub caller: Option<String>,
    pub name: Option<String>,
    pub text: String,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        Self {
            caller: message.caller.clone(),
            name: message.name.clone(),
            text: message.text.clone(),
            created_at: message.created_at,
        }
    }
}

/// Everything that is known of a call.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneCall {
    /// True.
    pub success: Success,
    /// The call.
    pub call: CallView,
    /// What was said, in order.
    pub turns: Vec<TurnView>,
    /// Booked in it.
    pub bookings: Vec<BookingView>,
    /// Written down in it.
    pub messages: Vec<MessageView>,
}

impl From<&WholeCall> for OneCall {
    fn from(whole: &WholeCall) -> Self {
        Self {
            success: Success::default(),
            call: CallView::from(&whole.call).with(&whole.extras),
            turns: whole.turns.iter().map(TurnView::from).collect(),
            bookings: whole.bookings.iter().map(BookingView::from).collect(),
            messages: whole.messages.iter().map(MessageView::from).collect(),
        }
    }
}

impl TryFrom<OneCall> for WholeCall {
    type Error = Error;

    fn try_from(one: OneCall) -> Result<Self> {
        let (assistant, call) = (one.call.assistant_id, one.call.id);
        let extras = one.call.extras.clone();
        let extras = extras.map_or_else(CallExtras::default, |extras| CallExtras {
            transcription: extras.transcription,
            recording_url: extras.recording_url,
            metadata: match extras.call_metadata {
                Value::Null => None,
                value => Some(value.to_string()),
            },
        });
        let message = |view: MessageView| Message {
            assistant,
            call,
            caller: view.caller,
            name: view.name,
            text: view.text,
            created_at: view.created_at,
        };
        Ok(Self {
            call: one.call.into(),
            turns: one.turns.into_iter().map(|turn| turn.of(call)).collect(),
            extras,
            bookings: one.bookings.into_iter().map(Booking::from).collect(),
            messages: one.messages.into_iter().map(message).collect(),
        })
    }
}

/// An event of a call, as the stream tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CallEvent")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct EventView {
    /// Its place: what `Last-Event-ID` resumes after.
    pub id: EventId,
    /// `ring`, `turn` or `end`.
    pub event: String,
    #[schemars(with = "Moment")]
    pub at: Timestamp,
    pub call_sid: CallSid,
    pub assistant_id: AssistantId,
    pub assistant: AssistantName,
    pub status: CallStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl From<CallEvent> for EventView {
    fn from(event: CallEvent) -> Self {
        let word = event.happening.word().to_owned();
        let (turn, heard, said) = match event.happening {
            Happening::Turn { number, heard, said } => (Some(number), heard, said),
            Happening::Ring | Happening::End => (None, None, None),
        };
        Self {
            id: event.id,
            event: word,
            at: event.at,
            call_sid: event.call,
            assistant_id: event.assistant_id,
            assistant: event.assistant,
            status: event.status,
            turn,
            heard,
            said,
        }
    }
}
