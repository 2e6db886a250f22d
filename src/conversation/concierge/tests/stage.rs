//! A caller, a concierge and a diary, to play conversations with.

use crate::{
    conversation::concierge::*,
    domain::{AssistantId, Booked, Booking, BookingId, BookingRequest, Place, Summary, Untouched},
};

pub(super) const LE_GOURMET: &str = r#"{"name":"le-gourmet","client":"Le Gourmet","phone":"+33123456789","context":"",
    "hours":{"monday":["12:00-14:00","19:00-23:00"],"tuesday":["12:00-14:00","19:00-23:00"],
             "wednesday":["12:00-14:00","19:00-23:00"],"thursday":["12:00-14:00","19:00-23:00"],
             "friday":["12:00-14:00","19:00-23:00"],"saturday":["12:00-14:00","19:00-23:00"]},
    "facts":[{"about":["parking","se garer","park"],"answer":"Il y a un parking derrière le restaurant."}],
    "booking":{"party":{"min":2,"max":8},"capacity":40},
    "transfer":{"number":"+33612345678"}}"#;

/// A caller, a concierge and a diary.
pub(super) struct Call {
    pub(super) spec: AssistantSpec,
    pub(super) language: LanguageTag,
    pub(super) now: ZonedDateTime,
    pub(super) state: State,
    pub(super) taken: Vec<Booked>,
    pub(super) booked: Vec<BookingRequest>,
    pub(super) messages: Vec<String>,
    pub(super) looked_up: Vec<String>,
    /// What the caller has booked before.
    pub(super) diary: Vec<Summary>,
    /// The reference of a caller who shows no number.
    pub(super) withheld: Option<String>,
    pub(super) broken: bool,
    /// What is known of the caller.
    pub(super) known: Option<Recollection>,
    pub(super) next: Next,
}

impl Call {
    pub(super) fn new(language: &str) -> Self {
        Self {
            spec: serde_json::from_str(LE_GOURMET).unwrap(),
            language: language.parse().unwrap(),
            now: "2026-11-23T18:00:00+01:00[Europe/Paris]".parse().unwrap(),
            state: State::default(),
            taken: Vec::new(),
            booked: Vec::new(),
            messages: Vec::new(),
            looked_up: Vec::new(),
            diary: Vec::new(),
            withheld: None,
            broken: false,
            known: None,
            next: Next::Listen,
        }
    }

    pub(super) fn run(&mut self, tool: ToolRequest) -> ToolResult {
        if self.broken && !matches!(tool, ToolRequest::CheckAvailability(_)) {
            return ToolResult::Failed;
        }
        match tool {
            ToolRequest::CheckAvailability(request) => {
                ToolResult::Availability(self.judge(&request))
            }
            ToolRequest::Book(request) => ToolResult::Booked(match self.judge(&request) {
                Availability::Refused(refusal) => Err(refusal),
                Availability::Free { with } => {
                    self.booked.push(request.clone());
                    Ok(Box::new(self.row(&request, with)))
                }
            }),
            ToolRequest::FindBookings(key) => {
                let own = self.withheld.is_none() || key.reference == self.withheld;
                ToolResult::Found(if own { self.diary.clone() } else { Vec::new() })
            }
            ToolRequest::Cancel(key) => {
                let mine = |one: &Summary| Some(&one.reference) == key.reference.as_ref();
                let Some(at) = self.diary.iter().position(mine) else {
                    return ToolResult::Cancelled(Err(Untouched::NotFound));
                };
                let gone = self.diary.remove(at);
                let request = request_of(&gone);
                ToolResult::Cancelled(Ok(Box::new(self.row(&request, None))))
            }
            ToolRequest::Reschedule(key, change) => {
                let mine = |one: &&Summary| Some(&one.reference) == key.reference.as_ref();
                let Some(found) = self.diary.iter().find(mine) else {
                    return ToolResult::Rescheduled(Err(Untouched::NotFound));
                };
                let party = change.party.unwrap_or(found.party);
                let nights = change.nights.or(found.nights);
                let request = BookingRequest { party, at: change.at, nights, ..request_of(found) };
                match self.judge(&request) {
                    Availability::Refused(refusal) => {
                        ToolResult::Rescheduled(Err(Untouched::Refused { refusal }))
                    }
                    Availability::Free { with } => {
                        self.booked.push(request.clone());
                        ToolResult::Rescheduled(Ok(Box::new(self.row(&request, with))))
                    }
                }
            }
            ToolRequest::TakeMessage { text, .. } => {
                self.messages.push(text);
                ToolResult::MessageTaken
            }
            ToolRequest::Transfer { to, .. } => {
                let now = self.now.timestamp();
                crate::conversation::handing_over::choose(&self.spec, to.as_deref(), now)
            }
            ToolRequest::SearchKnowledge(_) => ToolResult::Passages(Vec::new()),
            ToolRequest::Inquire { arguments, .. } => {
                let number = arguments["number"].as_str().unwrap_or_default().to_owned();
                self.looked_up.push(number.clone());
                let answer = serde_json::Value::Null;
                if number == "48213" {
                    ToolResult::Answered { answer, said: Some(format!("{number} en route")) }
                } else {
                    ToolResult::NoSuchThing { answer, said: None }
                }
            }
            ToolRequest::EndCall => ToolResult::Ending,
        }
    }

    pub(super) fn row(&self, request: &BookingRequest, resource: Option<String>) -> Booking {
        let now = self.now.timestamp();
        Booking {
            id: BookingId(1),
            reference: "482193".into(),
            assistant: AssistantId(1),
            call: None,
            name: request.name.clone().unwrap_or_default(),
            party: request.party,
            caller: self.withheld.is_none().then(|| "+33611223344".to_owned()),
            service: request.service.clone(),
            resource,
            nights: request.nights,
            note: None,
            language: self.language.clone(),
            at: request.at,
            timezone: "Europe/Paris".into(),
            starts_at: now,
            ends_at: now,
            free_at: now,
            created_at: now,
            updated_at: now,
            cancelled_at: None,
        }
    }

    pub(super) fn judge(&self, request: &BookingRequest) -> Availability {
        match Place::find(&self.spec, request, &self.taken, self.now.timestamp()) {
            Ok(place) => Availability::Free { with: place.resource },
            Err(refusal) => Availability::Refused(refusal),
        }
    }

    pub(super) fn hear(&mut self, heard: &Heard) -> String {
        self.happens(Event::Heard(heard))
    }

    pub(super) fn happens(&mut self, first: Event) -> String {
        let mut result: Option<ToolResult> = None;
        for _ in 0..=5 {
            // Between turns the memory is JSON.
            let json = serde_json::to_string(&self.state).unwrap();
            let state: State = serde_json::from_str(&json).unwrap();
            assert_eq!(state, self.state);
            let scene = Scene {
                spec: &self.spec,
                language: &self.language,
                now: &self.now,
                caller: Some("+33611223344"),
                known: self.known.as_ref(),
                found: &[],
            };
            let event = result.as_ref().map_or(first, Event::Tool);
            let (state, effect) = step(&scene, state, event);
            self.state = state;
            match effect {
                Effect::Say { text, next } => {
                    assert!(!text.trim().is_empty());
                    assert!(!text.contains(['{', '}']), "{text}");
                    self.next = next;
                    return text;
                }
                Effect::Run(tool) => result = Some(self.run(tool)),
            }
        }
        panic!("no sentence after five tools for {first:?}");
    }

    pub(super) fn say(&mut self, text: &str) -> String {
        self.hear(&Heard::words(text))
    }

    /// Plays a script of what is said and a part of what must be answered.
    pub(super) fn plays(&mut self, script: &[(&str, &str)]) {
        for (said, expected) in script {
            let answer = self.say(said);
            assert!(answer.contains(expected), "« {said} » → « {answer} », not « {expected} »");
        }
    }
}

pub(super) fn request_of(summary: &Summary) -> BookingRequest {
    BookingRequest {
        party: summary.party,
        at: summary.at,
        nights: summary.nights,
        service: summary.service.clone(),
        name: Some(summary.name.clone()),
        ..BookingRequest::default()
    }
}

pub(super) fn speech(text: &str) -> Heard {
    Heard::words(text)
}
