//! Words without case and accents, so that "Samedi à 20h30" and "samedi a 20 h 30" are the same.
//!
//! An utterance is cut into tokens once; everything else scans tokens. Figures and letters are cut
//! apart (`20h30` is three tokens), and what stood before a token is kept, for names and clocks.

use crate::domain::{fold_into, is_combining};

/// One word or one run of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Lower case, no accents.
    pub(crate) word: String,
    /// As it was written.
    pub(crate) raw: String,
    /// What stood between this token and the one before: `\0` nothing, `,` any pause, else itself.
    pub(crate) before: char,
}

impl Token {
    /// Whether it is written in figures.
    pub(crate) fn is_figures(&self) -> bool {
        self.word.bytes().all(|b| b.is_ascii_digit())
    }
}

/// Cuts a text into tokens. Nothing in it can make this fail; a very long text is cut off.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    const LONGEST: usize = 2_000;
    let mut tokens: Vec<Token> = Vec::new();
    let mut before = ' ';
    let mut open = false;
    for c in text.chars().take(LONGEST) {
        if is_combining(c) {
            // A letter and its accent as two characters: the accent belongs to the token as heard.
            if let (true, Some(token)) = (open, tokens.last_mut()) {
                token.raw.push(c);
            }
            continue;
        }
        if !c.is_alphanumeric() {
            before = separator(if open { '\0' } else { before }, c);
            open = false;
            continue;
        }
        let figure = c.is_ascii_digit();
        match tokens.last_mut() {
            Some(token) if open && token.is_figures() == figure => {
                token.raw.push(c);
                fold_into(&mut token.word, c);
            }
            _ => {
                let mut word = String::new();
                fold_into(&mut word, c);
                let before = if open { '\0' } else { before };
                tokens.push(Token { word, raw: c.to_string(), before });
                open = true;
            }
        }
    }
    tokens
}

/// The folded words of a phrase of the vocabulary.
pub(crate) fn words(text: &str) -> Vec<String> {
    tokens(text).into_iter().map(|token| token.word).collect()
}

/// The stronger of two separators: a pause beats a sign, a sign beats a space.
fn separator(had: char, c: char) -> char {
    let c = match c {
        '’' | '`' | '´' => '\'',
        '-' | '‐' | '‑' => '-',
        ':' | '/' | '.' | '\'' => c,
        c if c.is_whitespace() => ' ',
        _ => ',',
    };
    match (had, c) {
        ('\0', c) => c,
        (had, ' ') if had != '.' && had != ':' => had,
        (' ', c) => c,
        _ => ',',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_case_and_accents_and_figures_stand_alone() {
        assert_eq!(words("Réserver à 20h30 !"), ["reserver", "a", "20", "h", "30"]);
        assert_eq!(words("aujourd’hui, L'été"), ["aujourd", "hui", "l", "ete"]);
        assert_eq!(words("re\u{301}server"), ["reserver"]);
        assert!(words(" …!? ").is_empty());
    }

    #[test]
    fn what_stood_before_is_kept() {
        let before: Vec<char> = tokens("à 7:30, Jean-Luc 5/12").iter().map(|t| t.before).collect();
        assert_eq!(before, [' ', ' ', ':', ',', '-', ' ', '/']);
    }
}
