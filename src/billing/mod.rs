//! What calls cost: list prices, and an estimate by them. The ledger, plans and invoices come here.

pub mod catalogue;
pub mod invoice;
pub mod paper;
pub mod party;
pub mod plan;
pub mod rates;
pub mod statement;
