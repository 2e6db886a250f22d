//! What the people who run it ask: to see bookings, to make one, to cancel one.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::{Booker, insert};
use crate::{
    domain::{
        Actor, Assistant, Booking, BookingFilter, BookingId, BookingRequest, Error, PhoneNumber,
        Refusal, Result,
    },
    operations::{
        audit,
        outbox::{self, Happened},
    },
    store::{Store, StoreError, Tx, assistants, audit::Deed, bookings},
};

/// Bookings that the actor may see, in the order they take place.
pub fn list(store: &Store, actor: &Actor, filter: &BookingFilter) -> Result<Vec<Booking>> {
    let sight = actor.sight();
    store.read(|tx| bookings::list(tx, sight, filter))
}

/// One by its reference, or by its row number where that is no reference.
pub fn show(store: &Store, actor: &Actor, name: &str) -> Result<Booking> {
    store.read(|tx| one(tx, actor, name))
}

fn one(tx: &Tx, actor: &Actor, name: &str) -> Result<Booking, StoreError> {
    let sight = actor.sight();
    let mut found = bookings::by_reference(tx, sight, name)?;
    if found.len() > 1 {
        let ids: Vec<String> = found.iter().map(|booking| format!("#{}", booking.id.0)).collect();
        return Err(Error::conflict(format!(
            "`{name}` is the reference of several clients' bookings"
        ))
        .hint(format!("name one of them by its number: {}", ids.join(", ")))
        .into());
    }
    if let Some(booking) = found.pop() {
        return Ok(booking);
    }
    let id = name.strip_prefix('#').and_then(|id| id.parse().ok());
    let found = id.map(|id| bookings::seen(tx, sight, BookingId(id))).transpose()?.flatten();
    found.ok_or_else(|| {
        let shown: String = name.chars().take(40).collect();
        Error::not_found(format!("no booking `{}`", shown.escape_debug()))
            .hint("list them with `webox bookings --all`")
            .into()
    })
}

/// Books by hand, by the same rules as a caller.
pub fn create(
    store: &Store,
    actor: &Actor,
    assistant: Assistant,
    request: BookingRequest,
    caller: Option<PhoneNumber>,
    now: Timestamp,
) -> Result<Booking> {
    actor.may_write()?;
    if request.name.as_ref().is_none_or(|name| name.trim().is_empty()) {
        return Err(Error::input("a booking needs a name"));
    }
    let actor = actor.clone();
    let booker = Booker {
        language: assistant.spec.voice.language.clone(),
        caller: caller.map(|number| number.to_string()),
        call: None,
        assistant: Arc::new(assistant),
    };
    store.write(move |tx| {
        let booking = insert(tx, &booker, request, now)?.map_err(|refusal| refused(&refusal))?;
        let name = &booker.assistant.spec.name;
        let deed = Deed {
            action: "booking.create",
            target: format!("assistant/{name}/booking/{}", booking.reference),
            before: json!(null),
            after: json!({ "at": booking.at, "party": booking.party }),
        };
        audit::record(tx, &actor, now, &deed)?;
        Ok(booking)
    })
}

/// Cancels, however soon it begins; one that is cancelled stays so.
pub fn cancel(store: &Store, actor: &Actor, name: &str, now: Timestamp) -> Result<Booking> {
    actor.may_write()?;
    let (actor, name) = (actor.clone(), name.to_owned());
    store.write(move |tx| {
        let booking = one(tx, &actor, &name)?;
        if booking.cancelled_at.is_some() {
            return Ok(booking);
        }
        let booking = Booking { cancelled_at: Some(now), updated_at: now, ..booking };
        bookings::update(tx, &booking)?;
        let assistant = assistants::by_id(tx, booking.assistant)?;
        if let Some(assistant) = &assistant {
            // Told apart from the call that it was made in, of which less may be kept by now.
            outbox::tell(tx, assistant, None, &Happened::BookingCancelled(&booking), now)?;
        }
        let whose = assistant.map_or_else(String::new, |assistant| assistant.spec.name.to_string());
        let deed = Deed {
            action: "booking.cancel",
            target: format!("assistant/{whose}/booking/{}", booking.reference),
            before: json!({ "status": "confirmed" }),
            after: json!({ "status": "cancelled" }),
        };
        audit::record(tx, &actor, now, &deed)?;
        Ok(booking)
    })
}

/// A refusal as the people who run it read it.
fn refused(refusal: &Refusal) -> Error {
    let times = |times: &[jiff::civil::DateTime]| {
        let times: Vec<String> =
            times.iter().map(|at| at.strftime("%F %H:%M").to_string()).collect();
        times.join(", ")
    };
    let next = |at: &Option<jiff::civil::DateTime>, lead: &str| {
        at.map_or_else(String::new, |at| format!("{lead} {}", at.strftime("%F %H:%M")))
    };
    let (message, hint) = match refusal {
        Refusal::NotOffered => (
            "this assistant takes no bookings".to_owned(),
            "give its file a section `[booking]`".to_owned(),
        ),
        Refusal::PartyTooSmall { min } => {
            (format!("a booking is for {min} or more"), String::new())
        }
        Refusal::PartyTooLarge { max } => {
            (format!("a booking is for {max} at most"), String::new())
        }
        Refusal::Nights { min, max } => {
            (format!("a stay lasts {min} to {max} nights"), String::new())
        }
        Refusal::WhichService { services } => (
            "it is not said what is to be done".to_owned(),
            format!("write `--service` and one of: {}", services.join(", ")),
        ),
        Refusal::WhichResource { resources } => {
            ("nobody of that name does it".to_owned(), format!("there is {}", resources.join(", ")))
        }
        Refusal::InThePast => ("that time is over".to_owned(), String::new()),
        Refusal::TooSoon { earliest } => {
            ("that is too soon".to_owned(), next(earliest, "the first time with room is"))
        }
        Refusal::TooFarAhead { days } => {
            (format!("bookings are taken at most {days} days ahead"), String::new())
        }
        Refusal::ClosedThatDay { next: at } => {
            ("closed that day".to_owned(), next(at, "the next service begins"))
        }
        Refusal::OutsideHours { next: at } => {
            ("closed at that time".to_owned(), next(at, "the next service begins"))
        }
        Refusal::TooLate { last } => {
            ("too near the end of the service".to_owned(), next(&Some(*last), "the latest is"))
        }
        Refusal::OffGrid { near } => {
            ("bookings do not begin at that minute".to_owned(), format!("free are {}", times(near)))
        }
        Refusal::Full { free } if free.is_empty() => ("no room".to_owned(), String::new()),
        Refusal::Full { free } => ("no room".to_owned(), format!("free are {}", times(free))),
    };
    Error::conflict(message).maybe_hint(Some(hint).filter(|hint| !hint.is_empty()))
}
