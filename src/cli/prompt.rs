//! Questions to a person. Nothing here is reached unless [`Context::may_ask`] said yes.

use dialoguer::{Confirm, Editor, Input, Select};

use super::Context;
use crate::domain::{Error, Kind, Result};

/// A wrong command line where a question cannot be asked: says which flag answers it.
pub(super) fn needs(what: &str, flag: &str) -> Error {
    Error::usage(format!("{what} is missing, and nobody is there to ask"))
        .hint(format!("give it with {flag}"))
}

/// Yes or no; Enter means no. Without anybody to answer, `flag` must have been given.
pub(super) fn confirm(context: &Context, question: &str, flag: &str) -> Result<bool> {
    if !context.may_ask() {
        return Err(Error::usage("this needs a yes, and nobody is there to ask")
            .hint(format!("add {flag} to say yes beforehand")));
    }
    Confirm::new().with_prompt(question).default(false).interact().map_err(answer_error)
}

/// A line of text, asked again until `check` is content. Empty answers take `default`.
pub(super) fn line(
    question: &str,
    default: Option<&str>,
    check: impl Fn(&str) -> Result<()>,
) -> Result<String> {
    let mut input = Input::<String>::new()
        .with_prompt(question)
        .allow_empty(true)
        .validate_with(|text: &String| -> std::result::Result<(), String> {
            check(text.trim()).map_err(|error| match error.hint_text() {
                Some(hint) => format!("{error}; {hint}"),
                None => error.to_string(),
            })
        });
    if let Some(default) = default {
        input = input.default(default.to_owned());
    }
    Ok(input.interact_text().map_err(answer_error)?.trim().to_owned())
}

/// One of several words.
pub(super) fn choice(question: &str, words: &[&str], default: usize) -> Result<usize> {
    Select::new()
        .with_prompt(question)
        .items(words)
        .default(default)
        .interact()
        .map_err(answer_error)
}

/// A text from `$VISUAL` or `$EDITOR`; `None` when it was closed without saving.
pub(super) fn editor(text: &str, extension: &str) -> Result<Option<String>> {
    Editor::new().extension(extension).trim_newlines(false).edit(text).map_err(|error| {
        Error::failure("the editor cannot be started")
            .hint("set VISUAL or EDITOR to the editor you use")
            .because(error)
    })
}

fn answer_error(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(cause) = error;
    match cause.kind() {
        std::io::ErrorKind::Interrupted => Error::new(Kind::Interrupted, "interrupted"),
        _ => Error::failure("the question could not be asked").because(cause),
    }
}
