//! Who of a campaign is called now. The daemon asks, again and again; each answer is one transaction,
//! so that neither `kill -9` nor a second process has anybody called twice.

use jiff::{SignedDuration, Timestamp};

use super::{COLUMN, call, hours, outbound};
use crate::{
    domain::{
        Assistant, AssistantId, Campaign, CampaignEntry, CampaignRow, CampaignRowState,
        CampaignState, Kind, NewOutbound, OutboundState, PhoneNumber, Result,
    },
    operations::billing,
    store::{
        self, Store, StoreError, Tx, assistants,
        campaign_rows::{self, Over},
        campaigns, do_not_call, figures,
    },
};

/// People who are looked at together.
const AT_ONCE: u32 = 50;

/// How often it is noted that a daemon looks after a campaign.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(5);

/// How long somebody waits whom nobody may call for weeks: rules of hours may change.
const NEXT_DAY: SignedDuration = SignedDuration::from_hours(24);

/// How long somebody waits who could not be dialled, or is being called by others.
const SOON: SignedDuration = SignedDuration::from_mins(1);

/// Notes what came of calls that are over, and asks for the next one, if one may be made. Says whether
/// it did.
pub async fn advance(store: &Store, now: Timestamp) -> Result<bool> {
    let looked_before = before(now, NOTED_EVERY);
    if !store.read_async(move |tx| campaigns::any_work(tx, now, looked_before)).await? {
        return Ok(false);
    }
    let cache = store.clone();
    store.write_async(move |tx| advance_in(tx, &cache, now)).await
}

fn before(now: Timestamp, length: SignedDuration) -> Timestamp {
    now.checked_sub(length).unwrap_or(Timestamp::MIN)
}

fn after(now: Timestamp, length: SignedDuration) -> Timestamp {
    now.checked_add(length).unwrap_or(now)
}

fn advance_in(tx: &Tx, store: &Store, now: Timestamp) -> Result<bool, StoreError> {
    for over in campaign_rows::over(tx)? {
        settle(tx, &over, now)?;
    }
    campaigns::finish(tx, now)?;
    for campaign in campaigns::running(tx)? {
        if campaign.expires_at < now {
            let why = "nobody ran it again for 7 days: what it is about may be over";
            campaigns::stop(tx, campaign.id, CampaignState::Paused, why, now)?;
            continue;
        }
        let waits = match assistant_of(tx, store, campaign.assistant_id)? {
            None => {
                let why = "its assistant is no more";
                campaigns::stop(tx, campaign.id, CampaignState::Cancelled, why, now)?;
                continue;
            }
            Some(assistant) => match outbound::may_call(&assistant.spec) {
                Err(error) => Some(error.message().to_owned()),
                Ok(_) if has_no_line(tx, &assistant, &campaign)? => None,
                Ok(_) if billing::refuses(tx, store, &assistant, now)? => {
                    Some("its assistant is used up to what its plan covers".to_owned())
                }
                Ok(_) => {
                    if call_next(tx, &assistant, &campaign, now)? {
                        campaigns::fed(tx, campaign.id, now)?;
                        return Ok(true);
                    }
                    None
                }
            },
        };
        let noted = campaign.looked_at.is_some_and(|at| at >= before(now, NOTED_EVERY));
        if !noted || campaign.why != waits {
            campaigns::looked(tx, campaign.id, waits.as_deref(), now)?;
        }
    }
    // Whom nobody may call was noted: that may have been the last one.
    campaigns::finish(tx, now)?;
    Ok(false)
}

fn assistant_of(
    tx: &Tx,
    store: &Store,
    id: AssistantId,
) -> Result<Option<std::sync::Arc<Assistant>>, StoreError> {
    let Some(assistant) = assistants::by_id(tx, id)? else { return Ok(None) };
    store.assistants().version(tx, assistant.id, assistant.revision).map(Some)
}

/// Whether as many of its calls go on as may, or as many of its assistant's.
fn has_no_line(tx: &Tx, assistant: &Assistant, campaign: &Campaign) -> Result<bool, StoreError> {
    if campaign_rows::calling(tx, campaign.id)? >= campaign.terms.max_concurrent {
        return Ok(true);
    }
    let busy =
        figures::live_calls(tx, assistant.id)? + store::outbound::under_way(tx, assistant.id)?;
    Ok(busy >= assistant.spec.limits.max_concurrent_calls)
}

/// Asks for a call to the next one who may be called now. Those who may not are put off, or will not
/// be called.
fn call_next(
    tx: &Tx,
    assistant: &Assistant,
    campaign: &Campaign,
    now: Timestamp,
) -> Result<bool, StoreError> {
    for row in campaign_rows::due(tx, campaign.id, now, AT_ONCE)? {
        match judged(tx, assistant, campaign, &row, now)? {
            Verdict::Call(new) => {
                let id = store::outbound::insert(tx, &new)?;
                campaign_rows::set_calling(tx, row.id, id)?;
                return Ok(true);
            }
            Verdict::Later(at, why) => campaign_rows::put_off(tx, row.id, at, Some(&why))?,
            Verdict::Rest(why) => {
                campaigns::stop(tx, campaign.id, CampaignState::Paused, &why, now)?;
                return Ok(false);
            }
            Verdict::Never(why) => {
                let state = CampaignRowState::Refused;
                campaign_rows::settle(tx, row.id, state, None, row.attempts, Some(&why))?;
            }
        }
    }
    Ok(false)
}

/// What becomes of somebody.
enum Verdict {
    Call(Box<NewOutbound>),
    Later(Timestamp, String),
    Never(String),
    /// What the file says cannot be said to anybody: nobody else is called either.
    Rest(String),
}

fn judged(
    tx: &Tx,
    assistant: &Assistant,
    campaign: &Campaign,
    row: &CampaignRow,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    // `--retries` may be fewer than when they were put off.
    if row.attempts > campaign.terms.retries {
        return Ok(Verdict::Never(format!("was called {} times, as often as may", row.attempts)));
    }
    let entry =
        CampaignEntry { line: row.line, number: row.number.clone(), context: row.context.clone() };
    let new = match outbound::composed(assistant, &call(&entry, &campaign.terms), now, COLUMN) {
        Ok(new) => new,
        Err(error) => return Ok(Verdict::Rest(error.message().to_owned())),
    };
    let hours = match hours(&new, &campaign.terms) {
        Ok(hours) => hours,
        Err(error) => return Ok(Verdict::Never(error.message().to_owned())),
    };
    match outbound::may_be_called(tx, assistant, &new, hours.most()) {
        Ok(()) => {}
        Err(StoreError::User(error)) if error.kind() == Kind::Conflict => {
            return Ok(Verdict::Later(after(now, SOON), error.message().to_owned()));
        }
        Err(StoreError::User(error)) => return Ok(Verdict::Never(error.message().to_owned())),
        Err(error) => return Err(error),
    }
    if !hours.allow(now) {
        return Ok(if let Some(at) = hours.next(now) {
            Verdict::Later(at, format!("may be called from {} on", hours.there(at)))
        } else {
            let why = "may not be called in the next two weeks".to_owned();
            Verdict::Later(after(now, NEXT_DAY), why)
        });
    }
    Ok(Verdict::Call(Box::new(NewOutbound { campaign_row: Some(row.id), ..new })))
}

/// Whether nobody of a campaign is called any more.
const fn is_over(campaign: CampaignState) -> bool {
    matches!(campaign, CampaignState::Cancelled | CampaignState::Done)
}

/// What a call that is over means for whom it was to.
fn settle(tx: &Tx, over: &Over, now: Timestamp) -> Result<(), StoreError> {
    let Some(state) = over.state else {
        let why = "what came of the call was forgotten";
        let (row, state) = (over.row, CampaignRowState::Unknown);
        return campaign_rows::settle(tx, row, state, None, over.attempts + 1, Some(why));
    };
    let dialled = over.attempts + 1;
    let end = |as_row: CampaignRowState, attempts: u32| {
        campaign_rows::settle(tx, over.row, as_row, Some(state), attempts, over.failure.as_deref())
    };
    let again = |as_row: CampaignRowState| {
        if is_over(over.campaign) || dialled > over.retries {
            return end(as_row, dialled);
        }
        end(CampaignRowState::Waiting, dialled)?;
        let length = SignedDuration::from_secs(over.retry_after.as_secs() as i64);
        let due_at = after(over.ended_at.unwrap_or(now), length);
        let why = format!("`{state}`, is called again");
        campaign_rows::put_off(tx, over.row, due_at, Some(&why))
    };
    match state {
        OutboundState::Completed => end(CampaignRowState::Reached, dialled),
        // Told what they were to be told: a second message would be one too many.
        OutboundState::Machine if over.left_message => end(CampaignRowState::Machine, dialled),
        OutboundState::Machine => again(CampaignRowState::Machine),
        OutboundState::Busy => again(CampaignRowState::Busy),
        OutboundState::NoAnswer => again(CampaignRowState::NoAnswer),
        OutboundState::Failed => end(CampaignRowState::Failed, dialled),
        OutboundState::Refused => end(CampaignRowState::Refused, over.attempts),
        OutboundState::Cancelled => not_dialled(tx, over, now),
        OutboundState::Unknown
        | OutboundState::Queued
        | OutboundState::Dialling
        | OutboundState::Ringing
        | OutboundState::Answered => end(CampaignRowState::Unknown, dialled),
    }
}

/// Nobody was dialled: they wait again, unless they do not want to be called, or nobody is any more.
fn not_dialled(tx: &Tx, over: &Over, now: Timestamp) -> Result<(), StoreError> {
    let number = PhoneNumber::from_e164(&over.number);
    let unwanted = match &number {
        Some(number) => do_not_call::holds(tx, over.assistant, number)?,
        None => false,
    };
    let state = if unwanted {
        CampaignRowState::Refused
    } else if is_over(over.campaign) {
        CampaignRowState::Cancelled
    } else {
        CampaignRowState::Waiting
    };
    let why = over.failure.as_deref();
    campaign_rows::settle(tx, over.row, state, None, over.attempts, why)?;
    if state == CampaignRowState::Waiting {
        campaign_rows::put_off(tx, over.row, after(now, SOON), why)?;
    }
    Ok(())
}
