//! `edit`: by flags, or as TOML in the user's editor. What was typed there is never lost.

use std::{io::Write, path::PathBuf};

use clap::Args;

use super::{fields::Fields, report};
use crate::{
    cli::{Context, exit, help, prompt},
    domain::{Assistant, AssistantSpec, Error, Result},
    provision,
};

/// Arguments of `edit`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox assistants edit le-gourmet", "opens it in $VISUAL or $EDITOR"),
        ("webox assistants edit le-gourmet --model gpt-4 --fallbacks claude-3", "asks nothing"),
        ("webox assistants edit le-gourmet --transfer ''", "an empty value takes it away"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA],
))]
pub(super) struct Edit {
    /// Its name or id.
    name: String,
    #[command(flatten)]
    fields: Fields,
    /// Say what would change, and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(args: &Edit, context: &Context) -> Result<()> {
    let assistant = context.desk("assistants edit")?.assistant(&args.name)?;
    if args.fields.is_empty() {
        if !context.may_ask() {
            return Err(Error::usage(
                "there is nothing to change, and nobody to open an editor for",
            )
            .hint("give flags; `webox assistants edit --help` lists them"));
        }
        return in_editor(args, &assistant, context);
    }
    let mut spec = assistant.spec.clone();
    args.fields.set(&mut spec)?;
    save(args, &assistant, spec, context)
}

fn in_editor(args: &Edit, assistant: &Assistant, context: &Context) -> Result<()> {
    let mut text = format!(
        "# {} as it is. Save to change it; close without saving to leave it alone.\n{}",
        assistant.spec.client.replace(char::is_control, " "),
        provision::to_toml(&assistant.spec)?
    );
    loop {
        let Some(edited) = prompt::editor(&text, ".toml")? else {
            context.out.note("Nothing was changed.");
            return Ok(());
        };
        let problems = match provision::read_edited("your text", &edited, &assistant.spec) {
            Ok(spec) => {
                return save(args, assistant, spec, context)
                    .map_err(|error| keep(&edited, assistant, error));
            }
            Err(problems) => problems,
        };
        for problem in &problems {
            context.out.say(&problem.to_string());
        }
        if !prompt::again("Open the editor again?")? {
            return Err(keep(&edited, assistant, Error::input("the text was not accepted")));
        }
        text = edited;
    }
}

fn save(args: &Edit, assistant: &Assistant, spec: AssistantSpec, context: &Context) -> Result<()> {
    provision::check_spec(&spec)?;
    let name = &assistant.spec.name;
    if spec == assistant.spec {
        return report(context, &format!("`{name}` is as it was."), assistant);
    }
    if args.dry_run {
        context.out.note(&format!("Would change `{name}`."));
        return Ok(());
    }
    let desk = context.desk("assistants edit")?;
    let changed = desk.update(assistant.id, spec, Some(assistant.revision))?;
    report(context, &format!("Changed `{name}`."), &changed)
}

/// Puts what the user typed into a file, and says where it is.
fn keep(text: &str, assistant: &Assistant, error: Error) -> Error {
    match keep_in_file(text, assistant) {
        Ok(path) => {
            let hint = format!(
                "your text is kept in {}: correct it, then `webox apply` it",
                path.display()
            );
            match error.hint_text().map(str::to_owned) {
                Some(more) => error.hint(format!("{more}; {hint}")),
                None => error.hint(hint),
            }
        }
        Err(cause) => error.hint(format!("your text could not be kept in a file: {cause}")),
    }
}

fn keep_in_file(text: &str, assistant: &Assistant) -> std::io::Result<PathBuf> {
    let mut file = tempfile::Builder::new()
        .prefix(&format!("webox-{}-", assistant.spec.name))
        .suffix(".toml")
        .tempfile()?;
    file.write_all(text.as_bytes())?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}
