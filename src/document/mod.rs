//! A TOML file that a person wrote: read into a type, or every problem in it with its place.
//!
//! Serde stops at the first mistake; [`read`] takes the offending entry out and reads on, so that
//! one run shows them all.

mod problem;
mod sources;

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::domain::{WRITTEN_OUT, suggestion_hint};

pub use problem::{Elsewhere, Place, Problem};
pub use sources::{Sources, fill_in, shifted};

/// Mistakes told of one document. Whoever has more has one mistake that repeats, or another file;
/// finding each takes as long as reading the whole.
const MOST_PROBLEMS: usize = 50;

/// Says that there is more.
fn and_more(sources: &Sources) -> Problem {
    Problem::of_file(sources.first(), format!("has more than {MOST_PROBLEMS} mistakes"))
        .hint("correct these first")
}

/// Reads a document as a `T`, or says everything that is wrong with it.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Vec<Problem>> {
    let table = parse(file, text)?;
    from_table(&Sources::one(file, text), &table)
}

/// Reads the syntax only, so that a caller may look at entries before [`from_table`].
pub fn parse<'t>(file: &str, text: &'t str) -> Result<Spanned<DeTable<'t>>, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(table);
    }
    let sources = Sources::one(file, text);
    let told = errors.iter().take(MOST_PROBLEMS).map(|error| problem(&sources, error));
    let more = (errors.len() > MOST_PROBLEMS).then(|| and_more(&sources));
    Err(told.chain(more).collect())
}

/// Where the value of a key stands; the nearest section that is there, when the key is not.
pub fn place_of(table: &DeTable<'_>, path: &[&str]) -> Option<Range<usize>> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == first)?;
    match value.get_ref() {
        DeValue::Table(inner) if !rest.is_empty() => {
            place_of(inner, rest).or_else(|| Some(key.span()))
        }
        _ => Some(value.span()),
    }
}

/// Where something stands that a path such as `deliver[1].url` names; what is nearest to it on the way,
/// when it is not there.
pub fn place_at(table: &DeTable<'_>, path: &str) -> Option<Range<usize>> {
    let (mut span, mut here) = (None, Some(table));
    for part in path.split('.') {
        let (key, at) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
            Some((key, at)) => (key, at.parse::<usize>().ok()),
            None => (part, None),
        };
        let entry = here.and_then(|here| here.iter().find(|(own, _)| own.get_ref() == key));
        let Some((key, value)) = entry else { break };
        let value = match (value.get_ref(), at) {
            (DeValue::Array(items), Some(at)) => items.get(at).unwrap_or(value),
            _ => value,
        };
        let is_table = matches!(value.get_ref(), DeValue::Table(_));
        let named = is_table && at.is_none() && !key.span().is_empty();
        span = Some(if named { key.span() } else { value.span() });
        here = if let DeValue::Table(inner) = value.get_ref() { Some(inner) } else { None };
    }
    span.filter(|span| !span.is_empty())
}

/// Reads a parsed document as a `T`, or says everything that is wrong with it.
pub fn from_table<T: DeserializeOwned>(
    sources: &Sources,
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
            problems.push(problem(sources, &error));
        }
        if problems.len() >= MOST_PROBLEMS {
            problems.push(and_more(sources));
            return Err(in_order(problems));
        }
        match error.span().and_then(|span| take_out(&mut table, &span)) {
            Some(key) => taken_out.push(key),
            None => return Err(in_order(problems)),
        }
    }
}

/// As a person meets them in the file; those without a place come first.
fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (&a.file, &a.place).cmp(&(&b.file, &b.place)));
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

fn problem(sources: &Sources, error: &toml::de::Error) -> Problem {
    let (message, hint) = reword(error.message());
    let span = error.span().unwrap_or(0..0);
    let (file, text, span) = sources.find(&span);
    // What is missing has no place of its own: the table it is missing from may begin anywhere.
    if span.start == 0 && message.contains("is missing") {
        return Problem::of_file(sources.first(), message).maybe_hint(hint);
    }
    let written_out = message.starts_with(WRITTEN_OUT);
    let key_is_wrong = message.starts_with("unknown key");
    let mut problem = Problem::on(file, text, span, message).maybe_hint(hint);
    problem.place = problem.place.map(|place| match place {
        place if written_out => Place { excerpt: None, ..place },
        place if key_is_wrong => place.without_value(),
        place => place,
    });
    problem
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
