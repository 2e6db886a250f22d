//! Calendars of others: bookings are written into them, and what else stands there is read.

mod caldav;
mod google;
#[doc(hidden)]
pub mod offline;

use jiff::{Timestamp, tz::TimeZone};

use super::{Failure, outgoing::Outgoing};
use crate::domain::{Deliver, DestinationKind, Secret, Trouble};

pub use google::{Access, CALENDAR_URL};

/// A booking as a calendar is told of it. It is stored as JSON until the calendar has it.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Entry {
    /// What names it there, whatever becomes of it.
    pub uid: String,
    /// The whole calendar object (RFC 5545); nothing for one that is to be taken out.
    pub ics: Option<String>,
    /// The same as Google has events.
    pub event: Option<serde_json::Value>,
}

/// A stretch of time in which somebody is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Busy {
    /// From.
    pub starts_at: Timestamp,
    /// Until, exclusive.
    pub ends_at: Timestamp,
}

/// A stretch of time that is looked at, on whose clock.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// From.
    pub from: Timestamp,
    /// Until, exclusive.
    pub until: Timestamp,
    /// The client's own zone: what a day without a time means.
    pub zone: &'a TimeZone,
}

/// How our own entries are told from others' when a calendar is read.
pub const OURS: &str = ".webox";

/// Writes an entry into a calendar, or takes it out. Doing it twice does no harm.
pub(super) async fn write(
    outgoing: &Outgoing,
    google: &Access,
    place: &Deliver,
    secret: &Secret,
    body: &str,
    now: i64,
) -> Result<(), Failure> {
    let entry: Entry = serde_json::from_str(body)
        .map_err(|error| (Trouble::Gone, format!("the delivery cannot be read: {error}")))?;
    match place.to {
        DestinationKind::GoogleCalendar => google.write(outgoing, place, secret, &entry, now).await,
        _ => caldav::write(outgoing, place, secret, &entry, now).await,
    }
}

/// What stands in a calendar in a stretch of time, entries of ours left out.
pub(super) async fn read(
    outgoing: &Outgoing,
    google: &Access,
    place: &Deliver,
    secret: &Secret,
    window: &Window<'_>,
) -> Result<Vec<Busy>, Failure> {
    let mut busy = match place.to {
        DestinationKind::GoogleCalendar => google.read(outgoing, place, secret, window).await?,
        _ => caldav::read(outgoing, place, secret, window).await?,
    };
    busy.sort_unstable();
    Ok(merged(busy))
}

/// Stretches that touch are one.
fn merged(busy: Vec<Busy>) -> Vec<Busy> {
    let mut merged: Vec<Busy> = Vec::new();
    for one in busy {
        match merged.last_mut() {
            Some(last) if one.starts_at <= last.ends_at => {
                last.ends_at = last.ends_at.max(one.ends_at);
            }
            _ => merged.push(one),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn merging_covers_the_same_and_nothing_else(
            stretches in proptest::collection::vec((0..100i64, 1..20i64), 0..20)
        ) {
            let at = |second| Timestamp::from_second(second).unwrap();
            let mut busy: Vec<Busy> = stretches
                .iter()
                .map(|(from, long)| Busy { starts_at: at(*from), ends_at: at(from + long) })
                .collect();
            busy.sort_unstable();
            let merged = merged(busy.clone());
            for second in 0..130 {
                let in_any = |all: &[Busy]| {
                    all.iter().any(|one| one.starts_at <= at(second) && at(second) < one.ends_at)
                };
                proptest::prop_assert_eq!(in_any(&busy), in_any(&merged));
            }
            proptest::prop_assert!(merged.windows(2).all(|two| two[0].ends_at < two[1].starts_at));
        }
    }
}
