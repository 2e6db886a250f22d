//! What numbers cost a month (Twilio, "Pricing API: PhoneNumbers", v1).

use serde::Deserialize;

use super::{access::OpenAccount, rest::RestError};
use crate::domain::{CountryCode, Micros, NumberKind};

/// What numbers of a country cost a month, in a currency that Twilio names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberPrices {
    /// `USD`.
    pub unit: String,
    prices: Vec<(NumberKind, Micros)>,
}

impl NumberPrices {
    /// What a number of a kind costs a month; nothing where that is not known.
    pub fn of(&self, kind: NumberKind) -> Option<Micros> {
        self.prices.iter().find(|(known, _)| *known == kind).map(|(_, price)| *price)
    }
}

#[derive(Deserialize)]
struct Resource {
    #[serde(default)]
    price_unit: Option<String>,
    #[serde(default)]
    phone_number_prices: Option<Vec<Price>>,
}

#[derive(Deserialize)]
struct Price {
    #[serde(default)]
    number_type: Option<String>,
    #[serde(default)]
    current_price: Option<String>,
}

impl OpenAccount {
    /// The prices of a country.
    pub async fn number_prices(&self, country: &CountryCode) -> Result<NumberPrices, RestError> {
        let path = format!("/v1/PhoneNumbers/Countries/{}", country.as_str());
        let asked = self
            .with(async |rest, account| rest.read(account, &rest.product("pricing", &path)).await);
        match asked.await {
            Err(RestError::Refused(refusal)) if refusal.status == 404 => {
                Ok(NumberPrices::default())
            }
            asked => read(&asked?),
        }
    }
}

pub(super) fn read(body: &[u8]) -> Result<NumberPrices, RestError> {
    let resource: Resource = serde_json::from_slice(body)
        .map_err(|_| RestError::Unreadable("it is no list of prices".to_owned()))?;
    let prices = resource.phone_number_prices.unwrap_or_default().into_iter().filter_map(|price| {
        // `toll free`, with a space.
        let kind = price.number_type?.replace([' ', '_'], "-").parse().ok()?;
        Some((kind, price.current_price?.parse().ok()?))
    });
    Ok(NumberPrices {
        unit: resource.price_unit.unwrap_or_default().to_ascii_uppercase(),
        prices: prices.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_by_kind_and_what_has_none_has_none() {
        let prices = read(
            br#"{"price_unit":"usd","phone_number_prices":[
                {"number_type":"local","base_price":"1.00","current_price":"1.15"},
                {"number_type":"toll free","current_price":"2.15"},
                {"number_type":"mobile","current_price":null},
                {"number_type":"of a new kind","current_price":"9"}]}"#,
        )
        .unwrap();
        assert_eq!(prices.unit, "USD");
        assert_eq!(prices.of(NumberKind::Local), Some("1.15".parse().unwrap()));
        assert_eq!(prices.of(NumberKind::TollFree), Some("2.15".parse().unwrap()));
        assert_eq!(prices.of(NumberKind::Mobile), None);
        assert!(read(b"<html>").is_err());
    }
}
