//! Calls.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    BookingView, CallCostView, ChargeView, EntryView, MessageView, Moment, Success, TurnView,
};
use crate::domain::{
    After, AnsweredBy, AssistantId, AssistantName, Booking, Call, CallExtras, CallId, CallOutcome,
    CallSid, CallStatus, Direction, EndReason, Error, Handover, HandoverOutcome, LanguageTag,
    Members, PhoneNumber, RecordingConsent, Result, SatisfactionSource, SummarySource, VoiceLine,
    WholeCall,
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
    /// Who began it. In a call that we made, `from_number` is who was called, `to_number` ours.
    #[serde(default = "inbound")]
    pub direction: Direction,
    /// Who picked up, where we called and Twilio told.
    #[serde(default)]
    pub answered_by: Option<AnsweredBy>,
    /// E.164 or an address; null when withheld.
    pub from_number: Option<String>,
    pub to_number: String,
    /// In seconds.
    pub duration: Option<u32>,
    pub status: CallStatus,
    /// 0 to 5.
    pub satisfaction_score: Option<u8>,
    /// Who said so: the caller, who was asked, or a model; null for a score from elsewhere.
    #[serde(default)]
    pub satisfaction_source: Option<SatisfactionSource>,
    /// Why: in the caller's words, or a model's.
    #[serde(default)]
    pub satisfaction_why: Option<String>,
    pub line: VoiceLine,
    pub language: LanguageTag,
    pub end_reason: Option<EndReason>,
    /// What came of it; null while it goes on.
    #[serde(default)]
    pub outcome: Option<CallOutcome>,
    /// What it was about, in a few words; by a model.
    #[serde(default)]
    pub topic: Option<String>,
    /// What came of it, in a sentence or two.
    #[serde(default)]
    pub summary: Option<String>,
    /// Who wrote the summary.
    #[serde(default)]
    pub summary_source: Option<SummarySource>,
    /// What the assistant's file asks for; null for what was not said.
    #[serde(default)]
    pub extract: Option<Members>,
    /// When the caller was told that a machine speaks.
    #[schemars(with = "Option<Moment>")]
    pub disclosed_at: Option<Timestamp>,
    /// What the caller said to being recorded; null when nobody asked.
    pub recording_consent: Option<RecordingConsent>,
    #[schemars(with = "Moment")]
    pub started_at: Timestamp,
    #[schemars(with = "Option<Moment>")]
    pub ended_at: Option<Timestamp>,
    /// What it has cost so far; null for calls from before that was entered.
    #[serde(default)]
    pub cost: Option<CallCostView>,
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub extras: Option<Extras>,
}

const fn inbound() -> Direction {
    Direction::Inbound
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
            direction: call.direction,
            answered_by: call.answered_by,
            from_number: call.caller.clone(),
            to_number: call.to_number.clone(),
            duration: call.duration_s,
            status: call.status,
            satisfaction_score: call.satisfaction,
            satisfaction_source: call.after.satisfaction_source,
            satisfaction_why: call.after.satisfaction_why.clone(),
            line: call.line,
            language: call.language.clone(),
            end_reason: call.end_reason,
            outcome: call.after.outcome,
            topic: call.after.topic.clone(),
            summary: call.after.summary.clone(),
            summary_source: call.after.summary_source,
            extract: call.after.extract.clone(),
            disclosed_at: call.disclosed_at,
            recording_consent: call.recording_consent,
            started_at: call.started_at,
            ended_at: call.ended_at,
            cost: call.cost.map(Into::into),
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
            recording_consent: view.recording_consent,
            direction: view.direction,
            answered_by: view.answered_by,
            caller: view.from_number,
            to_number: view.to_number,
            status: view.status,
            line: view.line,
            language: view.language,
            started_at: view.started_at,
            ended_at: view.ended_at,
            duration_s: view.duration,
            satisfaction: view.satisfaction_score,
            cost: view.cost.and_then(CallCostView::read),
            end_reason: view.end_reason,
            after: After {
                outcome: view.outcome,
                topic: view.topic,
                summary: view.summary,
                summary_source: view.summary_source,
                satisfaction_source: view.satisfaction_source,
                satisfaction_why: view.satisfaction_why,
                extract: view.extract,
            },
        }
    }
}

/// A page of calls: newest first, or oldest first after one.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Calls {
    /// True.
    pub success: Success,
    /// The calls.
    pub calls: Vec<CallView>,
    /// How many match in all, wherever the page begins.
    pub total: u64,
    /// What to send as `cursor` for the next page; null at the end.
    pub next: Option<String>,
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
    /// Written down or spoken in it.
    pub messages: Vec<MessageView>,
    /// The humans who were rung for it, in order.
    #[serde(default)]
    pub transfers: Vec<TransferView>,
    /// What it cost, entry by entry.
    #[serde(default)]
    pub costs: Vec<EntryView>,
    /// What Twilio charged for its minutes; null until that is known.
    #[serde(default)]
    pub charge: Option<ChargeView>,
}

/// A human who was rung for a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CallTransfer")]
pub struct TransferView {
    /// The turn that handed the call over.
    pub turn: u32,
    /// From 1 for each such turn.
    pub attempt: u32,
    /// Who, by the name in the assistant's file.
    pub name: Option<String>,
    /// Whom was dialled.
    pub number: PhoneNumber,
    /// Whether the human takes the call with a key.
    pub warm: bool,
    /// When it began to ring.
    #[schemars(with = "Moment")]
    pub rang_at: Timestamp,
    /// Whether the human took the call; null when no key was pressed.
    pub takes: Option<bool>,
    /// What came of it; null while it goes on.
    pub outcome: Option<HandoverOutcome>,
    /// How long they talked, in seconds.
    pub duration: Option<u32>,
}

impl From<&Handover> for TransferView {
    fn from(human: &Handover) -> Self {
        let Handover { turn, attempt, warm, rang_at, takes, outcome, .. } = *human;
        Self {
            turn,
            attempt,
            name: human.name.clone(),
            number: human.number.clone(),
            warm,
            rang_at,
            takes,
            outcome,
            duration: human.duration_s,
        }
    }
}

impl From<TransferView> for Handover {
    fn from(view: TransferView) -> Self {
        Self {
            turn: view.turn,
            attempt: view.attempt,
            name: view.name,
            number: view.number,
            warm: view.warm,
            rang_at: view.rang_at,
            takes: view.takes,
            outcome: view.outcome,
            duration_s: view.duration,
        }
    }
}

impl From<&WholeCall> for OneCall {
    fn from(whole: &WholeCall) -> Self {
        Self {
            success: Success::default(),
            call: CallView::from(&whole.call).with(&whole.extras),
            turns: whole.turns.iter().map(TurnView::from).collect(),
            bookings: whole.bookings.iter().map(BookingView::from).collect(),
            messages: whole.messages.iter().map(MessageView::from).collect(),
            transfers: whole.handovers.iter().map(TransferView::from).collect(),
            costs: whole.costs.iter().map(EntryView::from).collect(),
            charge: whole.charge.as_ref().map(ChargeView::from),
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
        Ok(Self {
            call: one.call.into(),
            turns: one.turns.into_iter().map(|turn| turn.of(call)).collect(),
            extras,
            bookings: one.bookings.into_iter().map(Booking::from).collect(),
            messages: one.messages.into_iter().map(|view| view.of(assistant, call)).collect(),
            handovers: one.transfers.into_iter().map(Handover::from).collect(),
            costs: one.costs.into_iter().map(TryInto::try_into).collect::<Result<_>>()?,
            charge: one.charge.map(TryInto::try_into).transpose()?,
        })
    }
}
