//! `webox history` and `webox rollback`: who changed what, and the way back.

use clap::Args;
use serde_json::{Value, json};

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Listing, Row},
    prompt, views,
};
use crate::{
    domain::{AssistantName, Error, Kind, Result},
    provision::{self, Field},
};

/// Arguments of `webox history`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox history", "the applies, newest first"),
        ("webox history le-gourmet", "every version of an assistant, and who made it"),
        ("webox history le-gourmet -o json", "with the whole of each version"),
    ],
    &[exit::FAILURE],
))]
pub struct History {
    /// An assistant, also one that was deleted.
    name: Option<AssistantName>,
    /// At most this many; 0 is all.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u64,
}

/// Arguments of `webox rollback`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox rollback le-gourmet", "as it was before its last change"),
        ("webox rollback le-gourmet --to 3 --yes", "as in version 3, without a question"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA],
))]
pub struct Rollback {
    /// The assistant, also one that was deleted.
    name: AssistantName,
    /// The version to go back to [default: the last one that was different].
    #[arg(long, value_name = "VERSION")]
    to: Option<i64>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Show what would change, and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(args: &History, context: &Context) -> Result<()> {
    let limit = (args.limit > 0).then_some(args.limit);
    match &args.name {
        None => applies(limit, context),
        Some(name) => versions(name, limit, context),
    }
}

fn applies(limit: Option<u64>, context: &Context) -> Result<()> {
    let mut listing = Listing::new(
        "applies",
        [
            Column::new("id", "id").right(),
            Column::new("at", "when"),
            Column::new("who", "who"),
            Column::new("host", "host").hidden(),
            Column::new("git", "git").yields(),
            Column::new("source", "from").yields(),
            Column::new("created", "created"),
            Column::new("changed", "changed"),
            Column::new("deleted", "deleted"),
        ],
    );
    let now = context.now()?;
    for apply in context.desk("history")?.applies(limit)? {
        let summary: Value = serde_json::from_str(&apply.summary).unwrap_or_default();
        let names = |key: &str| {
            let names = summary[key].as_array().map(Vec::as_slice).unwrap_or_default();
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            // A table has room for some; a script gets all.
            let shown = match names.as_slice() {
                [first, second, rest @ ..] if rest.len() > 1 => {
                    format!("{first}, {second} and {} more", rest.len())
                }
                all => all.join(", "),
            };
            Cell::shown(names.join(", "), shown)
        };
        let at = human::date_time(apply.at, &now);
        listing.rows.push(Row {
            id: apply.id.0.to_string(),
            cells: vec![
                Cell::same(apply.id.0.to_string()),
                Cell::shown(apply.at.to_string(), at),
                Cell::same(apply.author.who.clone()),
                Cell::maybe(apply.author.host.clone()),
                Cell::maybe(apply.author.git.clone()),
                Cell::same(apply.source.clone()),
                names("created"),
                names("changed"),
                names("deleted"),
            ],
            json: json!({
                "id": apply.id,
                "at": apply.at.to_string(),
                "author": apply.author,
                "source": apply.source,
                "summary": summary,
            }),
        });
    }
    if listing.rows.is_empty() {
        context.out.note("Nothing was applied yet.");
    }
    context.out.listing(&listing)
}

fn versions(name: &AssistantName, limit: Option<u64>, context: &Context) -> Result<()> {
    let versions = context.desk("history")?.history(name)?;
    let mut listing = Listing::new(
        "versions",
        [
            Column::new("version", "version").right(),
            Column::new("at", "when"),
            Column::new("who", "who"),
            Column::new("command", "by"),
            Column::new("git", "git").yields(),
            Column::new("fields", "what").keeps(),
        ],
    );
    let now = context.now()?;
    let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    for (place, version) in versions.iter().enumerate().take(most) {
        let fields: Vec<Field> = versions
            .get(place + 1)
            .map(|before| provision::differences(&before.spec, &version.spec))
            .unwrap_or_default();
        let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
        let what = match () {
            () if version.deleted => "deleted".to_owned(),
            () if place + 1 == versions.len() => "created".to_owned(),
            () => paths.join(", "),
        };
        let at = human::date_time(version.at, &now);
        listing.rows.push(Row {
            id: version.revision.to_string(),
            cells: vec![
                Cell::same(version.revision.to_string()),
                Cell::shown(version.at.to_string(), at),
                Cell::same(version.author.who.clone()),
                Cell::same(version.author.command.clone()),
                Cell::maybe(version.author.git.clone()),
                Cell::same(what),
            ],
            json: json!({
                "version": version.revision,
                "at": version.at.to_string(),
                "author": version.author,
                "apply_id": version.apply,
                "deleted": version.deleted,
                "changes": fields,
                "spec": version.spec,
            }),
        });
    }
    context.out.listing(&listing)
}

pub(super) fn rollback(args: &Rollback, context: &Context) -> Result<()> {
    let desk = context.desk("rollback")?;
    let rollback = desk.plan_rollback(&args.name, args.to)?;
    let fields = provision::differences(&rollback.from.spec, &rollback.to.spec);
    let paths: Vec<&str> = fields.iter().map(|field| field.path.as_str()).collect();
    let what = if rollback.from.deleted {
        format!("`{}` comes back as it was in version {}", args.name, rollback.to.revision)
    } else {
        format!(
            "`{}` goes back to version {}: {}",
            args.name,
            rollback.to.revision,
            paths.join(", ")
        )
    };
    if args.dry_run {
        context.out.note(&format!("{what}. Nothing was changed."));
        return Ok(());
    }
    if !args.yes && !prompt::confirm(context, &format!("{what}?"), "--yes")? {
        return Err(Error::new(Kind::Refused, "nothing was changed"));
    }
    let assistant = desk.rollback(rollback)?;
    context.out.note(&format!("{what}; it is version {} now.", assistant.revision));
    context.out.note(
        "Files that say otherwise are refused until they are changed back, or `--overwrite`.",
    );
    if context.out.format() == super::output::Format::Json {
        context.out.object("assistant", views::assistant(&assistant).into())?;
    }
    Ok(())
}
