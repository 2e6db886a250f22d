//! Days on which a client is closed in spite of the week: dates, stretches of dates, and the
//! public holidays of its country.

use std::{fmt, str::FromStr};

use holidays_rs as table;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Country, Error};

/// One day, `2026-12-25`, or a stretch of them with both ends, `2026-08-01/2026-08-21` (ISO 8601).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Closure {
    first: Date,
    last: Date,
}

impl Closure {
    /// Whether it covers a day.
    pub fn covers(&self, date: Date) -> bool {
        self.first <= date && date <= self.last
    }

    /// The last day of it.
    pub const fn last(&self) -> Date {
        self.last
    }
}

impl From<Date> for Closure {
    fn from(date: Date) -> Self {
        Self { first: date, last: date }
    }
}

impl FromStr for Closure {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            Error::input(format!(
                "`{}` is neither a day nor a stretch of days",
                shown.escape_debug()
            ))
            .hint("write `2026-12-25`, or `2026-08-01/2026-08-21` with both ends closed")
        };
        let day = |text: &str| text.trim().parse::<Date>().map_err(|_| wrong());
        let (first, last) = match text.split_once('/') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(text)?, day(text)?),
        };
        if last < first {
            return Err(wrong());
        }
        Ok(Self { first, last })
    }
}

impl TryFrom<String> for Closure {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Closure> for String {
    fn from(closure: Closure) -> String {
        closure.to_string()
    }
}

impl fmt::Display for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.last != self.first {
            write!(f, "/{}", self.last)?;
        }
        Ok(())
    }
}

/// The public holidays of a country, those of the whole country: what a region adds is for the
/// file to say. The rules are those of the crate `holidays-rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicHolidays(table::Country);

impl PublicHolidays {
    /// Those of a country, where they are known.
    pub fn of(country: Country) -> Option<Self> {
        use table::Country as C;
        Some(Self(match country.code {
            "AT" => C::Austria,
            "AU" => C::Australia,
            "BE" => C::Belgium,
            "BR" => C::Brazil,
            "CA" => C::Canada,
            "CH" => C::Switzerland,
            "DE" => C::Germany,
            "ES" => C::Spain,
            "FR" => C::France,
            "GB" => C::UnitedKingdom,
            "GP" => C::Guadeloupe,
            "GF" => C::FrenchGuiana,
            "IE" => C::Ireland,
            "IT" => C::Italy,
            "LU" => C::Luxembourg,
            "MC" => C::Monaco,
            "MQ" => C::Martinique,
            "MX" => C::Mexico,
            "NL" => C::Netherlands,
            "PM" => C::SaintPierreAndMiquelon,
            "PT" => C::Portugal,
            "RE" => C::Reunion,
            "US" => C::UnitedStates,
            _ => return None,
        }))
    }

    /// Whether a day is one.
    pub fn covers(self, date: Date) -> bool {
        let (Ok(month), Ok(day)) = (u8::try_from(date.month()), u8::try_from(date.day())) else {
            return false;
        };
        let date = table::Date::new(i32::from(date.year()), month, day);
        date.is_some_and(|date| table::Calendar::new(self.0).is_holiday(date))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_stretch_has_both_its_ends() {
        let summer: Closure = "2026-08-01/2026-08-21".parse().unwrap();
        assert!(summer.covers(date(2026, 8, 1)) && summer.covers(date(2026, 8, 21)));
        assert!(!summer.covers(date(2026, 7, 31)) && !summer.covers(date(2026, 8, 22)));
        assert_eq!(summer.to_string(), "2026-08-01/2026-08-21");
        assert_eq!("2026-12-25".parse::<Closure>().unwrap().to_string(), "2026-12-25");
        for wrong in ["", "demain", "2026-08-21/2026-08-01", "2026-08-01/", "2026-13-01"] {
            assert!(wrong.parse::<Closure>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn holidays_are_those_of_the_country() {
        let of = |number: &str| {
            PublicHolidays::of(Country::of(&number.parse().unwrap()).unwrap()).unwrap()
        };
        let (france, spain, germany) = (of("+33123456789"), of("+34910000214"), of("+4930123456"));
        assert!(france.covers(date(2026, 7, 14)) && !spain.covers(date(2026, 7, 14)));
        assert!(germany.covers(date(2026, 10, 3)) && !france.covers(date(2026, 10, 3)));
        // Easter Monday moves: 6 April 2026, 29 March 2027.
        assert!(france.covers(date(2026, 4, 6)) && france.covers(date(2027, 3, 29)));
    }
}
