//! What a window of calls shows: one pass over the figures of its hours, seen on the clocks of a zone.

use std::collections::{BTreeMap, HashMap};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    domain::{
        Analysis, Breakdown, CallOutcome, CallStatus, CallsCost, Cost, DayFigures, Latency, Part,
        Share, Stage, fold_into,
    },
    store::{
        StoreError, Tx,
        call_figures::{self, Figure, Grain, Reach},
    },
};

/// Calls that go on, and those that came from elsewhere.
pub(super) const UNKNOWN_OUTCOME: &str = "unknown";

/// Topics are written freely: the same words in other letters are one, called as most of its calls are.
pub(super) fn folded(topics: Vec<(String, Breakdown)>) -> Vec<(String, Breakdown)> {
    let mut spelled: BTreeMap<String, BTreeMap<String, Breakdown>> = BTreeMap::new();
    for (topic, sums) in topics {
        let mut key = String::new();
        let topic = topic.trim();
        topic.trim_end_matches('.').chars().for_each(|c| fold_into(&mut key, c));
        spelled.entry(key).or_default().entry(topic.to_owned()).or_default().add(&sums);
    }
    let mut found: Vec<(String, Breakdown)> = spelled
        .into_values()
        .filter_map(|ways| {
            let mut sums = Breakdown::default();
            for one in ways.values() {
                sums.add(one);
            }
            let (name, _) = ways.into_iter().rev().max_by_key(|(_, one)| one.calls)?;
            Some((name, sums))
        })
        .collect();
    found.sort_by(|a, b| b.1.calls.cmp(&a.1.calls).then_with(|| a.0.cmp(&b.0)));
    found
}

pub(super) fn waits(tx: &Tx, reach: &Reach) -> Result<Vec<Latency>, StoreError> {
    let steps = call_figures::waits(tx, reach)?;
    let of = |wanted: Stage| {
        let steps: Vec<(u32, u64)> = steps
            .iter()
            .filter(|((stage, _), _)| *stage == wanted)
            .map(|((_, step), turns)| (*step, *turns))
            .collect();
        Latency::of_steps("all".to_owned(), wanted, &steps)
    };
    Ok([Stage::Reply, Stage::Felt].into_iter().filter_map(of).collect())
}

/// The sums of a window, every way that they are looked at.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) total: Breakdown,
    pub(super) statuses: HashMap<CallStatus, Breakdown>,
    pub(super) outcomes: HashMap<Option<CallOutcome>, Breakdown>,
    pub(super) languages: BTreeMap<String, Breakdown>,
    pub(super) days: BTreeMap<Date, Breakdown>,
    /// By weekday, Monday first, and hour of the day.
    pub(super) week: [[Breakdown; 24]; 7],
    contained: Part,
    abandoned: Part,
    repeated: Part,
    costed: u64,
    cost: Cost,
}

impl Gathered {
    pub(super) fn of(tx: &Tx, reach: &Reach, zone: &TimeZone) -> Result<Self, StoreError> {
        match Self::by(tx, reach, zone, Grain::Hour)? {
            Some(gathered) => Ok(gathered),
            None => Ok(Self::by(tx, reach, zone, Grain::Quarter)?.unwrap_or_default()),
        }
    }

    /// Nothing where hours of UTC are not hours of the zone; every zone's are quarters.
    fn by(
        tx: &Tx,
        reach: &Reach,
        zone: &TimeZone,
        grain: Grain,
    ) -> Result<Option<Self>, StoreError> {
        let mut gathered = Self::default();
        let (mut fits, mut last) = (true, None);
        call_figures::each(tx, reach, grain, |figure| {
            let place = match last {
                Some((at, place)) if at == figure.at_ms => place,
                _ => {
                    let at = Timestamp::from_millisecond(figure.at_ms).unwrap_or_default();
                    let local = at.to_zoned_datetime(zone.clone());
                    fits &= grain == Grain::Quarter || local.offset().seconds() % 3_600 == 0;
                    let day = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
                    let place =
                        (local.date(), day % 7, usize::from(local.hour().unsigned_abs()) % 24);
                    last = Some((figure.at_ms, place));
                    place
                }
            };
            gathered.add(figure, place);
        })?;
        Ok(fits.then_some(gathered))
    }

    fn add(&mut self, figure: &Figure<'_>, (date, day, hour): (Date, usize, usize)) {
        use CallOutcome::{
            Abandoned, Booked, Cancelled, Changed, Informed, Machine, Message, Transferred,
            Unreached,
        };
        let sums = &figure.sums;
        self.total.add(sums);
        self.statuses.entry(figure.status).or_default().add(sums);
        self.outcomes.entry(figure.outcome).or_default().add(sums);
        match self.languages.get_mut(figure.language) {
            Some(known) => known.add(sums),
            None => {
                self.languages.insert(figure.language.to_owned(), *sums);
            }
        }
        self.days.entry(date).or_default().add(sums);
        self.week[day][hour].add(sums);
        self.costed += figure.costed;
        self.cost = self.cost.plus(figure.cost);
        if figure.status == CallStatus::Rejected {
            return;
        }
        self.repeated.of += figure.callers;
        self.repeated.calls += figure.again;
        let Some(outcome) = figure.outcome else { return };
        if figure.status == CallStatus::Completed
            && matches!(outcome, Booked | Changed | Cancelled | Informed | Message | Transferred)
        {
            self.contained.of += sums.calls;
            self.contained.calls += sums.calls.saturating_sub(figure.transferred);
        }
        if !matches!(outcome, Machine | Unreached) {
            self.abandoned.of += sums.calls;
            if outcome == Abandoned {
                self.abandoned.calls += sums.calls;
            }
        }
    }

    pub(super) fn analysis(self, waits: Vec<Latency>) -> Analysis {
        let outcomes = self.outcomes.iter().map(|(outcome, sums)| Share {
            key: outcome.map_or(UNKNOWN_OUTCOME, CallOutcome::as_str).to_owned(),
            calls: sums.calls,
        });
        let languages = self
            .languages
            .iter()
            .map(|(language, sums)| Share { key: language.clone(), calls: sums.calls });
        let sorted = |shares: Vec<Share>| {
            let mut shares = shares;
            shares.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.key.cmp(&b.key)));
            shares
        };
        let days = self.days.iter().map(|(day, sums)| DayFigures {
            day: *day,
            calls: sums.calls,
            duration: sums.duration_s,
            satisfaction_sum: sums.satisfaction_sum,
            satisfaction_count: sums.satisfaction_count,
        });
        Analysis {
            total_calls: self.total.calls,
            total_duration: self.total.duration_s,
            satisfaction_sum: self.total.satisfaction_sum,
            satisfaction_count: self.total.satisfaction_count,
            outcomes: sorted(outcomes.collect()),
            languages: sorted(languages.collect()),
            contained: self.contained,
            abandoned: self.abandoned,
            repeated: self.repeated,
            cost: CallsCost { calls: self.costed, eur: self.cost.eur, usd: self.cost.usd },
            week: self.week.iter().map(|day| day.iter().map(|sums| sums.calls).collect()).collect(),
            days: days.collect(),
            waits,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_in_other_letters_are_one_topic() {
        let calls = |calls| Breakdown { calls, duration_s: 10 * calls, ..Breakdown::default() };
        let topics = folded(vec![
            ("Réservation".into(), calls(3)),
            ("reservation.".into(), calls(1)),
            ("Horaires".into(), calls(5)),
            ("Parking".into(), calls(4)),
        ]);
        let names: Vec<(&str, u64)> =
            topics.iter().map(|(name, sums)| (name.as_str(), sums.calls)).collect();
        assert_eq!(names, [("Horaires", 5), ("Parking", 4), ("Réservation", 4)]);
    }
}
