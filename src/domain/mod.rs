//! What we talk about: plain types and their rules.
//!
//! No I/O, no clock (`now` is always an argument) and nothing of ours above it.
//! Text from outside becomes one of these types at the edge and stays one.

mod assistant;
mod booking;
mod call;
mod country;
mod error;
mod hours;
mod language;
mod message;
mod model;
mod phone;
mod secret;
mod sid;
mod stats;
mod suggest;
mod turn;
pub mod when;

pub use assistant::{
    Ai, Assistant, AssistantId, AssistantName, AssistantSpec, Billing, BookingRules, Fact, Hours,
    Limits, Party, Personality, Transfer, Voice, VoiceLine, VoiceProvider, ZoneName,
};
pub use booking::{Availability, Booked, Booking, BookingId, BookingRequest, Refusal};
pub use call::{Call, CallFilter, CallId, CallPage, CallStatus, EndReason};
pub use country::Country;
pub use error::{Error, Kind, Result};
pub use hours::{DayHours, OpeningHours, TimeRange, WEEKDAYS, weekday_name};
pub use language::LanguageTag;
pub use message::Message;
pub use model::ModelRef;
pub use phone::{Caller, PhoneNumber};
pub use secret::{Secret, SecretRef};
pub use sid::{AccountSid, CallSid};
pub use stats::{Breakdown, Stats, StatsBy, StatsRow};
pub use suggest::{did_you_mean, suggestion_hint};
pub use turn::{
    Attempt, Heard, Next, Outcome, Reply, TokenUsage, ToolUse, Turn, TurnId, TurnTimings,
};
pub use when::HumanDuration;
