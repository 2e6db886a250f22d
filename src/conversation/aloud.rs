//! A reply said while it is thought: a model's words leave as soon as they can be said.
//!
//! What was said cannot be taken back. So a word is held until it is whole, and until it can no
//! longer be the beginning of a promise that nobody kept (see [`promises`]).

use tokio::sync::{mpsc, watch};

use super::{
    promises::{self, Done},
    speakable::speakable,
};
use crate::domain::LanguageTag;

/// What is said of a reply, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Some words of it.
    Words(String),
    /// All that follows is in this language, and the caller is listened to in it.
    Language(LanguageTag),
}

/// Whom a reply is said to, while it is thought.
#[derive(Debug)]
pub struct Aloud {
    words: mpsc::UnboundedSender<Piece>,
    stop: watch::Receiver<bool>,
}

/// The other end: takes the words, and may interrupt.
#[derive(Debug)]
pub struct Listener {
    /// The reply in pieces; their words, joined, are its text.
    pub words: mpsc::UnboundedReceiver<Piece>,
    stop: watch::Sender<bool>,
}

impl Listener {
    /// Interrupts: the model is asked no further, and the thought ends with what was said.
    pub fn interrupt(&self) {
        self.stop.send_replace(true);
    }
}

impl Aloud {
    /// Both ends.
    pub fn new() -> (Self, Listener) {
        let (words, taken) = mpsc::unbounded_channel();
        let (interrupt, stop) = watch::channel(false);
        (Self { words, stop }, Listener { words: taken, stop: interrupt })
    }

    /// Says something that is no part of the reply.
    pub fn say(&self, text: &str) {
        // Nobody may listen any more.
        let _ = self.words.send(Piece::Words(format!("{text} ")));
    }

    /// What follows is said in another language.
    pub fn turn_to(&self, language: &LanguageTag) {
        let _ = self.words.send(Piece::Language(language.clone()));
    }
}

/// The reply of one turn as it is said.
#[derive(Debug)]
pub(super) struct Saying {
    to: Aloud,
    language: LanguageTag,
    /// Said in this turn.
    said: String,
    /// What the model wrote in this round.
    raw: String,
    /// What of it was said.
    of_round: String,
}

impl Saying {
    pub(super) fn new(to: Aloud, language: LanguageTag) -> Self {
        Self { to, language, said: String::new(), raw: String::new(), of_round: String::new() }
    }

    /// All that was said in this turn.
    pub(super) fn said(&self) -> &str {
        &self.said
    }

    /// Whether a whole sentence was said.
    pub(super) fn said_a_sentence(&self) -> bool {
        self.said.contains(['.', '!', '?', '…'])
    }

    /// Resolves when the caller interrupts; never when nobody can any more.
    pub(super) fn interrupted(&self) -> watch::Receiver<bool> {
        self.to.stop.clone()
    }

    /// Whether the caller interrupted.
    pub(super) fn is_interrupted(&self) -> bool {
        *self.to.stop.borrow()
    }

    /// A model begins to write.
    pub(super) fn begin_round(&mut self) {
        self.raw.clear();
        self.of_round.clear();
    }

    /// A model wrote some more; what is not `done` is no true promise.
    pub(super) fn write(&mut self, text: &str, done: Done) {
        self.raw.push_str(text);
        if !text.contains(char::is_whitespace) || has_open_block(&self.raw) {
            return;
        }
        let whole = self.raw.rfind(char::is_whitespace).unwrap_or(0);
        let mut sayable = speakable(&self.raw[..whole], &self.language);
        // The end of a list's item is set a full stop; this may be no end yet.
        if sayable.ends_with('.') && !self.raw[..whole].trim_end().ends_with('.') {
            sayable.pop();
        }
        let until = promises::safe_until(&sayable, &self.language, done);
        self.say_of_round(sayable[..until].trim_end());
    }

    /// The model is done with the round: says the rest, unless it is a promise that was not kept.
    /// Says whether it was one.
    pub(super) fn end_round(&mut self, done: Done) -> bool {
        let sayable = speakable(&self.raw, &self.language);
        if promises::is_promised(&sayable, &self.language, done) {
            return true;
        }
        if sayable.starts_with(&self.of_round) {
            self.say_of_round(&sayable);
        } else {
            // Rare (a bound cut the text elsewhere): goes on from where both still agree.
            let common = sayable
                .char_indices()
                .zip(self.of_round.chars())
                .take_while(|((_, a), b)| a == b)
                .map(|((at, a), _)| at + a.len_utf8())
                .last()
                .unwrap_or(0);
            let from = sayable[..common].rfind(' ').map_or(common, |at| at + 1);
            let rest = sayable[from..].to_owned();
            if self.of_round.len() < sayable.len() {
                self.say(&rest);
            }
        }
        false
    }

    /// Says something of ours.
    pub(super) fn say(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() {
            return;
        }
        let apart = !self.said.is_empty() && !self.said.ends_with(' ');
        self.send(if apart { format!(" {text}") } else { text.to_owned() });
    }

    fn say_of_round(&mut self, sayable: &str) {
        let Some(new) = sayable.strip_prefix(self.of_round.as_str()) else { return };
        if new.trim().is_empty() {
            return;
        }
        let first = self.of_round.is_empty();
        let apart = first && !self.said.is_empty() && !self.said.ends_with(' ');
        let piece = if apart { format!(" {new}") } else { new.to_owned() };
        self.of_round.push_str(new);
        self.send(piece);
    }

    fn send(&mut self, piece: String) {
        self.said.push_str(&piece);
        // Whoever listens may have hung up: the turn is still thought to its end.
        let _ = self.to.words.send(Piece::Words(piece));
    }
}

/// Whether a block that is not for ears has begun and not ended: nothing can be told of it yet.
fn has_open_block(raw: &str) -> bool {
    let open = |from: &str, to: &str| match raw.rfind(from) {
        Some(at) => !raw[at + from.len()..].contains(to),
        None => false,
    };
    let fences = raw.matches("```").count() + raw.matches("~~~").count();
    open("<think", "</think") || open("[", "]") || fences % 2 == 1 || raw.trim_end().ends_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said after each piece that a model writes, and in all.
    fn said(pieces: &[&str], kept: bool) -> (Vec<String>, String, bool) {
        let done = Done { booked: kept, cancelled: kept };
        let (aloud, mut listener) = Aloud::new();
        let mut saying = Saying::new(aloud, LanguageTag::french());
        saying.begin_round();
        let mut after = Vec::new();
        for piece in pieces {
            saying.write(piece, done);
            let mut heard = String::new();
            while let Ok(Piece::Words(words)) = listener.words.try_recv() {
                heard.push_str(&words);
            }
            after.push(heard);
        }
        let promised = saying.end_round(done);
        (after, saying.said().to_owned(), promised)
    }

    #[test]
    fn words_leave_as_soon_as_they_are_whole() {
        let (after, all, _) = said(&["Nous", " somm", "es ouv", "erts ", "ce soir."], false);
        assert_eq!(after, ["", "Nous", " sommes", " ouverts", " ce"]);
        assert_eq!(all, "Nous sommes ouverts ce soir.");
    }

    #[test]
    fn markdown_and_thinking_are_not_said_half() {
        let (after, all, _) =
            said(&["<think>hm, ", "non</think> ", "**Oui**, ", "bien ", "sûr"], false);
        assert_eq!(all, "Oui, bien sûr");
        assert_eq!(after[..2], ["", ""]);
        let (_, all, _) = said(&["Au menu :\n", "- soupe ", "de poisson\n", "- tarte\n"], false);
        assert_eq!(all, "Au menu : soupe de poisson. tarte.");
        let (_, all, _) = said(&["Voyez [la carte ", "du jour](https://a.fr/x y) ", "ici."], false);
        assert!(all.starts_with("Voyez la carte du jour"), "{all}");
    }

    #[test]
    fn a_promise_is_held_until_it_is_known_to_be_none() {
        let pieces =
            ["Très bien, la table quatre ", "est ", "réservée ", "pour 20 heures. ", "À ce soir."];
        let (after, all, promised) = said(&pieces, false);
        assert!(promised);
        assert_eq!(
            (after[0].as_str(), all.as_str()),
            ("Très bien, la table quatre", "Très bien, la table quatre")
        );
        let (_, all, promised) = said(&pieces, true);
        assert_eq!(
            (all.as_str(), promised),
            ("Très bien, la table quatre est réservée pour 20 heures. À ce soir.", false)
        );
        let (after, all, promised) = said(&["La terrasse ", "est ", "ouverte ", "le soir."], false);
        assert_eq!(after, ["La terrasse", "", " est ouverte", " le"]);
        assert_eq!((all.as_str(), promised), ("La terrasse est ouverte le soir.", false));
    }

    proptest::proptest! {
        #[test]
        fn however_it_is_cut_the_same_is_said(
            text in "([A-Za-zé,.!?*\\-#\n<>\\[\\]]{1,8} ){1,30}", cuts in proptest::collection::vec(1..12_usize, 1..40)
        ) {
            let mut pieces = Vec::new();
            let mut rest = text.as_str();
            for cut in cuts {
                let at = rest.char_indices().nth(cut).map_or(rest.len(), |(at, _)| at);
                let (piece, after) = rest.split_at(at);
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            let (_, all, promised) = said(&pieces, true);
            proptest::prop_assert!(!promised);
            let whole = speakable(&text, &LanguageTag::french());
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            proptest::prop_assert_eq!(letters(&all), letters(&whole));
        }
    }
}
