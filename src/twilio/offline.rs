//! Answers of Twilio's REST API, and certificates, read without the network they come over: for `fuzz/`.

use super::{
    call_log::{self, LoggedCall},
    charge::{self, Charge},
    numbers::{self, Owned},
    pricing::{self, NumberPrices},
    reach::Certificate,
    rest::{self, Refusal},
};

/// A page of the log of calls.
pub fn calls(body: &[u8]) -> Option<Vec<LoggedCall>> {
    call_log::page(body).ok().map(|(calls, _)| calls)
}

/// A page of an account's numbers; a number that was bought.
pub fn numbers(body: &[u8]) -> (Option<Vec<Owned>>, Option<Owned>) {
    (numbers::page(body).ok().map(|(numbers, _)| numbers), numbers::one(body).ok())
}

/// What a call was charged; what numbers cost.
pub fn prices(body: &[u8]) -> (Charge, Option<NumberPrices>) {
    (charge::read(body), pricing::read(body).ok())
}

/// Why something was not done.
pub fn refusal(status: u16, body: &[u8]) -> Refusal {
    rest::refusal(status, body)
}

/// The certificate that a server shows.
pub fn certificate(der: &[u8]) -> Option<Certificate> {
    Certificate::read(der)
}
