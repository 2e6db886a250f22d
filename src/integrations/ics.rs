//! Bookings as a calendar (RFC 5545), to be subscribed to or opened by any calendar program.

use icalendar::{Calendar, Component, Event, EventStatus, Property};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde_json::json;

use super::calendars::Entry;
use crate::domain::{AssistantSpec, Booking};

/// Programs that subscribe are asked to look again this often (RFC 7986, and the older name of it).
const REFRESH: &str = "PT15M";

/// Who writes these calendars.
const PRODUCT: &str = "-//webox//webox//EN";

/// A calendar of bookings.
pub fn calendar(spec: &AssistantSpec, bookings: &[Booking]) -> String {
    let mut calendar = empty();
    calendar.name(&spec.client);
    calendar.append_property(
        Property::new("REFRESH-INTERVAL", REFRESH).add_parameter("VALUE", "DURATION").done(),
    );
    calendar.append_property(Property::new("X-PUBLISHED-TTL", REFRESH));
    for booking in bookings {
        calendar.push(event(spec, booking));
    }
    calendar.done().to_string()
}

/// A calendar without anything in it.
fn empty() -> Calendar {
    let mut calendar = Calendar::empty();
    calendar.append_property(Property::new("VERSION", "2.0"));
    calendar.append_property(Property::new("PRODID", PRODUCT));
    calendar
}

/// One booking as an event. Its name stays the same whatever becomes of it, so that a change moves
/// the event and a cancellation takes it out.
pub fn event(spec: &AssistantSpec, booking: &Booking) -> Event {
    let mut event = Event::new();
    event.uid(&uid(spec, booking));
    event.summary(&summary(booking));
    event.status(if booking.cancelled_at.is_some() {
        EventStatus::Cancelled
    } else {
        EventStatus::Confirmed
    });
    if let Some(nights) = booking.nights {
        // A stay is days, whatever the hour at which the room is ready.
        let leaves = booking.at.date().saturating_add(i64::from(nights).days());
        for (name, day) in [("DTSTART", booking.at.date()), ("DTEND", leaves)] {
            let value = day.strftime("%Y%m%d").to_string();
            event.append_property(Property::new(name, value).add_parameter("VALUE", "DATE").done());
        }
    } else {
        event.add_property("DTSTART", utc(booking.starts_at));
        event.add_property("DTEND", utc(booking.ends_at));
    }
    event.add_property("DTSTAMP", utc(booking.updated_at));
    event.add_property("CREATED", utc(booking.created_at));
    event.add_property("LAST-MODIFIED", utc(booking.updated_at));
    // Each change makes it a later version (RFC 5545, 3.8.7.4).
    let version = booking.updated_at.as_second() - booking.created_at.as_second();
    event.add_property("SEQUENCE", version.max(0).to_string());
    event.description(&description(booking));
    event.done()
}

/// A booking as others' calendars are told of it; one that is cancelled is taken out.
pub fn entry(spec: &AssistantSpec, booking: &Booking) -> Entry {
    let uid = uid(spec, booking);
    if booking.cancelled_at.is_some() {
        return Entry { uid, ics: None, event: None };
    }
    let side = |at: Timestamp, day: Date| match booking.nights {
        Some(_) => json!({ "date": day.to_string() }),
        None => json!({ "dateTime": at.to_string(), "timeZone": booking.timezone }),
    };
    let nights = i64::from(booking.nights.unwrap_or(0));
    let arrives = booking.at.date();
    let event = json!({
        "summary": summary(booking),
        "description": description(booking),
        "start": side(booking.starts_at, arrives),
        "end": side(booking.ends_at, arrives.saturating_add(nights.days())),
        "status": "confirmed",
        "extendedProperties": { "private": { "webox": booking.id.0.to_string() } },
    });
    let ics = empty().push(self::event(spec, booking)).done().to_string();
    Entry { uid, ics: Some(ics), event: Some(event) }
}

/// What names a booking in every calendar.
pub fn uid(spec: &AssistantSpec, booking: &Booking) -> String {
    format!("booking-{}@{}.webox", booking.id.0, spec.name)
}

fn utc(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn summary(booking: &Booking) -> String {
    let name = if booking.name.is_empty() { "—" } else { &booking.name };
    let mut summary = name.to_owned();
    if booking.party > 1 {
        summary = format!("{summary} ({})", booking.party);
    }
    match (&booking.service, &booking.resource) {
        (Some(service), Some(resource)) => format!("{summary} · {service} · {resource}"),
        (Some(what), None) | (None, Some(what)) => format!("{summary} · {what}"),
        (None, None) => summary,
    }
}

fn description(booking: &Booking) -> String {
    let mut lines = vec![format!("№ {}", booking.reference)];
    lines.extend(booking.caller.clone());
    lines.extend(booking.note.clone());
    lines.join("\n")
}
