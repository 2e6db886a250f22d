//! Campaigns: begun or gone on with, looked at, put to rest.
//!
//! A campaign is its assistant and its people: whoever asks for the same ones again, in whichever
//! order, goes on with the one that there is. Everything that is to be refused is found before
//! anything is stored. Who is called when is decided in `advance`, by the daemon.

mod advance;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{assistants, audit, outbound};
use crate::{
    domain::{
        Actor, Assistant, CallingHours, Campaign, CampaignEntry, CampaignId, CampaignRow,
        CampaignRowState, CampaignState, CampaignTerms, Error, Forecast, Kind, MOST_CAMPAIGN_ROWS,
        NewOutbound, Overlap, PhoneNumber, Result,
    },
    store::{
        self, Store, StoreError, Tx,
        audit::Deed,
        campaign_rows,
        campaigns::{self, NewCampaign},
    },
};

pub use crate::store::campaign_rows::RowFilter;
pub use advance::advance;

/// A campaign that nobody ran again for so long goes to rest: what it was about is over.
const RUNS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Those that are listed at most.
const LISTED: u32 = 1_000;

/// How a value that is missing is given.
const COLUMN: &str = "a column of that name, or `default` in the greeting";

/// Mistakes that are told, at most.
const TOLD: usize = 200;

/// A campaign that somebody wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// What people call it: the name of its file.
    pub name: String,
    /// How it calls.
    pub terms: CampaignTerms,
    /// Whom.
    pub rows: Vec<CampaignEntry>,
    /// Also those who are still to be called in another one.
    pub overlapping: bool,
}

/// A campaign that was begun, or gone on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// It.
    pub campaign: Campaign,
    /// Whether it was not there before.
    pub is_new: bool,
    /// Others that have numbers of it.
    pub overlaps: Vec<Overlap>,
}

/// What would become of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// The one that there is, if there is.
    pub campaign: Option<Campaign>,
    /// Others that have numbers of it.
    pub overlaps: Vec<Overlap>,
    /// What would become of each.
    pub rows: Vec<Forecast>,
}

/// Begins a campaign, or goes on with it. Its people are called by the daemon.
pub fn start(
    store: &Store,
    actor: &Actor,
    assistant: &str,
    wanted: Wanted,
    now: Timestamp,
) -> Result<Started> {
    actor.may_write()?;
    let assistant = assistants::find(store, actor, assistant)?;
    composed(&assistant, &wanted, now)?;
    let digest = digest(&wanted.rows);
    let (actor, expires_at) = (actor.clone(), now.checked_add(RUNS_FOR).unwrap_or(now));
    store.write(move |tx| {
        let overlaps = campaign_rows::overlaps(tx, assistant.id, &digest, &wanted.rows)?;
        let found = campaigns::by_contents(tx, assistant.id, &digest)?;
        let is_new = found.is_none();
        let id = if let Some(campaign) = found {
            if campaign.state == CampaignState::Cancelled {
                return Err(Error::new(
                    Kind::Refused,
                    format!("campaign {} of these people was cancelled", campaign.id.0),
                )
                .hint("leave those out who were called, and run the rest as another campaign")
                .into());
            }
            if campaign.state != CampaignState::Done {
                campaigns::resume(tx, campaign.id, &wanted.terms, expires_at)?;
                // Whoever runs it again has changed something, maybe.
                if campaign.state == CampaignState::Paused || campaign.terms != wanted.terms {
                    campaigns::look_again(tx, campaign.id, now)?;
                }
                record(tx, &actor, "campaign.resume", campaign.id, &wanted, now)?;
            }
            campaign.id
        } else {
            let busy: Vec<&Overlap> =
                overlaps.iter().filter(|overlap| overlap.unfinished > 0).collect();
            if let (Some(first), false) = (busy.first(), wanted.overlapping) {
                return Err(called_twice(first).into());
            }
            let new = NewCampaign {
                assistant: assistant.id,
                digest: &digest,
                name: &wanted.name,
                terms: &wanted.terms,
                rows: &wanted.rows,
                expires_at,
                now,
            };
            let id = campaigns::insert(tx, &new)?;
            record(tx, &actor, "campaign.start", id, &wanted, now)?;
            id
        };
        let campaign = campaigns::seen(tx, actor.sight(), id)?.ok_or_else(|| unknown(id))?;
        Ok(Started { campaign, is_new, overlaps })
    })
}

fn called_twice(overlap: &Overlap) -> Error {
    let id = overlap.campaign_id.0;
    Error::conflict(format!(
        "{} of these numbers are still to be called in campaign {id}: they would be called twice",
        overlap.unfinished
    ))
    .hint(format!(
        "`webox campaign cancel {id}` if this one takes its place; `--overlapping` calls them in both"
    ))
}

/// What would become of a campaign. Nothing is stored.
pub fn preview(
    store: &Store,
    actor: &Actor,
    assistant: &str,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Outlook> {
    let assistant = assistants::find(store, actor, assistant)?;
    let composed = composed(&assistant, wanted, now)?;
    let digest = digest(&wanted.rows);
    store.read(|tx| {
        let campaign = campaigns::by_contents(tx, assistant.id, &digest)?;
        let overlaps = campaign_rows::overlaps(tx, assistant.id, &digest, &wanted.rows)?;
        let mut standing: HashMap<PhoneNumber, CampaignRow> = HashMap::new();
        if let Some(campaign) = &campaign {
            let rows = campaign_rows::rows(tx, campaign.id, &RowFilter::default())?;
            standing.extend(rows.into_iter().map(|row| (row.number.clone(), row)));
        }
        let is_over = |campaign: &Campaign| {
            matches!(campaign.state, CampaignState::Cancelled | CampaignState::Done)
        };
        let mut rows = Vec::new();
        for (entry, new) in wanted.rows.iter().zip(&composed) {
            let row = standing.get(&entry.number);
            let mut forecast = forecast(tx, &assistant, entry, new, &wanted.terms, row, now)?;
            if row.is_none() && campaign.is_some() {
                forecast.why_not = Some("was forgotten since".to_owned());
            } else if campaign.as_ref().is_some_and(is_over) && forecast.why_not.is_none() {
                forecast.why_not = Some("the campaign is over".to_owned());
            }
            if forecast.why_not.is_some() {
                (forecast.at, forecast.there) = (None, None);
            }
            rows.push(forecast);
        }
        Ok(Outlook { campaign, overlaps, rows })
    })
}

fn forecast(
    tx: &Tx,
    assistant: &Assistant,
    entry: &CampaignEntry,
    new: &NewOutbound,
    terms: &CampaignTerms,
    row: Option<&CampaignRow>,
    now: Timestamp,
) -> Result<Forecast, StoreError> {
    let hours = hours(new, terms)?;
    let due = row.map_or(now, |row| row.due_at.max(now));
    let at = hours.next(due);
    let why_not = match row.map(|row| row.state) {
        Some(CampaignRowState::Waiting) | None => {
            match outbound::may_be_called(tx, assistant, new, hours.most()) {
                // Somebody who is being called is called later.
                Err(StoreError::User(error)) if error.kind() != Kind::Conflict => {
                    Some(error.message().to_owned())
                }
                Err(StoreError::User(_)) | Ok(()) => {
                    at.is_none().then(|| "not in the next two weeks".to_owned())
                }
                Err(error) => return Err(error),
            }
        }
        Some(state) => Some(format!("stands at `{state}` already")),
    };
    Ok(Forecast {
        line: entry.line,
        number: entry.number.clone(),
        there: at.map(|at| hours.there(at)),
        at,
        opening: Some(new.opening.clone()),
        why_not,
    })
}

/// When a call of a campaign may be made.
fn hours(new: &NewOutbound, terms: &CampaignTerms) -> Result<CallingHours> {
    let hours = CallingHours::of(&new.number, new.kind, terms.zone.as_ref())?;
    Ok(hours.within(terms.hours.as_ref()).anyway(terms.anyway))
}

/// What one of its people is called with.
fn call(entry: &CampaignEntry, terms: &CampaignTerms) -> outbound::Wanted {
    outbound::Wanted {
        number: entry.number.clone(),
        context: entry.context.clone(),
        say: terms.say.clone(),
        zone: terms.zone.clone(),
        anyway: terms.anyway,
    }
}

/// Everything that is wrong, told at once; otherwise the calls as they would be made now.
fn composed(assistant: &Assistant, wanted: &Wanted, now: Timestamp) -> Result<Vec<NewOutbound>> {
    wanted.terms.check()?;
    if wanted.name.is_empty() || wanted.name.chars().count() > 200 {
        return Err(Error::input("the name of a campaign is 1 to 200 characters"));
    }
    if wanted.rows.is_empty() {
        return Err(Error::input("nobody is to be called").hint("a row names a number to call"));
    }
    if wanted.rows.len() > MOST_CAMPAIGN_ROWS {
        return Err(Error::new(
            Kind::TooLarge,
            format!("a campaign has {MOST_CAMPAIGN_ROWS} people at most"),
        )
        .hint("split it"));
    }
    outbound::may_call(&assistant.spec)?;
    let (mut calls, mut wrong) = (Vec::new(), Vec::new());
    let mut seen: HashMap<&PhoneNumber, String> = HashMap::new();
    for (at, entry) in (1..).zip(&wanted.rows) {
        let place = entry.line.map_or_else(|| format!("row {at}"), |line| format!("line {line}"));
        if let Some(first) = seen.insert(&entry.number, place.clone()) {
            wrong.push(format!("{place}: {} is in {first} already", entry.number));
            continue;
        }
        let made = outbound::composed(assistant, &call(entry, &wanted.terms), now, COLUMN)
            .and_then(|new| {
                let hours = hours(&new, &wanted.terms)?;
                hours.next(now).map(|_| new).ok_or_else(|| {
                    let there = hours.source();
                    Error::input(format!(
                        "{} may not be called in the next two weeks",
                        entry.number
                    ))
                    .hint(format!("the hours of the campaign leave none of those of {there}"))
                })
            });
        match made {
            Ok(new) => calls.push(new),
            Err(error) => {
                let hint = error.hint_text().map_or_else(String::new, |hint| format!(" ({hint})"));
                wrong.push(format!("{place}: {}{hint}", error.message()));
            }
        }
    }
    if wrong.is_empty() { Ok(calls) } else { Err(mistakes(&wanted.name, wrong)) }
}

/// All mistakes of a campaign as one error.
fn mistakes(name: &str, mut wrong: Vec<String>) -> Error {
    let all = wrong.len();
    wrong.truncate(TOLD);
    if all > TOLD {
        wrong.push(format!("and {} more", all - TOLD));
    }
    Error::input(format!("{name}: nobody was called\n{}", wrong.join("\n")))
        .hint("correct these lines, and run it again: nothing was stored")
}

/// What tells one list of people from another, whatever the order of its rows and the spelling of its
/// file.
fn digest(rows: &[CampaignEntry]) -> String {
    let mut people: Vec<_> =
        rows.iter().map(|row| (row.number.as_str(), row.context.values())).collect();
    people.sort_unstable();
    let mut hash = Sha256::new();
    let part = |hash: &mut Sha256, text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    for (number, context) in people {
        part(&mut hash, number);
        hash.update((context.len() as u64).to_be_bytes());
        for (name, value) in context {
            part(&mut hash, name);
            part(&mut hash, value);
        }
    }
    hex::encode(hash.finalize())
}

fn record(
    tx: &Tx,
    actor: &Actor,
    action: &'static str,
    id: CampaignId,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<(), StoreError> {
    let terms = &wanted.terms;
    let after = json!({
        "name": wanted.name, "rows": wanted.rows.len(), "max_concurrent": terms.max_concurrent,
        "hours": terms.hours, "retries": terms.retries, "retry_after": terms.retry_after,
        "anyway": terms.anyway, "overlapping": wanted.overlapping,
    });
    audit::record(tx, actor, now, &Deed { action, target: target(id), before: json!(null), after })
}

fn target(id: CampaignId) -> String {
    format!("campaign/{}", id.0)
}

/// One.
pub fn show(store: &Store, actor: &Actor, id: CampaignId) -> Result<Campaign> {
    let sight = actor.sight();
    store.read(|tx| campaigns::seen(tx, sight, id)?.ok_or_else(|| unknown(id).into()))
}

/// All, the newest first.
pub fn list(store: &Store, actor: &Actor) -> Result<Vec<Campaign>> {
    let sight = actor.sight();
    store.read(|tx| campaigns::list(tx, sight, LISTED))
}

/// The people of one, as its file has them.
pub fn rows(
    store: &Store,
    actor: &Actor,
    id: CampaignId,
    filter: &RowFilter,
) -> Result<Vec<CampaignRow>> {
    let sight = actor.sight();
    store.read(|tx| {
        campaigns::seen(tx, sight, id)?.ok_or_else(|| unknown(id))?;
        campaign_rows::rows(tx, id, filter)
    })
}

/// Puts one to rest: for now, or for good. Calls under way are not broken off.
pub fn stop(
    store: &Store,
    actor: &Actor,
    id: CampaignId,
    for_good: bool,
    now: Timestamp,
) -> Result<Campaign> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let campaign = campaigns::seen(tx, actor.sight(), id)?.ok_or_else(|| unknown(id))?;
        let (state, why, action) = if for_good {
            (CampaignState::Cancelled, "cancelled by hand", "campaign.cancel")
        } else {
            (CampaignState::Paused, "paused by hand", "campaign.pause")
        };
        if !store::campaigns::stop(tx, id, state, why, now)? {
            return Err(Error::conflict(format!(
                "campaign {} stands at `{}`",
                id.0, campaign.state
            ))
            .hint("only one that runs can be paused, and one that runs or is paused cancelled")
            .into());
        }
        let deed =
            Deed { action, target: target(id), before: json!(null), after: json!(campaign.counts) };
        audit::record(tx, &actor, now, &deed)?;
        campaigns::seen(tx, actor.sight(), id)?.ok_or_else(|| unknown(id).into())
    })
}

fn unknown(id: CampaignId) -> Error {
    Error::not_found(format!("no campaign {}", id.0)).hint("list them with `webox campaign list`")
}
