//! What others wrote, on the way to somebody's terminal: nothing in it moves the cursor, sets a title or
//! turns the direction of reading. Colours are let through, which are ours more often than not.

use std::borrow::Cow;

/// What stands where something was taken out.
const TAKEN_OUT: char = '\u{fffd}';

/// Whether a terminal does something with it, other than show it.
fn acts(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
        || (character.is_control() && !matches!(character, '\n' | '\t'))
}

/// A text of ours with others' words in it.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(acts) {
        let (before, from) = rest.split_at(at);
        harmless.push_str(before);
        let kept = colour(from).or_else(|| from.starts_with("\r\n").then_some(2));
        if let Some(kept) = kept {
            harmless.push_str(&from[..kept]);
            rest = &from[kept..];
        } else {
            harmless.push(TAKEN_OUT);
            rest = from.strip_prefix(acts).unwrap_or_default();
        }
    }
    harmless.push_str(rest);
    Cow::Owned(harmless)
}

/// The same of what is not ours at all: no colours either.
pub(super) fn words(words: &str) -> Cow<'_, str> {
    if words.contains(acts) {
        words.replace(acts, &TAKEN_OUT.to_string()).into()
    } else {
        Cow::Borrowed(words)
    }
}

/// How long the sequence at the beginning is that changes how text looks, and nothing else
/// (ECMA-48, SGR).
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_moves_the_cursor_and_colours_stay() {
        assert_eq!(
            text("Zoé\t1\n\u{1b}[1;31mrot\u{1b}[0m\r\n"),
            "Zoé\t1\n\u{1b}[1;31mrot\u{1b}[0m\r\n"
        );
        for (wild, tame) in [
            ("\u{1b}]0;PWND\u{7}x", "\u{fffd}]0;PWND\u{fffd}x"),
            ("a\u{1b}[1A\u{1b}[2Kb", "a\u{fffd}[1A\u{fffd}[2Kb"),
            ("\u{9b}2J", "\u{fffd}2J"),
            ("a\u{202e}b\u{2028}c", "a\u{fffd}b\u{fffd}c"),
            ("back\rfront\u{8}", "back\u{fffd}front\u{fffd}"),
            ("\u{1b}[31", "\u{fffd}[31"),
        ] {
            assert_eq!(text(wild), tame, "{wild:?}");
        }
        assert_eq!(words("\u{1b}[31mrot"), "\u{fffd}[31mrot");
    }

    proptest! {
        #[test]
        fn whatever_it_is_only_colours_are_left(wild in "(\\PC|\\x1b|\\[|[0-9;m]|\\r|\\n|\u{9b}|\u{202e}){0,40}") {
            let tame = text(&wild);
            let mut rest: &str = &tame;
            while let Some(at) = rest.find(acts) {
                let kept = colour(&rest[at..]).or_else(|| rest[at..].starts_with("\r\n").then_some(2));
                prop_assert!(kept.is_some(), "{tame:?}");
                rest = &rest[at + kept.unwrap_or_default()..];
            }
            prop_assert!(!words(&wild).contains(acts));
        }
    }
}
