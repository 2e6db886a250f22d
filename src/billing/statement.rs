//! What a client owes for a month: the use of each assistant, by its plan. Pure.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{catalogue::Vat, plan::Plan};
use crate::domain::{AtLimit, Cents, Micros, Month, PaidDays};

/// How much an assistant was used in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The assistant.
    pub assistant: String,
    /// Calls that count.
    pub calls: u64,
    /// How long these lasted together, in seconds.
    pub seconds: u64,
    /// The first day that is paid for.
    pub start: Date,
    /// The last day that is paid for, when it is known.
    pub end: Option<Date>,
}

/// A line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// For which assistant.
    pub assistant: String,
    /// For what.
    #[serde(flatten)]
    pub what: What,
    /// How many.
    pub quantity: u64,
    /// Of one.
    pub price: Micros,
    /// All of them, before tax.
    pub net: Cents,
    /// The tax.
    pub vat: Vat,
}

/// What a line is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "item", rename_all = "kebab-case")]
pub enum What {
    /// Once, at the begin.
    Setup {
        /// The plan.
        plan: String,
    },
    /// The month's fee, or the part of it from one day to another.
    Month {
        /// The plan.
        plan: String,
        /// The first day.
        #[schemars(with = "String")]
        from: Date,
        /// The last day.
        #[schemars(with = "String")]
        to: Date,
    },
    /// Calls that the fee does not cover.
    Calls {
        /// All of the month that count.
        all: u64,
        /// Those that it covers.
        covered: u64,
    },
    /// Minutes that the fee does not cover.
    Minutes {
        /// All of the month, a begun last one counted whole.
        all: u64,
        /// Those that it covers.
        covered: u64,
    },
}

impl What {
    /// Its word in tables.
    pub const fn item(&self) -> &'static str {
        match self {
            Self::Setup { .. } => "setup",
            Self::Month { .. } => "month",
            Self::Calls { .. } => "calls",
            Self::Minutes { .. } => "minutes",
        }
    }
}

/// The lines of an assistant. What its fee covers in a month that is not whole, it covers in
/// proportion to the days, rounded up.
pub fn lines(name: &str, plan: &Plan, vat: Vat, month: Month, used: &Use) -> Vec<Line> {
    let Some(days) = PaidDays::of(month, used.start, used.end) else { return Vec::new() };
    let (from, to, paid, of) = (days.from, days.to, days.count(), month.days());
    let line = |what, quantity, price: Micros| Line {
        assistant: used.assistant.clone(),
        what,
        quantity,
        price,
        net: Cents::nearest(price.times(quantity)),
        vat,
    };
    let mut lines = Vec::new();
    let whole = Micros::ZERO;
    if plan.setup > whole && Month::of(used.start) == month {
        lines.push(line(What::Setup { plan: name.to_owned() }, 1, plan.setup));
    }
    if plan.month > whole {
        // In cents, so that the line's price times one is its amount.
        let fee = if paid == of { plan.month } else { in_cents(plan.month, paid, of) };
        lines.push(line(What::Month { plan: name.to_owned(), from, to }, 1, fee));
    }
    if plan.at_limit != AtLimit::Bill {
        return lines;
    }
    if let (Some(calls), Some(price)) = (plan.calls, &plan.call) {
        let covered = days.part(calls.into());
        for (count, price) in price.split(used.calls.saturating_sub(covered)) {
            let what = What::Calls { all: used.calls, covered };
            lines.push(line(what, count, price));
        }
    }
    if let (Some(minutes), Some(price)) = (plan.minutes, plan.minute) {
        let (all, covered) = (used.seconds.div_ceil(60), days.part(minutes.into()));
        let beyond = all.saturating_sub(covered);
        if beyond > 0 {
            lines.push(line(What::Minutes { all, covered }, beyond, price));
        }
    }
    lines
}

fn in_cents(fee: Micros, days: u32, of: u32) -> Micros {
    let cents = Cents::nearest(fee).get();
    let twice = i128::from(cents) * i128::from(days) * 2 + i128::from(of);
    let nearest = twice / (i128::from(of) * 2);
    Micros::from_hundredths(i64::try_from(nearest).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::catalogue::Catalogue;

    fn month() -> Month {
        "2026-11".parse().unwrap()
    }

    fn used(calls: u64, seconds: u64, start: &str) -> Use {
        let start = start.parse().unwrap();
        Use { assistant: "le-gourmet".to_owned(), calls, seconds, start, end: None }
    }

    fn told(plan: &str, used: &Use) -> Vec<(u64, String, String)> {
        let plans = Catalogue::shipped().plans;
        let lines = lines(plan, &plans[plan], Vat::default(), month(), used);
        let told = |line: Line| (line.quantity, line.price.to_string(), line.net.to_string());
        lines.into_iter().map(told).collect()
    }

    fn line(quantity: u64, price: &str, net: &str) -> (u64, String, String) {
        (quantity, price.to_owned(), net.to_owned())
    }

    #[test]
    fn a_month_by_each_plan() {
        let year = "2026-01-01";
        assert_eq!(told("starter", &used(100, 0, year)), [line(1, "50.00", "50.00")]);
        assert_eq!(
            told("starter", &used(112, 0, year)),
            [line(1, "50.00", "50.00"), line(12, "0.75", "9.00")]
        );
        assert_eq!(told("enterprise", &used(90_000, 0, year)), [line(1, "500.00", "500.00")]);
        assert_eq!(
            told("pay-per-call", &used(612, 0, year)),
            [line(100, "1.00", "100.00"), line(400, "0.75", "300.00"), line(112, "0.50", "56.00")]
        );
        assert_eq!(told("freemium", &used(10, 0, year)), []);
        assert_eq!(told("starter", &used(0, 0, "2026-12-01")), [], "it comes later");
    }

    #[test]
    fn a_part_of_a_month_costs_and_covers_a_part() {
        // From the 12th on: 19 of 30 days, 31.67 € of 50, 64 of 100 calls.
        let lines = told("starter", &used(70, 0, "2026-11-12"));
        assert_eq!(lines, [line(1, "31.67", "31.67"), line(6, "0.75", "4.50")]);
        let mut gone = used(0, 0, "2026-01-01");
        gone.end = Some("2026-11-15".parse().unwrap());
        assert_eq!(told("starter", &gone), [line(1, "25.00", "25.00")]);
        gone.end = Some("2026-10-31".parse().unwrap());
        assert_eq!(told("starter", &gone), []);
    }

    #[test]
    fn setup_is_paid_once_and_minutes_beyond_those_covered() {
        let plan = Plan {
            setup: Micros::from_units(90),
            minutes: Some(100),
            minute: Some("0.10".parse().unwrap()),
            ..Plan::default()
        };
        let net = |used: &Use| -> Vec<String> {
            lines("own", &plan, Vat::default(), month(), used)
                .iter()
                .map(|line| line.net.to_string())
                .collect()
        };
        assert_eq!(net(&used(0, 6_061, "2026-11-01")), ["90.00", "0.20"]);
        assert_eq!(net(&used(0, 6_000, "2026-10-01")), [""; 0]);
    }

    proptest::proptest! {
        #[test]
        fn two_parts_of_a_month_come_to_the_whole(day in 2_i8..=30, fee in 1_i64..100_000) {
            let plan = Plan { month: Micros::from_hundredths(fee), ..Plan::default() };
            let all = used(0, 0, "2026-01-01");
            let before = Use {
                end: Some(Date::new(2026, 11, day - 1).unwrap()), ..all.clone()
            };
            let after = Use { start: Date::new(2026, 11, day).unwrap(), ..all };
            let net = |used: &Use| lines("p", &plan, Vat::default(), month(), used).iter().map(|line| line.net).sum::<Cents>().get();
            let sum = net(&before) + net(&after);
            proptest::prop_assert!((sum - fee).abs() <= 1, "{sum} and {fee}");
        }
    }
}
