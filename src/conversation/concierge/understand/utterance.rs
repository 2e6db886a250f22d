//! An utterance as tokens, remembering which of them are already understood.

use super::{
    fold::{self, Token},
    numbers,
};
use crate::conversation::concierge::vocabulary::{Vocabulary, Words};

/// Tokens and what has been made of them.
#[derive(Debug)]
pub(crate) struct Utterance<'a> {
    pub(crate) vocabulary: &'a Vocabulary,
    pub(crate) tokens: Vec<Token>,
    used: Vec<bool>,
}

impl<'a> Utterance<'a> {
    /// Cuts what was heard into tokens.
    pub(crate) fn new(vocabulary: &'a Vocabulary, text: &str) -> Self {
        let tokens = fold::tokens(text);
        let used = vec![false; tokens.len()];
        Self { vocabulary, tokens, used }
    }

    /// Where scanners look.
    pub(crate) fn positions(&self) -> std::ops::Range<usize> {
        0..self.tokens.len()
    }

    /// Whether no token of a stretch is understood yet, and all exist.
    pub(crate) fn is_free(&self, start: usize, taken: usize) -> bool {
        self.used.get(start..start + taken).is_some_and(|used| used.iter().all(|used| !used))
    }

    /// Marks a stretch as understood.
    pub(crate) fn take(&mut self, start: usize, taken: usize) {
        for used in self.used.iter_mut().skip(start).take(taken) {
            *used = true;
        }
    }

    /// Whether a phrase is said; its words are marked.
    pub(crate) fn take_phrase(&mut self, words: &Words) -> bool {
        match words.find(&self.tokens) {
            Some((start, taken)) => {
                self.take(start, taken);
                true
            }
            None => false,
        }
    }

    /// Whether a phrase is said, already understood or not.
    pub(crate) fn says(&self, words: &Words) -> bool {
        words.find(&self.tokens).is_some()
    }

    /// Whether a phrase is said that is not understood yet.
    pub(crate) fn says_free(&self, words: &Words) -> bool {
        self.positions()
            .any(|at| words.at(&self.tokens, at).is_some_and(|taken| self.is_free(at, taken)))
    }

    /// The number not yet understood that starts at a token.
    pub(crate) fn number_at(&self, start: usize) -> Option<(i32, usize)> {
        // In "quatre, vingt heures" the time is taken first, and four must not become eighty.
        let end = (start..self.tokens.len()).find(|at| self.used[*at]).unwrap_or(self.tokens.len());
        numbers::number_at(&self.vocabulary.numbers, &self.tokens[..end], start)
    }

    /// What stood before a token.
    pub(crate) fn before(&self, at: usize) -> char {
        self.tokens.get(at).map_or(' ', |token| token.before)
    }
}
