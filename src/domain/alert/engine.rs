//! From samples of a measure to what begins and what is over: told once each, and never back and
//! forth.
//!
//! A measure must stay at or above its threshold for a while before anything fires. Once it fires,
//! only a while below a second, lower bound ends it. What is between the two changes nothing.

use jiff::{SignedDuration, Timestamp};

/// Between which bounds, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertBounds {
    /// From this on it is too much.
    pub threshold: i64,
    /// Below this it is well again; at most the threshold.
    pub recover: i64,
    /// How long it must be too much.
    pub hold: SignedDuration,
    /// How long it must be well.
    pub recover_for: SignedDuration,
}

/// How a measure stands. What is well needs no remembering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlertPhase {
    /// Not too much.
    #[default]
    Well,
    /// Too much since a moment, but not for long enough.
    Pending {
        /// Since when.
        since: Timestamp,
    },
    /// It fires.
    Firing {
        /// Since when it is below the lower bound, if it is.
        calm_since: Option<Timestamp>,
    },
}

/// A phase, and when it was last looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertStanding {
    /// The phase.
    pub phase: AlertPhase,
    /// When the last sample was taken.
    pub seen_at: Option<Timestamp>,
}

/// What is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertChange {
    /// It began.
    Fired,
    /// It is over.
    Resolved,
}

/// Nobody looked for longer than this: what was before says nothing of the time between.
const LONGEST_GAP: SignedDuration = SignedDuration::from_mins(5);

/// A sample that is older than the last one by up to this comes from another daemon, which was slower;
/// by more than this, the clock was set back.
const LATE: SignedDuration = SignedDuration::from_mins(2);

impl AlertStanding {
    /// How it stands after a sample; nothing when there is too little to judge by, which is not too
    /// much. Answers what is to be told: at most one thing.
    #[must_use]
    pub fn after(
        self,
        bounds: &AlertBounds,
        value: Option<i64>,
        now: Timestamp,
    ) -> (Self, Option<AlertChange>) {
        if let Some(seen) = self.seen_at
            && now <= seen
            && seen.duration_since(now) <= LATE
        {
            return (self, None);
        }
        // A clock that was set back begins anew, as after a gap.
        let is_gap =
            self.seen_at.is_none_or(|seen| now < seen || now.duration_since(seen) > LONGEST_GAP);
        let lasting = |since: Timestamp| if is_gap { now } else { since.min(now) };
        let is_too_much = value.is_some_and(|value| value >= bounds.threshold);
        let is_calm = value.is_none_or(|value| value < bounds.recover.min(bounds.threshold));
        let (phase, change) = match self.phase {
            AlertPhase::Well | AlertPhase::Pending { .. } if !is_too_much => {
                (AlertPhase::Well, None)
            }
            AlertPhase::Well | AlertPhase::Pending { .. } => {
                let since = match self.phase {
                    AlertPhase::Pending { since } => lasting(since),
                    _ => now,
                };
                if now.duration_since(since) >= bounds.hold {
                    (AlertPhase::Firing { calm_since: None }, Some(AlertChange::Fired))
                } else {
                    (AlertPhase::Pending { since }, None)
                }
            }
            AlertPhase::Firing { calm_since } if is_calm => {
                let since = calm_since.map_or(now, lasting);
                if now.duration_since(since) >= bounds.recover_for {
                    (AlertPhase::Well, Some(AlertChange::Resolved))
                } else {
                    (AlertPhase::Firing { calm_since: Some(since) }, None)
                }
            }
            AlertPhase::Firing { .. } => (AlertPhase::Firing { calm_since: None }, None),
        };
        (Self { phase, seen_at: Some(now) }, change)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    const fn bounds(hold: i64, recover_for: i64) -> AlertBounds {
        AlertBounds {
            threshold: 100,
            recover: 60,
            hold: SignedDuration::from_secs(hold),
            recover_for: SignedDuration::from_secs(recover_for),
        }
    }

    /// What is told of samples, a minute apart.
    fn told(bounds: &AlertBounds, samples: &[Option<i64>]) -> Vec<(usize, AlertChange)> {
        let mut standing = AlertStanding::default();
        let mut told = Vec::new();
        for (minute, value) in samples.iter().enumerate() {
            let (next, change) = standing.after(bounds, *value, at(60 * minute as i64));
            standing = next;
            told.extend(change.map(|change| (minute, change)));
        }
        told
    }

    fn some(values: &[i64]) -> Vec<Option<i64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn it_fires_after_a_while_and_is_over_after_another() {
        use AlertChange::{Fired, Resolved};
        let bounds = bounds(120, 180);
        // Too short; then long enough; between the bounds; calm, but not for long; calm.
        let values = [0, 100, 150, 0, 100, 100, 100, 80, 70, 0, 0, 60, 0, 0, 0, 0, 0];
        assert_eq!(told(&bounds, &some(&values)), [(6, Fired), (15, Resolved)]);
        // At once, when nothing is asked.
        let bounds = self::bounds(0, 0);
        assert_eq!(told(&bounds, &some(&[100, 60, 59, 99])), [(0, Fired), (2, Resolved)]);
        // Nothing to judge by is not too much.
        assert_eq!(told(&bounds, &[Some(100), None, None]), [(0, Fired), (1, Resolved)]);
    }

    #[test]
    fn what_nobody_looked_at_does_not_count() {
        let bounds = bounds(120, 120);
        let (pending, _) = AlertStanding::default().after(&bounds, Some(100), at(0));
        // A daemon that was away for hours.
        let (pending, change) = pending.after(&bounds, Some(100), at(9_000));
        assert_eq!((pending.phase, change), (AlertPhase::Pending { since: at(9_000) }, None));
        let (firing, change) = pending.after(&bounds, Some(100), at(9_120));
        assert_eq!(change, Some(AlertChange::Fired));
        let (calm, _) = firing.after(&bounds, Some(0), at(9_180));
        let (calm, change) = calm.after(&bounds, Some(0), at(18_000));
        assert_eq!(change, None);
        assert_eq!(calm.phase, AlertPhase::Firing { calm_since: Some(at(18_000)) });
    }

    #[test]
    fn an_older_sample_changes_nothing_and_a_clock_that_was_set_back_begins_anew() {
        let bounds = bounds(60, 60);
        let (firing, _) = AlertStanding::default().after(&self::bounds(0, 60), Some(100), at(600));
        for late in [600, 599, 500] {
            assert_eq!(firing.after(&bounds, Some(0), at(late)), (firing, None));
        }
        let (calm, change) = firing.after(&bounds, Some(0), at(-86_400));
        assert_eq!(change, None);
        let (_, change) = calm.after(&bounds, Some(0), at(-86_340));
        assert_eq!(change, Some(AlertChange::Resolved));
    }

    fn samples() -> impl Strategy<Value = Vec<(i64, Option<i64>)>> {
        let value = prop_oneof![
            1 => Just(None),
            3 => (0_i64..60).prop_map(Some),
            3 => (60_i64..100).prop_map(Some),
            3 => (100_i64..200).prop_map(Some),
        ];
        // Mostly steady looks; sometimes none for a while, the same moment again, or an older one.
        let step = prop_oneof![8 => 1_i64..120, 1 => 300_i64..4_000, 1 => -100_i64..1];
        prop::collection::vec((step, value), 0..120)
    }

    proptest! {
        #[test]
        fn each_is_told_once_and_in_turn(hold in 0_i64..400, rest in 0_i64..400, samples in samples()) {
            let bounds = bounds(hold, rest);
            let (mut standing, mut now) = (AlertStanding::default(), 0);
            let (mut last, mut seen) = (AlertChange::Resolved, Vec::new());
            for (step, value) in samples {
                if step <= 0 {
                    // Of a daemon that was slower.
                    let late = standing.after(&bounds, value, at(now + step));
                    prop_assert!(standing.seen_at.is_none() || late == (standing, None));
                    continue;
                }
                now += step;
                let (next, change) = standing.after(&bounds, value, at(now));
                // The same sample again, from another daemon or after a restart, says nothing.
                prop_assert_eq!(next.after(&bounds, value, at(now)), (next, None));
                if next != standing {
                    seen.push((now, value));
                }
                standing = next;
                let Some(change) = change else { continue };
                prop_assert_ne!(change, last, "one firing, one resolution, in turn");
                last = change;
                // All that was seen for as long as the rule asks agrees.
                let (length, agrees): (i64, fn(Option<i64>) -> bool) = match change {
                    AlertChange::Fired => (hold, |value| value.is_some_and(|value| value >= 100)),
                    AlertChange::Resolved => (rest, |value| value.is_none_or(|value| value < 60)),
                };
                let since = seen.iter().rev().find(|(_, value)| !agrees(*value));
                let begun = seen.iter().find(|(at, _)| since.is_none_or(|(last, _)| at > last));
                let begun = begun.map_or(now, |(at, _)| *at);
                prop_assert!(now - begun >= length, "{change:?} at {now}, since {begun}");
            }
        }

        #[test]
        fn nothing_flaps(values in prop::collection::vec(60_i64..300, 1..80), rest in 0_i64..300) {
            // Whatever goes on above the lower bound: one firing at most, and never an end.
            let changes = told(&bounds(0, rest), &some(&values));
            prop_assert!(changes.len() <= 1, "{changes:?}");
            // Whatever goes on below the threshold: nothing at all.
            let low: Vec<i64> = values.iter().map(|value| value % 100).collect();
            prop_assert_eq!(told(&bounds(0, rest), &some(&low)), []);
        }
    }
}
