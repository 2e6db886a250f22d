//! Values of measures, as files write them: `20%`, `4s`, `50 EUR`, `10`.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::super::{Currency, Error, HumanDuration, Micros, Money};

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertUnit {
    /// A share of a whole, in hundredths of a percent.
    Share,
    /// A length of time, in milliseconds.
    Time,
    /// An amount of money, in millionths.
    Money,
    /// How many, in hundredths.
    Number,
}

impl AlertUnit {
    /// How such a value is written.
    pub const fn example(self) -> &'static str {
        match self {
            Self::Share => "a share, such as `\"20%\"`",
            Self::Time => "a length of time, such as `\"4s\"` or `\"2h\"`",
            Self::Money => "an amount of money, such as `\"50 EUR\"`",
            Self::Number => "a number, such as `10`",
        }
    }
}

/// A value with its unit: whole numbers, so that what is compared is what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertLevel {
    /// Hundredths of a percent.
    Share(i64),
    /// Milliseconds.
    Time(i64),
    /// Money.
    Money(Money),
    /// Hundredths.
    Number(i64),
}

/// The largest number that is read: what is above it is a mistake.
const LARGEST: f64 = 1e9;

impl AlertLevel {
    /// The bare value.
    pub const fn get(self) -> i64 {
        match self {
            Self::Share(value) | Self::Time(value) | Self::Number(value) => value,
            Self::Money(money) => money.amount.get(),
        }
    }

    /// What it is.
    pub const fn unit(self) -> AlertUnit {
        match self {
            Self::Share(_) => AlertUnit::Share,
            Self::Time(_) => AlertUnit::Time,
            Self::Money(_) => AlertUnit::Money,
            Self::Number(_) => AlertUnit::Number,
        }
    }

    /// Another value of the same unit, and the same currency.
    #[must_use]
    pub const fn with(self, value: i64) -> Self {
        match self {
            Self::Share(_) => Self::Share(value),
            Self::Time(_) => Self::Time(value),
            Self::Money(money) => {
                Self::Money(Money { amount: Micros::from_micros(value), currency: money.currency })
            }
            Self::Number(_) => Self::Number(value),
        }
    }

    /// The currency, if it is money.
    pub const fn currency(self) -> Option<Currency> {
        match self {
            Self::Money(money) => Some(money.currency),
            _ => None,
        }
    }

    fn number(value: f64) -> Result<Self, String> {
        if !(0.0..=LARGEST).contains(&value) {
            return Err("a value lies between 0 and 1,000,000,000".to_owned());
        }
        Ok(Self::Number((value * 100.0).round() as i64))
    }
}

/// Hundredths as people write them, with a point.
fn hundredths(value: i64) -> String {
    let (sign, value) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    let places = format!("{:02}", value % 100);
    let places = places.trim_end_matches('0');
    let point = if places.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{places}", value / 100)
}

/// As it is written in a file.
impl fmt::Display for AlertLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(value) => write!(f, "{}%", hundredths(*value)),
            Self::Time(ms) if *ms % 1_000 != 0 || *ms < 1_000 => write!(f, "{ms}ms"),
            Self::Time(ms) => {
                write!(f, "{}", HumanDuration::from_secs((ms / 1_000).unsigned_abs()))
            }
            Self::Money(money) => write!(f, "{money}"),
            Self::Number(value) => f.write_str(&hundredths(*value)),
        }
    }
}

impl FromStr for AlertLevel {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let wrong = || {
            let shown: String = text.chars().take(20).collect();
            Error::input(format!("`{}` is no value that can be watched", shown.escape_debug()))
                .hint("a share `\"20%\"`, a time `\"4s\"`, money `\"50 EUR\"` or a number `10`")
        };
        let number = |text: &str| {
            let text = text.trim_end_matches([' ', '\u{a0}', '\u{202f}']).replace(',', ".");
            let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            text.parse::<f64>().ok().filter(|value| plain && *value <= LARGEST)
        };
        if let Some(share) = text.strip_suffix('%') {
            return number(share)
                .map(|value| Self::Share((value * 100.0).round() as i64))
                .ok_or_else(wrong);
        }
        if let Some(ms) = text.strip_suffix("ms") {
            return number(ms).map(|ms| Self::Time(ms.round() as i64)).ok_or_else(wrong);
        }
        if let Ok(length) = text.parse::<HumanDuration>() {
            let ms = i64::try_from(length.get().as_millis()).map_err(|_| wrong())?;
            return Ok(Self::Time(ms));
        }
        if let Ok(money) = text.parse::<Money>() {
            return Ok(Self::Money(money));
        }
        number(text).and_then(|value| Self::number(value).ok()).ok_or_else(wrong)
    }
}

impl Serialize for AlertLevel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(value) if value % 100 == 0 => serializer.serialize_i64(value / 100),
            Self::Number(value) => serializer.serialize_f64(*value as f64 / 100.0),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for AlertLevel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LevelVisitor)
    }
}

struct LevelVisitor;

impl de::Visitor<'_> for LevelVisitor {
    type Value = AlertLevel;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a share `\"20%\"`, a time `\"4s\"`, money `\"50 EUR\"` or a number `10`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<AlertLevel, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<AlertLevel, E> {
        AlertLevel::number(value as f64).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<AlertLevel, E> {
        AlertLevel::number(value as f64).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<AlertLevel, E> {
        AlertLevel::number(value).map_err(E::custom)
    }
}

impl JsonSchema for AlertLevel {
    fn schema_name() -> Cow<'static, str> {
        "AlertLevel".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "number"],
            "description": "A share `20%`, a time `4s`, money `50 EUR` or a number",
            "examples": ["20%", "4s", "50 EUR", 10],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_people_write_them_and_come_back() {
        for (text, unit, value, shown) in [
            ("20%", AlertUnit::Share, 2_000, "20%"),
            ("12,5 %", AlertUnit::Share, 1_250, "12.5%"),
            ("4s", AlertUnit::Time, 4_000, "4s"),
            ("800ms", AlertUnit::Time, 800, "800ms"),
            ("1h30m", AlertUnit::Time, 5_400_000, "1h30m"),
            ("50 EUR", AlertUnit::Money, 50_000_000, "50.00 EUR"),
            ("$12.50", AlertUnit::Money, 12_500_000, "12.50 USD"),
            ("10", AlertUnit::Number, 1_000, "10"),
            ("0.5", AlertUnit::Number, 50, "0.5"),
        ] {
            let level: AlertLevel = text.parse().unwrap();
            assert_eq!((level.unit(), level.get()), (unit, value), "{text}");
            assert_eq!(level.to_string(), shown);
            let json = serde_json::to_string(&level).unwrap();
            assert_eq!(serde_json::from_str::<AlertLevel>(&json).unwrap(), level, "{json}");
        }
        for wrong in ["", "%", "-3%", "x", "NaN", "inf", "1e400", "3 CHF", "ms", "-4", "1e3"] {
            assert!(wrong.parse::<AlertLevel>().is_err(), "{wrong}");
        }
        for wrong in ["-1", "1e12", "true", "null"] {
            assert!(serde_json::from_str::<AlertLevel>(wrong).is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics_and_what_is_read_comes_back(text in "\\PC{0,12}") {
            if let Ok(level) = text.parse::<AlertLevel>() {
                proptest::prop_assert_eq!(level.to_string().parse::<AlertLevel>().unwrap(), level);
            }
        }

        #[test]
        fn every_value_comes_back(value in 0_i64..100_000_000) {
            for level in [AlertLevel::Share(value), AlertLevel::Time(value), AlertLevel::Number(value)] {
                proptest::prop_assert_eq!(level.to_string().parse::<AlertLevel>().unwrap(), level);
            }
        }
    }
}
