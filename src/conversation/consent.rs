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

/// A refusal with more words than this is also about something else.
const SHORT: usize = 4;

/// How far a negation may stand from what it is about, in words.
const NEAR: usize = 6;

/// What the caller decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Something; `only_that` when nothing else was said: the answer is a fixed phrase.
    Decided {
        /// The decision.
        consent: RecordingConsent,
        /// Whether nothing else was said.
        only_that: bool,
    },
    /// To hear the question again.
    AskAgain,
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
    /// The words of the language that they were said in.
    pub(super) said_in: &'a Phrases,
    /// The words of the language spoken.
    pub(super) phrases: &'a Phrases,
}

/// Judges something heard; nothing when it has nothing to do with recording.
pub(super) fn judge(asked: &Asked<'_>, heard: &Heard) -> Option<Verdict> {
    let words = &asked.phrases.consent;
    match (asked.policy, asked.consent) {
        (_, Some(consent)) if consent.allows() => {
            let objects = match heard {
                Heard::Speech { text, .. } => objects(words, &fold::words(text)),
                Heard::Digits(keys) => keys == OBJECT,
                Heard::Silence => false,
            };
            objects.then_some(WITHDRAWN)
        }
        (Recording::Ask, None) if asked.said.is_some_and(|said| asks(said, asked.said_in)) => {
            Some(answer(words, heard))
        }
        _ => None,
    }
}

/// Whether the caller was asked just now.
fn asks(said: &str, phrases: &Phrases) -> bool {
    // How to switch to another language may follow it.
    said.contains(phrases.recording_question.as_str())
}

const WITHDRAWN: Verdict =
    Verdict::Decided { consent: RecordingConsent::Withdrawn, only_that: true };

/// The answer to the question. A yes is one when nothing else is said: whatever comes with it could
/// take it back in more ways than anybody can list.
fn answer(words: &ConsentWords, heard: &Heard) -> Verdict {
    use RecordingConsent::{Granted, Refused, Unanswered};
    let decided = |consent, only_that| Verdict::Decided { consent, only_that };
    match heard {
        Heard::Silence => decided(Unanswered, false),
        Heard::Digits(keys) => match keys.as_str() {
            "1" => decided(Granted, true),
            "2" | OBJECT => decided(Refused, true),
            _ => decided(Unanswered, false),
        },
        Heard::Speech { text, .. } => {
            let said = fold::words(text);
            if is_made_of(&said, &words.yes, &words.manners) {
                return decided(Granted, true);
            }
            let begins = words.no.iter().any(|no| said.starts_with(&fold::words(no)));
            let short = said.len() <= SHORT;
            if is_made_of(&said, &words.no, &words.manners) || objects(words, &said) {
                return decided(Refused, true);
            }
            if begins || (short && holds(&said, &words.no)) {
                return decided(Refused, short);
            }
            if holds(&said, &words.again) {
                return Verdict::AskAgain;
            }
            decided(Unanswered, false)
        }
    }
}

/// Whether somebody does not want the call recorded: a negation near a word about recording, unless
/// it is about something else that is recorded. To stop too often is the safer mistake.
fn objects(words: &ConsentWords, said: &[String]) -> bool {
    let begins = |word: &String, stems: &[String]| {
        stems
            .iter()
            .any(|stem| fold::words(stem).first().is_some_and(|stem| word.starts_with(stem)))
    };
    if is_made_of(said, &words.star, &words.manners) {
        return true;
    }
    if said.iter().any(|word| begins(word, &words.about)) {
        return false;
    }
    let negates = |word: &String| {
        words.negators.iter().any(|negator| match negator.strip_suffix('*') {
            Some(beginning) => word.starts_with(beginning),
            None => word == negator,
        })
    };
    said.iter().enumerate().filter(|(_, word)| begins(word, &words.stems)).any(|(at, _)| {
        let near = at.saturating_sub(NEAR)..said.len().min(at + NEAR);
        said[near].iter().any(negates)
    })
}

/// Whether a text is made of some phrases, at least one, and of words that change nothing.
pub(super) fn is_made_of(mut said: &[String], phrases: &[String], manners: &[String]) -> bool {
    let longest = |said: &[String], phrases: &[String]| {
        let lengths = phrases.iter().map(|phrase| fold::words(phrase));
        lengths.filter(|phrase| said.starts_with(phrase)).map(|phrase| phrase.len()).max()
    };
    let mut found = false;
    while !said.is_empty() {
        let phrase = longest(said, phrases).filter(|length| *length > 0);
        let manner = longest(said, manners).filter(|length| *length > 0);
        let Some(length) = phrase.max(manner) else { return false };
        found |= phrase >= manner;
        said = &said[length..];
    }
    found
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
        Heard::words(text)
    }

    fn asked<'a>(phrases: &'a Phrases, said: &'a str) -> Asked<'a> {
        Asked { policy: Recording::Ask, consent: None, said: Some(said), said_in: phrases, phrases }
    }

    fn judged(language: &str, heard: &Heard) -> Verdict {
        let phrases = phrases::for_language(&language.parse().unwrap());
        let said = format!("Bonjour. {}", phrases.recording_question);
        judge(&asked(phrases, &said), heard).unwrap()
    }

    fn consent(language: &str, text: &str) -> RecordingConsent {
        match judged(language, &speech(text)) {
            Verdict::Decided { consent, .. } => consent,
            Verdict::AskAgain => panic!("{text}: asked again"),
        }
    }

    const fn decided(consent: RecordingConsent, only_that: bool) -> Verdict {
        Verdict::Decided { consent, only_that }
    }

    #[test]
    fn only_a_clear_yes_is_one() {
        for text in [
            "Oui",
            "oui oui, d'accord",
            "Oui, merci",
            "Pas de problème",
            "Euh oui",
            "Ben oui",
            "Moi je suis d'accord",
            "Oui, ça ne me dérange pas",
            "Un.",
            "1",
            "Oui s'il vous plaît",
        ] {
            assert_eq!(judged("fr-FR", &speech(text)), decided(Granted, true), "{text}");
        }
        for text in ["Yes", "Yes, that's fine, thank you", "I don't mind", "OK, go ahead"] {
            assert_eq!(judged("en-GB", &speech(text)), decided(Granted, true), "{text}");
        }
        for text in [
            "D'accord, mais sans être enregistré",
            "D'accord mais sans m'enregistrer",
            "oui mais aucun enregistrement",
            "Oui, désactivez l'enregistrement",
            "Oui, arrêter d'enregistrer s'il vous plaît",
            "D'accord, mais hors de question d'enregistrer",
            "Bien sûr que je m'y oppose",
            "Tout à fait contre",
            "Absolument aucune envie",
            "Oui, ça me dérange",
            "Je suis d'accord avec rien",
            "Ok attendez",
            "Oui bonjour",
            "Oui allô",
            "Oui, enfin non",
            "Oui mais je ne veux pas être enregistré",
            "Oui, je voudrais réserver une table pour quatre",
            "Vous êtes ouverts ce soir ?",
            "",
            "Merci",
            "Je",
        ] {
            assert!(!consent("fr-FR", text).allows(), "{text}");
        }
        for text in [
            "I do mind",
            "I do object to it",
            "Of course I mind",
            "Yes I decline",
            "Fine, turn it off",
            "Ok but you can't record me",
            "Certainly won't",
            "Absolutely unacceptable",
            "Sure but without being recorded",
            "I do not",
            "I don't want it",
        ] {
            assert!(!consent("en-GB", text).allows(), "{text}");
        }
    }

    #[test]
    fn a_no_is_answered_and_a_question_asked_again() {
        for (text, expected) in [
            ("Non", decided(Refused, true)),
            ("Non merci", decided(Refused, true)),
            ("Deux", decided(Refused, true)),
            ("Je préfère pas", decided(Refused, true)),
            ("Je refuse d'être enregistré", decided(Refused, true)),
            ("Non, je voudrais réserver une table pour ce soir", decided(Refused, false)),
            ("Vous êtes ouverts ce soir ?", decided(Unanswered, false)),
            ("Je n'ai pas reçu ma commande", decided(Unanswered, false)),
            ("Pardon, vous pouvez répéter ?", Verdict::AskAgain),
        ] {
            assert_eq!(judged("fr-FR", &speech(text)), expected, "{text}");
        }
        for (keys, expected) in [
            ("1", decided(Granted, true)),
            ("2", decided(Refused, true)),
            ("*", decided(Refused, true)),
            ("12", decided(Unanswered, false)),
        ] {
            assert_eq!(judged("fr-FR", &Heard::Digits(keys.to_owned())), expected, "{keys}");
        }
        assert_eq!(judged("fr-FR", &Heard::Silence), decided(Unanswered, false));
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
            assert_eq!(judged(language, &speech(yes)), decided(Granted, true), "{language}");
            assert_eq!(judged(language, &speech(no)), decided(Refused, true), "{language}");
            let phrases = phrases::for_language(&language.parse().unwrap());
            let recorded = Asked { consent: Some(Granted), ..asked(phrases, "…") };
            assert_eq!(judge(&recorded, &speech(objection)), Some(WITHDRAWN), "{language}");
            assert_eq!(consent(language, objection), Refused, "{language}");
            // How the announcement itself says to object.
            let quoted = phrases.recording_announced.split(['«', '»', '“', '”', '„', '‘', '’']);
            let quoted = quoted.filter(|part| !part.trim().is_empty()).nth(1).unwrap();
            assert_eq!(judge(&recorded, &speech(quoted)), Some(WITHDRAWN), "{language}: {quoted}");
        }
    }

    #[test]
    fn who_is_recorded_may_object_at_any_time_and_nobody_else_is_asked() {
        let phrases = phrases::for_language(&LanguageTag::french());
        let english = phrases::for_language(&"en-GB".parse().unwrap());
        for consent in [Announced, Granted] {
            let french = Asked { consent: Some(consent), ..asked(phrases, "Pour quel jour ?") };
            for objection in [
                "Je ne veux pas être enregistré",
                "n'enregistrez pas, s'il vous plaît",
                "Je ne veux plus être enregistré",
                "Je ne veux pas que ce soit enregistré",
                "je ne veux plus d'enregistrement",
                "aucun enregistrement",
                "pas d'enregistrements",
                "Je ne consens pas à l'enregistrement",
                "étoile",
                "pas être enregistrer",
                "arrêter d'enregistrer",
                "enregistrement non merci",
                "coupez l'enregistrement",
            ] {
                assert_eq!(judge(&french, &speech(objection)), Some(WITHDRAWN), "{objection}");
            }
            let in_english = Asked { consent: Some(consent), ..asked(english, "For which day?") };
            for objection in [
                "I don't want this call recorded",
                "I don't want you to record me",
                "turn off the recording",
                "I do not consent to recording",
                "star",
                "no recordings please",
                "stop recording",
            ] {
                assert_eq!(judge(&in_english, &speech(objection)), Some(WITHDRAWN), "{objection}");
            }
            assert_eq!(judge(&french, &Heard::Digits("*".to_owned())), Some(WITHDRAWN));
            for ordinary in [
                "Oui",
                "Non",
                "Vous n'avez pas enregistré ma réservation ?",
                "Un hôtel trois étoiles",
                "C'est bien enregistré ?",
                "Pas ce soir",
            ] {
                assert_eq!(judge(&french, &speech(ordinary)), None, "{ordinary}");
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
