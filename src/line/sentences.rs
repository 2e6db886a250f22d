//! Words as they come, cut into what a voice can speak by itself: a sentence, or the first clause of
//! a long one, so that speech begins before the sentence is whole.

/// Shorter than this, a sentence waits for the next: a voice needs some words to find its tune.
const SHORTEST: usize = 12;

/// The first clause of a reply is spoken by itself from this length on.
const CLAUSE: usize = 48;

/// Words that end with a full stop and no sentence, in our languages.
const ABBREVIATIONS: &[&str] = &[
    "m.", "mm.", "mme.", "mr.", "mrs.", "ms.", "dr.", "st.", "ste.", "no.", "nr.", "av.", "bd.",
    "sr.", "sra.", "dott.", "sig.", "prof.", "art.", "env.", "etc.", "z.b.",
];

/// Cuts one reply.
#[derive(Debug, Default)]
pub(super) struct Sentences {
    pending: String,
    begun: bool,
}

impl Sentences {
    /// Takes some words, gives the sentences that are whole with them.
    pub(super) fn push(&mut self, words: &str) -> Vec<String> {
        self.pending.push_str(words);
        let mut whole = Vec::new();
        while let Some(end) = self.end() {
            let rest = self.pending.split_off(end);
            let sentence = std::mem::replace(&mut self.pending, rest.trim_start().to_owned());
            self.begun = true;
            whole.push(sentence.trim().to_owned());
        }
        whole
    }

    /// What is left when no more words come.
    pub(super) fn rest(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.pending);
        let rest = rest.trim();
        let sayable = rest.chars().any(char::is_alphanumeric);
        sayable.then(|| rest.to_owned())
    }

    /// Where the first sentence ends that is surely over: more follows it.
    fn end(&self) -> Option<usize> {
        let text = &self.pending;
        let mut clause = None;
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            if !text[end..].starts_with(char::is_whitespace) {
                continue;
            }
            let long_enough = text[..end].chars().count() >= SHORTEST;
            match c {
                '!' | '?' | '…' if long_enough => return Some(end),
                '.' if long_enough && !is_abbreviation(&text[..end]) => return Some(end),
                ',' | ';' | ':' if !self.begun && at >= CLAUSE && clause.is_none() => {
                    clause = Some(end);
                }
                _ => {}
            }
        }
        clause
    }
}

fn is_abbreviation(text: &str) -> bool {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or_default().to_lowercase();
    // "A. Dupont", "20. Mai".
    let bare = word.trim_end_matches('.');
    let is_initial = bare.chars().count() == 1 && bare.chars().all(char::is_alphabetic);
    let is_ordinal =
        !bare.is_empty() && bare.len() <= 2 && bare.bytes().all(|b| b.is_ascii_digit());
    is_initial || is_ordinal || ABBREVIATIONS.contains(&word.as_str())
}

/// A whole text, cut as it would be if its words came one by one.
pub(super) fn cut(text: &str) -> Vec<String> {
    let mut sentences = Sentences::default();
    let mut all = sentences.push(text.trim_start());
    all.extend(sentences.rest());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&str]) -> Vec<String> {
        let mut sentences = Sentences::default();
        let mut all: Vec<String> = pieces.iter().flat_map(|piece| sentences.push(piece)).collect();
        all.extend(sentences.rest());
        all
    }

    #[test]
    fn a_sentence_leaves_when_the_next_begins() {
        let mut sentences = Sentences::default();
        assert!(sentences.push("Nous sommes ouverts. ").len() == 1);
        assert!(sentences.push("Voulez-vous réserver").is_empty());
        assert!(sentences.push(" ?").is_empty());
        assert_eq!(sentences.rest().as_deref(), Some("Voulez-vous réserver ?"));
        assert_eq!(sentences.rest(), None);
    }

    #[test]
    fn full_stops_that_end_nothing() {
        assert_eq!(cut(&["Je note, M. Dupont, pour le 20. mai."]).len(), 1);
        assert_eq!(cut(&["C'est 12.50 euros par personne. Merci beaucoup."]).len(), 2);
        assert_eq!(cut(&["Oui. Oui. Non."]), ["Oui. Oui. Non."]);
    }

    #[test]
    fn the_first_clause_of_a_long_sentence_does_not_wait() {
        let long =
            "Nous avons une grande terrasse au bord de la rivière, et une salle au premier étage, ";
        assert_eq!(cut(&[long, "pour les groupes."]).len(), 2);
        assert_eq!(cut(&["Bonjour, bienvenue, que puis-je faire ?"]).len(), 1);
    }

    #[test]
    fn a_whole_text_is_cut_as_its_words_would_be() {
        let text =
            "Le Gourmet, bonjour. Je suis un assistant vocal automatique. Oui. Que puis-je ?";
        let words: Vec<&str> = text.split_inclusive(' ').collect();
        assert_eq!(super::cut(&format!(" {text}")), cut(&words));
    }

    proptest::proptest! {
        #[test]
        fn no_word_is_lost(text in "([A-Za-zé0-9,.!?…]{1,9} ){0,40}", cut_at in 0_usize..100) {
            let at = text.char_indices().nth(cut_at).map_or(text.len(), |(at, _)| at);
            let (one, two) = text.split_at(at);
            let words = |text: &str| text.split_whitespace().filter(|w| w.chars().any(char::is_alphanumeric)).map(str::to_owned).collect::<Vec<_>>();
            let all = cut(&[one, two]).join(" ");
            proptest::prop_assert_eq!(words(&all), words(&text));
        }
    }
}
