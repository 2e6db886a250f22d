//! Finding, moving and cancelling a caller's own bookings. A booking is a caller's own if it was
//! made under the number that calls, or if both its reference and its name are known.

use jiff::{Timestamp, civil::DateTime};

use super::{Booker, place};
use crate::{
    domain::{Booking, BookingKey, BookingRequest, Result, Summary, Untouched, same_person},
    operations::outbox::{self, Happened},
    store::{
        Store, StoreError, Tx, bookings,
        places::{self, Except},
    },
};

/// What is to be different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The new date and time.
    pub at: DateTime,
    /// Another number of people.
    pub party: Option<u32>,
    /// Another number of nights.
    pub nights: Option<u32>,
}

/// The bookings still to come that the caller may touch, in the order they take place.
pub async fn find(
    store: &Store,
    booker: &Booker,
    key: &BookingKey,
    now: Timestamp,
) -> Result<Vec<Booking>> {
    let (booker, key) = (booker.clone(), key.clone());
    store.read_async(move |tx| own(tx, &booker, &key, now)).await
}

/// Calls a booking off.
pub async fn call_off(
    store: &Store,
    booker: &Booker,
    key: &BookingKey,
    now: Timestamp,
) -> Result<Result<Booking, Untouched>> {
    let (booker, key) = (booker.clone(), key.clone());
    store
        .write_async(move |tx| {
            let booking = match the_one(tx, &booker, &key, now)? {
                Ok(booking) => booking,
                Err(untouched) => return Ok(Err(untouched)),
            };
            let booking = Booking { cancelled_at: Some(now), updated_at: now, ..booking };
            bookings::update(tx, &booking)?;
            let cancelled = Happened::BookingCancelled(&booking);
            outbox::tell(tx, &booker.assistant, booker.call, &cancelled, now)?;
            Ok(Ok(booking))
        })
        .await
}

/// Moves a booking to another time; if that cannot be, it stays as it is.
pub async fn reschedule(
    store: &Store,
    booker: &Booker,
    key: &BookingKey,
    change: &Change,
    now: Timestamp,
) -> Result<Result<Booking, Untouched>> {
    let (booker, key, change) = (booker.clone(), key.clone(), change.clone());
    store
        .write_async(move |tx| {
            let booking = match the_one(tx, &booker, &key, now)? {
                Ok(booking) => booking,
                Err(untouched) => return Ok(Err(untouched)),
            };
            let moved = move_to(tx, &booker, booking, &change, now)?;
            if let (Ok(_), Some(call)) = (&moved, booker.call) {
                places::release(tx, call)?;
            }
            if let Ok(booking) = &moved {
                let changed = Happened::BookingChanged(booking);
                outbox::tell(tx, &booker.assistant, booker.call, &changed, now)?;
            }
            Ok(moved)
        })
        .await
}

fn move_to(
    tx: &Tx,
    booker: &Booker,
    booking: Booking,
    change: &Change,
    now: Timestamp,
) -> Result<Result<Booking, Untouched>, StoreError> {
    let mut request = BookingRequest {
        party: change.party.unwrap_or(booking.party),
        at: change.at,
        nights: change.nights.or(booking.nights),
        service: booking.service.clone(),
        resource: booking.resource.clone(),
        name: Some(booking.name.clone()),
        note: None,
    };
    let except = Except { call: booker.call, booking: Some(booking.id) };
    let mut found = place(tx, &booker.assistant, &request, except, now)?;
    if found.is_err() && request.resource.take().is_some() {
        // Another table, room or doctor will do as well as none.
        found = place(tx, &booker.assistant, &request, except, now)?;
    }
    let place = match found {
        Ok(place) => place,
        Err(refusal) => return Ok(Err(Untouched::Refused { refusal })),
    };
    let zone = booker.assistant.spec.zone();
    let booking = Booking {
        party: request.party,
        at: place.at,
        timezone: zone.iana_name().unwrap_or("UTC").to_owned(),
        starts_at: place.starts_at,
        ends_at: place.ends_at,
        free_at: place.free_at,
        resource: place.resource,
        nights: place.nights,
        updated_at: now,
        ..booking
    };
    bookings::update(tx, &booking)?;
    Ok(Ok(booking))
}

/// The caller's own bookings, as far as the key names them.
fn own(
    tx: &Tx,
    booker: &Booker,
    key: &BookingKey,
    now: Timestamp,
) -> Result<Vec<Booking>, StoreError> {
    let (caller, reference) = (booker.caller.as_deref(), key.reference.as_deref());
    let mut found = bookings::coming(tx, booker.assistant.id, caller, reference, now)?;
    let is_meant = |booking: &Booking| reference == Some(booking.reference.as_str());
    let knows_name =
        |booking: &Booking| key.name.as_ref().is_some_and(|name| same_person(name, &booking.name));
    found.retain(|booking| {
        let calls = caller.is_some() && booking.caller.as_deref() == caller;
        calls || (is_meant(booking) && knows_name(booking))
    });
    // Among one's own, the reference and then the name say which; a misheard one says nothing.
    if found.iter().any(is_meant) {
        found.retain(is_meant);
    } else if found.len() > 1 && found.iter().any(knows_name) {
        found.retain(knows_name);
    }
    Ok(found)
}

/// The one booking meant, if it may still be touched.
fn the_one(
    tx: &Tx,
    booker: &Booker,
    key: &BookingKey,
    now: Timestamp,
) -> Result<Result<Booking, Untouched>, StoreError> {
    let mut found = own(tx, booker, key, now)?;
    if found.len() > 1 {
        let bookings = found.iter().map(Summary::from).collect();
        return Ok(Err(Untouched::Several { bookings }));
    }
    let Some(booking) = found.pop() else { return Ok(Err(Untouched::NotFound)) };
    let rules = booker.assistant.spec.booking.as_ref();
    let minutes = rules.map_or(0, |rules| rules.change_until.as_minutes());
    if booking.starts_at.duration_since(now).as_mins() < minutes {
        let minutes = u32::try_from(minutes).unwrap_or(u32::MAX);
        return Ok(Err(Untouched::TooLate { minutes }));
    }
    Ok(Ok(booking))
}
