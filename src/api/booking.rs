//! What came of calls: bookings and messages.

use jiff::{Timestamp, civil::DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::domain::{AssistantId, Booking, BookingId, CallId, Message};

/// A booking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Booking")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct BookingView {
    pub id: BookingId,
    pub assistant_id: AssistantId,
    pub call_id: Option<CallId>,
    pub name: String,
    pub party: u32,
    pub caller: Option<String>,
    /// What was promised, on the client's wall clock, such as `2026-11-24T20:00:00`.
    #[schemars(with = "String")]
    pub at: DateTime,
    pub timezone: String,
    #[schemars(with = "Moment")]
    pub starts_at: Timestamp,
    #[schemars(with = "Moment")]
    pub ends_at: Timestamp,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
}

impl From<&Booking> for BookingView {
    fn from(booking: &Booking) -> Self {
        Self {
            id: booking.id,
            assistant_id: booking.assistant,
            call_id: booking.call,
            name: booking.name.clone(),
            party: booking.party,
            caller: booking.caller.clone(),
            at: booking.at,
            timezone: booking.timezone.clone(),
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            created_at: booking.created_at,
        }
    }
}

impl From<BookingView> for Booking {
    fn from(view: BookingView) -> Self {
        Self {
            id: view.id,
            assistant: view.assistant_id,
            call: view.call_id,
            name: view.name,
            party: view.party,
            caller: view.caller,
            at: view.at,
            timezone: view.timezone,
            starts_at: view.starts_at,
            ends_at: view.ends_at,
            created_at: view.created_at,
        }
    }
}

/// Bookings in the order they take place.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Bookings {
    /// True.
    pub success: Success,
    /// The bookings.
    pub bookings: Vec<BookingView>,
}

/// A message for the client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Message")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct MessageView {
    pub caller: Option<String>,
    pub name: Option<String>,
    pub text: String,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        Self {
            caller: message.caller.clone(),
            name: message.name.clone(),
            text: message.text.clone(),
            created_at: message.created_at,
        }
    }
}
