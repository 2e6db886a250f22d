//! What a call cost, under its transcript.

use std::collections::BTreeMap;

use super::output::{Colour, Tone};
use crate::{
    cli::costs::shown,
    domain::{Currency, Micros, Unit, WholeCall},
};

/// The breakdown of a call's cost; nothing when nothing was entered.
pub(super) fn render(whole: &WholeCall, currency: Currency, colour: Colour) -> String {
    if whole.costs.is_empty() {
        return String::new();
    }
    let mut sums: BTreeMap<(&str, &str, Unit), (u64, Micros, bool)> = BTreeMap::new();
    let mut total = Micros::ZERO;
    for entry in &whole.costs {
        let sum =
            sums.entry((entry.provider.as_str(), entry.product.as_str(), entry.unit)).or_default();
        let cost = entry.cost.of(currency);
        *sum = (sum.0.saturating_add(entry.quantity), sum.1.plus(cost), sum.2 || entry.unpriced);
        total = total.plus(cost);
    }
    let mut lines = vec![String::new(), colour.paint(Tone::Strong, "cost")];
    for ((provider, product, unit), (quantity, cost, unpriced)) in sums {
        let what = format!("{provider}/{product}");
        let count = format!("{quantity} {}", plural(unit, quantity));
        let mark = if unpriced { "  no price is known" } else { "" };
        lines.push(format!("  {what:<32}  {count:>18}  {:>14}{mark}", shown(cost, currency)));
    }
    lines.push(format!("  {:<32}  {:>18}  {:>14}", "in all", "", shown(total, currency)));
    if let Some(charge) = &whole.charge {
        lines.push(format!(
            "  Twilio charged {} {} for the minutes: {} more than reckoned",
            charge.amount,
            charge.currency.as_str(),
            shown(charge.charged.minus(charge.reckoned).of(currency), currency)
        ));
    }
    lines.join("\n") + "\n"
}

fn plural(unit: Unit, quantity: u64) -> String {
    let word = match unit {
        Unit::Input => "token",
        Unit::Cached => "cached token",
        Unit::CacheWrite => "token cached",
        Unit::Output => "token out",
        Unit::Character
        | Unit::Second
        | Unit::Minute
        | Unit::Recognition
        | Unit::Segment
        | Unit::Call => unit.as_str(),
    };
    match (word.split_once(' '), quantity) {
        (_, 1) => word.to_owned(),
        (Some(("token", rest)), _) => format!("tokens {rest}"),
        _ => format!("{word}s"),
    }
}
