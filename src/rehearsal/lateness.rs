//! How late the player itself was: what a saturated machine must not blame on the daemon.

use std::time::Duration;

/// Half milliseconds that are told apart; what is later is in the last one.
const STEPS: usize = 200;

/// A step is so long.
const STEP_MICROS: u128 = 500;

/// How many moments were how late, to half a millisecond. Small, whatever is recorded.
#[derive(Debug, Clone)]
pub struct Lateness {
    steps: [u32; STEPS],
    latest: Duration,
}

impl Default for Lateness {
    fn default() -> Self {
        Self { steps: [0; STEPS], latest: Duration::ZERO }
    }
}

impl Lateness {
    /// A moment was so late.
    pub fn record(&mut self, late: Duration) {
        let step = (late.as_micros() / STEP_MICROS).min(STEPS as u128 - 1) as usize;
        self.steps[step] = self.steps[step].saturating_add(1);
        self.latest = self.latest.max(late);
    }

    /// Takes another's moments in.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.steps.iter_mut().zip(other.steps) {
            *mine = mine.saturating_add(theirs);
        }
        self.latest = self.latest.max(other.latest);
    }

    /// How many moments there were.
    pub fn count(&self) -> u64 {
        self.steps.iter().map(|count| u64::from(*count)).sum()
    }

    /// No more than a share of the moments was later than this; zero of none.
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = ((self.count() as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (step, count) in self.steps.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= rank {
                let end = Duration::from_micros((step as u64 + 1) * STEP_MICROS as u64);
                return if step + 1 == STEPS { self.latest } else { end.min(self.latest) };
            }
        }
        Duration::ZERO
    }

    /// The latest.
    pub fn latest(&self) -> Duration {
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_found_to_half_a_millisecond() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.quantile(0.99), Duration::ZERO);
        for _ in 0..98 {
            lateness.record(Duration::from_micros(200));
        }
        let mut other = Lateness::default();
        other.record(Duration::from_millis(7));
        other.record(Duration::from_secs(3));
        lateness.add(&other);
        assert_eq!(lateness.count(), 100);
        assert_eq!(lateness.quantile(0.5), Duration::from_micros(500));
        assert_eq!(lateness.quantile(0.99), Duration::from_micros(7_500));
        assert_eq!(lateness.quantile(1.0), Duration::from_secs(3));
        assert_eq!(lateness.latest(), Duration::from_secs(3));
    }
}
