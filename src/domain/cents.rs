//! Amounts as they stand on a bill: whole hundredths.

use std::{fmt, iter::Sum};

use serde::{Deserialize, Serialize};

use super::{Error, Micros};

/// Hundredths of a unit of some currency.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Cents(i64);

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many hundredths.
    pub const fn new(hundredths: i64) -> Self {
        Self(hundredths)
    }

    /// The hundredths.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The nearest, halves away from nothing: as bills are rounded.
    pub const fn nearest(amount: Micros) -> Self {
        Self(divide(amount.get() as i128, 10_000))
    }

    /// The part of it that a rate takes, rounded the same way.
    #[must_use]
    pub const fn at(self, rate: Percent) -> Self {
        Self(divide(self.0 as i128 * rate.0 as i128, 10_000))
    }

    /// The other way round: for what is given back.
    #[must_use]
    pub const fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Divides, halves away from nothing; what does not fit is the most that does.
const fn divide(value: i128, by: i128) -> i64 {
    let half = if value < 0 { -by / 2 } else { by / 2 };
    let whole = (value + half) / by;
    if whole > i64::MAX as i128 {
        i64::MAX
    } else if whole < i64::MIN as i128 {
        i64::MIN
    } else {
        whole as i64
    }
}

impl Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::plus)
    }
}

/// Two places: `12.50`.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, value) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        write!(f, "{sign}{}.{:02}", value / 100, value % 100)
    }
}

impl TryFrom<String> for Cents {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
        let amount: Micros = digits.parse()?;
        if amount.get() % 10_000 != 0 {
            return Err(Error::input(format!("`{text}` has more than two places")));
        }
        Ok(Self(sign * (amount.get() / 10_000)))
    }
}

impl From<Cents> for String {
    fn from(amount: Cents) -> Self {
        amount.to_string()
    }
}

/// A rate of tax, in hundredths of a percent, from 0 to 100 %.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "Written", into = "String")]
pub struct Percent(u32);

impl Percent {
    /// No tax.
    pub const ZERO: Self = Self(0);
}

/// As a file may have it: `20`, or `"5.5"`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a rate such as 20, or \"5.5\" as text")]
enum Written {
    Whole(u32),
    Text(String),
}

impl TryFrom<Written> for Percent {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        let text = match written {
            Written::Whole(whole) => whole.to_string(),
            Written::Text(text) => text.trim().trim_end_matches('%').trim_end().to_owned(),
        };
        let wrong = || {
            Error::input(format!("`{}` is no rate of tax", text.escape_debug()))
                .hint("a percentage with up to two places: `20`, `\"5.5\"`")
        };
        let rate = text.parse::<Micros>().map_err(|_| wrong())?.get();
        if rate % 10_000 != 0 || rate > 100_000_000 {
            return Err(wrong());
        }
        Ok(Self((rate / 10_000) as u32))
    }
}

impl From<Percent> for String {
    fn from(rate: Percent) -> Self {
        rate.to_string()
    }
}

/// As short as it goes: `20`, `5.5`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str) -> Option<Percent> {
        Percent::try_from(Written::Text(text.to_owned())).ok()
    }

    #[test]
    fn halves_are_rounded_away_from_nothing() {
        let nearest = |text: &str| Cents::nearest(text.parse().unwrap()).to_string();
        assert_eq!(nearest("0.004999"), "0.00");
        assert_eq!(nearest("0.005"), "0.01");
        assert_eq!(nearest("12.345"), "12.35");
        assert_eq!(Cents::new(-105).at(percent("10").unwrap()), Cents::new(-11));
        assert_eq!(Cents::new(10_005).at(percent("5.5").unwrap()).to_string(), "5.50");
    }

    #[test]
    fn rates_are_read() {
        assert_eq!(percent("5.5 %").unwrap().to_string(), "5.5");
        assert_eq!(Percent::try_from(Written::Whole(20)).unwrap().to_string(), "20");
        assert_eq!(percent("2.10").unwrap().to_string(), "2.1");
        assert_eq!(percent("2.05").unwrap().to_string(), "2.05");
        assert!(percent("101").is_none() && percent("-1").is_none() && percent("5.555").is_none());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(hundredths in -1_000_000_000_i64..1_000_000_000) {
            let amount = Cents::new(hundredths);
            proptest::prop_assert_eq!(Cents::try_from(amount.to_string()).unwrap(), amount);
        }

        #[test]
        fn a_tax_is_at_most_half_a_cent_off(hundredths in 0_i64..1_000_000_000, rate in 0_u32..=10_000) {
            let tax = Cents::new(hundredths).at(Percent(rate)).get();
            let exact = i128::from(hundredths) * i128::from(rate);
            proptest::prop_assert!((i128::from(tax) * 10_000 - exact).abs() <= 5_000);
        }
    }
}
