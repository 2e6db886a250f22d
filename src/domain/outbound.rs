//! Calls that we make: what a file says of them, one that was asked for, and who is not to be called.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::row_number::row_number;
use super::{
    AnsweredBy, AssistantId, AssistantName, CallPurpose, CallSid, CallingWindow, CampaignId,
    CampaignRowId, Error, OnMachine, OutboundState, PhoneNumber, UserId, ZoneName,
};

row_number!(
    /// The row number of a call that was asked for.
    OutboundId
);

row_number!(
    /// The row number of somebody who is not to be called.
    DoNotCallId
);

/// The longest template and purpose, in characters.
const LONGEST: usize = 1_000;

/// What an assistant says when it calls, and to whom it may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Outbound {
    /// What for: `marketing`, which the law is strict about, unless the file says `service`.
    pub kind: CallPurpose,
    /// Whether everybody who is called has agreed to it before: needed for `marketing`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub consent: bool,
    /// First words, a template: who calls, and why.
    /// `Bonjour {{ name }}, ici l'assistant du Gourmet, pour votre table de {{ at }}.`
    pub greeting: String,
    /// What a model is told that the call is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// What is done when an answering machine picks up.
    pub machine: OnMachine,
    /// What is left on it, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Default for Outbound {
    fn default() -> Self {
        Self {
            kind: CallPurpose::Marketing,
            consent: false,
            greeting: String::new(),
            purpose: None,
            machine: OnMachine::HangUp,
            message: None,
        }
    }
}

impl Outbound {
    /// The rule broken, if any: the field and what is wrong with it.
    pub(super) fn broken(&self) -> Option<(&'static str, &'static str)> {
        if self.greeting.trim().is_empty() {
            return Some(("outbound.greeting", "is needed: who calls, and why"));
        }
        let texts = [
            ("outbound.greeting", Some(&self.greeting)),
            ("outbound.purpose", self.purpose.as_ref()),
            ("outbound.message", self.message.as_ref()),
        ];
        for (field, text) in texts {
            let Some(text) = text else { continue };
            if text.trim().is_empty() {
                return Some((field, "is empty: leave it out"));
            }
            if text.chars().count() > LONGEST {
                return Some((field, "is longer than 1,000 characters"));
            }
        }
        if self.message.is_none() && self.machine == OnMachine::LeaveMessage {
            return Some(("outbound.message", "is needed with `machine = \"leave_message\"`"));
        }
        if self.message.is_some() && self.machine != OnMachine::LeaveMessage {
            return Some(("outbound.message", "is left only with `machine = \"leave_message\"`"));
        }
        None
    }
}

/// What is known of somebody who is called: names and values, as `--context` gives them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct CallContext(BTreeMap<String, String>);

impl CallContext {
    const MOST: usize = 50;
    const LONGEST_NAME: usize = 40;
    const LONGEST_VALUE: usize = 500;

    /// The names and their values.
    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl TryFrom<BTreeMap<String, String>> for CallContext {
    type Error = Error;

    fn try_from(values: BTreeMap<String, String>) -> Result<Self, Error> {
        if values.len() > Self::MOST {
            return Err(Error::input(format!("more than {} values in a context", Self::MOST)));
        }
        for (name, value) in &values {
            let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !begins || !plain || name.len() > Self::LONGEST_NAME {
                let shown: String = name.chars().take(40).collect();
                return Err(Error::input(format!(
                    "`{}` is no name of a value in a context",
                    shown.escape_debug()
                ))
                .hint("letters, digits and `_`, a letter first, such as `first_name`"));
            }
            if value.chars().count() > Self::LONGEST_VALUE || value.chars().any(char::is_control) {
                return Err(Error::input(format!(
                    "the value `{name}` is longer than {} characters, or has a line break in it",
                    Self::LONGEST_VALUE
                )));
            }
        }
        Ok(Self(values))
    }
}

impl From<CallContext> for BTreeMap<String, String> {
    fn from(context: CallContext) -> Self {
        context.0
    }
}

/// What a call that we make is for, as those who think in it are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// What was known of the one who is called.
    pub context: CallContext,
    /// The first words, without what the law adds.
    pub opening: String,
}

/// A call that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOutbound {
    /// By which assistant.
    pub assistant: AssistantId,
    /// Whom to call.
    pub number: PhoneNumber,
    /// What is known of them.
    pub context: CallContext,
    /// First words.
    pub opening: String,
    /// What is left on an answering machine.
    pub message: Option<String>,
    /// What for.
    pub kind: CallPurpose,
    /// What is done when a machine picks up.
    pub machine: OnMachine,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it is too late to dial.
    pub expires_at: Timestamp,
    /// Also outside the hours of courtesy.
    pub anyway: bool,
    /// Where they are, if that is known better than by the number.
    pub zone: Option<ZoneName>,
    /// Whom of a campaign it is for.
    pub campaign_row: Option<CampaignRowId>,
}

/// Under which terms a call may be dialled: looked at in that moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialTerms {
    /// Also outside the hours of courtesy.
    pub anyway: bool,
    /// Where they are, if that is known better than by the number.
    pub zone: Option<ZoneName>,
    /// The hours of the campaign that it is part of.
    pub window: Option<CallingWindow>,
    /// That campaign.
    pub campaign: Option<CampaignId>,
    /// Whether it calls nobody now: it was paused or cancelled meanwhile.
    pub rests: bool,
}

/// A call that was asked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundCall {
    /// Row number.
    pub id: OutboundId,
    /// By which assistant.
    pub assistant_id: AssistantId,
    /// Its name.
    pub assistant: AssistantName,
    /// Whom to call.
    pub number: PhoneNumber,
    /// What is known of them.
    pub context: CallContext,
    /// First words.
    pub opening: String,
    /// What is left on an answering machine.
    pub message: Option<String>,
    /// What for.
    pub kind: CallPurpose,
    /// What is done when a machine picks up.
    pub machine: OnMachine,
    /// How it stands.
    pub state: OutboundState,
    /// Why it was refused, or what is not known of it.
    pub failure: Option<String>,
    /// Who picked up, where Twilio said so.
    pub answered_by: Option<AnsweredBy>,
    /// The call, once there is one.
    pub call: Option<CallSid>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When Twilio was asked for it.
    pub dialled_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

impl OutboundState {
    /// Whether nothing more is expected of it.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Dialling | Self::Ringing | Self::Answered)
    }
}

impl AnsweredBy {
    /// Reads Twilio's `AnsweredBy`; what we do not know is unknown (Twilio adds some).
    pub fn from_twilio(text: &str) -> Self {
        match text {
            "human" => Self::Human,
            "fax" => Self::Fax,
            machine if machine.starts_with("machine") => Self::Machine,
            _ => Self::Unknown,
        }
    }

    /// Whether there is nobody to talk to.
    pub const fn is_machine(self) -> bool {
        matches!(self, Self::Machine | Self::Fax)
    }
}

/// Somebody who is not to be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoNotCall {
    /// Row number.
    pub id: DoNotCallId,
    /// For the assistants of which user; nothing is for all.
    pub owner: Option<UserId>,
    /// The number.
    pub number: PhoneNumber,
    /// Who says so: `asked` in a call, or `hand`.
    pub source: String,
    /// Since when.
    pub added_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(name: &str, value: &str) -> Result<CallContext, Error> {
        CallContext::try_from(BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    #[test]
    fn a_context_is_names_and_short_values() {
        assert!(context("first_name", "Zoé").is_ok());
        for (name, value) in [("", "a"), ("1a", "a"), ("a b", "a"), ("é", "a"), ("a", "b\nc")] {
            assert!(context(name, value).is_err(), "{name} {value:?}");
        }
        assert!(context("a", &"x".repeat(501)).is_err());
    }

    #[test]
    fn whoever_picked_up() {
        for machine in ["machine_start", "machine_end_beep", "machine_end_other", "fax"] {
            assert!(AnsweredBy::from_twilio(machine).is_machine(), "{machine}");
        }
        assert_eq!(AnsweredBy::from_twilio("human"), AnsweredBy::Human);
        assert_eq!(AnsweredBy::from_twilio("something-new"), AnsweredBy::Unknown);
    }
}
