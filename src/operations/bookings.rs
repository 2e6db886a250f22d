//! Bookings: is there room, and book. The check and the row are one transaction.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        Actor, Assistant, AssistantId, Availability, Booking, BookingId, BookingRequest, CallId,
        Error, Redaction, Refusal, Result, redact_numbers,
    },
    store::{Store, StoreError, Tx, bookings, privacy},
};

/// Bookings that the actor may see, in the order they take place.
pub fn list(store: &Store, actor: &Actor, assistant: Option<AssistantId>) -> Result<Vec<Booking>> {
    let sight = actor.sight();
    store.read(|tx| bookings::list(tx, sight, assistant))
}

/// Those made in a call, which the asker was shown.
pub fn of_call(store: &Store, call: CallId) -> Result<Vec<Booking>> {
    store.read(|tx| bookings::of_call(tx, call))
}

/// Who books, in which call, from which number.
#[derive(Debug, Clone)]
pub struct Booker {
    /// The assistant whose rules hold.
    pub assistant: Arc<Assistant>,
    /// The call, if in one.
    pub call: Option<CallId>,
    /// Number to call back.
    pub caller: Option<String>,
}

/// Whether there is room.
pub async fn check(
    store: &Store,
    booker: &Booker,
    request: &BookingRequest,
    now: Timestamp,
) -> Result<Availability> {
    let (assistant, request) = (Arc::clone(&booker.assistant), request.clone());
    store.read_async(move |tx| judge(tx, &assistant, &request, now)).await
}

/// Books if there is room, and answers only once the row is on disk.
/// Asking again for the same booking in the same call answers the same row.
pub async fn book(
    store: &Store,
    booker: &Booker,
    request: &BookingRequest,
    now: Timestamp,
) -> Result<Result<Booking, Refusal>> {
    let (booker, request) = (booker.clone(), request.clone());
    store
        .write_async(move |tx| {
            let mut name = request.name.clone().unwrap_or_default();
            if booker.assistant.spec.compliance.redact == Redaction::Mask {
                name = redact_numbers(&name).into_owned();
            }
            if let Some(call) = booker.call {
                let same = bookings::of_call(tx, call)?.into_iter().find(|booking| {
                    booking.at == request.at
                        && booking.party == request.party
                        && booking.name == name
                });
                if let Some(booking) = same {
                    return Ok(Ok(booking));
                }
            }
            // The caller hung up and was forgotten while a model still thought.
            if let Some(call) = booker.call
                && privacy::is_erased(tx, call)?
            {
                return Err(Error::conflict("the call was forgotten meanwhile").into());
            }
            match judge(tx, &booker.assistant, &request, now)? {
                Availability::Refused(refusal) => Ok(Err(refusal)),
                Availability::Free => {
                    let booking = row(&booker, &request, name, now);
                    bookings::insert(tx, &booking).map(Ok)
                }
            }
        })
        .await
}

fn row(booker: &Booker, request: &BookingRequest, name: String, now: Timestamp) -> Booking {
    let spec = &booker.assistant.spec;
    let (starts_at, ends_at) = spec.booking_window(request.at);
    let zone = spec.zone();
    Booking {
        id: BookingId(0),
        assistant: booker.assistant.id,
        call: booker.call,
        name,
        party: request.party,
        caller: booker.caller.clone(),
        at: request.at,
        timezone: zone.iana_name().unwrap_or("UTC").to_owned(),
        starts_at,
        ends_at,
        created_at: now,
    }
}

fn judge(
    tx: &Tx,
    assistant: &Assistant,
    request: &BookingRequest,
    now: Timestamp,
) -> Result<Availability, StoreError> {
    let (start, _) = assistant.spec.booking_window(request.at);
    // A day either way: enough to offer other times of the same day.
    let day = SignedDuration::from_hours(30);
    let from = start.checked_sub(day).unwrap_or(start);
    let until = start.checked_add(day).unwrap_or(start);
    let taken = bookings::taken(tx, assistant.id, from, until)?;
    Ok(Availability::judge(&assistant.spec, request, &taken, now))
}
