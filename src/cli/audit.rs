//! `webox audit`: who did what.

use clap::Args;
use serde_json::{Value, json};

use super::{
    Context,
    desk::Span,
    exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    views,
};
use crate::{
    api::AuditEntryView,
    domain::{
        Error, Result,
        when::{self, Bound},
    },
    operations::audit::Entry,
};

/// Arguments of `webox audit`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox audit --since 7d", "who changed what this week"),
        ("webox audit --verify", "computes every hash again; prints the last one, to be kept elsewhere"),
        ("webox audit --verify --head 5f0c…", "1 when the log does not hold that line any more"),
    ],
    &[exit::FAILURE, exit::DATA, exit::DENIED],
))]
pub struct Audit {
    /// From this time on: an age (`90m`, `2d`), `today`, a date or a time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Before this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// At most so many; 0 is all.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u64,
    /// Check the chain instead of listing it.
    #[arg(long)]
    verify: bool,
    /// A hash that was printed before, and must still be in the log.
    #[arg(long, value_name = "HASH", requires = "verify")]
    head: Option<String>,
}

const COLUMNS: [Column; 8] = [
    Column::new("at", "when"),
    Column::new("who", "who"),
    Column::new("action", "what"),
    Column::new("target", "to what"),
    Column::new("changed", "changed"),
    Column::new("from", "from").hidden(),
    Column::new("by", "by").hidden(),
    Column::new("id", "id").right().hidden(),
];

pub(super) fn run(args: &Audit, context: &Context) -> Result<()> {
    if args.verify {
        return verify(args, context);
    }
    let now = context.now()?;
    let read = |text: &Option<String>, bound| {
        text.as_deref().map(|text| when::parse(text, &now, bound)).transpose()
    };
    let span = Span {
        since: read(&args.since, Bound::Since)?,
        until: read(&args.until, Bound::Until)?,
        assistant: None,
    };
    let most = (args.limit > 0).then_some(args.limit);
    let entries = context.desk("audit")?.audit(span, most)?;
    let mut listing = Listing::new("entries", COLUMNS);
    listing.rows = entries
        .into_iter()
        .map(|entry| Row {
            id: entry.id.to_string(),
            cells: vec![
                Cell::shown(entry.at.to_string(), human::age(entry.at, &now)),
                Cell::same(&entry.author.who),
                Cell::same(&entry.action).tone(Tone::Strong),
                Cell::same(&entry.target),
                Cell::same(changed(&entry)),
                Cell::maybe(entry.author.host.as_deref()),
                Cell::same(&entry.author.command),
                Cell::same(entry.id.to_string()),
            ],
            json: views::value(&AuditEntryView::from(entry)),
        })
        .collect();
    context.out.listing(&listing)
}

/// The fields that changed, or what the new state is.
fn changed(entry: &Entry) -> String {
    let Value::Object(fields) = (if entry.after.is_null() { &entry.before } else { &entry.after })
    else {
        return String::new();
    };
    fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn verify(args: &Audit, context: &Context) -> Result<()> {
    let desk = context.desk("audit")?;
    let (check, holds_head) = desk.check_audit(args.head.as_deref())?;
    if let Some(id) = check.broken_at {
        return Err(Error::failure(format!(
            "the audit log was changed: line {id} is not as it was written"
        ))
        .hint("compare the database with a backup from before; lines after it prove nothing"));
    }
    if holds_head == Some(false) {
        return Err(Error::failure(
            "the audit log does not hold the line with that hash: it was cut or replaced",
        )
        .hint("compare the database with a backup from before"));
    }
    context.out.note(&format!("{} as written.", human::count(check.lines, "line is", "lines are")));
    match (context.out.format(), &check.head) {
        (Format::Json | Format::Jsonl, head) => {
            context.out.objects([("lines", json!(check.lines)), ("head", json!(head))])
        }
        (_, Some(head)) => context.out.text(&format!("{head}\n")),
        (_, None) => Ok(()),
    }
}
