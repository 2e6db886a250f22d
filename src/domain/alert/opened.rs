//! How long it was open in a stretch of time.

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};

use super::super::OpeningHours;

/// How far back it is looked: closed for longer, it is as if it had been open never.
const FURTHEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// How long a client was open between two moments; nothing where its hours are not known.
pub fn opened(
    hours: &OpeningHours,
    zone: &TimeZone,
    from: Timestamp,
    until: Timestamp,
) -> Option<SignedDuration> {
    if !hours.known {
        return None;
    }
    let from = from.max(until.checked_sub(FURTHEST).unwrap_or(from));
    let last = until.to_zoned_datetime(zone.clone()).date();
    // The evening before may run past midnight.
    let mut day = from.to_zoned_datetime(zone.clone()).date().checked_sub(1.day()).ok()?;
    let mut total = SignedDuration::ZERO;
    // Services may meet; none is counted twice.
    let mut counted = from;
    while day <= last {
        let mut services: Vec<_> = hours.on(day).iter().map(|range| range.on(day)).collect();
        services.sort();
        for (start, end) in services {
            let moment = |local: jiff::civil::DateTime| {
                Some(local.to_zoned_datetime(zone.clone()).ok()?.timestamp())
            };
            let (start, end) = (moment(start)?.max(counted), moment(end)?.min(until));
            if end > start {
                total += end.duration_since(start);
                counted = end;
            }
        }
        day = day.tomorrow().ok()?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours() -> OpeningHours {
        let day = vec!["12:00-14:00".parse().unwrap(), "19:00-01:00".parse().unwrap()];
        OpeningHours {
            week: std::array::from_fn(|_| day.clone()),
            closed: vec![jiff::civil::date(2026, 11, 25).into()],
            known: true,
            ..OpeningHours::default()
        }
    }

    #[test]
    fn only_open_time_counts() {
        let zone = TimeZone::get("Europe/Paris").unwrap();
        let between = |from: &str, until: &str| {
            let moment = |text: &str| format!("{text}:00+01:00").parse::<Timestamp>().unwrap();
            opened(&hours(), &zone, moment(from), moment(until)).unwrap().as_mins()
        };
        assert_eq!(between("2026-11-23T10:00", "2026-11-23T11:00"), 0);
        assert_eq!(between("2026-11-23T13:00", "2026-11-23T20:00"), 120);
        assert_eq!(between("2026-11-23T23:00", "2026-11-24T03:00"), 120);
        assert_eq!(between("2026-11-24T00:30", "2026-11-24T00:45"), 15);
        // A closed day between.
        assert_eq!(between("2026-11-24T20:00", "2026-11-26T12:30"), 5 * 60 + 30);
        assert_eq!(between("2026-11-23T20:00", "2026-11-23T20:00"), 0);
        // No further back than a month.
        assert_eq!(
            between("2020-01-01T00:00", "2026-11-23T10:00"),
            between("2026-10-23T10:00", "2026-11-23T10:00")
        );
        let unknown = OpeningHours::default();
        assert_eq!(opened(&unknown, &zone, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH), None);
    }

    proptest::proptest! {
        #[test]
        fn it_is_never_more_than_the_time_itself(from in 0_i64..4_000_000, length in 0_i64..2_000_000) {
            let zone = TimeZone::get("Europe/Paris").unwrap();
            let at = |seconds| Timestamp::from_second(1_790_000_000 + seconds).unwrap();
            let open = opened(&hours(), &zone, at(from), at(from + length)).unwrap().as_secs();
            proptest::prop_assert!((0..=length).contains(&open), "{}", open);
        }
    }
}
