//! What was spent, as it is shown.

use jiff::Timestamp;

use super::{Cost, Currency, Micros, Unit};

/// One metered use of one provider, as it was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The turn; nothing for what is of the call as a whole.
    pub turn: Option<u32>,
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub provider: String,
    /// Of what.
    pub product: String,
    /// What was counted.
    pub unit: Unit,
    /// How many.
    pub quantity: u64,
    /// For [`Unit::per`] of them.
    pub price: Micros,
    /// In which currency.
    pub currency: Currency,
    /// Which row of which file.
    pub rate: String,
    /// Whether no price was known.
    pub unpriced: bool,
    /// What it came to, in the price's currency.
    pub amount: Micros,
    /// The same in both.
    pub cost: Cost,
}

/// What a call has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCost {
    /// The sum of its entries.
    pub cost: Cost,
    /// How many of them have no price that is known.
    pub unpriced: u32,
}

/// How costs are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CostsBy {
    /// By provider.
    Provider,
    /// By product of a provider.
    Product,
    /// By model: tokens only.
    Model,
    /// By what is counted.
    Unit,
    /// By assistant.
    Assistant,
    /// By client.
    Client,
    /// By UTC day.
    Day,
}

impl CostsBy {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Product => "product",
            Self::Model => "model",
            Self::Unit => "unit",
            Self::Assistant => "assistant",
            Self::Client => "client",
            Self::Day => "day",
        }
    }
}

/// Costs put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CostsRow {
    /// Of what.
    pub key: String,
    /// How many entries.
    pub entries: u64,
    /// How many of them have no price that is known.
    pub unpriced: u64,
    /// How much was used; where it is one unit.
    pub quantity: Option<u64>,
    /// What it came to.
    pub cost: Cost,
}

/// What Twilio charged for calls, beside what was reckoned for the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charged {
    /// Calls of which it is known.
    pub calls: u64,
    /// What was reckoned for their minutes.
    pub reckoned: Cost,
    /// What was charged for them.
    pub charged: Cost,
}

/// What was spent in a time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Costs {
    /// The dearest first; days in order.
    pub rows: Vec<CostsRow>,
    /// All of it.
    pub total: CostsTotal,
    /// What Twilio charged.
    pub charged: Charged,
}

/// The sum over a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CostsTotal {
    /// How many entries.
    pub entries: u64,
    /// How many of them have no price that is known.
    pub unpriced: u64,
    /// What it came to.
    pub cost: Cost,
}

/// What Twilio charged for a call, beside what was reckoned for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallCharge {
    /// As Twilio says.
    pub amount: Micros,
    /// In which currency.
    pub currency: Currency,
    /// The same in both.
    pub charged: Cost,
    /// What was reckoned for its minutes.
    pub reckoned: Cost,
    /// When Twilio said so.
    pub at: Timestamp,
}
