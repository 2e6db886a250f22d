//! A month as it is shown before and after it is billed: what was used, what it comes to, what is left.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::statement::Line;
use crate::domain::{AtLimit, Cents, Month};

/// How an assistant was used in a month, and what its plan covers of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BillingUsage")]
pub struct Usage {
    /// Its name.
    pub assistant: String,
    /// The plan; null when it has none, and nothing is billed for it.
    pub plan: Option<String>,
    /// The first day of the month that is paid for.
    #[schemars(with = "String")]
    pub from: Date,
    /// The last day.
    #[schemars(with = "String")]
    pub to: Date,
    /// Calls that count.
    pub calls: u64,
    /// How long they lasted together, in seconds.
    pub seconds: u64,
    /// Calls that the plan covers on these days; null for any number.
    pub covered_calls: Option<u64>,
    /// Minutes that it covers; null for any number.
    pub covered_minutes: Option<u64>,
    /// What happens beyond.
    pub at_limit: Option<AtLimit>,
    /// When a call first rang beyond what is covered, where the plan blocks or alerts then.
    #[schemars(with = "Option<String>")]
    pub limit_reached_at: Option<Timestamp>,
}

/// What a client owes for a month, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BillingPreview")]
pub struct Preview {
    /// The client.
    pub client: String,
    /// The month.
    pub month: Month,
    /// What was used, by assistant.
    pub usage: Vec<Usage>,
    /// What the bill would say, or says.
    pub lines: Vec<Line>,
    /// Before tax.
    pub net: Cents,
    /// The tax.
    pub tax: Cents,
    /// What is to be paid.
    pub total: Cents,
    /// ISO 4217.
    pub currency: String,
    /// The number of the bill, once there is one that was not taken back.
    pub invoice: Option<String>,
    /// What somebody should look at.
    pub warnings: Vec<String>,
}

/// What became of a client's bill when a month was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "BillingClosing")]
pub enum Closing {
    /// It was issued.
    Issued,
    /// It had been issued before.
    Unchanged,
    /// It had been taken back; only who names the client has another one issued.
    TakenBack,
    /// There is nothing to pay.
    Nothing,
    /// It could not be issued.
    Failed,
}

impl Closing {
    /// The word in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Unchanged => "unchanged",
            Self::TakenBack => "taken-back",
            Self::Nothing => "nothing",
            Self::Failed => "failed",
        }
    }
}

/// A client when a month was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BillingClosed")]
pub struct Closed {
    /// The client.
    pub client: String,
    /// What became of the bill.
    pub closing: Closing,
    /// Its number.
    pub number: Option<String>,
    /// What is to be paid.
    pub total: Option<Cents>,
    /// Why it could not be issued.
    pub problem: Option<String>,
}

/// What is left of what a client pays for a month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BillingMargin")]
pub struct Margin {
    /// The client.
    pub client: String,
    /// Before tax: what was billed, else what would be.
    pub revenue: Cents,
    /// Whether it was billed.
    pub invoiced: bool,
    /// What its calls cost, in euros.
    pub cost: Cents,
    /// The difference.
    pub margin: Cents,
    /// The same of a hundred of revenue; null where there is none.
    pub percent: Option<f64>,
}

impl Margin {
    /// The difference of both.
    pub fn of(client: String, (revenue, invoiced): (Cents, bool), cost: Cents) -> Self {
        let margin = revenue.plus(cost.negated());
        let percent = (revenue > Cents::ZERO).then(|| {
            // One place: more would say that it is known more exactly than it is.
            (margin.get() as f64 * 1_000.0 / revenue.get() as f64).round() / 10.0
        });
        Self { client, revenue, invoiced, cost, margin, percent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_may_be_less_than_nothing() {
        let margin = |revenue, cost| {
            let of = Margin::of("A".to_owned(), (Cents::new(revenue), true), Cents::new(cost));
            (of.margin.get(), of.percent)
        };
        assert_eq!(margin(5_000, 1_234), (3_766, Some(75.3)));
        assert_eq!(margin(1_000, 1_500), (-500, Some(-50.0)));
        assert_eq!(margin(0, 7), (-7, None));
    }
}
