//! What clients owe, what was billed, and what is left of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Success;
use crate::{
    billing::{
        invoice::Issued,
        reckoned::{Closed, Margin, Preview},
    },
    domain::Month,
};

/// What clients owe for a month, as far as it is known.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Previews {
    /// True.
    pub success: Success,
    /// Clients, by name.
    pub previews: Vec<Preview>,
}

/// Which month is to be billed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseInput {
    /// The month, which is over.
    pub month: Month,
    /// One client alone, by the name that assistants' files give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// What became of each client's bill.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MonthClosed {
    /// True, also where bills of some clients could not be issued.
    pub success: Success,
    /// Clients, by name.
    pub closed: Vec<Closed>,
}

/// What is left of what clients pay for a month.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Margins {
    /// True.
    pub success: Success,
    /// Those who leave most first.
    pub margins: Vec<Margin>,
}

/// Bills, the newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Invoices {
    /// True.
    pub success: Success,
    /// The bills.
    pub invoices: Vec<Issued>,
    /// Send it as `cursor` for the next page; null on the last one.
    pub next: Option<String>,
}

/// A bill.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneInvoice {
    /// True.
    pub success: Success,
    /// The bill.
    pub invoice: Issued,
}

impl From<Issued> for OneInvoice {
    fn from(invoice: Issued) -> Self {
        Self { success: Success::default(), invoice }
    }
}
