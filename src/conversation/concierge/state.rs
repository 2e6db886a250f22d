//! What the concierge remembers between two turns of a call.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::domain::{BookingKey, Summary};

use super::lookup::Lookup;
use super::understand::{
    Meaning,
    times::{Clock, Part},
};

/// The concierge's memory. Fields may be missing or unknown: a call outlives an upgrade.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// What is known of the booking.
    pub(crate) slots: Slots,
    /// Whether the caller wants one.
    pub(crate) booking: bool,
    /// What we asked last.
    pub(crate) asked: Option<Question>,
    /// The sentence it was asked with, and the language of that.
    pub(crate) question: String,
    pub(crate) language: String,
    /// The booking that is to be changed or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) touched: Option<Touched>,
    /// What the store said is free.
    pub(crate) free: Option<Place>,
    /// What we offered instead.
    pub(crate) offers: Vec<DateTime>,
    /// An answer to give before the next sentence.
    pub(crate) aside: Option<String>,
    /// What was not understood, for a message.
    pub(crate) words: Vec<String>,
    /// Misunderstandings in a row.
    pub(crate) misses: u8,
    /// How often the same question was asked in a row.
    pub(crate) repeats: u8,
    /// Silences in a row.
    pub(crate) silences: u8,
    /// Tools that failed.
    pub(crate) failures: u8,
    /// Whether the message being taken is our last resort.
    pub(crate) giving_up: bool,
    /// Whether the call was handed over before.
    pub(crate) handed_over: bool,
    /// Whether a caller who is known was told so.
    #[serde(skip_serializing_if = "is_not")]
    pub(crate) welcomed: bool,
    /// What is being looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lookup: Option<Lookup>,
    /// Whether the name of before is not the one.
    #[serde(skip_serializing_if = "is_not")]
    pub(crate) other_name: bool,
    /// Which of the passages that were found is said in this turn.
    #[serde(skip)]
    pub(crate) told: Option<usize>,
}

/// The parts of a booking, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Slots {
    pub(crate) date: Option<Date>,
    pub(crate) part: Option<Part>,
    pub(crate) time: Option<Clock>,
    pub(crate) party: Option<u32>,
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nights: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<String>,
}

/// What is wanted of a booking that is made already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wanted {
    /// Not said yet.
    #[default]
    Something,
    Cancel,
    Change,
}

/// A booking of the caller's, as far as it is known which.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Touched {
    pub(crate) wanted: Wanted,
    /// How it is found.
    pub(crate) key: BookingKey,
    /// The day that was said of it.
    pub(crate) date: Option<Date>,
    /// Those it may be.
    pub(crate) found: Vec<Summary>,
    /// The one it is.
    pub(crate) chosen: Option<Summary>,
    /// Whether the number of the booking was asked for.
    pub(crate) asked: bool,
}

/// A place at a time, for so many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) at: DateTime,
    pub(crate) party: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nights: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<String>,
}

/// What the concierge waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    Date,
    Time,
    Party,
    Name,
    /// Whether the name of before is the name.
    KnownName,
    /// How long a stay is.
    Nights,
    /// What is to be done.
    Service,
    /// With whom or where.
    Resource,
    /// The number of a booking, and its name.
    Reference,
    /// Which of several bookings.
    WhichBooking,
    /// To change one or to cancel it.
    CancelOrChange,
    /// Whether to cancel it.
    Cancel,
    /// One of the offers, or yes to the only one.
    Offer,
    /// Another day or time.
    OtherTime,
    /// Whether to take a message.
    OfferMessage,
    /// The message.
    Message,
    /// Whether to try again what failed.
    Retry,
    /// What something is to be looked up by.
    Argument,
    /// Anything else?
    AnythingElse,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_not(flag: &bool) -> bool {
    !*flag
}

impl State {
    /// The caller's name, as far as it was understood.
    pub fn name(&self) -> Option<String> {
        self.slots.name.clone()
    }

    /// Takes in what was said of a booking; later words replace earlier ones.
    pub(crate) fn take_in(&mut self, meaning: &Meaning) {
        let slots = &mut self.slots;
        if let Some(date) = meaning.date {
            slots.date = Some(date);
        }
        if meaning.part.is_some() {
            slots.part = meaning.part;
        }
        if let Some(time) = meaning.time {
            slots.time = Some(time);
            if meaning.part.is_none() && time.exact {
                slots.part = None;
            }
        }
        if meaning.party.is_some() {
            slots.party = meaning.party;
        }
        if meaning.name.is_some() {
            slots.name.clone_from(&meaning.name);
        }
        slots.nights = meaning.nights.or(slots.nights);
        if meaning.service.is_some() {
            slots.service.clone_from(&meaning.service);
        }
        if meaning.resource.is_some() {
            slots.resource.clone_from(&meaning.resource);
        }
        if meaning.date.is_some() || meaning.time.is_some() || meaning.party.is_some() {
            self.offers.clear();
        }
        self.booking |= meaning.has_slots() || meaning.book;
    }

    /// Takes an offered time as the caller's own.
    pub(crate) fn take_offer(&mut self, at: DateTime) {
        self.slots.date = Some(at.date());
        self.slots.time = Some(Clock { hour: at.hour(), minute: at.minute(), exact: true });
        self.slots.part = None;
        self.offers.clear();
    }

    /// The call goes on after our last words: nothing waits for an answer any more.
    pub(crate) fn begin_again(&mut self) {
        self.drop_booking();
        self.asked = None;
        self.question.clear();
        self.lookup = None;
        self.words.clear();
        self.misses = 0;
        self.giving_up = false;
    }

    /// Forgets the booking, keeps the name.
    pub(crate) fn drop_booking(&mut self) {
        self.slots = Slots { name: self.slots.name.take(), ..Slots::default() };
        self.booking = false;
        self.touched = None;
        self.free = None;
        self.offers.clear();
    }
}
