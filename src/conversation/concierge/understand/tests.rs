//! Numbers, days and times as people say them, in every language of the concierge.

use jiff::civil::{Date, date};

use super::{super::vocabulary, *};
use crate::domain::LanguageTag;

/// Monday, the 23rd of November 2026.
const TODAY: Date = date(2026, 11, 23);

fn hear(language: &str, text: &str, asked: &str) -> Meaning {
    let tag: LanguageTag = language.parse().unwrap();
    let (_, vocabulary) = vocabulary::for_language(&tag);
    let context = Context {
        vocabulary,
        today: TODAY,
        month_first: language == "en-US",
        expect: Expect { time: asked == "time", party: asked == "party" },
        expect_reference: asked == "reference",
        expect_nights: asked == "nights",
        booking: None,
        expect_name: asked == "name",
        tools: &[],
        facts: &[],
        language: &tag,
    };
    understand(&context, text)
}

/// `20:30`, or `8:30?` when either half of the day may be meant.
fn time(meaning: &Meaning) -> String {
    meaning.time.map_or_else(String::new, |clock| {
        let clock = meaning.part.map_or(clock, |part| clock.within(part));
        let doubt = if clock.exact || clock.hour == 12 { "" } else { "?" };
        format!("{}:{:02}{doubt}", clock.hour, clock.minute)
    })
}

#[test]
fn every_vocabulary_is_complete() {
    for text in [
        include_str!("../../phrases/concierge.fr.toml"),
        include_str!("../../phrases/concierge.en.toml"),
        include_str!("../../phrases/concierge.es.toml"),
        include_str!("../../phrases/concierge.de.toml"),
        include_str!("../../phrases/concierge.it.toml"),
    ] {
        if let Err(error) = toml::from_str::<vocabulary::Vocabulary>(text) {
            panic!("{error}");
        }
    }
}

#[test]
fn french_times() {
    for (said, expected) in [
        ("20h", "20:00"),
        ("20h30", "20:30"),
        ("20 h 30", "20:30"),
        ("20:30", "20:30"),
        ("à 20 heures", "20:00"),
        ("vingt heures", "20:00"),
        ("vingt heures trente", "20:30"),
        ("vingt-et-une heures", "21:00"),
        ("vingt et une heures quinze", "21:15"),
        ("dix-neuf heures quarante-cinq", "19:45"),
        ("huit heures", "8:00?"),
        ("huit heures du soir", "20:00"),
        ("huit heures du matin", "8:00"),
        ("huit heures et demie", "8:30?"),
        ("huit heures et demie ce soir", "20:30"),
        ("huit heures et quart", "8:15?"),
        ("huit heures moins le quart", "7:45?"),
        ("huit heures moins dix", "7:50?"),
        ("20 heures moins le quart", "19:45"),
        ("midi", ""),
        ("à midi", "12:00"),
        ("vers midi", "12:00"),
        ("midi et demi", "12:30"),
        ("midi et quart", "12:15"),
        ("midi moins le quart", "11:45"),
        ("à minuit", "0:00"),
        ("une heure de l'après-midi", "13:00"),
        ("treize heures", "13:00"),
        ("13h15", "13:15"),
        ("à huit", "8:00?"),
        ("vers 21h", "21:00"),
        ("plutôt 21h", "21:00"),
        ("pour 20h", "20:00"),
        ("19 h", "19:00"),
        ("19h00", "19:00"),
        ("07:30", "7:30"),
        ("pas 20h, 21h", "21:00"),
        ("dans la soirée", ""),
        ("pour quatre personnes", ""),
        ("le 20 décembre", ""),
        ("25 heures", ""),
        ("sept heures demain soir", "19:00"),
        ("pour quatre à vingt heures", "20:00"),
        ("pour quatre, vingt heures", "20:00"),
    ] {
        assert_eq!(time(&hear("fr-FR", said, "")), expected, "{said}");
    }
    for (said, expected) in [
        ("huit", "8:00?"),
        ("21", "21:00"),
        ("midi", "12:00"),
        ("vingt trente", "20:30"),
        ("20 30", "20:30"),
    ] {
        assert_eq!(time(&hear("fr-FR", said, "time")), expected, "asked: {said}");
    }
}

#[test]
fn english_times() {
    for (said, expected) in [
        ("8 pm", "20:00"),
        ("8pm", "20:00"),
        ("8 p.m.", "20:00"),
        ("at 8", "8:00?"),
        ("at eight", "8:00?"),
        ("at eight o'clock", "8:00?"),
        ("eight o'clock in the evening", "20:00"),
        ("eight in the morning", "8:00"),
        ("7:30", "7:30?"),
        ("7.30 pm", "19:30"),
        ("7:30 pm", "19:30"),
        ("7:30pm", "19:30"),
        ("seven thirty", "7:30?"),
        ("seven thirty pm", "19:30"),
        ("half past seven", "7:30?"),
        ("half seven", "7:30?"),
        ("half past seven in the evening", "19:30"),
        ("quarter past seven", "7:15?"),
        ("a quarter past seven", "7:15?"),
        ("quarter to eight", "7:45?"),
        ("quarter to eight tonight", "19:45"),
        ("ten past eight", "8:10?"),
        ("ten to eight", "7:50?"),
        ("twenty to nine pm", "20:40"),
        ("at noon", "12:00"),
        ("noon", ""),
        ("at midday", "12:00"),
        ("at midnight", "0:00"),
        ("half past noon", "12:30"),
        ("12 pm", "12:00"),
        ("12 am", "0:00"),
        ("11 am", "11:00"),
        ("20:00", "20:00"),
        ("actually make it 9pm", "21:00"),
        ("make it nine", "9:00?"),
        ("around seven forty-five", "7:45?"),
        ("a table for four", ""),
        ("on the 5th of December", ""),
        ("December 12", ""),
        ("a table for 2 on Friday at 7:30 pm", "19:30"),
        ("not 7, at 8 pm", "20:00"),
        ("this afternoon at 4", "16:00"),
        ("six fifteen tomorrow evening", "18:15"),
    ] {
        assert_eq!(time(&hear("en-US", said, "")), expected, "{said}");
    }
}

#[test]
fn spanish_times() {
    for (said, expected) in [
        ("a las ocho", "8:00?"),
        ("a las ocho y media", "8:30?"),
        ("a las ocho y media de la tarde", "20:30"),
        ("esta noche a las nueve y media", "21:30"),
        ("a las nueve y cuarto de la noche", "21:15"),
        ("a las nueve menos cuarto", "8:45?"),
        ("a las nueve menos diez", "8:50?"),
        ("a las nueve y veinte", "9:20?"),
        ("a las nueve y treinta y cinco", "9:35?"),
        ("a las diez de la mañana", "10:00"),
        ("el martes a las diez de la mañana", "10:00"),
        ("mañana por la mañana a las once", "11:00"),
        ("a la una", "13:00"),
        ("sobre la una y media", "13:30"),
        ("a las dos de la tarde", "14:00"),
        ("para comer a las dos", "14:00"),
        ("a las veinte horas", "20:00"),
        ("a las veinte y treinta", "20:30"),
        ("a las veintiuna treinta", "21:30"),
        ("a las 21", "21:00"),
        ("a las 21:30", "21:30"),
        ("21h30", "21:30"),
        ("a las 9 y media", "9:30?"),
        ("mejor a las diez", "10:00?"),
        ("no, a las nueve no, a las diez", "10:00?"),
        ("a las doce", "12:00"),
        ("a mediodía", "12:00"),
        ("a las doce de la noche", "0:00"),
        ("a medianoche", "0:00"),
        ("al mediodía", ""),
        ("para cuatro a las nueve", "9:00?"),
        ("una mesa para dos", ""),
        ("el 24 de noviembre", ""),
        ("dos personas", ""),
        ("por la noche", ""),
    ] {
        assert_eq!(time(&hear("es-ES", said, "")), expected, "{said}");
    }
    for (said, expected) in [
        ("ocho y media", "8:30?"),
        ("las nueve", "9:00?"),
        ("nueve menos cuarto", "8:45?"),
        ("21", "21:00"),
        ("mediodía", "12:00"),
        ("la una y cuarto", "13:15"),
        ("¿tienen una terraza?", ""),
    ] {
        assert_eq!(time(&hear("es-ES", said, "time")), expected, "asked: {said}");
    }
}

#[test]
fn spanish_days() {
    for (said, expected) in [
        ("hoy", "2026-11-23"),
        ("esta noche", "2026-11-23"),
        ("esta mañana", "2026-11-23"),
        ("mañana", "2026-11-24"),
        ("mañana por la mañana", "2026-11-24"),
        ("mañana por la noche", "2026-11-24"),
        ("pasado mañana", "2026-11-25"),
        ("por la mañana", ""),
        ("a las diez de la mañana", ""),
        ("dentro de dos días", "2026-11-25"),
        ("en una semana", "2026-11-30"),
        ("dentro de tres semanas", "2026-12-14"),
        ("dentro de quince días", "2026-12-07"),
        ("el lunes", "2026-11-30"),
        ("este lunes", "2026-11-23"),
        ("el lunes que viene", "2026-11-30"),
        ("el martes", "2026-11-24"),
        ("el miércoles por la mañana", "2026-11-25"),
        ("el sábado por la noche", "2026-11-28"),
        ("Domingo", "2026-11-29"),
        ("el martes 24 de noviembre", "2026-11-24"),
        ("el martes, 24 de noviembre", "2026-11-24"),
        ("el veinticuatro de noviembre", "2026-11-24"),
        ("el cinco de diciembre", "2026-12-05"),
        ("el treinta y uno de diciembre", "2026-12-31"),
        ("el primero de diciembre", "2026-12-01"),
        ("el 1º de diciembre", "2026-12-01"),
        ("el 3 de enero", "2027-01-03"),
        ("el 3 de marzo de 2028", "2028-03-03"),
        ("el 22 de noviembre", "2027-11-22"),
        ("el día 5", "2026-12-05"),
        ("el 28", "2026-11-28"),
        ("el sábado 5", "2026-12-05"),
        ("5/12", "2026-12-05"),
        ("el 31 de febrero", ""),
        ("para cuatro personas", ""),
        ("a las nueve", ""),
        ("buenos días", ""),
        ("hasta mañana", ""),
        ("el viernes no, el sábado", "2026-11-28"),
        ("el viernes a las nueve", "2026-11-27"),
    ] {
        let found = hear("es-ES", said, "").date.map_or_else(String::new, |d| d.to_string());
        assert_eq!(found, expected, "{said}");
    }
}

#[test]
fn spanish_wishes() {
    let hear = |said: &str| hear("es-ES", said, "");
    assert!(hear("Buenos días, quería reservar una mesa").book);
    assert!(hear("quisiera pedir cita").book);
    assert!(hear("quiero anular mi reserva").cancel_booking);
    assert!(hear("¿a qué hora abren mañana?").hours);
    assert!(hear("¿puedo hablar con recepción?").transfer);
    assert!(hear("quiero dejar un mensaje").message);
    assert!(hear("déjelo, gracias").never_mind);
    assert!(hear("nada más, adiós").goodbye);
    assert!(hear("¿me lo puede repetir?").repeat);
    assert!(hear("sí, me va bien").yes);
    assert!(hear("no, gracias").no && !hear("no, gracias").yes);
    for unsure in ["no sé", "no lo sé todavía", "no le he entendido"] {
        assert!(!hear(unsure).no, "{unsure}");
    }
    assert!(hear("hola, buenas tardes").hello);
}

#[test]
fn noon_beside_a_day_may_be_the_time() {
    for (language, said, expected) in [
        ("fr", "demain midi", true),
        ("fr", "samedi midi pour quatre", true),
        ("fr", "demain après-midi", false),
        ("fr", "demain midi et demi", false),
        ("fr", "demain midi, vers 13h", false),
        ("fr", "midi", false),
        ("fr", "demain pour déjeuner", false),
        ("en", "tomorrow noon", true),
        ("en", "tomorrow for lunch", false),
        ("es", "mañana al mediodía", true),
        ("es", "mañana para comer", false),
    ] {
        assert_eq!(hear(language, said, "").noon, expected, "{said}");
    }
}

#[test]
fn french_days() {
    for (said, expected) in [
        ("ce soir", "2026-11-23"),
        ("aujourd'hui", "2026-11-23"),
        ("ce midi", "2026-11-23"),
        ("demain", "2026-11-24"),
        ("demain soir", "2026-11-24"),
        ("après-demain", "2026-11-25"),
        ("après demain midi", "2026-11-25"),
        ("dans deux jours", "2026-11-25"),
        ("dans une semaine", "2026-11-30"),
        ("dans 3 semaines", "2026-12-14"),
        ("dans huit jours", "2026-11-30"),
        ("dans quinze jours", "2026-12-07"),
        ("lundi", "2026-11-30"),
        ("ce lundi", "2026-11-23"),
        ("lundi prochain", "2026-11-30"),
        ("mardi", "2026-11-24"),
        ("samedi", "2026-11-28"),
        ("samedi prochain", "2026-11-28"),
        ("samedi en huit", "2026-12-05"),
        ("Dimanche", "2026-11-29"),
        ("vendredi soir", "2026-11-27"),
        ("le 5 décembre", "2026-12-05"),
        ("le cinq décembre", "2026-12-05"),
        ("5 decembre", "2026-12-05"),
        ("le 1er décembre", "2026-12-01"),
        ("le premier décembre", "2026-12-01"),
        ("le vingt-cinq décembre", "2026-12-25"),
        ("le trente et un décembre", "2026-12-31"),
        ("le 3 janvier", "2027-01-03"),
        ("le 3 mars 2028", "2028-03-03"),
        ("le 23 novembre", "2026-11-23"),
        ("le 22 novembre", "2027-11-22"),
        ("lundi 30 novembre", "2026-11-30"),
        ("samedi 5 décembre", "2026-12-05"),
        ("samedi 5", "2026-12-05"),
        ("le 5", "2026-12-05"),
        ("le 28", "2026-11-28"),
        ("5/12", "2026-12-05"),
        ("le 05/12/2026", "2026-12-05"),
        ("le 31 février", ""),
        ("le 29 février", "2028-02-29"),
        ("pour quatre personnes", ""),
        ("à 20h", ""),
        ("pas samedi, dimanche", "2026-11-29"),
        ("mardi 20h", "2026-11-24"),
    ] {
        let found = hear("fr-FR", said, "").date.map_or_else(String::new, |d| d.to_string());
        assert_eq!(found, expected, "{said}");
    }
}

#[test]
fn english_days() {
    for (said, expected) in [
        ("tonight", "2026-11-23"),
        ("today", "2026-11-23"),
        ("this evening", "2026-11-23"),
        ("tomorrow", "2026-11-24"),
        ("tomorrow night", "2026-11-24"),
        ("after tomorrow", "2026-11-25"),
        ("the day after tomorrow", "2026-11-25"),
        ("in two days", "2026-11-25"),
        ("in a week", "2026-11-30"),
        ("in three weeks", "2026-12-14"),
        ("in a fortnight", "2026-12-07"),
        ("Monday", "2026-11-30"),
        ("this Monday", "2026-11-23"),
        ("next Monday", "2026-11-30"),
        ("on Friday", "2026-11-27"),
        ("Saturday evening", "2026-11-28"),
        ("Saturday week", "2026-12-05"),
        ("Sunday", "2026-11-29"),
        ("December 5th", "2026-12-05"),
        ("December the 5th", "2026-12-05"),
        ("the 5th of December", "2026-12-05"),
        ("5 December", "2026-12-05"),
        ("the fifth of December", "2026-12-05"),
        ("December fifth", "2026-12-05"),
        ("December twenty-first", "2026-12-21"),
        ("the 5th", "2026-12-05"),
        ("the 28th", "2026-11-28"),
        ("Monday the 30th", "2026-11-30"),
        ("Monday, November 30th", "2026-11-30"),
        ("Saturday December 5", "2026-12-05"),
        ("12/5", "2026-12-05"),
        ("January 3rd", "2027-01-03"),
        ("March 3rd 2028", "2028-03-03"),
        ("November 22nd", "2027-11-22"),
        ("November 23rd", "2026-11-23"),
        ("February 31st", ""),
        ("may I book a table", ""),
        ("for four people", ""),
        ("at 8 pm", ""),
        ("not Friday, Saturday", "2026-11-28"),
        ("Friday 8 pm", "2026-11-27"),
    ] {
        let found = hear("en-US", said, "").date.map_or_else(String::new, |d| d.to_string());
        assert_eq!(found, expected, "{said}");
    }
    assert_eq!(hear("en-GB", "5/12", "").date, Some(date(2026, 12, 5)));
}

#[test]
fn parties() {
    for (language, said, asked, expected) in [
        ("fr", "pour quatre", "", Some(4)),
        ("fr", "pour 4 ce soir", "", Some(4)),
        ("fr", "on sera six", "", Some(6)),
        ("fr", "nous serons cinq à 20h", "", Some(5)),
        ("fr", "finalement on sera cinq", "", Some(5)),
        ("fr", "une table pour deux", "", Some(2)),
        ("fr", "une table de douze", "", Some(12)),
        ("fr", "8 personnes à 20 heures", "", Some(8)),
        ("fr", "deux adultes et trois enfants", "", Some(5)),
        ("fr", "une vingtaine de personnes", "party", Some(20)),
        ("fr", "je voudrais une table", "", None),
        ("fr", "pour 20h", "", None),
        ("fr", "pour le 5 décembre", "", None),
        ("fr", "huit", "party", Some(8)),
        ("fr", "on est quatre", "party", Some(4)),
        ("fr", "quatre-vingt-dix-neuf", "party", Some(99)),
        ("fr", "soixante et onze", "party", Some(71)),
        ("fr", "quatre-vingt-un", "party", Some(81)),
        ("fr", "0", "party", None),
        ("fr", "pour quatre vingt heures", "", Some(4)),
        ("en", "a table for two", "", Some(2)),
        ("en", "party of six at 7", "", Some(6)),
        ("en", "there are five of us", "", Some(5)),
        ("en", "we'll be 8", "", Some(8)),
        ("en", "just me", "", Some(1)),
        ("en", "two adults and one child", "", Some(3)),
        ("en", "for 8 pm", "", None),
        ("en", "twenty-two", "party", Some(22)),
        ("en", "a table for 2 on Friday at 7:30 pm", "", Some(2)),
        ("es", "para cuatro", "", Some(4)),
        ("es", "una mesa para dos a las nueve", "", Some(2)),
        ("es", "somos seis", "", Some(6)),
        ("es", "al final seremos cinco", "", Some(5)),
        ("es", "8 personas a las 21 horas", "", Some(8)),
        ("es", "dos adultos y un niño", "", Some(3)),
        ("es", "una docena de personas", "", Some(12)),
        ("es", "treinta y cinco", "party", Some(35)),
        ("es", "cuatro", "party", Some(4)),
        ("es", "mi mujer y yo", "", Some(2)),
        ("es", "quería una mesa", "", None),
        ("es", "para las nueve", "", None),
        ("es", "a las dos", "", None),
        ("es", "para el 5 de diciembre", "", None),
    ] {
        assert_eq!(hear(language, said, asked).party, expected, "{said}");
    }
}

#[test]
fn names() {
    for (language, said, asked, expected) in [
        ("fr", "Dupont", "name", "Dupont"),
        ("fr", "dupont", "name", "Dupont"),
        ("fr", "au nom de Dupont", "", "Dupont"),
        ("fr", "au nom de Dupont s'il vous plaît", "", "Dupont"),
        ("fr", "c'est Dupont", "name", "Dupont"),
        ("fr", "oui, c'est Marie Curie", "name", "Marie Curie"),
        ("fr", "je m'appelle Hélène d'Artagnan", "", "Hélène D'Artagnan"),
        ("fr", "Jean-Luc Lefèvre, merci", "name", "Jean-Luc Lefèvre"),
        ("fr", "euh, monsieur Martin", "name", "Martin"),
        ("fr", "D U P O N T", "name", "Dupont"),
        ("fr", "Dupont, D-U-P-O-N-T", "name", "Dupont"),
        ("fr", "Au nom d'Éric Petit", "", "Éric Petit"),
        ("fr", "c'est possible ?", "", ""),
        ("fr", "c'est pour réserver", "", ""),
        ("fr", "vous avez un parking ?", "name", ""),
        ("en", "Smith", "name", "Smith"),
        ("en", "my name is John Smith", "", "John Smith"),
        ("en", "under Smith please", "", "Smith"),
        ("en", "it's O'Brien", "name", "O'Brien"),
        ("en", "this is McDonald", "", "McDonald"),
        ("en", "S M I T H", "name", "Smith"),
        ("en", "it's for tonight", "", ""),
        ("es", "García", "name", "García"),
        ("es", "a nombre de García, por favor", "", "García"),
        ("es", "me llamo María de la Fuente", "", "María de la Fuente"),
        ("es", "soy Carmen Núñez del Río", "", "Carmen Núñez del Río"),
        ("es", "pues de la Torre", "name", "de la Torre"),
        ("es", "de la señora Ruiz", "name", "Ruiz"),
        ("es", "G A R C I A", "name", "Garcia"),
        ("es", "es para esta noche", "", ""),
        ("es", "¿tienen aparcamiento?", "name", ""),
        ("es", "no sé", "name", ""),
    ] {
        let found = hear(language, said, asked).name.unwrap_or_default();
        assert_eq!(found, expected, "{said}");
    }
}

mod german;
mod italian;
