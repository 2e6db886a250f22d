//! May this call be recorded? The question's answer, and objections at any time. Pure.
//!
//! Only a clear yes counts: recording needs consent, and a caller who did not answer gave none.

use super::{
    concierge::fold,
    phrases::{ConsentWords, Phrases},
};
use crate::domain::{Heard, Recording, RecordingConsent};

/// The key that objects to being recorded, whenever it is pressed: nothing else uses it.
const OBJECT: &str = "*";

/// Longest rest of an answer that is nothing to think about ("oui, merci beaucoup").
const MANNERS: usize = 2;

/// What the caller decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The decision.
    pub(super) consent: RecordingConsent,
    /// Whether nothing else was said: the answer is a fixed phrase.
    pub(super) only_that: bool,
}

/// What is known when something is heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// What the assistant's file says.
    pub(super) policy: Recording,
    /// What the caller said before.
    pub(super) consent: Option<RecordingConsent>,
    /// The last words the caller heard.
    pub(super) said: Option<&'a str>,
    /// The words of the language spoken.
    pub(super) phrases: &'a Phrases,
}

/// Judges something heard; nothing when it has nothing to do with recording.
pub(super) fn judge(asked: &Asked<'_>, heard: &Heard) -> Option<Verdict> {
    let words = &asked.phrases.consent;
    match (asked.policy, asked.consent) {
        (_, Some(consent)) if consent.allows() => {
            let objects = match heard {
                Heard::Speech { text, .. } => holds(&fold::words(text), &words.objection),
                Heard::Digits(keys) => keys == OBJECT,
                Heard::Silence => false,
            };
            objects.then_some(Verdict { consent: RecordingConsent::Withdrawn, only_that: true })
        }
        (Recording::Ask, None) if asked.said.is_some_and(|said| asks(said, asked.phrases)) => {
            Some(answer(words, heard))
        }
        _ => None,
    }
}

/// Whether the caller was asked just now.
fn asks(said: &str, phrases: &Phrases) -> bool {
    said.ends_with(phrases.recording_question.as_str())
}

/// The answer to the question.
fn answer(words: &ConsentWords, heard: &Heard) -> Verdict {
    use RecordingConsent::{Granted, Refused, Unanswered};
    let verdict = |consent, only_that| Verdict { consent, only_that };
    match heard {
        Heard::Silence => verdict(Unanswered, false),
        Heard::Digits(keys) => match keys.as_str() {
            "1" => verdict(Granted, true),
            "2" | OBJECT => verdict(Refused, true),
            _ => verdict(Unanswered, false),
        },
        Heard::Speech { text, .. } => {
            let said = fold::words(text);
            let doubt = |rest: &[String]| holds(rest, &words.no) || holds(rest, &words.objection);
            if let Some(rest) = after(&said, &words.yes) {
                // "Oui, enfin non" is no yes.
                if doubt(rest) {
                    return verdict(Refused, rest.len() <= MANNERS);
                }
                return verdict(Granted, rest.len() <= MANNERS);
            }
            if holds(&said, &words.objection) {
                return verdict(Refused, true);
            }
            match after(&said, &words.no) {
                Some(rest) => verdict(Refused, rest.len() <= MANNERS),
                None => verdict(Unanswered, false),
            }
        }
    }
}

/// What comes after one of some phrases that a text begins with, and after any more of them.
fn after<'a>(mut said: &'a [String], phrases: &[String]) -> Option<&'a [String]> {
    let mut found = false;
    loop {
        let longest = phrases
            .iter()
            .map(|phrase| fold::words(phrase))
            .filter(|phrase| said.starts_with(phrase))
            .map(|phrase| phrase.len())
            .max();
        match longest {
            Some(length) if length > 0 => (said, found) = (&said[length..], true),
            _ => return found.then_some(said),
        }
    }
}

/// Whether one of some phrases is somewhere in a text.
fn holds(said: &[String], phrases: &[String]) -> bool {
    phrases.iter().any(|phrase| {
        let phrase = fold::words(phrase);
        !phrase.is_empty() && said.windows(phrase.len()).any(|part| part == phrase)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{conversation::phrases, domain::LanguageTag};
    use RecordingConsent::{Announced, Granted, Refused, Unanswered, Withdrawn};

    fn speech(text: &str) -> Heard {
        Heard::Speech { text: text.to_owned(), confidence: None }
    }

    fn asked<'a>(phrases: &'a Phrases, said: &'a str) -> Asked<'a> {
        Asked { policy: Recording::Ask, consent: None, said: Some(said), phrases }
    }

    fn answered(language: &str, heard: &Heard) -> (RecordingConsent, bool) {
        let phrases = phrases::for_language(&language.parse().unwrap());
        let said = format!("Bonjour. {}", phrases.recording_question);
        let verdict = judge(&asked(phrases, &said), heard).unwrap();
        (verdict.consent, verdict.only_that)
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for (text, expected) in [
            ("Oui", (Granted, true)),
            ("oui oui, d'accord", (Granted, true)),
            ("Oui, merci", (Granted, true)),
            ("Pas de problème", (Granted, true)),
            ("Oui, je voudrais réserver une table pour quatre", (Granted, false)),
            ("Non", (Refused, true)),
            ("Non merci", (Refused, true)),
            ("Non, je voudrais réserver une table pour ce soir", (Refused, false)),
            ("Oui, enfin non", (Refused, true)),
            ("Oui mais je ne veux pas être enregistré", (Refused, false)),
            ("Je préfère pas", (Refused, true)),
            ("Je refuse d'être enregistré", (Refused, true)),
            ("Vous êtes ouverts ce soir ?", (Unanswered, false)),
            ("Je n'ai pas reçu ma commande", (Unanswered, false)),
            ("", (Unanswered, false)),
        ] {
            assert_eq!(answered("fr-FR", &speech(text)), expected, "{text}");
        }
        for (keys, expected) in [
            ("1", (Granted, true)),
            ("2", (Refused, true)),
            ("*", (Refused, true)),
            ("12", (Unanswered, false)),
        ] {
            assert_eq!(answered("fr-FR", &Heard::Digits(keys.to_owned())), expected, "{keys}");
        }
        assert_eq!(answered("fr-FR", &Heard::Silence), (Unanswered, false));
    }

    #[test]
    fn yes_and_no_are_understood_in_every_language() {
        for (language, yes, no, objection) in [
            ("fr-FR", "Oui, bien sûr", "Non", "Arrêtez l'enregistrement"),
            ("en-GB", "Yes, sure", "No, thank you", "Please stop recording"),
            ("es-ES", "Sí, claro", "No", "No quiero que me graben"),
            ("de-DE", "Ja, gerne", "Nein", "Bitte nicht aufzeichnen"),
            ("it-IT", "Sì, certo", "No, grazie", "Non voglio essere registrato"),
            ("pt-PT", "Sim, claro", "Não", "Não quero ser gravado"),
            ("nl-NL", "Ja, prima", "Nee", "Niet opnemen alstublieft"),
        ] {
            assert_eq!(answered(language, &speech(yes)).0, Granted, "{language}");
            assert_eq!(answered(language, &speech(no)), (Refused, true), "{language}");
            let phrases = phrases::for_language(&language.parse().unwrap());
            let recorded = Asked { consent: Some(Granted), ..asked(phrases, "…") };
            let stopped = Some(Verdict { consent: Withdrawn, only_that: true });
            assert_eq!(judge(&recorded, &speech(objection)), stopped, "{language}");
            assert_eq!(answered(language, &speech(objection)).0, Refused, "{language}");
        }
    }

    #[test]
    fn who_is_recorded_may_object_at_any_time_and_nobody_else_is_asked() {
        let phrases = phrases::for_language(&LanguageTag::french());
        let stopped = Some(Verdict { consent: Withdrawn, only_that: true });
        for consent in [Announced, Granted] {
            let asked = Asked { consent: Some(consent), ..asked(phrases, "Pour quel jour ?") };
            for objection in
                ["Je ne veux pas être enregistré", "n'enregistrez pas, s'il vous plaît"]
            {
                assert_eq!(judge(&asked, &speech(objection)), stopped, "{objection}");
            }
            assert_eq!(judge(&asked, &Heard::Digits("*".to_owned())), stopped);
            for ordinary in ["Oui", "Non", "Vous n'avez pas enregistré ma réservation ?"] {
                assert_eq!(judge(&asked, &speech(ordinary)), None, "{ordinary}");
            }
        }
        for consent in [Refused, Unanswered, Withdrawn] {
            let asked = Asked { consent: Some(consent), ..asked(phrases, "Pour quel jour ?") };
            assert_eq!(judge(&asked, &speech("Je ne veux pas être enregistré")), None);
        }
        // The question was not asked: yes answers something else.
        assert_eq!(judge(&asked(phrases, "Pour quel jour ?"), &speech("Oui")), None);
        let off = Asked { policy: Recording::Off, ..asked(phrases, "…") };
        assert_eq!(judge(&off, &speech("Oui")), None);
    }
}
