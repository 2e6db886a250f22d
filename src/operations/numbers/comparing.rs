//! The calls that Twilio has had, against those that are known here: a status callback may be lost,
//! and so may the whole of a call that rang while nobody was there to answer it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Telephony, Unread, no_account, told};
use crate::{
    domain::{Actor, AssistantName, Call, Caller, EndReason, PhoneNumber, Result},
    operations::{
        ledger,
        live::{self, Ringing, StatusChange},
    },
    store::{StoreError, Tx, assistants, calls, charges, privacy, removals, versions},
    twilio::{call_log::LoggedCall, charge::Charge},
};

/// How a call there and here differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// It is not known here.
    Missing,
    /// It is over there, and goes on here, or its end was guessed.
    Open,
    /// Its price is known there, and not here.
    Unpriced,
}

impl Difference {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Open => "open",
            Self::Unpriced => "unpriced",
        }
    }
}

/// A call that differs.
#[derive(Debug, Clone)]
pub struct Found {
    /// How.
    pub difference: Difference,
    /// Whose it is.
    pub assistant: AssistantName,
    /// It, as Twilio has it.
    pub call: LoggedCall,
}

/// What came of comparing.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Calls that differ, oldest first.
    pub found: Vec<Found>,
    /// How many are the same.
    pub same: u64,
    /// How many go on at Twilio.
    pub going_on: u64,
    /// How many are of no assistant, or of a time when nobody here had the number.
    pub strangers: u64,
    /// Accounts that could not be asked.
    pub unread: Vec<Unread>,
}

/// What a look at one call found.
enum Seen {
    Differs(Difference, AssistantName),
    Same,
    GoesOn,
    Stranger,
}

impl Telephony {
    /// Compares the calls of a time.
    pub async fn compare_calls(
        &self,
        actor: &Actor,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Comparison> {
        actor.may_administer()?;
        let (accounts, unread) = self.accounts(actor).await?;
        if accounts.is_empty() && unread.is_empty() {
            return Err(no_account());
        }
        let mut comparison = Comparison { unread, ..Comparison::default() };
        for account in accounts {
            let logged = match account.calls(since, until).await {
                Ok(logged) => logged,
                Err(error) => {
                    let why = told("its calls could not be listed", &error);
                    comparison.unread.push(Unread { account: account.sid, why });
                    continue;
                }
            };
            let seen = self.store.read_async(move |tx| {
                logged
                    .into_iter()
                    .map(|call| look(tx, &call).map(|seen| (call, seen)))
                    .collect::<std::result::Result<Vec<_>, StoreError>>()
            });
            for (call, seen) in seen.await? {
                match seen {
                    Seen::Differs(difference, assistant) => {
                        comparison.found.push(Found { difference, assistant, call });
                    }
                    Seen::Same => comparison.same += 1,
                    Seen::GoesOn => comparison.going_on += 1,
                    Seen::Stranger => comparison.strangers += 1,
                }
            }
        }
        comparison.found.sort_by_key(|found| found.call.started_at);
        Ok(comparison)
    }

    /// Enters what Twilio has of a call: its end, its length, its price. Done again, it changes nothing.
    pub async fn enter_call(&self, actor: &Actor, found: &Found, now: Timestamp) -> Result<()> {
        actor.may_administer()?;
        let call = &found.call;
        if found.difference != Difference::Unpriced {
            let length = SignedDuration::from_secs(i64::from(call.duration_s.unwrap_or(0)));
            let ended = call.started_at.checked_add(length).unwrap_or(call.started_at);
            let change = StatusChange {
                ringing: Ringing {
                    sid: call.sid.clone(),
                    from: Caller::read(&call.theirs),
                    to: PhoneNumber::from_e164(call.ours.trim()),
                    at: call.ended_at.unwrap_or(ended),
                    account: call.account.clone(),
                    spoofed: false,
                    direction: call.direction,
                    outbound: None,
                },
                status: call.status,
                duration_s: call.duration_s,
                is_logged: true,
            };
            live::follow_status(&self.store, change).await?;
        }
        if let Charge::Known(amount, currency) = call.charge {
            ledger::enter_charge(&self.store, call.sid.clone(), amount, currency, now).await?;
        }
        Ok(())
    }
}

fn look(tx: &Tx, logged: &LoggedCall) -> Result<Seen, StoreError> {
    let is_over = logged.status.is_final();
    if let Some(call) = calls::by_sid(tx, &logged.sid)? {
        return known(tx, logged, &call);
    }
    // Somebody who is to be forgotten is not entered anew.
    if removals::is_asked(tx, &logged.sid)? {
        return Ok(Seen::Same);
    }
    let Some(number) = PhoneNumber::from_e164(logged.ours.trim()) else {
        return Ok(Seen::Stranger);
    };
    let Some(assistant) = assistants::by_phone(tx, &number)? else { return Ok(Seen::Stranger) };
    // It may have had another number then, and the call been somebody else's.
    let had = versions::number_at(tx, assistant.id, logged.started_at)?;
    if assistant.created_at > logged.started_at || had.as_ref() != Some(&number) {
        return Ok(Seen::Stranger);
    }
    Ok(if is_over { Seen::Differs(Difference::Missing, assistant.spec.name) } else { Seen::GoesOn })
}

fn known(tx: &Tx, logged: &LoggedCall, call: &Call) -> Result<Seen, StoreError> {
    if !logged.status.is_final() {
        return Ok(Seen::GoesOn);
    }
    let Some(assistant) = assistants::by_id(tx, call.assistant_id)? else {
        return Ok(Seen::Stranger);
    };
    let differs = |difference| Ok(Seen::Differs(difference, assistant.spec.name.clone()));
    if call.ended_at.is_none() {
        return differs(Difference::Open);
    }
    // Where its end was announced, we have the length that Twilio has.
    let is_longer = logged.duration_s.is_some() && call.duration_s != logged.duration_s;
    let is_guessed = match call.end_reason {
        Some(EndReason::Swept) => call.status != logged.status || is_longer,
        _ => call.status == logged.status && is_longer,
    };
    if is_guessed && !privacy::is_erased(tx, call.id)? {
        return differs(Difference::Open);
    }
    let costs = matches!(logged.charge, Charge::Known(amount, _) if amount.get() != 0);
    if costs && charges::of_call(tx, call.id)?.is_none() {
        return differs(Difference::Unpriced);
    }
    Ok(Seen::Same)
}
