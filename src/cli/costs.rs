//! `webox costs`: what was spent, and on what.

use clap::{Args, Subcommand, ValueEnum};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    views,
    window::WindowFlags,
};
use crate::{
    billing::example::{self, SETUPS},
    domain::{Costs as Spent, CostsBy, CostsRow, Currency, Error, Micros, Result},
};

/// Arguments of `webox costs`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox costs --since 30d", "a month, by provider"),
        ("webox costs --by client --since 30d -o csv > clients.csv", "for a spreadsheet"),
        ("webox costs --by day --assistant le-gourmet", "day by day"),
        ("webox costs --by model --currency usd", "what each model cost, in dollars"),
        ("webox costs example", "where the money of a call goes, by line, model and voice"),
    ],
    &[exit::FAILURE, exit::DATA],
))]
#[command(args_conflicts_with_subcommands = true)]
pub struct Costs {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    window: WindowFlags,
    /// Group by; a model is counted by its tokens only.
    #[arg(long, value_enum, value_name = "GROUP", default_value = "provider")]
    by: Group,
    /// Show amounts in this currency; `billing.currency` otherwise.
    #[arg(long, value_name = "CURRENCY")]
    currency: Option<Currency>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show what a call of five minutes comes to, by line, model and voice.
    Example(Example),
}

#[derive(Debug, Args)]
struct Example {
    /// By the prices of a day, such as 2026-12-01; of today otherwise.
    #[arg(long, value_name = "DATE")]
    on: Option<Date>,
    /// Show amounts in this currency; `billing.currency` otherwise.
    #[arg(long, value_name = "CURRENCY")]
    currency: Option<Currency>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    Provider,
    Product,
    Model,
    Unit,
    Assistant,
    Client,
    Day,
}

impl From<Group> for CostsBy {
    fn from(group: Group) -> Self {
        match group {
            Group::Provider => Self::Provider,
            Group::Product => Self::Product,
            Group::Model => Self::Model,
            Group::Unit => Self::Unit,
            Group::Assistant => Self::Assistant,
            Group::Client => Self::Client,
            Group::Day => Self::Day,
        }
    }
}

/// The longest bar.
const BAR: usize = 20;

fn currency(wished: Option<Currency>, context: &Context) -> Result<Currency> {
    match wished {
        Some(currency) => Ok(currency),
        None => Ok(context.settings()?.billing.currency.value),
    }
}

pub(super) fn run(args: &Costs, context: &Context) -> Result<()> {
    if let Some(Action::Example(args)) = &args.action {
        return example(args, context);
    }
    let window = args.window.read(context)?;
    let by = CostsBy::from(args.by);
    let currency = currency(args.currency, context)?;
    let costs = context.desk("costs")?.costs(window.span(), Some(by))?;
    let listing = rows(&costs, by, currency);
    match context.out.format() {
        Format::Json => {
            let rows: Vec<Value> = listing.rows.into_iter().map(|row| row.json).collect();
            context.out.objects([
                ("costs", views::costs(&costs)),
                ("by", by.as_str().into()),
                ("rows", json!(rows)),
            ])
        }
        Format::Table => {
            context.out.listing(&listing)?;
            context.out.text(&summary(&costs, by, currency))?;
            if costs.total.unpriced > 0 {
                let uses = human::count(costs.total.unpriced, "use has", "uses have");
                context.out.note(&format!(
                    "{uses} no price that is known, and are reckoned by the dearest one: `webox rates check` names them."
                ));
            }
            Ok(())
        }
        _ => context.out.listing(&listing),
    }
}

/// An amount for people: four places are a hundredth of a cent.
pub(super) fn shown(amount: Micros, currency: Currency) -> String {
    let rounded = (amount.get() + 50).div_euclid(100) * 100;
    let text = Micros::from_micros(rounded).to_string();
    let places = text.split_once('.').map_or(0, |(_, places)| places.len());
    format!("{text}{} {}", "0".repeat(4_usize.saturating_sub(places)), currency.as_str())
}

fn summary(costs: &Spent, by: CostsBy, currency: Currency) -> String {
    let total = costs.total.cost.of(currency);
    let listed = costs.rows.iter().fold(Micros::ZERO, |sum, row| sum.plus(row.cost.of(currency)));
    let mut lines = vec![String::new()];
    if by == CostsBy::Model {
        lines.push(format!("models  {}", shown(listed, currency)));
    }
    lines.push(format!("in all  {}", shown(total, currency)));
    let twilio = &costs.charged;
    if twilio.calls > 0 {
        let difference = twilio.charged.minus(twilio.reckoned).of(currency);
        lines.push(format!(
            "Twilio charged {} for the minutes of {}; {} were reckoned: a difference of {}",
            shown(twilio.charged.of(currency), currency),
            human::count(twilio.calls, "call", "calls"),
            shown(twilio.reckoned.of(currency), currency),
            shown(difference, currency),
        ));
    }
    lines.join("\n") + "\n"
}

fn rows(costs: &Spent, by: CostsBy, currency: Currency) -> Listing {
    let key = match currency {
        Currency::Eur => "eur",
        Currency::Usd => "usd",
    };
    let columns = [
        Column::new(by.as_str(), by.as_str()),
        Column::new(key, "cost").right(),
        Column::new("entries", "uses").right(),
        Column::new("unpriced", "unpriced").right(),
        Column::new("quantity", "quantity").right().hidden(),
        Column::new("bar", ""),
    ];
    let largest = costs.rows.iter().map(|row| row.cost.of(currency).get().max(0).unsigned_abs());
    let largest = largest.max().unwrap_or(0);
    let mut listing = Listing::new("rows", Vec::from(columns));
    listing.rows = costs.rows.iter().map(|one| row(one, by, currency, largest)).collect();
    listing
}

fn row(one: &CostsRow, by: CostsBy, currency: Currency, largest: u64) -> Row {
    let amount = one.cost.of(currency);
    let bar = human::bar(amount.get().max(0).unsigned_abs(), largest, BAR);
    let mut json = views::costs_row(one);
    json.insert(by.as_str().to_owned(), one.key.clone().into());
    Row {
        id: one.key.clone(),
        json: json.into(),
        cells: vec![
            Cell::same(one.key.as_str()),
            Cell::shown(amount.to_string(), shown(amount, currency)),
            Cell::same(one.entries.to_string()),
            match one.unpriced {
                0 => Cell::shown("0", ""),
                count => Cell::same(count.to_string()).tone(Tone::Bad),
            },
            Cell::maybe(one.quantity.map(|count| count.to_string())),
            Cell::shown("", bar).tone(Tone::Good),
        ],
    }
}

/// The reference call, set up in several ways.
fn example(args: &Example, context: &Context) -> Result<()> {
    context.here("costs example")?;
    let currency = currency(args.currency, context)?;
    let at: Timestamp = match args.on {
        Some(day) => day
            .to_zoned_datetime(TimeZone::UTC)
            .map_err(|cause| Error::input("there is no such day").because(cause))?
            .timestamp(),
        None => context.now()?.timestamp(),
    };
    let book = context.prices()?;
    let columns = [
        Column::new("line", "line"),
        Column::new("listens", "listens"),
        Column::new("thinks", "thinks"),
        Column::new("speaks", "speaks"),
        Column::new("minutes", "minutes").right(),
        Column::new("listening", "listening").right(),
        Column::new("thinking", "thinking").right(),
        Column::new("speaking", "speaking").right(),
        Column::new("total", "total").right(),
    ];
    let mut listing = Listing::new("setups", Vec::from(columns));
    for setup in &SETUPS {
        let reckoned = example::reckon(&book, setup, at);
        let parts = [
            ("minutes", reckoned.minutes),
            ("listening", reckoned.heard),
            ("thinking", reckoned.thought),
            ("speaking", reckoned.spoken),
            ("total", reckoned.total()),
        ];
        let words = [
            ("line", setup.line.as_str()),
            ("listens", setup.ear.unwrap_or("twilio")),
            ("thinks", setup.model),
            ("speaks", setup.mouth.map_or("twilio", |(provider, _)| provider)),
        ];
        let mut json = serde_json::Map::new();
        let mut cells = Vec::new();
        for (key, word) in words {
            json.insert(key.to_owned(), word.into());
            cells.push(Cell::same(word));
        }
        for (key, cost) in parts {
            let amount = cost.of(currency);
            json.insert(
                key.to_owned(),
                json!({ "eur": cost.eur.to_string(), "usd": cost.usd.to_string() }),
            );
            cells.push(Cell::shown(amount.to_string(), shown(amount, currency)));
        }
        json.insert("unpriced".to_owned(), reckoned.unpriced.into());
        let id = words.map(|(_, word)| word).join("+");
        listing.rows.push(Row { id, json: json.into(), cells });
    }
    context.out.listing(&listing)?;
    context.out.note(
        "Five minutes, fifteen exchanges, to a French number; `docs/costs.md` says what is in it.",
    );
    Ok(())
}
