//! Makes a model's text speakable: no markdown, no symbols, no thinking aloud, not too long.
//!
//! A voice reads what it is given: "**bold**" becomes "star star bold". What cannot be said is
//! left out, list items become sentences, and what remains is cut at the end of a sentence.

use crate::domain::LanguageTag;

/// About a minute and a half of speech.
const LONGEST: usize = 1_200;
/// Beyond this nothing a model writes will be heard; it bounds the work.
const LONGEST_READ: usize = 50_000;

/// The text as it may be said; empty when nothing can be.
pub fn speakable(text: &str, language: &LanguageTag) -> String {
    let text: String = text.chars().take(LONGEST_READ).collect();
    let text = without_blocks(&text, "<think>", "</think>");
    let text = without_blocks(&text, "<thinking>", "</thinking>");
    let text = without_code(&text);
    let mut said = String::new();
    for line in text.lines() {
        push_line(&mut said, line);
    }
    let said = symbols(&said, language);
    shortened(&tidy(&said))
}

/// Drops what stands between two marks; a block that is never closed runs to the end, one that
/// was never opened starts at the beginning.
fn without_blocks(text: &str, open: &str, close: &str) -> String {
    let text = match (text.find(open), text.find(close)) {
        (None, Some(end)) => &text[end + close.len()..],
        (Some(start), Some(end)) if end < start => &text[end + close.len()..],
        _ => text,
    };
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, inside)) = rest.split_once(open) {
        kept.push_str(before);
        kept.push(' ');
        rest = inside.split_once(close).map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

/// Fenced code is not for ears.
fn without_code(text: &str) -> String {
    let mut fenced = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Adds a line, its marks of headings, lists, quotes and tables taken off.
fn push_line(said: &mut String, line: &str) {
    let mut line = line.trim();
    let mut marked = false;
    loop {
        let bare = line.trim_start_matches(['#', '>']).trim_start();
        let bare = bullet(bare).unwrap_or(bare);
        if bare.len() == line.len() {
            break;
        }
        marked = true;
        line = bare;
    }
    if line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | '|' | ':' | ' ')) {
        return;
    }
    let table = line.starts_with('|');
    let line = if table { line.trim_matches('|').replace('|', ", ") } else { line.to_owned() };
    let line = without_links(&line);
    let line = line.trim();
    if line.is_empty() {
        return;
    }
    // An item is a sentence of its own: the voice has to stop before and after it.
    if (marked || table) && said.trim_end().ends_with(|c: char| c.is_alphanumeric()) {
        said.push('.');
    }
    said.push(' ');
    said.push_str(line);
    if (marked || table) && line.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '*' | '_'))
    {
        said.push('.');
    }
}

/// The rest of a line after "- ", "* ", "• " or "1. ".
fn bullet(line: &str) -> Option<&str> {
    let mut chars = line.chars();
    if matches!(chars.next()?, '-' | '*' | '+' | '•' | '–' | '·') {
        return chars.as_str().strip_prefix(' ').map(str::trim_start);
    }
    let after = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = line.len() - after.len();
    let after = (1..=2).contains(&digits).then(|| after.strip_prefix(['.', ')'])).flatten()?;
    after.strip_prefix(' ').map(str::trim_start)
}

/// `[words](address)` and `![words](address)` leave their words, bare addresses their host.
fn without_links(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let link = rest[open + 1..].split_once("](").and_then(|(words, after)| {
            let (_, after) = after.split_once(')')?;
            (!words.contains('[')).then_some((words, after))
        });
        let Some((words, after)) = link else {
            kept.push_str(&rest[..=open]);
            rest = &rest[open + 1..];
            continue;
        };
        kept.push_str(rest[..open].trim_end_matches('!'));
        kept.push_str(words);
        rest = after;
    }
    kept.push_str(rest);
    let words: Vec<&str> = kept.split_whitespace().map(host).collect();
    words.join(" ")
}

/// `https://www.example.fr/menu?x=1` is said `example.fr`.
fn host(word: &str) -> &str {
    let address = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
    let Some(address) = address else { return word };
    let host = address.split(['/', '?', '#']).next().unwrap_or(address);
    host.strip_prefix("www.").unwrap_or(host).trim_end_matches(['.', ',', ')'])
}

/// Signs as words, marks of emphasis and everything that no voice can read left out.
fn symbols(text: &str, language: &LanguageTag) -> String {
    let french = language.primary() == "fr";
    let (and, percent, euros, dollars) = match language.primary() {
        "fr" => ("et", "pour cent", "euros", "dollars"),
        "es" => ("y", "por ciento", "euros", "dólares"),
        "de" => ("und", "Prozent", "Euro", "Dollar"),
        "it" => ("e", "per cento", "euro", "dollari"),
        "pt" => ("e", "por cento", "euros", "dólares"),
        "nl" => ("en", "procent", "euro", "dollar"),
        _ => ("and", "percent", "euros", "dollars"),
    };
    let chars: Vec<char> = text.chars().collect();
    let digit =
        |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
    // "20h30", "20 h 30", "20 h": the last figure before the letter that stands for hours.
    let hour = |at: usize| {
        let next = chars.get(at + 1).is_some_and(|c| c.is_alphabetic());
        let spaced = at.checked_sub(1).filter(|space| chars[*space].is_whitespace());
        let figure = spaced.unwrap_or(at).checked_sub(1);
        figure.filter(|_| french && !next && digit(figure))
    };
    let mut said = String::with_capacity(text.len());
    let mut unit: Option<&str> = None;
    for (at, &c) in chars.iter().enumerate() {
        // "€12.50": the currency is said after the amount it stands before.
        if let Some(word) = unit
            && !c.is_ascii_digit()
            && !(matches!(c, '.' | ',') && digit(Some(at + 1)))
        {
            push_word(&mut said, word);
            unit = None;
        }
        let before_amount = digit(Some(at + 1)) && !digit(at.checked_sub(1));
        match c {
            'h' if hour(at).is_some() => {
                let one = hour(at).is_some_and(|figure| {
                    chars.get(figure) == Some(&'1') && !digit(figure.checked_sub(1))
                });
                said.push_str(if one { " heure " } else { " heures " });
            }
            '€' if before_amount => unit = Some(euros),
            '$' if before_amount => unit = Some(dollars),
            '€' => push_word(&mut said, euros),
            '$' => push_word(&mut said, dollars),
            '%' => push_word(&mut said, percent),
            '&' => push_word(&mut said, and),
            '…' => said.push_str("..."),
            '’' => said.push('\''),
            '—' | '–' => said.push_str(", "),
            c if c.is_whitespace() || "“”«»\"_|\\/=~^".contains(c) => said.push(' '),
            '*' | '#' | '`' | '<' | '>' | '[' | ']' | '{' | '}' => {}
            c if c.is_alphanumeric() || is_accent(c) => said.push(c),
            c if ".,;:!?¿¡'-+@()°".contains(c) => said.push(c),
            _ => {}
        }
    }
    if let Some(word) = unit {
        push_word(&mut said, word);
    }
    said
}

/// A word between spaces; those too many are taken out later.
fn push_word(said: &mut String, word: &str) {
    said.push(' ');
    said.push_str(word);
    said.push(' ');
}

/// A letter and its accent may come as two characters.
fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// One space between words, none before a comma or a full stop.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let mark = matches!(word.chars().next(), Some('.' | ',')) && !tidy.is_empty();
        if !tidy.is_empty() && !mark {
            tidy.push(' ');
        }
        tidy.push_str(word);
    }
    if tidy.chars().any(char::is_alphanumeric) { tidy } else { String::new() }
}

/// At most [`LONGEST`] characters, cut at the end of a sentence, or else of a word.
fn shortened(text: &str) -> String {
    let Some((limit, _)) = text.char_indices().nth(LONGEST) else { return text.to_owned() };
    let head = &text[..limit];
    let sentence = head
        .char_indices()
        .filter(|(at, c)| matches!(c, '.' | '!' | '?') && text[at + 1..].starts_with(' '))
        .map(|(at, _)| at + 1)
        .next_back();
    let end = sentence.or_else(|| head.rfind(' ')).unwrap_or(limit);
    head[..end].trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn french(text: &str) -> String {
        speakable(text, &LanguageTag::french())
    }

    fn english(text: &str) -> String {
        speakable(text, &"en-US".parse().unwrap())
    }

    #[test]
    fn markdown_is_not_read_aloud() {
        for (written, said) in [
            ("**Bonjour** _à_ `vous`", "Bonjour à vous"),
            ("# Menu\n- soupe\n- poisson", "Menu. soupe. poisson."),
            ("Voici :\n1. soupe\n2) poisson", "Voici : soupe. poisson."),
            ("Voyez [la carte](https://a.fr/x) !", "Voyez la carte !"),
            ("Allez sur https://www.legourmet.fr/menu?x=1", "Allez sur legourmet.fr"),
            ("Voici\n```rust\nfn main() {}\n```\nC'est tout.", "Voici C'est tout."),
            ("| plat | prix |\n|---|---|\n| soupe | 5 € |", "plat, prix. soupe, 5 euros"),
            ("Oui 😀 !", "Oui !"),
            ("> cité", "cité."),
            ("5 * 3", "5 3"),
        ] {
            assert_eq!(french(written), said, "{written}");
        }
    }

    #[test]
    fn thinking_is_not_said() {
        assert_eq!(english("<think>hm, a table\nfor 4</think>Of course."), "Of course.");
        assert_eq!(english("hm</think> Of course."), "Of course.");
        assert_eq!(english("<think>never closed"), "");
    }

    #[test]
    fn signs_are_said_as_words() {
        assert_eq!(french("À 20h30, 12,50 €, 10 %"), "À 20 heures 30, 12,50 euros, 10 pour cent");
        assert_eq!(french("à 1h ou 21h"), "à 1 heure ou 21 heures");
        assert_eq!(french("de 1 h à 10 h 30, 3 hommes"), "de 1 heure à 10 heures 30, 3 hommes");
        assert_eq!(english("It's €12.50 & $5."), "It's 12.50 euros and 5 dollars.");
    }

    #[test]
    fn nothing_sayable_is_empty() {
        for nothing in ["", " \n ", "***", "😀", "---", "```\ncode\n```", "...", "\u{0}\u{7}"] {
            assert_eq!(french(nothing), "", "{nothing:?}");
        }
    }

    #[test]
    fn a_long_text_ends_with_a_sentence() {
        let long = "Une phrase assez courte. ".repeat(200);
        let said = french(&long);
        assert!(said.chars().count() <= LONGEST && said.ends_with("courte."));
        assert!(french(&"mot ".repeat(2000)).chars().count() <= LONGEST);
        assert_eq!(french(&"é".repeat(5000)).chars().count(), LONGEST);
    }

    proptest! {
        #[test]
        fn nothing_unsayable_is_left(text in "(?s).{0,300}", mark in "[*#`_<>\\[\\]()|~ -]{0,20}") {
            for language in ["fr-FR", "en-US", "de"] {
                let said = speakable(&format!("{mark}{text}{mark}{text}"), &language.parse().unwrap());
                prop_assert!(!said.contains(['*', '#', '`', '<', '>', '[', ']', '|', '_', '~']));
                prop_assert!(!said.chars().any(char::is_control));
                prop_assert!(!said.contains("  "));
                prop_assert!(said.chars().count() <= LONGEST);
            }
        }
    }
}
