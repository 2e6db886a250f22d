//! Twilio's own words: form bodies, signatures, TwiML, webhook parameters, the REST API, and a
//! caller that plays Twilio for rehearsals. It makes no decisions.

pub mod access;
pub mod call_log;
pub mod caller;
pub mod calling;
pub mod charge;
pub mod connect;
pub mod dial;
pub mod form;
pub mod handed;
pub mod media;
pub mod numbers;
#[doc(hidden)]
pub mod offline;
pub mod pricing;
pub mod reach;
pub mod reader;
pub mod regulations;
pub mod relay;
pub mod rest;
pub mod signature;
pub mod socket;
pub mod stream;
pub mod twiml;
pub mod webhook;
