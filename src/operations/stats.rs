//! The overview of calls.

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    domain::{
        Actor, AssistantId, Breakdown, CallOutcome, CallStatus, Result, Stats, StatsBy, StatsRow,
    },
    store::{
        Store,
        stats::{self, Window},
    },
};

/// Sums over what the actor may see of a window, with a grouping if one is asked for. Days are those of `zone`.
pub fn overview(
    store: &Store,
    actor: &Actor,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    assistant: Option<AssistantId>,
    by: Option<StatsBy>,
    zone: &TimeZone,
) -> Result<Stats> {
    let window = Window { since, until, assistant, sight: actor.sight() };
    store.read(|tx| {
        let groups = stats::by_assistant_and_status(tx, &window)?;
        let mut total = Breakdown::default();
        let mut statuses: HashMap<CallStatus, Breakdown> = HashMap::new();
        let mut assistants: HashMap<AssistantId, Breakdown> = HashMap::new();
        for group in &groups {
            total.add(&group.sums);
            statuses.entry(group.status).or_default().add(&group.sums);
            assistants.entry(group.assistant).or_default().add(&group.sums);
        }
        let mut by_status: Vec<_> =
            statuses.iter().map(|(status, sums)| (*status, sums.calls)).collect();
        by_status.sort_by_key(|(status, calls)| (std::cmp::Reverse(*calls), *status));
        let rows = match by {
            None => Vec::new(),
            Some(StatsBy::Status) => by_status
                .iter()
                .map(|(status, _)| StatsRow { key: status.to_string(), sums: statuses[status] })
                .collect(),
            Some(StatsBy::Day) => stats::by_day(tx, &window, zone)?
                .into_iter()
                .map(|(day, sums)| StatsRow { key: day.to_string(), sums })
                .collect(),
            Some(StatsBy::Outcome) => {
                let mut rows: Vec<_> = stats::by_outcome(tx, &window)?
                    .into_iter()
                    .map(|(outcome, sums)| StatsRow {
                        key: outcome.map_or(UNKNOWN_OUTCOME, CallOutcome::as_str).to_owned(),
                        sums,
                    })
                    .collect();
                by_calls(&mut rows);
                rows
            }
            Some(StatsBy::Assistant) => {
                let names = stats::assistant_names(tx)?;
                let mut rows: Vec<_> = assistants
                    .iter()
                    .map(|(id, sums)| StatsRow {
                        key: names.get(id).cloned().unwrap_or_else(|| id.0.to_string()),
                        sums: *sums,
                    })
                    .collect();
                by_calls(&mut rows);
                rows
            }
        };
        let (active_assistants, total_assistants) = stats::assistants(tx, actor.sight())?;
        Ok(Stats { active_assistants, total_assistants, total, by_status, rows })
    })
}

/// Calls that go on, and those that came from elsewhere.
const UNKNOWN_OUTCOME: &str = "unknown";

fn by_calls(rows: &mut [StatsRow]) {
    rows.sort_by(|a, b| b.sums.calls.cmp(&a.sums.calls).then_with(|| a.key.cmp(&b.key)));
}

/// Sums over all calls, by assistant, of those that the actor may see.
pub fn by_assistant(store: &Store, actor: &Actor) -> Result<HashMap<AssistantId, Breakdown>> {
    sums(store, actor, None)
}

/// Sums over all calls of one assistant.
pub fn of_assistant(store: &Store, actor: &Actor, id: AssistantId) -> Result<Breakdown> {
    Ok(sums(store, actor, Some(id))?.remove(&id).unwrap_or_default())
}

fn sums(
    store: &Store,
    actor: &Actor,
    assistant: Option<AssistantId>,
) -> Result<HashMap<AssistantId, Breakdown>> {
    let window = Window { since: None, until: None, assistant, sight: actor.sight() };
    store.read(|tx| {
        let mut sums: HashMap<AssistantId, Breakdown> = HashMap::new();
        for group in stats::by_assistant_and_status(tx, &window)? {
            sums.entry(group.assistant).or_default().add(&group.sums);
        }
        Ok(sums)
    })
}
