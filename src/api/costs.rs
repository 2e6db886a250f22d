//! What things cost. Amounts are texts of whole millionths at most, so that nothing is rounded on the way.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::domain::{
    CallCharge, CallCost, Charged, Cost, Costs, CostsRow, CostsTotal, Currency, Error, LedgerEntry,
    Micros, Result, Unit,
};

/// The same amount in both currencies, by the exchange of the day that it was spent on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Amounts")]
pub struct AmountsView {
    /// Euros, such as `0.0312`.
    pub eur: String,
    /// Dollars.
    pub usd: String,
}

impl From<Cost> for AmountsView {
    fn from(cost: Cost) -> Self {
        Self { eur: cost.eur.to_string(), usd: cost.usd.to_string() }
    }
}

fn micros(text: &str) -> Result<Micros> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let read: Micros = digits.parse()?;
    Ok(Micros::from_micros(sign * read.get()))
}

impl TryFrom<AmountsView> for Cost {
    type Error = Error;
    fn try_from(view: AmountsView) -> Result<Self> {
        Ok(Self { eur: micros(&view.eur)?, usd: micros(&view.usd)? })
    }
}

/// What a call has cost so far. Its minutes are entered at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CallCost")]
pub struct CallCostView {
    /// The sum of its entries.
    #[serde(flatten)]
    pub amounts: AmountsView,
    /// How many entries have no price that is known: they are reckoned by the dearest one.
    pub unpriced: u32,
}

impl From<CallCost> for CallCostView {
    fn from(cost: CallCost) -> Self {
        Self { amounts: cost.cost.into(), unpriced: cost.unpriced }
    }
}

impl CallCostView {
    /// Read back; one that cannot be read is none.
    pub fn read(self) -> Option<CallCost> {
        Some(CallCost { cost: self.amounts.try_into().ok()?, unpriced: self.unpriced })
    }
}

/// One metered use of one provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "LedgerEntry")]
pub struct EntryView {
    /// The turn; null for what is of the call as a whole.
    pub turn: Option<u32>,
    /// When.
    #[schemars(with = "Moment")]
    pub at: Timestamp,
    /// Whose.
    pub provider: String,
    /// Of what.
    pub product: String,
    /// What was counted.
    pub unit: Unit,
    /// How many.
    pub quantity: u64,
    /// The price of a million tokens or characters, of sixty seconds, or of one.
    pub price: String,
    /// In which currency.
    pub currency: Currency,
    /// Which row of which file of rates.
    pub rate: String,
    /// Whether no price was known: it is reckoned by the dearest one.
    pub unpriced: bool,
    /// What it came to, in the currency of the price.
    pub amount: String,
    /// The same in both.
    #[serde(flatten)]
    pub amounts: AmountsView,
}

impl From<&LedgerEntry> for EntryView {
    fn from(entry: &LedgerEntry) -> Self {
        Self {
            turn: entry.turn,
            at: entry.at,
            provider: entry.provider.clone(),
            product: entry.product.clone(),
            unit: entry.unit,
            quantity: entry.quantity,
            price: entry.price.to_string(),
            currency: entry.currency,
            rate: entry.rate.clone(),
            unpriced: entry.unpriced,
            amount: entry.amount.to_string(),
            amounts: entry.cost.into(),
        }
    }
}

impl TryFrom<EntryView> for LedgerEntry {
    type Error = Error;
    fn try_from(view: EntryView) -> Result<Self> {
        Ok(Self {
            turn: view.turn,
            at: view.at,
            price: micros(&view.price)?,
            amount: micros(&view.amount)?,
            cost: view.amounts.try_into()?,
            provider: view.provider,
            product: view.product,
            unit: view.unit,
            quantity: view.quantity,
            currency: view.currency,
            rate: view.rate,
            unpriced: view.unpriced,
        })
    }
}

/// What Twilio charged for a call's own minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CallCharge")]
pub struct ChargeView {
    /// As Twilio says.
    pub amount: String,
    /// In which currency.
    pub currency: Currency,
    /// The same in both.
    pub charged: AmountsView,
    /// What was reckoned for the same.
    pub reckoned: AmountsView,
    /// The one without the other.
    pub difference: AmountsView,
    /// When Twilio said so.
    #[schemars(with = "Moment")]
    pub at: Timestamp,
}

impl From<&CallCharge> for ChargeView {
    fn from(charge: &CallCharge) -> Self {
        Self {
            amount: charge.amount.to_string(),
            currency: charge.currency,
            charged: charge.charged.into(),
            reckoned: charge.reckoned.into(),
            difference: charge.charged.minus(charge.reckoned).into(),
            at: charge.at,
        }
    }
}

impl TryFrom<ChargeView> for CallCharge {
    type Error = Error;
    fn try_from(view: ChargeView) -> Result<Self> {
        Ok(Self {
            amount: micros(&view.amount)?,
            currency: view.currency,
            charged: view.charged.try_into()?,
            reckoned: view.reckoned.try_into()?,
            at: view.at,
        })
    }
}

/// What was spent, put together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CostsRow")]
pub struct CostsRowView {
    /// Of what.
    pub key: String,
    /// What it came to.
    #[serde(flatten)]
    pub amounts: AmountsView,
    /// How many entries.
    pub entries: u64,
    /// How many of them have no price that is known.
    pub unpriced: u64,
    /// How much was used; by unit only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
}

impl From<&CostsRow> for CostsRowView {
    fn from(row: &CostsRow) -> Self {
        Self {
            key: row.key.clone(),
            amounts: row.cost.into(),
            entries: row.entries,
            unpriced: row.unpriced,
            quantity: row.quantity,
        }
    }
}

/// All that was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CostsTotal")]
pub struct CostsTotalView {
    /// What it came to.
    #[serde(flatten)]
    pub amounts: AmountsView,
    /// How many entries.
    pub entries: u64,
    /// How many of them have no price that is known.
    pub unpriced: u64,
    /// What Twilio charged for minutes, of the calls of which it is known.
    pub twilio: ChargedView,
}

/// What Twilio charged for the minutes of calls, beside what was reckoned for the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Charged")]
pub struct ChargedView {
    /// Calls of which it is known.
    pub calls: u64,
    /// What was charged.
    pub charged: AmountsView,
    /// What was reckoned.
    pub reckoned: AmountsView,
    /// The one without the other.
    pub difference: AmountsView,
}

impl From<&Costs> for CostsTotalView {
    fn from(costs: &Costs) -> Self {
        let (total, twilio) = (&costs.total, &costs.charged);
        Self {
            amounts: total.cost.into(),
            entries: total.entries,
            unpriced: total.unpriced,
            twilio: ChargedView {
                calls: twilio.calls,
                charged: twilio.charged.into(),
                reckoned: twilio.reckoned.into(),
                difference: twilio.charged.minus(twilio.reckoned).into(),
            },
        }
    }
}

/// What was spent in a time: whole UTC days.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CostsAnswer {
    /// True.
    pub success: Success,
    /// All of it.
    pub costs: CostsTotalView,
    /// The dearest first; days in order.
    pub rows: Vec<CostsRowView>,
}

impl From<&Costs> for CostsAnswer {
    fn from(costs: &Costs) -> Self {
        Self {
            success: Success::default(),
            costs: costs.into(),
            rows: costs.rows.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<CostsAnswer> for Costs {
    type Error = Error;
    fn try_from(answer: CostsAnswer) -> Result<Self> {
        let CostsTotalView { amounts, entries, unpriced, twilio } = answer.costs;
        let row = |row: CostsRowView| {
            Ok(CostsRow {
                key: row.key,
                entries: row.entries,
                unpriced: row.unpriced,
                quantity: row.quantity,
                cost: row.amounts.try_into()?,
            })
        };
        Ok(Self {
            rows: answer.rows.into_iter().map(row).collect::<Result<_>>()?,
            total: CostsTotal { entries, unpriced, cost: amounts.try_into()? },
            charged: Charged {
                calls: twilio.calls,
                reckoned: twilio.reckoned.try_into()?,
                charged: twilio.charged.try_into()?,
            },
        })
    }
}
