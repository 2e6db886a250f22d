//! Passages found by what they mean: vectors, how alike they are, and how what is found by meaning and
//! what is found by words become one list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::LanguageTag,
    rank::{Found, Passage},
    words::search_words,
};

/// The longest vector, in numbers.
pub const MOST_DIMENSIONS: usize = 4_096;

/// Passages found by meaning, at most.
const MOST: usize = 8;

/// Below this likeness nothing is about the question, whichever model says so.
const LEAST: f32 = 0.2;

/// How near to the best the others must be.
const NEAR_THE_BEST: f32 = 0.75;

/// From so many passages on, what is found must stand out of all of them: models differ in how alike two
/// texts are that have nothing to do with each other, and the passages themselves tell it.
const TELLING: usize = 8;

/// What reciprocal rank fusion adds to each place; the constant of its authors (Cormack et al., 2009).
const FUSION: f64 = 60.0;

/// Words that go on with what was asked before, by language.
const GOES_ON: [(&str, &[&str]); 7] = [
    ("fr", &["et", "ou", "mais", "alors", "sinon"]),
    ("en", &["and", "or", "but", "what"]),
    ("es", &["y", "e", "o", "pero"]),
    ("de", &["und", "oder", "aber"]),
    ("it", &["e", "ed", "o", "ma"]),
    ("pt", &["e", "ou", "mas"]),
    ("nl", &["en", "of", "maar"]),
];

/// The longest of them, in words; and without such a word, where it is a question.
const LONGEST_GOING_ON: usize = 8;
const SHORT_QUESTION: usize = 4;

/// The direction of an embedding, a byte a number: what likeness needs, in a quarter of the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vector {
    values: Box<[i8]>,
    length: i32,
}

impl Vector {
    /// Of the numbers of a model.
    pub fn of(numbers: &[f32]) -> Self {
        let most = numbers.iter().fold(0.0_f32, |most, number| most.max(number.abs()));
        let scale = if most > 0.0 { 127.0 / most } else { 0.0 };
        Self::from_values(numbers.iter().map(|number| (number * scale).round() as i8).collect())
    }

    /// As it is kept.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::from_values(bytes.iter().map(|byte| i8::from_ne_bytes([*byte])).collect())
    }

    /// To be kept.
    pub fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_ne_bytes()).collect()
    }

    /// How much room it takes.
    pub fn size(&self) -> usize {
        self.values.len()
    }

    fn from_values(values: Box<[i8]>) -> Self {
        let length = dot(&values, &values);
        Self { values, length }
    }

    /// The cosine between two: 1 where they are of one direction. Vectors of two models are not alike.
    pub fn likeness(&self, other: &Self) -> f32 {
        if self.values.len() != other.values.len() || self.length == 0 || other.length == 0 {
            return 0.0;
        }
        let lengths = f64::from(self.length).sqrt() * f64::from(other.length).sqrt();
        (f64::from(dot(&self.values, &other.values)) / lengths) as f32
    }
}

/// At most 4,096 products of two bytes: it fits.
fn dot(one: &[i8], other: &[i8]) -> i32 {
    one.iter().zip(other).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
}

/// Which of some vectors are nearest to a question's, the nearest first: their places, and how alike they
/// are. Nothing where none stands out.
pub fn nearest(question: &Vector, vectors: &[Vector]) -> Vec<(usize, f32)> {
    let alike: Vec<f32> = vectors.iter().map(|vector| question.likeness(vector)).collect();
    let count = alike.len() as f32;
    let mean = alike.iter().sum::<f32>() / count.max(1.0);
    let spread = alike.iter().map(|one| (one - mean).powi(2)).sum::<f32>() / count.max(1.0);
    let stands_out = if alike.len() < TELLING { LEAST } else { LEAST.max(mean + spread.sqrt()) };
    let best = alike.iter().copied().fold(0.0, f32::max);
    let least = stands_out.max(NEAR_THE_BEST * best);
    let mut near: Vec<(usize, f32)> =
        alike.into_iter().enumerate().filter(|(_, alike)| *alike >= least).collect();
    near.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    near.truncate(MOST);
    near
}

/// How a passage was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FoundBy {
    /// The words of the question stand in it.
    #[default]
    Words,
    /// It is about what the question is about, in other words.
    Meaning,
    /// Both.
    Both,
}

impl FoundBy {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Meaning => "meaning",
            Self::Both => "both",
        }
    }
}

/// What was found by words and by meaning as one list, by reciprocal rank fusion.
pub fn merge(by_words: Vec<Found>, by_meaning: Vec<(Passage, f32)>) -> Vec<Found> {
    let at = |place: usize| 1.0 / (FUSION + 1.0 + place as f64);
    let mut merged: Vec<(f64, Found)> = by_words
        .into_iter()
        .enumerate()
        .map(|(place, found)| (at(place), Found { place, ..found }))
        .collect();
    for (place, (passage, likeness)) in by_meaning.into_iter().enumerate() {
        match merged.iter_mut().find(|(_, found)| found.passage == passage) {
            Some((score, found)) if found.likeness.is_none() => {
                *score += at(place);
                (found.by, found.likeness) = (FoundBy::Both, Some(likeness));
            }
            // The same passage twice, in one document.
            Some(_) => {}
            None => {
                let by = FoundBy::Meaning;
                let found = Found { by, likeness: Some(likeness), ..Found::by_words(passage, 0.0) };
                merged.push((at(place), found));
            }
        }
    }
    // Stable: of two that are as good as each other, the one whose words were said.
    merged.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    merged.into_iter().map(|(_, found)| found).collect()
}

/// Those that were found by their words, the best first: without them, nobody can tell that a sentence
/// answers a question.
pub(super) fn worded(found: &[Found]) -> Vec<(usize, &Found)> {
    let mut worded: Vec<(usize, &Found)> =
        found.iter().enumerate().filter(|(_, one)| one.by != FoundBy::Meaning).collect();
    worded.sort_by_key(|(_, one)| one.place);
    worded
}

/// Whether something said goes on with what was asked before ("et le soir ?"), and says little without.
pub fn goes_on(said: &str, languages: &[LanguageTag]) -> bool {
    let words = search_words(said);
    let Some(first) = words.first() else { return false };
    let listed = |language: &LanguageTag| {
        let list = GOES_ON.iter().find(|(code, _)| *code == language.primary());
        list.is_some_and(|(_, list)| list.contains(&first.as_str()))
    };
    let is_question = said.trim_end().ends_with(['?', '？']);
    (words.len() <= LONGEST_GOING_ON && languages.iter().any(listed))
        || (words.len() <= SHORT_QUESTION && is_question)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn passage(text: &str) -> Passage {
        Passage { document: "a.md".parse().unwrap(), heading: String::new(), text: text.to_owned() }
    }

    fn found(text: &str, score: f64) -> Found {
        Found::by_words(passage(text), score)
    }

    #[test]
    fn what_both_find_comes_first_and_the_rest_alternates() {
        use FoundBy::{Both, Meaning, Words};
        let merged = merge(
            vec![found("a", 0.9), found("b", 0.5), found("c", 0.4)],
            vec![
                (passage("x"), 0.8),
                (passage("b"), 0.7),
                (passage("y"), 0.5),
                (passage("b"), 0.4),
            ],
        );
        let told: Vec<(&str, FoundBy)> =
            merged.iter().map(|one| (one.passage.text.as_str(), one.by)).collect();
        assert_eq!(told, [("b", Both), ("a", Words), ("x", Meaning), ("c", Words), ("y", Meaning)]);
        assert_eq!(merged[0].likeness, Some(0.7));
        let worded: Vec<&str> =
            super::worded(&merged).iter().map(|(_, one)| one.passage.text.as_str()).collect();
        assert_eq!(worded, ["a", "b", "c"], "as if there were no meaning");
    }

    #[test]
    fn only_what_stands_out_is_near() {
        let axis = |at: usize, more: f32| {
            let mut numbers = [0.3_f32; 12];
            numbers[at] += more;
            Vector::of(&numbers)
        };
        let vectors: Vec<Vector> = (0..12).map(|at| axis(at, 1.0)).collect();
        let near = nearest(&axis(3, 2.0), &vectors);
        assert_eq!(near.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [3]);
        assert_eq!(nearest(&axis(0, 1.0), &[]), []);
        let few = nearest(&axis(1, 1.0), &vectors[..2]);
        assert_eq!(few[0].0, 1);
        // Another model's.
        assert_eq!(nearest(&Vector::of(&[1.0, 0.0]), &vectors), []);
    }

    #[test]
    fn short_words_after_a_question_go_on_with_it() {
        let spoken: Vec<LanguageTag> = ["fr-FR", "en-GB", "it-IT", "de-DE", "es-ES"]
            .iter()
            .map(|tag| tag.parse().unwrap())
            .collect();
        for said in [
            "et le soir ?",
            "Et pour deux personnes",
            "and on Sundays",
            "le dimanche ?",
            "e la sera?",
            "und abends?",
            "¿y por la noche?",
        ] {
            assert!(goes_on(said, &spoken), "{said}");
        }
        for said in [
            "Merci",
            "Oui merci, au revoir",
            "Vous vendez des hélicoptères à louer ?",
            "Et sinon je voudrais savoir combien coûte la location de la salle",
            "",
            "?",
        ] {
            assert!(!goes_on(said, &spoken), "{said}");
        }
    }

    proptest! {
        #[test]
        fn a_byte_a_number_keeps_likeness(
            one in proptest::collection::vec(-1.0_f32..1.0, 64),
            other in proptest::collection::vec(-1.0_f32..1.0, 64),
        ) {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            let exact = dot(&one, &other) / (dot(&one, &one).sqrt() * dot(&other, &other).sqrt());
            let kept = Vector::from_bytes(&Vector::of(&one).bytes());
            prop_assert!((kept.likeness(&Vector::of(&other)) - exact).abs() < 0.02);
        }

        #[test]
        fn any_numbers_make_a_vector(numbers in proptest::collection::vec(any::<f32>(), 0..20)) {
            let vector = Vector::of(&numbers);
            let alike = vector.likeness(&vector);
            prop_assert!((0.0..=1.001).contains(&alike), "{alike}");
        }
    }
}
