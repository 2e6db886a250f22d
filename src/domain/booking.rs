//! Bookings, and the one rule that says whether a place is free.

use jiff::{Timestamp, ToSpan, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::row_number::row_number;
use super::{AssistantId, AssistantSpec, BookingRules, CallId, OpeningHours};

row_number!(
    /// The row number of a booking.
    BookingId
);

/// What a caller asks for, in the assistant's zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingRequest {
    /// How many people.
    pub party: u32,
    /// Date and time on the client's wall clock.
    pub at: DateTime,
    /// Under which name; not needed to ask whether there is room.
    pub name: Option<String>,
}

/// A booking as stored: a promise to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Row number.
    pub id: BookingId,
    /// For which assistant's client.
    pub assistant: AssistantId,
    /// In which call, if in one.
    pub call: Option<CallId>,
    /// Under which name.
    pub name: String,
    /// How many people.
    pub party: u32,
    /// Number to call back.
    pub caller: Option<String>,
    /// Date and time on the client's wall clock: this is what was promised.
    pub at: DateTime,
    /// IANA name of that clock's zone.
    pub timezone: String,
    /// The same moment in UTC.
    pub starts_at: Timestamp,
    /// When the places are free again.
    pub ends_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Places that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Booked {
    /// From.
    pub starts_at: Timestamp,
    /// Until, exclusive.
    pub ends_at: Timestamp,
    /// How many people.
    pub party: u32,
}

/// Why a booking cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Refusal {
    /// This assistant takes no bookings.
    NotOffered,
    /// Fewer people than one booking takes.
    PartyTooSmall {
        /// Fewest.
        min: u32,
    },
    /// More people than one booking takes.
    PartyTooLarge {
        /// Most.
        max: u32,
    },
    /// Already over.
    InThePast,
    /// Further ahead than bookings are taken.
    TooFarAhead {
        /// How many days ahead one may book.
        days: u32,
    },
    /// Closed all that day.
    ClosedThatDay {
        /// The next service.
        next: Option<DateTime>,
    },
    /// Open that day, but not then.
    OutsideHours {
        /// The next service.
        next: Option<DateTime>,
    },
    /// In a service, but too near its end.
    TooLate {
        /// Latest arrival.
        last: DateTime,
    },
    /// No room.
    Full {
        /// Times of that day with room, nearest first, at most three.
        free: Vec<DateTime>,
    },
}

/// Whether a request can be met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "availability")]
pub enum Availability {
    /// There is room.
    Free,
    /// There is not, and why.
    Refused(Refusal),
}

impl Availability {
    /// Judges a request against the rules and the places taken. `now` is an instant.
    pub fn judge(
        spec: &AssistantSpec,
        request: &BookingRequest,
        taken: &[Booked],
        now: Timestamp,
    ) -> Self {
        let Some(rules) = &spec.booking else {
            return Self::Refused(Refusal::NotOffered);
        };
        let zone = spec.zone();
        let opening = spec.opening();
        if request.party < rules.party.min {
            return Self::Refused(Refusal::PartyTooSmall { min: rules.party.min });
        }
        if request.party > rules.party.max {
            return Self::Refused(Refusal::PartyTooLarge { max: rules.party.max });
        }
        let today = now.to_zoned_datetime(zone.clone()).datetime();
        if let Err(refusal) = in_time(rules, &opening, request.at, today) {
            return Self::Refused(refusal);
        }
        if has_room(rules, &zone, request.at, request.party, taken) {
            return Self::Free;
        }
        let mut free = free_times(rules, &opening, request.at, today, |at| {
            has_room(rules, &zone, at, request.party, taken)
        });
        free.sort_by_key(|at| minutes_between(*at, request.at));
        free.truncate(3);
        Self::Refused(Refusal::Full { free })
    }
}

fn minutes_between(a: DateTime, b: DateTime) -> i64 {
    a.duration_since(b).as_mins().abs()
}

fn in_time(
    rules: &BookingRules,
    opening: &OpeningHours,
    at: DateTime,
    now: DateTime,
) -> Result<(), Refusal> {
    if at <= now {
        return Err(Refusal::InThePast);
    }
    let horizon = now.date().saturating_add(i64::from(rules.horizon_days).days());
    if at.date() > horizon {
        return Err(Refusal::TooFarAhead { days: rules.horizon_days });
    }
    if !opening.known {
        return Ok(());
    }
    let Some((start, end)) = opening.service_at(at) else {
        let next = opening.next_service(at.max(now)).map(|(start, _)| start);
        return Err(if opening.on(at.date()).is_empty() {
            Refusal::ClosedThatDay { next }
        } else {
            Refusal::OutsideHours { next }
        });
    };
    let last = end.saturating_sub(rules.last_arrival.as_minutes().minutes()).max(start);
    if at > last {
        return Err(Refusal::TooLate { last });
    }
    Ok(())
}

/// Start and end of a booking as instants; a wall-clock time that a change of clocks skips moves on.
pub(super) fn instants(
    rules: &BookingRules,
    zone: &TimeZone,
    at: DateTime,
) -> (Timestamp, Timestamp) {
    let start = zone.to_ambiguous_timestamp(at).compatible().unwrap_or(Timestamp::MAX);
    let end = start.saturating_add(rules.duration.as_minutes().minutes()).unwrap_or(start);
    (start, end)
}

fn has_room(
    rules: &BookingRules,
    zone: &TimeZone,
    at: DateTime,
    party: u32,
    taken: &[Booked],
) -> bool {
    let (start, end) = instants(rules, zone, at);
    let overlapping: Vec<&Booked> =
        taken.iter().filter(|b| b.starts_at < end && start < b.ends_at).collect();
    // The fullest moment is at our start or at the start of a booking within ours.
    let moments = std::iter::once(start)
        .chain(overlapping.iter().map(|b| b.starts_at).filter(|at| *at > start));
    let fullest = moments
        .map(|at| {
            overlapping
                .iter()
                .filter(|b| b.starts_at <= at && at < b.ends_at)
                .map(|b| u64::from(b.party))
                .sum::<u64>()
        })
        .max()
        .unwrap_or(0);
    fullest + u64::from(party) <= u64::from(rules.capacity)
}

/// Quarter hours of the same day that pass.
fn free_times(
    rules: &BookingRules,
    opening: &OpeningHours,
    near: DateTime,
    now: DateTime,
    passes: impl Fn(DateTime) -> bool,
) -> Vec<DateTime> {
    (0..96)
        .filter_map(|quarter| {
            near.date()
                .to_datetime(jiff::civil::Time::midnight())
                .checked_add((quarter * 15).minutes())
                .ok()
        })
        .filter(|at| in_time(rules, opening, *at, now).is_ok() && passes(*at))
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    fn spec() -> AssistantSpec {
        serde_json::from_str(
            r#"{"name":"le-gourmet","client":"Le Gourmet","phone":"+33123456789","context":"",
                "hours":{"monday":["12:00-14:00","19:00-23:00"]},
                "booking":{"party":{"min":2,"max":8},"capacity":10,"duration":"2h"}}"#,
        )
        .unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-23T18:00:00+01:00".parse().unwrap()
    }

    fn judge(party: u32, at: DateTime, taken: &[Booked]) -> Availability {
        Availability::judge(&spec(), &BookingRequest { party, at, name: None }, taken, now())
    }

    #[test]
    fn rules_are_told_apart() {
        let monday = |h, m| datetime(2026, 11, 23, h, m, 0, 0);
        assert_eq!(judge(4, monday(20, 0), &[]), Availability::Free);
        assert_eq!(
            judge(1, monday(20, 0), &[]),
            Availability::Refused(Refusal::PartyTooSmall { min: 2 })
        );
        assert_eq!(
            judge(9, monday(20, 0), &[]),
            Availability::Refused(Refusal::PartyTooLarge { max: 8 })
        );
        assert_eq!(judge(4, monday(12, 30), &[]), Availability::Refused(Refusal::InThePast));
        assert_eq!(
            judge(4, monday(22, 30), &[]),
            Availability::Refused(Refusal::TooLate { last: monday(22, 0) })
        );
        let next_monday = datetime(2026, 11, 30, 12, 0, 0, 0);
        assert_eq!(
            judge(4, datetime(2026, 11, 29, 20, 0, 0, 0), &[]),
            Availability::Refused(Refusal::ClosedThatDay { next: Some(next_monday) })
        );
        assert_eq!(
            judge(4, datetime(2026, 11, 30, 16, 0, 0, 0), &[]),
            Availability::Refused(Refusal::OutsideHours {
                next: Some(datetime(2026, 11, 30, 19, 0, 0, 0))
            })
        );
        assert_eq!(
            judge(4, datetime(2027, 6, 7, 20, 0, 0, 0), &[]),
            Availability::Refused(Refusal::TooFarAhead { days: 90 })
        );
    }

    #[test]
    fn a_full_room_offers_the_nearest_free_times() {
        let start: Timestamp = "2026-11-23T20:00:00+01:00".parse().unwrap();
        let end: Timestamp = "2026-11-23T21:00:00+01:00".parse().unwrap();
        let taken = [Booked { starts_at: start, ends_at: end, party: 8 }];
        let monday = |h, m| datetime(2026, 11, 23, h, m, 0, 0);
        assert_eq!(judge(2, monday(20, 0), &taken), Availability::Free);
        assert_eq!(
            judge(4, monday(20, 30), &taken),
            Availability::Refused(Refusal::Full {
                free: vec![monday(21, 0), monday(21, 15), monday(21, 30)]
            })
        );
    }

    #[test]
    fn a_wall_clock_time_survives_the_change_of_clocks() {
        let zone = spec().zone();
        let rules = BookingRules::default();
        // 02:30 does not exist on 2026-03-29 in Paris: one hour later does.
        let (start, end) = instants(&rules, &zone, datetime(2026, 3, 29, 2, 30, 0, 0));
        assert_eq!(start.to_string(), "2026-03-29T01:30:00Z");
        assert_eq!(end.duration_since(start).as_mins(), 120);
    }
}
