//! What calls cost: prices, and what is reckoned by them. Plans and invoices come here.

pub mod catalogue;
pub mod example;
pub mod invoice;
pub mod paper;
pub mod party;
pub mod plan;
pub mod rates;
pub mod statement;
