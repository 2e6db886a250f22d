//! Amounts of money: whole millionths, never floats.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Error;

/// Millionths of a unit of some currency.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Micros(i64);

/// Millionths in a unit.
const UNIT: i64 = 1_000_000;

impl Micros {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whole units.
    pub const fn from_units(units: i64) -> Self {
        Self(units.saturating_mul(UNIT))
    }

    /// Hundredths of a unit.
    pub const fn from_hundredths(hundredths: i64) -> Self {
        Self(hundredths.saturating_mul(UNIT / 100))
    }

    /// Millionths.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The millionths.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// So many times as much.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left without the other.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// At least two places: `0.50`, `0.0085`.
impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, value) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let places = format!("{:06}", value % UNIT as u64);
        let places = places.trim_end_matches('0');
        write!(f, "{sign}{}.{places:0<2}", value / UNIT as u64)
    }
}

impl FromStr for Micros {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::input(format!("`{}` is no amount", text.escape_debug()));
        let (units, places) = text.split_once(['.', ',']).unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fits = !units.is_empty() && units.len() <= 9 && places.len() <= 6;
        if !fits || !digits(units) || !digits(places) {
            return Err(wrong().hint("digits, and up to six places after a point: `12.50`"));
        }
        let whole: i64 = units.parse().map_err(|_| wrong())?;
        let part: i64 = format!("{places:0<6}").parse().map_err(|_| wrong())?;
        Ok(Self(whole * UNIT + part))
    }
}

impl TryFrom<String> for Micros {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Micros> for String {
    fn from(value: Micros) -> Self {
        value.to_string()
    }
}

/// A currency that amounts can be given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Euro.
    Eur,
    /// Dollar of the United States.
    Usd,
}

impl Currency {
    /// Its code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eur => "EUR",
            Self::Usd => "USD",
        }
    }
}

impl FromStr for Currency {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_uppercase().as_str() {
            "EUR" => Ok(Self::Eur),
            "USD" => Ok(Self::Usd),
            _ => Err(Error::input(format!("`{}` is no currency here", text.escape_debug()))
                .hint("EUR or USD")),
        }
    }
}

/// An amount in a currency: `5 EUR`, `5.50 €`, `12 USD`, `$12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money {
    /// How much.
    pub amount: Micros,
    /// Of what.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency.as_str())
    }
}

impl FromStr for Money {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let named = [
            ("EUR", Currency::Eur),
            ("€", Currency::Eur),
            ("USD", Currency::Usd),
            ("$", Currency::Usd),
        ];
        let found = named.into_iter().find_map(|(name, currency)| {
            let rest = text.strip_suffix(name).or_else(|| text.strip_prefix(name))?;
            Some((rest.trim_matches([' ', '\u{a0}', '\u{202f}']), currency))
        });
        let Some((amount, currency)) = found else {
            let shown: String = text.chars().take(20).collect();
            return Err(Error::input(format!("`{}` is no amount of money", shown.escape_debug()))
                .hint("an amount and its currency: `5 EUR`, `12.50 USD`"));
        };
        Ok(Self { amount: amount.parse()?, currency })
    }
}

impl TryFrom<String> for Money {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(value: Money) -> Self {
        value.to_string()
    }
}

impl JsonSchema for Money {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "An amount and its currency, such as `5 EUR` or `12.50 USD`",
            "examples": ["5 EUR", "12.50 USD"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_back_and_never_round() {
        for (text, micros, shown) in [
            ("0", 0, "0.00"),
            ("12", 12_000_000, "12.00"),
            ("0.5", 500_000, "0.50"),
            ("0,50", 500_000, "0.50"),
            ("0.0085", 8_500, "0.0085"),
            ("999999999.999999", 999_999_999_999_999, "999999999.999999"),
        ] {
            let read: Micros = text.parse().unwrap();
            assert_eq!((read.get(), read.to_string().as_str()), (micros, shown), "{text}");
            assert_eq!(shown.parse::<Micros>().unwrap(), read);
        }
        for wrong in ["", ".", ".5", "-1", "1.0000001", "1e3", "10000000000", "1.5.2", "NaN"] {
            assert!(wrong.parse::<Micros>().is_err(), "{wrong}");
        }
        assert_eq!(
            Micros::from_units(5).times(3).plus("0.01".parse().unwrap()).to_string(),
            "15.01"
        );
        assert_eq!(
            "1".parse::<Micros>().unwrap().minus(Micros::from_units(3)).to_string(),
            "-2.00"
        );
    }

    #[test]
    fn money_names_its_currency() {
        let five = Money { amount: Micros::from_units(5), currency: Currency::Eur };
        for text in ["5 EUR", "5€", "5 €", "5,00 €", "EUR 5"] {
            assert_eq!(text.parse::<Money>().unwrap(), five, "{text}");
        }
        assert_eq!("$12.50".parse::<Money>().unwrap().to_string(), "12.50 USD");
        for wrong in ["5", "five EUR", "5 CHF", "EUR", ""] {
            assert!(wrong.parse::<Money>().is_err(), "{wrong}");
        }
    }
}
