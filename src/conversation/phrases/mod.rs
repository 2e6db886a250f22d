//! What callers hear: one data file a language, embedded in the binary.
//!
//! A key that is missing or misspelt in a file fails a test, as does a placeholder that differs
//! between languages. The concierge's vocabulary (`concierge.XX.toml`) is read by `concierge`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use serde::Deserialize;

use crate::domain::{LanguageTag, Personality, PhoneNumber, emergency_told};

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

/// The fixed sentences of one language.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrases {
    /// First words of a call; `{client}`.
    pub greeting: Greetings,
    /// Nobody spoke, or nothing was understood by the recogniser; several ways to say so.
    pub not_heard: Vec<String>,
    /// While a reply is late.
    pub fillers: Vec<String>,
    /// Last words.
    pub goodbye: String,
    /// Last words to a silent line.
    pub silence_goodbye: String,
    /// We failed, and it is not the caller's fault.
    pub apology: String,
    /// The line, or we, broke off in the middle.
    pub cut_off: String,
    /// We are busy for a moment.
    pub busy_retry: String,
    /// Nobody answers at this number.
    pub unknown_number: String,
    /// The assistant is switched off; `{client}`.
    pub disabled: String,
    /// To a caller who shows no number, where those are not answered.
    pub anonymous: String,
    /// All lines are taken; `{client}`.
    pub too_many_calls: String,
    /// The client's plan covers no more calls this month; `{client}`.
    pub plan_limit: String,
    /// The longest a call may take is near.
    pub duration_warning: String,
    /// It is reached.
    pub duration_goodbye: String,
    /// The call is handed to a human.
    pub transferring: String,
    /// There is no human to hand it to.
    pub transfer_unavailable: String,
    /// Asks for a message.
    pub take_message_prompt: String,
    /// The message is stored.
    pub message_taken: String,
    /// Says that a machine speaks.
    pub machine: String,
    /// Too many calls from one place, or to it.
    pub flood: String,
    /// Says that the call is recorded, and how to object.
    pub recording_announced: String,
    /// Asks whether the call may be recorded.
    pub recording_question: String,
    /// It may.
    pub recording_granted: String,
    /// It may not.
    pub recording_refused: String,
    /// It may no longer.
    pub recording_stopped: String,
    /// What is said when a call is handed over.
    pub handover: HandoverWords,
    /// What somebody in an emergency is told.
    pub emergency: EmergencyWords,
    /// What somebody in an emergency says.
    pub urgent: UrgentWords,
    /// How to switch to the language by a key, said in it; `{key}`.
    pub language_hint: String,
    /// Which languages are spoken; `{languages}`.
    pub languages_spoken: String,
    /// The call goes on in the language, as the caller wished.
    pub language_switched: String,
    /// What callers say to being recorded.
    pub consent: ConsentWords,
    /// How callers are asked whether they are satisfied.
    pub satisfaction: SatisfactionWords,
    /// What they answer.
    pub rating: RatingWords,
    /// What is said in calls that we make.
    pub outbound: OutboundWords,
    /// What those say whom we call.
    pub called: CalledWords,
    /// How amounts and telephone numbers are said.
    pub figures: FigureWords,
    /// By which words the language, and a wish for another one, is known.
    pub tongue: TongueWords,
}

/// How amounts and telephone numbers are said.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureWords {
    /// With cents; `{units}`, `{currency}`, `{cents}`.
    pub amount: String,
    /// Whether telephone numbers are said in pairs, or else digit by digit.
    pub pairs: bool,
    /// The calling code of the country where numbers are said without it.
    pub home: String,
    /// What stands before them then.
    pub trunk: String,
    /// Before the code of another country.
    pub plus: String,
    /// From zero to nine.
    pub digits: Vec<String>,
    /// By code: one of it, and several.
    pub currencies: BTreeMap<String, [String; 2]>,
}

/// By which words a language, and a wish for another one, is known.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TongueWords {
    /// Between the last two of several languages.
    pub and: String,
    /// Ways to ask for a `{language}`, in the middle of other words too.
    pub asks: Vec<String>,
    /// What makes a wish of the name of a language where nothing else is said.
    pub leads: Vec<String>,
    /// What goes with it and changes nothing.
    pub manners: Vec<String>,
    /// Words by which the language is known: frequent ones, and those of telephone calls.
    pub common: Vec<String>,
    /// What we call each language, by its code.
    pub called: BTreeMap<String, String>,
    /// What callers call them, and languages that we do not speak.
    pub names: BTreeMap<String, Vec<String>>,
}

/// What is said when a call is handed over.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverWords {
    /// Nobody took the call.
    pub unanswered: String,
    /// The next one is rung.
    pub next: String,
    /// Nobody took the call: a message is recorded, and how.
    pub voicemail: String,
    /// None was spoken.
    pub nothing_left: String,
    /// To the human: for whom and from whom; `{client}`, `{caller}`.
    pub whisper: String,
    /// To the human: what for; `{reason}`.
    pub reason: String,
    /// A caller without a number.
    pub withheld: String,
    /// To the human: which keys take the call and refuse it.
    pub keys: String,
    /// To the human who took it.
    pub connecting: String,
}

/// What somebody in an emergency is told.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmergencyWords {
    /// What to dial: `{number}`.
    pub one: String,
    /// What to dial: `{number}` or `{other}`.
    pub two: String,
    /// And if it is none.
    pub otherwise: String,
}

/// What somebody in an emergency says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrgentWords {
    /// What leaves no doubt that help is needed at once.
    pub words: Vec<String>,
    /// What may be meant so.
    pub urgent: Vec<String>,
    /// What just before such words says that it is none.
    pub not: Vec<String>,
}

/// What callers say to being recorded.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentWords {
    /// Ways to say yes.
    pub yes: Vec<String>,
    /// Ways to say no.
    pub no: Vec<String>,
    /// What goes with either and changes nothing.
    pub manners: Vec<String>,
    /// Asking for the question again.
    pub again: Vec<String>,
    /// The star key, said instead of pressed.
    pub star: Vec<String>,
    /// How words about recording begin.
    pub stems: Vec<String>,
    /// Words that make an objection of one of those near them; with a `*`, how such words begin.
    pub negators: Vec<String>,
    /// How words begin for what else is recorded, such as a booking: not the call.
    pub about: Vec<String>,
}

/// How callers are asked whether they are satisfied.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SatisfactionWords {
    /// The question.
    pub question: String,
    /// Last words to who answered.
    pub thanks: String,
}

/// What callers answer who are asked whether they are satisfied.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RatingWords {
    /// Ways to say each score, from 1 to 5.
    pub scores: [Vec<String>; 5],
    /// What a score is said to be out of.
    pub scale: Vec<String>,
    /// What goes with a score and changes nothing.
    pub manners: Vec<String>,
    /// Ways to say none.
    pub declines: Vec<String>,
}

/// What is said in calls that we make.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundWords {
    /// To somebody who will not be called again.
    pub stopped: String,
    /// To somebody who agreed to the first words.
    pub confirmed: String,
    /// To somebody who did not.
    pub declined: String,
}

/// What those say whom we call.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalledWords {
    /// That they do not want to be called again.
    pub stop: Vec<String>,
    /// What behind it says that it is about some time only.
    pub unless: Vec<String>,
    /// When they have only picked up.
    pub hello: Vec<String>,
    /// Ways to agree, besides those of [`ConsentWords`].
    pub yes: Vec<String>,
}

/// First words, by tone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Greetings {
    pub professional: String,
    pub friendly: String,
    pub casual: String,
    pub formal: String,
}

impl Phrases {
    /// First words of a call, in the assistant's tone.
    pub fn greeting(&self, tone: Personality, client: &str) -> String {
        let template = match tone {
            Personality::Professional => &self.greeting.professional,
            Personality::Friendly => &self.greeting.friendly,
            Personality::Casual => &self.greeting.casual,
            Personality::Formal => &self.greeting.formal,
        };
        fill(template, &[("client", client)])
    }

    /// "I did not hear you", another one at each attempt.
    pub fn not_heard(&self, attempt: u32) -> &str {
        nth(&self.not_heard, attempt)
    }

    /// A filler, another one at each attempt.
    pub fn filler(&self, attempt: u32) -> &str {
        nth(&self.fillers, attempt)
    }
}

fn nth(variants: &[String], attempt: u32) -> &str {
    let index = (attempt as usize).checked_rem(variants.len()).unwrap_or(0);
    variants.get(index).map_or("", String::as_str)
}

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
