//! What callers hear: one data file a language, embedded in the binary.
//!
//! A key that is missing or misspelt in a file fails a test, as does a placeholder that differs
//! between languages. The concierge's vocabulary (`concierge.XX.toml`) is read by `concierge`.

mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use crate::domain::{LanguageTag, PhoneNumber, emergency_told};

pub use words::{
    CalledWords, ConsentWords, EmergencyWords, FigureWords, Greetings, HandoverWords,
    OutboundWords, Phrases, RatingWords, SatisfactionWords, TongueWords, UrgentWords,
};

/// English first: it stands in for languages without a file.
const ALL: [(&str, &str); 7] = [
    ("en", include_str!("en.toml")),
    ("fr", include_str!("fr.toml")),
    ("es", include_str!("es.toml")),
    ("de", include_str!("de.toml")),
    ("it", include_str!("it.toml")),
    ("pt", include_str!("pt.toml")),
    ("nl", include_str!("nl.toml")),
];

/// The sentences of a language; English where we have none.
pub fn for_language(language: &LanguageTag) -> &'static Phrases {
    static PARSED: OnceLock<Vec<(&'static str, Phrases)>> = OnceLock::new();
    static NOTHING: OnceLock<Phrases> = OnceLock::new();
    let parsed = PARSED.get_or_init(|| {
        // A test proves that every file parses, so the default is never met.
        ALL.iter().map(|(code, text)| (*code, toml::from_str(text).unwrap_or_default())).collect()
    });
    parsed
        .iter()
        .find(|(code, _)| *code == language.primary())
        .or_else(|| parsed.first())
        .map_or_else(|| NOTHING.get_or_init(Phrases::default), |(_, phrases)| phrases)
}

/// All languages with their sentences, by code.
pub fn each() -> impl Iterator<Item = (&'static str, &'static Phrases)> {
    ALL.iter().filter_map(|(code, _)| Some((*code, for_language(&code.parse().ok()?))))
}

/// Which languages an assistant speaks, said in one of them.
pub fn languages_spoken(now: &LanguageTag, spoken: &[&LanguageTag]) -> String {
    let phrases = for_language(now);
    let mut names: Vec<&str> = Vec::new();
    for language in spoken {
        let called = phrases.tongue.called.get(language.primary());
        let name = called.map_or(language.as_str(), String::as_str);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let languages = match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{}{}{last}", first.join(", "), phrases.tongue.and),
    };
    fill(&phrases.languages_spoken, &[("languages", &languages)])
}

/// Every sentence of ours, in all languages: those that name nobody.
pub fn all() -> &'static BTreeSet<String> {
    static FOUND: OnceLock<BTreeSet<String>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut found = BTreeSet::new();
        let files = ALL.iter().map(|(_, text)| *text).chain([include_str!("machine.toml")]);
        for table in files.filter_map(|text| toml::from_str::<toml::Table>(text).ok()) {
            // What callers say is not what they hear.
            let said = |key: &str| {
                !matches!(key, "called" | "consent" | "figures" | "rating" | "tongue" | "urgent")
            };
            table.iter().filter(|(key, _)| said(key)).for_each(|(_, value)| {
                gather(value, &mut found);
            });
        }
        found
    })
}

/// The texts of a value that have nothing to be filled in.
fn gather(value: &toml::Value, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::String(text) if !text.contains('{') => {
            found.insert(text.clone());
        }
        toml::Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
        toml::Value::Table(table) => table.values().for_each(|value| gather(value, found)),
        _ => {}
    }
}

/// What somebody in an emergency is told, where a number is of: never will we dial it.
pub fn emergency(language: &LanguageTag, phone: &PhoneNumber) -> String {
    let words = &for_language(language).emergency;
    match emergency_told(phone) {
        (number, Some(other)) => fill(&words.two, &[("number", number), ("other", other)]),
        (number, None) => fill(&words.one, &[("number", number)]),
    }
}

/// Says in a language that a machine speaks: the law asks for it in all of them, also in those that
/// nothing else is translated into.
pub fn machine(language: &LanguageTag) -> &'static str {
    static PARSED: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    let others =
        PARSED.get_or_init(|| toml::from_str(include_str!("machine.toml")).unwrap_or_default());
    others
        .get(language.primary())
        .map_or_else(|| for_language(language).machine.as_str(), String::as_str)
}

/// A text with a sentence added: before its last question, so that the caller knows what to answer,
/// or at its end.
pub fn with_sentence(text: &str, sentence: &str) -> String {
    let text = text.trim();
    if text.is_empty() {
        return sentence.to_owned();
    }
    let last = ['.', '!', '?', '…'].iter().filter_map(|mark| {
        let body = text.trim_end_matches(['.', '!', '?', '…', ' ', '\u{a0}', '\u{202f}']);
        body.rfind(&format!("{mark} ")).map(|at| at + mark.len_utf8() + 1)
    });
    match last.max().filter(|_| text.ends_with('?')) {
        Some(at) => format!("{}{sentence} {}", &text[..at], &text[at..]),
        None if text.ends_with(['.', '!', '?', '…']) => format!("{text} {sentence}"),
        None => format!("{text}. {sentence}"),
    }
}

/// A text without the question that it ends with: another one is to be answered.
pub fn without_question(text: &str) -> &str {
    let text = text.trim();
    let Some(body) = text.strip_suffix('?') else { return text };
    let start = ['.', '!', '?', '…', ':']
        .iter()
        .filter_map(|mark| body.rfind(&format!("{mark} ")).map(|at| at + mark.len_utf8()))
        .max();
    // `Bonjour, que puis-je faire ?` is one sentence; half of it would be none.
    start.map_or("", |at| text[..at].trim_end())
}

/// Puts values in place of `{name}`s, in one pass: braces inside a value stay as they are.
pub fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from_brace) = rest.split_at(open);
        filled.push_str(before);
        let value = from_brace.find('}').and_then(|close| {
            let name = &from_brace[1..close];
            values.iter().find(|(key, _)| *key == name).map(|(_, value)| (value, close))
        });
        if let Some((value, close)) = value {
            filled.push_str(value);
            rest = &from_brace[close + 1..];
        } else {
            filled.push('{');
            rest = &from_brace[1..];
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Personality;

    /// Placeholders by key path, so that two languages can be compared.
    fn placeholders(path: &str, value: &toml::Value, found: &mut BTreeMap<String, Vec<String>>) {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    placeholders(&format!("{path}.{key}"), value, found);
                }
            }
            toml::Value::Array(items) => {
                for item in items {
                    placeholders(path, item, found);
                }
            }
            toml::Value::String(text) => {
                assert!(!text.trim().is_empty() || path == ".figures.trunk", "{path} is empty");
                let names = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
                let mut names: Vec<_> = names.map(|(name, _)| name.to_owned()).collect();
                names.sort();
                names.dedup();
                found.insert(path.to_owned(), names);
            }
            _ => {}
        }
    }

    #[test]
    fn every_language_is_complete_and_has_the_same_placeholders() {
        let mut expected: Option<BTreeMap<String, Vec<String>>> = None;
        for (code, text) in ALL {
            if let Err(error) = toml::from_str::<Phrases>(text) {
                panic!("{code}: {error}");
            }
            let mut found = BTreeMap::new();
            placeholders("", &toml::from_str(text).unwrap(), &mut found);
            match &expected {
                None => expected = Some(found),
                Some(expected) => assert_eq!(*expected, found, "{code}"),
            }
        }
    }

    #[test]
    fn variants_turn_and_unknown_languages_hear_english() {
        let french = for_language(&LanguageTag::french());
        assert_ne!(french.not_heard(0), french.not_heard(1));
        assert_eq!(french.not_heard(0), french.not_heard(french.not_heard.len() as u32));
        let japanese: LanguageTag = "ja-JP".parse().unwrap();
        let english: LanguageTag = "en-GB".parse().unwrap();
        assert_eq!(for_language(&japanese), for_language(&english));
        assert!(french.greeting(Personality::Formal, "Le Gourmet").contains("Le Gourmet"));
    }

    #[test]
    fn all_that_names_nobody_is_found() {
        let french = for_language(&LanguageTag::french());
        for text in [&french.goodbye, &french.cut_off, &french.machine, &french.not_heard[0]] {
            assert!(all().contains(text), "{text}");
        }
        assert!(all().contains(machine(&"pl-PL".parse().unwrap())));
        assert!(!all().contains(&french.greeting.formal) && !all().contains("oui"));
    }

    #[test]
    fn a_sentence_goes_before_the_question() {
        for (text, expected) in [
            (
                "Le Gourmet, bonjour. Que puis-je faire ?",
                "Le Gourmet, bonjour. M. Que puis-je faire ?",
            ),
            ("Le Gourmet, bonjour !", "Le Gourmet, bonjour ! M."),
            ("Que puis-je faire ?", "Que puis-je faire ? M."),
            ("Bonjour ! Ici A. Oui ? Non ?", "Bonjour ! Ici A. Oui ? M. Non ?"),
            ("Salut", "Salut. M."),
            ("", "M."),
        ] {
            assert_eq!(with_sentence(text, "M."), expected);
        }
    }

    #[test]
    fn every_language_of_the_union_says_that_a_machine_speaks() {
        // Regulation 1/1958, Article 1, as amended: the official languages of the Union.
        let official = "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv";
        let mut said = std::collections::BTreeSet::new();
        for code in official.split(' ') {
            assert!(said.insert(machine(&code.parse().unwrap())), "{code} speaks another language");
        }
        for (code, _) in ALL {
            let language: LanguageTag = code.parse().unwrap();
            assert_eq!(machine(&language), for_language(&language).machine, "{code}");
            assert!(language.has_phrases(), "{code}");
        }
        assert!(!"pl-PL".parse::<LanguageTag>().unwrap().has_phrases());
    }

    #[test]
    fn a_question_is_left_out() {
        for (text, expected) in [
            ("Le Gourmet, bonjour. Que puis-je faire ?", "Le Gourmet, bonjour."),
            ("Le Gourmet, bonjour !", "Le Gourmet, bonjour !"),
            ("Bonjour, que puis-je faire ?", ""),
            ("", ""),
        ] {
            assert_eq!(without_question(text), expected, "{text}");
        }
    }

    #[test]
    fn values_are_inert() {
        assert_eq!(fill("{a} {b} {c", &[("a", "{b}"), ("b", "x")]), "{b} x {c");
        assert_eq!(fill("no {unknown}", &[]), "no {unknown}");
    }
}
