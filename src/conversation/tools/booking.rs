//! The tools of bookings: their arguments, and how a model is told of them.

use jiff::civil::{Date, DateTime, Time};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{clean_name, object, tool};
use crate::{
    domain::{Booking, BookingRequest, BookingRules},
    providers::llm::ToolSpec,
};

#[derive(Deserialize)]
pub(super) struct BookingArguments {
    party: u32,
    date: String,
    time: String,
    name: Option<String>,
}

impl BookingArguments {
    /// What they ask for; a booking needs a name.
    pub(super) fn request(self, needs_name: bool) -> Result<BookingRequest, String> {
        let date: Date =
            self.date.parse().map_err(|_| "`date` must look like 2026-11-23".to_owned())?;
        let time: Time = self.time.parse().map_err(|_| "`time` must look like 20:30".to_owned())?;
        let name = self.name.and_then(|name| clean_name(&name));
        if needs_name && name.is_none() {
            return Err("`name` is missing: ask the caller for it".to_owned());
        }
        Ok(BookingRequest { party: self.party, at: date.to_datetime(time), name })
    }
}

/// A request as JSON, for the transcript.
pub(super) fn arguments(request: &BookingRequest) -> Value {
    json!({
        "party": request.party,
        "date": request.at.date().to_string(),
        "time": hour_and_minute(request.at),
        "name": request.name,
    })
}

fn hour_and_minute(at: DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// A stored booking as a mind is told of it.
pub(super) fn stored(booking: &Booking) -> Value {
    json!({
        "booked": true,
        "reference": booking.id.0,
        "name": booking.name,
        "party": booking.party,
        "date": booking.at.date().to_string(),
        "time": hour_and_minute(booking.at),
    })
}

/// The tools, as a model is told of them.
pub(super) fn offered(rules: &BookingRules) -> Vec<ToolSpec> {
    let slot = json!({
        "party": { "type": "integer", "minimum": rules.party.min, "maximum": rules.party.max, "description": "number of people" },
        "date": { "type": "string", "description": "YYYY-MM-DD" },
        "time": { "type": "string", "description": "HH:MM, 24 hours" },
    });
    let mut booking = slot.clone();
    booking["name"] = json!({ "type": "string", "description": "under which name" });
    vec![
        tool(
            "check_availability",
            "Whether there is room at a date and time. Use it before promising anything.",
            object(&slot, &["party", "date", "time"]),
        ),
        tool(
            "book",
            "Stores a booking. Only what it answers is booked.",
            object(&booking, &["party", "date", "time", "name"]),
        ),
    ]
}
