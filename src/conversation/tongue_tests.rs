//! What flips a call, and what must not.

use proptest::prelude::*;

use super::*;

fn tags(codes: &str) -> Vec<LanguageTag> {
    codes.split(' ').map(|tag| tag.parse().unwrap()).collect()
}

fn speech(text: &str, confidence: Option<f32>, ear: &str) -> Heard {
    Heard::Speech { text: text.to_owned(), confidence, language: ear.parse().ok() }
}

fn decided(spoken: &str, now: &str, heard: &Heard, before: Option<&str>, first: bool) -> Tongue {
    let (spoken, now) = (tags(spoken), now.parse().unwrap());
    let spoken: Vec<&LanguageTag> = spoken.iter().collect();
    decide(&Evidence { spoken: &spoken, now: &now, heard, before, first, keys: first })
}

/// `en-US`, `en-US only`, `-` for none, `?` for a language that is not spoken.
fn told(spoken: &str, now: &str, heard: &Heard) -> String {
    match decided(spoken, now, heard, None, false) {
        Tongue::Stay => "-".to_owned(),
        Tongue::NotSpoken => "?".to_owned(),
        Tongue::Switch { to, only: true } => format!("{to} only"),
        Tongue::Switch { to, only: false } => to.to_string(),
    }
}

const FOUR: &str = "fr-FR en-US es-ES de-DE";
const ALL: &str = "fr-FR en-GB es-ES de-DE it-IT pt-PT nl-NL";

#[test]
fn a_wish_is_understood_in_each_language() {
    for (now, said, expected) in [
        ("fr-FR", "In English, please", "en-GB only"),
        ("fr-FR", "in english please", "en-GB only"),
        ("fr-FR", "English please.", "en-GB only"),
        ("fr-FR", "Hello, do you speak English?", "en-GB only"),
        ("fr-FR", "Sorry, could we speak English please?", "en-GB only"),
        ("fr-FR", "I'm sorry, I don't understand, do you speak English?", "en-GB"),
        ("fr-FR", "anglais s'il vous plaît", "en-GB only"),
        ("fr-FR", "Vous parlez anglais ?", "en-GB only"),
        ("fr-FR", "Est-ce qu'on peut parler en anglais", "en-GB only"),
        ("en-GB", "en français s'il vous plaît", "fr-FR only"),
        ("en-GB", "Bonjour, parlez-vous français ?", "fr-FR only"),
        ("en-GB", "French, please", "fr-FR only"),
        ("fr-FR", "auf Deutsch bitte", "de-DE only"),
        ("fr-FR", "Sprechen Sie Deutsch?", "de-DE only"),
        ("fr-FR", "Guten Tag, können wir bitte Deutsch sprechen", "de-DE only"),
        ("fr-FR", "in italiano per favore", "it-IT only"),
        ("de-DE", "Buongiorno, parla italiano?", "it-IT only"),
        ("fr-FR", "en español, por favor", "es-ES only"),
        ("fr-FR", "Hola, ¿habla usted español?", "es-ES only"),
        ("fr-FR", "em português, por favor", "pt-PT only"),
        ("fr-FR", "in het Nederlands alstublieft", "nl-NL only"),
        ("fr-FR", "Spreekt u Nederlands?", "nl-NL only"),
        ("it-IT", "può parlare in inglese?", "en-GB only"),
        ("es-ES", "¿podemos hablar en inglés?", "en-GB only"),
        ("fr-FR", "parlez-vous japonais ?", "?"),
        ("fr-FR", "Do you speak Russian?", "?"),
        ("en-GB", "auf Türkisch bitte", "?"),
    ] {
        assert_eq!(told(ALL, now, &speech(said, None, "")), expected, "{said}");
    }
    // Only those of the file.
    assert_eq!(told("fr-FR en-US", "fr-FR", &speech("auf Deutsch bitte", None, "")), "?");
    assert_eq!(told("fr-FR", "fr-FR", &speech("in English please", None, "")), "?");
    assert_eq!(told("fr-FR en-US", "fr-FR", &speech("en français s'il vous plaît", None, "")), "-");
}

#[test]
fn what_only_names_a_language_is_no_wish() {
    for said in [
        "Vous avez la carte en anglais ?",
        "Je cherche un guide qui parle bien l'anglais",
        "C'est pour un cours d'anglais",
        "Un petit déjeuner anglais",
        "Pas en anglais",
        "la sauce hollandaise",
        "Anglais",
        "¿el guía habla inglés?",
        "mi hija habla inglés y francés",
        "Do you have a French menu?",
        "an English breakfast please",
        "I like French wine",
    ] {
        let now = if said.contains('¿') || said.starts_with("mi") { "es-ES" } else { "fr-FR" };
        let now = if said.contains("French") || said.contains("English") { "en-US" } else { now };
        assert_eq!(told(FOUR, now, &speech(said, None, "")), "-", "{said}");
    }
    // In answer to the greeting, its own name is enough.
    for (said, to) in [("English", "en-US"), ("Deutsch!", "de-DE"), ("español", "es-ES")] {
        let heard = speech(said, None, "");
        let to = to.parse().unwrap();
        let switched = Tongue::Switch { to, only: true };
        assert_eq!(decided(FOUR, "fr-FR", &heard, None, true), switched, "{said}");
        assert_eq!(decided(FOUR, "fr-FR", &heard, None, false), Tongue::Stay, "{said}");
    }
}

/// What people say on a telephone, and in which language.
const SAID: [(&str, &str); 75] = [
    ("en", "I'd like to book a table for two"),
    ("en", "do you have a room for tonight"),
    ("en", "what time do you open tomorrow"),
    ("en", "can I speak to someone please"),
    ("en", "hello I would like to make an appointment"),
    ("en", "is there parking near the hotel"),
    ("en", "my name is Smith"),
    ("en", "that would be great thank you"),
    ("en", "how much is breakfast"),
    ("en", "for tomorrow evening please"),
    ("en", "yes that's fine"),
    ("en", "I have a question about my booking"),
    ("fr", "je voudrais réserver une table pour deux"),
    ("fr", "vous avez une chambre pour ce soir"),
    ("fr", "à quelle heure ouvrez-vous demain"),
    ("fr", "je peux parler à quelqu'un"),
    ("fr", "bonjour je voudrais prendre rendez-vous"),
    ("fr", "est-ce qu'il y a un parking"),
    ("fr", "je m'appelle Dupont"),
    ("fr", "c'est parfait merci beaucoup"),
    ("fr", "combien coûte le petit déjeuner"),
    ("fr", "pour demain soir s'il vous plaît"),
    ("fr", "oui ça me va"),
    ("es", "quisiera reservar una mesa para dos"),
    ("es", "tienen una habitación para esta noche"),
    ("es", "a qué hora abren mañana"),
    ("es", "puedo hablar con alguien"),
    ("es", "hola quería pedir cita"),
    ("es", "hay aparcamiento cerca del hotel"),
    ("es", "me llamo García"),
    ("es", "muy bien muchas gracias"),
    ("es", "cuánto cuesta el desayuno"),
    ("es", "para mañana por la noche"),
    ("es", "sí me va bien"),
    ("de", "ich möchte einen Tisch für zwei reservieren"),
    ("de", "haben Sie ein Zimmer für heute Abend"),
    ("de", "wann öffnen Sie morgen"),
    ("de", "kann ich mit jemandem sprechen"),
    ("de", "guten Tag ich hätte gern einen Termin"),
    ("de", "gibt es einen Parkplatz beim Hotel"),
    ("de", "vier Personen um acht Uhr"),
    ("de", "mein Name ist Müller"),
    ("de", "das passt vielen Dank"),
    ("de", "was kostet das Frühstück"),
    ("de", "für morgen Abend bitte"),
    ("de", "ja das ist gut"),
    ("it", "vorrei prenotare un tavolo per due"),
    ("it", "avete una camera per stasera"),
    ("it", "a che ora aprite domani"),
    ("it", "posso parlare con qualcuno"),
    ("it", "buongiorno vorrei un appuntamento"),
    ("it", "c'è un parcheggio vicino all'hotel"),
    ("it", "mi chiamo Rossi"),
    ("it", "va benissimo grazie mille"),
    ("it", "quanto costa la colazione"),
    ("it", "per domani sera per favore"),
    ("pt", "queria reservar uma mesa para dois"),
    ("pt", "tem um quarto para esta noite"),
    ("pt", "a que horas abrem amanhã"),
    ("pt", "posso falar com alguém"),
    ("pt", "bom dia queria marcar uma consulta"),
    ("pt", "há estacionamento perto do hotel"),
    ("pt", "está ótimo muito obrigado"),
    ("pt", "quanto custa o pequeno-almoço"),
    ("nl", "ik wil graag een tafel reserveren voor twee"),
    ("nl", "heeft u een kamer voor vanavond"),
    ("nl", "hoe laat gaat u morgen open"),
    ("nl", "kan ik met iemand spreken"),
    ("nl", "goedendag ik wil een afspraak maken"),
    ("nl", "is er parkeren bij het hotel"),
    ("nl", "vier personen om acht uur"),
    ("nl", "mijn naam is de Vries"),
    ("nl", "dat is prima dank u wel"),
    ("nl", "wat kost het ontbijt"),
    ("it", "quattro persone alle otto"),
];

/// How many of `SAID` switch rightly, and which wrongly, with a support or without.
fn measured(spoken: &str, ear: bool) -> (usize, usize, Vec<String>) {
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for now in spoken.split(' ') {
        for (code, text) in SAID.iter().filter(|(code, _)| spoken.contains(&format!("{code}-"))) {
            let told = told(spoken, now, &speech(text, None, if ear { code } else { "" }));
            let switches = !now.starts_with(code);
            all += usize::from(switches);
            match told.as_str() {
                "-" => {}
                to if switches && to.starts_with(code) => right += 1,
                to => wrong.push(format!("{now}: « {text} » → {to}")),
            }
        }
    }
    (right, all, wrong)
}

#[test]
fn whole_sentences_are_told_apart() {
    for (spoken, ear, least) in [
        ("fr-FR en-US", false, 90),
        ("es-ES en-US fr-FR de-DE", false, 85),
        (ALL, false, 70),
        (ALL, true, 95),
    ] {
        let (right, all, wrong) = measured(spoken, ear);
        assert!(wrong.is_empty(), "{spoken}: {wrong:#?}");
        assert!(right * 100 >= all * least, "{spoken} (ear: {ear}): {right} of {all}");
    }
}

#[test]
fn what_is_no_evidence_flips_nothing() {
    for said in [
        "OK",
        "Hello?",
        "Hello hello hello",
        "Yes please",
        "Thank you",
        "Perfect",
        "Jean-Pierre Martin",
        "John Smith",
        "0612345678",
        "zero six twelve",
        "Müller",
        "Maria de la Fuente",
        "Le Gourmet",
        "pizza margherita",
        "Hotel Miramar Barcelona",
        "four",
        "eight thirty",
        "Smith, S M I T H",
        "Je voudrais un cheeseburger and chips",
        "une table pour le week-end please",
        "oui c'est pour le meeting room",
        "bonjour hello",
        "",
    ] {
        for ear in ["", "fr"] {
            assert_eq!(told(FOUR, "fr-FR", &speech(said, Some(0.9), ear)), "-", "{said}");
        }
    }
    assert_eq!(told(FOUR, "fr-FR", &Heard::Silence), "-");
    assert_eq!(told(FOUR, "fr-FR", &Heard::Digits("9".into())), "-");
    // An assistant of one language has none to switch to.
    assert_eq!(
        told("fr-FR", "fr-FR", &speech("I would like to book a table for two", None, "en")),
        "-"
    );
    assert_eq!(
        told("fr-FR de-DE", "fr-FR", &speech("I would like to book a table", None, "en")),
        "-"
    );
}

#[test]
fn the_ear_counts_with_the_words_and_not_against_them() {
    let short = "four people at eight";
    assert_eq!(told("fr-FR en-US", "fr-FR", &speech(short, None, "")), "-");
    assert_eq!(told("fr-FR en-US", "fr-FR", &speech(short, None, "en")), "en-US");
    assert_eq!(told("fr-FR en-US", "fr-FR", &speech(short, Some(0.31), "")), "en-US");
    let plain = "I would like to book a table";
    assert_eq!(told("fr-FR en-US", "fr-FR", &speech(plain, None, "fr")), "en-US");
    // The ear alone, of words that say nothing, and against those that do.
    let names = "Chardonnay Bordeaux Sancerre Chablis";
    assert_eq!(told("fr-FR en-US", "fr-FR", &speech(names, Some(0.9), "en")), "en-US");
    assert_eq!(told("fr-FR en-US", "fr-FR", &speech("Chablis", Some(0.9), "en")), "-");
    let french = "je voudrais une table pour deux";
    assert_eq!(told("fr-FR en-US", "fr-FR", &speech(french, Some(0.9), "en")), "-");
    // Two short ones, one after the other.
    let heard = speech(short, None, "");
    let twice = decided("fr-FR en-US", "fr-FR", &heard, Some("at what time then"), false);
    assert_eq!(twice, Tongue::Switch { to: "en-US".parse().unwrap(), only: false });
    // The region that the ear heard, if the assistant speaks it.
    let both = "fr-FR en-US en-GB";
    assert_eq!(told(both, "fr-FR", &speech(plain, None, "en-GB")), "en-GB");
    assert_eq!(told(both, "fr-FR", &speech(plain, None, "en-AU")), "en-US");
}

#[test]
fn the_keys_of_the_greeting_switch() {
    let (spoken, now) = (tags(FOUR), "fr-FR".parse().unwrap());
    let spoken: Vec<&LanguageTag> = spoken.iter().collect();
    let keys: Vec<(char, &str)> =
        keys(&spoken, &now).into_iter().map(|(key, tag)| (key, tag.as_str())).collect();
    assert_eq!(keys, [('9', "en-US"), ('8', "es-ES"), ('7', "de-DE")]);
    let pressed = |keys: &str| decided(FOUR, "fr-FR", &Heard::Digits(keys.into()), None, true);
    assert_eq!(pressed("8"), Tongue::Switch { to: "es-ES".parse().unwrap(), only: true });
    for other in ["6", "98", "*", "2030"] {
        assert_eq!(pressed(other), Tongue::Stay, "{other}");
    }
}

proptest! {
    #[test]
    fn one_word_of_another_language_flips_nothing(
        at in 0..SAID.len(), place in 0..8_usize, other in 0..SAID.len(), word in 0..8_usize,
    ) {
        let (code, text) = SAID[at];
        let (_, stranger) = SAID[other];
        let mut words: Vec<&str> = text.split(' ').collect();
        let strangers: Vec<&str> = stranger.split(' ').collect();
        let place = place % words.len();
        words.insert(place, strangers[word % strangers.len()]);
        let now = ALL.split(' ').find(|tag| tag.starts_with(code)).unwrap();
        prop_assert_eq!(told(ALL, now, &speech(&words.join(" "), None, "")), "-");
    }

    #[test]
    fn names_and_figures_flip_nothing(
        names in proptest::collection::vec("[A-Z][bcdfgklmnprtvxz]{2,6}[aeiou][bcdfgk]{1,3}", 1..6),
        figures in "[0-9]{0,12}",
    ) {
        let said = format!("{} {figures}", names.join(" "));
        prop_assert_eq!(told(ALL, "fr-FR", &speech(&said, Some(0.2), "")), "-");
    }

    #[test]
    fn no_language_is_spoken_that_the_file_does_not_list(
        text in "\\PC{0,80}", ear in "[a-z]{2}", confidence in proptest::option::of(0.0..1.0_f32),
        from in 0..SAID.len(), first in proptest::bool::ANY,
    ) {
        for text in [text.as_str(), SAID[from].1] {
            let heard = speech(text, confidence, &ear);
            let told = decided("fr-FR it-IT", "fr-FR", &heard, Some(text), first);
            if let Tongue::Switch { to, .. } = told {
                prop_assert_eq!(to.as_str(), "it-IT");
            }
        }
    }
}
