//! The one rule that says whether a place is free.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{
    AssistantSpec, Booked, BookingKind, BookingRequest, BookingResource, BookingRules,
    BookingService, Country, OpeningHours, Refusal,
};

/// How far other days are looked at when a day is full.
const DAYS_AHEAD: i64 = 14;

/// How many other times are offered at most.
const OFFERS: usize = 3;

/// Whether a request can be met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "availability")]
pub enum Availability {
    /// There is room.
    Free {
        /// What or who it would be.
        #[serde(skip_serializing_if = "Option::is_none")]
        with: Option<String>,
    },
    /// There is not, and why.
    Refused(Refusal),
}

/// A place for a request: what would be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Date and time on the client's wall clock.
    pub at: DateTime,
    /// The same in UTC.
    pub starts_at: Timestamp,
    /// When it is over.
    pub ends_at: Timestamp,
    /// When it can be given to others.
    pub free_at: Timestamp,
    /// What is done, as the file spells it.
    pub service: Option<String>,
    /// What or who it occupies.
    pub resource: Option<String>,
    /// Nights of a stay.
    pub nights: Option<u32>,
}

impl Place {
    /// Finds a place, given the places taken. `now` is an instant.
    pub fn find(
        spec: &AssistantSpec,
        request: &BookingRequest,
        taken: &[Booked],
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let Some(rules) = &spec.booking else { return Err(Refusal::NotOffered) };
        Wish::read(spec, rules, request, now)?.meet(taken)
    }

    /// The stretch of time in which other bookings may decide over a request.
    pub fn span(spec: &AssistantSpec, request: &BookingRequest) -> (Timestamp, Timestamp) {
        let zone = spec.zone();
        let longest = spec.booking.as_ref().map_or(1, BookingRules::longest_days);
        let at = |days: i64| {
            let date = request.at.date().saturating_add(days.days());
            instant(&zone, date.to_datetime(Time::midnight()))
        };
        (at(-DAYS_AHEAD - 1), at(DAYS_AHEAD + longest + 1))
    }
}

/// A wall-clock time as an instant; one that a change of clocks skips moves on.
fn instant(zone: &TimeZone, at: DateTime) -> Timestamp {
    zone.to_ambiguous_timestamp(at).compatible().unwrap_or(Timestamp::MAX)
}

/// A request as the rules understand it.
struct Wish<'a> {
    rules: &'a BookingRules,
    zone: TimeZone,
    opening: OpeningHours,
    country: Option<Country>,
    now: Timestamp,
    today: DateTime,
    at: DateTime,
    party: u32,
    nights: Option<u32>,
    service: Option<&'a BookingService>,
    /// Where it can be: none where the rules name no resources.
    resources: Vec<&'a BookingResource>,
}

impl<'a> Wish<'a> {
    fn read(
        spec: &AssistantSpec,
        rules: &'a BookingRules,
        request: &BookingRequest,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let party = request.party;
        if party < rules.party.min {
            return Err(Refusal::PartyTooSmall { min: rules.party.min });
        }
        if party > rules.party.max {
            return Err(Refusal::PartyTooLarge { max: rules.party.max });
        }
        let service = service(rules, request)?;
        let resources = resources(rules, request, service)?;
        let (at, nights) = if rules.kind == BookingKind::Stay {
            let nights = request.nights.unwrap_or(rules.nights.min);
            if !(rules.nights.min..=rules.nights.max).contains(&nights) {
                let (min, max) = (rules.nights.min, rules.nights.max);
                return Err(Refusal::Nights { min, max });
            }
            (request.at.date().to_datetime(rules.check_in.get()), Some(nights))
        } else {
            (request.at, None)
        };
        let zone = spec.zone();
        let today = now.to_zoned_datetime(zone.clone()).datetime();
        let opening = spec.opening();
        let country = Country::of(&spec.phone);
        Ok(Self {
            rules,
            zone,
            opening,
            country,
            now,
            today,
            at,
            party,
            nights,
            service,
            resources,
        })
    }

    fn meet(&self, taken: &[Booked]) -> Result<Place, Refusal> {
        match self.in_time(self.at) {
            Ok(()) => {}
            Err(Refusal::OffGrid { .. }) => {
                let near = self.offers(taken, 0..=0);
                return Err(if near.is_empty() {
                    Refusal::Full { free: self.offers(taken, 1..=DAYS_AHEAD) }
                } else {
                    Refusal::OffGrid { near }
                });
            }
            Err(Refusal::TooSoon { .. }) => {
                let earliest = self.offers(taken, 0..=DAYS_AHEAD).into_iter().min();
                return Err(Refusal::TooSoon { earliest });
            }
            Err(refusal) => return Err(refusal),
        }
        if let Some(place) = self.place(self.at, taken) {
            return Ok(place);
        }
        let mut free = self.offers(taken, 0..=0);
        if free.is_empty() {
            free = self.offers(taken, 1..=DAYS_AHEAD);
        }
        Err(Refusal::Full { free })
    }

    /// Whether a time is one at which the client takes bookings at all.
    fn in_time(&self, at: DateTime) -> Result<(), Refusal> {
        let rules = self.rules;
        let is_stay = rules.kind == BookingKind::Stay;
        // Whoever arrives today may do so until the day is over.
        let over = if is_stay { at.date() < self.today.date() } else { at <= self.today };
        if over {
            return Err(Refusal::InThePast);
        }
        let latest = if is_stay { at.date().to_datetime(Time::MAX) } else { at };
        let soonest = self.now.saturating_add(rules.lead_time.as_minutes().minutes());
        if instant(&self.zone, latest) < soonest.unwrap_or(Timestamp::MAX) {
            return Err(Refusal::TooSoon { earliest: None });
        }
        let horizon = self.today.date().saturating_add(i64::from(rules.horizon_days).days());
        if at.date() > horizon {
            return Err(Refusal::TooFarAhead { days: rules.horizon_days });
        }
        if is_stay {
            let nights = i64::from(self.nights.unwrap_or(1));
            let closed = (0..nights)
                .any(|night| self.opening.is_closed(at.date().saturating_add(night.days())));
            return if closed { Err(Refusal::ClosedThatDay { next: None }) } else { Ok(()) };
        }
        if !self.opening.known {
            if self.opening.is_closed(at.date()) {
                return Err(Refusal::ClosedThatDay { next: None });
            }
            let midnight = at.date().to_datetime(Time::midnight());
            return self.on_grid(midnight, at);
        }
        let Some((start, end)) = self.opening.service_at(at) else {
            let next = self.opening.next_service(at.max(self.today)).map(|(start, _)| start);
            return Err(if self.opening.on(at.date()).is_empty() {
                Refusal::ClosedThatDay { next }
            } else {
                Refusal::OutsideHours { next }
            });
        };
        let name = self.service.map(|service| service.name.as_str());
        let before_end = rules.last_arrival_of(name).as_minutes().minutes();
        let last = end.saturating_sub(before_end).max(start);
        if at > last {
            return Err(Refusal::TooLate { last: self.back_on_grid(start, last) });
        }
        self.on_grid(start, at)
    }

    fn on_grid(&self, start: DateTime, at: DateTime) -> Result<(), Refusal> {
        if self.back_on_grid(start, at) == at {
            return Ok(());
        }
        Err(Refusal::OffGrid { near: Vec::new() })
    }

    /// The last time of the grid that is not after a time.
    fn back_on_grid(&self, start: DateTime, at: DateTime) -> DateTime {
        let Some(grid) = self.rules.grid else { return at };
        let past = at.duration_since(start).as_mins().rem_euclid(grid.as_minutes().max(1));
        at.saturating_sub(past.minutes())
    }

    /// A place at a time, if one is free.
    fn place(&self, at: DateTime, taken: &[Booked]) -> Option<Place> {
        let starts_at = instant(&self.zone, at);
        let name = self.service.map(|service| service.name.as_str());
        let ends_at = match self.nights {
            Some(nights) => {
                let leaves = at.date().saturating_add(i64::from(nights).days());
                instant(&self.zone, leaves.to_datetime(self.rules.check_out.get()))
            }
            None => later(starts_at, self.rules.duration_of(name).as_minutes()),
        };
        let free_at = later(ends_at, self.rules.buffer.as_minutes());
        let place = |resource: Option<&BookingResource>| Place {
            at,
            starts_at,
            ends_at,
            free_at,
            service: name.map(str::to_owned),
            resource: resource.map(|resource| resource.name.clone()),
            nights: self.nights,
        };
        let overlapping: Vec<&Booked> = taken
            .iter()
            .filter(|booked| booked.starts_at < free_at && starts_at < booked.free_at)
            .collect();
        if self.rules.resources.is_empty() {
            let all = self.rules.capacity;
            let people = |one: &Booked| u64::from(if one.whole { all } else { one.party });
            let fullest = fullest(starts_at, &overlapping, people);
            let fits = fullest + u64::from(self.party) <= u64::from(self.rules.capacity);
            return fits.then(|| place(None));
        }
        let end = ends_at.to_zoned_datetime(self.zone.clone()).datetime();
        self.resources
            .iter()
            .filter(|resource| self.is_there(resource, at, end))
            .find(|resource| {
                let here = |booked: &Booked| match self.occupies(booked, resource) {
                    true if booked.whole => u64::from(resource.count),
                    occupied => u64::from(occupied),
                };
                fullest(starts_at, &overlapping, here) < u64::from(resource.count)
            })
            .map(|resource| place(Some(resource)))
    }

    /// Whether a resource is there for all of a stretch of time.
    fn is_there(&self, resource: &BookingResource, start: DateTime, end: DateTime) -> bool {
        let Some(hours) = &resource.hours else { return true };
        let opening = hours.opening(self.country);
        if !opening.known {
            return !opening.is_closed(start.date());
        }
        opening.service_at(start).is_some_and(|(_, closes)| end <= closes)
    }

    /// Whether a booking occupies a resource. One from before there were resources, or of one that
    /// is gone, occupies the first that it fits.
    fn occupies(&self, booked: &Booked, resource: &BookingResource) -> bool {
        if booked.whole {
            return booked.resource.as_ref().is_none_or(|name| resource.is_called(name));
        }
        let known = booked.resource.as_deref().and_then(|name| self.rules.resource(name));
        let occupied = known.or_else(|| {
            let fits = |r: &&BookingResource| party_of(self.rules, r).holds(booked.party);
            self.rules.resources.iter().find(fits).or_else(|| self.rules.resources.last())
        });
        occupied.is_some_and(|occupied| occupied.is_called(&resource.name))
    }

    /// Free times on the days from a number of days on, nearest first. Of the same day as many as
    /// may be offered, of other days one each.
    fn offers(&self, taken: &[Booked], days: std::ops::RangeInclusive<i64>) -> Vec<DateTime> {
        let mut found = Vec::new();
        for day in days {
            // Guests may come earlier as well as later.
            let dates = if self.nights.is_some() && day > 0 { vec![-day, day] } else { vec![day] };
            for date in dates.into_iter().map(|day| self.at.date().saturating_add(day.days())) {
                let mut times = self.times_of(date);
                let wanted = date.to_datetime(self.at.time());
                times.sort_by_key(|at| at.duration_since(wanted).as_mins().abs());
                let free = times
                    .into_iter()
                    .filter(|at| self.in_time(*at).is_ok() && self.place(*at, taken).is_some());
                found.extend(free.take(if day == 0 { OFFERS } else { 1 }));
            }
            if found.len() >= OFFERS {
                break;
            }
        }
        found.truncate(OFFERS);
        found
    }

    /// The times of a day that may be offered, free or not.
    fn times_of(&self, date: Date) -> Vec<DateTime> {
        if self.nights.is_some() {
            return vec![date.to_datetime(self.at.time())];
        }
        let step = self.rules.grid.map_or(15, super::HumanDuration::as_minutes).max(1);
        let midnight = date.to_datetime(Time::midnight());
        let stretches: Vec<(DateTime, DateTime)> = if self.opening.known {
            self.opening.on(date).iter().map(|service| service.on(date)).collect()
        } else {
            vec![(midnight, midnight.saturating_add(1.day()))]
        };
        let times = stretches.into_iter().flat_map(|(start, end)| {
            // Without a grid of its own, quarters of the clock.
            let first = if self.rules.grid.is_some() { start } else { midnight };
            (0..=(24 * 60 * 2 / step))
                .map(move |index| first.saturating_add((index * step).minutes()))
                .skip_while(move |at| *at < start)
                .take_while(move |at| *at < end)
        });
        times.collect()
    }
}

fn later(at: Timestamp, minutes: i64) -> Timestamp {
    at.saturating_add(minutes.minutes()).unwrap_or(at)
}

fn party_of(rules: &BookingRules, resource: &BookingResource) -> super::Party {
    resource.party.unwrap_or(rules.party)
}

/// The service asked for, by its name, or the only one.
fn service<'a>(
    rules: &'a BookingRules,
    request: &BookingRequest,
) -> Result<Option<&'a BookingService>, Refusal> {
    let names = || rules.services.iter().map(|service| service.name.clone()).collect();
    match &request.service {
        _ if rules.services.is_empty() => Ok(None),
        Some(name) => match rules.service(name) {
            Some(service) => Ok(Some(service)),
            None => Err(Refusal::WhichService { services: names() }),
        },
        None => match rules.only_service() {
            Some(service) => Ok(Some(service)),
            None => Err(Refusal::WhichService { services: names() }),
        },
    }
}

/// Where a request can be met: the smallest that is large enough first.
fn resources<'a>(
    rules: &'a BookingRules,
    request: &BookingRequest,
    service: Option<&BookingService>,
) -> Result<Vec<&'a BookingResource>, Refusal> {
    if rules.resources.is_empty() {
        return Ok(Vec::new());
    }
    let does = |r: &&BookingResource| service.is_none_or(|service| r.does(&service.name));
    let offered: Vec<&BookingResource> = rules.resources.iter().filter(does).collect();
    let mut fitting = offered.clone();
    if let Some(name) = &request.resource {
        fitting.retain(|resource| resource.is_called(name));
        if fitting.is_empty() {
            let resources = offered.iter().map(|resource| resource.name.clone()).collect();
            return Err(Refusal::WhichResource { resources });
        }
    }
    let largest = fitting.iter().map(|r| party_of(rules, r).max).max().unwrap_or(0);
    let smallest = fitting.iter().map(|r| party_of(rules, r).min).min().unwrap_or(1);
    fitting.retain(|resource| party_of(rules, resource).holds(request.party));
    if fitting.is_empty() {
        return Err(if request.party > largest {
            Refusal::PartyTooLarge { max: largest }
        } else {
            Refusal::PartyTooSmall { min: smallest }
        });
    }
    fitting.sort_by_key(|resource| party_of(rules, resource).max);
    Ok(fitting)
}

/// How full it gets: the fullest moment is at our start or at the start of a booking within ours.
fn fullest(start: Timestamp, overlapping: &[&Booked], weight: impl Fn(&Booked) -> u64) -> u64 {
    let starts = overlapping.iter().map(|booked| booked.starts_at).filter(|at| *at > start);
    std::iter::once(start)
        .chain(starts)
        .map(|at| {
            let there = overlapping.iter().filter(|b| b.starts_at <= at && at < b.free_at);
            there.map(|booked| weight(booked)).sum()
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
#[path = "availability_tests.rs"]
mod tests;
