//! `webox margin`: what is left of what clients pay.

use clap::Args;
use serde_json::json;

use super::{
    Context, billing, exit, help,
    output::{Cell, Column, Format, Listing, Row, Tone},
    views,
};
use crate::{
    billing::reckoned::Margin as OfClient,
    domain::{Cents, Month, Result},
};

/// Arguments of `webox margin`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox margin", "this month so far, those who leave most first"),
        ("webox margin --month 2026-11 -o csv > margin.csv", "for a spreadsheet"),
    ],
    &[exit::FAILURE, exit::DATA, exit::DENIED, exit::CONFIG],
))]
pub struct Margin {
    /// The month, such as 2026-11; this one otherwise.
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
}

const COLUMNS: [Column; 6] = [
    Column::new("client", "client"),
    Column::new("revenue", "revenue").right(),
    Column::new("cost", "cost").right(),
    Column::new("margin", "margin").right(),
    Column::new("percent", "%").right(),
    Column::new("invoiced", "billed"),
];

pub(super) fn run(args: &Margin, context: &Context) -> Result<()> {
    let month = billing::month(args.month, context)?;
    let margins = context.desk("margin")?.margins(month)?;
    let mut listing = Listing::new("margins", COLUMNS);
    listing.rows = margins.iter().map(row).collect();
    listing.beside.insert("month".to_owned(), json!(month));
    context.out.listing(&listing)?;
    if context.out.format() == Format::Table {
        let sum = |of: fn(&OfClient) -> Cents| margins.iter().map(of).sum::<Cents>();
        let (revenue, cost) = (sum(|one| one.revenue), sum(|one| one.cost));
        let margin = revenue.plus(cost.negated());
        context.out.text(&format!(
            "\nin all  revenue {revenue}  cost {cost}  margin {margin} EUR, before tax\n"
        ))?;
        if margins.iter().any(|one| !one.invoiced) {
            context.out.note("What is not billed yet is what would be, as far as it is known.");
        }
    }
    Ok(())
}

fn row(one: &OfClient) -> Row {
    let tone = if one.margin < Cents::ZERO { Tone::Bad } else { Tone::Plain };
    Row {
        id: one.client.clone(),
        json: views::value(one),
        cells: vec![
            Cell::same(&one.client).tone(Tone::Strong),
            Cell::same(one.revenue.to_string()),
            Cell::same(one.cost.to_string()),
            Cell::same(one.margin.to_string()).tone(tone),
            Cell::maybe(one.percent.map(|percent| format!("{percent:.1}"))),
            Cell::same(if one.invoiced { "yes" } else { "no" }),
        ],
    }
}
