//! A client's month as one page for its inbox.

mod charts;
mod page;
mod words;

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
pub use page::page;

use super::analysis::{self, Gathered};
use crate::{
    domain::{
        Actor, AssistantId, AssistantSpec, Error, Month, Report, ReportLanguage, Result, Share,
        ZoneName, suggestion_hint,
    },
    store::{
        Store, StoreError, Tx,
        call_figures::{self, Reach},
    },
};

/// The topics that are told of.
const TOPICS: usize = 8;

/// The clients that are named to who meant none of them.
const NAMED: usize = 5;

/// Whose month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Of everybody that may be seen.
    All,
    /// Of a client, by its name: of all its assistants.
    Client(String),
    /// Of one assistant.
    Assistant(AssistantId),
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which month.
    pub month: Month,
    /// Whose.
    pub whose: Whose,
    /// In which language; that of the assistants otherwise.
    pub language: Option<ReportLanguage>,
    /// On whose clocks; those of the assistants otherwise, where they are the same.
    pub zone: Option<ZoneName>,
}

/// The month as it is told.
pub fn report(store: &Store, actor: &Actor, wanted: &Wanted) -> Result<Report> {
    let sight = actor.sight();
    let (report, before) = store.read(|tx| {
        let seen = call_figures::assistants(tx, sight)?;
        let (of, chosen) = choose(&seen, &wanted.whose).map_err(StoreError::User)?;
        let assistants = match wanted.whose {
            Whose::All => None,
            _ => Some(chosen.iter().map(|(id, _)| *id).collect()),
        };
        let zone = wanted.zone.as_ref().map_or_else(|| zone(&chosen), ZoneName::zone);
        let (since, until) = wanted.month.bounds(&zone).map_err(StoreError::User)?;
        let reach = Reach { since: Some(since), until: Some(until), assistants, sight };
        let topics = analysis::folded(call_figures::topics(tx, &reach)?);
        let report = Report {
            of,
            month: wanted.month,
            language: wanted.language.unwrap_or_else(|| language(&chosen)),
            now: analysed(tx, &reach, &zone)?,
            before: crate::domain::Analysis::default(),
            topics: topics
                .into_iter()
                .take(TOPICS)
                .map(|(key, sums)| Share { key, calls: sums.calls })
                .collect(),
            zone,
        };
        let before = match report.month.first().yesterday() {
            Err(_) => report.before.clone(),
            Ok(day) => {
                let month = Month::of(day).bounds(&report.zone);
                let (since, until) = month.map_err(StoreError::User)?;
                let reach = Reach { since: Some(since), until: Some(until), ..reach };
                analysed(tx, &reach, &report.zone)?
            }
        };
        Ok((report, before))
    })?;
    Ok(Report { before, ..report })
}

fn analysed(
    tx: &Tx,
    reach: &Reach,
    zone: &TimeZone,
) -> Result<crate::domain::Analysis, StoreError> {
    Ok(Gathered::of(tx, reach, zone)?.analysis(analysis::waits(tx, reach)?))
}

type Seen = Vec<(AssistantId, AssistantSpec)>;

/// Whose month it is by name, and which assistants are meant.
fn choose(seen: &Seen, whose: &Whose) -> Result<(Option<String>, Seen)> {
    match whose {
        Whose::All => Ok((None, seen.clone())),
        Whose::Assistant(id) => {
            let found = seen.iter().find(|(other, _)| other == id).ok_or_else(|| {
                Error::not_found("there is no such assistant").hint("`webox assistants` lists them")
            })?;
            Ok((Some(found.1.client.clone()), vec![found.clone()]))
        }
        Whose::Client(name) => {
            let same = |client: &str| client.trim().to_lowercase() == name.trim().to_lowercase();
            let chosen: Seen =
                seen.iter().filter(|(_, spec)| same(&spec.client)).cloned().collect();
            let Some((_, newest)) = chosen.last() else {
                let known: BTreeSet<&str> =
                    seen.iter().map(|(_, spec)| spec.client.as_str()).collect();
                let some: Vec<&str> = known.iter().copied().take(NAMED).collect();
                let rest = if known.len() > NAMED { ", …" } else { "" };
                let shown = name.escape_debug();
                let error = Error::not_found(format!("no client is named `{shown}`"));
                return Err(match suggestion_hint(name, known) {
                    Some(hint) => error.hint(hint),
                    None if some.is_empty() => error.hint("there are no assistants yet"),
                    None => error.hint(format!("they are {}{rest}", some.join(", "))),
                });
            };
            Ok((Some(newest.client.clone()), chosen))
        }
    }
}

/// The clocks of all of them, where they are the same; those of UTC otherwise.
fn zone(chosen: &Seen) -> TimeZone {
    let mut zones = chosen.iter().map(|(_, spec)| spec.zone());
    match zones.next() {
        Some(first) if zones.all(|zone| zone == first) => first,
        _ => TimeZone::UTC,
    }
}

/// French, unless not one of them speaks it.
fn language(chosen: &Seen) -> ReportLanguage {
    let is_french = |spec: &AssistantSpec| spec.voice.language.primary() == "fr";
    if chosen.is_empty() || chosen.iter().any(|(_, spec)| is_french(spec)) {
        ReportLanguage::French
    } else {
        ReportLanguage::English
    }
}
