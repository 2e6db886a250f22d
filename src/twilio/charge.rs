//! What Twilio charged for a call (Twilio, "Call resource": `price`, `price_unit`). It is not known at
//! the call's end, and is of the call's own leg alone: not of what listens, speaks or records.

use serde::Deserialize;

use super::rest::{Account, Rest, RestError};
use crate::domain::{CallSid, Currency, Micros};

/// What Twilio says of the price of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charge {
    /// It is not known yet.
    NotYet,
    /// So much.
    Known(Micros, Currency),
    /// Something that cannot be reckoned with.
    Unreadable(String),
}

#[derive(Deserialize)]
struct Resource {
    price: Option<String>,
    price_unit: Option<String>,
}

impl Rest {
    /// What was charged for a call.
    pub async fn charge(&self, account: &Account, call: &CallSid) -> Result<Charge, RestError> {
        Ok(read(&self.get(account, &format!("Calls/{call}.json")).await?))
    }
}

pub(super) fn read(body: &[u8]) -> Charge {
    let Ok(Resource { price, price_unit }) = serde_json::from_slice(body) else {
        return Charge::Unreadable("the answer is no call".to_owned());
    };
    read_price(price, price_unit)
}

/// The price of a call by its two fields.
pub(super) fn read_price(price: Option<String>, price_unit: Option<String>) -> Charge {
    let Some(price) = price else { return Charge::NotYet };
    let unit = price_unit.unwrap_or_default();
    // What is charged is below zero; what is not is zero.
    let amount = price.strip_prefix('-').unwrap_or(&price).parse::<Micros>();
    if let (Ok(amount), Ok(currency)) = (amount, unit.parse::<Currency>()) {
        return Charge::Known(amount, currency);
    }
    let said: String = format!("{price} {unit}").chars().take(40).collect();
    Charge::Unreadable(format!("the price is `{}`", said.escape_debug()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_below_zero_or_not_known_yet() {
        let read = |body: &str| super::read(body.as_bytes());
        let known = |text: &str, currency| Charge::Known(text.parse().unwrap(), currency);
        assert_eq!(
            read(r#"{"price":"-0.03000","price_unit":"USD"}"#),
            known("0.03", Currency::Usd)
        );
        assert_eq!(read(r#"{"price":"0","price_unit":"eur"}"#), known("0", Currency::Eur));
        assert_eq!(read(r#"{"price":null,"price_unit":"USD"}"#), Charge::NotYet);
        for wrong in [
            "<html>",
            r#"{"price":"much","price_unit":"USD"}"#,
            r#"{"price":"-1","price_unit":"CHF"}"#,
            r#"{"price":0.03,"price_unit":"USD"}"#,
        ] {
            assert!(matches!(read(wrong), Charge::Unreadable(_)), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_answer_panics(body in proptest::collection::vec(0_u8.., 0..200), price in ".{0,30}") {
            let _ = read(&body);
            let _ = read(serde_json::json!({ "price": price, "price_unit": "USD" }).to_string().as_bytes());
        }
    }
}
