//! A caller who is known from before, in every language the concierge speaks.

use super::*;
use crate::domain::{CallOutcome, PastCall};

fn known(language: &str, name: Option<&str>) -> Call {
    let past =
        PastCall { at: jiff::Timestamp::UNIX_EPOCH, outcome: CallOutcome::Booked, summary: None };
    let name = name.map(str::to_owned);
    let known = Recollection { name, notes: None, calls: vec![past] };
    Call { known: Some(known), ..Call::new(language) }
}

#[test]
fn a_yes_takes_the_name_of_before_and_a_no_asks_for_another() {
    for (language, wish, yes, no, name, welcome) in [
        ("fr-FR", "une table pour deux demain à 20h", "oui", "non", "Durand", "Ravi de vous"),
        ("en-GB", "a table for two tomorrow at 8 pm", "yes", "no", "Smith", "good to hear from"),
        ("es-ES", "una mesa para dos mañana a las 20:00", "sí", "no", "García", "volver a oírle"),
        ("de-DE", "ein Tisch für zwei morgen um 20 Uhr", "ja", "nein", "Müller", "wieder anrufen"),
        ("it-IT", "un tavolo per due domani alle 20", "sì", "no", "Rossi", "risentirla"),
    ] {
        let mut call = known(language, Some("Dupont"));
        let asked = call.say(wish);
        assert!(asked.contains(welcome) && asked.contains("Dupont"), "{asked}");
        assert!(!asked.starts_with("Bonjour Dupont"), "a surname alone is no greeting: {asked}");
        let booked = call.say(yes);
        assert_eq!(call.booked.len(), 1, "{language}: {booked}");
        assert_eq!(call.booked[0].name.as_deref(), Some("Dupont"));
        assert!(!booked.contains(welcome), "{booked}");
        let mut call = known(language, Some("Dupont"));
        call.say(wish);
        let asked = call.say(no);
        assert!(!asked.contains("Dupont") && call.booked.is_empty(), "{language}: {asked}");
        call.say(name);
        assert_eq!(call.booked[0].name.as_deref(), Some(name), "{language}");
        // Another name at once.
        let mut call = known(language, Some("Dupont"));
        call.say(wish);
        call.say(name);
        assert_eq!(call.booked[0].name.as_deref(), Some(name), "{language}");
    }
}

#[test]
fn whoever_gives_a_name_is_not_asked_and_who_left_none_is() {
    let mut call = known("fr-FR", Some("Marie Dupont"));
    let said = call.say("une table pour deux demain à 20h au nom de Durand");
    assert!(said.starts_with("Bonjour Marie Dupont, ravi de vous retrouver."), "{said}");
    assert_eq!(call.booked[0].name.as_deref(), Some("Durand"));
    let mut call = known("fr-FR", None);
    let asked = call.say("une table pour deux demain à 20h");
    assert!(
        asked.starts_with("Ravi de vous retrouver.") && asked.contains("À quel nom"),
        "{asked}"
    );
    // Asked in the middle of it, another language asks the same.
    let mut call = known("fr-FR", Some("Dupont"));
    call.say("une table pour deux demain à 20h");
    call.language = "en-US".parse().unwrap();
    let asked = call.happens(Event::AnotherLanguage);
    assert!(asked.contains("Under the name Dupont, as last time?"), "{asked}");
}
