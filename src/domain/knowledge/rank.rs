//! Which passages are about what a caller asked.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::LanguageTag,
    DocumentPath, FoundBy,
    words::{
        alike, asks_figures, is_figures, is_of_another, is_price, is_stop_word, language_of,
        search_words, stem,
    },
};

/// Words of a question that are looked up: nobody asks for more at once.
const MOST_WORDS: usize = 16;

/// How much of a question a passage must be about to be of use, from 0 to 1.
const OF_USE: f64 = 0.25;

/// How much a word weighs that stands in a heading, beside one that stands in the text.
const HEADING: f64 = 0.25;

/// How far behind a passage stands that is in another language than the question.
const FOREIGN: f64 = 0.2;

/// How much a word weighs that no passage has; one that half of them have weighs as much.
const NOWHERE: f64 = 0.7;

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Passage {
    /// The document.
    pub document: DocumentPath,
    /// The headings above it, the highest first; empty where there is none.
    pub heading: String,
    /// Its text, in Markdown.
    pub text: String,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// The passage.
    #[serde(flatten)]
    pub passage: Passage,
    /// How much of the question it is about, from 0 to 1, where every word that matters is in it.
    pub score: f64,
    /// How it was found.
    #[serde(default)]
    pub by: FoundBy,
    /// How near it is to the question by what they mean, up to 1, where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likeness: Option<f32>,
    /// Where it stands among those that were found by words.
    #[serde(skip)]
    pub(super) place: usize,
}

impl Found {
    /// By the words of the question.
    pub fn by_words(passage: Passage, score: f64) -> Self {
        Self { passage, score, by: FoundBy::Words, likeness: None, place: 0 }
    }
}

/// What is looked up of something said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub(super) words: Vec<String>,
    /// Whether a price, a time or a number is asked for.
    pub(super) asks_figures: bool,
    /// In which language it was said, where that is plain.
    language: Option<LanguageTag>,
}

impl Question {
    /// The words of what was said that say what it is about; the small words of some languages are none.
    pub fn of(said: &str, languages: &[LanguageTag]) -> Self {
        let all = search_words(said);
        let asks_figures = all.iter().any(|word| asks_figures(word));
        let language = language_of(&all, languages);
        let mut known = HashSet::new();
        let words = all
            .into_iter()
            .filter(|word| word.len() > 1 && !is_stop_word(word, languages))
            .filter(|word| known.insert(word.clone()));
        let (prices, mut words): (Vec<_>, Vec<_>) = words.partition(|word| is_price(word));
        // "The price of the pie" is about the pie; "your prices" is about prices.
        if words.is_empty() {
            words = prices;
        }
        words.truncate(MOST_WORDS);
        Self { words, asks_figures, language }
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// What an index is asked for: beginnings of words, and whole words. They hold letters and figures
    /// of ASCII and beyond, and nothing that a query language could take for its own.
    pub fn terms(&self) -> impl Iterator<Item = (&str, bool)> {
        self.words.iter().map(|word| {
            let stem = stem(word);
            let is_beginning = stem.chars().count() >= 3 && !is_figures(stem);
            if is_beginning { (stem, true) } else { (word.as_str(), false) }
        })
    }
}

/// The words of a passage.
pub(super) struct Words {
    heading: Vec<String>,
    text: Vec<String>,
}

impl Words {
    fn of(passage: &Passage) -> Self {
        Self { heading: search_words(&passage.heading), text: search_words(&passage.text) }
    }
}

/// The best likeness of a word among some.
pub(super) fn best(asked: &str, written: &[String]) -> f64 {
    written.iter().map(|word| alike(asked, word)).fold(0.0, f64::max)
}

/// The passages that are of use, the best first; `of` is how many there are in all, found or not. Those
/// that are as good as another stay in their order.
pub fn rank(question: &Question, passages: Vec<Passage>, of: usize) -> Vec<Found> {
    let words: Vec<Words> = passages.iter().map(Words::of).collect();
    let of = of.max(passages.len()) as f64;
    let weights: Vec<f64> = question
        .words
        .iter()
        .map(|asked| {
            let holds = |one: &&Words| best(asked, &one.heading).max(best(asked, &one.text)) > 0.0;
            let found = words.iter().filter(holds).count() as f64;
            // A word that stands nowhere says nothing of which passage is meant, and little of all.
            if found == 0.0 {
                return NOWHERE;
            }
            // A rare word says more than one that stands everywhere.
            (1.0 + (of - found + 0.5) / (found + 0.5)).ln()
        })
        .collect();
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return Vec::new();
    }
    let mut found: Vec<(f64, Found)> = passages
        .into_iter()
        .zip(&words)
        .map(|(passage, words)| {
            let (mut score, mut titled) = (0.0, 0.0);
            for (asked, weight) in question.words.iter().zip(&weights) {
                let in_heading = best(asked, &words.heading);
                score += weight * in_heading.max(best(asked, &words.text));
                titled += weight * in_heading;
            }
            let score = (score / sum).clamp(0.0, 1.0);
            let is_foreign = question
                .language
                .as_ref()
                .is_some_and(|language| is_of_another(&words.text, language));
            let foreign = if is_foreign { FOREIGN } else { 0.0 };
            // Of two that hold the same words, the one that is about them, and the shorter one.
            let short = 0.02 / (1.0 + words.text.len() as f64 / 50.0);
            (score + HEADING * titled / sum + short - foreign, Found::by_words(passage, score))
        })
        .filter(|(_, found)| found.score >= OF_USE)
        .collect();
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    found.into_iter().map(|(_, found)| found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn languages(tags: &[&str]) -> Vec<LanguageTag> {
        tags.iter().map(|tag| tag.parse().unwrap()).collect()
    }

    #[test]
    fn only_what_says_something_is_asked_for() {
        let question = Question::of(
            "Bonjour, est-ce que vous acceptez les chiens dans le restaurant, à 20h ?",
            &languages(&["fr-FR"]),
        );
        assert_eq!(question.words, ["chiens", "restaurant", "20"]);
        let terms: Vec<_> = question.terms().collect();
        assert_eq!(terms, [("chien", true), ("restaurant", true), ("20", false)]);
        assert!(!question.asks_figures);
        assert!(Question::of("Combien coûte le parking ?", &languages(&["fr-FR"])).asks_figures);
        assert!(
            Question::of("Oui, merci beaucoup, au revoir", &languages(&["fr-FR"])).words.len() <= 1
        );
    }

    #[test]
    fn the_passage_that_is_about_it_comes_first() {
        let passage = |heading: &str, text: &str| Passage {
            document: "a.md".parse().unwrap(),
            heading: heading.to_owned(),
            text: text.to_owned(),
        };
        let passages = vec![
            passage("Accès", "Le restaurant est à deux minutes du métro. Parking rue Choron."),
            passage("Animaux", "Les petits chiens sont admis en terrasse."),
            passage("Vins", "Château Chiendent, un rouge."),
        ];
        let ask = |text: &str| {
            let question = Question::of(text, &languages(&["fr-FR"]));
            rank(&question, passages.clone(), 30)
        };
        let found = ask("Vous acceptez les chiens ?");
        assert_eq!(found[0].passage.heading, "Animaux");
        assert!(found[0].score > 0.8, "{found:?}");
        // Small talk around it changes nothing.
        let found = ask("Ma tante Berthe voyage beaucoup avec ses chiens");
        assert_eq!(found[0].passage.heading, "Animaux");
        assert_eq!(ask("Où est le parking ?")[0].passage.heading, "Accès");
        assert!(ask("Avez-vous une piscine ?").is_empty());
        assert!(ask("Merci, au revoir").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn nothing_said_panics_and_no_term_is_more_than_a_word(said in ".{0,300}") {
            let question = Question::of(&said, &languages(&["fr-FR", "de-DE"]));
            for (term, _) in question.terms() {
                proptest::prop_assert!(!term.is_empty() && term.chars().all(char::is_alphanumeric), "{term}");
            }
            let passage = Passage { document: "a.md".parse().unwrap(), heading: said.clone(), text: said };
            for found in rank(&question, vec![passage], 1) {
                proptest::prop_assert!((0.0..=1.0).contains(&found.score));
            }
        }
    }
}
