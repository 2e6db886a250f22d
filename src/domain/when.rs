//! Moments and lengths of time as people type them (`--since 2d`, `duration = "2h"`).

use std::{fmt, str::FromStr, time::Duration};

use jiff::{
    Span, Timestamp, ZonedDateTime,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, Disambiguation, TimeZone},
};
use serde::{Deserialize, Serialize};

use super::Error;

/// Which end of a window a text names: it decides words such as `tomorrow` and repeated hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `--since`: inclusive; may not lie in the future.
    Since,
    /// `--until`: exclusive.
    Until,
}

const FORMS: &str = "write an age (`90m`, `2d`, `1w`, `1h30m`), a day (`today`, `yesterday`, `2026-09-20`), \
                     or a time (`2026-09-20 14:05`, `2026-09-20T14:05:06Z`, `@1758370000`)";

/// Reads one end of a time window. Local forms are read in the zone of `now`.
pub fn parse(text: &str, now: &ZonedDateTime, bound: Bound) -> Result<Timestamp, Error> {
    let text = text.trim();
    let flag = match bound {
        Bound::Since => "--since",
        Bound::Until => "--until",
    };
    let wrong = |hint: &str| {
        let shown: String = text.chars().take(60).collect();
        Error::input(format!("`{}` is not a time that {flag} understands", shown.escape_debug()))
            .hint(hint)
    };
    let at = read(text, now, bound).map_err(|hint| wrong(hint.unwrap_or(FORMS)))?;
    if bound == Bound::Since && at > now.timestamp() {
        return Err(wrong("it lies in the future"));
    }
    Ok(at)
}

type Reading = Result<Timestamp, Option<&'static str>>;

fn read(text: &str, now: &ZonedDateTime, bound: Bound) -> Reading {
    let zone = now.time_zone();
    match text {
        "" => return Err(None),
        "now" => return Ok(now.timestamp()),
        "today" => return midnight(now.date(), zone),
        "yesterday" => return midnight(now.date().yesterday().map_err(|_| None)?, zone),
        "tomorrow" if bound == Bound::Until => {
            return midnight(now.date().tomorrow().map_err(|_| None)?, zone);
        }
        "tomorrow" => return Err(Some("it lies in the future")),
        _ => {}
    }
    if let Some(seconds) = text.strip_prefix('@') {
        let seconds: i64 = seconds.parse().map_err(|_| None)?;
        return Timestamp::from_second(seconds).map_err(|_| None);
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Some(
            "a bare number is ambiguous: write `90s`, `90m`, a date such as `2026-09-20`, or `@1758370000` for Unix seconds",
        ));
    }
    // An instant first: a civil date-time would accept it too, and drop its offset.
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if text.len() == 10
        && let Ok(date) = text.parse::<Date>()
    {
        return midnight(date, zone);
    }
    if text.contains('-')
        && text.contains(':')
        && let Ok(local) = text.replace(' ', "T").parse::<DateTime>()
    {
        // A repeated hour is read so that the window is the wider one; a skipped one moves on.
        let disambiguation = match bound {
            Bound::Since => Disambiguation::Compatible,
            Bound::Until => match zone.to_ambiguous_timestamp(local).offset() {
                AmbiguousOffset::Fold { .. } => Disambiguation::Later,
                _ => Disambiguation::Compatible,
            },
        };
        return zone.to_ambiguous_timestamp(local).disambiguate(disambiguation).map_err(|_| None);
    }
    let age = text.strip_prefix('-').unwrap_or(text);
    let age = age.strip_suffix("ago").unwrap_or(age).trim();
    let span = parse_age(age)?;
    now.checked_sub(span).map(|at| at.timestamp()).map_err(|_| Some("it lies too far back"))
}

fn midnight(date: Date, zone: &TimeZone) -> Reading {
    date.to_zoned_datetime(zone.clone()).map(|at| at.timestamp()).map_err(|_| None)
}

/// `1w2d`, `1h30m`, `90s`: calendar days and weeks, exact hours and less.
fn parse_age(text: &str) -> Result<Span, Option<&'static str>> {
    let mut span = Span::new();
    let mut rest = text;
    if rest.is_empty() {
        return Err(None);
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let amount: i64 = rest[..digits].parse().map_err(|_| None)?;
        rest = &rest[digits..];
        let letters = rest.chars().take_while(|c| c.is_alphabetic()).map(char::len_utf8).sum();
        let (unit, tail) = rest.split_at(letters);
        let too_long = |_| Some("it lies too far back");
        span = match unit {
            "s" => span.try_seconds(amount),
            "m" | "min" => span.try_minutes(amount),
            "h" => span.try_hours(amount),
            "d" | "j" => span.try_days(amount),
            "w" => span.try_weeks(amount),
            "M" | "mo" | "y" => return Err(Some("months and years vary: write `30d` or a date")),
            _ => return Err(None),
        }
        .map_err(too_long)?;
        rest = tail.trim_start();
    }
    Ok(span)
}

/// A length of time as files and flags spell it: `90s`, `10m`, `2h`, `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HumanDuration(Duration);

impl HumanDuration {
    /// A length in whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// A length in whole minutes.
    pub const fn from_minutes(minutes: u64) -> Self {
        Self(Duration::from_secs(minutes * 60))
    }

    /// As the standard library has it.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// In whole seconds.
    pub const fn as_secs(self) -> u64 {
        self.0.as_secs()
    }

    /// In whole minutes, rounded down.
    pub const fn as_minutes(self) -> i64 {
        (self.0.as_secs() / 60) as i64
    }
}

impl FromStr for HumanDuration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            Error::input(format!("`{}` is not a length of time", shown.escape_debug()))
                .hint("write a number and a unit, such as `90s`, `10m`, `2h` or `1h30m`")
        };
        let mut total: u64 = 0;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let amount: u64 = rest[..digits].parse().map_err(|_| wrong())?;
            let unit = rest[digits..].chars().next().ok_or_else(wrong)?;
            let factor = match unit {
                's' => 1,
                'm' => 60,
                'h' => 3600,
                'd' => 86_400,
                _ => return Err(wrong()),
            };
            total = amount
                .checked_mul(factor)
                .and_then(|seconds| total.checked_add(seconds))
                .filter(|seconds| *seconds <= 366 * 86_400)
                .ok_or_else(wrong)?;
            rest = rest[digits + 1..].trim_start();
        }
        Ok(Self::from_secs(total))
    }
}

impl TryFrom<String> for HumanDuration {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<HumanDuration> for String {
    fn from(duration: HumanDuration) -> String {
        duration.to_string()
    }
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (hours, minutes, seconds) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
        match (hours, minutes, seconds) {
            (0, 0, s) => write!(f, "{s}s"),
            (0, m, 0) => write!(f, "{m}m"),
            (0, m, s) => write!(f, "{m}m{s}s"),
            (h, 0, 0) => write!(f, "{h}h"),
            (h, m, 0) => write!(f, "{h}h{m}m"),
            (h, m, s) => write!(f, "{h}h{m}m{s}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> ZonedDateTime {
        "2026-11-23T10:30:00+01:00[Europe/Paris]".parse().unwrap()
    }

    fn since(text: &str) -> String {
        match parse(text, &now(), Bound::Since) {
            Ok(at) => at.to_string(),
            Err(error) => format!("refused: {}", error.hint_text().unwrap_or_default()),
        }
    }

    #[test]
    fn the_grammar_of_the_manual() {
        for (text, expected) in [
            ("90m", "2026-11-23T08:00:00Z"),
            ("-2h", "2026-11-23T07:30:00Z"),
            ("2h ago", "2026-11-23T07:30:00Z"),
            ("1h30m", "2026-11-23T08:00:00Z"),
            ("2d", "2026-11-21T09:30:00Z"),
            ("1w", "2026-11-16T09:30:00Z"),
            ("now", "2026-11-23T09:30:00Z"),
            ("today", "2026-11-22T23:00:00Z"),
            ("yesterday", "2026-11-21T23:00:00Z"),
            ("2026-09-20", "2026-09-19T22:00:00Z"),
            ("2026-09-20 14:05", "2026-09-20T12:05:00Z"),
            ("2026-09-20T14:05:06", "2026-09-20T12:05:06Z"),
            ("2026-09-20T14:05:06Z", "2026-09-20T14:05:06Z"),
            ("2026-09-20T14:05:06+05:00", "2026-09-20T09:05:06Z"),
            ("@1758370000", "2025-09-20T12:06:40Z"),
        ] {
            assert_eq!(since(text), expected, "{text}");
        }
    }

    #[test]
    fn ambiguous_and_future_times_are_explained() {
        for (text, part) in [
            ("20260920", "bare number"),
            ("1M", "months and years vary"),
            ("1y", "months and years vary"),
            ("tomorrow", "future"),
            ("2027-01-01", "future"),
            ("", "write an age"),
            ("demain", "write an age"),
            ("2h30", "write an age"),
            ("0.5h", "write an age"),
        ] {
            let said = since(text);
            assert!(said.starts_with("refused") && said.contains(part), "{text}: {said}");
        }
    }

    #[test]
    fn a_repeated_hour_widens_the_window_and_days_are_calendar_days() {
        // Europe/Paris, 2026-10-25: 02:30 happens twice, at 00:30Z and 01:30Z.
        assert_eq!(since("2026-10-25 02:30"), "2026-10-25T00:30:00Z");
        let until = parse("2026-10-25 02:30", &now(), Bound::Until).unwrap();
        assert_eq!(until.to_string(), "2026-10-25T01:30:00Z");
        let monday: ZonedDateTime = "2026-10-26T00:00:00+01:00[Europe/Paris]".parse().unwrap();
        let day_before = parse("1d", &monday, Bound::Since).unwrap();
        assert_eq!(day_before.to_string(), "2026-10-24T22:00:00Z", "25 hours earlier");
    }

    #[test]
    fn durations_read_and_print_alike() {
        for text in ["90s", "10m", "2h", "1h30m", "1h0m5s", "1d"] {
            let duration: HumanDuration = text.parse().unwrap();
            assert_eq!(duration.to_string().parse::<HumanDuration>().unwrap(), duration);
        }
        assert_eq!("1h30m".parse::<HumanDuration>().unwrap().as_secs(), 5400);
        for wrong in ["", "10", "m", "10x", "-5m", "99999999999999999999s", "10mé"] {
            assert!(wrong.parse::<HumanDuration>().is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = parse(&text, &now(), Bound::Since);
            let _ = parse(&text, &now(), Bound::Until);
            let _ = text.parse::<HumanDuration>();
        }

        #[test]
        fn an_age_never_lies_in_the_future(n in 0u32..10_000, unit in "[smhdw]") {
            let at = parse(&format!("{n}{unit}"), &now(), Bound::Since).unwrap();
            proptest::prop_assert!(at <= now().timestamp());
        }
    }
}
