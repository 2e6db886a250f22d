//! Whole conversations, played against the rules that the store applies.

use jiff::civil::datetime;
use proptest::prelude::*;

use super::*;
use crate::domain::{Booked, BookingRequest, Summary};
use stage::{Call, speech};

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
            name: Some("Dupont".into()),
            ..BookingRequest::default()
        }]
    );
}

fn monday(hour: i8, minute: i8) -> jiff::civil::DateTime {
    datetime(2026, 11, 23, hour, minute, 0, 0)
}

/// Plays a script that must end with one booking.
fn books(
    language: &str,
    script: &[(&str, &str)],
    party: u32,
    at: jiff::civil::DateTime,
    name: &str,
) {
    let mut call = Call::new(language);
    call.plays(script);
    let name = Some(name.to_owned());
    assert_eq!(
        call.booked,
        [BookingRequest { party, at, name, ..BookingRequest::default() }],
        "{script:?}"
    );
    assert_eq!(call.next, Next::HangUp);
}

#[test]
fn slots_come_in_any_order_and_mixture() {
    let tomorrow = |hour, minute| datetime(2026, 11, 24, hour, minute, 0, 0);
    books(
        "fr-FR",
        &[("pour quatre demain soir à huit heures et demie au nom de Dupont", "20 heures 30")],
        4,
        tomorrow(20, 30),
        "Dupont",
    );
    books(
        "fr",
        &[
            ("Je voudrais réserver une table", "Pour quel jour"),
            ("demain à midi et demi", "combien"),
            ("on sera six", "À quel nom"),
            ("c'est Marie Curie", "12 heures 30"),
        ],
        6,
        tomorrow(12, 30),
        "Marie Curie",
    );
    books(
        "en-US",
        &[
            ("Hi, I'd like a table for 2 on Friday at 7:30 pm", "What name"),
            ("my name is Smith", "Friday, November 27th at 7:30 pm"),
        ],
        2,
        datetime(2026, 11, 27, 19, 30, 0, 0),
        "Smith",
    );
    books(
        "en-GB",
        &[
            ("a table for four tomorrow at eight", "Tuesday, November 24th at 8 pm"),
            ("Jones", "under the name Jones"),
        ],
        4,
        tomorrow(20, 0),
        "Jones",
    );
}

#[test]
fn people_are_no_hours_and_an_open_day_asked_about_is_meant() {
    books(
        "fr",
        &[
            ("une table pour samedi soir", "À quelle heure"),
            ("nous serons quatre", "À quelle heure"),
            ("vers huit heures", "À quel nom"),
            ("au nom de Lefèvre", "samedi 28 novembre à 20 heures"),
        ],
        4,
        datetime(2026, 11, 28, 20, 0, 0, 0),
        "Lefèvre",
    );
    books(
        "fr",
        &[
            ("vous êtes ouverts ce soir ?", "nous sommes ouverts"),
            ("alors une table pour deux à 20h", "À quel nom"),
            ("Dupont", "C'est réservé"),
        ],
        2,
        monday(20, 0),
        "Dupont",
    );
}

#[test]
fn corrections_count_until_it_is_booked() {
    books(
        "fr",
        &[
            ("une table pour 4 ce soir à 20h", "À quel nom"),
            ("non, plutôt 21h", "21 heures"),
            ("finalement on sera cinq", "5 personnes"),
            ("Dupont", "5 personnes"),
        ],
        5,
        monday(21, 0),
        "Dupont",
    );
    books(
        "en",
        &[
            ("a table for two tonight at 8 pm", "What name"),
            ("actually make it 9pm", "9 pm"),
            ("Smith", "9 pm"),
        ],
        2,
        monday(21, 0),
        "Smith",
    );
}

#[test]
fn too_many_may_become_fewer_and_a_no_gives_the_booking_up() {
    let mut call = Call::new("fr-FR");
    let refused = call.say("une table pour douze personnes samedi soir");
    assert!(refused.contains("8 personnes au plus"), "{refused}");
    let asked = call.say("bon alors huit");
    assert!(asked.contains("heure"), "{asked}");
    assert!(call.say("21 heures").contains("8 personnes"));
    let given_up = call.say("non merci");
    assert!(!given_up.contains("compris") && call.booked.is_empty(), "{given_up}");
    call.say("non, au revoir");
    assert_eq!(call.next, Next::HangUp);
}

#[test]
fn a_closed_day_is_refused_and_the_next_service_is_offered() {
    books(
        "fr",
        &[
            ("Je voudrais une table pour deux dimanche soir à 20h", "fermés dimanche 29 novembre"),
            ("oui, très bien", "À quel nom"),
            ("Martin", "lundi 30 novembre à 19 heures"),
        ],
        2,
        datetime(2026, 11, 30, 19, 0, 0, 0),
        "Martin",
    );
    books(
        "en",
        &[
            ("a table for two on Sunday", "closed on Sunday, November 29th"),
            ("no, Saturday then", "At what time"),
            ("eight", "What name"),
            ("Smith", "Saturday, November 28th at 8 pm"),
        ],
        2,
        datetime(2026, 11, 28, 20, 0, 0, 0),
        "Smith",
    );
}

#[test]
fn every_refusal_is_said_with_what_is_possible() {
    let mut call = Call::new("fr");
    call.plays(&[
        ("une table pour 12 demain à 20h", "8 personnes au plus"),
        ("non, on sera 8", "une table est libre mardi 24 novembre à 20 heures"),
    ]);
    let mut call = Call::new("fr");
    call.plays(&[
        ("une table pour 1 demain à 20h", "à partir de 2 personnes"),
        ("deux", "À quel nom"),
    ]);
    let mut call = Call::new("fr");
    call.plays(&[
        ("pour 4 demain à 16h", "pas ouverts mardi 24 novembre à 16 heures"),
        ("d'accord", "une table est libre mardi 24 novembre à 19 heures"),
    ]);
    let mut call = Call::new("fr");
    call.plays(&[
        ("pour 4 ce soir à 22h30", "jusqu'à 22 heures"),
        ("oui", "libre lundi 23 novembre à 22 heures"),
    ]);
    let mut call = Call::new("fr");
    call.plays(&[("pour 4 aujourd'hui à midi", "déjà passé"), ("demain à midi", "À quel nom")]);
    let mut call = Call::new("fr");
    call.plays(&[("pour 4 le 7 juin à 20h", "90 jours"), ("ce soir à 20h", "À quel nom")]);
    assert!(call.booked.is_empty());
}

#[test]
fn a_full_room_offers_other_times() {
    let mut call = Call::new("fr");
    call.taken = vec![Booked {
        starts_at: "2026-11-23T19:00:00+01:00".parse().unwrap(),
        resource: None,
        whole: false,
        free_at: "2026-11-23T21:00:00+01:00".parse().unwrap(),
        party: 38,
    }];
    call.plays(&[
        ("pour 4 ce soir à 20h", "complets"),
        ("21h15", "À quel nom"),
        ("Dupont", "21 heures 15"),
    ]);
    assert_eq!(call.booked[0].at, monday(21, 15));
}

#[test]
fn a_question_in_the_middle_loses_no_slot() {
    books(
        "fr",
        &[
            ("une table pour 4 ce soir", "À quelle heure"),
            (
                "vous êtes ouverts dimanche ?",
                "fermés. Nous ouvrons lundi 30 novembre à midi. À quelle heure",
            ),
            ("est-ce qu'il y a un parking ?", "derrière le restaurant. À quelle heure"),
            ("20 heures", "À quel nom"),
            ("vous avez un parking ?", "derrière le restaurant. À quel nom"),
            ("Dupont", "lundi 23 novembre à 20 heures"),
        ],
        4,
        monday(20, 0),
        "Dupont",
    );
}

#[test]
fn opening_hours_are_told() {
    let mut call = Call::new("fr");
    call.plays(&[
        ("Bonjour", "Que puis-je faire"),
        (
            "quels sont vos horaires ?",
            "du lundi au samedi, de midi à 14 heures et de 19 heures à 23 heures",
        ),
        ("merci, c'est tout", "au revoir"),
    ]);
    assert_eq!(call.next, Next::HangUp);
    assert!(!call.state.booking);
    let mut call = Call::new("en");
    call.plays(&[
        ("are you open tonight?", "On Monday, November 23rd, we are open from noon to 2 pm"),
        ("no thanks", "goodbye"),
    ]);
    assert_eq!(call.next, Next::HangUp);
}

#[test]
fn humans_are_asked_for_by_name() {
    let paul = |language: &str| {
        let mut call = Call::new(language);
        let to = r#"[{ "name": "Accueil", "number": "+33612345601" },
                     { "name": "Marie Dupont", "number": "+33612345603" },
                     { "name": "Paul", "number": "+33612345602" }]"#;
        call.spec.transfer.to = serde_json::from_str(to).unwrap();
        call
    };
    for (language, said) in [
        ("fr", "bonjour je voudrais parler à Paul"),
        ("fr", "je cherche à joindre Paul s'il vous plaît"),
        ("en", "hi, could I speak to Paul please"),
        ("en", "I'm trying to reach Paul"),
        ("de", "ich möchte Paul sprechen"),
        ("es", "quiero localizar a Paul"),
        ("it", "vorrei contattare Paul"),
        ("fr", "pourrais-je avoir Paul au téléphone"),
        ("fr", "est-ce que Paul est là ?"),
        ("fr", "c'est Marie Dupont, je voudrais parler à Paul"),
        ("fr", "je n'ai pas besoin de table, je voudrais parler à monsieur Paul"),
        ("en", "this is Marie Dupont, could I speak to Paul please"),
        ("en", "is Paul there?"),
        ("en", "no, I'd like to speak to Paul"),
        ("fr", "non, je voudrais parler à Paul"),
        ("de", "ist Paul da?"),
        ("it", "vorrei avere Paul al telefono"),
    ] {
        let mut call = paul(language);
        call.say(said);
        let number = crate::domain::PhoneNumber::from_e164("+33612345602").unwrap();
        assert_eq!(call.next, Next::Transfer(number), "{said}");
    }
    // A name asks for nobody, nor do words of reaching that are about somebody else.
    for (language, said) in [
        ("fr", "c'est Paul à l'appareil"),
        ("fr", "c'est Paul, vous pouvez me joindre au 06 12 34 56 78"),
        ("fr", "une table pour deux au nom de Paul, pas besoin de me contacter"),
        ("fr", "pouvez-vous dire à Paul de me contacter"),
        ("fr", "Paul m'a demandé de vous contacter pour réserver une table"),
        ("fr", "je viens de parler à Paul, il m'a dit de rappeler pour réserver"),
        ("fr", "je ne veux pas parler à Paul"),
        ("fr", "inutile de joindre Paul, je veux juste annuler ma réservation"),
        ("fr", "je voudrais me joindre à la table de Paul ce soir"),
        ("en", "a table for Paul please"),
        ("en", "this is Paul, you can contact me on this number"),
        ("en", "I don't want to talk to Paul"),
        ("en", "please have Paul contact me"),
        ("de", "hier ist Paul"),
        ("de", "hier ist Paul, können wir Deutsch sprechen? ich brauche einen Tisch"),
        ("de", "ich konnte Paul nicht erreichen"),
        ("es", "una mesa a nombre de Paul, me pueden contactar en este número"),
        ("it", "sono Paul, posso parlare in italiano?"),
    ] {
        let mut call = paul(language);
        call.say(said);
        assert!(!matches!(call.next, Next::Transfer(_)), "{said}");
    }
    for (language, first, said) in [
        ("fr", "je voudrais laisser un message", "dites à Paul que je veux parler à Paul demain"),
        ("en", "can I leave a message", "tell Paul that I want to talk to Paul tomorrow"),
    ] {
        let mut call = paul(language);
        call.say(first);
        call.say(said);
        assert_eq!(call.messages, [said]);
    }
}

#[test]
fn a_human_is_found_or_a_message_is_taken() {
    let mut call = Call::new("fr");
    call.plays(&[("je veux parler à quelqu'un", "Ne quittez pas")]);
    assert_eq!(call.next, Next::Transfer(call.spec.transfer.first_number().unwrap().clone()));
    let mut call = Call::new("en");
    call.spec.transfer = crate::domain::Transfer::default();
    call.plays(&[
        ("can I speak to a human please", "I can take a message"),
        ("tell the chef that the fish was great", "pass your message on"),
    ]);
    assert_eq!(call.messages, ["tell the chef that the fish was great"]);
    assert_eq!(call.next, Next::HangUp);
}

#[test]
fn who_takes_no_bookings_takes_a_message() {
    let mut call = Call::new("fr");
    call.spec.booking = None;
    call.plays(&[
        ("je voudrais réserver pour 4 ce soir", "message"),
        ("oui", "Je vous écoute"),
        ("rappelez-moi demain matin", "transmets votre message"),
    ]);
    assert_eq!(call.messages, ["rappelez-moi demain matin"]);
}

#[test]
fn not_understanding_ends_with_a_message() {
    let mut call = Call::new("fr");
    call.plays(&[
        ("blabla bla", "Je n'ai pas bien compris"),
        ("gloubi boulga", "demander nos horaires"),
        ("tralala", "je les transmets"),
    ]);
    assert_eq!(call.messages, ["blabla bla / gloubi boulga / tralala"]);
    assert_eq!(call.next, Next::HangUp);
}

#[test]
fn whoever_has_many_questions_has_them_all_answered() {
    let mut call = Call::new("fr-FR");
    call.spec.booking = None;
    for _ in 0..12 {
        assert!(call.say("Avez-vous un parking ?").contains("derrière le restaurant"));
        assert!(call.say("Vous êtes ouverts mardi ?").contains("ouverts"));
        assert_eq!(call.next, Next::Listen);
    }
}

#[test]
fn silence_and_keys_are_answers_too() {
    let mut call = Call::new("fr");
    call.say("une table ce soir");
    assert!(call.hear(&Heard::Silence).contains("À quelle heure"));
    assert!(call.hear(&Heard::Digits("2030".into())).contains("combien"));
    assert!(call.hear(&Heard::Digits("4#".into())).contains("À quel nom"));
    assert!(call.say("Dupont").contains("20 heures 30"));
    let mut call = Call::new("fr");
    for _ in 0..3 {
        call.hear(&Heard::Silence);
    }
    assert_eq!(call.next, Next::HangUp);
}

#[test]
fn a_store_that_fails_is_never_confirmed() {
    let mut call = Call::new("fr");
    call.broken = true;
    call.plays(&[("pour 4 ce soir à 20h", "À quel nom"), ("Dupont", "Je n'ai pas pu enregistrer")]);
    call.broken = false;
    call.plays(&[("oui", "C'est réservé")]);
    assert_eq!(call.booked.len(), 1);
    let mut call = Call::new("fr");
    call.broken = true;
    call.plays(&[
        ("pour 4 ce soir à 20h au nom de Dupont", "réessaie"),
        ("oui", "problème technique"),
    ]);
    assert_eq!(call.next, Next::HangUp);
    assert!(call.booked.is_empty());
}

#[test]
fn what_a_model_heard_before_is_not_asked_again() {
    let mut call = Call::new("fr");
    let scene = Scene {
        spec: &call.spec,
        language: &call.language,
        now: &call.now,
        caller: None,
        known: None,
        found: &[],
    };
    let state = absorb(&scene, State::default(), "je voudrais réserver pour 4 ce soir");
    call.state = state;
    call.plays(&[("vers 20h", "À quel nom"), ("Dupont", "C'est réservé")]);
}

#[test]
fn memory_from_another_version_is_read() {
    let state: State = serde_json::from_str(r#"{"booking":true,"later":{"x":1}}"#).unwrap();
    assert!(state.booking);
    assert_eq!(serde_json::from_str::<State>("{}").unwrap(), State::default());
}

#[test]
fn an_unknown_language_is_spoken_to_in_english() {
    assert_eq!(language(&"nl-NL".parse().unwrap()).as_str(), "en");
    assert_eq!(language(&"it-CH".parse().unwrap()).as_str(), "it-CH");
    assert_eq!(language(&"fr-CA".parse().unwrap()).as_str(), "fr-CA");
    let mut call = Call::new("nl-NL");
    assert!(call.say("hello").contains("How can I help"));
}

mod changes;
mod known;
mod languages;
mod lookup;
mod stage;
mod trades;

/// Words that mean something, to be mixed with noise.
const WORDS: [&str; 30] = [
    "oui",
    "non",
    "réserver",
    "pour 4",
    "ce soir",
    "20h",
    "Dupont",
    "au nom de",
    "demain",
    "dimanche",
    "le 31",
    "midi",
    "pardon",
    "yes",
    "no",
    "book",
    "for 9",
    "tonight",
    "at 8",
    "my name is",
    "quarter to",
    "half past",
    "merci",
    "horaires",
    "parking",
    "99999",
    "vingt",
    "quatre-vingt",
    "D U P",
    "dans",
];

proptest! {
    #[test]
    fn any_conversation_goes_on_and_ends(
        language in prop::sample::select(vec!["fr-FR", "en-US", "es-ES", "de-DE", "it-IT", "nl-NL"]),
        turns in prop::collection::vec(
            prop_oneof![
                "(?s).{0,60}".prop_map(|text| speech(&text)),
                prop::collection::vec(prop::sample::select(WORDS.to_vec()), 1..6)
                    .prop_map(|words| speech(&words.join(" "))),
                "[0-9*#]{0,6}".prop_map(Heard::Digits),
                Just(Heard::Silence),
            ],
            1..12,
        ),
    ) {
        let mut call = Call::new(language);
        for heard in &turns {
            call.hear(heard);
            if call.next != Next::Listen {
                break;
            }
        }
    }

    #[test]
    fn nonsense_is_not_listened_to_for_ever(text in "[xyzqw]{3,10}( [xyzqw]{3,10}){0,3}") {
        for opening in ["bonjour", "je voudrais réserver", "une table pour 4", "dimanche pour 4"] {
            let mut call = Call::new("fr");
            call.say(opening);
            for _ in 0..8 {
                if call.next == Next::Listen {
                    call.say(&text);
                }
            }
            prop_assert_ne!(&call.next, &Next::Listen);
        }
    }
}
