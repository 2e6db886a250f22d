//! One assistant's text: the keys of `AssistantSpec`, and those that concern the file itself.

use std::{borrow::Cow, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    defaults::Defaults,
    file::{self, Folder},
    knowledge,
};
use crate::{
    document::{self, Place, Problem, Sources},
    domain::{AssistantName, AssistantSpec, Document, PhoneNumber, SetName},
};

/// Keys without which there is no assistant.
const REQUIRED: [&str; 4] = ["name", "client", "phone", "context"];

/// A file, read.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// What it says.
    pub spec: AssistantSpec,
    /// Whose file it is.
    pub set: SetName,
    /// The name that the assistant had before.
    pub moved_from: Option<AssistantName>,
    /// Where its name stands.
    pub name_at: Option<Place>,
    /// Where its number stands.
    pub phone_at: Option<Place>,
}

/// What a file calls itself, as far as it can be read: also of a file that has mistakes.
#[derive(Debug, Clone, Default)]
pub(super) struct Identity {
    pub(super) name: Option<(AssistantName, Place)>,
    pub(super) phone: Option<(PhoneNumber, Place)>,
    pub(super) moved_from: Option<AssistantName>,
}

impl Identity {
    /// Of a file's text.
    pub(super) fn of(text: &str) -> Self {
        fn word<T: std::str::FromStr>(
            table: &DeTable<'_>,
            text: &str,
            key: &str,
        ) -> Option<(T, Place)> {
            let value = table.iter().find(|(own, _)| own.get_ref() == key)?.1;
            let DeValue::String(word) = value.get_ref() else { return None };
            Some((word.parse().ok()?, Place::of(text, &value.span())))
        }
        let (table, _) = DeTable::parse_recoverable(text);
        let table = table.get_ref();
        Self {
            name: word(table, text, "name"),
            phone: word(table, text, "phone").or_else(|| {
                let managed = table.iter().find(|(own, _)| own.get_ref() == "phone")?.1;
                let DeValue::Table(managed) = managed.get_ref() else { return None };
                word(managed, text, "number")
            }),
            moved_from: word(table, text, "moved_from").map(|(name, _)| name),
        }
    }
}

/// The keys of a file that are not part of the assistant.
struct OfTheFile<'t> {
    set: Option<Spanned<DeValue<'t>>>,
    moved_from: Option<Spanned<DeValue<'t>>>,
    context_file: Option<(usize, Spanned<DeValue<'t>>)>,
    knowledge: Option<Spanned<DeValue<'t>>>,
}

/// Reads one assistant, with what the defaults add. `folder` bounds where its `context_file` and its
/// documents may be.
pub(super) fn read(
    name: &str,
    text: &str,
    folder: Option<&Folder>,
    defaults: &Defaults,
) -> Result<File, Vec<Problem>> {
    read_with(name, text, folder, defaults, &[])
}

/// The same where some documents are known already: see [`knowledge::read`].
pub(super) fn read_with(
    name: &str,
    text: &str,
    folder: Option<&Folder>,
    defaults: &Defaults,
    known: &[Document],
) -> Result<File, Vec<Problem>> {
    let parsed = document::parse(name, text)?;
    let whole = parsed.span();
    let mut table = parsed.into_inner();
    let mut sources = Sources::one(name, text);
    let mut problems = Vec::new();
    let place = |table: &DeTable<'_>, key: &str| {
        let value = table.iter().find(|(own, _)| own.get_ref() == key)?.1;
        Some(Place::of(text, &value.span()))
    };
    let (name_at, phone_at) = (place(&table, "name"), place(&table, "phone"));
    defaults.add_to(&mut table, &mut sources);
    let of_the_file = OfTheFile {
        set: take(&mut table, "set").map(|(_, value)| value),
        moved_from: take(&mut table, "moved_from").map(|(_, value)| value),
        context_file: take(&mut table, "context_file").map(|(key, value)| (key.start, value)),
        knowledge: take(&mut table, "knowledge").map(|(_, value)| value),
    };
    let documents = of_the_file.knowledge.as_ref().map_or_else(Vec::new, |value| {
        knowledge::read(&sources, folder, known, value, &mut problems)
    });
    if let Some((key, value)) = &of_the_file.context_file {
        let found = if table.iter().any(|(key, _)| key.get_ref() == "context") {
            let message = "both `context` and `context_file` are given";
            let key = *key..*key + "context_file".len();
            Err(Box::new(Problem::on(name, text, key, message)))
        } else {
            context_file(name, text, folder, value)
        };
        let context = found.unwrap_or_else(|problem| {
            problems.push(*problem);
            String::new()
        });
        insert(&mut table, "context", context);
    }
    for key in REQUIRED {
        if !table.iter().any(|(own, _)| own.get_ref() == key) {
            let hint = (key == "context").then(|| "or `context_file`".to_owned());
            problems.push(Problem::of_file(name, format!("`{key}` is missing")).maybe_hint(hint));
        }
    }
    let set = word::<SetName>(&sources, of_the_file.set.as_ref(), "set", &mut problems);
    let moved_from = word::<AssistantName>(
        &sources,
        of_the_file.moved_from.as_ref(),
        "moved_from",
        &mut problems,
    );
    let table = Spanned::new(whole, table);
    match document::from_table::<AssistantSpec>(&sources, &table) {
        Ok(mut spec) => {
            spec.knowledge = documents;
            if let Err(error) = super::check_spec(&spec) {
                let of_documents = of_the_file.knowledge.as_ref();
                let problem = broken_rule(&sources, name, table.get_ref(), &spec, &error);
                problems.push(match of_documents {
                    // The list is no longer in the table.
                    Some(list) if problem.message.starts_with("`knowledge") => {
                        let (file, text, span) = sources.find(&list.span());
                        Problem::on(file, text, span, problem.message)
                    }
                    _ => problem,
                });
            }
            if moved_from.as_ref() == Some(&spec.name) {
                problems.push(Problem::of_file(name, "`moved_from` is the name it has now"));
            }
            if problems.is_empty() {
                let set = set.unwrap_or_else(SetName::usual);
                return Ok(File { spec, set, moved_from, name_at, phone_at });
            }
        }
        // Missing keys were all named above, where serde names only the first.
        Err(more) => {
            problems.extend(more.into_iter().filter(|problem| {
                problem.place.is_some() || !problem.message.ends_with("is missing")
            }));
        }
    }
    Err(problems)
}

fn take<'t>(
    table: &mut DeTable<'t>,
    key: &str,
) -> Option<(std::ops::Range<usize>, Spanned<DeValue<'t>>)> {
    let own = table.keys().find(|own| own.get_ref() == key).cloned()?;
    let value = table.remove(&own)?;
    Some((own.span(), value))
}

fn insert(table: &mut DeTable<'_>, key: &'static str, text: String) {
    let nowhere = 0..0;
    table.insert(
        Spanned::new(nowhere.clone(), Cow::Borrowed(key)),
        Spanned::new(nowhere, DeValue::String(Cow::Owned(text))),
    );
}

/// A word of the file itself as its type.
fn word<T: std::str::FromStr<Err = crate::domain::Error>>(
    sources: &Sources,
    value: Option<&Spanned<DeValue<'_>>>,
    key: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let value = value?;
    let (file, text, span) = sources.find(&value.span());
    let DeValue::String(word) = value.get_ref() else {
        problems.push(Problem::on(file, text, span, format!("`{key}` is a text")));
        return None;
    };
    match word.parse() {
        Ok(word) => Some(word),
        Err(error) => {
            let hint = error.hint_text().map(str::to_owned);
            problems.push(Problem::on(file, text, span, error.message()).maybe_hint(hint));
            None
        }
    }
}

/// A rule between fields, at the field that it names first.
fn broken_rule(
    sources: &Sources,
    name: &str,
    table: &DeTable<'_>,
    spec: &AssistantSpec,
    error: &crate::domain::Error,
) -> Problem {
    let prefix = format!("assistant `{}`: ", spec.name);
    let message = error.message().strip_prefix(&prefix).unwrap_or(error.message());
    let path = message.split('`').nth(1).unwrap_or_default();
    let problem = match document::place_at(table, path) {
        Some(span) => {
            let (file, text, span) = sources.find(&span);
            Problem::on(file, text, span, message)
        }
        None => Problem::of_file(name, message),
    };
    problem.maybe_hint(error.hint_text().map(str::to_owned))
}

fn context_file(
    name: &str,
    text: &str,
    folder: Option<&Folder>,
    value: &Spanned<DeValue<'_>>,
) -> Result<String, Box<Problem>> {
    let problem = |message: String, hint: Option<String>| {
        Box::new(Problem::on(name, text, value.span(), message).maybe_hint(hint))
    };
    let DeValue::String(path) = value.get_ref() else {
        return Err(problem("`context_file` is the path of a text file".to_owned(), None));
    };
    let Some(folder) = folder else {
        let hint = Some("write the text itself as `context`".to_owned());
        return Err(problem("`context_file` needs a file to stand beside".to_owned(), hint));
    };
    folder
        .beside(Path::new(path.as_ref()))
        .and_then(|path| file::text(&path))
        .map_err(|(message, hint)| problem(message, hint))
}
