//! A TOML file that a person wrote: read into a type, or every problem in it with its place.
//!
//! Serde stops at the first mistake; [`read`] takes the offending entry out and reads on, so that
//! one run shows them all. Source lines are never quoted: one of them may hold a key.

use std::{fmt, ops::Range};

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::domain::suggestion_hint;

/// One mistake in a file, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user named it.
    pub file: String,
    /// Line and column, from 1, when the mistake has a place.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// What to do about it, when known.
    pub hint: Option<String>,
}

impl Problem {
    /// A mistake of a whole file.
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: None, message: message.into(), hint: None }
    }

    /// A mistake at a byte of a file's text.
    pub fn at(file: &str, text: &str, byte: usize, message: impl Into<String>) -> Self {
        Self { place: Some(line_and_column(text, byte)), ..Self::of_file(file, message) }
    }

    /// Adds what to do about it, if there is something to say.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Reads a document as a `T`, or says everything that is wrong with it.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Vec<Problem>> {
    let table = parse(file, text)?;
    from_table(file, text, &table)
}

/// Reads the syntax only, so that a caller may look at entries before [`from_table`].
pub fn parse<'t>(file: &str, text: &'t str) -> Result<Spanned<DeTable<'t>>, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table);
    }
    Err(errors.iter().map(|error| problem(file, text, error)).collect())
}

/// Reads a parsed document as a `T`, or says everything that is wrong with it.
pub fn from_table<T: DeserializeOwned>(
    file: &str,
    text: &str,
    table: &Spanned<DeTable<'_>>,
) -> Result<T, Vec<Problem>> {
    let span = table.span();
    let mut table = table.get_ref().clone();
    let mut problems = Vec::new();
    let mut taken_out: Vec<String> = Vec::new();
    loop {
        let document = Spanned::new(span.clone(), table.clone());
        let error = match T::deserialize(toml::Deserializer::from(document)) {
            Ok(value) if problems.is_empty() => return Ok(value),
            Ok(_) => return Err(in_order(problems)),
            Err(error) => error,
        };
        // A key that was wrong and taken out is no longer there: that is not a second mistake.
        let follows = error
            .message()
            .strip_prefix("missing field `")
            .and_then(|rest| rest.strip_suffix('`'))
            .is_some_and(|key| taken_out.iter().any(|out| out == key));
        if !follows {
            problems.push(problem(file, text, &error));
        }
        match error.span().and_then(|span| take_out(&mut table, &span)) {
            Some(key) => taken_out.push(key),
            None => return Err(in_order(problems)),
        }
    }
}

/// As a person meets them in the file; those without a place come first.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by_key(|problem| problem.place);
    problems
}

/// Removes the entry that an error points at, and returns its key.
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let hit = table.iter().find_map(|(key, value)| {
        let inside = match value.get_ref() {
            DeValue::Array(_) => value.span().start <= span.start && span.end <= value.span().end,
            _ => false,
        };
        (key.span() == *span || value.span() == *span || inside).then(|| key.clone())
    });
    if let Some(key) = hit {
        table.remove(&key)?;
        return Some(key.get_ref().to_string());
    }
    let mut in_tables = None;
    for (key, value) in table.iter_mut() {
        match value.get_mut() {
            DeValue::Table(inner) => {
                if let Some(found) = take_out(inner, span) {
                    return Some(found);
                }
            }
            // An array of tables is spread over the file: its elements know their own places.
            DeValue::Array(items) if items.iter().any(|item| holds(item, span)) => {
                in_tables = Some(key.clone());
            }
            _ => {}
        }
    }
    in_tables.and_then(|key| table.remove(&key).map(|_| key.get_ref().to_string()))
}

fn holds(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> bool {
    value.span() == *span
        || match value.get_ref() {
            DeValue::Table(inner) => {
                inner.iter().any(|(key, value)| key.span() == *span || holds(value, span))
            }
            DeValue::Array(items) => items.iter().any(|item| holds(item, span)),
            _ => false,
        }
}

fn problem(file: &str, text: &str, error: &toml::de::Error) -> Problem {
    let (message, hint) = reword(error.message());
    let byte = error.span().map_or(0, |span| span.start);
    // What is missing has no place of its own: the table it is missing from may begin anywhere.
    let whole = byte == 0 && message.contains("is missing");
    let problem = if whole {
        Problem::of_file(file, message)
    } else {
        Problem::at(file, text, byte, message)
    };
    problem.maybe_hint(hint)
}

/// Serde's words in ours: no values of the file in them, and the nearest known key as a hint.
fn reword(message: &str) -> (String, Option<String>) {
    let message = message.trim_end();
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((key, known)) = rest.split_once('`')
    {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let hint = suggestion_hint(key, known.iter().copied())
            .or_else(|| (!known.is_empty()).then(|| format!("known here: {}", known.join(", "))));
        return (format!("unknown key `{key}`"), hint);
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return (format!("{key} is missing"), None);
    }
    if let Some(rest) = message.strip_prefix("unknown variant `")
        && let Some((word, known)) = rest.split_once('`')
    {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let hint = suggestion_hint(word, known.iter().copied())
            .unwrap_or_else(|| format!("one of {}", known.join(", ")));
        return (format!("`{word}` is not a word known here"), Some(hint));
    }
    if message.starts_with("invalid type: string \"")
        && let Some((_, expected)) = message.rsplit_once("\", expected ")
    {
        return (format!("a text stands here, expected {expected}"), None);
    }
    (message.to_owned(), None)
}

fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Shop {
        name: String,
        #[serde(default)]
        open: Open,
        #[serde(default)]
        facts: Vec<Fact>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[allow(dead_code)]
    struct Open {
        days: u32,
        late: bool,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Fact {
        answer: String,
    }

    fn said(text: &str) -> Vec<String> {
        read::<Shop>("shop.toml", text)
            .map(|_| ())
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let text = "name = 3\nnaem = \"x\"\n\n[open]\ndays = true\nlte = true\n\n[[facts]]\nanswre = \"a\"\n";
        assert_eq!(
            said(text),
            [
                "shop.toml:1:8: invalid type: integer `3`, expected a string",
                "shop.toml:2:1: unknown key `naem` (did you mean `name`?)",
                "shop.toml:5:8: invalid type: boolean `true`, expected u32",
                "shop.toml:6:1: unknown key `lte` (did you mean `late`?)",
                "shop.toml:9:1: unknown key `answre` (did you mean `answer`?)",
            ]
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(said("[open]\ndays = 3\n"), ["shop.toml: `name` is missing"]);
    }

    #[test]
    fn syntax_mistakes_have_a_place_and_texts_are_not_quoted() {
        assert_eq!(said("name = \"a\"\nopen = \"sk-secret\"\n").len(), 1);
        assert!(!said("name = \"a\"\nopen = \"sk-secret\"\n")[0].contains("sk-secret"));
        assert!(said("name = \"sk-secret\n")[0].starts_with("shop.toml:1:"));
        assert!(!said("name = \"sk-secret\n")[0].contains("sk-secret"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = read::<Shop>("x", &text);
        }

        #[test]
        fn no_document_panics(text in "([a-z=\\[\\]\"0-9. é\n]){0,60}") {
            let _ = read::<Shop>("x", &text);
        }
    }
}
