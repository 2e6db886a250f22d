//! A call: one caller, one assistant, a list of turns.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row_number::row_number;
use super::{
    After, AnsweredBy, AssistantId, AssistantName, Booking, CallCharge, CallCost, CallOutcome,
    CallSid, Direction, Error, Handover, LanguageTag, LedgerEntry, Message, RecordingConsent, Turn,
    VoiceLine, suggestion_hint,
};

row_number!(
    /// The row number of a call.
    CallId
);

/// Where a call stands, in Twilio's words (and `rejected`, ours, for a call we declined).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CallStatus {
    /// Not answered yet.
    Ringing,
    /// The conversation goes on.
    InProgress,
    /// Ended in good order.
    Completed,
    /// The line was busy.
    Busy,
    /// Could not be carried out.
    Failed,
    /// Nobody answered.
    NoAnswer,
    /// Hung up before it was answered.
    Canceled,
    /// We declined it: the assistant is switched off.
    Rejected,
}

impl CallStatus {
    /// All of them, in the order people read.
    pub const ALL: [Self; 8] = [
        Self::Ringing,
        Self::InProgress,
        Self::Completed,
        Self::Busy,
        Self::Failed,
        Self::NoAnswer,
        Self::Canceled,
        Self::Rejected,
    ];

    /// The word in the store, the API and the terminal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
            Self::Busy => "busy",
            Self::Failed => "failed",
            Self::NoAnswer => "no-answer",
            Self::Canceled => "canceled",
            Self::Rejected => "rejected",
        }
    }

    /// Whether nothing more can happen to the call.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Ringing | Self::InProgress)
    }

    /// Reads Twilio's `CallStatus`; values we do not know are live ones (Twilio adds some).
    pub fn from_twilio(text: &str) -> Self {
        match text {
            "queued" | "initiated" | "ringing" => Self::Ringing,
            "completed" => Self::Completed,
            "busy" => Self::Busy,
            "failed" => Self::Failed,
            "no-answer" => Self::NoAnswer,
            "canceled" => Self::Canceled,
            _ => Self::InProgress,
        }
    }
}

impl fmt::Display for CallStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CallStatus {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str);
            Error::input(format!("`{}` is not a call status", text.escape_debug())).hint(
                suggestion_hint(text, known)
                    .unwrap_or_else(|| format!("one of {}", known.join(", "))),
            )
        })
    }
}

/// Why a call ended, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EndReason {
    /// The assistant said goodbye and hung up.
    AssistantHungUp,
    /// The caller hung up.
    CallerHungUp,
    /// The caller said nothing, three times.
    Silence,
    /// `max_call_duration` was reached.
    TooLong,
    /// Handed over to a human.
    Transferred,
    /// The assistant is switched off.
    Disabled,
    /// Too many calls at once for this assistant.
    TooManyCalls,
    /// The caller dialled too often.
    Flood,
    /// The minutes of the day are used up.
    DailyLimit,
    /// What the client's plan covers of the month is used up.
    PlanLimit,
    /// The number is one that is not answered.
    Blocked,
    /// The caller shows no number.
    Anonymous,
    /// The number is not the caller's, says the operator.
    Spoofed,
    /// The caller has called often enough today.
    CallerLimit,
    /// The status callback never came; a sweep closed the call.
    Swept,
    /// Something of ours failed.
    OurFailure,
    /// We called, and an answering machine picked up.
    AnsweringMachine,
    /// We called somebody who does not want to be called again.
    DoNotCall,
}

impl EndReason {
    /// The word in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssistantHungUp => "assistant-hung-up",
            Self::CallerHungUp => "caller-hung-up",
            Self::Silence => "silence",
            Self::TooLong => "too-long",
            Self::Transferred => "transferred",
            Self::Disabled => "disabled",
            Self::TooManyCalls => "too-many-calls",
            Self::Flood => "flood",
            Self::DailyLimit => "daily-limit",
            Self::PlanLimit => "plan-limit",
            Self::Blocked => "blocked",
            Self::Anonymous => "anonymous",
            Self::Spoofed => "spoofed",
            Self::CallerLimit => "caller-limit",
            Self::Swept => "swept",
            Self::OurFailure => "our-failure",
            Self::AnsweringMachine => "answering-machine",
            Self::DoNotCall => "do-not-call",
        }
    }

    /// Whether the call was turned down when it rang.
    pub const fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::Disabled
                | Self::TooManyCalls
                | Self::Flood
                | Self::DailyLimit
                | Self::PlanLimit
                | Self::Blocked
                | Self::Anonymous
                | Self::Spoofed
                | Self::CallerLimit
        )
    }

    /// Reads the word in the store.
    pub fn from_stored(text: &str) -> Option<Self> {
        [
            Self::AssistantHungUp,
            Self::CallerHungUp,
            Self::Silence,
            Self::TooLong,
            Self::Transferred,
            Self::Disabled,
            Self::TooManyCalls,
            Self::Flood,
            Self::DailyLimit,
            Self::PlanLimit,
            Self::Blocked,
            Self::Anonymous,
            Self::Spoofed,
            Self::CallerLimit,
            Self::Swept,
            Self::OurFailure,
            Self::AnsweringMachine,
            Self::DoNotCall,
        ]
        .into_iter()
        .find(|reason| reason.as_str() == text)
    }
}

/// A call as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Row number, the API's `id`.
    pub id: CallId,
    /// Twilio's identifier, ours too.
    pub sid: CallSid,
    /// The assistant that answers.
    pub assistant_id: AssistantId,
    /// Its name.
    pub assistant: AssistantName,
    /// The version of it that the call began with.
    pub assistant_revision: i64,
    /// When the caller was told that a machine speaks.
    pub disclosed_at: Option<Timestamp>,
    /// What the caller said to being recorded; nothing when nobody asked.
    pub recording_consent: Option<RecordingConsent>,
    /// Who began it.
    pub direction: Direction,
    /// Who picked up, where we called and Twilio told.
    pub answered_by: Option<AnsweredBy>,
    /// The other side: E.164 or an address; nothing when withheld. Who is called, where we call.
    pub caller: Option<String>,
    /// The assistant's number.
    pub to_number: String,
    /// Where it stands.
    pub status: CallStatus,
    /// How speech travels.
    pub line: VoiceLine,
    /// The language spoken now.
    pub language: LanguageTag,
    /// When it rang.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// In seconds: Twilio's figure, else ours.
    pub duration_s: Option<u32>,
    /// 0–5.
    pub satisfaction: Option<u8>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// What came of it.
    pub after: After,
    /// What it has cost so far; nothing is known of calls from before there was a ledger.
    pub cost: Option<CallCost>,
}

/// Everything that is known of a call.
#[derive(Debug, Clone)]
pub struct WholeCall {
    /// The call.
    pub call: Call,
    /// What was said, in order.
    pub turns: Vec<Turn>,
    /// What it brought from another program.
    pub extras: CallExtras,
    /// Booked in it.
    pub bookings: Vec<Booking>,
    /// Written down or spoken in it.
    pub messages: Vec<Message>,
    /// The humans who were rung for it.
    pub handovers: Vec<Handover>,
    /// What it cost, entry by entry.
    pub costs: Vec<LedgerEntry>,
    /// What Twilio charged for its minutes, once that is known.
    pub charge: Option<CallCharge>,
}

/// What a call may bring from a program that kept no turns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallExtras {
    /// The whole call as one text.
    pub transcription: Option<String>,
    /// Where its sound is.
    pub recording_url: Option<String>,
    /// Whatever else was noted, as JSON.
    pub metadata: Option<String>,
}

/// Which calls to list. Everything given must hold.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// Started at or after.
    pub since: Option<Timestamp>,
    /// Started before.
    pub until: Option<Timestamp>,
    /// Answered by.
    pub assistant: Option<AssistantId>,
    /// Standing at.
    pub status: Option<CallStatus>,
    /// Come to this.
    pub outcome: Option<CallOutcome>,
    /// Begun by others, or by us.
    pub direction: Option<Direction>,
    /// Caller's number exactly.
    pub caller: Option<String>,
    /// Older than this call, in the order of the list: where a page ends, the next one begins.
    pub older_than: Option<(Timestamp, CallId)>,
    /// At most this many; `None` is all.
    pub limit: Option<u64>,
    /// Skip this many, newest first.
    pub offset: u64,
}

/// Some calls, newest first, and how many there are in all.
#[derive(Debug, Clone)]
pub struct CallPage {
    /// The calls.
    pub calls: Vec<Call>,
    /// How many match in all, wherever the page begins.
    pub total: u64,
    /// Whether there are more after these.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back() {
        for status in CallStatus::ALL {
            assert_eq!(status.as_str().parse::<CallStatus>().unwrap(), status);
        }
        let error = "complete".parse::<CallStatus>().unwrap_err();
        assert!(error.hint_text().unwrap().contains("completed"));
        assert_eq!(CallStatus::from_twilio("something-new"), CallStatus::InProgress);
    }
}
