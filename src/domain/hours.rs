//! Opening hours: several services a day, closed days, and what opens next.

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{
    ToSpan,
    civil::{Date, DateTime, Time, Weekday},
};
use serde::{Deserialize, Serialize};

use super::{Closure, Error, PublicHolidays};

/// Monday first, as people in our countries count.
pub const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// The English name used as a key in files: `monday`.
pub fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

/// A stretch of a day, `19:00-23:00`. One that ends at or before its start runs past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeRange {
    /// First minute.
    pub start: Time,
    /// First minute after; `00:00` is the end of the day.
    pub end: Time,
}

impl TimeRange {
    fn minute(time: Time) -> i32 {
        i32::from(time.hour()) * 60 + i32::from(time.minute())
    }

    /// How long it is, in minutes.
    pub fn minutes(&self) -> i32 {
        let length = Self::minute(self.end) - Self::minute(self.start);
        if length > 0 { length } else { length + 24 * 60 }
    }

    /// The range on a day, as date-times.
    pub fn on(&self, date: Date) -> (DateTime, DateTime) {
        let start = date.to_datetime(self.start);
        let end = start.saturating_add(i64::from(self.minutes()).minutes());
        (start, end)
    }
}

impl FromStr for TimeRange {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            Error::input(format!("`{}` is not a time range", shown.escape_debug()))
                .hint("write two times of a day, such as `19:00-23:00`")
        };
        let (start, end) = text.split_once(['-', '–']).ok_or_else(wrong)?;
        let start = parse_time(start).ok_or_else(wrong)?;
        let end = parse_time(end).ok_or_else(wrong)?;
        if start == end && start != Time::midnight() {
            return Err(wrong());
        }
        Ok(Self { start, end })
    }
}

/// `19:00`, `9:30`, `19h`, `19h30`, `24:00`.
pub(super) fn parse_time(text: &str) -> Option<Time> {
    let text = text.trim();
    let (hour, minute) = text.split_once([':', 'h', 'H'])?;
    let minute = if minute.is_empty() { "0" } else { minute };
    if hour.len() > 2 || minute.len() > 2 {
        return None;
    }
    let hour: i8 = hour.parse().ok()?;
    let minute: i8 = minute.parse().ok()?;
    if hour == 24 && minute == 0 {
        return Some(Time::midnight());
    }
    Time::new(hour, minute, 0, 0).ok()
}

/// A time of day, `15:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(Time);

impl ClockTime {
    /// A full hour of the day.
    pub const fn at_hour(hour: i8) -> Self {
        Self(Time::constant(hour, 0, 0, 0))
    }

    /// As the calendar has it.
    pub const fn get(self) -> Time {
        self.0
    }
}

impl FromStr for ClockTime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse_time(text).map(Self).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            Error::input(format!("`{}` is not a time of day", shown.escape_debug()))
                .hint("write hours and minutes, such as `15:00`")
        })
    }
}

impl TryFrom<String> for ClockTime {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> String {
        time.to_string()
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl TryFrom<String> for TimeRange {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<TimeRange> for String {
    fn from(range: TimeRange) -> String {
        range.to_string()
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            self.start.hour(),
            self.start.minute(),
            self.end.hour(),
            self.end.minute()
        )
    }
}

/// The services of one day, in order; none means closed.
pub type DayHours = Vec<TimeRange>;

/// When a client is open. With no hours at all it is always open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpeningHours {
    /// By weekday, Monday first.
    pub week: [DayHours; 7],
    /// Days closed in spite of the week.
    pub closed: Vec<Closure>,
    /// Days with hours of their own, whatever the week and the closures say.
    pub special: BTreeMap<Date, DayHours>,
    /// The country's holidays, where the client keeps them.
    pub holidays: Option<PublicHolidays>,
    /// Whether any hours were given.
    pub known: bool,
}

impl OpeningHours {
    /// The services of a date, closures applied. Empty means closed.
    pub fn on(&self, date: Date) -> &[TimeRange] {
        if let Some(own) = self.special.get(&date) {
            return own;
        }
        if self.is_closed(date) {
            return &[];
        }
        &self.week[date.weekday().to_monday_zero_offset() as usize]
    }

    /// Whether a day is closed in spite of the week.
    pub fn is_closed(&self, date: Date) -> bool {
        !self.special.contains_key(&date)
            && (self.closed.iter().any(|closure| closure.covers(date))
                || self.holidays.is_some_and(|holidays| holidays.covers(date)))
    }

    /// Whether the client is open at a moment of its own zone.
    pub fn is_open(&self, at: DateTime) -> bool {
        self.service_at(at).is_some() || !self.known
    }

    /// The service (start, end) that a moment falls in; yesterday's may run past midnight.
    pub fn service_at(&self, at: DateTime) -> Option<(DateTime, DateTime)> {
        let yesterday = at.date().yesterday().ok();
        [Some(at.date()), yesterday].into_iter().flatten().find_map(|date| {
            self.on(date)
                .iter()
                .map(|range| range.on(date))
                .find(|(start, end)| *start <= at && at < *end)
        })
    }

    /// The first service that starts at or after a moment, within the next 60 days.
    pub fn next_service(&self, from: DateTime) -> Option<(DateTime, DateTime)> {
        let mut date = from.date();
        for _ in 0..60 {
            let found =
                self.on(date).iter().map(|range| range.on(date)).find(|(start, _)| *start >= from);
            if found.is_some() {
                return found;
            }
            date = date.tomorrow().ok()?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};

    use super::*;
    use crate::domain::Country;

    fn le_gourmet() -> OpeningHours {
        let services: DayHours =
            ["12:00-14:00", "19:00-23:00"].iter().map(|r| r.parse().unwrap()).collect();
        let mut week: [DayHours; 7] = Default::default();
        for day in week.iter_mut().take(6) {
            day.clone_from(&services);
        }
        OpeningHours {
            week,
            closed: vec![date(2026, 12, 25).into()],
            special: [(date(2026, 12, 27), vec!["12:00-15:00".parse().unwrap()])].into(),
            holidays: Country::of(&"+33123456789".parse().unwrap()).and_then(PublicHolidays::of),
            known: true,
        }
    }

    #[test]
    fn open_closed_and_what_opens_next() {
        let hours = le_gourmet();
        assert!(hours.is_open(datetime(2026, 11, 23, 20, 0, 0, 0)));
        assert!(!hours.is_open(datetime(2026, 11, 23, 15, 0, 0, 0)));
        assert!(!hours.is_open(datetime(2026, 11, 22, 20, 0, 0, 0)), "a Sunday");
        assert!(!hours.is_open(datetime(2026, 12, 25, 20, 0, 0, 0)), "a closed day");
        assert!(!hours.is_open(datetime(2027, 5, 1, 20, 0, 0, 0)), "a holiday");
        assert!(hours.is_open(datetime(2026, 12, 27, 12, 0, 0, 0)), "a Sunday of its own");
        let (start, _) = hours.next_service(datetime(2026, 11, 22, 10, 0, 0, 0)).unwrap();
        assert_eq!(start, datetime(2026, 11, 23, 12, 0, 0, 0));
    }

    #[test]
    fn a_service_may_run_past_midnight() {
        let range: TimeRange = "19h-2h".parse().unwrap();
        assert_eq!(range.minutes(), 7 * 60);
        let hours = OpeningHours {
            week: std::array::from_fn(|_| vec![range]),
            known: true,
            ..OpeningHours::default()
        };
        assert!(hours.is_open(datetime(2026, 11, 24, 1, 30, 0, 0)));
        assert!(!hours.is_open(datetime(2026, 11, 24, 2, 0, 0, 0)));
    }

    #[test]
    fn wrong_ranges_are_refused() {
        for wrong in ["", "19:00", "19:00-", "25:00-26:00", "19:00-19:00", "a-b", "19:000-20:00"] {
            assert!(wrong.parse::<TimeRange>().is_err(), "{wrong}");
        }
        assert_eq!("00:00-24:00".parse::<TimeRange>().unwrap().minutes(), 24 * 60);
    }
}
