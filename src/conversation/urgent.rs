//! Words that are acted on whoever thinks: those of somebody in an emergency, and those after which the
//! assistant's file hands the call over. Pure.

use super::{
    concierge::fold::{Token, tokens, words},
    phrases,
};
use crate::domain::{AssistantSpec, LanguageTag};

/// What was said that is to be acted on at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Urgent {
    /// What somebody in an emergency is told.
    pub(super) told: Option<String>,
    /// The word of the file after which the call is handed over.
    pub(super) word: Option<String>,
}

/// Whether something of that kind was said.
pub(super) fn heard(spec: &AssistantSpec, language: &LanguageTag, text: &str) -> Option<Urgent> {
    let listened = &phrases::for_language(language).urgent;
    let said = tokens(text);
    let not = &listened.not;
    let word = find(&said, &spec.transfer.words, not);
    let grave = find(&said, &listened.words, not).is_some();
    // A file that hands over at "urgence" may mean a burst pipe or a heart: both are told.
    let may_be_grave = word.is_some() && find(&said, &listened.urgent, not).is_some();
    let told = (grave || may_be_grave).then(|| phrases::emergency(language, &spec.phone));
    (told.is_some() || word.is_some()).then(|| Urgent { told, word: word.map(str::to_owned) })
}

/// The first phrase that is said and not denied: "ce n'est pas une urgence" says none.
fn find<'p>(said: &[Token], phrases: &'p [String], not: &[String]) -> Option<&'p str> {
    let is_denied = |at: usize| {
        not.iter().map(|phrase| words(phrase)).any(|phrase| {
            at.checked_sub(phrase.len()).is_some_and(|from| {
                // "Non, c'est une urgence": a pause in between denies nothing.
                !phrase.is_empty()
                    && is_said(&said[from..at], &phrase)
                    && said[from + 1..=at].iter().all(|token| token.before != ',')
            })
        })
    };
    phrases.iter().map(String::as_str).find(|phrase| {
        let phrase = words(phrase);
        !phrase.is_empty()
            && (0..said.len()).any(|at| {
                said.get(at..at + phrase.len()).is_some_and(|said| is_said(said, &phrase))
                    && !is_denied(at)
            })
    })
}

/// A plural `s` is forgiven.
fn is_said(said: &[Token], phrase: &[String]) -> bool {
    let singular = |word: &str| word.strip_suffix('s').filter(|stem| stem.len() > 2).map(str::len);
    said.iter().zip(phrase).all(|(token, word)| {
        let (one, other) = (token.word.as_str(), word.as_str());
        one == other
            || singular(one).map(|end| &one[..end]) == Some(other)
            || singular(other).map(|end| &other[..end]) == Some(one)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(phone: &str, words: &[&str]) -> AssistantSpec {
        serde_json::from_value(serde_json::json!({
            "name": "a", "client": "A", "phone": phone, "context": "",
            "transfer": { "number": "+33612345678", "words": words },
        }))
        .unwrap()
    }

    fn said(language: &str, words: &[&str], text: &str) -> (Option<String>, Option<String>) {
        let phone = if language.starts_with("en") { "+442079460018" } else { "+33123456789" };
        heard(&spec(phone, words), &language.parse().unwrap(), text)
            .map_or((None, None), |urgent| (urgent.told, urgent.word))
    }

    #[test]
    fn somebody_in_danger_is_told_what_to_dial() {
        for text in [
            "Mon mari a du mal à respirer",
            "Au secours, il y a le feu !",
            "Appelez une ambulance s'il vous plaît",
            "Passez-moi les pompiers",
        ] {
            let (told, word) = said("fr-FR", &[], text);
            assert!(told.unwrap().contains("le 15 ou le 112"), "{text}");
            assert_eq!(word, None);
        }
        let (told, _) = said("en-GB", &[], "I think he is having a heart attack");
        assert!(told.unwrap().contains("dial 999 or 112"));
        for text in [
            "Je voudrais réserver pour ce soir",
            "C'est urgent, je suis en panne",
            "Le parking est à côté des urgences ?",
            "Une table au premier étage",
            "",
        ] {
            assert_eq!(said("fr-FR", &[], text), (None, None), "{text}");
        }
    }

    #[test]
    fn a_word_of_the_file_is_found_unless_it_is_denied() {
        let words = ["urgence", "fuite d'eau"];
        let word = |text: &str| said("fr-FR", &words, text).1;
        assert_eq!(word("C'est une urgence !").as_deref(), Some("urgence"));
        assert_eq!(word("Non, c'est une urgence").as_deref(), Some("urgence"));
        assert_eq!(word("J'ai deux urgences").as_deref(), Some("urgence"));
        assert_eq!(word("une grosse FUITE D’EAU dans la cuisine").as_deref(), Some("fuite d'eau"));
        for text in [
            "Ce n'est pas une urgence",
            "c'est pas vraiment une urgence",
            "il n'y a aucune urgence",
            "Rien d'urgent",
            "Une fuite de gaz ?",
        ] {
            assert_eq!(word(text), None, "{text}");
        }
        assert_eq!(said("en-GB", &["emergency"], "it's not an emergency").1, None);
        assert_eq!(
            said("en-GB", &["emergency"], "No, it's an emergency").1.as_deref(),
            Some("emergency")
        );
    }

    #[test]
    fn what_may_be_grave_is_told_beside_the_handing_over() {
        assert!(said("fr-FR", &["urgence"], "c'est une urgence").0.is_some());
        assert!(said("fr-FR", &["fuite d'eau"], "une fuite d'eau").0.is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", word in "\\PC{1,20}") {
            let _ = said("fr-FR", &[&word], &text);
        }
    }
}
