//! What is metered, and what it is reckoned at: a use, a rate, an amount. Whole numbers only.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Attempt, Country, Currency, Micros, PhoneNumber};

/// What is counted of a use. Prices are for [`Unit::per`] of them.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Tokens that a model read anew.
    Input,
    /// Tokens that a model read from its provider's cache.
    Cached,
    /// Tokens that were put there.
    CacheWrite,
    /// Tokens that a model wrote.
    Output,
    /// Characters that were spoken.
    Character,
    /// Seconds of sound that somebody listened to.
    Second,
    /// Minutes, begun ones whole.
    Minute,
    /// Things that Twilio heard for us.
    Recognition,
    /// Parts of text messages.
    Segment,
    /// Calls.
    Call,
}

impl Unit {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Input,
        Self::Cached,
        Self::CacheWrite,
        Self::Output,
        Self::Character,
        Self::Second,
        Self::Minute,
        Self::Recognition,
        Self::Segment,
        Self::Call,
    ];

    /// The word in lists, files and rows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Cached => "cached",
            Self::CacheWrite => "cache-write",
            Self::Output => "output",
            Self::Character => "character",
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Recognition => "recognition",
            Self::Segment => "segment",
            Self::Call => "call",
        }
    }

    /// How many of them a price is for: a million tokens or characters, sixty seconds, one otherwise.
    pub const fn per(self) -> u64 {
        match self {
            Self::Input | Self::Cached | Self::CacheWrite | Self::Output | Self::Character => {
                1_000_000
            }
            Self::Second => 60,
            Self::Minute | Self::Recognition | Self::Segment | Self::Call => 1,
        }
    }

    /// The same for people.
    pub const fn priced_by(self) -> &'static str {
        match self {
            Self::Input | Self::Cached | Self::CacheWrite | Self::Output => "1M tokens",
            Self::Character => "1M characters",
            Self::Second => "60 seconds",
            Self::Minute => "minute",
            Self::Recognition => "recognition",
            Self::Segment => "segment",
            Self::Call => "call",
        }
    }
}

impl std::str::FromStr for Unit {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|unit| unit.as_str() == text).ok_or(())
    }
}

/// A metered use of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// `twilio`, `openai`, `deepgram`, …
    pub provider: String,
    /// Its model, or what of it.
    pub product: String,
    /// What is counted.
    pub unit: Unit,
    /// How many.
    pub quantity: u64,
}

impl Use {
    /// A use.
    pub fn new(provider: &str, product: impl Into<String>, unit: Unit, quantity: u64) -> Self {
        Self { provider: provider.to_owned(), product: product.into(), unit, quantity }
    }

    /// Something of Twilio's.
    pub fn of_twilio(product: impl Into<String>, unit: Unit, quantity: u64) -> Self {
        Self::new(TWILIO, product, unit, quantity)
    }

    /// The tokens of a model that was asked, whatever became of it. The concierge is nobody's.
    pub fn of_attempt(attempt: &Attempt) -> Vec<Self> {
        let Some((provider, model)) = attempt.model.split_once('/') else { return Vec::new() };
        let usage = &attempt.usage;
        // Those read anew are what is left: `input` counts all of them, whoever the provider is.
        let fresh = usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_write);
        [
            (Unit::Input, fresh),
            (Unit::Cached, usage.cached),
            (Unit::CacheWrite, usage.cache_write),
            (Unit::Output, usage.output),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(unit, count)| Self::new(provider, model, unit, u64::from(count)))
        .collect()
    }

    /// Words that a provider spoke, in a voice as mouths name it.
    pub fn of_speech(provider: &str, voice: &str, text: &str) -> Self {
        // Some say the model before the voice; the voices of the others say their kind themselves.
        let kind = |voice: &str| {
            let known = ["Chirp3-HD", "Chirp-HD", "Neural2", "Wavenet", "Studio", "Standard"];
            let found = known.into_iter().find(|kind| voice.contains(kind));
            found.unwrap_or(if voice.ends_with("Neural") { "Neural" } else { "other" }).to_owned()
        };
        let product = match provider {
            "google" | "azure" => kind(voice),
            _ => voice.split_once('/').map_or(voice, |(model, _)| model).to_owned(),
        };
        let count = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        Self::new(provider, product, Unit::Character, count)
    }

    /// Sound that an ear listened to: `deepgram/nova-3`.
    pub fn of_hearing(ear: &str, seconds: u64) -> Self {
        let (provider, model) = ear.split_once('/').unwrap_or((ear, "other"));
        Self::new(provider, model, Unit::Second, seconds)
    }
}

/// Who carries the calls.
pub const TWILIO: &str = "twilio";

/// The product of a number at Twilio: what is done, and its country; of a French mobile, or of a number that
/// callers do not pay for, that too.
pub fn product_of(what: &str, number: &PhoneNumber) -> String {
    let digits = number.as_str();
    let country = match Country::of(number) {
        Some(country) if !is_island(digits) => country.code,
        _ => "other",
    };
    if what == "outbound" && number.is_french_mobile() {
        return format!("{what}-{country}-mobile");
    }
    let free = ["800", "833", "844", "855", "866", "877", "888"];
    let is_free = free
        .iter()
        .any(|code| digits.strip_prefix("+1").is_some_and(|rest| rest.starts_with(code)));
    if what == "inbound" && is_free {
        return format!("{what}-{country}-tollfree");
    }
    format!("{what}-{country}")
}

/// Whether a number of the +1 is of neither the US mainland nor Canada: calls there have prices of
/// their own (area codes as the North American Numbering Plan Administrator assigns them).
fn is_island(e164: &str) -> bool {
    const CODES: &[&str] = &[
        "242", "246", "264", "268", "284", "340", "345", "441", "473", "649", "658", "664", "670",
        "671", "684", "721", "758", "767", "784", "787", "809", "829", "849", "868", "869", "876",
        "939",
    ];
    e164.strip_prefix("+1").is_some_and(|rest| CODES.iter().any(|code| rest.starts_with(code)))
}

/// Minutes as they are billed: begun ones whole.
pub const fn begun_minutes(seconds: u64) -> u64 {
    seconds.div_ceil(60)
}

/// The price of something for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// Whose.
    pub provider: String,
    /// Of what; a `*` at the end stands for any ending.
    pub product: String,
    /// What is counted.
    pub unit: Unit,
    /// For [`Unit::per`] of them.
    pub price: Micros,
    /// In which currency.
    pub currency: Currency,
    /// From the beginning of this day, UTC; always otherwise.
    pub from: Option<Date>,
    /// Until the beginning of this day, UTC; for good otherwise.
    pub until: Option<Date>,
    /// Whether it stands for a price that is not known.
    pub guess: bool,
    /// The file, and which edition of it.
    pub origin: String,
    /// Where the price was read.
    pub source: String,
}

impl Rate {
    /// Whether it holds on a day.
    pub fn holds(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }

    /// Whether both may hold at once.
    pub fn meets(&self, other: &Self) -> bool {
        let starts_before = |a: &Self, b: &Self| match (a.from, b.until) {
            (Some(from), Some(until)) => from < until,
            _ => true,
        };
        starts_before(self, other) && starts_before(other, self)
    }
}

/// What a quantity comes to at a price for so many: rounded up to a whole millionth, once. More than
/// can be counted stays at the most that can.
fn amount(price: Micros, quantity: u64, per: u64) -> Micros {
    let per = i128::from(per.max(1));
    let exact = i128::from(price.get()) * i128::from(quantity);
    Micros::from_micros(narrow(round_up(exact, per)))
}

fn round_up(exact: i128, by: i128) -> i128 {
    exact.div_euclid(by) + i128::from(exact.rem_euclid(by) != 0)
}

fn narrow(wide: i128) -> i64 {
    i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
}

/// What a euro is in dollars from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The first day, UTC.
    pub from: Date,
    /// Dollars.
    pub dollars: Micros,
}

impl Exchange {
    /// An amount in another currency, rounded up to a whole millionth.
    pub fn convert(self, amount: Micros, from: Currency, to: Currency) -> Micros {
        let (unit, dollars) = (i128::from(Micros::from_units(1).get()), self.dollars.get().max(1));
        let (exact, dollars) = (i128::from(amount.get()), i128::from(dollars));
        match (from, to) {
            (Currency::Usd, Currency::Eur) => {
                Micros::from_micros(narrow(round_up(exact * unit, dollars)))
            }
            (Currency::Eur, Currency::Usd) => {
                Micros::from_micros(narrow(round_up(exact * dollars, unit)))
            }
            (Currency::Eur, Currency::Eur) | (Currency::Usd, Currency::Usd) => amount,
        }
    }
}

/// The same amount in both currencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Euros.
    pub eur: Micros,
    /// Dollars.
    pub usd: Micros,
}

impl Cost {
    /// In one of them.
    pub const fn of(self, currency: Currency) -> Micros {
        match currency {
            Currency::Eur => self.eur,
            Currency::Usd => self.usd,
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { eur: self.eur.plus(other.eur), usd: self.usd.plus(other.usd) }
    }

    /// What is left without the other.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self { eur: self.eur.minus(other.eur), usd: self.usd.minus(other.usd) }
    }
}

/// A use with the rate that it is reckoned by, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reckoned {
    /// Of whom, what, and in which unit.
    pub used: Use,
    /// The price.
    pub price: Micros,
    /// In which currency.
    pub currency: Currency,
    /// Which row of which file: what stays when prices change.
    pub rate: String,
    /// Whether no price is known: it is reckoned by the dearest one that is.
    pub unpriced: bool,
    /// What it comes to, in the price's currency.
    pub amount: Micros,
    /// The same in both, by the exchange of that day.
    pub cost: Cost,
}

/// All prices.
#[derive(Debug, Clone, Default)]
pub struct PriceBook {
    by_name: HashMap<String, BTreeMap<String, Vec<Arc<Rate>>>>,
    all: Vec<Arc<Rate>>,
    exchange: Vec<Exchange>,
}

impl PriceBook {
    /// A book of rates, the first that fits counts; and of what euros are.
    pub fn new(rates: Vec<Rate>, mut exchange: Vec<Exchange>) -> Self {
        let all: Vec<Arc<Rate>> = rates.into_iter().map(Arc::new).collect();
        let mut by_name: HashMap<String, BTreeMap<String, Vec<Arc<Rate>>>> = HashMap::new();
        for rate in &all {
            let of_provider = by_name.entry(rate.provider.clone()).or_default();
            of_provider.entry(rate.product.clone()).or_default().push(Arc::clone(rate));
        }
        // The first of a day stands before another file's.
        exchange.sort_by_key(|one| one.from);
        exchange.dedup_by_key(|one| one.from);
        Self { by_name, all, exchange }
    }

    /// All rates, as they are looked through.
    pub fn rates(&self) -> &[Arc<Rate>] {
        &self.all
    }

    /// What euros are.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchange
    }

    /// The exchange of a day; that of the first known day for those before it.
    pub fn exchange(&self, day: Date) -> Exchange {
        let known = self.exchange.iter().rev().find(|one| one.from <= day);
        let known = known.or_else(|| self.exchange.first()).copied();
        known.unwrap_or(Exchange { from: Date::MIN, dollars: Micros::from_units(1) })
    }

    /// An amount in both currencies on a day.
    pub fn cost(&self, amount: Micros, currency: Currency, day: Date) -> Cost {
        let exchange = self.exchange(day);
        Cost {
            eur: exchange.convert(amount, currency, Currency::Eur),
            usd: exchange.convert(amount, currency, Currency::Usd),
        }
    }

    /// The rate of something on a day: its own, or the longest name with a `*` that fits.
    pub fn rate(&self, provider: &str, product: &str, unit: Unit, day: Date) -> Option<&Arc<Rate>> {
        let of_provider = self.by_name.get(provider)?;
        let fits = |rate: &&Arc<Rate>| rate.unit == unit && rate.holds(day);
        if let Some(found) = of_provider.get(product).and_then(|rates| rates.iter().find(fits)) {
            return Some(found);
        }
        let stands_for =
            |name: &str| name.strip_suffix('*').is_some_and(|s| product.starts_with(s));
        let mut wide: Vec<_> = of_provider.iter().filter(|(name, _)| stands_for(name)).collect();
        wide.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        wide.into_iter().find_map(|(_, rates)| rates.iter().find(fits))
    }

    /// The dearest of a unit on a day, for what has no price.
    fn dearest(&self, unit: Unit, day: Date) -> Option<&Arc<Rate>> {
        let of_unit = self.all.iter().filter(|rate| rate.unit == unit && rate.holds(day));
        of_unit.max_by_key(|rate| self.cost(rate.price, rate.currency, day).usd)
    }

    /// What a use at a moment comes to.
    pub fn reckon(&self, used: Use, at: Timestamp) -> Reckoned {
        let day = at.to_zoned_datetime(TimeZone::UTC).date();
        let known = self.rate(&used.provider, &used.product, used.unit, day).or_else(|| {
            // Who names no price for it counts what is put into the cache as read.
            let written = used.unit == Unit::CacheWrite;
            written.then(|| self.rate(&used.provider, &used.product, Unit::Input, day)).flatten()
        });
        let unpriced = known.is_none_or(|rate| rate.guess);
        let Some(rate) = known.or_else(|| self.dearest(used.unit, day)) else {
            return Reckoned {
                used,
                price: Micros::ZERO,
                currency: Currency::Usd,
                rate: "none".to_owned(),
                unpriced: true,
                amount: Micros::ZERO,
                cost: Cost::default(),
            };
        };
        let amount = amount(rate.price, used.quantity, used.unit.per());
        let since = rate.from.map_or_else(String::new, |from| format!(" from {from}"));
        Reckoned {
            price: rate.price,
            currency: rate.currency,
            rate: format!("{}: {}/{}{since}", rate.origin, rate.provider, rate.product),
            unpriced,
            amount,
            cost: self.cost(amount, rate.currency, day),
            used,
        }
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
