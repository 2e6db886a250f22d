//! How much of a month a plan lets an assistant be used, and which calls count for it.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallOutcome, CallStatus, Error, Month, Result};

/// Which calls count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counts {
    /// Those that last at least so many seconds.
    pub min_seconds: u32,
    /// Also those that failed.
    pub failed: bool,
    /// Also those that the assistant made.
    pub outbound: bool,
}

impl Default for Counts {
    fn default() -> Self {
        Self { min_seconds: 5, failed: false, outbound: true }
    }
}

impl Counts {
    /// Whether a call counts. One that was turned down (screened, switched off, too many at once)
    /// never does, nor one that reached nobody.
    pub fn count(
        &self,
        status: CallStatus,
        outcome: Option<CallOutcome>,
        seconds: u32,
        outbound: bool,
    ) -> bool {
        let held = match status {
            CallStatus::Completed => self.failed || outcome != Some(CallOutcome::Failed),
            CallStatus::Failed => self.failed,
            _ => false,
        };
        held && seconds >= self.min_seconds && (self.outbound || !outbound)
    }
}

/// What happens to calls beyond those that the fee covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AtLimit {
    /// They are paid for.
    Bill,
    /// Callers hear a polite sentence.
    Block,
    /// They are answered for nothing, and the agency is told.
    Alert,
}

/// The days of a month that are paid for, both of them among these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidDays {
    /// The month.
    pub month: Month,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl PaidDays {
    /// Those from a first day on, up to a last one when it is known; none when they are in other months.
    pub fn of(month: Month, start: Date, end: Option<Date>) -> Option<Self> {
        let from = start.max(month.first());
        let to = end.map_or(month.last(), |end| end.min(month.last()));
        (from <= to).then_some(Self { month, from, to })
    }

    /// How many.
    pub fn count(self) -> u32 {
        u32::from((self.to.day() - self.from.day()).unsigned_abs()) + 1
    }

    /// The part of a month's number that these days come to, rounded up.
    pub fn part(self, of: u64) -> u64 {
        let share = u128::from(of) * u128::from(self.count());
        share.div_ceil(u128::from(self.month.days().max(1))) as u64
    }

    /// Their begin and end on the clocks of a zone; the end is no part of them.
    pub fn bounds(self, zone: &TimeZone) -> Result<(Timestamp, Timestamp)> {
        let begin = |day: Date| {
            let day = day.at(0, 0, 0, 0).to_zoned_datetime(zone.clone());
            day.map(|day| day.timestamp()).map_err(|error| {
                Error::input(format!("{} is beyond what can be counted", self.month)).because(error)
            })
        };
        let next = self.to.tomorrow().map_err(|error| {
            Error::input(format!("{} is beyond what can be counted", self.month)).because(error)
        })?;
        Ok((begin(self.from)?, begin(next)?))
    }
}

/// What is agreed with a client, as far as it bears on how much is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The plan of assistants whose files name none.
    pub plan: Option<String>,
    /// From this day on.
    pub start: Option<Date>,
    /// Up to this day.
    pub end: Option<Date>,
}

impl Agreed {
    /// The first day that is paid for, of an assistant that was made on a day: the day agreed for the
    /// client's first assistants, their own day for those that came later. `first` is when the client's
    /// first one was made.
    pub fn start_of(&self, made: Date, first: Date) -> Date {
        match self.start {
            Some(start) if made <= start || made == first => start,
            _ => made,
        }
    }

    /// The last day that is paid for, of an assistant that may have been taken out of service.
    pub fn end_of(&self, deleted: Option<Date>) -> Option<Date> {
        self.end.into_iter().chain(deleted).min()
    }
}

/// How much the fee of a plan covers in a whole month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowance {
    /// Calls; no limit when left out.
    pub calls: Option<u32>,
    /// Minutes; no limit when left out.
    pub minutes: Option<u32>,
    /// Which calls count.
    pub counts: Counts,
    /// What happens beyond.
    pub at_limit: AtLimit,
}

impl Allowance {
    /// Whether so much is all that some days cover.
    pub fn is_used_up(&self, days: PaidDays, calls: u64, seconds: u64) -> bool {
        let reached =
            |most: Option<u32>, used: u64| most.is_some_and(|most| used >= days.part(most.into()));
        reached(self.calls, calls) || reached(self.minutes, seconds.div_ceil(60))
    }
}

/// What the assistants of all clients may use of a month.
#[derive(Debug, Clone)]
pub struct Allowances {
    /// The agency's zone: its clocks part the months.
    pub zone: TimeZone,
    /// By the name of a plan.
    pub plans: BTreeMap<String, Allowance>,
    /// By the name of a client.
    pub clients: BTreeMap<String, Agreed>,
}

impl Allowances {
    /// The month that a moment is in.
    pub fn month(&self, at: Timestamp) -> Month {
        Month::of(self.day(at))
    }

    /// The day that a moment is in.
    pub fn day(&self, at: Timestamp) -> Date {
        at.to_zoned_datetime(self.zone.clone()).date()
    }

    /// The plan of an assistant by the name that its file gives, else by its client.
    pub fn of(&self, plan: Option<&str>, client: &str) -> Option<&Allowance> {
        let agreed = || self.clients.get(client).and_then(|agreed| agreed.plan.as_deref());
        self.plans.get(plan.or_else(agreed)?)
    }

    /// What is agreed with a client.
    pub fn agreed(&self, client: &str) -> Agreed {
        self.clients.get(client).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn what_counts() {
        let counts = Counts::default();
        let held = |status, outcome, seconds| counts.count(status, outcome, seconds, false);
        assert!(held(CallStatus::Completed, Some(CallOutcome::Booked), 5));
        assert!(!held(CallStatus::Completed, Some(CallOutcome::Booked), 4));
        assert!(!held(CallStatus::Completed, Some(CallOutcome::Failed), 60));
        assert!(!held(CallStatus::Rejected, None, 60));
        assert!(!held(CallStatus::InProgress, None, 60));
        let all = Counts { failed: true, outbound: false, ..counts };
        assert!(all.count(CallStatus::Failed, Some(CallOutcome::Failed), 60, false));
        assert!(!all.count(CallStatus::Completed, None, 60, true));
    }

    #[test]
    fn days_are_parts_of_a_month_on_its_clocks() {
        let month = Month::of(day("2026-10-01"));
        let days = PaidDays::of(month, day("2026-10-25"), None).unwrap();
        assert_eq!((days.count(), days.part(100), days.part(0)), (7, 23, 0));
        // The clocks of Paris were set back on the 25th, at three in the morning.
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let (begin, end) = days.bounds(&paris).unwrap();
        assert_eq!(begin.to_string(), "2026-10-24T22:00:00Z");
        assert_eq!(end.to_string(), "2026-10-31T23:00:00Z");
        assert_eq!(PaidDays::of(month, day("2026-11-01"), None), None);
        assert_eq!(PaidDays::of(month, day("2026-01-01"), Some(day("2026-09-30"))), None);
        let whole = PaidDays::of(month, day("2026-01-01"), Some(day("2026-12-31"))).unwrap();
        assert_eq!(whole.bounds(&paris).unwrap(), month.bounds(&paris).unwrap());
    }

    #[test]
    fn the_first_assistants_begin_as_agreed_and_later_ones_when_they_were_made() {
        let agreed = Agreed { start: Some(day("2026-11-01")), ..Agreed::default() };
        let first = day("2026-11-20");
        assert_eq!(agreed.start_of(first, first), day("2026-11-01"), "brought over later");
        assert_eq!(agreed.start_of(day("2026-11-25"), first), day("2026-11-25"));
        assert_eq!(agreed.start_of(day("2026-10-02"), day("2026-10-01")), day("2026-11-01"));
        assert_eq!(Agreed::default().start_of(first, first), first);
        let ends = Agreed { end: Some(day("2026-11-30")), ..Agreed::default() };
        assert_eq!(ends.end_of(Some(day("2026-11-12"))), Some(day("2026-11-12")));
        assert_eq!(ends.end_of(None), Some(day("2026-11-30")));
    }

    #[test]
    fn a_limit_is_reached_with_the_last_call_that_is_covered() {
        let allowance = Allowance {
            calls: Some(10),
            minutes: Some(3),
            counts: Counts::default(),
            at_limit: AtLimit::Block,
        };
        let month = Month::of(day("2026-11-01"));
        let whole = PaidDays::of(month, month.first(), None).unwrap();
        assert!(!allowance.is_used_up(whole, 9, 120));
        assert!(allowance.is_used_up(whole, 10, 0));
        assert!(allowance.is_used_up(whole, 0, 121));
        let half = PaidDays::of(month, day("2026-11-16"), None).unwrap();
        assert!(allowance.is_used_up(half, 5, 0) && !allowance.is_used_up(half, 4, 0));
    }
}
