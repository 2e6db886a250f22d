//! `webox rates`: the prices that costs are reckoned by.

use std::{path::PathBuf, sync::Arc};

use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde_json::json;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Listing, Row, Tone},
};
use crate::{
    billing::rates,
    domain::{Error, PriceBook, Rate, Result},
    operations::ledger,
};

/// Arguments of `webox rates`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox rates", "every price, of your own file before those that are shipped"),
        ("webox rates list --provider twilio --on 2026-12-01", "what Twilio will cost"),
        ("webox rates check rates.toml", "whether a file is right, before it is used"),
        ("webox rates check", "the file in use, and what was used without a price"),
    ],
    &[exit::FAILURE, exit::DATA, exit::CONFIG],
))]
pub struct Rates {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List prices (the same as `webox rates`).
    List(List),
    /// Check a file of rates, and name what was used without a price.
    Check(Check),
}

#[derive(Debug, Default, Args)]
struct List {
    /// Those of a day, such as 2026-12-01; of today otherwise.
    #[arg(long, value_name = "DATE")]
    on: Option<Date>,
    /// Of one provider.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
}

#[derive(Debug, Args)]
struct Check {
    /// The file; the one in use otherwise.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

const COLUMNS: [Column; 9] = [
    Column::new("provider", "provider"),
    Column::new("product", "product"),
    Column::new("unit", "unit"),
    Column::new("price", "price").right(),
    Column::new("currency", "currency"),
    Column::new("per", "for"),
    Column::new("from", "from"),
    Column::new("until", "until"),
    Column::new("source", "source"),
];

pub(super) fn run(args: &Rates, context: &Context) -> Result<()> {
    match &args.action {
        None => list(&List::default(), context),
        Some(Action::List(args)) => list(args, context),
        Some(Action::Check(args)) => check(args, context),
    }
}

fn list(args: &List, context: &Context) -> Result<()> {
    context.here("rates")?;
    let book = context.prices()?;
    let day = match args.on {
        Some(day) => day,
        None => context.now()?.timestamp().to_zoned_datetime(jiff::tz::TimeZone::UTC).date(),
    };
    let wanted =
        |rate: &&Arc<Rate>| args.provider.as_deref().is_none_or(|name| rate.provider == name);
    // The first that holds counts: one of your own hides the one that is shipped.
    let counts = |rate: &&Arc<Rate>| {
        let found = book.rates().iter().find(|other| {
            (&other.provider, &other.product, other.unit)
                == (&rate.provider, &rate.product, rate.unit)
                && other.holds(day)
        });
        found.is_some_and(|found| Arc::ptr_eq(found, rate))
    };
    let mut listing = Listing::new("rates", COLUMNS);
    listing.rows =
        book.rates().iter().filter(wanted).filter(counts).map(|rate| row(rate)).collect();
    if let (true, Some(name)) = (listing.rows.is_empty(), &args.provider) {
        return Err(Error::not_found(format!("no price of `{}` is known", name.escape_debug()))
            .hint("`webox rates` lists all of them"));
    }
    context.out.listing(&listing)?;
    let exchange = book.exchange(day);
    context.out.note(&format!("1 EUR is {} USD.", exchange.dollars));
    Ok(())
}

fn row(rate: &Rate) -> Row {
    let day = |day: Option<Date>| day.map(|day| day.to_string());
    let source =
        if rate.guess { format!("(a guess) {}", rate.source) } else { rate.source.clone() };
    Row {
        id: format!("{}/{}/{}", rate.provider, rate.product, rate.unit.as_str()),
        json: json!({
            "provider": rate.provider,
            "product": rate.product,
            "unit": rate.unit.as_str(),
            "price": rate.price.to_string(),
            "currency": rate.currency.as_str(),
            "per": rate.unit.per(),
            "from": day(rate.from),
            "until": day(rate.until),
            "guess": rate.guess,
            "origin": rate.origin,
            "source": rate.source,
        }),
        cells: vec![
            Cell::same(rate.provider.as_str()).tone(Tone::Strong),
            Cell::same(rate.product.as_str()),
            Cell::same(rate.unit.as_str()),
            Cell::same(rate.price.to_string()),
            Cell::same(rate.currency.as_str()),
            Cell::shown(rate.unit.per().to_string(), rate.unit.priced_by()),
            Cell::maybe(day(rate.from)),
            Cell::maybe(day(rate.until)),
            Cell::same(source),
        ],
    }
}

fn check(args: &Check, context: &Context) -> Result<()> {
    context.here("rates check")?;
    if let Some(file) = &args.file {
        let book = rates::open(file)?;
        let own = own(&book);
        let count = human::count(own as u64, "price", "prices");
        context.out.note(&format!("{}: {count}, no mistakes.", file.display()));
        return Ok(());
    }
    let book = context.prices()?;
    match &context.settings()?.billing.rates.value {
        Some(file) => {
            let count = human::count(own(&book) as u64, "price", "prices");
            context.out.note(&format!("{}: {count}, no mistakes.", file.display()));
        }
        None => context.out.note("No file of your own: prices are as shipped."),
    }
    let unpriced = ledger::unpriced(&context.store_to_ask()?)?;
    let mut listing = Listing::new(
        "unpriced",
        [
            Column::new("provider", "provider"),
            Column::new("product", "product"),
            Column::new("unit", "unit"),
            Column::new("entries", "uses").right(),
        ],
    );
    listing.rows = unpriced
        .iter()
        .map(|(provider, product, unit, entries)| Row {
            id: format!("{provider}/{product}/{}", unit.as_str()),
            json: json!({
                "provider": provider, "product": product, "unit": unit.as_str(), "entries": entries,
            }),
            cells: vec![
                Cell::same(provider.as_str()),
                Cell::same(product.as_str()),
                Cell::same(unit.as_str()),
                Cell::same(entries.to_string()),
            ],
        })
        .collect();
    context.out.listing(&listing)?;
    if unpriced.is_empty() {
        context.out.note("Everything that was used has a price.");
    } else {
        context.out.note("These were reckoned by the dearest price that is known, or by a guess.");
    }
    Ok(())
}

/// How many prices are not those that are shipped.
fn own(book: &PriceBook) -> usize {
    book.rates().len() - rates::shipped().rates().len()
}
