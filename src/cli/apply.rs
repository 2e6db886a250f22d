//! `webox apply`: assistants from files, all or none.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Listing, Row, Tone},
    prompt,
};
use crate::{
    domain::{Error, Kind, Result},
    operations::assistants::{self, Applied, Change},
    provision,
};

/// Arguments of `webox apply`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox apply assistants/", "every *.toml of a folder, after showing what will change"),
        ("webox apply --dry-run le-gourmet.toml", "only show it"),
        ("generate-clients | webox apply --yes -", "one assistant from stdin, without a question"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA],
))]
pub struct Apply {
    /// Files, folders (every `*.toml` in them), or `-` for stdin.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Show what would change, and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(args: &Apply, context: &Context) -> Result<()> {
    let loaded = provision::load(&args.paths, &mut std::io::stdin())
        .map_err(|problems| not_valid(&problems))?;
    let specs: Vec<_> = loaded.into_iter().map(|loaded| loaded.spec).collect();
    let store = context.store()?;
    let plan = assistants::plan(&store, &specs)?;
    let changes = plan.iter().filter(|applied| applied.change != Change::Unchanged).count();
    if args.dry_run || changes == 0 {
        context.out.listing(&listing(&plan))?;
        context.out.note(&summary(&plan, args.dry_run));
        return Ok(());
    }
    if !args.yes {
        // The question shows what it is about; the result is data, and is printed after it.
        if context.may_ask() {
            for applied in &plan {
                let (symbol, _, _) = words(&applied.change);
                let fields = fields(&applied.change).join(", ");
                context.out.say(&format!("{symbol} {}  {fields}", applied.name));
            }
        }
        let question = format!("Apply {}?", human::count(changes as u64, "change", "changes"));
        if !prompt::confirm(context, &question, "--yes")? {
            return Err(Error::new(Kind::Refused, "nothing was applied"));
        }
    }
    let applied = assistants::apply(&store, specs, context.started)?;
    context.out.listing(&listing(&applied))?;
    context.out.note(&summary(&applied, false));
    Ok(())
}

fn not_valid(problems: &[provision::Problem]) -> Error {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Error::input(lines.join("\n"))
        .hint("nothing was applied; the keys are in `man webox-assistant`")
}

fn listing(applied: &[Applied]) -> Listing {
    let mut listing = Listing::new(
        "assistants",
        [
            Column::new("change", "change"),
            Column::new("name", "name"),
            Column::new("fields", "fields"),
        ],
    );
    listing.rows = applied
        .iter()
        .map(|applied| {
            let (symbol, word, tone) = words(&applied.change);
            let fields = fields(&applied.change);
            Row {
                id: applied.name.to_string(),
                json: json!({"name": applied.name, "change": word, "fields": fields}),
                cells: vec![
                    Cell::shown(word, format!("{symbol} {word}")).tone(tone),
                    Cell::same(applied.name.as_str()),
                    Cell::same(fields.join(", ")),
                ],
            }
        })
        .collect();
    listing
}

fn words(change: &Change) -> (&'static str, &'static str, Tone) {
    match change {
        Change::Created => ("+", "create", Tone::Good),
        Change::Updated { .. } => ("~", "change", Tone::Warning),
        Change::Unchanged => ("=", "same", Tone::Faint),
    }
}

fn fields(change: &Change) -> &[String] {
    match change {
        Change::Updated { fields } => fields,
        Change::Created | Change::Unchanged => &[],
    }
}

fn summary(applied: &[Applied], dry: bool) -> String {
    let count = |wanted: &dyn Fn(&Change) -> bool| {
        applied.iter().filter(|applied| wanted(&applied.change)).count()
    };
    let created = count(&|change| *change == Change::Created);
    let changed = count(&|change| matches!(change, Change::Updated { .. }));
    let same = count(&|change| *change == Change::Unchanged);
    let (create, change) = if dry { ("to create", "to change") } else { ("created", "changed") };
    format!("{created} {create}, {changed} {change}, {same} the same.")
}
