//! Calls that we make, and who is not to be called.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::domain::{
    AnsweredBy, AssistantId, AssistantName, CallContext, CallPurpose, CallSid, DoNotCall,
    DoNotCallId, OnMachine, OutboundCall, OutboundId, OutboundState, PhoneNumber, UserId, ZoneName,
};

/// A call that is to be made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallInput {
    /// By which assistant: its id or its name.
    pub assistant_id: String,
    /// Whom to call.
    pub number: PhoneNumber,
    /// What is known of them: for the first words, and for the conversation.
    #[serde(default)]
    pub context: CallContext,
    /// First words in the place of the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1000))]
    pub say: Option<String>,
    /// Where they are, if that is known better than by the number: an IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<ZoneName>,
    /// Also outside the hours of courtesy: they expect the call. The law's hours hold all the same.
    #[serde(default)]
    pub anyway: bool,
}

/// A call that was asked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "OutboundCall")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct OutboundView {
    pub id: OutboundId,
    pub assistant_id: AssistantId,
    pub assistant: AssistantName,
    /// Whom to call.
    pub number: PhoneNumber,
    pub context: CallContext,
    /// First words.
    pub opening: String,
    /// What is left on an answering machine.
    pub message: Option<String>,
    pub kind: CallPurpose,
    pub machine: OnMachine,
    pub state: OutboundState,
    /// Why it was refused, or what is not known of it.
    pub failure: Option<String>,
    /// Who picked up, where Twilio told.
    pub answered_by: Option<AnsweredBy>,
    /// The call, once there is one.
    pub call_sid: Option<CallSid>,
    #[schemars(with = "Moment")]
    pub asked_at: Timestamp,
    #[schemars(with = "Option<Moment>")]
    pub dialled_at: Option<Timestamp>,
    #[schemars(with = "Option<Moment>")]
    pub ended_at: Option<Timestamp>,
}

impl From<&OutboundCall> for OutboundView {
    fn from(call: &OutboundCall) -> Self {
        let call = call.clone();
        Self {
            id: call.id,
            assistant_id: call.assistant_id,
            assistant: call.assistant,
            number: call.number,
            context: call.context,
            opening: call.opening,
            message: call.message,
            kind: call.kind,
            machine: call.machine,
            state: call.state,
            failure: call.failure,
            answered_by: call.answered_by,
            call_sid: call.call,
            asked_at: call.asked_at,
            dialled_at: call.dialled_at,
            ended_at: call.ended_at,
        }
    }
}

impl From<OutboundView> for OutboundCall {
    fn from(view: OutboundView) -> Self {
        Self {
            id: view.id,
            assistant_id: view.assistant_id,
            assistant: view.assistant,
            number: view.number,
            context: view.context,
            opening: view.opening,
            message: view.message,
            kind: view.kind,
            machine: view.machine,
            state: view.state,
            failure: view.failure,
            answered_by: view.answered_by,
            call: view.call_sid,
            asked_at: view.asked_at,
            dialled_at: view.dialled_at,
            ended_at: view.ended_at,
        }
    }
}

/// One call that was asked for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneOutbound {
    /// True.
    pub success: Success,
    /// The call.
    pub outbound: OutboundView,
}

impl From<&OutboundCall> for OneOutbound {
    fn from(call: &OutboundCall) -> Self {
        Self { success: Success::default(), outbound: call.into() }
    }
}

/// Calls that were asked for, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OutboundCalls {
    /// True.
    pub success: Success,
    /// At most a thousand.
    pub outbound: Vec<OutboundView>,
}

/// Somebody who is not to be called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DoNotCall")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct DoNotCallView {
    pub id: DoNotCallId,
    /// By whose assistants; null is by all.
    pub owner_id: Option<UserId>,
    pub number: PhoneNumber,
    /// `asked` in a call, or `hand`.
    pub source: String,
    #[schemars(with = "Moment")]
    pub added_at: Timestamp,
}

impl From<&DoNotCall> for DoNotCallView {
    fn from(row: &DoNotCall) -> Self {
        Self {
            id: row.id,
            owner_id: row.owner,
            number: row.number.clone(),
            source: row.source.clone(),
            added_at: row.added_at,
        }
    }
}

impl From<DoNotCallView> for DoNotCall {
    fn from(view: DoNotCallView) -> Self {
        Self {
            id: view.id,
            owner: view.owner_id,
            number: view.number,
            source: view.source,
            added_at: view.added_at,
        }
    }
}

/// Who is not to be called, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DoNotCallList {
    /// True.
    pub success: Success,
    /// The numbers.
    pub do_not_call: Vec<DoNotCallView>,
}

/// Numbers that are not to be called.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DoNotCallInput {
    /// All of them are added, or none.
    #[schemars(length(min = 1, max = 10_000))]
    pub numbers: Vec<PhoneNumber>,
}

/// How many numbers that were.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DoNotCallChanged {
    /// True.
    pub success: Success,
    /// Added that were not there, or removed.
    pub numbers: u64,
}
