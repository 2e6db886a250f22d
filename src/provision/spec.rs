//! One assistant's text: the shape of `AssistantSpec`, and `context_file` for a long context.

use std::{borrow::Cow, path::Path};

use toml::{Spanned, de::DeValue};

use crate::{
    document::{self, Problem},
    domain::AssistantSpec,
};

/// Keys without which there is no assistant.
const REQUIRED: [&str; 4] = ["name", "client", "phone", "context"];

/// Reads one assistant; `folder` is where its `context_file` is looked for.
pub(super) fn read(
    file: &str,
    text: &str,
    folder: Option<&Path>,
) -> Result<AssistantSpec, Vec<Problem>> {
    let mut table = document::parse(file, text)?;
    let mut problems = Vec::new();
    let given = |key: &str, table: &Spanned<toml::de::DeTable<'_>>| {
        table.get_ref().iter().any(|(k, _)| k.get_ref() == key)
    };
    if given("context_file", &table) {
        match context_file(file, text, folder, &mut table) {
            Ok(context) => insert_context(&mut table, context),
            Err(problem) => {
                problems.push(problem);
                insert_context(&mut table, String::new());
            }
        }
    }
    for key in REQUIRED {
        if !given(key, &table) {
            let hint = (key == "context").then(|| "or `context_file`".to_owned());
            problems.push(Problem::of_file(file, format!("`{key}` is missing")).maybe_hint(hint));
        }
    }
    match document::from_table::<AssistantSpec>(file, text, &table) {
        Ok(spec) if problems.is_empty() => {
            spec.check().map_err(|error| vec![Problem::of_file(file, error.message())])?;
            Ok(spec)
        }
        Ok(_) => Err(problems),
        Err(more) => {
            // Missing keys were all named above, where serde names only the first.
            problems.extend(more.into_iter().filter(|problem| {
                problem.place.is_some() || !problem.message.ends_with("is missing")
            }));
            Err(problems)
        }
    }
}

type Table<'t> = Spanned<toml::de::DeTable<'t>>;

fn context_file(
    file: &str,
    text: &str,
    folder: Option<&Path>,
    table: &mut Table<'_>,
) -> Result<String, Problem> {
    let root = table.get_mut();
    let key = root.keys().find(|key| key.get_ref() == "context_file").cloned();
    let Some((key, value)) = key.and_then(|key| root.remove(&key).map(|value| (key, value))) else {
        return Ok(String::new());
    };
    let place = value.span().start;
    let problem = |message: String| Problem::at(file, text, place, message);
    if root.keys().any(|other| other.get_ref() == "context") {
        return Err(Problem::at(
            file,
            text,
            key.span().start,
            "both `context` and `context_file` are given",
        ));
    }
    let DeValue::String(path) = value.get_ref() else {
        return Err(problem("`context_file` is the path of a text file".to_owned()));
    };
    let path = match folder {
        Some(folder) => folder.join(path.as_ref()),
        None => Path::new(path.as_ref()).to_path_buf(),
    };
    std::fs::read_to_string(&path)
        .map_err(|error| problem(format!("cannot read {}: {error}", path.display())))
}

fn insert_context(table: &mut Table<'_>, context: String) {
    let nowhere = 0..0;
    table.get_mut().insert(
        Spanned::new(nowhere.clone(), Cow::Borrowed("context")),
        Spanned::new(nowhere, DeValue::String(Cow::Owned(context))),
    );
}
