//! The mistakes in files: for a person with the line and a caret under what is wrong, for scripts
//! as JSON, for a pull request as annotations on its lines.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::{Context, human, output::Format};
use crate::{
    document::{Elsewhere, Place, Problem},
    domain::{Error, Result},
    provision::{self, Loaded},
};

/// Reads files; mistakes are told on stderr, every one with its place.
pub(super) fn load(paths: &[std::path::PathBuf], context: &Context) -> Result<Vec<Loaded>> {
    let defaults = context.defaults()?;
    provision::load(paths, defaults, &mut std::io::stdin()).map_err(|found| told(&found, context))
}

/// Tells mistakes to a person; answers the error that sums them up. A script finds them in the error.
pub(super) fn told(problems: &[Problem], context: &Context) -> Error {
    let error = summary(problems).hint("correct the files, then run it again; nothing was changed");
    if matches!(context.out.format(), Format::Json | Format::Jsonl) {
        let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
        return error.because(lines.join("\n"));
    }
    context.out.say(text(problems, context.out.error_colour().is_on()).trim_end());
    context.out.say("");
    error
}

/// The error that sums mistakes up.
pub(super) fn summary(problems: &[Problem]) -> Error {
    let files: std::collections::BTreeSet<&str> =
        problems.iter().map(|problem| problem.file.as_str()).collect();
    Error::input(format!(
        "{} in {}",
        human::count(problems.len() as u64, "mistake", "mistakes"),
        human::count(files.len() as u64, "file", "files")
    ))
}

/// Line by line, as a compiler does.
pub(super) fn text(problems: &[Problem], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = String::new();
    for problem in problems {
        // Control characters of a file are not for the terminal.
        let message = problem.message.replace(char::is_control, " ");
        let title = Level::ERROR.primary_title(message);
        let mut group =
            located(Group::with_title(title), &problem.file, problem.place.as_ref(), None);
        if let Some(hint) = &problem.hint {
            group = group.element(Level::HELP.message(hint.replace(char::is_control, " ")));
        }
        let mut report = vec![group];
        if let Some(Elsewhere { file, place, label }) = &problem.also {
            let title = Level::NOTE.secondary_title(label.clone());
            report.push(located(Group::with_title(title), file, place.as_ref(), None));
        }
        text.push_str(&renderer.render(&report));
        text.push_str("\n\n");
    }
    text
}

fn located<'a>(
    group: Group<'a>,
    file: &'a str,
    place: Option<&'a Place>,
    label: Option<&'a str>,
) -> Group<'a> {
    let Some(place) = place else { return group.element(Origin::path(file)) };
    let Some(line) = &place.excerpt else {
        return group.element(Origin::path(file).line(place.line).char_column(place.column));
    };
    let byte = |chars: usize| line.char_indices().nth(chars).map_or(line.len(), |(at, _)| at);
    let start = byte(place.column - 1);
    let end = byte(place.column - 1 + place.width).max(start);
    let annotation = AnnotationKind::Primary.span(start..end);
    let annotation = match label {
        Some(label) => annotation.label(label),
        None => annotation,
    };
    group.element(Snippet::source(line).path(file).line_start(place.line).annotation(annotation))
}

/// One object a mistake.
pub(super) fn objects(problems: &[Problem]) -> Value {
    let place = |place: Option<&Place>| {
        json!({
            "line": place.map(|place| place.line),
            "column": place.map(|place| place.column),
        })
    };
    problems
        .iter()
        .map(|problem| {
            let at = place(problem.place.as_ref());
            json!({
                "file": problem.file,
                "line": at["line"],
                "column": at["column"],
                "message": problem.message,
                "hint": problem.hint,
                "also": problem.also.as_ref().map(|also| {
                    let at = place(also.place.as_ref());
                    json!({ "file": also.file, "line": at["line"], "column": at["column"], "label": also.label })
                }),
            })
        })
        .collect()
}

/// Workflow commands, which GitHub shows on the lines they name.
pub(super) fn annotations(problems: &[Problem]) -> String {
    // https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut lines = String::new();
    for problem in problems {
        let mut at = format!("file={}", property(&problem.file));
        if let Some(place) = &problem.place {
            let end = place.column + place.width;
            at.push_str(&format!(",line={},col={},endColumn={end}", place.line, place.column));
        }
        let message = match &problem.hint {
            Some(hint) => format!("{}\n{hint}", problem.message),
            None => problem.message.clone(),
        };
        lines.push_str(&format!("::error {at},title=webox validate::{}\n", data(&message)));
    }
    lines
}
