//! `webox export`: assistants back to files. Rows of calls and the like are in `datasets`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;

use super::{
    Context, datasets, diagnostics, exit, help, human,
    output::{Cell, Column, Listing, Row, Tone},
};
use crate::{
    domain::{AssistantName, Error, Result, SetName},
    files,
    operations::provisioning::Standing,
    provision::{self, Exported, Loaded, Outcome, Target},
};

/// Arguments of `webox export`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox export le-gourmet > le-gourmet.toml", "one assistant"),
        ("webox export --dir assistants/", "all of them; comments and order of existing files stay"),
        ("webox export --dir assistants/ --check", "only compare; 2 when a file differs, for a nightly job"),
        ("webox export calls --since 30d --out calls.parquet", "rows, for a spreadsheet or a notebook"),
    ],
    &[exit::FAILURE, exit::CHANGES_PRESENT, exit::USAGE, exit::DATA],
))]
#[command(args_conflicts_with_subcommands = true)]
pub struct Export {
    #[command(subcommand)]
    rows: Option<datasets::Which>,
    /// Assistants [default: all].
    names: Vec<AssistantName>,
    /// Those of a set of files.
    #[arg(long, value_name = "SET", conflicts_with = "names")]
    set: Option<SetName>,
    /// The folder of the files.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Write nothing; end with 2 when a file is not as the store has it.
    #[arg(long, requires = "dir")]
    check: bool,
}

pub(super) fn run(args: &Export, context: &Context) -> Result<u8> {
    if let Some(which) = &args.rows {
        return datasets::run(which, context).map(|()| exit::OK);
    }
    let chosen = chosen(args, context)?;
    let Some(folder) = &args.dir else { return to_stdout(&chosen, context) };
    let settings = context.defaults()?;
    let existing = existing(folder, context)?;
    let desk = context.desk("export")?;
    // All of them are made before the first is written.
    let exported = chosen
        .iter()
        .map(|standing| {
            let spec = &desk.with_texts(&standing.assistant)?;
            let file = existing.iter().find(|file| file.spec().name == spec.name);
            let target = Target { folder, existing: file, settings: settings.as_ref() };
            provision::export(spec, standing.set.as_ref(), target)
                .map(|file| (spec.name.clone(), file))
        })
        .collect::<Result<Vec<_>>>()?;
    one_text_each(&exported)?;
    if !args.check {
        make_folder(folder)?;
        for (_, file) in &exported {
            for (path, text) in &file.texts {
                if let Some(folder) = path.parent() {
                    make_folder(folder)?;
                }
                write(path, text)?;
            }
        }
    }
    context.out.listing(&listing(&exported))?;
    let differ = exported.iter().filter(|(_, file)| file.outcome != Outcome::Same).count();
    let files = human::count(differ as u64, "file", "files");
    if args.check {
        context.out.note(&format!("{files} not as the store has it."));
        return Ok(if differ > 0 { exit::CHANGES_PRESENT } else { exit::OK });
    }
    context.out.note(&format!("{files} written, {} the same.", exported.len() - differ));
    Ok(exit::OK)
}

/// Assistants in one folder may share a document, and then have the same text of it.
fn one_text_each(exported: &[(AssistantName, Exported)]) -> Result<()> {
    let mut written: BTreeMap<&Path, (&AssistantName, &str)> = BTreeMap::new();
    for (name, file) in exported {
        for (path, text) in &file.texts {
            if let Some((other, before)) = written.insert(path, (name, text))
                && before != text
            {
                return Err(Error::conflict(format!(
                    "{} is of `{other}` and of `{name}`, and each has another text of it",
                    path.display()
                ))
                .hint("put one of their files into a folder of its own"));
            }
        }
    }
    Ok(())
}

fn chosen(args: &Export, context: &Context) -> Result<Vec<Standing>> {
    let desk = context.desk("export")?;
    // A mistyped name is told with its neighbours.
    for name in &args.names {
        desk.assistant(name.as_str())?;
    }
    let mut chosen = desk.standings()?;
    chosen.retain(|standing| match &args.set {
        Some(set) => standing.set.as_ref() == Some(set),
        None => args.names.is_empty() || args.names.contains(&standing.assistant.spec.name),
    });
    if let (Some(set), true) = (&args.set, chosen.is_empty()) {
        return Err(Error::not_found(format!("no assistant is of the set `{set}`"))
            .hint("`webox export` without --set takes all"));
    }
    Ok(chosen)
}

fn to_stdout(chosen: &[Standing], context: &Context) -> Result<u8> {
    match chosen {
        [one] => {
            let spec = &one.assistant.spec;
            context.out.text(&provision::to_toml(spec)?)?;
            if !spec.knowledge.is_empty() {
                context.out.note("Its documents are written with `--dir FOLDER`.");
            }
            Ok(exit::OK)
        }
        [] => {
            context.out.note("There is no assistant.");
            Ok(exit::OK)
        }
        _ => Err(Error::usage("several assistants do not go into one file")
            .hint("name the folder with --dir, or one assistant")),
    }
}

fn existing(folder: &Path, context: &Context) -> Result<Vec<Loaded>> {
    let empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(cause) => return Err(Error::of_file(folder, "cannot be read", cause)),
    };
    if empty {
        return Ok(Vec::new());
    }
    let nothing = "there is no `*.toml` file in this folder";
    match provision::load(&[folder.to_path_buf()], context.defaults()?, &mut std::io::empty()) {
        Ok(loaded) => Ok(loaded),
        Err(problems) if problems.iter().all(|problem| problem.message == nothing) => {
            Ok(Vec::new())
        }
        Err(problems) => Err(diagnostics::told(&problems, context)),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    files::replace(path, text.as_bytes(), 0o644)
        .map_err(|cause| Error::of_file(path, "cannot be written", cause))
}

fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|cause| Error::of_file(folder, "cannot be made", cause))
}

fn listing(exported: &[(AssistantName, Exported)]) -> Listing {
    let mut listing = Listing::new(
        "files",
        [Column::new("outcome", "file"), Column::new("name", "name"), Column::new("path", "path")],
    );
    listing.rows = exported
        .iter()
        .map(|(name, file)| {
            let (word, tone) = match file.outcome {
                Outcome::Same => ("same", Tone::Faint),
                Outcome::Created => ("new", Tone::Good),
                Outcome::Changed => ("changed", Tone::Warning),
            };
            let path = file.path.display().to_string();
            Row {
                id: path.clone(),
                json: json!({ "outcome": word, "name": name, "path": path }),
                cells: vec![
                    Cell::same(word).tone(tone),
                    Cell::same(name.as_str()),
                    Cell::same(path),
                ],
            }
        })
        .collect();
    listing
}
