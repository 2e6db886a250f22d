//! Things that are looked up in the client's own system, in five languages.

use super::*;

const TOOL: &str = r#"[{"name":"order_status","description":"Where an order is.","url":"https://a.example/{number}",
    "arguments":{"required":["number"],"properties":{"number":{"type":"string","pattern":"^[0-9]{5}$"}}},
    "about":["ma commande","my order","mi pedido","meine bestellung","il mio ordine"],
    "ask":{"number":{"fr":"Quel est son numéro ?","en":"What is its number?","es":"¿Cuál es su número?","de":"Welche Nummer hat sie?","it":"Qual è il suo numero?"}},
    "say":"."}]"#;

fn shop(language: &str) -> Call {
    let mut call = Call::new(language);
    call.spec.booking = None;
    call.spec.tools = serde_json::from_str(TOOL).unwrap();
    call.spec.check().unwrap();
    call
}

#[test]
fn a_number_is_understood_as_it_is_said() {
    for (language, asks, question, said) in [
        ("fr", "Où est ma commande ?", "Quel est son numéro ?", "quarante-huit deux cent treize"),
        ("fr", "ma commande", "numéro", "C'est le 48 213"),
        ("fr", "ma commande", "numéro", "4 8 2 1 3, je crois"),
        ("en", "Where is my order?", "What is its number?", "four eight two one three"),
        ("en", "my order", "number", "it's forty-eight two thirteen"),
        ("es", "¿Dónde está mi pedido?", "¿Cuál es su número?", "cuatro ocho dos uno tres"),
        ("de", "Wo ist meine Bestellung?", "Welche Nummer", "vier acht zwei eins drei"),
        ("it", "Dov'è il mio ordine?", "Qual è il suo numero?", "quattro otto due uno tre"),
    ] {
        let mut call = shop(language);
        call.plays(&[(asks, question), (said, "48213 en route")]);
    }
}

#[test]
fn whoever_has_no_number_may_leave_a_message() {
    let mut call = shop("fr");
    call.plays(&[
        ("Et ma commande ?", "Quel est son numéro"),
        ("il y a un parking ?", "un parking derrière le restaurant. Quel est son numéro"),
        ("non, je ne l'ai pas", "Voulez-vous laisser un message"),
        ("oui", "Je vous écoute"),
        ("Dupont, ma commande n'est pas arrivée", "transmet"),
    ]);
    assert_eq!(call.messages, ["Dupont, ma commande n'est pas arrivée"]);
    let mut call = shop("fr");
    call.plays(&[
        ("ma commande 11111", "Je ne trouve rien à ce sujet. Quel est son numéro"),
        ("22222", "Je ne trouve rien à ce sujet. Voulez-vous laisser un message"),
        ("non merci", "autre chose"),
    ]);
    let mut call = shop("fr");
    call.plays(&[
        ("ma commande", "Quel est son numéro"),
        ("euh", "Quel est son numéro"),
        ("attendez", "Quel est son numéro"),
        ("je cherche", "Voulez-vous laisser un message"),
    ]);
}

#[test]
fn the_question_goes_over_into_another_language() {
    let mut call = shop("fr");
    call.plays(&[("ma commande", "Quel est son numéro")]);
    call.language = "en".parse().unwrap();
    let (_, effect) = step(
        &Scene {
            spec: &call.spec,
            language: &call.language,
            now: &call.now,
            caller: None,
            known: None,
            found: &[],
        },
        call.state.clone(),
        Event::AnotherLanguage,
    );
    let Effect::Say { text, .. } = effect else { panic!("{effect:?}") };
    assert!(text.contains("What is its number?"), "{text}");
}

proptest! {
    #[test]
    fn no_utterance_is_taken_for_a_number_that_it_is_not(text in "\\PC{0,80}") {
        let mut call = shop("fr");
        call.say("ma commande");
        call.say(&text);
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let looked_up = call.looked_up.iter().all(|number| number.len() == 5);
        prop_assert!(looked_up);
        let has_words = text.chars().any(char::is_alphabetic);
        prop_assert!(has_words || digits >= 5 || call.looked_up.is_empty());
    }
}
