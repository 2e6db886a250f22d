//! Whole conversations, played against the rules that the store applies.

use jiff::civil::datetime;
use proptest::prelude::*;

use super::*;
use crate::domain::{AssistantId, Booked, Booking, BookingId, BookingRequest};

const LE_GOURMET: &str = r#"{"name":"le-gourmet","client":"Le Gourmet","phone":"+33123456789","context":"",
    "hours":{"monday":["12:00-14:00","19:00-23:00"],"tuesday":["12:00-14:00","19:00-23:00"],
             "wednesday":["12:00-14:00","19:00-23:00"],"thursday":["12:00-14:00","19:00-23:00"],
             "friday":["12:00-14:00","19:00-23:00"],"saturday":["12:00-14:00","19:00-23:00"]},
    "facts":[{"about":["parking","se garer","park"],"answer":"Il y a un parking derrière le restaurant."}],
    "booking":{"party":{"min":2,"max":8},"capacity":40},
    "transfer":{"number":"+33612345678"}}"#;

/// A caller, a concierge and a diary.
struct Call {
    spec: AssistantSpec,
    language: LanguageTag,
    now: ZonedDateTime,
    state: State,
    taken: Vec<Booked>,
    booked: Vec<BookingRequest>,
    messages: Vec<String>,
    broken: bool,
    next: Next,
}

impl Call {
    fn new(language: &str) -> Self {
        Self {
            spec: serde_json::from_str(LE_GOURMET).unwrap(),
            language: language.parse().unwrap(),
            now: "2026-11-23T18:00:00+01:00[Europe/Paris]".parse().unwrap(),
            state: State::default(),
            taken: Vec::new(),
            booked: Vec::new(),
            messages: Vec::new(),
            broken: false,
            next: Next::Listen,
        }
    }

    fn run(&mut self, tool: ToolRequest) -> ToolResult {
        if self.broken && !matches!(tool, ToolRequest::CheckAvailability(_)) {
            return ToolResult::Failed;
        }
        match tool {
            ToolRequest::CheckAvailability(request) => {
                ToolResult::Availability(self.judge(&request))
            }
            ToolRequest::Book(request) => ToolResult::Booked(match self.judge(&request) {
                Availability::Refused(refusal) => Err(refusal),
                Availability::Free => {
                    self.booked.push(request.clone());
                    Ok(Box::new(Booking {
                        id: BookingId(1),
                        assistant: AssistantId(1),
                        call: None,
                        name: request.name.unwrap_or_default(),
                        party: request.party,
                        caller: None,
                        at: request.at,
                        timezone: "Europe/Paris".into(),
                        starts_at: self.now.timestamp(),
                        ends_at: self.now.timestamp(),
                        created_at: self.now.timestamp(),
                    }))
                }
            }),
            ToolRequest::TakeMessage { text, .. } => {
                self.messages.push(text);
                ToolResult::MessageTaken
            }
            ToolRequest::Transfer { .. } if self.spec.transfer.number.is_some() => {
                ToolResult::Transferring
            }
            ToolRequest::Transfer { .. } => ToolResult::NobodyToTransferTo,
            ToolRequest::EndCall => ToolResult::Ending,
        }
    }

    fn judge(&self, request: &BookingRequest) -> Availability {
        Availability::judge(&self.spec, request, &self.taken, self.now.timestamp())
    }

    fn hear(&mut self, heard: &Heard) -> String {
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
            };
            let event = result.as_ref().map_or(Event::Heard(heard), Event::Tool);
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
        panic!("no sentence after five tools for {heard:?}");
    }

    fn say(&mut self, text: &str) -> String {
        self.hear(&Heard::Speech { text: text.into(), confidence: Some(0.9) })
    }

    /// Plays a script of what is said and a part of what must be answered.
    fn plays(&mut self, script: &[(&str, &str)]) {
        for (said, expected) in script {
            let answer = self.say(said);
            assert!(answer.contains(expected), "« {said} » → « {answer} », not « {expected} »");
        }
    }
}

fn speech(text: &str) -> Heard {
    Heard::Speech { text: text.into(), confidence: None }
}

#[test]
fn the_example_call_ends_with_a_booking() {
    let mut call = Call::new("fr-FR");
    call.plays(&[
        ("Bonjour, je voudrais réserver pour 4 ce soir", "À quelle heure"),
        ("20h si possible", "À quel nom"),
    ]);
    assert!(call.booked.is_empty());
    let end = call.say("Dupont");
    for part in ["lundi 23 novembre", "20 heures", "4 personnes", "Dupont", "au revoir"] {
        assert!(end.contains(part), "{part}: {end}");
    }
    assert_eq!(call.next, Next::HangUp);
    assert_eq!(
        call.booked,
        [BookingRequest {
            party: 4,
            at: datetime(2026, 11, 23, 20, 0, 0, 0),
            name: Some("Dupont".into())
        }]
    );
}
