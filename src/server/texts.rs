//! Sends SMS to callers over Twilio, from the assistant's own number.

use jiff::Timestamp;

use super::twilio_accounts::Accounts;
use crate::{
    domain::{CallSid, Notice, PhoneNumber, Trouble},
    integrations::Failure,
    twilio::{
        access::TwilioAccess,
        rest::{Request, RestError},
    },
};

/// Whom to ask, and with what.
#[derive(Clone)]
pub(super) struct Texts {
    pub(super) accounts: Accounts,
    pub(super) access: Option<TwilioAccess>,
}

impl Texts {
    /// Has Twilio send one. It comes from the account that the call was in, or that the number is in.
    pub(super) async fn send(
        &self,
        call: Option<CallSid>,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if notice.until.is_some_and(|until| until <= now) {
            return Err((Trouble::Gone, "what it tells of has begun meanwhile".to_owned()));
        }
        let number = |text: &str| {
            PhoneNumber::from_e164(text)
                .ok_or_else(|| (Trouble::Gone, format!("{} is no number", text.escape_debug())))
        };
        let (from, to) = (number(&notice.from)?, number(&notice.to)?);
        // What is not set is ours to set right: the SMS waits for it.
        let ours = |why: String| (Trouble::Later(None), why);
        let access = self.access.as_ref();
        let access = access.ok_or_else(|| ours("this daemon does not ask Twilio".to_owned()))?;
        let own = self.accounts.of(call, Some(from.clone())).await;
        let own = own.map_err(|error| ours(error.to_string()))?;
        let (sid, credentials) = if let Some(own) = own {
            (own.sid, vec![own.token.into()])
        } else {
            let sid = access.account.clone().ok_or_else(|| {
                ours("the account to ask is not known: set TWILIO_ACCOUNT_SID".to_owned())
            })?;
            (sid, access.credentials())
        };
        let request = Request::SendMessage { from, to, body: notice.text.clone() };
        let asked = access.ask(&sid, &credentials, &request).await;
        asked.map_err(|error| ours(error.to_string()))?.map_err(|error| {
            let trouble = match &error {
                RestError::NotConnected(_)
                | RestError::Unreachable(_)
                | RestError::Unreadable(_)
                | RestError::NoCredential => Trouble::Later(None),
                RestError::Refused(refusal) if refusal.is_for_good() => Trouble::Gone,
                RestError::Refused(refusal) => match refusal.status {
                    408 | 425 | 429 | 500.. => Trouble::Later(None),
                    _ => Trouble::Refused,
                },
            };
            (trouble, error.to_string())
        })
    }
}
