//! A month of the calendar, as bills are for.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Error, Result};

/// A month of a year: `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    first: Date,
}

impl Month {
    /// The month that a day is in.
    pub fn of(day: Date) -> Self {
        Self { first: day.first_of_month() }
    }

    /// Its first day.
    pub const fn first(self) -> Date {
        self.first
    }

    /// Its last day.
    pub fn last(self) -> Date {
        self.first.last_of_month()
    }

    /// How many days it has.
    pub fn days(self) -> u32 {
        self.first.days_in_month().unsigned_abs().into()
    }

    /// Its begin and its end on the clocks of a zone; the end is no part of it.
    pub fn bounds(self, zone: &TimeZone) -> Result<(Timestamp, Timestamp)> {
        let begin = |day: Date| {
            let day = day.at(0, 0, 0, 0).to_zoned_datetime(zone.clone());
            day.map(|day| day.timestamp()).map_err(|error| {
                Error::input(format!("{self} is beyond what can be counted")).because(error)
            })
        };
        let next = self.last().tomorrow().map_err(|error| {
            Error::input(format!("{self} is beyond what can be counted")).because(error)
        })?;
        Ok((begin(self.first)?, begin(next)?))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for Month {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            let shown: String = text.chars().take(20).collect();
            Error::input(format!("`{}` is no month", shown.escape_debug()))
                .hint("a year and a month: `2026-11`")
        };
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        let digits = |part: &str, long: usize| {
            part.len() == long && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(year, 4) || !digits(month, 2) {
            return Err(wrong());
        }
        let (year, month) =
            (year.parse().map_err(|_| wrong())?, month.parse().map_err(|_| wrong())?);
        // Nobody billed anything by telephone before; and later years are typing errors.
        if !(2000..=2199).contains(&year) {
            return Err(wrong());
        }
        Date::new(year, month, 1).map(Self::of).map_err(|_| wrong())
    }
}

impl TryFrom<String> for Month {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_and_have_their_days() {
        for (text, days) in [("2026-11", 30), ("2026-02", 28), ("2028-02", 29), ("2026-12", 31)] {
            let month: Month = text.parse().unwrap();
            assert_eq!((month.to_string().as_str(), month.days()), (text, days));
        }
        for text in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "26-11",
            "2026-1",
            "2026-11-01",
            "+026-11",
            "1999-12",
        ] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_month_is_bounded_by_the_clocks_of_its_zone() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let (begin, end) = "2026-10".parse::<Month>().unwrap().bounds(&paris).unwrap();
        assert_eq!(begin.to_string(), "2026-09-30T22:00:00Z");
        // Clocks were set back in between.
        assert_eq!(end.to_string(), "2026-10-31T23:00:00Z");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,20}") {
            if let Ok(month) = text.parse::<Month>() {
                proptest::prop_assert_eq!(month.to_string(), text);
            }
        }
    }
}
