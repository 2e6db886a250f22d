//! German, Italian, and a call that changes its language in the middle.

use super::*;

fn friday(hour: i8, minute: i8) -> jiff::civil::DateTime {
    datetime(2026, 11, 27, hour, minute, 0, 0)
}

#[test]
fn a_table_is_booked_in_german() {
    books(
        "de-DE",
        &[
            ("Guten Tag, ich möchte einen Tisch für vier Personen reservieren", "welchen Tag"),
            ("am Freitagabend", "wie viel Uhr"),
            ("um halb acht", "am Freitag, dem siebenundzwanzigsten November um 19 Uhr 30"),
            ("auf Müller, bitte", "für 4 Personen, auf den Namen Müller. Vielen Dank"),
        ],
        4,
        friday(19, 30),
        "Müller",
    );
    books(
        "de-AT",
        &[
            ("heute Abend um acht, wir sind zu zweit", "ein Tisch für 2 Personen frei"),
            ("nein, doch lieber um neun", "um 21 Uhr"),
            ("mein Name ist Anna Groß", "Es ist reserviert"),
        ],
        2,
        monday(21, 0),
        "Anna Groß",
    );
    let mut call = Call::new("de");
    call.plays(&[
        ("einen Tisch für zwölf am fünften Dezember um 20 Uhr", "höchstens 8 Personen"),
        ("dann acht", "am Samstag, dem fünften Dezember um 20 Uhr ist ein Tisch"),
        ("haben Sie sonntags geöffnet?", "dem neunundzwanzigsten November haben wir geschlossen"),
    ]);
    let mut call = Call::new("de");
    call.plays(&[
        (
            "wann haben Sie geöffnet?",
            "von Montag bis Samstag, von 12 Uhr bis 14 Uhr und von 19 Uhr",
        ),
        (
            "und am Sonntag, haben Sie da offen?",
            "Am Sonntag, dem neunundzwanzigsten November haben",
        ),
        ("nein danke, auf Wiederhören", "auf Wiederhören"),
    ]);
    assert_eq!(call.next, Next::HangUp);
}

#[test]
fn a_table_is_booked_in_italian() {
    books(
        "it-IT",
        &[
            ("Buongiorno, vorrei prenotare un tavolo", "Per quale giorno"),
            ("venerdì sera, siamo in quattro", "A che ora"),
            ("alle otto e mezza", "venerdì 27 novembre alle ore 20 e 30 per 4 persone"),
            ("a nome di Rossi", "per 4 persone, a nome di Rossi. Grazie"),
        ],
        4,
        friday(20, 30),
        "Rossi",
    );
    books(
        "it",
        &[
            ("un tavolo per due stasera alle otto", "alle ore 20"),
            ("anzi, alle nove", "alle ore 21"),
            ("De Luca", "La prenotazione è confermata"),
        ],
        2,
        monday(21, 0),
        "De Luca",
    );
    let mut call = Call::new("it");
    call.plays(&[
        ("un tavolo per due domenica", "domenica 29 novembre siamo chiusi"),
        ("no, dopodomani", "A che ora"),
        ("a mezzogiorno", "mercoledì 25 novembre alle ore 12"),
    ]);
    let mut call = Call::new("it");
    call.plays(&[
        ("quali sono gli orari?", "da lunedì a sabato, dalle ore 12 alle ore 14 e dalle ore 19"),
        ("nient'altro, arrivederci", "arrivederci"),
    ]);
    assert_eq!(call.next, Next::HangUp);
}

#[test]
fn who_changes_the_language_is_asked_the_same_again() {
    for (to, opening, said, question, booked) in [
        ("en-US", "Of course, let's go on in English.", "for four", "At what time", "8 pm"),
        ("de-DE", "Gerne, dann sprechen wir Deutsch.", "für vier", "Um wie viel Uhr", "20 Uhr"),
        ("it-IT", "Certo, continuiamo in italiano.", "siamo in quattro", "A che ora", "ore 20"),
        ("es-ES", "Por supuesto, seguimos en español.", "somos cuatro", "¿A qué hora", "20 horas"),
    ] {
        let mut call = Call::new("fr-FR");
        call.plays(&[("une table pour samedi", "À quelle heure")]);
        call.language = to.parse().unwrap();
        let asked = call.happens(Event::AnotherLanguage);
        assert!(asked.starts_with(opening) && asked.contains(question), "{asked}");
        call.plays(&[(said, question), ("20:00", booked)]);
        assert!(call.hear(&Heard::Silence).ends_with(&call.state.question), "{to}");
        assert_eq!(call.state.language, to[..2]);
    }
    // What was offered is offered again, and nothing was asked yet of who begins so.
    let mut call = Call::new("fr-FR");
    call.plays(&[("une table pour deux dimanche à 20h", "fermés dimanche")]);
    call.language = "en-GB".parse().unwrap();
    let offered = call.happens(Event::AnotherLanguage);
    assert!(offered.contains("I can offer you Monday, November 30th at noon"), "{offered}");
    call.plays(&[("yes please", "a table is free"), ("Smith", "You're booked")]);
    let mut call = Call::new("de-DE");
    assert!(call.happens(Event::AnotherLanguage).ends_with("Was kann ich für Sie tun?"));
}

#[test]
fn facts_are_told_in_the_language_of_the_call() {
    let mut call = Call::new("fr-FR");
    let english = r#"{"about":["parking","car"],"answer":"There is one.","language":"en"}"#;
    call.spec.facts.push(serde_json::from_str(english).unwrap());
    assert!(call.say("il y a un parking ?").contains("derrière"));
    call.language = "en-US".parse().unwrap();
    assert!(call.say("is there a parking?").contains("There is one."));
    assert!(call.say("can I park there").contains("derrière"), "one of no language is told in all");
}
