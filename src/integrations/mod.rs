//! Requests to the world that others ask for: calendars, CRMs and webhooks will be its files.
//!
//! Whatever goes out to an address that a customer's file names goes through [`outgoing`].

pub mod ics;
pub mod outgoing;
