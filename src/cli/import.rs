//! `webox import`: assistants and calls from the program that webox replaces.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Listing, Row, Tone},
    progress::Waiting,
};
use crate::{
    domain::{Error, Result},
    operations::import::{self, Fate, Remark, Report, Tally, Wishes},
    store::prototype::Prototype,
};

/// Arguments of `webox import`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox import --prototype voice.db --dry-run", "what would come over, and what would not"),
        ("webox import --prototype voice.db", "bring assistants and calls over; again later for the newest"),
        ("webox import --prototype voice.db -o csv > left-out.csv", "keep the list of what is not as it was"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA, exit::BUSY, exit::DENIED],
))]
pub struct Import {
    /// The prototype's SQLite file (`voice_assistants`, `voice_calls`); it is only read.
    #[arg(long, value_name = "FILE")]
    prototype: PathBuf,
    /// Show what would be taken, and take nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

const COLUMNS: [Column; 6] = [
    Column::new("fate", "what"),
    Column::new("table", "table"),
    Column::new("row", "row").right(),
    Column::new("id", "id").right(),
    Column::new("field", "field"),
    Column::new("reason", "why").keeps(),
];

pub(super) fn run(args: &Import, context: &Context) -> Result<()> {
    context.here("import")?;
    // Before the store: a wrong file makes no new one.
    let prototype = Prototype::open(&args.prototype)?;
    let store = if args.dry_run { context.store_to_ask()? } else { context.store_to_fill()? };
    let wishes = Wishes { dry_run: args.dry_run, now: context.started };
    let report = {
        let waiting = Waiting::begin(context, "Reading…");
        let actor = context.actor("import", &store)?;
        import::run(&store, &prototype, wishes, &actor, &mut |done, total| {
            waiting.tell(format!("{} of {} rows", human::number(done), human::number(total)));
        })?
    };
    context.out.listing(&listing(&report, args.dry_run))?;
    context.out.note(&summary(&report, args.dry_run));
    match report.refused() {
        0 => Ok(()),
        refused => Err(not_all(refused, args.dry_run)),
    }
}

fn not_all(refused: u64, dry: bool) -> Error {
    let rows = human::count(refused, "row", "rows");
    let cannot = if dry { "could not be taken" } else { "could not be taken; the others are" };
    Error::failure(format!("{rows} {cannot}"))
        .hint("the list says which and why; what is here is not taken twice when you run it again")
}

fn listing(report: &Report, dry: bool) -> Listing {
    let mut listing = Listing::new("remarks", COLUMNS);
    listing.rows = report.remarks.iter().map(row).collect();
    listing.beside.insert("assistants".to_owned(), tally(&report.assistants));
    listing.beside.insert("calls".to_owned(), tally(&report.calls));
    listing.beside.insert("dry_run".to_owned(), dry.into());
    listing
}

fn tally(tally: &Tally) -> serde_json::Value {
    json!({"taken": tally.taken, "present": tally.present, "refused": tally.refused})
}

fn row(remark: &Remark) -> Row {
    let tone = match remark.fate {
        Fate::Refused => Tone::Bad,
        Fate::Changed => Tone::Warning,
        Fate::LeftBehind => Tone::Faint,
    };
    let number = remark.row.map(|row| row.to_string());
    Row {
        id: match &number {
            Some(row) => format!("{}:{row}", remark.table),
            None => remark.table.to_owned(),
        },
        json: json!({
            "fate": remark.fate.as_str(),
            "table": remark.table,
            "row": remark.row,
            "id": remark.id,
            "field": remark.field,
            "reason": remark.reason,
        }),
        cells: vec![
            Cell::same(remark.fate.as_str()).tone(tone),
            Cell::same(remark.table),
            Cell::maybe(number),
            Cell::maybe(remark.id.clone()),
            Cell::maybe(remark.field.clone()),
            Cell::same(remark.reason.clone()),
        ],
    }
}

fn summary(report: &Report, dry: bool) -> String {
    let Report { assistants, calls, .. } = report;
    let taken = format!(
        "{} and {}",
        human::count(assistants.taken, "assistant", "assistants"),
        human::count(calls.taken, "call", "calls")
    );
    let taken = match (assistants.taken + calls.taken, dry) {
        (0, _) => "Nothing new".to_owned(),
        (_, true) => format!("{taken} to import"),
        (_, false) => format!("{taken} imported"),
    };
    format!(
        "{taken}; {} and {} were here already; {} refused.",
        human::number(assistants.present),
        human::number(calls.present),
        human::number(report.refused())
    )
}
