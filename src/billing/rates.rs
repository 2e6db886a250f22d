//! Prices: as shipped, and as a file of one's own has them. [`PriceBook`] is what they are looked up in.

use std::{collections::BTreeMap, path::Path, sync::Arc, sync::OnceLock};

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de::Error as _};
use toml::Spanned;

use crate::{
    document::{self, Problem},
    domain::{Currency, Error, Exchange, Micros, PriceBook, Rate, Result, Unit},
};

/// What a file of rates holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Which state of the file: part of what an entry remembers of its rate.
    edition: Option<String>,
    #[serde(default = "dollars", deserialize_with = "currency")]
    currency: Currency,
    #[serde(default)]
    exchange: Vec<FileExchange>,
    #[serde(default)]
    rate: Vec<FileRate>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileExchange {
    #[serde(deserialize_with = "day")]
    from: Option<Date>,
    /// Dollars that a euro is.
    eur: Spanned<Micros>,
    #[serde(default, rename = "source")]
    _source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRate {
    provider: Spanned<String>,
    product: Spanned<String>,
    prices: BTreeMap<Unit, Micros>,
    #[serde(default, deserialize_with = "optional_currency")]
    currency: Option<Currency>,
    #[serde(default, deserialize_with = "day")]
    from: Option<Date>,
    #[serde(default, deserialize_with = "day")]
    until: Option<Date>,
    #[serde(default)]
    guess: bool,
    #[serde(default)]
    source: String,
}

const fn dollars() -> Currency {
    Currency::Usd
}

fn currency<'de, D: Deserializer<'de>>(from: D) -> Result<Currency, D::Error> {
    String::deserialize(from)?.parse().map_err(|error: Error| D::Error::custom(error.to_string()))
}

fn optional_currency<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Currency>, D::Error> {
    currency(from).map(Some)
}

/// A day, as TOML writes one: `2026-11-01`.
fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    let written = toml::value::Datetime::deserialize(from)?;
    let (Some(date), None) = (written.date, written.time) else {
        return Err(D::Error::custom("a day is meant here, such as 2026-11-01"));
    };
    let (year, month, day) = (date.year, date.month, date.day);
    let date = i16::try_from(year)
        .ok()
        .zip(i8::try_from(month).ok().zip(i8::try_from(day).ok()))
        .and_then(|(year, (month, day))| Date::new(year, month, day).ok());
    date.map(Some).ok_or_else(|| D::Error::custom("there is no such day"))
}

/// The rates of a file, in its order.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    /// The rates.
    pub rates: Vec<Rate>,
    /// What euros are.
    pub exchange: Vec<Exchange>,
}

/// Reads a file of rates, or says everything that is wrong with it.
///
/// # Errors
/// Every mistake, with its place.
pub fn read(name: &str, text: &str) -> Result<Rates, Vec<Problem>> {
    let file: File = document::read(name, text)?;
    let mut problems = Vec::new();
    let origin = match &file.edition {
        Some(edition) => format!("{name} {edition}"),
        None => name.to_owned(),
    };
    let mut exchange = Vec::new();
    for one in &file.exchange {
        if *one.eur.get_ref() == Micros::ZERO {
            problems.push(
                Problem::on(name, text, one.eur.span(), "a euro is worth something")
                    .hint("the dollars that a euro is: `eur = \"1.08\"`"),
            );
        }
        exchange
            .push(Exchange { from: one.from.unwrap_or(Date::MIN), dollars: *one.eur.get_ref() });
    }
    let mut rates: Vec<Rate> = Vec::new();
    for one in &file.rate {
        let on = |span, message: String| Problem::on(name, text, span, message);
        for (key, value) in [("provider", &one.provider), ("product", &one.product)] {
            let value_text = value.get_ref();
            if value_text.trim() != value_text || value_text.is_empty() || value_text.len() > 100 {
                problems.push(on(value.span(), format!("`{key}` is no name")));
            }
        }
        if let (Some(from), Some(until)) = (one.from, one.until)
            && until <= from
        {
            let message = format!("it ends on {until}, before it begins on {from}");
            problems.push(
                on(one.product.span(), message).hint("`until` is the first day it holds no more"),
            );
        }
        if one.prices.is_empty() {
            problems.push(on(one.product.span(), "it has no price".to_owned()));
        }
        for (unit, price) in &one.prices {
            let rate = Rate {
                provider: one.provider.get_ref().clone(),
                product: one.product.get_ref().clone(),
                unit: *unit,
                price: *price,
                currency: one.currency.unwrap_or(file.currency),
                from: one.from,
                until: one.until,
                guess: one.guess,
                origin: origin.clone(),
                source: one.source.clone(),
            };
            let same = |other: &&Rate| {
                (&other.provider, &other.product, other.unit)
                    == (&rate.provider, &rate.product, rate.unit)
                    && other.meets(&rate)
            };
            if let Some(other) = rates.iter().find(same) {
                let message = format!(
                    "{}/{} has a second price for `{}` at the same time: {} and {}",
                    rate.provider,
                    rate.product,
                    unit.as_str(),
                    other.price,
                    rate.price
                );
                problems.push(
                    on(one.product.span(), message)
                        .hint("end the first one with `until`, on the day that the other begins"),
                );
            }
            rates.push(rate);
        }
    }
    if problems.is_empty() { Ok(Rates { rates, exchange }) } else { Err(problems) }
}

/// The name of the shipped file, as entries remember it.
const SHIPPED: &str = "shipped";

fn shipped_rates() -> &'static Rates {
    static PARSED: OnceLock<Rates> = OnceLock::new();
    // A test proves that the file parses.
    PARSED.get_or_init(|| read(SHIPPED, include_str!("rates.toml")).unwrap_or_default())
}

/// Prices as shipped.
pub fn shipped() -> Arc<PriceBook> {
    static BOOK: OnceLock<Arc<PriceBook>> = OnceLock::new();
    Arc::clone(BOOK.get_or_init(|| Arc::new(with(Rates::default()))))
}

/// Rates of one's own, before those that are shipped. Who says what a euro is says it for all days.
pub fn with(own: Rates) -> PriceBook {
    let shipped = shipped_rates();
    let exchange = if own.exchange.is_empty() { shipped.exchange.clone() } else { own.exchange };
    PriceBook::new(own.rates.into_iter().chain(shipped.rates.iter().cloned()).collect(), exchange)
}

/// The prices of a file of one's own, before those that are shipped.
///
/// # Errors
/// When it cannot be read, or has mistakes: all of them, each with its place.
pub fn open(path: &Path) -> Result<PriceBook> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|cause| {
        Error::config(format!("cannot read the rates in {name}"))
            .hint("correct `rates` in `[billing]`, or leave it out")
            .because(cause)
    })?;
    let rates = read(&name, &text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Error::config(lines.join("\n")).hint("the keys are in `man webox.toml`, under Rates")
    })?;
    Ok(with(rates))
}

#[cfg(test)]
#[path = "rates_tests.rs"]
mod tests;
