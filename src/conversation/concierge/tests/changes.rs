//! Bookings that are made already, services to choose from, and stays.

use jiff::civil::DateTime;

use super::*;

fn summary(reference: &str, at: DateTime) -> Summary {
    Summary {
        reference: reference.to_owned(),
        name: "Dupont".to_owned(),
        party: 4,
        at,
        service: None,
        nights: None,
    }
}

fn booked(language: &str) -> Call {
    let mut call = Call::new(language);
    call.diary = vec![summary("482193", datetime(2026, 11, 24, 20, 0, 0, 0))];
    call
}

#[test]
fn a_booking_is_cancelled_once_the_caller_says_so() {
    let mut call = booked("fr");
    call.plays(&[
        (
            "Bonjour, je voudrais annuler ma réservation de demain",
            "Je trouve une réservation mardi 24 novembre à 20 heures, pour 4 personnes, au nom de Dupont. Dois-je annuler",
        ),
        ("non", "je ne change rien"),
    ]);
    assert_eq!(call.diary.len(), 1);
    for (language, script) in [
        (
            "fr",
            [
                ("il faut annuler ma table", "Dois-je annuler"),
                ("oui", "C'est annulé : la réservation"),
            ],
        ),
        (
            "en",
            [("please cancel my booking", "Shall I cancel it?"), ("yes please", "It's cancelled")],
        ),
        ("es", [("quiero cancelar mi reserva", "¿La cancelo?"), ("sí", "Queda cancelada")]),
    ] {
        let mut call = booked(language);
        call.plays(&script);
        assert!(call.diary.is_empty(), "{language}");
    }
}

#[test]
fn a_booking_moves_to_the_time_that_is_said_or_offered() {
    let moved = |script: &[(&str, &str)], language: &str, at: DateTime| {
        let mut call = booked(language);
        call.plays(script);
        assert_eq!(call.booked.last().map(|request| request.at), Some(at), "{script:?}");
        assert_eq!(call.next, Next::HangUp);
    };
    let thursday = |h, m| datetime(2026, 11, 26, h, m, 0, 0);
    moved(
        &[(
            "je voudrais déplacer ma réservation à jeudi 20h30",
            "C'est changé : jeudi 26 novembre",
        )],
        "fr",
        thursday(20, 30),
    );
    // Only the day it has was said; then only an hour: the day stays.
    moved(
        &[
            (
                "je dois décaler ma réservation de demain",
                "Quel jour et à quelle heure préférez-vous",
            ),
            ("à 21 heures", "C'est changé : mardi 24 novembre à 21 heures"),
        ],
        "fr",
        datetime(2026, 11, 24, 21, 0, 0, 0),
    );
    // Closed on Sunday, and the offer is taken.
    moved(
        &[
            ("bonjour, j'ai une réservation", "Souhaitez-vous changer la date, ou annuler ?"),
            ("la déplacer à dimanche", "nous sommes fermés dimanche 29 novembre"),
            ("oui", "C'est changé : lundi 30 novembre à midi"),
        ],
        "fr",
        datetime(2026, 11, 30, 12, 0, 0, 0),
    );
    moved(
        &[
            ("I need to change my booking", "What day and time would you prefer?"),
            (
                "Thursday evening at half past eight",
                "It's changed: Thursday, November 26th at 8:30 pm",
            ),
        ],
        "en",
        thursday(20, 30),
    );
}

#[test]
fn who_shows_no_number_is_asked_for_reference_and_name() {
    let mut call = booked("fr");
    call.withheld = Some("482193".to_owned());
    call.plays(&[
        ("annuler ma réservation", "Quel est votre numéro de réservation, et à quel nom ?"),
        ("quatre huit deux un neuf trois", "À quel nom"),
        ("Dupont", "Dois-je annuler"),
        ("oui", "C'est annulé"),
    ]);
    assert!(call.diary.is_empty());
    // In pairs, with the name; and what nobody has is not found, and no number guessed again and again.
    let mut call = booked("fr");
    call.withheld = Some("482193".to_owned());
    call.plays(&[
        ("annuler ma réservation", "votre numéro de réservation"),
        ("48 21 93, au nom de Dupont", "Dois-je annuler"),
    ]);
    let mut call = booked("fr");
    call.withheld = Some("482193".to_owned());
    call.plays(&[
        ("annuler ma réservation", "votre numéro de réservation"),
        ("123456 au nom de Dupont", "je ne trouve pas cette réservation. Voulez-vous laisser"),
    ]);
    let mut call = booked("fr");
    call.withheld = Some("482193".to_owned());
    call.plays(&[
        ("annuler ma réservation", "votre numéro de réservation"),
        ("482193, au nom de Dupont", "Dois-je annuler"),
    ]);
    let mut call = booked("fr");
    call.withheld = Some("482193".to_owned());
    call.plays(&[
        ("annuler ma réservation", "votre numéro de réservation"),
        ("je ne l'ai pas sous la main", "pas bien compris"),
        ("je n'en ai aucune idée", "Voulez-vous laisser un message"),
    ]);
    // Who books without showing a number is told one.
    let mut call = Call::new("fr");
    call.withheld = Some(String::new());
    call.plays(&[(
        "une table pour 2 ce soir à 20h au nom de Petit",
        "Votre numéro de réservation est le 4 8 2 1 9 3.",
    )]);
}

#[test]
fn one_of_several_is_named_by_its_day() {
    let mut call = booked("fr");
    call.diary.push(summary("482194", datetime(2026, 11, 27, 12, 0, 0, 0)));
    call.plays(&[
        (
            "je veux annuler ma réservation",
            "mardi 24 novembre à 20 heures ou vendredi 27 novembre à midi. Laquelle est-ce ?",
        ),
        ("celle de vendredi", "vendredi 27 novembre à midi, pour 4"),
        ("oui", "C'est annulé"),
    ]);
    assert_eq!(call.diary[0].reference, "482193");
    let mut call = booked("fr");
    call.diary.push(summary("482194", datetime(2026, 11, 27, 12, 0, 0, 0)));
    call.plays(&[("annuler ma réservation de vendredi", "vendredi 27 novembre à midi, pour 4")]);
}

fn garage(language: &str) -> Call {
    let mut call = Call::new(language);
    call.spec.booking = serde_json::from_str(
        r#"{"kind":"appointment","grid":"30m","lead_time":"1h",
            "services":[{"name":"révision","about":["entretien","service"],"duration":"1h"},
                        {"name":"vidange","about":["oil change"]}],
            "resources":[{"name":"Pont","count":2}]}"#,
    )
    .unwrap();
    call
}

#[test]
fn a_service_is_asked_for_where_there_is_a_choice() {
    let mut call = garage("fr");
    call.plays(&[
        (
            "je voudrais un rendez-vous demain",
            "C'est pour quelle prestation : révision ou vidange ?",
        ),
        ("pour l'entretien", "Quelle heure"),
        ("12h10", "rien ne commence à cette heure-là. Je peux vous proposer midi"),
        ("midi et demie", "un rendez-vous est libre mardi 24 novembre à 12 heures 30"),
        ("Petit", "C'est noté"),
    ]);
    assert_eq!(call.booked[0].service.as_deref(), Some("révision"));
    let mut call = garage("en");
    call.plays(&[
        ("I'd like an appointment for an oil change tomorrow at noon", "an appointment is free"),
        ("Smith", "You have an appointment on Tuesday"),
    ]);
    assert_eq!(call.booked[0].service.as_deref(), Some("vidange"));
    // A question about a service is no wish for it.
    let mut call = garage("fr");
    call.spec.facts[0].about = vec!["combien coûte".into()];
    call.plays(&[("combien coûte une vidange ?", "derrière le restaurant. Puis-je faire autre")]);
}

fn hotel(language: &str) -> Call {
    let mut call = Call::new(language);
    call.spec.hours = crate::domain::Hours::default();
    call.spec.booking = serde_json::from_str(
        r#"{"kind":"stay","resources":[{"name":"chambre double","about":["double","double room"],"count":2,"party":{"max":2}},
                                       {"name":"suite","party":{"max":4}}]}"#,
    )
    .unwrap();
    call
}

#[test]
fn a_stay_has_nights_and_a_room() {
    let arrives = |call: &Call| (call.booked[0].at.date().to_string(), call.booked[0].nights);
    let mut call = hotel("fr");
    call.plays(&[
        ("Bonjour, je voudrais réserver une chambre", "Quel jour souhaitez-vous arriver ?"),
        ("vendredi", "Pour combien de nuits ?"),
        ("deux", "Pour combien de personnes ?"),
        (
            "deux personnes",
            "c'est libre du vendredi 27 novembre au dimanche 29 novembre pour 2 personnes : chambre double",
        ),
        ("Martin", "C'est réservé : chambre double, du vendredi 27 novembre au dimanche 29"),
    ]);
    assert_eq!(arrives(&call), ("2026-11-27".to_owned(), Some(2)));
    for (language, said, nights) in [
        ("fr", "réserver une chambre du 5 au 8 décembre pour deux personnes", 3),
        ("fr", "je voudrais réserver du 30 novembre au 2 décembre pour deux personnes", 2),
        ("fr", "réserver trois nuits à partir du 5 décembre pour deux personnes", 3),
        ("en", "I'd like to book a room from December 5th to December 8th for two people", 3),
        ("en", "book from the 5th to the 8th of December for two people", 3),
        ("es", "quería reservar del 5 al 8 de diciembre para dos personas", 3),
    ] {
        let mut call = hotel(language);
        let answer = call.say(said);
        assert!(answer.contains("chambre double"), "{said}: {answer}");
        call.say("Martin");
        assert_eq!(call.booked[0].nights, Some(nights), "{said}");
    }
    let mut call = hotel("fr");
    call.plays(&[
        ("une suite pour une personne, du 5 au 8 décembre, c'est possible de réserver ?", "suite"),
        ("Martin", "C'est réservé : suite"),
    ]);
}
