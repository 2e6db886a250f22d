//! What is said to everybody, sentence by sentence: it is kept once it was spoken, and spoken before
//! anybody calls.

use std::{collections::BTreeSet, sync::OnceLock};

use super::{greeting::Greeting, sentences::cut};
use crate::{conversation::phrases, domain::AssistantSpec};

/// Fillers of which a caller rarely hears more.
const FILLERS: u32 = 6;

/// The greeting, as it is spoken: what must be heard whole, then the rest.
pub(super) fn greeting(spec: &AssistantSpec) -> Vec<String> {
    let greeting = Greeting::of(spec);
    let mut sentences = cut(&greeting.told);
    sentences.extend(cut(&greeting.rest));
    sentences
}

/// Whether a sentence is one of the greeting, or of ours that name nobody.
pub(super) fn is_said_to_everybody(sentence: &str, greeting: &[String]) -> bool {
    static OURS: OnceLock<BTreeSet<String>> = OnceLock::new();
    let ours = OURS.get_or_init(|| phrases::all().iter().flat_map(|text| cut(text)).collect());
    ours.contains(sentence) || greeting.iter().any(|one| one == sentence)
}

/// What callers of an assistant are likely to hear first: worth being spoken before they call.
pub(super) fn worth_warming(spec: &AssistantSpec) -> Vec<String> {
    let language = &spec.voice.language;
    let phrases = phrases::for_language(language);
    let mut texts = vec![phrases::machine(language)];
    texts.extend((0..FILLERS).map(|step| phrases.filler(step)));
    texts.extend([phrases.cut_off.as_str(), &phrases.goodbye, &phrases.silence_goodbye]);
    texts.extend(phrases.not_heard.iter().map(String::as_str));
    let mut sentences = greeting(spec);
    for sentence in texts.into_iter().flat_map(cut) {
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
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
        let (greeting, all) = (greeting(&spec), worth_warming(&spec));
        assert_eq!(
            greeting,
            ["A, bonjour. Je suis un assistant vocal automatique.", "Que puis-je faire ?"]
        );
        assert!(all.starts_with(&greeting) && all.len() > 8, "{all:?}");
        assert!(all.iter().all(|sentence| is_said_to_everybody(sentence, &greeting)), "{all:?}");
        assert!(!is_said_to_everybody("Très bien, Madame Durand.", &greeting));
    }
}
