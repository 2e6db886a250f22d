//! Numbers, days and times as people say them, in both languages.

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
        expect_name: asked == "name",
        facts: &[],
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
    ] {
        let found = hear(language, said, asked).name.unwrap_or_default();
        assert_eq!(found, expected, "{said}");
    }
}
