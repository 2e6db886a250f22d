//! Other trades than restaurants, and Spanish: appointments, and assistants that book nothing.

use super::*;

fn practice(language: &str) -> Call {
    let mut call = Call::new(language);
    call.spec.booking = serde_json::from_str(r#"{"kind":"appointment","duration":"20m"}"#).unwrap();
    call
}

fn shop(language: &str) -> Call {
    let mut call = Call::new(language);
    call.spec.booking = None;
    call
}

#[test]
fn an_appointment_is_for_one_and_is_no_table() {
    let mut call = practice("fr");
    call.plays(&[
        ("Bonjour, je voudrais un rendez-vous", "Pour quel jour souhaitez-vous un rendez-vous ?"),
        ("demain", "Quelle heure vous conviendrait ?"),
        ("12h30", "un rendez-vous est libre mardi 24 novembre à 12 heures 30. À quel nom"),
        ("Durand", "C'est noté : rendez-vous mardi 24 novembre à 12 heures 30, au nom de Durand."),
    ]);
    assert_eq!(call.booked[0].party, 1);
    let mut call = practice("en");
    call.plays(&[
        ("I'd like an appointment tomorrow at noon", "an appointment is free on Tuesday"),
        ("Smith", "You have an appointment on Tuesday, November 24th at noon"),
    ]);
    let mut call = practice("es");
    call.plays(&[
        ("quería pedir cita para mañana a las siete y media de la tarde", "hay una cita libre"),
        ("García", "su cita es el martes 24 de noviembre a las 19:30, a nombre de García"),
    ]);
}

#[test]
fn an_appointment_at_nine_is_in_the_morning_where_both_can_be_meant() {
    let late = |language: &str| {
        let mut call = practice(language);
        call.spec.hours = serde_json::from_str(r#"{"tuesday":["07:00-23:00"]}"#).unwrap();
        call
    };
    late("fr").plays(&[("un rendez-vous demain à 9 heures", "mardi 24 novembre à 9 heures")]);
    late("fr")
        .plays(&[("un rendez-vous demain à 9 heures du soir", "mardi 24 novembre à 21 heures")]);
    late("fr").plays(&[("un rendez-vous demain à 7 heures", "mardi 24 novembre à 19 heures")]);
    late("en").plays(&[("an appointment tomorrow at nine", "November 24th at 9 am")]);
}

#[test]
fn nothing_said_of_an_appointment_is_said_of_a_table() {
    let mut call = practice("fr");
    call.taken = vec![Booked {
        starts_at: "2026-11-24T12:00:00+01:00".parse().unwrap(),
        resource: None,
        whole: false,
        free_at: "2026-11-24T12:20:00+01:00".parse().unwrap(),
        party: 1,
    }];
    call.plays(&[
        ("un rendez-vous demain à midi", "il n'y a plus de rendez-vous libre mardi 24 novembre"),
        ("demain à 13h55", "le dernier rendez-vous commence à 13 heures 40"),
        ("non", "Quel autre jour"),
        ("le 7 juin", "Quelle heure"),
        ("à 20h", "au plus 90 jours"),
        ("non merci", "Quel autre jour"),
        ("laissez tomber", "je ne prends pas de rendez-vous"),
    ]);
    let mut call = practice("fr");
    call.plays(&[
        ("je voudrais annuler mon rendez-vous", "Quel est votre numéro de réservation"),
        ("non", "je ne prends pas de rendez-vous. Puis-je faire autre chose"),
        ("blabla", "pas bien compris"),
        ("gloubi", "Vous pouvez prendre rendez-vous"),
    ]);
}

#[test]
fn nobody_is_asked_for_a_number_that_is_always_the_same() {
    let mut call = practice("fr");
    call.plays(&[
        ("un rendez-vous demain à midi pour deux personnes", "1 personne au plus"),
        ("non, juste moi", "un rendez-vous est libre"),
    ]);
    let mut call = Call::new("fr");
    call.spec.booking = serde_json::from_str(r#"{"party":{"min":2,"max":2}}"#).unwrap();
    call.plays(&[
        ("une table ce soir", "À quelle heure"),
        ("20h", "une table est libre lundi 23 novembre à 20 heures pour 2 personnes"),
    ]);
    let mut call = Call::new("fr");
    call.spec.booking = serde_json::from_str(r#"{"party":{"min":2,"max":2}}"#).unwrap();
    let refused = call.say("une table pour une personne ce soir à 20h");
    assert!(refused.contains("laisser un message") && !refused.contains("combien"), "{refused}");
}

#[test]
fn who_books_nothing_offers_nothing_to_book() {
    let mut call = shop("fr");
    call.plays(&[
        ("blabla", "pas bien compris"),
        ("tralala", "Vous pouvez me poser une question, ou laisser un message."),
    ]);
    let mut call = shop("fr");
    // "Pour une" is no party here, and the day of a question no wish for a table.
    call.plays(&[
        ("c'est pour une question sur le parking", "derrière le restaurant. Puis-je faire autre"),
        ("vous êtes ouverts demain ?", "nous sommes ouverts de midi"),
        ("je voudrais laisser un message", "Je vous écoute"),
        ("rappelez Paul Durand demain pour deux devis", "je transmets votre message"),
    ]);
    assert_eq!(call.messages, ["rappelez Paul Durand demain pour deux devis"]);
    let mut call = shop("fr");
    call.plays(&[(
        "réserver un parking",
        "derrière le restaurant. Voulez-vous laisser un message",
    )]);
}

#[test]
fn noon_of_a_day_is_a_time_where_one_may_come_at_noon() {
    let mut call = Call::new("fr");
    call.plays(&[("une table pour 4 demain midi", "libre mardi 24 novembre à midi pour 4")]);
    let mut call = Call::new("fr");
    call.spec.hours.tuesday = vec!["12:30-14:00".parse().unwrap()];
    call.plays(&[("une table pour 4 demain midi", "À quelle heure"), ("une heure", "13 heures")]);
}

#[test]
fn a_table_is_booked_in_spanish() {
    books(
        "es-ES",
        &[
            ("Hola, quería reservar una mesa para mañana por la noche", "¿A qué hora"),
            ("a las nueve y media", "¿Para cuántas personas?"),
            ("seremos cuatro", "el martes 24 de noviembre a las 21:30 para 4 personas. ¿A qué"),
            ("a nombre de Ana de la Torre", "Queda reservado: el martes 24 de noviembre"),
        ],
        4,
        datetime(2026, 11, 24, 21, 30, 0, 0),
        "Ana de la Torre",
    );
    let mut call = Call::new("es");
    call.plays(&[
        (
            "¿cuál es su horario?",
            "Abrimos de lunes a sábado, de las 12 del mediodía a las 14 horas",
        ),
        ("una mesa para doce", "8 personas como máximo. ¿Quiere dejar un mensaje?"),
        ("no, ocho", "¿Para qué día"),
        ("el domingo", "el domingo 29 de noviembre estamos cerrados. Puedo ofrecerle el lunes 30"),
        ("no sé", "No le he entendido bien"),
        ("sí, me va bien", "¿A qué nombre"),
        ("no, déjelo", "no reservo nada"),
        ("adiós", "¡adiós!"),
    ]);
    assert!(call.booked.is_empty());
}
