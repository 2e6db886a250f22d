//! The overview of calls: what `webox stats` and the API's `/stats` answer.

use super::{Analysis, CallStatus};

/// How rows of statistics are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatsBy {
    /// One row a local day.
    Day,
    /// One row an assistant.
    Assistant,
    /// One row a status.
    Status,
    /// What came of them.
    Outcome,
    /// One row an hour of the local day.
    Hour,
    /// One row a weekday.
    Weekday,
    /// The language they ended in.
    Language,
    /// What they were about, in a model's words.
    Topic,
}

impl StatsBy {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Assistant => "assistant",
            Self::Status => "status",
            Self::Outcome => "outcome",
            Self::Hour => "hour",
            Self::Weekday => "weekday",
            Self::Language => "language",
            Self::Topic => "topic",
        }
    }
}

/// Sums over some calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breakdown {
    /// Number of calls.
    pub calls: u64,
    /// Sum of durations, in seconds.
    pub duration_s: u64,
    /// Sum of satisfaction scores (0–5 each).
    pub satisfaction_sum: u64,
    /// Number of calls with a score.
    pub satisfaction_count: u64,
}

impl Breakdown {
    /// Adds another sum to this one.
    pub fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.duration_s += other.duration_s;
        self.satisfaction_sum += other.satisfaction_sum;
        self.satisfaction_count += other.satisfaction_count;
    }

    /// Mean duration in seconds, 0 without calls.
    pub fn average_duration_s(&self) -> f64 {
        if self.calls == 0 { 0.0 } else { self.duration_s as f64 / self.calls as f64 }
    }

    /// Mean score, when any call has one.
    pub fn average_satisfaction(&self) -> Option<f64> {
        (self.satisfaction_count > 0)
            .then(|| self.satisfaction_sum as f64 / self.satisfaction_count as f64)
    }
}

/// One group: its key (a day `2026-11-23`, an assistant's name, a status) and its sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatsRow {
    /// What the group is.
    pub key: String,
    /// Its sums.
    pub sums: Breakdown,
}

/// The overview over a window of time.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Assistants that answer calls now.
    pub active_assistants: u64,
    /// All assistants that are not deleted.
    pub total_assistants: u64,
    /// Over all calls of the window.
    pub total: Breakdown,
    /// Calls by status, most frequent first.
    pub by_status: Vec<(CallStatus, u64)>,
    /// The grouping that was asked for, if any.
    pub rows: Vec<StatsRow>,
    /// What the calls show, where it was asked for.
    pub analysis: Option<Analysis>,
}
