//! The languages of an assistant: which it speaks, in which voice, and which one first.

use super::{Country, LanguageTag, PhoneNumber, Voice};

impl Voice {
    /// All languages that calls may be held in, the one of the file first, each once.
    pub fn spoken(&self) -> Vec<&LanguageTag> {
        let mut spoken = vec![&self.language];
        for language in &self.languages {
            if !spoken.contains(&language) {
                spoken.push(language);
            }
        }
        spoken
    }

    /// The language of the file's that a wanted one means: itself, or one of another region.
    pub fn speaks(&self, wanted: &LanguageTag) -> Option<&LanguageTag> {
        let spoken = self.spoken();
        let same = spoken.iter().find(|language| **language == wanted);
        let near = || spoken.iter().find(|language| language.primary() == wanted.primary());
        same.or_else(near).copied()
    }

    /// The voice that the file names for a language.
    pub fn voice_in(&self, language: &LanguageTag) -> Option<&str> {
        self.voices
            .get(language)
            .or_else(|| self.voice_id.as_ref().filter(|_| *language == self.language))
            .map(String::as_str)
    }

    /// The first sentence that the file has for a language.
    pub fn greeting_in(&self, language: &LanguageTag) -> Option<&str> {
        self.greetings
            .get(language)
            .or_else(|| self.greeting.as_ref().filter(|_| *language == self.language))
            .map(String::as_str)
    }

    /// The language that a call begins in: the one that the caller is known to speak, else the one
    /// of the country that the number is of, if the assistant speaks it; else the file's.
    pub fn first_language(
        &self,
        known: Option<&LanguageTag>,
        caller: Option<&PhoneNumber>,
    ) -> LanguageTag {
        let known = known.and_then(|known| self.speaks(known));
        let of_number = || {
            let country = Country::of(caller?)?;
            let language = self.speaks(&country.language.parse().ok()?)?;
            // A French number says nothing new of an assistant that greets in French of Canada.
            let differs = language.primary() != self.language.primary();
            (differs || language.as_str() == country.language).then_some(language)
        };
        known.or_else(of_number).unwrap_or(&self.language).clone()
    }

    /// What is said of languages that cannot be, if anything.
    pub(super) fn misspoken(&self) -> Option<(&'static str, &'static str)> {
        let spoken = self.spoken();
        if spoken.len() > MOST {
            return Some(("voice.languages", "has more than 8 languages"));
        }
        if spoken.iter().any(|language| !language.is_known()) {
            return Some((
                "voice.language",
                "or one of `voice.languages` begins with two letters that are no language: write `fr-FR` or `en-GB`",
            ));
        }
        if self.voices.keys().any(|language| !spoken.contains(&language)) {
            return Some((
                "voice.voices",
                "has a voice for a language that `languages` does not list",
            ));
        }
        if self.greetings.keys().any(|language| !spoken.contains(&language)) {
            return Some((
                "voice.greetings",
                "has a greeting in a language that `languages` does not list",
            ));
        }
        if self.greetings.values().any(|greeting| greeting.chars().count() > 1_000) {
            return Some(("voice.greetings", "has a greeting longer than 1,000 characters"));
        }
        let several = spoken.len() > 1;
        if several && spoken.iter().any(|language| !language.has_phrases()) {
            return Some((
                "voice.languages",
                "has a language that nothing is translated into: use de, en, es, fr, it, nl, pt",
            ));
        }
        None
    }
}

/// Nobody listens for more, and callers are told of each.
const MOST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(language: &str, languages: &[&str]) -> Voice {
        Voice {
            language: language.parse().unwrap(),
            languages: languages.iter().map(|tag| tag.parse().unwrap()).collect(),
            ..Voice::default()
        }
    }

    #[test]
    fn each_language_is_spoken_once_and_in_its_own_voice() {
        let mut voice = voice("fr-FR", &["en-GB", "fr-FR", "es-ES"]);
        voice.voice_id = Some("one".to_owned());
        voice.voices.insert("en-GB".parse().unwrap(), "two".to_owned());
        let spoken: Vec<&str> = voice.spoken().iter().map(|tag| tag.as_str()).collect();
        assert_eq!(spoken, ["fr-FR", "en-GB", "es-ES"]);
        let in_ = |tag: &str| voice.voice_in(&tag.parse().unwrap());
        assert_eq!((in_("fr-FR"), in_("en-GB"), in_("es-ES")), (Some("one"), Some("two"), None));
        assert_eq!(voice.speaks(&"en-US".parse().unwrap()).unwrap().as_str(), "en-GB");
        assert_eq!(voice.speaks(&"de".parse().unwrap()), None);
        assert_eq!(voice.misspoken(), None);
        voice.voices.insert("de-DE".parse().unwrap(), "three".to_owned());
        assert_eq!(voice.misspoken().unwrap().0, "voice.voices");
    }

    #[test]
    fn a_call_begins_in_the_language_of_its_caller_where_it_is_spoken() {
        let voice = voice("fr-FR", &["en-US", "es-ES"]);
        let first = |number: &str| voice.first_language(None, number.parse().ok().as_ref());
        for (number, expected) in [
            ("+33612345678", "fr-FR"),
            ("+447700900123", "en-US"),
            ("+12125550100", "en-US"),
            ("+15145550100", "fr-FR"),
            ("+34612345678", "es-ES"),
            ("+525512345678", "es-ES"),
            ("+4915112345678", "fr-FR"),
            ("+3197010123456", "fr-FR"),
            ("", "fr-FR"),
        ] {
            assert_eq!(first(number).as_str(), expected, "{number}");
        }
        let canadian = self::voice("fr-FR", &["fr-FR", "fr-CA"]);
        let montreal: PhoneNumber = "+15145550100".parse().unwrap();
        assert_eq!(canadian.first_language(None, Some(&montreal)).as_str(), "fr-CA");
        let known = |tag: &str| voice.first_language(Some(&tag.parse().unwrap()), None);
        assert_eq!((known("es-MX").as_str(), known("de-DE").as_str()), ("es-ES", "fr-FR"));
    }
}
