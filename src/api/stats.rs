//! Statistics.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Success;
use crate::domain::{Analysis, Breakdown, CallStatus, Latency, Stats, StatsRow};

/// How many calls stand so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatusCount {
    /// The status.
    pub status: CallStatus,
    /// Calls.
    pub count: u64,
}

/// Sums over calls.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Stats")]
pub struct StatsView {
    /// Calls.
    pub total_calls: u64,
    /// Seconds.
    pub total_duration: u64,
    /// Seconds.
    pub average_duration: f64,
    /// 0 to 5, when any call has a score.
    pub average_satisfaction: Option<f64>,
    /// Assistants that answer now.
    pub active_assistants: u64,
    /// All assistants.
    pub total_assistants: u64,
    /// Most frequent first.
    pub calls_by_status: Vec<StatusCount>,
    /// What averages are made of: scores added up.
    #[serde(default)]
    pub satisfaction_sum: u64,
    /// And counted.
    #[serde(default)]
    pub satisfaction_count: u64,
}

/// Two digits are all that an average means.
fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

impl From<&Stats> for StatsView {
    fn from(stats: &Stats) -> Self {
        let total = &stats.total;
        Self {
            total_calls: total.calls,
            total_duration: total.duration_s,
            average_duration: rounded(total.average_duration_s()),
            average_satisfaction: total.average_satisfaction().map(rounded),
            active_assistants: stats.active_assistants,
            total_assistants: stats.total_assistants,
            calls_by_status: stats
                .by_status
                .iter()
                .map(|(status, count)| StatusCount { status: *status, count: *count })
                .collect(),
            satisfaction_sum: total.satisfaction_sum,
            satisfaction_count: total.satisfaction_count,
        }
    }
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatsGroup {
    /// A day, an assistant's name, a status, an outcome, an hour `00` to `23`, a weekday, a language, a topic.
    pub key: String,
    /// Calls.
    pub total_calls: u64,
    /// Seconds.
    pub total_duration: u64,
    /// Seconds.
    pub average_duration: f64,
    /// 0 to 5, when any call has a score.
    pub average_satisfaction: Option<f64>,
    /// What the average is made of: scores added up.
    pub satisfaction_sum: u64,
    /// And counted.
    pub satisfaction_count: u64,
}

impl From<&StatsRow> for StatsGroup {
    fn from(row: &StatsRow) -> Self {
        Self {
            key: row.key.clone(),
            total_calls: row.sums.calls,
            total_duration: row.sums.duration_s,
            average_duration: rounded(row.sums.average_duration_s()),
            average_satisfaction: row.sums.average_satisfaction().map(rounded),
            satisfaction_sum: row.sums.satisfaction_sum,
            satisfaction_count: row.sums.satisfaction_count,
        }
    }
}

/// Statistics, with groups when they were asked for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Statistics {
    /// True.
    pub success: Success,
    /// Over all.
    pub stats: StatsView,
    /// By what was asked.
    pub rows: Vec<StatsGroup>,
    /// What the calls show, with `details=true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Analysis>,
}

impl From<&Stats> for Statistics {
    fn from(stats: &Stats) -> Self {
        Self {
            success: Success::default(),
            stats: stats.into(),
            rows: stats.rows.iter().map(StatsGroup::from).collect(),
            analysis: stats.analysis.clone(),
        }
    }
}

impl From<Statistics> for Stats {
    fn from(statistics: Statistics) -> Self {
        let view = statistics.stats;
        let row = |group: StatsGroup| StatsRow {
            key: group.key,
            sums: Breakdown {
                calls: group.total_calls,
                duration_s: group.total_duration,
                satisfaction_sum: group.satisfaction_sum,
                satisfaction_count: group.satisfaction_count,
            },
        };
        Self {
            active_assistants: view.active_assistants,
            total_assistants: view.total_assistants,
            total: Breakdown {
                calls: view.total_calls,
                duration_s: view.total_duration,
                satisfaction_sum: view.satisfaction_sum,
                satisfaction_count: view.satisfaction_count,
            },
            by_status: view.calls_by_status.iter().map(|one| (one.status, one.count)).collect(),
            rows: statistics.rows.into_iter().map(row).collect(),
            analysis: statistics.analysis,
        }
    }
}

/// How long callers wait: a row for each stage of each group.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Latencies {
    /// True.
    pub success: Success,
    /// By group, then in the order in which they happen.
    pub rows: Vec<Latency>,
}
