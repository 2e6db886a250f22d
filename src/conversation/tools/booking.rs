//! The tools of bookings: their arguments, and how a model is told of them.

use jiff::civil::{Date, DateTime, Time};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{clean_name, object, tool};
use crate::{
    domain::{Booking, BookingKey, BookingKind, BookingRequest, BookingRules},
    operations::bookings::Change,
    providers::llm::ToolSpec,
};

/// A note longer than this is cut.
const LONGEST_NOTE: usize = 500;

#[derive(Deserialize)]
pub(super) struct BookingArguments {
    party: u32,
    date: String,
    time: Option<String>,
    nights: Option<u32>,
    service: Option<String>,
    with: Option<String>,
    name: Option<String>,
    note: Option<String>,
}

impl BookingArguments {
    /// What they ask for; a booking needs a name.
    pub(super) fn request(self, needs_name: bool) -> Result<BookingRequest, String> {
        let at = date_time(&self.date, self.time.as_deref(), self.nights.is_some())?;
        let name = self.name.and_then(|name| clean_name(&name));
        if needs_name && name.is_none() {
            return Err("`name` is missing: ask the caller for it".to_owned());
        }
        let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let note = said(self.note).map(|note| super::cut(&note, LONGEST_NOTE));
        Ok(BookingRequest {
            party: self.party,
            at,
            nights: self.nights,
            service: said(self.service),
            resource: said(self.with),
            name,
            note,
        })
    }
}

/// Which booking.
#[derive(Deserialize)]
pub(super) struct KeyArguments {
    reference: Option<Value>,
    name: Option<String>,
}

impl KeyArguments {
    pub(super) fn key(self) -> BookingKey {
        // Some models write figures as a number.
        let digits = |value: Value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let digits: String = text.chars().filter(char::is_ascii_digit).take(12).collect();
            (!digits.is_empty()).then_some(digits)
        };
        BookingKey {
            reference: self.reference.and_then(digits),
            name: self.name.and_then(|name| clean_name(&name)),
        }
    }
}

/// Which booking, and when instead.
#[derive(Deserialize)]
pub(super) struct ChangeArguments {
    reference: Option<Value>,
    name: Option<String>,
    date: String,
    time: Option<String>,
    party: Option<u32>,
    nights: Option<u32>,
}

impl ChangeArguments {
    pub(super) fn read(self) -> Result<(BookingKey, Change), String> {
        let at = date_time(&self.date, self.time.as_deref(), self.nights.is_some())?;
        let key = KeyArguments { reference: self.reference, name: self.name }.key();
        Ok((key, Change { at, party: self.party, nights: self.nights }))
    }
}

fn date_time(date: &str, time: Option<&str>, nights: bool) -> Result<DateTime, String> {
    let date: Date = date.parse().map_err(|_| "`date` must look like 2026-11-23".to_owned())?;
    let time: Time = match time {
        Some(time) => time.parse().map_err(|_| "`time` must look like 20:30".to_owned())?,
        // Guests come when the room is ready.
        None if nights => Time::midnight(),
        None => return Err("`time` is missing: ask the caller for it".to_owned()),
    };
    Ok(date.to_datetime(time))
}

/// A request as JSON, for the transcript.
pub(super) fn arguments(request: &BookingRequest) -> Value {
    let mut value = json!({ "party": request.party, "date": request.at.date().to_string() });
    // Of a stay only the day counts, unless somebody said more.
    if request.nights.is_none() || request.at.time() != Time::midnight() {
        value["time"] = json!(hour_and_minute(request.at));
    }
    for (key, said) in [
        ("service", &request.service),
        ("with", &request.resource),
        ("name", &request.name),
        ("note", &request.note),
    ] {
        if let Some(said) = said {
            value[key] = json!(said);
        }
    }
    if let Some(nights) = request.nights {
        value["nights"] = json!(nights);
    }
    value
}

/// A change as JSON, for the transcript.
pub(super) fn change_arguments(key: &BookingKey, change: &Change) -> Value {
    let mut value = json!(key);
    value["date"] = json!(change.at.date().to_string());
    value["time"] = json!(hour_and_minute(change.at));
    if let Some(party) = change.party {
        value["party"] = json!(party);
    }
    if let Some(nights) = change.nights {
        value["nights"] = json!(nights);
    }
    value
}

fn hour_and_minute(at: DateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}

fn told(done: &str, booking: &Booking) -> Value {
    let mut value = json!({
        done: true,
        "reference": booking.reference,
        "name": booking.name,
        "party": booking.party,
        "date": booking.at.date().to_string(),
        "time": hour_and_minute(booking.at),
    });
    for (key, said) in [("service", &booking.service), ("with", &booking.resource)] {
        if let Some(said) = said {
            value[key] = json!(said);
        }
    }
    if let Some(nights) = booking.nights {
        value["nights"] = json!(nights);
    }
    value
}

/// A stored booking as a mind is told of it.
pub(super) fn stored(booking: &Booking) -> Value {
    told("booked", booking)
}

/// One that has moved.
pub(super) fn moved(booking: &Booking) -> Value {
    told("moved", booking)
}

/// One that is cancelled.
pub(super) fn cancelled(booking: &Booking) -> Value {
    told("cancelled", booking)
}

/// The tools, as a model is told of them.
pub(super) fn offered(rules: &BookingRules) -> Vec<ToolSpec> {
    let party = json!({
        "type": "integer", "minimum": rules.party.min, "maximum": rules.party.max,
        "description": "number of people",
    });
    let date = json!({ "type": "string", "description": "YYYY-MM-DD" });
    let mut slot = Map::new();
    slot.insert("party".to_owned(), party.clone());
    slot.insert("date".to_owned(), date.clone());
    let mut needed = vec!["party", "date"];
    let when = if rules.kind == BookingKind::Stay {
        slot["date"]["description"] = json!("YYYY-MM-DD, the day of arrival");
        let nights = json!({
            "type": "integer", "minimum": rules.nights.min, "maximum": rules.nights.max,
            "description": "number of nights",
        });
        ("nights", nights)
    } else {
        ("time", json!({ "type": "string", "description": "HH:MM, 24 hours" }))
    };
    slot.insert(when.0.to_owned(), when.1.clone());
    needed.push(when.0);
    if !rules.services.is_empty() {
        let names: Vec<&str> = rules.services.iter().map(|one| one.name.as_str()).collect();
        let service =
            json!({ "type": "string", "enum": names, "description": "what is to be done" });
        slot.insert("service".to_owned(), service);
        needed.push("service");
    }
    if !rules.resources.is_empty() {
        let names: Vec<&str> = rules.resources.iter().map(|one| one.name.as_str()).collect();
        let with = json!({
            "type": "string", "enum": names, "description": "only if the caller asks for one of them",
        });
        slot.insert("with".to_owned(), with);
    }
    let mut booking = slot.clone();
    let name = json!({ "type": "string", "description": "under which name" });
    let note =
        json!({ "type": "string", "description": "what the client should know, if anything" });
    booking.insert("name".to_owned(), name);
    booking.insert("note".to_owned(), note);
    let all_and_name = [needed.as_slice(), &["name"]].concat();
    let key = json!({
        "reference": { "type": "string", "description": "six digits, if the caller knows them" },
        "name": { "type": "string", "description": "under which name it was made" },
    });
    let mut change = key.clone();
    change["date"] = date;
    change["party"] = party;
    change[when.0] = when.1;
    vec![
        tool(
            "check_availability",
            "Whether there is room at a date and time. Use it before promising anything: what is \
             free is kept for the caller for three minutes.",
            object(&slot.into(), &needed),
        ),
        tool(
            "book",
            "Stores a booking. Only what it answers is booked.",
            object(&booking.into(), &all_and_name),
        ),
        tool(
            "find_bookings",
            "The caller's own bookings still to come: those under the number that calls. From \
             another number it takes the reference and the name.",
            object(&key, &[]),
        ),
        tool(
            "reschedule",
            "Moves one of the caller's bookings. Only what it answers is changed.",
            object(&change, &["date", when.0]),
        ),
        tool(
            "cancel",
            "Cancels one of the caller's bookings. Find it first, say which it is, and ask the \
             caller to confirm.",
            object(&key, &[]),
        ),
    ]
}
