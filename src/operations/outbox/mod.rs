//! What happened, told to those outside who are to know: CRMs and webhooks.
//!
//! [`tell`] writes a row for each place of the assistant in the transaction of what happened: either
//! both are stored, or neither. The daemon delivers them ([`work`]), in order for each caller, as
//! often as it takes; people look at them and try them again ([`desk`]).

mod desk;
mod notice;
mod payload;
mod work;

use jiff::Timestamp;

use crate::{
    domain::{
        Assistant, AssistantSpec, Booking, CallId, Deliver, DeliveryEvent, Error, HumanDuration,
        Message, PhoneNumber, Result,
    },
    store::{
        StoreError, Tx, bookings, calls,
        deliveries::{self, NewDelivery},
        messages, privacy, turns,
    },
};
use payload::Scene;

pub use desk::{Page, list, retry, show, totals, unknown};
pub(super) use work::ended;
pub use work::{BUSY, Door, InFlight, LEASE, Text, door, settle, take_ready};

/// Something that others may want to know.
#[derive(Debug, Clone, Copy)]
pub enum Happened<'a> {
    /// The call is over, with all that was said in it.
    CallEnded,
    /// What came of the call is known as well as it will be.
    CallSummarised,
    /// The call was handed to a human.
    CallTransferred {
        /// In which turn.
        turn: u32,
        /// To whom.
        to: &'a PhoneNumber,
    },
    /// Something was booked.
    BookingCreated(&'a Booking),
    /// A booking is another one now.
    BookingChanged(&'a Booking),
    /// A booking was given up.
    BookingCancelled(&'a Booking),
    /// A booking begins before long.
    BookingReminder {
        /// Which.
        booking: &'a Booking,
        /// How long before.
        before: HumanDuration,
    },
    /// A message was taken.
    MessageTaken {
        /// Its row.
        row: i64,
        /// The message.
        message: &'a Message,
    },
}

impl Happened<'_> {
    /// The word for it.
    pub const fn event(&self) -> DeliveryEvent {
        match self {
            Self::CallEnded => DeliveryEvent::CallEnded,
            Self::CallSummarised => DeliveryEvent::CallSummarised,
            Self::CallTransferred { .. } => DeliveryEvent::CallTransferred,
            Self::BookingCreated(_) => DeliveryEvent::BookingCreated,
            Self::BookingChanged(_) => DeliveryEvent::BookingChanged,
            Self::BookingCancelled(_) => DeliveryEvent::BookingCancelled,
            Self::BookingReminder { .. } => DeliveryEvent::BookingReminder,
            Self::MessageTaken { .. } => DeliveryEvent::MessageTaken,
        }
    }

    /// What happened to what: the same is told once. A booking may be changed many times, and a call
    /// be handed over again.
    fn source(&self, call: Option<CallId>, now: Timestamp) -> String {
        let event = self.event();
        let call = call.map_or(0, |id| id.0);
        match self {
            Self::CallEnded | Self::CallSummarised => format!("{event}/{call}"),
            Self::CallTransferred { turn, .. } => format!("{event}/{call}/{turn}"),
            Self::BookingCreated(booking) | Self::BookingCancelled(booking) => {
                format!("{event}/{}", booking.id.0)
            }
            Self::BookingChanged(booking) => {
                format!("{event}/{}/{}", booking.id.0, now.as_millisecond())
            }
            // `store::bookings::to_remind` looks for it under this name.
            Self::BookingReminder { booking, before } => {
                let (id, at) = (booking.id.0, booking.starts_at.as_millisecond());
                format!("{event}/{id}/{at}/{}", before.as_minutes())
            }
            Self::MessageTaken { row, .. } => format!("{event}/{row}"),
        }
    }

    /// Whether a place wants to know.
    fn is_for(&self, place: &Deliver, spec: &AssistantSpec) -> bool {
        let asked = match self {
            Self::BookingReminder { before, .. } => place.remind.contains(before),
            // What is known by rule stands in the record of the call: a second one would say it again.
            Self::CallSummarised if place.to.is_crm() && place.events.is_empty() => {
                spec.wanted_after().is_some()
            }
            _ => true,
        };
        asked && place.wants(self.event())
    }
}

impl<'a> Happened<'a> {
    /// The booking that it is about.
    fn booking(&self) -> Option<&'a Booking> {
        match self {
            Self::BookingCreated(one)
            | Self::BookingChanged(one)
            | Self::BookingCancelled(one)
            | Self::BookingReminder { booking: one, .. } => Some(*one),
            Self::CallEnded
            | Self::CallSummarised
            | Self::CallTransferred { .. }
            | Self::MessageTaken { .. } => None,
        }
    }
}

/// Has every place of the assistant that wants to know told what happened: in the transaction of
/// what happened, after its rows are written. `assistant` is the version that the call began with.
/// The same thing told again is told once. Nothing is told of a call that was forgotten.
pub fn tell(
    tx: &Tx,
    assistant: &Assistant,
    call: Option<CallId>,
    happened: &Happened<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let event = happened.event();
    let spec = &assistant.spec;
    let places = || spec.deliver.iter().filter(|place| happened.is_for(place, spec));
    if places().next().is_none() {
        return Ok(());
    }
    let found = call.map(|id| calls::by_id(tx, id)).transpose()?.flatten();
    if let Some(call) = &found
        && privacy::is_erased(tx, call.id)?
    {
        return Ok(());
    }
    let id = found.as_ref().map(|call| call.id);
    let (mut turns, mut bookings, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(id) = id {
        bookings = bookings::of_call(tx, id)?;
        messages = messages::of_call(tx, id)?;
        if event == DeliveryEvent::CallEnded {
            turns = turns::of_call(tx, id)?;
        }
    }
    let number = found.as_ref().and_then(|call| call.caller.clone());
    let number = number.or_else(|| happened.booking()?.caller.clone());
    // Who has no number is told of in order as well: by the call, or by the booking.
    let contact = number.clone().unwrap_or_else(|| match (&found, happened.booking()) {
        (Some(call), _) => call.sid.to_string(),
        (None, booking) => format!("booking/{}", booking.map_or(0, |booking| booking.id.0)),
    });
    let is_number = number.is_some_and(|number| number.parse::<PhoneNumber>().is_ok());
    let scene = Scene {
        assistant,
        call: found.as_ref(),
        turns: &turns,
        bookings: &bookings,
        messages: &messages,
    };
    for place in places() {
        let is_calendar = place.to.is_calendar();
        // A CRM knows people by their number: of who has none there is nobody to write to.
        if place.to.is_crm() && !is_number {
            continue;
        }
        // A calendar of one resource holds what occupies that one.
        if is_calendar && !holds(place, happened.booking()) {
            continue;
        }
        let Some(payload) = scene.payload(place, happened, now) else { continue };
        deliveries::insert(
            tx,
            &NewDelivery {
                message_id: message_id()?,
                assistant: assistant.id,
                call: id,
                destination: place.name().to_owned(),
                to: place.to,
                event,
                source: happened.source(id, now),
                contact: contact.clone(),
                payload,
                at: now,
            },
        )?;
    }
    Ok(())
}

/// Whether a calendar is the one of what a booking occupies, or everybody's.
fn holds(place: &Deliver, booking: Option<&Booking>) -> bool {
    let Some(booking) = booking else { return false };
    match (&place.resource, &booking.resource) {
        (Some(whose), Some(occupied)) => whose.to_lowercase() == occupied.to_lowercase(),
        (Some(_), None) => false,
        (None, _) => true,
    }
}

/// A name that no other delivery has.
pub(super) fn message_id() -> Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Error::failure("this machine gives no random numbers").because(cause.to_string())
    })?;
    Ok(format!("msg_{}", hex::encode(bytes)))
}
