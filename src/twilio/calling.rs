//! Asking Twilio to call somebody (Twilio, "Voice API: Call resource, create a Call").
//!
//! Nothing there keeps it from dialling twice: an answer that did not come is told apart from one
//! that says that nobody was dialled.

use std::time::Duration;

use serde::Deserialize;

use super::{
    form::Form,
    rest::{Account, Refusal, Rest, RestError},
};
use crate::domain::{CallSid, OnMachine, OutboundId, PhoneNumber};

/// How long it rings: most answering machines pick up before.
const RINGS: Duration = Duration::from_secs(30);

/// Twilio ends a call that we have forgotten, this long after we should have.
const GRACE: Duration = Duration::from_mins(1);

/// A call to be made.
#[derive(Debug, Clone)]
pub struct NewCall<'a> {
    /// Which one, for our own webhooks.
    pub id: OutboundId,
    /// The assistant's number.
    pub from: &'a PhoneNumber,
    /// Whom to call.
    pub to: &'a PhoneNumber,
    /// What Twilio calls us, without a final slash.
    pub public_url: &'a str,
    /// What is done when a machine picks up.
    pub machine: OnMachine,
    /// How long the call may take.
    pub longest: Duration,
}

/// Why there is no call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotCalled {
    /// The token is not right, or our number or address: nobody can be called with it.
    Denied(String),
    /// Twilio does not do it, and would not the next time.
    Refused(String),
    /// Nobody was dialled; another time it may work.
    Later(String),
    /// It was asked, and what it did is not known.
    Unclear(String),
}

impl NewCall<'_> {
    /// What Twilio is sent. A person hears no silence while Twilio listens for a machine: that goes
    /// on beside the call (`AsyncAmd`).
    pub fn form(&self) -> Form {
        let webhook = |name: &str| {
            format!("{}/api/voice/webhook/{name}?outbound={}", self.public_url, self.id.0)
        };
        let seconds = |length: Duration| length.as_secs().to_string();
        let mut fields = vec![
            ("To", self.to.to_string()),
            ("From", self.from.to_string()),
            ("Url", webhook("outbound")),
            ("Method", "POST".to_owned()),
            ("StatusCallback", webhook("status")),
            ("StatusCallbackMethod", "POST".to_owned()),
            // The first of them names the call, should the answer to this be lost.
            ("StatusCallbackEvent", "initiated".to_owned()),
            ("StatusCallbackEvent", "completed".to_owned()),
            ("Timeout", seconds(RINGS)),
            ("TimeLimit", seconds(self.longest + GRACE)),
        ];
        let detection = match self.machine {
            OnMachine::HangUp => Some("Enable"),
            // Told after the signal, so that the message is all on the machine.
            OnMachine::LeaveMessage => Some("DetectMessageEnd"),
            OnMachine::Talk => None,
        };
        if let Some(detection) = detection {
            fields.extend([
                ("MachineDetection", detection.to_owned()),
                ("AsyncAmd", "true".to_owned()),
                ("AsyncAmdStatusCallback", webhook("answered-by")),
                ("AsyncAmdStatusCallbackMethod", "POST".to_owned()),
            ]);
        }
        Form::from_fields(fields)
    }
}

#[derive(Deserialize)]
struct Created {
    sid: CallSid,
}

impl Rest {
    /// Has an account call somebody.
    pub async fn call(&self, account: &Account, call: &NewCall<'_>) -> Result<CallSid, NotCalled> {
        let answered = self.post(account, "Calls.json", &call.form()).await;
        let body = answered.map_err(|error| match error {
            RestError::NotConnected(why) => NotCalled::Later(why),
            RestError::Unreachable(why) | RestError::Unreadable(why) => NotCalled::Unclear(why),
            RestError::NoCredential => NotCalled::Denied(error.to_string()),
            RestError::Refused(refusal) => match refusal.status {
                // What Twilio says it did not process may be asked again.
                401 => NotCalled::Denied(why(&refusal)),
                _ if matches!(refusal.code, Some(21_205 | 21_210 | 21_212 | 21_213)) => {
                    NotCalled::Denied(why(&refusal))
                }
                _ if refusal.code == Some(10_004) => NotCalled::Later(why(&refusal)),
                // Without a word on whom it was to call: the account is closed, suspended or not there.
                403 | 404 if !is_about_whom(&refusal) => NotCalled::Denied(why(&refusal)),
                429 => NotCalled::Later(refusal.to_string()),
                408 | 500.. => NotCalled::Unclear(format!("Twilio answered {}", refusal.status)),
                _ => NotCalled::Refused(why(&refusal)),
            },
        })?;
        serde_json::from_slice::<Created>(&body).map(|created| created.sid).map_err(|_| {
            NotCalled::Unclear("Twilio answered that it calls, and not with which call".to_owned())
        })
    }
}

/// Whether it says something of the number to be called: another one may be called nevertheless.
const fn is_about_whom(refusal: &Refusal) -> bool {
    matches!(refusal.code, Some(21_211 | 21_214..=21_217 | 21_219 | 21_421))
}

/// What a refusal means for a call, and what to do about it.
fn why(refusal: &Refusal) -> String {
    let known = match refusal.code {
        Some(21_211 | 21_217 | 21_421) => "this is no number that can be called",
        Some(21_210 | 21_212 | 21_213) => {
            "the assistant's number is not in this account, or cannot call"
        }
        Some(21_214 | 21_216) => "this number cannot be reached by Twilio",
        Some(21_215) => {
            "calls to this country are not allowed in the account: allow them in Twilio's console, \
             Voice, Geographic permissions"
        }
        Some(21_219) => "a trial account calls verified numbers only",
        Some(21_205) => "our public URL is none that Twilio can call: set `public_url`",
        Some(10_004) => "too many calls at once for the account",
        _ => return format!("Twilio refused ({refusal})"),
    };
    format!("Twilio refused ({}, error {}): {known}", refusal.status, refusal.code.unwrap_or(0))
}
