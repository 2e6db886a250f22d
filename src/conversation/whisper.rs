//! What a human hears before taking a call: who calls, and what for, in a sentence or two. By rule, from
//! the call alone. Pure.

use super::{
    concierge,
    phrases::{self, fill},
};
use crate::domain::{AssistantSpec, Call, Heard, LanguageTag, PhoneNumber, Turn};

/// A reason longer than this is no summary.
const LONGEST_REASON: usize = 200;

/// The summary of a call, in the assistant's language, which is the human's.
pub fn summary(spec: &AssistantSpec, call: &Call, history: &[Turn]) -> String {
    let words = &phrases::for_language(&spec.voice.language).handover;
    let caller = caller(spec, call, history);
    let caller = caller.as_deref().unwrap_or(&words.withheld);
    let who = fill(&words.whisper, &[("client", &spec.client), ("caller", caller)]);
    match reason(history) {
        Some(reason) => format!("{who} {}", fill(&words.reason, &[("reason", &reason)])),
        None => who,
    }
}

/// What the human is asked to press.
pub fn keys(language: &LanguageTag) -> &'static str {
    &phrases::for_language(language).handover.keys
}

/// Name and number, as far as they are known.
fn caller(spec: &AssistantSpec, call: &Call, history: &[Turn]) -> Option<String> {
    let number = call.caller.as_deref().and_then(PhoneNumber::from_e164);
    let number = number.map(|number| number.as_said(&spec.phone));
    let parts: Vec<String> = name(history).into_iter().chain(number).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// The name that a tool was given, or that the concierge understood.
fn name(history: &[Turn]) -> Option<String> {
    let argument = |turn: &Turn| {
        turn.tools.iter().rev().find_map(|tool| {
            let arguments: serde_json::Value = serde_json::from_str(&tool.arguments).ok()?;
            Some(arguments.get("name")?.as_str()?.trim().to_owned()).filter(|name| !name.is_empty())
        })
    };
    let understood = |turn: &Turn| {
        let state: concierge::State = serde_json::from_str(turn.state.as_deref()?).ok()?;
        state.name()
    };
    history.iter().rev().find_map(|turn| argument(turn).or_else(|| understood(turn)))
}

/// Why the call was handed over, as its tool was told; else what the caller said last.
fn reason(history: &[Turn]) -> Option<String> {
    let given = history.iter().rev().find_map(|turn| {
        turn.tools.iter().rev().filter(|tool| tool.tool == "transfer").find_map(|tool| {
            let arguments: serde_json::Value = serde_json::from_str(&tool.arguments).ok()?;
            Some(arguments.get("reason")?.as_str()?.to_owned())
        })
    });
    let said = || {
        history.iter().rev().find_map(|turn| match &turn.heard {
            Some(Heard::Speech { text, .. }) => Some(text.clone()),
            _ => None,
        })
    };
    let reason = given.filter(|reason| !reason.trim().is_empty()).or_else(said)?;
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = reason.chars().take(LONGEST_REASON).collect();
    let short = short.trim_end_matches([',', ';', ':', ' ']);
    if short.is_empty() {
        return None;
    }
    let ends = short.ends_with(['.', '!', '?', '…']);
    Some(if ends { short.to_owned() } else { format!("{short}.") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallId, CallStatus, Next, TokenUsage, ToolUse, TurnTimings, VoiceLine};

    fn turn(heard: &str, tools: &[(&str, &str)]) -> Turn {
        Turn {
            call: CallId(1),
            number: 1,
            heard: Some(Heard::words(heard)),
            heard_at: jiff::Timestamp::UNIX_EPOCH,
            said: Some(String::new()),
            unheard: None,
            language: LanguageTag::french(),
            next: Some(Next::Listen),
            engine: None,
            attempts: Vec::new(),
            tools: tools
                .iter()
                .map(|(tool, arguments)| ToolUse {
                    tool: (*tool).to_owned(),
                    arguments: (*arguments).to_owned(),
                    result: String::new(),
                })
                .collect(),
            state: None,
            timings: TurnTimings::default(),
            usage: TokenUsage::default(),
            fillers: 0,
            ear: None,
            mouth: None,
            twiml: None,
        }
    }

    fn told(language: &str, caller: Option<&str>, history: &[Turn]) -> String {
        let spec: AssistantSpec = serde_json::from_value(serde_json::json!({
            "name": "a", "client": "Cabinet Martin", "phone": "+33123456789", "context": "",
            "voice": { "language": language },
        }))
        .unwrap();
        let call = Call {
            direction: crate::domain::Direction::Inbound,
            answered_by: None,
            id: CallId(1),
            sid: "CA00000000000000000000000000000001".parse().unwrap(),
            assistant_id: crate::domain::AssistantId(1),
            assistant: spec.name.clone(),
            assistant_revision: 1,
            disclosed_at: None,
            recording_consent: None,
            caller: caller.map(str::to_owned),
            to_number: spec.phone.to_string(),
            status: CallStatus::InProgress,
            line: VoiceLine::Gather,
            language: LanguageTag::french(),
            started_at: jiff::Timestamp::UNIX_EPOCH,
            ended_at: None,
            duration_s: None,
            satisfaction: None,
            cost: None,
            end_reason: None,
            after: crate::domain::After::default(),
        };
        summary(&spec, &call, history)
    }

    #[test]
    fn who_calls_and_what_for() {
        let asked = turn(
            "C'est une urgence, mon mari est tombé",
            &[("transfer", r#"{"reason":"son mari est tombé"}"#)],
        );
        assert_eq!(
            told("fr-FR", Some("+33612345678"), std::slice::from_ref(&asked)),
            "Appel pour Cabinet Martin, de la part de 06 12 34 56 78. Motif : son mari est tombé."
        );
        let booked = turn("Moreau", &[("book", r#"{"name":"Moreau"}"#)]);
        let said = turn("Je veux parler à quelqu'un !", &[("transfer", r#"{"reason":""}"#)]);
        assert_eq!(
            told("fr-FR", None, &[booked, said]),
            "Appel pour Cabinet Martin, de la part de Moreau. Motif : Je veux parler à quelqu'un !"
        );
        assert_eq!(told("en-GB", None, &[]), "A call for Cabinet Martin, from a withheld number.");
        let long = turn(&"mot ".repeat(300), &[]);
        assert!(told("fr-FR", None, &[long]).chars().count() < 300);
    }
}
