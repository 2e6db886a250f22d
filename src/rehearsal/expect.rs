//! Whether what happened is what was expected. Pure: words in, words about what is missing out.

use serde_json::Value;

use super::{
    State,
    wanted::{Booked, Expect, Said, Satisfied, Wanted},
};
use crate::domain::{Booking, LanguageTag, ToolUse};

/// What happened, in a turn or in a whole call.
#[derive(Debug)]
pub(super) struct Happened<'a> {
    pub(super) reply: &'a str,
    pub(super) language: Option<&'a LanguageTag>,
    pub(super) tools: Vec<&'a ToolUse>,
    pub(super) bookings: &'a [Booking],
    /// Bookings from before the call that are no longer as they were.
    pub(super) touched: &'a [Booking],
    pub(super) messages: Vec<&'a str>,
    pub(super) whispers: Vec<&'a str>,
    pub(super) satisfaction: Option<u8>,
    pub(super) state: &'a State,
    pub(super) own_ms: u32,
}

/// Case and the two apostrophes make no difference to a listener.
fn folded(text: &str) -> String {
    text.to_lowercase().replace('’', "'").replace('\u{a0}', " ")
}

/// Everything that is not as expected, in words.
pub(super) fn failures(expect: &Expect, happened: &Happened<'_>) -> Vec<String> {
    let mut failures = Vec::new();
    let reply = folded(happened.reply);
    for text in &expect.contains.0 {
        if !reply.contains(&folded(text)) {
            failures.push(format!("the reply does not contain `{text}`"));
        }
    }
    for text in &expect.not_contains.0 {
        if reply.contains(&folded(text)) {
            failures.push(format!("the reply contains `{text}`"));
        }
    }
    for pattern in &expect.matches.0 {
        if !pattern.is_match(happened.reply) {
            failures.push(format!("the reply does not match `{pattern}`"));
        }
    }
    if let Some(wanted) = &expect.language {
        let spoken = happened.language.map(LanguageTag::as_str).unwrap_or_default();
        let primary = happened.language.map(LanguageTag::primary).unwrap_or_default();
        if !spoken.eq_ignore_ascii_case(wanted) && !primary.eq_ignore_ascii_case(wanted) {
            failures.push(format!("the language is `{spoken}`, not `{wanted}`"));
        }
    }
    tools(expect, happened, &mut failures);
    let stands = happened.bookings.iter().filter(|one| one.cancelled_at.is_none());
    booked("booked", expect.booked.as_ref(), stands, &mut failures);
    let (cancelled, changed): (Vec<&Booking>, Vec<&Booking>) =
        happened.touched.iter().partition(|one| one.cancelled_at.is_some());
    booked("changed", expect.changed.as_ref(), changed.into_iter(), &mut failures);
    booked("cancelled", expect.cancelled.as_ref(), cancelled.into_iter(), &mut failures);
    message(expect.message.as_ref(), &happened.messages, &mut failures);
    for text in &expect.whisper.0 {
        if !happened.whispers.iter().any(|told| folded(told).contains(&folded(text))) {
            let told = happened.whispers.join("; ");
            let told = if told.is_empty() { "nobody was told anything" } else { &told };
            failures.push(format!("no human was told `{text}` ({told})"));
        }
    }
    satisfied(expect.satisfaction.as_ref(), happened.satisfaction, &mut failures);
    ending(expect, happened.state, &mut failures);
    if let Some(most) = expect.within_ms
        && happened.own_ms > most
    {
        failures.push(format!("it took {} ms of our own time, not {most}", happened.own_ms));
    }
    failures
}

fn tools(expect: &Expect, happened: &Happened<'_>, failures: &mut Vec<String>) {
    for wanted in &expect.tool.0 {
        let calls: Vec<Value> = happened
            .tools
            .iter()
            .filter(|used| used.tool == wanted.name)
            .map(|used| serde_json::from_str(&used.arguments).unwrap_or_default())
            .collect();
        if calls.is_empty() {
            let used: Vec<&str> = happened.tools.iter().map(|used| used.tool.as_str()).collect();
            let used = if used.is_empty() { "none".to_owned() } else { used.join(", ") };
            failures.push(format!("the tool `{}` was not called ({used} was)", wanted.name));
        } else if !calls.iter().any(|call| includes(call, &wanted.arguments)) {
            let with: Vec<String> = calls.iter().map(Value::to_string).collect();
            let arguments = Value::Object(wanted.arguments.clone());
            failures.push(format!(
                "the tool `{}` was called with {}, not with {arguments}",
                wanted.name,
                with.join(" and ")
            ));
        }
    }
}

fn includes(call: &Value, wanted: &serde_json::Map<String, Value>) -> bool {
    wanted.iter().all(|(key, value)| match (call.get(key), value) {
        (Some(Value::String(had)), Value::String(wanted)) => folded(had) == folded(wanted),
        (had, wanted) => had == Some(wanted),
    })
}

/// What became of bookings, in a word of the expectation: `booked`, `changed`, `cancelled`.
fn booked<'a>(
    word: &str,
    expect: Option<&Booked>,
    bookings: impl Iterator<Item = &'a Booking>,
    failures: &mut Vec<String>,
) {
    let bookings: Vec<&Booking> = bookings.collect();
    let told = || {
        let told: Vec<String> = bookings
            .iter()
            .map(|one| {
                let nights = one.nights.map(|nights| format!("{nights} nights"));
                let parts = [
                    Some(format!("{} people", one.party)),
                    Some(one.at.strftime("%F %R").to_string()),
                    Some(one.name.clone()),
                    one.service.clone(),
                    one.resource.clone(),
                    nights,
                ];
                parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
            })
            .collect();
        if told.is_empty() { "nothing".to_owned() } else { told.join("; ") }
    };
    let same = |wanted: &Option<String>, had: &Option<String>| {
        wanted
            .as_ref()
            .is_none_or(|wanted| had.as_ref().is_some_and(|had| folded(wanted) == folded(had)))
    };
    let fits = |wanted: &Wanted, booking: &Booking| {
        wanted.party.is_none_or(|party| party == booking.party)
            && wanted.at.is_none_or(|at| at == booking.at)
            && same(&wanted.name, &Some(booking.name.clone()))
            && same(&wanted.service, &booking.service)
            && same(&wanted.resource, &booking.resource)
            && wanted.nights.is_none_or(|nights| booking.nights == Some(nights))
    };
    match expect {
        Some(Booked::Any(true)) if bookings.is_empty() => {
            failures.push(format!("nothing was {word}"));
        }
        Some(Booked::Any(false)) if !bookings.is_empty() => {
            failures.push(format!("{word}: {}", told()));
        }
        Some(Booked::This(wanted)) if !bookings.iter().any(|one| fits(wanted, one)) => {
            let parts = [
                wanted.party.map(|party| format!("{party} people")),
                wanted.at.map(|at| at.strftime("%F %R").to_string()),
                wanted.name.clone(),
                wanted.service.clone(),
                wanted.resource.clone(),
                wanted.nights.map(|nights| format!("{nights} nights")),
            ];
            let wanted: Vec<String> = parts.into_iter().flatten().collect();
            failures.push(format!("{word}: {}, not {}", told(), wanted.join(", ")));
        }
        _ => {}
    }
}

fn message(expect: Option<&Said>, messages: &[&str], failures: &mut Vec<String>) {
    match expect {
        Some(Said::Any(true)) if messages.is_empty() => {
            failures.push("no message was taken".to_owned());
        }
        Some(Said::Any(false)) if !messages.is_empty() => {
            failures.push(format!("a message was taken: {}", messages.join("; ")));
        }
        Some(Said::This(text))
            if !messages.iter().any(|message| folded(message).contains(&folded(text))) =>
        {
            let taken = if messages.is_empty() { "none" } else { &messages.join("; ") };
            failures.push(format!("no message contains `{text}` (taken: {taken})"));
        }
        _ => {}
    }
}

fn satisfied(expect: Option<&Satisfied>, score: Option<u8>, failures: &mut Vec<String>) {
    let told = score.map_or_else(|| "none".to_owned(), |score| score.to_string());
    match (expect, score) {
        (Some(Satisfied::Any(true)), None) => {
            failures.push("the caller gave no score".to_owned());
        }
        (Some(Satisfied::Any(false)), Some(score)) => {
            failures.push(format!("the caller gave the score {score}"));
        }
        (Some(Satisfied::This(wanted)), score) if score != Some(*wanted) => {
            failures.push(format!("the score is {told}, not {wanted}"));
        }
        _ => {}
    }
}

fn ending(expect: &Expect, state: &State, failures: &mut Vec<String>) {
    match (&expect.transferred, state) {
        (Some(Said::Any(true) | Said::This(_)), State::Listening | State::HungUp) => {
            failures.push("the call was not transferred".to_owned());
        }
        (Some(Said::Any(false)), State::Transferred(number)) => {
            failures.push(format!("the call was transferred to {number}"));
        }
        (Some(Said::This(wanted)), State::Transferred(number))
            if wanted.parse().ok().as_ref() != Some(number) =>
        {
            failures.push(format!("the call was transferred to {number}, not to {wanted}"));
        }
        _ => {}
    }
    match (expect.hung_up, *state == State::HungUp) {
        (Some(true), false) => failures.push("the assistant did not hang up".to_owned()),
        (Some(false), true) => failures.push("the assistant hung up".to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expect: &str, reply: &str, state: &State) -> Vec<String> {
        let expect: Expect = toml::from_str(expect).unwrap();
        let tool = ToolUse {
            tool: "check_availability".to_owned(),
            arguments: r#"{"party":4,"date":"2026-11-24"}"#.to_owned(),
            result: String::new(),
        };
        let french = LanguageTag::french();
        let happened = Happened {
            reply,
            language: Some(&french),
            tools: vec![&tool],
            bookings: &[],
            touched: &[],
            messages: vec!["Rappelez-moi pour la commande 12"],
            whispers: vec!["Appel de 06 12 34 56 78."],
            satisfaction: Some(4),
            state,
            own_ms: 20,
        };
        failures(&expect, &happened)
    }

    #[test]
    fn what_is_as_expected_says_nothing() {
        for expect in [
            "contains = [\"L'HEURE\", \"heure\"]",
            "not_contains = \"minuit\"",
            "matches = \"quelle (heure|date)|^l.heure\"",
            "language = \"fr\"",
            "language = \"fr-FR\"",
            "tool = \"check_availability\"",
            "tool = [{ name = \"check_availability\", arguments = { party = 4 } }]",
            "booked = false",
            "message = \"commande\"",
            "whisper = \"appel de 06\"",
            "satisfaction = 4",
            "satisfaction = true",
            "hung_up = false",
            "transferred = false",
            "within_ms = 20",
        ] {
            let failures = check(expect, "L’heure vous convient-elle ?", &State::Listening);
            assert!(failures.is_empty(), "{expect}: {failures:?}");
        }
        let state = State::Transferred("+33123456789".parse().unwrap());
        assert!(check("transferred = \"01 23 45 67 89\"", "", &state).is_empty());
    }

    #[test]
    fn what_is_not_is_told() {
        for (expect, part) in [
            ("contains = \"midi\"", "does not contain `midi`"),
            ("not_contains = \"heure\"", "contains `heure`"),
            ("matches = \"^x\"", "does not match"),
            ("language = \"en\"", "is `fr-FR`, not `en`"),
            ("tool = \"book\"", "`book` was not called (check_availability was)"),
            (
                "tool = { name = \"check_availability\", arguments = { party = 5 } }",
                "not with {\"party\":5}",
            ),
            ("booked = { party = 4, name = \"Dupont\" }", "booked: nothing, not 4 people, Dupont"),
            ("booked = true", "nothing was booked"),
            ("message = false", "a message was taken"),
            ("message = \"facture\"", "no message contains `facture`"),
            ("whisper = \"urgence\"", "no human was told `urgence`"),
            ("satisfaction = 5", "the score is 4, not 5"),
            ("satisfaction = false", "the caller gave the score 4"),
            ("hung_up = true", "did not hang up"),
            ("transferred = true", "was not transferred"),
            ("within_ms = 19", "it took 20 ms"),
        ] {
            let failures = check(expect, "Quelle heure ?", &State::Listening);
            assert!(failures.len() == 1 && failures[0].contains(part), "{expect}: {failures:?}");
        }
    }
}
