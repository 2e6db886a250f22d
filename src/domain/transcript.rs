//! Looking for words in what was said: what is looked for, and how a hit is shown.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AssistantId, AssistantName, CallSid, Error, is_combining, root, search_words};

/// Words that are looked for at once, at most.
const MOST_WORDS: usize = 8;

/// Characters of a snippet, and of those before its first mark.
const LONGEST: usize = 160;
const BEFORE: usize = 50;

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Speaker {
    /// Who called, or was called.
    Caller,
    /// The assistant.
    Assistant,
}

impl Speaker {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Assistant => "assistant",
        }
    }
}

/// What is looked for, where, and where a page begins.
#[derive(Debug, Clone)]
pub struct TranscriptQuery {
    /// As typed.
    pub words: String,
    /// Roots of words; a turn must have all of them.
    pub roots: Vec<String>,
    /// In calls that began at or after.
    pub since: Option<Timestamp>,
    /// In calls that began before.
    pub until: Option<Timestamp>,
    /// In those of one assistant.
    pub assistant: Option<AssistantId>,
    /// Before this place: where a page ends, the next one begins.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u64,
}

impl TranscriptQuery {
    /// A query for words as people type them: without case, accents and endings.
    ///
    /// # Errors
    /// When no word is among them, or too many.
    pub fn of(words: &str, limit: u64) -> Result<Self, Error> {
        let all = text_roots(words);
        let says_something = |word: &&String| word.len() > 2 || word.parse::<u32>().is_ok();
        let telling: Vec<String> = all.iter().filter(says_something).cloned().collect();
        // Of "la réservation" the small word says nothing; alone, it is what is looked for.
        let roots = if telling.is_empty() { all } else { telling };
        if roots.is_empty() || roots.len() > MOST_WORDS {
            let message = format!("transcripts are searched for 1 to {MOST_WORDS} words");
            return Err(Error::input(message).hint("such as `annuler réservation`"));
        }
        let words = words.trim().to_owned();
        Ok(Self { words, roots, since: None, until: None, assistant: None, before: None, limit })
    }
}

/// The roots of the words of a text, each once, in order. What is indexed and what is looked for are
/// made alike by this: another way of making them needs a migration that indexes anew.
pub fn text_roots(text: &str) -> Vec<String> {
    let mut roots: Vec<String> =
        search_words(text).iter().map(|word| root(word).to_owned()).collect();
    roots.sort_unstable();
    roots.dedup();
    roots
}

/// A piece of what was said, and which characters of it were looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Snippet {
    /// The piece.
    pub text: String,
    /// From which character to before which one, counted from 0.
    pub marks: Vec<(usize, usize)>,
}

impl Snippet {
    /// The piece of a text around the first word with one of some roots.
    pub fn of(text: &str, roots: &[String]) -> Self {
        let letters: Vec<char> =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let is_marked = |from: usize, to: usize| {
            let word: String = letters[from..to].iter().collect();
            text_roots(&word).iter().any(|word| roots.contains(word))
        };
        let mut marks = Vec::new();
        let mut begun = None;
        for at in 0..=letters.len() {
            let in_word = letters.get(at).is_some_and(|c| c.is_alphanumeric() || is_combining(*c));
            match begun {
                None if in_word => begun = Some(at),
                Some(from) if !in_word => {
                    if is_marked(from, at) {
                        marks.push((from, at));
                    }
                    begun = None;
                }
                _ => {}
            }
        }
        let first = marks.first().map_or(0, |(from, _)| *from);
        let from = if letters.len() <= LONGEST { 0 } else { first.saturating_sub(BEFORE) };
        let to = letters.len().min(from + LONGEST);
        let mut piece = String::new();
        let shift = usize::from(from > 0);
        if from > 0 {
            piece.push('…');
        }
        piece.extend(&letters[from..to]);
        if to < letters.len() {
            piece.push('…');
        }
        let marks = marks
            .into_iter()
            .filter(|(begin, end)| *begin >= from && *end <= to)
            .map(|(begin, end)| (begin - from + shift, end - from + shift))
            .collect();
        Self { text: piece, marks }
    }

    /// Its parts in order, and whether each was looked for.
    pub fn parts(&self) -> Vec<(String, bool)> {
        let letters: Vec<char> = self.text.chars().collect();
        let mut parts = Vec::new();
        let mut done = 0;
        let mut push = |from: usize, to: usize, marked: bool| {
            if let Some(part) = letters.get(from..to).filter(|part| !part.is_empty()) {
                parts.push((part.iter().collect(), marked));
            }
        };
        for (from, to) in &self.marks {
            push(done, *from, false);
            push(*from, *to, true);
            done = *to;
        }
        push(done, letters.len(), false);
        parts
    }
}

/// A turn in which the words were said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TranscriptHit {
    /// In which call.
    pub call_sid: CallSid,
    /// Of which assistant.
    pub assistant: AssistantName,
    /// Who called, or was called; nobody where the number was withheld.
    pub caller: Option<String>,
    /// The turn of the call.
    pub turn: u32,
    /// When it was heard, or the turn in which it was said began.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Who said it.
    pub speaker: Speaker,
    /// What was said, around the words.
    pub snippet: Snippet,
    /// Where it stands among all: the newest call has the highest.
    #[serde(skip)]
    pub place: i64,
}

/// Some hits, the newest call first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TranscriptPage {
    /// The hits.
    pub hits: Vec<TranscriptHit>,
    /// Where the next page begins, unless this is the last. A page may have fewer hits than were asked for,
    /// and not be the last.
    pub next: Option<i64>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn endings_and_accents_do_not_matter() {
        for (asked, said) in [
            ("réservation", "reservations"),
            ("annuler", "j'ai annulé"),
            ("annuler", "elles sont annulées"),
            ("booking", "two bookings"),
            ("mesa", "dos mesas"),
            ("Tisch", "zwei Tische"),
            ("cani", "il cane"),
            ("œuf", "des OEUFS"),
            ("20", "à 20h30"),
        ] {
            let query = TranscriptQuery::of(asked, 10).unwrap();
            let said = text_roots(said);
            assert!(
                query.roots.iter().all(|root| said.contains(root)),
                "{asked}: {query:?} {said:?}"
            );
        }
        assert_eq!(TranscriptQuery::of("la réservation", 1).unwrap().roots.len(), 1);
        assert_eq!(TranscriptQuery::of("là", 1).unwrap().roots, ["la"]);
        assert!(TranscriptQuery::of("¿ … !", 1).is_err());
        assert!(
            TranscriptQuery::of("un deux trois quatre cinq six sept huit neuf dix", 1).is_err()
        );
    }

    #[test]
    fn what_was_looked_for_is_marked() {
        let roots = text_roots("réservation");
        let snippet = Snippet::of("Je voudrais annuler mes réservations,\nmerci.", &roots);
        let marked: Vec<(String, bool)> = snippet.parts();
        assert_eq!(marked[1], ("réservations".to_owned(), true));
        assert_eq!(marked[2].0, ", merci.");
        let long = format!("{} réservation {}", "mot ".repeat(100), "mot ".repeat(100));
        let snippet = Snippet::of(&long, &roots);
        assert!(snippet.text.starts_with('…') && snippet.text.ends_with('…'), "{snippet:?}");
        assert!(snippet.text.chars().count() <= LONGEST + 2);
        assert_eq!(snippet.parts().iter().filter(|(_, marked)| *marked).count(), 1);
    }

    proptest! {
        #[test]
        fn any_text_has_a_snippet(text in "(?s).{0,400}", words in ".{0,20}") {
            let snippet = Snippet::of(&text, &text_roots(&words));
            let whole: String = snippet.parts().into_iter().map(|(part, _)| part).collect();
            prop_assert_eq!(&whole, &snippet.text);
            for root in text_roots(&text) {
                prop_assert!(root.chars().all(char::is_alphanumeric), "{}", root);
            }
        }
    }
}
