//! When has a caller finished? A pure guess from the words so far: how long a silence must be to end
//! an utterance.

/// Bounds of what comes out, in milliseconds.
const SHORTEST: u32 = 200;
const LONGEST: u32 = 3_000;

/// Digits of a telephone number: fewer are not the end of one.
const NUMBER: usize = 10;

/// Words after which more follows, in our languages: hesitation, conjunctions, articles,
/// prepositions.
const OPEN_ENDED: &[&str] = &[
    // French
    "euh", "heu", "hum", "ben", "bah", "alors", "donc", "et", "ou", "mais", "car", "que", "qui",
    "pour", "de", "du", "des", "le", "la", "les", "un", "une", "à", "au", "aux", "avec", "chez",
    "dans", "sur", "vers", "c'est", "parce", "quand", "si", "mon", "ma", "mes", "votre",
    // English
    "uh", "um", "er", "erm", "so", "and", "or", "but", "because", "that", "for", "the", "a", "an",
    "to", "at", "with", "of", "in", "on", "my", "is", "if", "when", "maybe",
    // Spanish, Italian, Portuguese
    "eh", "este", "pues", "y", "o", "pero", "porque", "para", "el", "los", "las", "del", "con",
    "allora", "per", "il", "di", "e", "ma", "com", "do", "um", // German, Dutch
    "äh", "ähm", "und", "oder", "aber", "weil", "für", "der", "die", "das", "mit",
];

/// How long a silence ends an utterance, in milliseconds; `pause` is the one after an ordinary end.
pub fn pause_after(words: &str, pause: u32) -> u32 {
    let words = words.trim();
    let factor = if words.is_empty() {
        // Nothing is known of the words yet.
        1.2
    } else if is_open_ended(words) {
        2.2
    } else if is_unfinished_number(words) {
        2.0
    } else if words.ends_with(['.', '?', '!']) {
        0.8
    } else {
        1.0
    };
    ((f64::from(pause) * factor) as u32).clamp(SHORTEST, LONGEST)
}

/// Whether more is likely to follow: after "euh", or in the middle of a number.
pub(super) fn expects_more(words: &str) -> bool {
    let words = words.trim();
    is_open_ended(words) || is_unfinished_number(words)
}

fn is_open_ended(words: &str) -> bool {
    if words.ends_with([',', '…', '-']) || words.ends_with("...") {
        return true;
    }
    // A recogniser that sets full stops sets them after "euh" as well.
    let bare = words.trim_end_matches(['.', '?', '!']).to_lowercase().replace('’', "'");
    bare.rsplit(char::is_whitespace).next().is_some_and(|last| OPEN_ENDED.contains(&last))
}

/// Whether it ends in the middle of digits that are read out: "06 12 34".
fn is_unfinished_number(words: &str) -> bool {
    let tail = words.trim_end_matches('.');
    let read_out: String = tail
        .chars()
        .rev()
        .take_while(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | '-'))
        .collect();
    let groups = read_out.split([' ', '.', '-']).filter(|group| !group.is_empty()).count();
    let digits = read_out.chars().filter(char::is_ascii_digit).count();
    // "à 20" is an hour, "06 12" the beginning of a number, ten digits the whole of one.
    groups >= 2 && digits < NUMBER
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(words: &str) -> u32 {
        pause_after(words, 500)
    }

    #[test]
    fn shorter_after_a_finished_sentence_and_longer_after_a_hesitation() {
        let (done, plain) =
            (pause("Je voudrais réserver une table."), pause("Je voudrais réserver"));
        assert!(done < plain, "{done} {plain}");
        for open in [
            "Je voudrais, euh",
            "Je voudrais euh.",
            "pour ce soir et",
            "a table for",
            "Ich möchte einen Tisch für",
            "demain,",
            "c’est",
        ] {
            assert!(pause(open) > plain * 2, "{open}");
        }
    }

    #[test]
    fn a_number_that_is_read_out_is_waited_for() {
        for unfinished in ["mon numéro est le 06 12", "06 12 34 56", "c'est le 06.12."] {
            assert!(pause(unfinished) >= 1_000, "{unfinished}");
        }
        for whole in ["06 12 34 56 78", "nous serons 4", "à 20 h", "le 24"] {
            assert!(pause(whole) <= 500, "{whole}");
        }
    }

    #[test]
    fn bounds_hold() {
        assert_eq!(pause_after("euh", 3_000), LONGEST);
        assert_eq!(pause_after("Oui.", 200), SHORTEST);
        assert_eq!(pause_after("", 500), 600);
    }
}
