//! Twilio's own words: form bodies, signatures, TwiML, webhook parameters, the REST API, and a
//! caller that plays Twilio for rehearsals. It makes no decisions.

pub mod caller;
pub mod form;
pub mod reader;
pub mod rest;
pub mod signature;
pub mod twiml;
pub mod webhook;
