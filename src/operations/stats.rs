//! The overview of calls.

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};

use super::analysis::{self, Gathered, UNKNOWN_OUTCOME};
use crate::{
    domain::{
        Actor, AssistantId, Breakdown, CallOutcome, Result, Stats, StatsBy, StatsRow, WEEKDAYS,
        weekday_name,
    },
    store::{
        Store, StoreError, Tx,
        call_figures::{self, Reach},
        stats::{self, Window},
    },
};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Calls that began at or after.
    pub since: Option<Timestamp>,
    /// Calls that began before.
    pub until: Option<Timestamp>,
    /// Of one assistant.
    pub assistant: Option<AssistantId>,
    /// In groups.
    pub by: Option<StatsBy>,
    /// With what the calls show.
    pub details: bool,
    /// Whose days and hours.
    pub zone: TimeZone,
}

/// Sums over what the actor may see of a window, with a grouping if one is asked for.
pub fn overview(store: &Store, actor: &Actor, wanted: Wanted) -> Result<Stats> {
    let Wanted { since, until, assistant, by, details, zone } = wanted;
    let sight = actor.sight();
    let assistants = assistant.map(|id| vec![id]);
    let reach = Reach { since, until, assistants, sight };
    store.read(|tx| {
        let gathered = Gathered::of(tx, &reach, &zone)?;
        let mut by_status: Vec<_> =
            gathered.statuses.iter().map(|(status, sums)| (*status, sums.calls)).collect();
        by_status.sort_by_key(|(status, calls)| (std::cmp::Reverse(*calls), *status));
        let rows = match by {
            None => Vec::new(),
            Some(StatsBy::Assistant) => by_name(tx, &Window { since, until, assistant, sight })?,
            Some(StatsBy::Topic) => analysis::folded(call_figures::topics(tx, &reach)?)
                .into_iter()
                .map(|(key, sums)| StatsRow { key, sums })
                .collect(),
            Some(StatsBy::Status) => by_status
                .iter()
                .map(|(status, _)| StatsRow {
                    key: status.to_string(),
                    sums: gathered.statuses[status],
                })
                .collect(),
            Some(by) => rows(&gathered, by),
        };
        let (active_assistants, total_assistants) = stats::assistants(tx, sight)?;
        let total = gathered.total;
        let analysis =
            if details { Some(gathered.analysis(analysis::waits(tx, &reach)?)) } else { None };
        Ok(Stats { active_assistants, total_assistants, total, by_status, rows, analysis })
    })
}

/// Groups that are in what was gathered.
fn rows(gathered: &Gathered, by: StatsBy) -> Vec<StatsRow> {
    let row = |key: &str, sums: &Breakdown| StatsRow { key: key.to_owned(), sums: *sums };
    // Of a clock and a week no part is left out, so that a quiet one is seen.
    let any = gathered.total.calls > 0;
    match by {
        StatsBy::Day => {
            gathered.days.iter().map(|(day, sums)| row(&day.to_string(), sums)).collect()
        }
        StatsBy::Hour if any => (0..24)
            .map(|hour| {
                let mut sums = Breakdown::default();
                gathered.week.iter().for_each(|day| sums.add(&day[hour]));
                row(&format!("{hour:02}"), &sums)
            })
            .collect(),
        StatsBy::Weekday if any => WEEKDAYS
            .iter()
            .zip(&gathered.week)
            .map(|(day, hours)| {
                let mut sums = Breakdown::default();
                for hour in hours {
                    sums.add(hour);
                }
                row(weekday_name(*day), &sums)
            })
            .collect(),
        StatsBy::Outcome => by_calls(
            gathered
                .outcomes
                .iter()
                .map(|(key, sums)| row(key.map_or(UNKNOWN_OUTCOME, CallOutcome::as_str), sums))
                .collect(),
        ),
        StatsBy::Language => {
            by_calls(gathered.languages.iter().map(|(key, sums)| row(key, sums)).collect())
        }
        // No call, no clock; the others are no part of what was gathered.
        StatsBy::Hour
        | StatsBy::Weekday
        | StatsBy::Status
        | StatsBy::Assistant
        | StatsBy::Topic => Vec::new(),
    }
}

fn by_name(tx: &Tx, window: &Window) -> Result<Vec<StatsRow>, StoreError> {
    let mut assistants: HashMap<AssistantId, Breakdown> = HashMap::new();
    for group in stats::by_assistant_and_status(tx, window)? {
        assistants.entry(group.assistant).or_default().add(&group.sums);
    }
    let names = stats::assistant_names(tx)?;
    let named = assistants.into_iter().map(|(id, sums)| StatsRow {
        key: names.get(&id).cloned().unwrap_or_else(|| id.0.to_string()),
        sums,
    });
    Ok(by_calls(named.collect()))
}

fn by_calls(mut rows: Vec<StatsRow>) -> Vec<StatsRow> {
    rows.sort_by(|a, b| b.sums.calls.cmp(&a.sums.calls).then_with(|| a.key.cmp(&b.key)));
    rows
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
