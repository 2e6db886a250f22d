//! Bookings: is there room, book, move, cancel. The check and the row are one transaction, whoever
//! asks: a caller's assistant, a person at a terminal, a script.

mod desk;
mod touch;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        Assistant, Availability, Booking, BookingId, BookingRequest, BookingRules, CallId, Error,
        LanguageTag, Place, Redaction, Refusal, Result, redact_numbers,
    },
    operations::outbox::{self, Happened},
    store::{
        Store, StoreError, Tx, bookings,
        places::{self, Except, Stretch},
        privacy,
    },
};

pub use desk::{cancel, create, list, show};
pub use touch::{Change, call_off, find, reschedule};

/// How long a place is kept for a caller who was told that it is free.
const HELD: SignedDuration = SignedDuration::from_mins(3);

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
    /// The language spoken.
    pub language: LanguageTag,
}

/// Whether there is room. What a caller is told is free is held for that call for a few minutes,
/// or until it asks for something else.
pub async fn check(
    store: &Store,
    booker: &Booker,
    request: &BookingRequest,
    now: Timestamp,
) -> Result<Availability> {
    let (booker, request) = (booker.clone(), request.clone());
    let said = |found: Result<Place, Refusal>| match found {
        Ok(place) => Availability::Free { with: place.resource },
        Err(refusal) => Availability::Refused(refusal),
    };
    let Some(call) = booker.call else {
        let found = move |tx: &Tx| place(tx, &booker.assistant, &request, Except::default(), now);
        return store.read_async(found).await.map(said);
    };
    store
        .write_async(move |tx| {
            let except = Except { call: Some(call), booking: None };
            let found = place(tx, &booker.assistant, &request, except, now)?;
            places::release(tx, call)?;
            if let Ok(place) = &found {
                let until = now.checked_add(HELD).unwrap_or(now);
                places::hold(tx, call, booker.assistant.id, place, request.party, until)?;
            }
            Ok(said(found))
        })
        .await
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
    store.write_async(move |tx| insert(tx, &booker, request, now)).await
}

/// Books, in a transaction.
fn insert(
    tx: &Tx,
    booker: &Booker,
    mut request: BookingRequest,
    now: Timestamp,
) -> Result<Result<Booking, Refusal>, StoreError> {
    if booker.assistant.spec.compliance.redact == Redaction::Mask {
        let mask = |text: String| redact_numbers(&text).into_owned();
        request.name = request.name.map(mask);
        request.note = request.note.map(mask);
    }
    if let Some(call) = booker.call {
        let name = request.name.as_deref().unwrap_or_default();
        let same = bookings::of_call(tx, call)?.into_iter().find(|booking| {
            booking.cancelled_at.is_none()
                && booking.at.date() == request.at.date()
                && (booking.at == request.at || booking.nights.is_some())
                && booking.party == request.party
                && booking.name == name
        });
        if let Some(booking) = same {
            return Ok(Ok(booking));
        }
        // The caller hung up and was forgotten while a model still thought.
        if privacy::is_erased(tx, call)? {
            return Err(Error::conflict("the call was forgotten meanwhile").into());
        }
    }
    let except = Except { call: booker.call, booking: None };
    let place = match place(tx, &booker.assistant, &request, except, now)? {
        Ok(place) => place,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let reference = new_reference(tx, &booker.assistant)?;
    let booking = bookings::insert(tx, &row(booker, request, place, reference, now))?;
    if let Some(call) = booker.call {
        places::release(tx, call)?;
    }
    let created = Happened::BookingCreated(&booking);
    outbox::tell(tx, &booker.assistant, booker.call, &created, now)?;
    Ok(Ok(booking))
}

fn row(
    booker: &Booker,
    request: BookingRequest,
    place: Place,
    reference: String,
    now: Timestamp,
) -> Booking {
    let zone = booker.assistant.spec.zone();
    Booking {
        id: BookingId(0),
        reference,
        assistant: booker.assistant.id,
        call: booker.call,
        name: request.name.unwrap_or_default(),
        party: request.party,
        caller: booker.caller.clone(),
        service: place.service,
        resource: place.resource,
        nights: place.nights,
        note: request.note,
        language: booker.language.clone(),
        at: place.at,
        timezone: zone.iana_name().unwrap_or("UTC").to_owned(),
        starts_at: place.starts_at,
        ends_at: place.ends_at,
        free_at: place.free_at,
        created_at: now,
        updated_at: now,
        cancelled_at: None,
    }
}

/// A place for a request, given what is taken and held.
fn place(
    tx: &Tx,
    assistant: &Assistant,
    request: &BookingRequest,
    except: Except,
    now: Timestamp,
) -> Result<Result<Place, Refusal>, StoreError> {
    let spec = &assistant.spec;
    let (from, until) = Place::span(spec, request);
    let longest_days = spec.booking.as_ref().map_or(1, BookingRules::longest_days);
    let stretch = Stretch { from, until, longest_days };
    let taken = places::taken(tx, assistant.id, stretch, except, now)?;
    Ok(Place::find(spec, request, &taken, now))
}

/// Six digits that none of the client's bookings has: short enough to be said and typed on a
/// keypad, and no use without the name it was made under.
fn new_reference(tx: &Tx, assistant: &Assistant) -> Result<String, StoreError> {
    loop {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes).map_err(|cause| {
            Error::failure("the system gives no random numbers").hint(cause.to_string())
        })?;
        let reference = (100_000 + u32::from_le_bytes(bytes) % 900_000).to_string();
        if !bookings::has_reference(tx, assistant.id, &reference)? {
            return Ok(reference);
        }
    }
}
