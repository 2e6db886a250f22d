//! What calls cost, and what clients pay: prices, and what is reckoned by them; plans, and a month by them;
//! bills, and how they are written. Nothing here stores.

pub mod catalogue;
pub mod example;
pub mod invoice;
pub mod paper;
pub mod party;
pub mod plan;
pub mod rates;
pub mod reckoned;
pub mod statement;
