//! Handing a call to a human, whoever decided it: the tool, a word of the file's, a mind that is lost.

use jiff::Timestamp;
use serde_json::json;

use super::{
    concierge,
    engine::{Engine, Progress, Scene},
    last_resort::remembered,
    phrases,
    tools::{ToolRequest, ToolResult},
};
use crate::{
    domain::{
        AssistantSpec, Call, ModelRef, Next, Outcome, PhoneNumber, Reply, Transfer, Turn,
        weekday_name,
    },
    providers::llm::ToolSpec,
};

/// Whom a tool hands a call over to, as the file and the hour allow.
pub(super) fn choose(spec: &AssistantSpec, to: Option<&str>, now: Timestamp) -> ToolResult {
    let transfer = &spec.transfer;
    if !transfer.has_anyone() {
        return ToolResult::NobodyToTransferTo;
    }
    let at = now.to_zoned_datetime(spec.zone()).datetime();
    let reachable = transfer.reachable(at);
    let wanted = match to.filter(|_| !transfer.to.is_empty()) {
        None => None,
        Some(name) => {
            let Some(target) = transfer.named(name) else {
                let names = transfer.to.iter().map(|target| target.name.clone()).collect();
                return ToolResult::NoSuchHuman { names };
            };
            Some(target)
        }
    };
    let chosen = match wanted {
        Some(target) => reachable.iter().find(|human| *human.number == target.number),
        None => reachable.first(),
    };
    match chosen {
        Some(human) => ToolResult::Transferring {
            to: human.name.map(str::to_owned),
            number: human.number.clone(),
        },
        None => ToolResult::NobodyAvailable {
            others: reachable.iter().filter_map(|human| human.name).map(str::to_owned).collect(),
        },
    }
}

/// The tool as models are offered it: by the names of the file, and never by a number.
pub(super) fn tool(transfer: &Transfer) -> Option<ToolSpec> {
    if !transfer.has_anyone() {
        return None;
    }
    let names: Vec<&str> = transfer.to.iter().map(|target| target.name.as_str()).collect();
    let mut properties = json!({ "reason": {
        "type": "string",
        "description": "what the caller wants, in one short sentence: it is told to the human",
    } });
    if !names.is_empty() {
        properties["to"] = json!({
            "type": "string", "enum": names,
            "description": "whom; the first one who is there when left out",
        });
    }
    Some(ToolSpec {
        name: "transfer".into(),
        description: "Hands the call over to a human, when the caller asks for one or you cannot \
                      help. It answers whether somebody is there."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": properties,
            "required": ["reason"],
            "additionalProperties": false,
        }),
    })
}

/// What a model is told of the humans there are.
pub(super) fn instructions(text: &mut String, spec: &AssistantSpec) {
    use std::fmt::Write as _;
    let emergency = phrases::emergency(&spec.voice.language, &spec.phone);
    let _ = write!(
        text,
        "\n# Emergencies\nYou cannot call emergency services. To somebody in danger say, before \
         anything else and in the caller's language: \u{ab} {emergency} \u{bb}\n"
    );
    if spec.transfer.to.is_empty() {
        return;
    }
    text.push_str("\n# Humans\nThe tool `transfer` hands the call over to one of them:\n");
    for target in &spec.transfer.to {
        let _ = write!(text, "- {}", target.name);
        if let Some(hours) = &target.hours {
            let opening = hours.opening(crate::domain::Country::of(&target.number));
            for (day, ranges) in crate::domain::WEEKDAYS.into_iter().zip(&opening.week) {
                if !ranges.is_empty() {
                    let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
                    let _ = write!(text, "; {} {}", weekday_name(day), ranges.join(", "));
                }
            }
        }
        text.push('\n');
    }
    text.push_str("When nobody is there or nobody takes the call, offer to take a message.\n");
}

/// The words that tell a human apart: the articles that a name may begin with do not.
pub(super) fn told_apart(name: &str) -> Vec<String> {
    const ARTICLES: [&str; 16] = [
        "le", "la", "l", "les", "un", "une", "the", "el", "los", "las", "der", "die", "das", "il",
        "o", "de",
    ];
    let mut words = concierge::fold::words(name);
    while words.len() > 1 && ARTICLES.contains(&words[0].as_str()) {
        words.remove(0);
    }
    words
}

/// The humans that a caller speaks of by name: "le chef" is found in "je voudrais le chef".
pub(super) fn named_in<'s>(spec: &'s AssistantSpec, text: &str) -> Option<&'s str> {
    let said: Vec<String> = concierge::fold::words(text);
    let found = spec.transfer.to.iter().filter_map(|target| {
        let words = told_apart(&target.name);
        let is_said = !words.is_empty() && said.windows(words.len()).any(|said| *said == words[..]);
        is_said.then_some((words.len(), target.name.as_str()))
    });
    found.max_by_key(|(length, _)| *length).map(|(_, name)| name)
}

/// Whether somebody can be rung now.
pub(super) fn is_anyone_there(spec: &AssistantSpec, at: jiff::civil::DateTime) -> bool {
    !spec.transfer.reachable(at).is_empty()
}

impl Engine {
    /// Hands over at once, or offers a message where nobody is there. `first` is said before.
    pub(super) async fn hand_over(
        &self,
        scene: &Scene,
        mut progress: Progress,
        first: Option<&str>,
    ) -> Reply {
        let reason = scene.heard.text().trim().chars().take(200).collect();
        let request = ToolRequest::Transfer { reason, to: None };
        let result = self.run(scene, &request, &mut progress).await;
        let spec = &scene.assistant.spec;
        let mut reply = after_tool(spec, &scene.history, &scene.call, scene.now, &result);
        if let Some(first) = first {
            reply.text = format!("{first} {}", reply.text);
        }
        if let Some(saying) = &mut progress.saying {
            saying.say(&reply.text);
            saying.said().clone_into(&mut reply.text);
        }
        let early = progress.head_start.take().map(super::head_start::HeadStart::in_vain);
        progress.attempts.extend(early);
        Reply { attempts: progress.attempts, tools: progress.tools, ..reply }
    }

    /// Whether every model has failed twice in this call, now and before, and the file then wants a
    /// human who can be rung.
    pub(super) fn is_lost(scene: &Scene, progress: &Progress) -> bool {
        let spec = &scene.assistant.spec;
        let failed = |attempts: &[crate::domain::Attempt]| {
            let mut models = attempts.iter().filter(|attempt| attempt.model != ModelRef::BUILTIN);
            attempts.iter().any(|attempt| attempt.model != ModelRef::BUILTIN)
                && models.all(|attempt| {
                    !matches!(
                        attempt.outcome,
                        Outcome::Answered | Outcome::Interrupted | Outcome::Unused
                    )
                })
        };
        let was_handed =
            scene.history.iter().any(|turn| matches!(turn.next, Some(Next::Transfer(_))));
        spec.transfer.when_lost
            && !was_handed
            && progress.booked.is_none()
            && failed(&progress.attempts)
            && scene.history.iter().any(|turn| failed(&turn.attempts))
            && is_anyone_there(spec, scene.now.to_zoned_datetime(spec.zone()).datetime())
    }

    /// What is said when no human took the call; a message is offered.
    pub fn after_failed_transfer(
        &self,
        spec: &AssistantSpec,
        history: &[Turn],
        call: &Call,
        now: Timestamp,
    ) -> Reply {
        after_tool(spec, history, call, now, &ToolResult::NobodyAnswered)
    }
}

/// What is said after a tool that hands over. The concierge remembers it, in whatever language it is.
fn after_tool(
    spec: &AssistantSpec,
    history: &[Turn],
    call: &Call,
    now: Timestamp,
    result: &ToolResult,
) -> Reply {
    let wall = now.to_zoned_datetime(spec.zone());
    let stage = concierge::Scene {
        spec,
        language: &call.language,
        now: &wall,
        caller: call.caller.as_deref(),
        known: None,
        found: &[],
    };
    let state = remembered(&stage, history);
    let (state, _) = concierge::step(&stage, state, concierge::Event::Tool(result));
    let phrases = phrases::for_language(&call.language);
    let (text, next) = match result {
        ToolResult::Transferring { number, .. } => {
            (phrases.transferring.clone(), Next::Transfer(PhoneNumber::clone(number)))
        }
        other => {
            let lead = match other {
                ToolResult::NobodyAnswered => &phrases.handover.unanswered,
                _ => &phrases.transfer_unavailable,
            };
            (format!("{lead} {}", phrases.take_message_prompt), Next::Listen)
        }
    };
    Reply {
        text,
        language: call.language.clone(),
        next,
        engine: ModelRef::BUILTIN.to_owned(),
        attempts: Vec::new(),
        tools: Vec::new(),
        state: serde_json::to_string(&state).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> AssistantSpec {
        serde_json::from_value(serde_json::json!({
            "name": "a", "client": "A", "phone": "+33123456789", "context": "",
            "transfer": { "to": [
                { "name": "Accueil", "number": "+33612345601", "hours": { "monday": ["09:00-12:00"] } },
                { "name": "Le chef", "number": "+33612345602", "hours": { "monday": ["10:00-23:00"] } },
            ] },
        }))
        .unwrap()
    }

    /// On a Monday, in Paris.
    fn at(hour: i8) -> Timestamp {
        let at = jiff::civil::date(2026, 11, 23).at(hour, 0, 0, 0);
        at.to_zoned_datetime(jiff::tz::TimeZone::get("Europe/Paris").unwrap()).unwrap().timestamp()
    }

    #[test]
    fn a_model_chooses_a_name_and_the_hour_decides() {
        let spec = spec();
        let chosen = |to: Option<&str>, hour| match choose(&spec, to, at(hour)) {
            ToolResult::Transferring { to, number } => {
                format!("{} {}", to.unwrap(), number.as_str())
            }
            other => other.to_json(),
        };
        assert_eq!(chosen(None, 11), "Accueil +33612345601");
        assert_eq!(chosen(Some("le CHEF"), 11), "Le chef +33612345602");
        assert_eq!(chosen(None, 20), "Le chef +33612345602");
        assert!(chosen(Some("Accueil"), 20).contains(r#""available":["Le chef"]"#));
        assert!(chosen(None, 3).contains("nobody_available"));
        let unknown = choose(&spec, Some("+33899000000"), at(11));
        assert!(unknown.is_error() && unknown.to_json().contains("Accueil"), "{unknown:?}");
    }

    #[test]
    fn callers_name_them_as_they_like() {
        let spec = spec();
        for (text, name) in [
            ("Je voudrais parler au chef", Some("Le chef")),
            ("passez-moi l'accueil s'il vous plaît", Some("Accueil")),
            ("je veux parler à quelqu'un", None),
        ] {
            assert_eq!(named_in(&spec, text), name, "{text}");
        }
    }

    #[test]
    fn the_tool_names_nobody_by_number() {
        let tool = tool(&spec().transfer).unwrap();
        let parameters = tool.parameters.to_string();
        assert!(parameters.contains(r#"["Accueil","Le chef"]"#), "{parameters}");
        assert!(!parameters.contains("336123456"), "{parameters}");
        assert!(super::tool(&Transfer::default()).is_none());
    }
}
