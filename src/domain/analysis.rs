//! What a window of calls shows: when they came, what came of them, how callers fared.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Breakdown, Cost, Latency, Micros};

/// Some of a number of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// These.
    pub calls: u64,
    /// Of so many.
    pub of: u64,
}

impl Part {
    /// The share in percent; nothing of none.
    pub fn percent(self) -> Option<f64> {
        (self.of > 0).then(|| self.calls as f64 * 100.0 / self.of as f64)
    }
}

/// Calls that share something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// What: an outcome, a language, a topic.
    pub key: String,
    /// How many.
    pub calls: u64,
}

/// A local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DayFigures {
    /// Which.
    #[schemars(with = "String")]
    pub day: Date,
    /// How many calls began on it.
    pub calls: u64,
    /// Seconds.
    pub duration: u64,
    /// Scores added up.
    pub satisfaction_sum: u64,
    /// And counted.
    pub satisfaction_count: u64,
}

impl DayFigures {
    /// Mean score, when any call has one.
    pub fn average_satisfaction(&self) -> Option<f64> {
        (self.satisfaction_count > 0)
            .then(|| self.satisfaction_sum as f64 / self.satisfaction_count as f64)
    }
}

/// What calls cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallsCost {
    /// Ended calls of which it is known.
    pub calls: u64,
    /// All of them together, in euros.
    #[schemars(with = "String")]
    pub eur: Micros,
    /// In dollars.
    #[schemars(with = "String")]
    pub usd: Micros,
}

impl CallsCost {
    /// All of them together.
    pub const fn total(self) -> Cost {
        Cost { eur: self.eur, usd: self.usd }
    }

    /// A call's on average; nothing of none.
    pub fn average(self) -> Option<Cost> {
        let calls = i64::try_from(self.calls).ok().filter(|calls| *calls > 0)?;
        let each = |sum: Micros| Micros::from_micros(sum.get() / calls);
        Some(Cost { eur: each(self.eur), usd: each(self.usd) })
    }
}

/// What a window of calls shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Analysis {
    /// Calls, those that go on included.
    pub total_calls: u64,
    /// Seconds.
    pub total_duration: u64,
    /// Scores added up.
    pub satisfaction_sum: u64,
    /// And counted.
    pub satisfaction_count: u64,
    /// What came of calls, most frequent first; `unknown` of those that go on, and those from elsewhere.
    pub outcomes: Vec<Share>,
    /// The languages that they were in, most frequent first.
    pub languages: Vec<Share>,
    /// Of the completed calls of which something came: those that no human took.
    pub contained: Part,
    /// Of the calls whose outcome is known, machines, those not reached and those turned down left out:
    /// those that were given up without a result.
    pub abandoned: Part,
    /// Of the calls with a number that were not turned down: those whose caller had called the same
    /// assistant in the seven days before.
    pub repeated: Part,
    /// What calls cost that ended.
    pub cost: CallsCost,
    /// How many calls began by weekday, Monday first, and by hour of the day, from midnight on.
    #[schemars(length(equal = 7))]
    pub week: Vec<Vec<u64>>,
    /// The days that have calls, oldest first.
    pub days: Vec<DayFigures>,
    /// How long callers wait, as far as it was measured; each figure is at most a step above the exact one.
    pub waits: Vec<Latency>,
}

impl Analysis {
    /// The sums over all calls.
    pub const fn total(&self) -> Breakdown {
        Breakdown {
            calls: self.total_calls,
            duration_s: self.total_duration,
            satisfaction_sum: self.satisfaction_sum,
            satisfaction_count: self.satisfaction_count,
        }
    }
}
