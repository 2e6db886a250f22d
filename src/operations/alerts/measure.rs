//! What rules look at, measured: from the store, and from what daemons counted.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::Watch;
use crate::{
    domain::{
        Alert, AlertKind, AlertLevel, AlertSubject, Assistant, AssistantId, Breakdown, Cost,
        HumanDuration, Latency, Sight, Stage, WatchedRule, opened, watched,
    },
    operations::{billing::limit, ledger, live::screening},
    store::{
        Store, StoreError, Tx, alert_measures, alerts, latency,
        stats::{self, Window},
        usage,
    },
};

/// What stands in no store: each daemon says it of its own machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observed {
    /// How full the disk of the database is, in hundredths of a percent.
    pub disk: Option<i64>,
    /// How old the last backup is, where this daemon makes them.
    pub backup_age: Option<SignedDuration>,
    /// Whether that is only since when this daemon waits to see the place they lie in.
    pub backups_unseen: bool,
}

/// A measure of one thing at one moment, and the rule that bounds it.
pub(super) struct Sample {
    pub(super) rule: Arc<WatchedRule>,
    pub(super) subject: AlertSubject,
    /// The assistant that it is about.
    pub(super) assistant: Option<Arc<Assistant>>,
    /// Nothing when there is too little to judge by.
    pub(super) value: Option<i64>,
}

impl Sample {
    /// Where days and hours are counted.
    pub(super) fn zone(&self, watch: &Watch) -> TimeZone {
        self.assistant.as_ref().map_or_else(|| watch.zone.clone(), |one| one.spec.zone())
    }
}

/// A provider that was left alone within this time counts as one that is.
const OPEN_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// How long before it is looked whether calls are to be expected.
const EXPECTED: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How many windows of before are compared with.
const BEFORE: i32 = 4;

/// How many turns waited for how many milliseconds.
type Waits = BTreeMap<u32, u64>;

/// Sums that several rules may need, each read once.
#[derive(Default)]
struct Sums {
    failed: BTreeMap<HumanDuration, BTreeMap<AssistantId, (u64, u64)>>,
    waits: BTreeMap<HumanDuration, BTreeMap<AssistantId, Waits>>,
    rated: BTreeMap<HumanDuration, [BTreeMap<AssistantId, Breakdown>; 2]>,
    spent: BTreeMap<AlertKind, BTreeMap<AssistantId, Cost>>,
}

struct Measuring<'a> {
    tx: &'a Tx,
    store: &'a Store,
    now: Timestamp,
    sums: Sums,
}

/// Everything that is watched, as it is now. `open` are the alerts that there are.
pub(super) fn samples(
    tx: &Tx,
    store: &Store,
    watch: &Watch,
    observed: Observed,
    open: &[Alert],
    now: Timestamp,
) -> Result<Vec<Sample>, StoreError> {
    let mut measuring = Measuring { tx, store, now, sums: Sums::default() };
    let mut samples = Vec::new();
    for rule in watched(&watch.rules, None).into_iter().filter(|rule| rule.active) {
        let rule = Arc::new(rule);
        let parts = measuring.of_the_whole(&rule, observed, open)?;
        samples.extend(parts.into_iter().map(|(part, value)| Sample {
            subject: AlertSubject { rule: rule.name.clone(), assistant: None, part },
            rule: Arc::clone(&rule),
            assistant: None,
            value,
        }));
    }
    for (id, revision) in alert_measures::active_assistants(tx)? {
        let assistant = store.assistants().version(tx, id, revision)?;
        let rules = watched(&watch.rules, Some(&assistant.spec.alerts));
        for rule in rules.into_iter().filter(|rule| rule.active) {
            let rule = Arc::new(rule);
            let parts = measuring.of_assistant(&rule, &assistant)?;
            samples.extend(parts.into_iter().map(|(part, value)| Sample {
                subject: AlertSubject { rule: rule.name.clone(), assistant: Some(id), part },
                rule: Arc::clone(&rule),
                assistant: Some(Arc::clone(&assistant)),
                value,
            }));
        }
    }
    Ok(samples)
}

/// Parts of what a rule looks at, each with its value.
type Parts = Vec<(String, Option<i64>)>;

fn one(value: Option<i64>) -> Parts {
    vec![(String::new(), value)]
}

/// Everybody's, in a stretch of time.
const fn of_all(since: Timestamp, until: Option<Timestamp>) -> Window {
    Window { since: Some(since), until, assistant: None, sight: Sight::All }
}

/// How many, in hundredths.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX).saturating_mul(100)
}

/// A share, in hundredths of a percent.
fn share(part: u64, whole: u64) -> Option<i64> {
    let share = u128::from(part) * 10_000 / u128::from(std::num::NonZeroU64::new(whole)?.get());
    Some(i64::try_from(share).unwrap_or(i64::MAX))
}

impl Measuring<'_> {
    fn of_the_whole(
        &mut self,
        rule: &WatchedRule,
        observed: Observed,
        open: &[Alert],
    ) -> Result<Parts, StoreError> {
        match rule.kind {
            AlertKind::ProviderDown => {
                let since = self.now.checked_sub(OPEN_WITHIN).unwrap_or(self.now);
                let down = alerts::counted(self.tx, rule.kind, since)?;
                let down: BTreeSet<String> = down.into_iter().map(|(part, _)| part).collect();
                // Those that were down are looked at until they are well.
                let known = open.iter().filter(|alert| alert.subject.rule == rule.name);
                let known = known.map(|alert| alert.subject.part.clone());
                let parts: BTreeSet<String> = down.iter().cloned().chain(known).collect();
                let value = |part: &String| Some(number(u64::from(down.contains(part))));
                Ok(parts.iter().map(|part| (part.clone(), value(part))).collect())
            }
            AlertKind::Signatures | AlertKind::StoreErrors => {
                let counts = alerts::counted(self.tx, rule.kind, self.since(rule.window))?;
                Ok(one(Some(number(counts.iter().map(|(_, count)| count).sum()))))
            }
            // A daemon that cannot say it does not say that there is room.
            AlertKind::Disk => Ok(observed.disk.map_or_else(Vec::new, |disk| one(Some(disk)))),
            AlertKind::Backup => Ok(observed.backup_age.map_or_else(Vec::new, |age| {
                let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                let is_well = rule.threshold.is_some_and(|most| age < most.get());
                // A daemon that has not seen the place yet does not say that backups are made.
                if observed.backups_unseen && is_well { Vec::new() } else { one(Some(age)) }
            })),
            AlertKind::SpendDay | AlertKind::SpendMonth => {
                let Some(currency) = rule.threshold.and_then(AlertLevel::currency) else {
                    return Ok(Vec::new());
                };
                let spent = self.spent(rule.kind)?.values();
                let spent = spent.fold(Cost::default(), |sum, cost| sum.plus(*cost));
                Ok(one(Some(spent.of(currency).get())))
            }
            _ => Ok(Vec::new()),
        }
    }

    fn of_assistant(
        &mut self,
        rule: &WatchedRule,
        assistant: &Assistant,
    ) -> Result<Parts, StoreError> {
        let (id, least) = (assistant.id, u64::from(rule.at_least));
        Ok(match rule.kind {
            AlertKind::FailedCalls => {
                let (failed, all) = self.failed(rule.window)?.get(&id).copied().unwrap_or_default();
                one(share(failed, all).filter(|_| all >= least))
            }
            AlertKind::NoCalls => one(self.without_calls(rule, assistant)?),
            AlertKind::Latency => {
                let waits = self.waits(rule.window)?.get(&id);
                let latency = waits.and_then(|them| Latency::of(String::new(), Stage::Felt, them));
                let latency = latency.filter(|latency| latency.count >= least);
                one(latency.map(|latency| i64::from(latency.p95_ms)))
            }
            AlertKind::Satisfaction => one(self.fallen(rule, id)?),
            AlertKind::SpendDay | AlertKind::SpendMonth => {
                let Some(currency) = rule.threshold.and_then(AlertLevel::currency) else {
                    return Ok(Vec::new());
                };
                let spent = self.spent(rule.kind)?.get(&id).copied().unwrap_or_default();
                one(Some(spent.of(currency).get()))
            }
            AlertKind::Quota => self
                .quotas(assistant)?
                .into_iter()
                .map(|(part, used, most)| (part.to_owned(), share(used, most)))
                .collect(),
            _ => Vec::new(),
        })
    }

    fn since(&self, window: HumanDuration) -> Timestamp {
        self.before(window, 1)
    }

    fn before(&self, window: HumanDuration, times: i32) -> Timestamp {
        let window = SignedDuration::try_from(window.get()).unwrap_or(SignedDuration::MAX);
        self.now.checked_sub(window.saturating_mul(times)).unwrap_or(Timestamp::MIN)
    }

    fn failed(
        &mut self,
        window: HumanDuration,
    ) -> Result<&BTreeMap<AssistantId, (u64, u64)>, StoreError> {
        let (tx, since) = (self.tx, self.since(window));
        Ok(match self.sums.failed.entry(window) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(alert_measures::failed_calls(tx, since)?),
        })
    }

    fn waits(
        &mut self,
        window: HumanDuration,
    ) -> Result<&BTreeMap<AssistantId, Waits>, StoreError> {
        let (tx, of) = (self.tx, of_all(self.since(window), None));
        Ok(match self.sums.waits.entry(window) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let mut waits: BTreeMap<AssistantId, Waits> = BTreeMap::new();
                latency::each_turn(tx, &of, |turn| {
                    // Where sound is not ours, until the reply was thought of.
                    if let Some(felt) = turn.timings.felt_ms().or(turn.timings.reply_ms) {
                        *waits.entry(turn.assistant).or_default().entry(felt).or_default() += 1;
                    }
                })?;
                new.insert(waits)
            }
        })
    }

    fn spent(&mut self, kind: AlertKind) -> Result<&BTreeMap<AssistantId, Cost>, StoreError> {
        let today = self.now.to_zoned_datetime(TimeZone::UTC);
        let first = if kind == AlertKind::SpendMonth { today.first_of_month() } else { Ok(today) };
        let (tx, since) = (self.tx, first.map_or(self.now, |day| day.timestamp()));
        Ok(match self.sums.spent.entry(kind) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(alert_measures::spent(tx, since)?),
        })
    }

    /// The scores of the windows before, and of the last one.
    fn rated(
        &mut self,
        window: HumanDuration,
    ) -> Result<&[BTreeMap<AssistantId, Breakdown>; 2], StoreError> {
        let (tx, middle) = (self.tx, self.since(window));
        let first = self.before(window, BEFORE + 1);
        let sums = |of: &Window| -> Result<BTreeMap<AssistantId, Breakdown>, StoreError> {
            let mut sums: BTreeMap<AssistantId, Breakdown> = BTreeMap::new();
            for group in stats::by_assistant_and_status(tx, of)? {
                sums.entry(group.assistant).or_default().add(&group.sums);
            }
            Ok(sums)
        };
        Ok(match self.sums.rated.entry(window) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let before = sums(&of_all(first, Some(middle)))?;
                new.insert([before, sums(&of_all(middle, None))?])
            }
        })
    }

    /// How long it was open since somebody last called, where calls are to be expected.
    fn without_calls(
        &self,
        rule: &WatchedRule,
        assistant: &Assistant,
    ) -> Result<Option<i64>, StoreError> {
        let since = self.now.checked_sub(EXPECTED).unwrap_or(self.now);
        let (tx, id, spec) = (self.tx, assistant.id, &assistant.spec);
        // Without known hours nothing is expected.
        if opened(&spec.opening(), &spec.zone(), self.now, self.now).is_none() {
            return Ok(None);
        }
        if !alert_measures::called_so_often(tx, id, since, rule.at_least)? {
            return Ok(None);
        }
        let last = alert_measures::last_call(tx, id)?.unwrap_or(assistant.created_at);
        let open = opened(&spec.opening(), &spec.zone(), last, self.now);
        Ok(open.map(|open| i64::try_from(open.as_millis()).unwrap_or(i64::MAX)))
    }

    /// By how much callers are less satisfied than in the windows before, in hundredths of a point.
    fn fallen(&mut self, rule: &WatchedRule, id: AssistantId) -> Result<Option<i64>, StoreError> {
        let [before, lately] = self.rated(rule.window)?;
        let average = |sums: &BTreeMap<AssistantId, Breakdown>| {
            let sums = sums.get(&id).copied().unwrap_or_default();
            let enough = sums.satisfaction_count >= u64::from(rule.at_least.max(1));
            let sum = i64::try_from(sums.satisfaction_sum).unwrap_or(i64::MAX).saturating_mul(100);
            let count = i64::try_from(sums.satisfaction_count).unwrap_or(i64::MAX);
            if enough { sum.checked_div(count) } else { None }
        };
        Ok(average(before).zip(average(lately)).map(|(before, lately)| (before - lately).max(0)))
    }

    /// What an assistant may use up, with how much it has used: a part, a number of something, and
    /// the most of it. Of a plan, where what is beyond is not simply billed.
    fn quotas(&self, assistant: &Assistant) -> Result<Vec<(&'static str, u64, u64)>, StoreError> {
        let limits = &assistant.spec.limits;
        let since = screening::start_of_day(assistant, self.now);
        let mut quotas = Vec::new();
        if let Some(most) = limits.max_daily_cost {
            let spent = ledger::spent_since(self.tx, self.store, assistant.id, since, self.now)?;
            let used = spent.of(most.currency).get().max(0).unsigned_abs();
            quotas.push((COST, used, most.amount.get().max(0).unsigned_abs()));
        }
        if let Some(minutes) = limits.max_daily_minutes {
            let used = usage::seconds_since(self.tx, assistant.id, since, self.now)?;
            quotas.push((MINUTES, used, u64::from(minutes) * 60));
        }
        if let Some(used) = limit::used(self.tx, self.store, assistant, self.now)? {
            quotas.extend(used.most_calls().map(|most| (PLAN_CALLS, used.calls, most)));
            quotas.extend(used.most_seconds().map(|most| (PLAN_MINUTES, used.seconds, most)));
        }
        Ok(quotas)
    }
}

/// What quotas are of.
pub(super) const COST: &str = "cost";
pub(super) const MINUTES: &str = "minutes";
pub(super) const PLAN_CALLS: &str = "plan-calls";
pub(super) const PLAN_MINUTES: &str = "plan-minutes";
