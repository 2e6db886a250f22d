//! The first words of a call: who answers, that a machine speaks, whether the call is recorded.

use crate::{
    conversation::{phrases, tongue},
    domain::{AssistantSpec, LanguageTag, Recording, Reply},
};

/// First words, in two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Greeting {
    /// Heard whole: up to what the law asks for, as far as it asks for something.
    pub(super) told: String,
    /// What may be talked over.
    pub(super) rest: String,
    /// Then how to switch to another language, each said in it.
    pub(super) hints: Vec<(LanguageTag, String)>,
    /// Whether it asks if the call may be recorded.
    pub(super) asks: bool,
    /// Whether the call is recorded from here on.
    pub(super) records: bool,
}

impl Greeting {
    /// The first words of an assistant, in a language.
    pub(super) fn of(spec: &AssistantSpec, language: &LanguageTag) -> Self {
        let words = match spec.voice.greeting_in(language) {
            Some(greeting) => greeting.to_owned(),
            None => phrases::for_language(language).greeting(spec.ai.personality, &spec.client),
        };
        Self::beginning(spec, language, words)
    }

    /// The same with other words: those of a call that we make. What the law asks for is in it too.
    pub(super) fn beginning(spec: &AssistantSpec, language: &LanguageTag, words: String) -> Self {
        let phrases = phrases::for_language(language);
        let recording = spec.compliance.recording;
        let hints = tongue::hints(spec, language);
        let hints: Vec<_> = hints.into_iter().map(|(tag, text)| (tag.clone(), text)).collect();
        let mut duties = Vec::new();
        if spec.announces_ai() {
            duties.push(phrases::machine(language));
        }
        if recording == Recording::Announce {
            duties.push(&phrases.recording_announced);
        }
        let duties = duties.join(" ");
        if recording == Recording::Ask {
            // Heard whole as well: a word into the middle of the question answers something else.
            let parts = [phrases::without_question(&words), &duties, &phrases.recording_question];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            let told = parts.join(" ");
            return Self { told, rest: String::new(), hints, asks: true, records: false };
        }
        let records = recording == Recording::Announce;
        if duties.is_empty() {
            return Self { told: duties, rest: words, hints, asks: false, records };
        }
        let words = phrases::with_sentence(&words, &duties);
        let until = words.rfind(&duties).map_or(words.len(), |at| at + duties.len());
        let (told, rest) = words.split_at(until);
        let (told, rest) = (told.to_owned(), rest.trim().to_owned());
        Self { told, rest, hints, asks: false, records }
    }

    /// What Twilio itself may say while a socket opens, and whether it may be talked over: what must
    /// be heard whole, or else everything.
    pub(super) fn welcome(&self) -> (String, bool) {
        if self.told.is_empty() { (self.rest.clone(), true) } else { (self.told.clone(), false) }
    }

    /// The same as what was said in a turn.
    pub(super) fn reply(&self, language: &LanguageTag) -> Reply {
        let parts = [self.told.as_str(), self.rest.as_str()];
        let hints = self.hints.iter().map(|(_, text)| text.as_str());
        let parts = parts.into_iter().chain(hints).filter(|part| !part.is_empty());
        Reply::fixed(parts.collect::<Vec<_>>().join(" "), language.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting(phone: &str, recording: &str, words: &str) -> Greeting {
        let spec: AssistantSpec = serde_json::from_value(serde_json::json!({
            "name": "a", "client": "A", "phone": phone, "context": "",
            "voice": { "language": "fr-FR", "greeting": words },
            "compliance": { "recording": recording },
        }))
        .unwrap();
        Greeting::of(&spec, &spec.voice.language)
    }

    const FRENCH: &str = "+33123456789";
    const BRITISH: &str = "+442079460018";
    const MACHINE: &str = "Je suis un assistant vocal automatique.";

    #[test]
    fn what_the_law_asks_for_is_heard_whole_and_the_question_last() {
        let words = "A, bonjour. Que puis-je faire ?";
        let told = greeting(FRENCH, "off", words);
        assert_eq!(told.told, format!("A, bonjour. {MACHINE}"));
        assert_eq!((told.rest.as_str(), told.records), ("Que puis-je faire ?", false));
        let free = greeting(BRITISH, "off", words);
        assert_eq!((free.told.as_str(), free.rest.as_str()), ("", words));
        let announced = greeting(BRITISH, "announce", words);
        assert!(announced.told.starts_with("A, bonjour. Cet appel est enregistré"));
        assert_eq!((announced.rest.as_str(), announced.records), ("Que puis-je faire ?", true));
        let both = greeting(FRENCH, "announce", "A, bonjour !");
        assert!(both.told.contains(MACHINE) && both.told.contains("Cet appel est enregistré"));
        assert_eq!(both.rest, "");
        let asked = greeting(FRENCH, "ask", words);
        assert!(asked.told.starts_with(&format!("A, bonjour. {MACHINE} Acceptez-vous")));
        assert!(asked.rest.is_empty() && asked.asks && !asked.records);
    }
}
