//! Bookings: what callers ask for, what they are promised, and why not.

use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

use super::row_number::row_number;
use super::{AssistantId, CallId, LanguageTag};

row_number!(
    /// The row number of a booking.
    BookingId
);

/// What a caller asks for, in the assistant's zone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingRequest {
    /// How many people.
    pub party: u32,
    /// Date and time on the client's wall clock; of a stay only the date of arrival counts.
    pub at: DateTime,
    /// Nights of a stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nights: Option<u32>,
    /// What is to be done, where there is a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// With whom or where, if the caller cares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Under which name; not needed to ask whether there is room.
    pub name: Option<String>,
    /// What the client should know: an allergy, a number plate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A booking as stored: a promise to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Row number.
    pub id: BookingId,
    /// What callers say to be found again: six digits, unlike those of the client's others.
    pub reference: String,
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
    /// What is done.
    pub service: Option<String>,
    /// What or who it occupies.
    pub resource: Option<String>,
    /// Nights of a stay.
    pub nights: Option<u32>,
    /// What the client should know.
    pub note: Option<String>,
    /// In which language it was made.
    pub language: LanguageTag,
    /// Date and time on the client's wall clock: this is what was promised.
    pub at: DateTime,
    /// IANA name of that clock's zone.
    pub timezone: String,
    /// The same moment in UTC.
    pub starts_at: Timestamp,
    /// When it is over.
    pub ends_at: Timestamp,
    /// When its places are free again.
    pub free_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was cancelled, if it was.
    pub cancelled_at: Option<Timestamp>,
}

impl Booking {
    /// `confirmed` or `cancelled`.
    pub const fn status(&self) -> &'static str {
        if self.cancelled_at.is_some() { "cancelled" } else { "confirmed" }
    }
}

/// Which bookings.
#[derive(Debug, Clone, Default)]
pub struct BookingFilter {
    /// Of one assistant.
    pub assistant: Option<AssistantId>,
    /// Taking place at or after.
    pub since: Option<Timestamp>,
    /// Taking place before.
    pub until: Option<Timestamp>,
    /// Also those that were cancelled.
    pub cancelled: bool,
    /// At most so many.
    pub limit: Option<u64>,
}

/// Places that are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// From.
    pub starts_at: Timestamp,
    /// Until, exclusive: what must stay empty afterwards is over as well.
    pub free_at: Timestamp,
    /// How many people.
    pub party: u32,
    /// What or who is occupied.
    pub resource: Option<String>,
    /// Whether all of it is: an entry in a calendar of others.
    pub whole: bool,
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
    /// Fewer or more nights than a stay has.
    Nights {
        /// Fewest.
        min: u32,
        /// Most.
        max: u32,
    },
    /// It was not said what is to be done, or something that is not done here.
    WhichService {
        /// What is.
        services: Vec<String>,
    },
    /// Somebody or something that is not there for it.
    WhichResource {
        /// What is.
        resources: Vec<String>,
    },
    /// Already over.
    InThePast,
    /// Sooner than bookings are taken.
    TooSoon {
        /// The first time with room.
        earliest: Option<DateTime>,
    },
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
    /// Between the times at which bookings begin.
    OffGrid {
        /// Those with room, nearest first, at most three.
        near: Vec<DateTime>,
    },
    /// No room.
    Full {
        /// Times with room, of that day where there are any, nearest first, at most three.
        free: Vec<DateTime>,
    },
}

/// Who wants to change or cancel a booking, and which.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingKey {
    /// What the caller was told when it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Under which name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Why a booking is neither changed nor cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum Untouched {
    /// None that this caller may touch: neither under the number, nor by reference and name.
    NotFound,
    /// More than one: which?
    Several {
        /// Them.
        bookings: Vec<Summary>,
    },
    /// It begins too soon for that.
    TooLate {
        /// Until how many minutes before it begins it could be.
        minutes: u32,
    },
    /// The new time is refused; the booking stays.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

/// A booking as it is told to a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// What it is found by.
    pub reference: String,
    /// Under which name.
    pub name: String,
    /// How many people.
    pub party: u32,
    /// When.
    pub at: DateTime,
    /// What is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Nights of a stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nights: Option<u32>,
}

impl From<&Booking> for Summary {
    fn from(booking: &Booking) -> Self {
        Self {
            reference: booking.reference.clone(),
            name: booking.name.clone(),
            party: booking.party,
            at: booking.at,
            service: booking.service.clone(),
            nights: booking.nights,
        }
    }
}
