//! What came of calls: bookings and messages.

use jiff::{Timestamp, civil::DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::domain::{
    AssistantId, Booking, BookingId, BookingRequest, CallId, KeptRecording, LanguageTag, Message,
    MessageRecording, PhoneNumber,
};

/// A booking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Booking")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct BookingView {
    pub id: BookingId,
    /// What the caller may say to be found again: unlike those of the client's other bookings.
    pub reference: String,
    /// `confirmed` or `cancelled`.
    pub status: String,
    pub assistant_id: AssistantId,
    pub call_id: Option<CallId>,
    pub name: String,
    pub party: u32,
    pub caller: Option<String>,
    /// What is to be done.
    pub service: Option<String>,
    /// What or who it occupies.
    pub resource: Option<String>,
    /// Nights of a stay.
    pub nights: Option<u32>,
    /// What the client should know.
    pub note: Option<String>,
    /// In which language it was made.
    pub language: LanguageTag,
    /// What was promised, on the client's wall clock, such as `2026-11-24T20:00:00`.
    #[schemars(with = "String")]
    pub at: DateTime,
    pub timezone: String,
    #[schemars(with = "Moment")]
    pub starts_at: Timestamp,
    #[schemars(with = "Moment")]
    pub ends_at: Timestamp,
    /// When others may have the place.
    #[schemars(with = "Moment")]
    pub free_at: Timestamp,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
    #[schemars(with = "Moment")]
    pub updated_at: Timestamp,
    #[schemars(with = "Option<Moment>")]
    pub cancelled_at: Option<Timestamp>,
}

impl From<&Booking> for BookingView {
    fn from(booking: &Booking) -> Self {
        Self {
            id: booking.id,
            reference: booking.reference.clone(),
            status: booking.status().to_owned(),
            assistant_id: booking.assistant,
            call_id: booking.call,
            name: booking.name.clone(),
            party: booking.party,
            caller: booking.caller.clone(),
            service: booking.service.clone(),
            resource: booking.resource.clone(),
            nights: booking.nights,
            note: booking.note.clone(),
            language: booking.language.clone(),
            at: booking.at,
            timezone: booking.timezone.clone(),
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            free_at: booking.free_at,
            created_at: booking.created_at,
            updated_at: booking.updated_at,
            cancelled_at: booking.cancelled_at,
        }
    }
}

impl From<BookingView> for Booking {
    fn from(view: BookingView) -> Self {
        Self {
            id: view.id,
            reference: view.reference,
            assistant: view.assistant_id,
            call: view.call_id,
            name: view.name,
            party: view.party,
            caller: view.caller,
            service: view.service,
            resource: view.resource,
            nights: view.nights,
            note: view.note,
            language: view.language,
            at: view.at,
            timezone: view.timezone,
            starts_at: view.starts_at,
            ends_at: view.ends_at,
            free_at: view.free_at,
            created_at: view.created_at,
            updated_at: view.updated_at,
            cancelled_at: view.cancelled_at,
        }
    }
}

/// A booking made by hand.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingInput {
    /// With which assistant: its id or its name.
    pub assistant_id: String,
    /// On the client's wall clock, such as `2026-11-24T20:00:00`; of a stay the day of arrival.
    #[schemars(with = "String")]
    pub at: DateTime,
    /// How many people.
    pub party: u32,
    /// Under which name.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// Number to call back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<PhoneNumber>,
    /// What is to be done, where there is a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// With whom or where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Nights of a stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nights: Option<u32>,
    /// What the client should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl BookingInput {
    /// What is asked for.
    pub fn request(&self) -> BookingRequest {
        BookingRequest {
            party: self.party,
            at: self.at,
            nights: self.nights,
            service: self.service.clone(),
            resource: self.resource.clone(),
            name: Some(self.name.clone()),
            note: self.note.clone(),
        }
    }
}

/// One booking.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneBooking {
    /// True.
    pub success: Success,
    /// The booking.
    pub booking: BookingView,
}

impl From<&Booking> for OneBooking {
    fn from(booking: &Booking) -> Self {
        Self { success: Success::default(), booking: booking.into() }
    }
}

/// Where a calendar of an assistant's bookings is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CalendarFeed {
    /// True.
    pub success: Success,
    /// The path below the daemon's address. Whoever has it sees the bookings: it is told once.
    pub path: String,
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
    /// Empty where it was spoken and is not written down.
    pub text: String,
    /// Where it was spoken: with `.mp3` or `.wav` it is the sound.
    #[serde(default)]
    pub recording_url: Option<String>,
    /// In seconds.
    #[serde(default)]
    pub recording_duration: Option<u32>,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
}

impl From<&Message> for MessageView {
    fn from(message: &Message) -> Self {
        Self {
            caller: message.caller.clone(),
            name: message.name.clone(),
            text: message.text.clone(),
            recording_url: message.recording.as_ref().map(|recording| recording.kept.address()),
            recording_duration: message.recording.as_ref().map(|recording| recording.seconds),
            created_at: message.created_at,
        }
    }
}

impl MessageView {
    /// The message of an assistant's call.
    pub fn of(self, assistant: AssistantId, call: CallId) -> Message {
        let kept = self.recording_url.as_deref().and_then(KeptRecording::at);
        Message {
            assistant,
            call,
            caller: self.caller,
            name: self.name,
            text: self.text,
            recording: kept.map(|kept| MessageRecording {
                kept,
                seconds: self.recording_duration.unwrap_or_default(),
            }),
            created_at: self.created_at,
        }
    }
}
