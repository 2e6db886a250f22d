//! Words that an ear repeats after another one told them: found, and left out.
//!
//! Two ears seldom agree on every word, so what was told is laid over the beginning of what is told
//! now where it fits best.

use super::Heard;

/// What was told of an utterance before another ear heard it from its beginning.
pub(super) struct Repeat {
    /// Its words, in small letters.
    told: Vec<String>,
    /// Finals of the new ear, held until the utterance is whole.
    held: String,
    last: Option<Heard>,
}

impl Repeat {
    pub(super) fn of(told: &[String]) -> Self {
        let told = told.iter().flat_map(|text| words(text)).map(|(_, word)| word).collect();
        Self { told, held: String::new(), last: None }
    }

    /// What is told without what was told before.
    pub(super) fn without(&mut self, heard: Heard) -> Vec<Heard> {
        if self.told.is_empty() {
            return vec![heard];
        }
        match heard {
            Heard::Interim(text) => {
                let rest = self.rest(&format!("{} {text}", self.held));
                if rest.is_empty() { Vec::new() } else { vec![Heard::Interim(rest)] }
            }
            Heard::Final { ref text, .. } => {
                if !self.held.is_empty() {
                    self.held.push(' ');
                }
                self.held.push_str(text);
                self.last = Some(heard);
                Vec::new()
            }
            Heard::EagerTurnEnd | Heard::TurnResumed => vec![heard],
            Heard::Finished | Heard::TurnEnd => {
                let rest = self.rest(&self.held);
                self.told.clear();
                match self.last.take() {
                    Some(Heard::Final { confidence, language, .. }) if !rest.is_empty() => {
                        vec![Heard::Final { text: rest, confidence, language }, heard]
                    }
                    _ => vec![heard],
                }
            }
        }
    }

    fn rest(&self, text: &str) -> String {
        let words = words(text);
        let new: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
        match words.get(covered(&self.told, &new)) {
            Some((place, _)) => text[*place..].trim_end().to_owned(),
            None => String::new(),
        }
    }
}

/// Words with their places, in small letters and without punctuation.
fn words(text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let plain: String =
            word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        if !plain.is_empty() {
            words.push((word.as_ptr().addr() - text.as_ptr().addr(), plain));
        }
    }
    words
}

/// How many of the first new words are the old ones: so many that the fewest words have to be
/// changed, put in or left out. In doubt fewer: a word told twice is better than one lost.
fn covered(old: &[String], new: &[&str]) -> usize {
    // Levenshtein's distance to each beginning of the new words, a row for each old word.
    let mut row: Vec<usize> = (0..=new.len()).collect();
    for (i, old) in old.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, new) in new.iter().enumerate() {
            let changed = diagonal + usize::from(old != new);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    let least = row.iter().min().copied().unwrap_or(0);
    row.iter().position(|cost| *cost == least).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(told: &[&str]) -> Repeat {
        Repeat::of(&told.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
    }

    fn last(text: &str) -> Heard {
        Heard::Final { text: text.to_owned(), confidence: None, language: None }
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        for (told, now, rest) in [
            ("I would like", "I would like a table.", "a table."),
            ("I would like,", "I'd like a table", "a table"),
            ("Hello?", "hello", ""),
            // The beginning is lost, nothing was repeated.
            ("I want a table for two", "tomorrow at eight", "tomorrow at eight"),
            ("Je voudrais réserver", "Je voudrais réserver, une table", "une table"),
            ("a b", "", ""),
        ] {
            assert_eq!(of(&[told]).rest(now), rest, "{told} | {now}");
        }
    }

    #[test]
    fn finals_are_held_until_the_utterance_is_whole() {
        let mut repeat = of(&["I would", "like"]);
        assert_eq!(repeat.without(Heard::Interim("I would".to_owned())), []);
        assert_eq!(repeat.without(last("I would like")), []);
        let interim = Heard::Interim("a table".to_owned());
        assert_eq!(repeat.without(interim.clone()), [interim]);
        assert_eq!(repeat.without(last("a table.")), []);
        assert_eq!(repeat.without(Heard::Finished), [last("a table."), Heard::Finished]);
        // From here on nothing is a repetition.
        assert_eq!(repeat.without(last("I would like")), [last("I would like")]);
    }

    #[test]
    fn nothing_is_held_where_nothing_was_told() {
        let mut repeat = of(&[]);
        assert_eq!(repeat.without(last("hello")), [last("hello")]);
        assert_eq!(of(&["hello"]).without(Heard::TurnEnd), [Heard::TurnEnd]);
    }

    proptest::proptest! {
        #[test]
        fn any_two_texts_can_be_compared(told in ".{0,80}", now in ".{0,80}") {
            let rest = of(&[&told]).rest(&now);
            proptest::prop_assert!(now.trim_end().ends_with(&rest));
        }
    }
}
