//! How satisfied is the caller? One question before the goodbye, where the file says so, and its
//! answer. Pure.
//!
//! Nobody is asked twice, nor after a call that somebody else took over or in which somebody was in
//! danger; and whoever says something else than a score is simply listened to.

use super::{
    aloud::Saying,
    concierge::fold,
    engine::Scene,
    phrases::{self, RatingWords},
};
use crate::domain::{Heard, LanguageTag, Next, Rating, Turn};

/// What the caller answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// A score.
    Rated(Rating),
    /// None, and nothing else is wanted.
    Declined,
}

/// The answer to the question, if it was asked just now; nothing when something else was said.
pub(super) fn answer(history: &[Turn], language: &LanguageTag, heard: &Heard) -> Option<Answer> {
    // A call that broke off and went on has words of ours in between.
    let last = history.iter().rfind(|turn| turn.heard.is_some())?;
    if !was_asked_in(last) {
        return None;
    }
    match heard {
        Heard::Silence => Some(Answer::Declined),
        Heard::Digits(keys) => {
            let score = keys.parse().ok().filter(|score| (1..=5).contains(score));
            Some(score.map_or(Answer::Declined, |score| Answer::Rated(Rating { score, why: None })))
        }
        Heard::Speech { text, .. } => [&last.language, language].into_iter().find_map(|language| {
            let words = &phrases::for_language(language).rating;
            if let Some(score) = score(words, text) {
                return Some(Answer::Rated(Rating { score, why: Some(text.clone()) }));
            }
            let said = fold::words(text);
            let declines = Found::of(&said, &[&words.declines, &words.manners])?;
            declines.has(0).then_some(Answer::Declined)
        }),
    }
}

/// Whether a turn asked, and the caller heard some of the question at least.
fn was_asked_in(turn: &Turn) -> bool {
    let question = phrases::for_language(&turn.language).satisfaction.question.as_str();
    let said = turn.said.as_deref().unwrap_or_default();
    let Some(unheard) = &turn.unheard else { return said.contains(question) };
    let whole = format!("{} {}", said.trim(), unheard.trim());
    whole.find(question).is_some_and(|at| said.trim().len() > at)
}

/// Whether the caller is to be asked before this call ends.
pub(super) fn is_due(scene: &Scene) -> bool {
    let spec = &scene.assistant.spec;
    let spoke = |turn: &Turn| matches!(&turn.heard, Some(Heard::Speech { text, .. }) if !text.trim().is_empty());
    let stops = |turn: &Turn| {
        let said = turn.said.as_deref().unwrap_or_default();
        let told = phrases::emergency(&turn.language, &spec.phone);
        matches!(turn.next, Some(Next::Transfer(_))) || said.contains(&told) || was_asked_in(turn)
    };
    spec.after.asks()
        && scene.call.satisfaction.is_none()
        && scene.heard != Heard::Silence
        // A wrong number is not asked whether it liked the call.
        && scene.history.iter().any(spoke)
        && !scene.history.iter().any(stops)
}

/// What a model says before it hangs up, with the question after it where one is due: it was told not to
/// say goodbye where callers are asked.
pub(super) fn after_model(
    scene: &Scene,
    text: String,
    next: Next,
    saying: &mut Option<Saying>,
) -> (String, Next) {
    let interrupted = saying.as_ref().is_some_and(Saying::is_interrupted);
    if next != Next::HangUp || !scene.assistant.spec.after.asks() || interrupted {
        return (text, next);
    }
    let phrases = phrases::for_language(&scene.call.language);
    let (more, next) = if is_due(scene) {
        (&phrases.satisfaction.question, Next::Listen)
    } else {
        (&phrases.goodbye, Next::HangUp)
    };
    if text.ends_with(more.as_str()) {
        return (text, next);
    }
    match saying {
        Some(saying) => {
            saying.say(more);
            (saying.said().to_owned(), next)
        }
        None => (format!("{text} {more}"), next),
    }
}

/// What the concierge says before it hangs up: the question takes the place of its goodbye.
pub(super) fn after_concierge(scene: &Scene, text: String, next: Next) -> (String, Next) {
    if next != Next::HangUp || !is_due(scene) {
        return (text, next);
    }
    let phrases = phrases::for_language(&scene.call.language);
    let lead = text.strip_suffix(phrases.goodbye.as_str()).unwrap_or(&text).trim();
    (format!("{lead} {}", phrases.satisfaction.question).trim().to_owned(), Next::Listen)
}

/// The score in a text that says nothing else. The last one counts: people correct themselves. The word
/// for 1 is an article where there is another one.
fn score(words: &RatingWords, text: &str) -> Option<u8> {
    let mut tokens = fold::tokens(text);
    // "4/5" is out of five; "4,5" is no score that there is.
    tokens.retain(|token| !(token.before == '/' && token.is_figures()));
    let is_broken = |pair: &[fold::Token]| {
        pair.iter().all(fold::Token::is_figures) && matches!(pair[1].before, '.' | ',')
    };
    if tokens.windows(2).any(is_broken) {
        return None;
    }
    let said: Vec<String> = tokens.into_iter().map(|token| token.word).collect();
    let mut lists: Vec<&Vec<String>> = words.scores.iter().collect();
    lists.extend([&words.scale, &words.manners]);
    let found = Found::of(&said, &lists)?;
    let scores = found.0.iter().filter_map(|piece| match piece {
        Piece::Figure(score) => Some(*score),
        Piece::Phrase(list) if *list < words.scores.len() => u8::try_from(*list + 1).ok(),
        Piece::Phrase(_) => None,
    });
    let scores: Vec<u8> = scores.collect();
    let not_one = scores.iter().rev().find(|score| **score != 1);
    not_one.or(scores.last()).copied()
}

/// What a text is made of, if it is made of nothing else.
struct Found(Vec<Piece>);

enum Piece {
    /// A phrase of this list.
    Phrase(usize),
    /// A figure from 1 to 5.
    Figure(u8),
}

impl Found {
    /// The longest phrase counts; of phrases as long, that of the first list.
    fn of(said: &[String], lists: &[&Vec<String>]) -> Option<Self> {
        let phrases =
            || lists.iter().enumerate().flat_map(|(at, list)| list.iter().map(move |p| (at, p)));
        let phrases: Vec<(usize, Vec<String>)> =
            phrases().map(|(at, phrase)| (at, fold::words(phrase))).collect();
        let (mut rest, mut found) = (said, Vec::new());
        while let Some(first) = rest.first() {
            let mut longest: Option<(usize, usize)> = None;
            for (list, phrase) in &phrases {
                let is_longer = longest.is_none_or(|(_, length)| phrase.len() > length);
                if !phrase.is_empty() && is_longer && rest.starts_with(phrase) {
                    longest = Some((*list, phrase.len()));
                }
            }
            let figure = first.parse().ok().filter(|figure| (1..=5).contains(figure));
            let taken = match (longest, figure) {
                (Some((list, length)), None) => {
                    found.push(Piece::Phrase(list));
                    length
                }
                (_, Some(figure)) => {
                    found.push(Piece::Figure(figure));
                    1
                }
                (None, None) => return None,
            };
            rest = &rest[taken..];
        }
        (!found.is_empty()).then_some(Self(found))
    }

    fn has(&self, list: usize) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Phrase(found) if *found == list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallId, TokenUsage, TurnTimings};

    fn turn(language: &str, said: &str, unheard: Option<&str>) -> Turn {
        Turn {
            call: CallId(1),
            number: 1,
            heard: Some(Heard::words("c'est tout")),
            heard_at: jiff::Timestamp::UNIX_EPOCH,
            said: Some(said.to_owned()),
            unheard: unheard.map(str::to_owned),
            language: language.parse().unwrap(),
            next: Some(Next::Listen),
            engine: None,
            attempts: Vec::new(),
            tools: Vec::new(),
            state: None,
            timings: TurnTimings::default(),
            usage: TokenUsage::default(),
            fillers: 0,
            ear: None,
            mouth: None,
            twiml: None,
        }
    }

    fn question(language: &str) -> &'static str {
        &phrases::for_language(&language.parse().unwrap()).satisfaction.question
    }

    fn answered(language: &str, heard: &Heard) -> Option<Answer> {
        let turn = turn(language, &format!("Bien. {}", question(language)), None);
        answer(&[turn], &language.parse().unwrap(), heard)
    }

    fn rated(language: &str, text: &str) -> Option<u8> {
        match answered(language, &Heard::words(text)) {
            Some(Answer::Rated(rating)) => {
                assert_eq!(rating.why.as_deref(), Some(text));
                Some(rating.score)
            }
            _ => None,
        }
    }

    #[test]
    fn a_score_is_a_number_or_a_word_in_every_language() {
        for (language, text, score) in [
            ("fr-FR", "Cinq", 5),
            ("fr-FR", "5", 5),
            ("fr-FR", "Je dirais quatre, merci.", 4),
            ("fr-FR", "quatre sur cinq", 4),
            ("fr-FR", "4/5", 4),
            ("fr-FR", "4 étoiles", 4),
            ("fr-FR", "Très bien, merci beaucoup", 5),
            ("fr-FR", "pas terrible", 2),
            ("fr-FR", "Pas mal du tout", 4),
            ("fr-FR", "pas très satisfait", 2),
            ("fr-FR", "Je suis très satisfaite", 5),
            ("fr-FR", "C'était nul", 1),
            ("fr-FR", "oui, tout à fait satisfait", 5),
            ("fr-FR", "bien, très bien", 5),
            ("fr-FR", "Un", 1),
            ("en-GB", "I'd say four out of five", 4),
            ("en-GB", "very good, thank you", 5),
            ("en-GB", "not great", 2),
            ("en-GB", "it was a very good one", 5),
            ("fr-FR", "Je mets un quatre", 4),
            ("en-US", "three stars", 3),
            ("es-ES", "muy bien, gracias", 5),
            ("es-ES", "le doy un cuatro", 4),
            ("de-DE", "Ich bin sehr zufrieden", 5),
            ("de-DE", "nicht so gut", 2),
            ("it-IT", "cinque su cinque", 5),
            ("pt-PT", "estou muito satisfeita", 5),
            ("nl-NL", "ik geef een vier", 4),
            ("nl-NL", "heel tevreden", 5),
        ] {
            assert_eq!(rated(language, text), Some(score), "{language} {text}");
        }
    }

    #[test]
    fn what_is_no_score_is_none() {
        for text in [
            "une table pour cinq",
            "quatre ou cinq",
            "4,5",
            "3.5",
            "Vous êtes ouverts à cinq heures ?",
            "je ne suis pas content de vous",
            "En fait je voudrais annuler",
            "sept",
            "",
        ] {
            assert_eq!(rated("fr-FR", text), None, "{text}");
        }
        for text in ["non merci", "Au revoir", "je n'ai pas le temps", "non, au revoir, merci"] {
            let answer = answered("fr-FR", &Heard::words(text));
            assert_eq!(answer, Some(Answer::Declined), "{text}");
        }
        assert_eq!(answered("fr-FR", &Heard::words("j'ai une autre question")), None);
        assert_eq!(answered("fr-FR", &Heard::Silence), Some(Answer::Declined));
    }

    #[test]
    fn keys_are_scores() {
        let key = |keys: &str| answered("de-DE", &Heard::Digits(keys.to_owned()));
        let five = Answer::Rated(Rating { score: 5, why: None });
        assert_eq!(key("5"), Some(five));
        for keys in ["0", "6", "55", "*", "#"] {
            assert_eq!(key(keys), Some(Answer::Declined), "{keys}");
        }
    }

    #[test]
    fn only_who_was_asked_answers() {
        let french = LanguageTag::french();
        let said = |turn: Turn| answer(&[turn], &french, &Heard::words("cinq"));
        assert_eq!(said(turn("fr-FR", "Pour combien de personnes ?", None)), None);
        let (heard, rest) = question("fr-FR").split_once(" êtes-vous").unwrap();
        let rest = format!("êtes-vous{rest}");
        assert!(said(turn("fr-FR", &format!("Bien. {heard}"), Some(&rest))).is_some());
        assert_eq!(said(turn("fr-FR", "Bien.", Some(question("fr-FR")))), None, "not heard");
        // It was asked before the call went on in another language.
        assert!(said(turn("en-GB", question("en-GB"), None)).is_some());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            for code in ["fr", "en", "es", "de", "it", "pt", "nl"] {
                let _ = answered(code, &Heard::words(text.as_str()));
            }
        }
    }
}
