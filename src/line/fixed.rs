//! What is said to everybody, sentence by sentence: it is kept once it was spoken, and spoken before
//! anybody calls.

use std::{collections::BTreeSet, sync::OnceLock};

use super::{greeting::Greeting, sentences::cut};
use crate::{
    conversation::phrases,
    domain::{AssistantSpec, LanguageTag},
};

/// Fillers of which a caller rarely hears more.
const FILLERS: u32 = 6;

/// The greetings in all languages of an assistant, as they are spoken: what must be heard whole, then
/// the rest, then how to switch.
pub(super) fn greetings(spec: &AssistantSpec) -> Vec<(LanguageTag, String)> {
    let mut sentences = Vec::new();
    for language in spec.voice.spoken() {
        let Greeting { told, rest, hints, .. } = Greeting::of(spec, language);
        let own = [told, rest].into_iter().map(|text| (language.clone(), text));
        for (language, text) in own.chain(hints) {
            add(&mut sentences, &language, &text);
        }
    }
    sentences
}

fn add(sentences: &mut Vec<(LanguageTag, String)>, language: &LanguageTag, text: &str) {
    for sentence in cut(text).into_iter().map(|sentence| (language.clone(), sentence)) {
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
}

/// Whether a sentence is one of the greeting, or of ours that name nobody.
pub(super) fn is_said_to_everybody(sentence: &str, greeting: &[String]) -> bool {
    static OURS: OnceLock<BTreeSet<String>> = OnceLock::new();
    let ours = OURS.get_or_init(|| phrases::all().iter().flat_map(|text| cut(text)).collect());
    ours.contains(sentence) || greeting.iter().any(|one| one == sentence)
}

/// What callers of an assistant are likely to hear first, in each of its languages: worth being spoken
/// before they call.
pub(super) fn worth_warming(spec: &AssistantSpec) -> Vec<(LanguageTag, String)> {
    let mut sentences = greetings(spec);
    for language in spec.voice.spoken() {
        let phrases = phrases::for_language(language);
        let mut texts = vec![phrases::machine(language)];
        texts.extend((0..FILLERS).map(|step| phrases.filler(step)));
        texts.extend([phrases.cut_off.as_str(), &phrases.goodbye, &phrases.silence_goodbye]);
        texts.extend(phrases.not_heard.iter().map(String::as_str));
        if spec.after.asks() {
            texts.extend([phrases.satisfaction.question.as_str(), &phrases.satisfaction.thanks]);
        }
        if spec.voice.spoken().len() > 1 {
            texts.push(&phrases.language_switched);
        }
        for text in texts {
            add(&mut sentences, language, text);
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_warmed_is_said_to_everybody_and_the_greeting_comes_first() {
        let spec: AssistantSpec = serde_json::from_value(serde_json::json!({
            "name": "a", "client": "A", "phone": "+33123456789", "context": "",
            "voice": { "language": "fr-FR", "greeting": "A, bonjour. Que puis-je faire ?" },
        }))
        .unwrap();
        let text = |(_, text): (LanguageTag, String)| text;
        let greeting: Vec<String> = greetings(&spec).into_iter().map(text).collect();
        let all: Vec<String> = worth_warming(&spec).into_iter().map(text).collect();
        assert_eq!(
            greeting,
            ["A, bonjour. Je suis un assistant vocal automatique.", "Que puis-je faire ?"]
        );
        assert!(all.starts_with(&greeting) && all.len() > 8, "{all:?}");
        assert!(all.iter().all(|sentence| is_said_to_everybody(sentence, &greeting)), "{all:?}");
        assert!(!is_said_to_everybody("Très bien, Madame Durand.", &greeting));
    }

    #[test]
    fn every_language_is_warmed_with_its_own_words() {
        let spec: AssistantSpec = serde_json::from_value(serde_json::json!({
            "name": "a", "client": "A", "phone": "+33123456789", "context": "",
            "voice": {
                "language": "fr-FR", "languages": ["fr-FR", "en-US"], "greeting": "A, bonjour.",
                "greetings": { "en-US": "A, good morning." },
            },
        }))
        .unwrap();
        let all = worth_warming(&spec);
        for (tag, text) in [
            ("fr-FR", "A, bonjour."),
            ("en-US", "A, good morning."),
            ("en-US", "For English, press 9."),
            ("fr-FR", "Pour le français, tapez 9."),
            ("fr-FR", "Un instant, s'il vous plaît."),
            ("en-US", "One moment, please."),
        ] {
            let tag: LanguageTag = tag.parse().unwrap();
            let found = all.iter().any(|(of, said)| *of == tag && said.starts_with(text));
            assert!(found, "{tag} {text}: {all:?}");
        }
    }
}
