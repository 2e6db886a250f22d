//! What an assistant may do in a call, whoever thinks: a model or the concierge.

mod booking;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::looked_up;
use crate::{
    domain::{
        AssistantSpec, Availability, Booking, BookingKey, BookingRequest, Found, PhoneNumber,
        Refusal, Summary, Untouched,
    },
    operations::bookings::Change,
    providers::llm::ToolSpec,
};

/// A tool asked for, its arguments already understood.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolRequest {
    /// Is there room?
    CheckAvailability(BookingRequest),
    /// Book. Nothing is promised before it is stored.
    Book(BookingRequest),
    /// Which bookings has the caller?
    FindBookings(BookingKey),
    /// Move one of them.
    Reschedule(BookingKey, Change),
    /// Cancel one of them.
    Cancel(BookingKey),
    /// Write down something for the client.
    TakeMessage {
        /// Who leaves it.
        name: Option<String>,
        /// In the caller's words.
        text: String,
    },
    /// Hand over to the client's human.
    Transfer {
        /// Why: told to the human.
        reason: String,
        /// To whom, by a name of the file; the first who is there otherwise.
        to: Option<String>,
    },
    /// Ask the client's own system.
    Inquire {
        /// By its name in the assistant's file.
        tool: String,
        /// They fit its schema.
        arguments: Map<String, Value>,
    },
    /// Look something up in the client's documents.
    SearchKnowledge(String),
    /// Say goodbye and hang up.
    EndCall,
}

/// What came of a tool.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolResult {
    /// Of `CheckAvailability`.
    Availability(Availability),
    /// Of `Book`: the stored row, or why not.
    Booked(Result<Box<Booking>, Refusal>),
    /// Of `FindBookings`: those still to come that the caller may touch.
    Found(Vec<Summary>),
    /// Of `Reschedule`: the row as it is now, or why it stays.
    Rescheduled(Result<Box<Booking>, Untouched>),
    /// Of `Cancel`: the row as it was, or why it stays.
    Cancelled(Result<Box<Booking>, Untouched>),
    /// Of `TakeMessage`: it is stored.
    MessageTaken,
    /// Of `Transfer`: the call will be handed over.
    Transferring {
        /// To whom, by name.
        to: Option<String>,
        /// Whom to dial first. Models are never told a number.
        number: PhoneNumber,
    },
    /// Of `Transfer`: nobody is there at this hour.
    NobodyAvailable {
        /// Those who are, where another one was asked for.
        others: Vec<String>,
    },
    /// Of `Transfer`: nobody has that name.
    NoSuchHuman {
        /// The names there are.
        names: Vec<String>,
    },
    /// Of a transfer before: nobody took the call.
    NobodyAnswered,
    /// Of `Transfer`: no human is set for this assistant.
    NobodyToTransferTo,
    /// Of `Inquire`.
    Answered {
        /// As it came.
        answer: Value,
        /// As the file wants it said.
        said: Option<String>,
    },
    /// Of `Inquire`: there is no such order, customer, thing.
    NoSuchThing {
        /// What was said about that.
        answer: Value,
        /// As the file wants it said.
        said: Option<String>,
    },
    /// Of `Inquire`: nobody answered, and why.
    NoAnswer(String),
    /// Of `SearchKnowledge`: the passages, the best first.
    Passages(Vec<Found>),
    /// Of `EndCall`.
    Ending,
    /// The store could not be written now.
    Failed,
}

/// A name longer than this is no name.
const LONGEST_NAME: usize = 80;
/// What is looked for is cut too.
const LONGEST_QUERY: usize = 300;
/// A message longer than this is cut.
const LONGEST_MESSAGE: usize = 2_000;

impl ToolRequest {
    /// The tool's name, as models and transcripts see it.
    pub fn name(&self) -> &str {
        match self {
            Self::CheckAvailability(_) => "check_availability",
            Self::Book(_) => "book",
            Self::FindBookings(_) => "find_bookings",
            Self::Reschedule(..) => "reschedule",
            Self::Cancel(_) => "cancel",
            Self::TakeMessage { .. } => "take_message",
            Self::Transfer { .. } => "transfer",
            Self::Inquire { tool, .. } => tool,
            Self::SearchKnowledge(_) => looked_up::TOOL,
            Self::EndCall => "end_call",
        }
    }

    /// The arguments as JSON, for the transcript.
    pub fn arguments(&self) -> String {
        let value = match self {
            Self::CheckAvailability(request) | Self::Book(request) => booking::arguments(request),
            Self::FindBookings(key) | Self::Cancel(key) => json!(key),
            Self::Reschedule(key, change) => booking::change_arguments(key, change),
            Self::TakeMessage { name, text } => json!({ "name": name, "text": text }),
            Self::Transfer { reason, to: None } => json!({ "reason": reason }),
            Self::Transfer { reason, to } => json!({ "reason": reason, "to": to }),
            Self::Inquire { arguments, .. } => json!(arguments),
            Self::SearchKnowledge(query) => json!({ "query": query }),
            Self::EndCall => json!({}),
        };
        value.to_string()
    }

    /// Reads what a model asked for. The error is told to the model, which may try again.
    pub fn read(name: &str, arguments: &str, spec: &AssistantSpec) -> Result<Self, String> {
        fn parse<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, String> {
            let arguments = if arguments.trim().is_empty() { "{}" } else { arguments };
            serde_json::from_str(arguments).map_err(|error| format!("wrong arguments: {error}"))
        }
        match name {
            "check_availability" => Ok(Self::CheckAvailability(
                parse::<booking::BookingArguments>(arguments)?.request(false)?,
            )),
            "book" => Ok(Self::Book(parse::<booking::BookingArguments>(arguments)?.request(true)?)),
            "find_bookings" => {
                Ok(Self::FindBookings(parse::<booking::KeyArguments>(arguments)?.key()))
            }
            "cancel" => Ok(Self::Cancel(parse::<booking::KeyArguments>(arguments)?.key())),
            "reschedule" => {
                let arguments: booking::ChangeArguments = parse(arguments)?;
                arguments.read().map(|(key, change)| Self::Reschedule(key, change))
            }
            "take_message" => {
                let MessageArguments { name, text } = parse(arguments)?;
                let text = cut(&text, LONGEST_MESSAGE);
                if text.is_empty() {
                    return Err("`text` is empty".to_owned());
                }
                Ok(Self::TakeMessage { name: name.and_then(|name| clean_name(&name)), text })
            }
            "transfer" => {
                let TransferArguments { reason, to } = parse(arguments)?;
                let reason: String = reason.unwrap_or_default();
                let to = to.filter(|to| !to.trim().is_empty());
                Ok(Self::Transfer {
                    reason: cut(&reason, 200),
                    to: to.map(|to| cut(&to, LONGEST_NAME)),
                })
            }
            looked_up::TOOL => {
                let SearchArguments { query } = parse(arguments)?;
                let query = cut(&query, LONGEST_QUERY);
                if query.is_empty() {
                    return Err("`query` is empty".to_owned());
                }
                Ok(Self::SearchKnowledge(query))
            }
            "end_call" => Ok(Self::EndCall),
            other => match spec.tools.iter().find(|tool| tool.name == other) {
                Some(tool) => {
                    let arguments: Map<String, Value> = parse(arguments)?;
                    let value = Value::Object(arguments.clone());
                    let fits = tool.arguments.fits(&value);
                    fits.map_err(|what| format!("wrong arguments: {what}"))?;
                    Ok(Self::Inquire { tool: tool.name.clone(), arguments })
                }
                None => Err(format!("there is no tool `{}`", other.escape_debug())),
            },
        }
    }
}

impl ToolResult {
    /// The result as JSON, for models and the transcript.
    pub fn to_json(&self) -> String {
        let value = match self {
            Self::Availability(availability) => json!(availability),
            Self::Booked(Ok(booking)) => booking::stored(booking),
            Self::Found(bookings) => json!({ "bookings": bookings }),
            Self::Rescheduled(Ok(booking)) => booking::moved(booking),
            Self::Rescheduled(Err(untouched)) => json!({ "moved": false, "why": untouched }),
            Self::Cancelled(Ok(booking)) => booking::cancelled(booking),
            Self::Cancelled(Err(untouched)) => json!({ "cancelled": false, "why": untouched }),
            Self::Booked(Err(refusal)) => json!({ "booked": false, "refused": refusal }),
            Self::MessageTaken => json!({ "taken": true }),
            Self::Transferring { to: None, .. } => json!({ "transferring": true }),
            Self::Transferring { to, .. } => json!({ "transferring": true, "to": to }),
            Self::NobodyAvailable { others } => json!({
                "transferring": false, "nobody_available": true, "available": others,
                "offer": if others.is_empty() { "take a message" } else { "one of `available`, or a message" },
            }),
            Self::NoSuchHuman { names } => {
                json!({ "error": "`to` names nobody", "names": names })
            }
            Self::NobodyAnswered => json!({ "answered": false, "offer": "take a message" }),
            Self::NobodyToTransferTo => json!({ "transferring": false, "offer": "take a message" }),
            Self::Answered { answer, .. } => json!({ "answer": bounded(answer) }),
            Self::NoSuchThing { answer, .. } => {
                json!({ "found": false, "answer": bounded(answer) })
            }
            Self::NoAnswer(why) => json!({
                "error": why, "offer": "say that you cannot look it up now, and take a message",
            }),
            Self::Passages(found) if found.is_empty() => {
                json!({ "passages": [], "why": "nothing in the documents has these words" })
            }
            Self::Passages(found) => json!({ "passages": looked_up::told(found) }),
            Self::Ending => json!({ "ending": true }),
            Self::Failed => {
                json!({ "error": "not possible now; apologise and offer to take a message" })
            }
        };
        value.to_string()
    }

    /// The result as the transcript keeps it: of passages, where they stand.
    pub fn noted(&self) -> String {
        match self {
            Self::Passages(found) => json!({ "passages": looked_up::places(found) }).to_string(),
            other => other.to_json(),
        }
    }

    /// Whether the tool did not do what was asked.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Failed | Self::NoSuchHuman { .. } | Self::NoAnswer(_))
    }
}

/// The longest answer of the client's that models read and transcripts keep, in bytes.
const LONGEST_ANSWER: usize = 6_000;

/// An answer, or the beginning of a long one as text.
fn bounded(answer: &Value) -> Cow<'_, Value> {
    let text = answer.to_string();
    if text.len() <= LONGEST_ANSWER {
        return Cow::Borrowed(answer);
    }
    let end = (0..=LONGEST_ANSWER).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    Cow::Owned(Value::String(format!("{}…", &text[..end])))
}

fn clean_name(name: &str) -> Option<String> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let name = cut(&name, LONGEST_NAME);
    (!name.is_empty()).then_some(name)
}

/// As much of a text as is taken, without spaces around it.
fn cut(text: &str, most: usize) -> String {
    let text: String = text.trim().chars().take(most).collect();
    text.trim_end().to_owned()
}

#[derive(Deserialize)]
struct MessageArguments {
    name: Option<String>,
    text: String,
}

#[derive(Deserialize)]
struct SearchArguments {
    query: String,
}

#[derive(Deserialize)]
struct TransferArguments {
    reason: Option<String>,
    to: Option<String>,
}

/// Arguments of a tool: an object, strictly.
fn object(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn tool(name: &'static str, description: &str, parameters: Value) -> ToolSpec {
    ToolSpec { name: name.into(), description: description.to_owned(), parameters }
}

/// The tools an assistant has: what its file allows, and no more.
pub fn offered(spec: &AssistantSpec) -> Vec<ToolSpec> {
    let mut tools = Vec::new();
    if let Some(rules) = &spec.booking {
        tools.extend(booking::offered(rules));
    }
    tools.push(tool(
        "take_message",
        "Writes down a message for the people you work for.",
        object(
            &json!({
                "name": { "type": "string", "description": "who leaves the message" },
                "text": { "type": "string", "description": "the message, in the caller's words" },
            }),
            &["text"],
        ),
    ));
    tools.extend(super::handing_over::tool(&spec.transfer));
    tools.extend(spec.tools.iter().map(|tool| ToolSpec {
        name: tool.name.clone().into(),
        description: tool.description.trim().to_owned(),
        parameters: tool.arguments.to_value(),
    }));
    if !spec.knowledge.is_empty() {
        tools.push(tool(
            looked_up::TOOL,
            "Looks something up in the documents of the people you work for. What was found for the \
             caller's own words stands beside them already: use it with other words only.",
            object(
                &json!({
                    "query": { "type": "string", "description": "a few words that the answer probably holds, in the language of the documents" },
                }),
                &["query"],
            ),
        ));
    }
    let parting = if spec.after.asks() {
        "Ends the call after your words are spoken. Do not say goodbye: it is said for you."
    } else {
        "Hangs up after your words are spoken. Say goodbye in the same answer."
    };
    tools.push(tool("end_call", parting, object(&json!({}), &[])));
    tools
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_judged_not_trusted() {
        let read = |name: &str, arguments: &str| ToolRequest::read(name, arguments, &spec());
        let booked =
            read("book", r#"{"party":4,"date":"2026-11-23","time":"20:00","name":" Dupont \n"}"#);
        let Ok(ToolRequest::Book(request)) = booked else { panic!("{booked:?}") };
        assert_eq!(request.name.as_deref(), Some("Dupont"));
        assert_eq!(request.at.to_string(), "2026-11-23T20:00:00");
        for (name, arguments, part) in [
            ("book", r#"{"party":4,"date":"2026-11-23","time":"20:00"}"#, "`name` is missing"),
            ("book", r#"{"party":4,"date":"demain","time":"20:00","name":"A"}"#, "`date` must"),
            (
                "book",
                r#"{"party":-4,"date":"2026-11-23","time":"20:00","name":"A"}"#,
                "wrong arguments",
            ),
            ("book", "not json", "wrong arguments"),
            ("take_message", r#"{"text":"  "}"#, "`text` is empty"),
            ("order_status", r#"{"number":"48"}"#, "wrong arguments: `number`: "),
            ("order_status", "[]", "wrong arguments"),
            ("format_disk", "{}", "there is no tool"),
        ] {
            let error = read(name, arguments).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(read("end_call", ""), Ok(ToolRequest::EndCall));
        let asked = read("order_status", r#"{"number":"48213"}"#).unwrap();
        assert_eq!(
            (asked.name(), asked.arguments().as_str()),
            ("order_status", r#"{"number":"48213"}"#)
        );
    }

    fn spec() -> AssistantSpec {
        serde_json::from_str(
            r#"{"name":"a","client":"A","phone":"+33123456789","context":"","tools":[{
                "name":"order_status","description":"Where an order is.",
                "url":"https://a.example/{number}","arguments":{"required":["number"],
                "properties":{"number":{"type":"string","pattern":"^[0-9]{5}$"}}}}]}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_long_answer_is_cut_between_letters() {
        let result = ToolResult::Answered { answer: json!(vec!["é"; 9_000]), said: None };
        let json: Value = serde_json::from_str(&result.to_json()).unwrap();
        assert!(json["answer"].as_str().unwrap().len() <= LONGEST_ANSWER + 3);
    }

    #[test]
    fn an_assistant_is_offered_what_its_file_allows() {
        let names = |json: &str| {
            let spec: AssistantSpec = serde_json::from_str(json).unwrap();
            offered(&spec).into_iter().map(|tool| tool.name.into_owned()).collect::<Vec<_>>()
        };
        let base = r#"{"name":"a","client":"A","phone":"+33123456789","context":"""#;
        assert_eq!(names(&format!("{base}}}")), ["take_message", "end_call"]);
        assert_eq!(
            names(&format!(r#"{base},"booking":{{}},"transfer":{{"number":"+33612345678"}}}}"#)),
            [
                "check_availability",
                "book",
                "find_bookings",
                "reschedule",
                "cancel",
                "take_message",
                "transfer",
                "end_call"
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_arguments_panic(name in "[a-z_]{0,20}", arguments in ".{0,200}") {
            let _ = ToolRequest::read(&name, &arguments, &spec());
        }
    }
}
