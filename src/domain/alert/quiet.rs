//! Hours in which nobody is told what can wait.

use jiff::{Timestamp, tz::TimeZone};

use super::super::TimeRange;

/// Whether a moment falls into one of some stretches of the day, in a zone; one may run past midnight.
pub fn is_quiet(hours: &[TimeRange], zone: &TimeZone, now: Timestamp) -> bool {
    let local = now.to_zoned_datetime(zone.clone()).datetime();
    let days = [Some(local.date()), local.date().yesterday().ok()];
    days.into_iter().flatten().any(|day| {
        hours.iter().map(|range| range.on(day)).any(|(start, end)| start <= local && local < end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nights_run_past_midnight_in_their_own_zone() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let hours: Vec<TimeRange> = vec!["22:00-07:00".parse().unwrap()];
        for (moment, quiet) in [
            ("2026-11-27T20:59:00Z", false),
            ("2026-11-27T21:00:00Z", true),
            ("2026-11-28T05:59:00Z", true),
            ("2026-11-28T06:00:00Z", false),
            // In summer an hour earlier.
            ("2026-07-01T20:00:00Z", true),
        ] {
            assert_eq!(is_quiet(&hours, &zone, moment.parse().unwrap()), quiet, "{moment}");
        }
        assert!(!is_quiet(&[], &zone, "2026-11-27T23:00:00Z".parse().unwrap()));
    }
}
