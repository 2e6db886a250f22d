//! What others are told: fixed when it happens, under the names of the REST API.

use serde_json::{Map, Value, json};

use super::{Happened, notice};
use crate::{
    domain::{Assistant, Booking, Call, Deliver, Heard, Message, Turn},
    integrations::ics,
    provision::template,
};

/// The shape of payloads: a receiver need not guess when it changes.
const VERSION: u32 = 1;

/// All that is known when something happens.
pub(super) struct Scene<'a> {
    pub(super) assistant: &'a Assistant,
    pub(super) call: Option<&'a Call>,
    pub(super) turns: &'a [Turn],
    pub(super) bookings: &'a [Booking],
    pub(super) messages: &'a [Message],
}

impl Scene<'_> {
    /// What one place is told, as it is sent; nothing if there is nobody to tell. `at` is when it
    /// happened.
    pub(super) fn payload(
        &self,
        place: &Deliver,
        happened: &Happened<'_>,
        at: jiff::Timestamp,
    ) -> Option<String> {
        if place.to.is_notice() {
            let notice = notice::write(self, place, happened, at)?;
            return serde_json::to_string(&notice).ok();
        }
        Some(self.told(place, happened, at))
    }

    fn told(&self, place: &Deliver, happened: &Happened<'_>, at: jiff::Timestamp) -> String {
        if place.to.is_calendar() {
            return self.entry(happened);
        }
        let mut data = self.data(happened);
        let fields = self.fields(place, happened, &data);
        if !place.transcript {
            data.remove("turns");
        }
        data.insert("fields".to_owned(), fields.into());
        json!({
            "type": happened.event().as_str(),
            "version": VERSION,
            "timestamp": at,
            "data": data,
        })
        .to_string()
    }

    /// A booking as calendars have it.
    fn entry(&self, happened: &Happened<'_>) -> String {
        let spec = &self.assistant.spec;
        let entry = happened.booking().map(|booking| ics::entry(spec, booking));
        serde_json::to_string(&entry).unwrap_or_default()
    }

    fn data(&self, happened: &Happened<'_>) -> Map<String, Value> {
        let spec = &self.assistant.spec;
        let mut data = Map::new();
        let mut put = |key: &str, value: Value| {
            data.insert(key.to_owned(), value);
        };
        put(
            "assistant",
            json!({
                "id": self.assistant.id,
                "name": spec.name,
                "client_name": spec.client,
                "twilio_phone_number": spec.phone.number,
                "voice_language": spec.voice.language,
            }),
        );
        put("caller", self.caller(happened));
        put("call", self.call.map_or(Value::Null, call));
        match happened {
            Happened::CallEnded => {
                put("turns", self.turns.iter().map(turn).collect());
                put("bookings", self.bookings.iter().map(booking).collect());
                put("messages", self.messages.iter().map(message).collect());
            }
            Happened::CallSummarised => {
                put("bookings", self.bookings.iter().map(booking).collect());
                put("messages", self.messages.iter().map(message).collect());
                // By itself too: `{{ extract.plate }}`.
                put("extract", self.call.map_or(Value::Null, |call| json!(call.after.extract)));
            }
            Happened::CallTransferred { to, .. } => put("transfer", json!({ "number": to })),
            Happened::BookingCreated(one)
            | Happened::BookingChanged(one)
            | Happened::BookingCancelled(one)
            | Happened::BookingReminder { booking: one, .. } => put("booking", booking(one)),
            Happened::MessageTaken { message: one, .. } => put("message", message(one)),
        }
        data
    }

    /// Who called, by what was said so far.
    fn caller(&self, happened: &Happened<'_>) -> Value {
        let number = self.call.and_then(|call| call.caller.as_deref());
        let number = number.or_else(|| happened.booking().and_then(|one| one.caller.as_deref()));
        json!({
            "number": number,
            "name": self.name(happened),
            "language": self.call.map(|call| &call.language),
        })
    }

    /// The number of whom it is about: the one that a booking was made under, before the one that
    /// calls.
    pub(super) fn number<'a>(&'a self, happened: &Happened<'a>) -> Option<&'a str> {
        let booked = happened.booking().and_then(|one| one.caller.as_deref());
        booked.or_else(|| self.call.and_then(|call| call.caller.as_deref()))
    }

    /// The name of whom it is about, by what was said so far.
    pub(super) fn name<'a>(&'a self, happened: &Happened<'a>) -> Option<&'a str> {
        let left = match happened {
            Happened::MessageTaken { message, .. } => Some(*message),
            _ => None,
        };
        let bookings = happened.booking().into_iter().chain(self.bookings.iter().rev());
        let messages = left.into_iter().chain(self.messages.iter().rev());
        let names = bookings.map(|one| Some(one.name.as_str()));
        let mut names = names.chain(messages.map(|one| one.name.as_deref()));
        names.find_map(|name| name.filter(|name| !name.trim().is_empty()))
    }

    /// The place's own fields. A template that cannot be filled in costs its field, and no call.
    fn fields(
        &self,
        place: &Deliver,
        happened: &Happened<'_>,
        data: &Map<String, Value>,
    ) -> Map<String, Value> {
        if place.fields.is_empty() {
            return Map::new();
        }
        let mut values = data.clone();
        values.insert("event".to_owned(), happened.event().as_str().into());
        let mut fields = Map::new();
        for (field, text) in &place.fields {
            match template::fill_in(text, &values) {
                // What is not known is not said: it would take out what a person wrote there.
                Ok(filled) if filled.is_empty() => {}
                Ok(filled) => {
                    fields.insert(field.clone(), filled.into());
                }
                Err(error) => tracing::warn!(
                    assistant = %self.assistant.spec.name, place = place.name(), field, %error,
                    "a field of a delivery is left out"
                ),
            }
        }
        fields
    }
}

fn call(call: &Call) -> Value {
    json!({
        "id": call.id,
        "assistant_id": call.assistant_id,
        "assistant": call.assistant,
        "assistant_revision": call.assistant_revision,
        "call_sid": call.sid,
        "from_number": call.caller,
        "to_number": call.to_number,
        "duration": call.duration_s,
        "status": call.status,
        "satisfaction_score": call.satisfaction,
        "satisfaction_source": call.after.satisfaction_source,
        "satisfaction_why": call.after.satisfaction_why,
        "line": call.line,
        "language": call.language,
        "end_reason": call.end_reason,
        "outcome": call.after.outcome,
        "topic": call.after.topic,
        "summary": call.after.summary,
        "summary_source": call.after.summary_source,
        "extract": call.after.extract,
        "disclosed_at": call.disclosed_at,
        "recording_consent": call.recording_consent,
        "direction": call.direction,
        "answered_by": call.answered_by,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
    })
}

fn turn(turn: &Turn) -> Value {
    json!({
        "number": turn.number,
        "heard": turn.heard.as_ref().map(Heard::text),
        "heard_at": turn.heard_at,
        "said": turn.said,
        "language": turn.language,
    })
}

fn booking(booking: &Booking) -> Value {
    json!({
        "id": booking.id,
        "reference": booking.reference,
        "status": booking.status(),
        "assistant_id": booking.assistant,
        "call_id": booking.call,
        "name": booking.name,
        "party": booking.party,
        "caller": booking.caller,
        "service": booking.service,
        "resource": booking.resource,
        "nights": booking.nights,
        "note": booking.note,
        "language": booking.language,
        "at": booking.at,
        "timezone": booking.timezone,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "free_at": booking.free_at,
        "created_at": booking.created_at,
        "updated_at": booking.updated_at,
        "cancelled_at": booking.cancelled_at,
    })
}

fn message(message: &Message) -> Value {
    json!({
        "caller": message.caller,
        "name": message.name,
        "text": message.text,
        "recording_url": message.recording.as_ref().map(|one| one.kept.address()),
        "recording_duration": message.recording.as_ref().map(|one| one.seconds),
        "created_at": message.created_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{BookingView, CallView, MessageView, TurnView},
        domain::*,
        provision::template::DELIVERED,
    };

    const AT: jiff::Timestamp = jiff::Timestamp::UNIX_EPOCH;

    fn a_call() -> Call {
        Call {
            id: CallId(7),
            sid: format!("CA{:032x}", 7).parse().unwrap(),
            assistant_id: AssistantId(3),
            assistant: "a".parse().unwrap(),
            assistant_revision: 2,
            disclosed_at: Some(AT),
            recording_consent: Some(RecordingConsent::Granted),
            direction: crate::domain::Direction::Inbound,
            answered_by: None,
            caller: Some("+33612345678".to_owned()),
            to_number: "+33123456789".to_owned(),
            status: CallStatus::Completed,
            line: VoiceLine::Gather,
            language: LanguageTag::french(),
            started_at: AT,
            ended_at: Some(AT),
            duration_s: Some(75),
            satisfaction: None,
            cost: None,
            end_reason: Some(EndReason::CallerHungUp),
            after: After::default(),
        }
    }

    fn a_booking() -> Booking {
        Booking {
            id: BookingId(1),
            reference: "123456".to_owned(),
            assistant: AssistantId(3),
            call: Some(CallId(7)),
            name: "Zoé".to_owned(),
            party: 4,
            caller: Some("+33612345678".to_owned()),
            service: Some("Dîner".to_owned()),
            resource: None,
            nights: None,
            note: None,
            language: LanguageTag::french(),
            at: jiff::civil::datetime(2026, 11, 24, 20, 0, 0, 0),
            timezone: "Europe/Paris".to_owned(),
            starts_at: AT,
            ends_at: AT,
            free_at: AT,
            created_at: AT,
            updated_at: AT,
            cancelled_at: None,
        }
    }

    fn a_message() -> Message {
        Message {
            assistant: AssistantId(3),
            call: CallId(7),
            caller: Some("+33612345678".to_owned()),
            name: None,
            text: "Rappelez-moi".to_owned(),
            recording: None,
            created_at: AT,
        }
    }

    fn names(inside: &str) -> Vec<&'static str> {
        let found = DELIVERED.iter().find(|(name, _)| *name == inside).unwrap();
        let mut names = found.1.to_vec();
        names.sort_unstable();
        names
    }

    fn keys(value: &Value) -> Vec<String> {
        let mut keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        keys.sort_unstable();
        keys
    }

    #[test]
    fn one_thing_has_one_name_wherever_it_is_met() {
        // What it cost us is nobody's business whom we deliver to.
        let mut shown = json!(CallView::from(&a_call()));
        assert!(shown.as_object_mut().unwrap().remove("cost").is_some());
        assert_eq!(call(&a_call()), shown);
        assert_eq!(booking(&a_booking()), json!(BookingView::from(&a_booking())));
        assert_eq!(message(&a_message()), json!(MessageView::from(&a_message())));
        assert_eq!(keys(&call(&a_call())), names("call"));
        assert_eq!(keys(&booking(&a_booking())), names("booking"));
        assert_eq!(keys(&message(&a_message())), names("message"));
        let one = Turn {
            call: CallId(7),
            number: 1,
            heard: Some(Heard::words("Bonjour")),
            heard_at: AT,
            said: Some("Bonjour !".to_owned()),
            unheard: None,
            language: LanguageTag::french(),
            next: Some(Next::Listen),
            engine: None,
            attempts: Vec::new(),
            tools: Vec::new(),
            state: None,
            timings: TurnTimings::default(),
            usage: TokenUsage::default(),
            fillers: 0,
            ear: None,
            mouth: None,
            twiml: None,
        };
        let view = json!(TurnView::from(&one));
        for (key, value) in turn(&one).as_object().unwrap() {
            assert_eq!(value, &view[key], "{key}");
        }
    }

    #[test]
    fn templates_see_what_is_delivered_and_unknown_fields_are_not_said() {
        let spec: AssistantSpec = serde_json::from_value(json!({
            "name": "a", "client": "A", "phone": "+33123456789", "context": "",
            "deliver": [{
                "to": "hubspot", "secret": {"env": "K"}, "transcript": false,
                "fields": {
                    "lead_source": "Phone", "firstname": "{{ caller.name }}",
                    "guests": "{{ booking.party }}", "nothing": "{{ message.text }}",
                    "what": "{{ event }} {{ assistant.client_name }}",
                },
            }],
        }))
        .unwrap();
        template::check(&spec.deliver[0].fields["what"], DELIVERED).unwrap();
        let assistant = Assistant {
            id: AssistantId(3),
            owner: None,
            spec,
            revision: 1,
            created_at: AT,
            updated_at: AT,
        };
        let (call, booking) = (a_call(), a_booking());
        let scene = Scene {
            assistant: &assistant,
            call: Some(&call),
            turns: &[],
            bookings: &[],
            messages: &[a_message()],
        };
        let place = &assistant.spec.deliver[0];
        let text = scene.payload(place, &Happened::BookingCreated(&booking), AT).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["type"], "booking.created");
        assert_eq!(told["timestamp"], "1970-01-01T00:00:00Z");
        let fields = json!({
            "lead_source": "Phone", "firstname": "Zoé", "guests": "4", "what": "booking.created A",
        });
        assert_eq!(told["data"]["fields"], fields);
        assert_eq!(told["data"]["caller"]["number"], "+33612345678");
        assert_eq!(keys(&told["data"]["caller"]), names("caller"));
        assert_eq!(keys(&told["data"]["assistant"]), names("assistant"));
        let text = scene.payload(place, &Happened::CallEnded, AT).unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["data"]["messages"][0]["text"], "Rappelez-moi");
        assert_eq!(told["data"].get("turns"), None, "not where it is not wanted");
    }
}
