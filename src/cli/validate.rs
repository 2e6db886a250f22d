//! `webox validate`: every mistake of every file, without a store and without a network.

use std::path::PathBuf;

use clap::Args;

use super::{Context, diagnostics, exit, help, human, output::Format};
use crate::{domain::Result, provision};

/// Arguments of `webox validate`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox validate assistants/", "every *.toml of a folder and of those below it"),
        ("webox validate -o github clients/", "annotations on the lines of a pull request"),
        ("generate-client acme | webox validate -", "one file from stdin"),
    ],
    &[exit::USAGE, exit::DATA],
))]
pub struct Validate {
    /// Files, folders (every `*.toml` in them), or `-` for stdin.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Validate, context: &Context) -> Result<()> {
    let known = [Format::Text, Format::Table, Format::Json, Format::Jsonl, Format::Github];
    let format = context.out.one_of(&known)?;
    let defaults = context.defaults()?;
    let loaded = provision::load(&args.paths, defaults, &mut std::io::stdin());
    let problems = loaded.as_ref().err().map_or(&[][..], Vec::as_slice);
    let files = loaded.as_ref().map_or(0, Vec::len);
    match format {
        Format::Json => context.out.objects([
            ("valid", problems.is_empty().into()),
            ("problems", diagnostics::objects(problems)),
        ])?,
        Format::Jsonl => {
            for problem in diagnostics::objects(problems).as_array().into_iter().flatten() {
                context.out.text(&format!("{problem}\n"))?;
            }
        }
        Format::Github => context.out.text(&diagnostics::annotations(problems))?,
        _ => {
            let colour = context.out.error_colour().is_on();
            let text = diagnostics::text(problems, colour);
            if !text.is_empty() {
                context.out.say(text.trim_end());
                context.out.say("");
            }
        }
    }
    if problems.is_empty() {
        let files = human::count(files as u64, "assistant is", "assistants are");
        context.out.note(&format!("{files} valid."));
        return Ok(());
    }
    Err(diagnostics::summary(problems))
}
