//! Figures of many calls: exact quantiles, and what went wrong by kind.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::rehearsal::{Lateness, streamed::Gaps};

/// How long something took, over all calls. Every value is kept: there is one a turn.
#[derive(Debug, Clone, Default)]
pub struct Spread(Vec<Duration>);

impl Spread {
    /// One more.
    pub fn push(&mut self, value: Duration) {
        self.0.push(value);
    }

    /// Takes another's in.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The same, each with something taken off; never below nothing.
    pub fn less(&self, share: Duration) -> Self {
        Self(self.0.iter().map(|value| value.saturating_sub(share)).collect())
    }

    /// The figures; nothing of nothing.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |share: f64| {
            let rank = (sorted.len() as f64 * share).ceil() as usize;
            sorted.get(rank.max(1) - 1).copied().map(milliseconds)
        };
        Some(Quantiles {
            count: sorted.len() as u64,
            p50_ms: at(0.5)?,
            p95_ms: at(0.95)?,
            p99_ms: at(0.99)?,
            max_ms: at(1.0)?,
        })
    }
}

/// In milliseconds, to a hundredth.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

/// How long something took, at most, for a share of the times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// How often.
    pub count: u64,
    /// Half of them.
    pub p50_ms: f64,
    /// 95 in a hundred.
    pub p95_ms: f64,
    /// 99 in a hundred.
    pub p99_ms: f64,
    /// All.
    pub max_ms: f64,
}

/// How far a call had come when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The call was not taken, or no socket came about.
    NotTaken,
    /// Nothing was heard of a greeting.
    NoGreeting,
    /// The caller spoke, and could not.
    NotHeard,
    /// The caller spoke, and no answer came.
    NoAnswer,
    /// The assistant hung up, or passed the call on.
    EndedEarly,
    /// The call's end was not taken.
    NotEnded,
    /// The call neither went on nor ended.
    Stuck,
}

impl Failure {
    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotTaken => "not taken",
            Self::NoGreeting => "no greeting",
            Self::NotHeard => "not heard",
            Self::NoAnswer => "no answer",
            Self::EndedEarly => "ended early by the assistant",
            Self::NotEnded => "end not taken",
            Self::Stuck => "stuck",
        }
    }
}

/// Failures of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// The first of them, in words.
    pub example: String,
}

/// What one call came to, or several.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) calls: u64,
    /// Time that calls were up, all together.
    pub(super) up: Duration,
    pub(super) turns: u64,
    pub(super) greeting: Spread,
    pub(super) answers: Spread,
    pub(super) barge_in: Spread,
    /// The caller spoke over the assistant, which went on.
    pub(super) not_cleared: u64,
    pub(super) gaps: Gaps,
    pub(super) lateness: Lateness,
    pub(super) failed: u64,
    pub(super) failures: BTreeMap<Failure, Failures>,
}

impl Tally {
    pub(super) fn fail(&mut self, failure: Failure, example: String) {
        self.failures.entry(failure).or_insert(Failures { count: 0, example }).count += 1;
        self.failed = 1;
    }

    pub(super) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.up += other.up;
        self.turns += other.turns;
        self.greeting.add(other.greeting);
        self.answers.add(other.answers);
        self.barge_in.add(other.barge_in);
        self.not_cleared += other.not_cleared;
        self.gaps.messages += other.gaps.messages;
        self.gaps.late += other.gaps.late;
        self.gaps.longest = self.gaps.longest.max(other.gaps.longest);
        self.lateness.add(&other.lateness);
        self.failed += other.failed;
        for (kind, failures) in other.failures {
            let mine = self
                .failures
                .entry(kind)
                .or_insert(Failures { count: 0, example: failures.example });
            mine.count += failures.count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_nearest_rank() {
        let mut spread = Spread::default();
        assert_eq!(spread.quantiles(), None);
        for ms in (1..=200).rev() {
            spread.push(Duration::from_millis(ms));
        }
        let of = |spread: &Spread| spread.quantiles().unwrap();
        let figures = of(&spread);
        assert_eq!((figures.count, figures.p50_ms, figures.p95_ms), (200, 100.0, 190.0));
        assert_eq!((figures.p99_ms, figures.max_ms), (198.0, 200.0));
        let less = of(&spread.less(Duration::from_millis(150)));
        assert_eq!((less.p50_ms, less.max_ms), (0.0, 50.0));
        let mut one = Spread::default();
        one.push(Duration::from_micros(1_234));
        assert_eq!((of(&one).p50_ms, of(&one).p99_ms), (1.23, 1.23));
    }

    #[test]
    fn tallies_add_up() {
        let mut all = Tally::default();
        for n in 0..3_u64 {
            let mut tally = Tally { calls: 1, turns: n, ..Tally::default() };
            tally.gaps = Gaps { messages: 10, late: n, longest: Duration::from_millis(n) };
            if n > 0 {
                tally.fail(Failure::NoAnswer, format!("call {n}"));
                tally.fail(Failure::NotEnded, format!("call {n}"));
            }
            all.add(tally);
        }
        assert_eq!((all.calls, all.turns, all.failed), (3, 3, 2));
        assert_eq!((all.gaps.messages, all.gaps.late), (30, 3));
        assert_eq!(all.gaps.longest, Duration::from_millis(2));
        let no_answer = &all.failures[&Failure::NoAnswer];
        assert_eq!((no_answer.count, no_answer.example.as_str()), (2, "call 1"));
    }
}
