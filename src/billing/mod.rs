//! What calls cost: list prices, and an estimate by them. The ledger, plans and invoices come here.

pub mod rates;
