//! What the concierge remembers between two turns of a call.

use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

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
    /// The sentence it was asked with.
    pub(crate) question: String,
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
}

/// A place at a time, for so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) at: DateTime,
    pub(crate) party: u32,
}

/// What the concierge waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    Date,
    Time,
    Party,
    Name,
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
    /// Anything else?
    AnythingElse,
}

impl State {
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

    /// Forgets the booking, keeps the name.
    pub(crate) fn drop_booking(&mut self) {
        self.slots = Slots { name: self.slots.name.take(), ..Slots::default() };
        self.booking = false;
        self.free = None;
        self.offers.clear();
    }
}
