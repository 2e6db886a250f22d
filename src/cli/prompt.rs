//! Questions to a person. Nothing here is reached unless [`Context::may_ask`] said yes.

use dialoguer::{Confirm, Editor, Input, Password, Select};

use super::Context;
use crate::domain::{Error, Kind, Result, Secret};

/// More of stdin than any secret has; the operation refuses what is too long.
const LARGEST: u64 = 1024 * 1024;

/// Yes or no; Enter means no. Without anybody to answer, `flag` must have been given.
pub(super) fn confirm(context: &Context, question: &str, flag: &str) -> Result<bool> {
    somebody_answers(context, flag)?;
    Confirm::new().with_prompt(question).default(false).interact().map_err(answer_error)
}

/// Whether the very word is typed. Without anybody to answer, `flag` must have been given.
pub(super) fn typed(context: &Context, question: &str, word: &str, flag: &str) -> Result<bool> {
    somebody_answers(context, flag)?;
    Ok(line(question, None, |_| Ok(()))? == word)
}

/// Yes or no; Enter means yes. For questions that neither answer does harm to.
pub(super) fn again(question: &str) -> Result<bool> {
    Confirm::new().with_prompt(question).default(true).interact().map_err(answer_error)
}

fn somebody_answers(context: &Context, flag: &str) -> Result<()> {
    if context.may_ask() {
        return Ok(());
    }
    Err(Error::usage("this needs a yes, and nobody is there to ask")
        .hint(format!("add {flag} to say yes beforehand")))
}

/// A line of text, asked again until `check` is content. Empty answers take `default`.
pub(super) fn line(
    question: &str,
    default: Option<&str>,
    check: impl Fn(&str) -> Result<()>,
) -> Result<String> {
    let mut input = Input::<String>::new().with_prompt(question).allow_empty(true).validate_with(
        |text: &String| -> std::result::Result<(), String> {
            check(text.trim()).map_err(|error| match error.hint_text() {
                Some(hint) => format!("{error}; {hint}"),
                None => error.to_string(),
            })
        },
    );
    if let Some(default) = default {
        input = input.default(default.to_owned());
    }
    Ok(input.interact_text().map_err(answer_error)?.trim().to_owned())
}

/// A value that nobody may see: typed without an echo, or all of stdin without its last line end.
pub(super) fn secret(context: &Context, question: &str, how: &str) -> Result<Secret> {
    use std::io::{IsTerminal, Read};
    if context.may_ask() {
        let typed = Password::new().with_prompt(question).interact().map_err(answer_error)?;
        return Ok(Secret::new(typed));
    }
    if std::io::stdin().is_terminal() {
        return Err(Error::usage("a secret is needed, and nobody is there to ask").hint(how));
    }
    let mut text = String::new();
    std::io::stdin().take(LARGEST).read_to_string(&mut text).map_err(|cause| {
        Error::input("the secret cannot be read from stdin").hint("it must be text").because(cause)
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text)))
}

/// A value that nobody may see, typed without an echo; nothing for Enter alone.
pub(super) fn hidden(question: &str) -> Result<Option<Secret>> {
    let typed = Password::new().with_prompt(question).allow_empty_password(true).interact();
    let typed = typed.map_err(answer_error)?;
    Ok(Some(typed.trim()).filter(|typed| !typed.is_empty()).map(Secret::new))
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
