//! `webox export calls|turns|bookings|ledger|contacts`: rows for other programs.

use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};

use super::{Context, desk::Parts, exit, help, human, progress::Rows, window::WindowFlags};
use crate::{
    domain::{Dataset, Error, Result},
    operations::datasets::{Format, Wanted},
};

/// Which rows.
#[derive(Debug, Subcommand)]
pub(super) enum Which {
    /// Calls, a row each.
    Calls(Flags),
    /// What was heard and said in calls, a row a turn.
    Turns(Flags),
    /// Bookings, by when they begin.
    Bookings(Flags),
    /// What was used and what it cost, a row an entry.
    Ledger(Flags),
    /// Who called, by their last call.
    Contacts(Flags),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// Comma-separated values, with a heading.
    Csv,
    /// JSON, one object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl From<As> for Format {
    fn from(format: As) -> Self {
        match format {
            As::Csv => Self::Csv,
            As::Jsonl => Self::Jsonl,
            As::Parquet => Self::Parquet,
        }
    }
}

/// Arguments of each.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox export calls --since 30d --out calls.csv", "a month, for a spreadsheet"),
        ("webox export turns --since 2026-11-01 --until 2026-12-01 --out november.parquet", "for a notebook"),
        ("webox export ledger --since today --format jsonl | jq .eur", "for a script"),
        ("webox export calls --redact --out calls.jsonl", "without what tells who called"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA],
))]
pub(super) struct Flags {
    #[command(flatten)]
    window: WindowFlags,
    /// As what [default: what the name of --out ends with, or csv].
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<As>,
    /// Write into a file; it is there when it is whole [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Leave out names and notes, mask numbers in what was said, and put pseudonyms in the place of callers.
    #[arg(long)]
    redact: bool,
    /// Begin a CSV with the mark by which Excel knows UTF-8.
    #[arg(long)]
    bom: bool,
}

/// The byte-order mark.
const BOM: &[u8] = "\u{feff}".as_bytes();

pub(super) fn run(which: &Which, context: &Context) -> Result<()> {
    let (dataset, flags) = match which {
        Which::Calls(flags) => (Dataset::Calls, flags),
        Which::Turns(flags) => (Dataset::Turns, flags),
        Which::Bookings(flags) => (Dataset::Bookings, flags),
        Which::Ledger(flags) => (Dataset::Ledger, flags),
        Which::Contacts(flags) => (Dataset::Contacts, flags),
    };
    let format = flags.format()?;
    if flags.bom && format != Format::Csv {
        return Err(Error::usage(format!("--bom is of CSV, and this is {format}"))
            .hint("leave it out, or say `--format csv`"));
    }
    if format == Format::Parquet && flags.out.is_none() && std::io::stdout().is_terminal() {
        return Err(Error::usage("Parquet is nothing for a terminal")
            .hint("name a file with --out, or pipe it on"));
    }
    let window = flags.window.read(context)?;
    let wanted = Wanted {
        dataset,
        format,
        since: window.since,
        until: window.until,
        assistant: window.assistant,
        redact: flags.redact,
    };
    let desk = context.desk("export")?;
    let mut parts = desk.export(&wanted)?;
    // Counting takes a look at all of them: only for somebody who waits.
    let bar = Rows::begin(context, dataset, || parts.count())?;
    let rows = match &flags.out {
        Some(path) => into_file(path, flags.bom, parts.as_mut(), &bar)?,
        None => copy(&mut std::io::stdout().lock(), flags.bom, parts.as_mut(), &bar)?,
    };
    drop(bar);
    if let Some(path) = &flags.out {
        let (word, words) = dataset_words(dataset);
        let told = match rows {
            Some(rows) => format!("{} into {}.", human::count(rows, word, words), path.display()),
            None => format!("Written into {}.", path.display()),
        };
        context.out.note(&told);
    }
    Ok(())
}

const fn dataset_words(dataset: Dataset) -> (&'static str, &'static str) {
    match dataset {
        Dataset::Calls => ("call", "calls"),
        Dataset::Turns => ("turn", "turns"),
        Dataset::Bookings => ("booking", "bookings"),
        Dataset::Ledger => ("entry", "entries"),
        Dataset::Contacts => ("contact", "contacts"),
    }
}

impl Flags {
    fn format(&self) -> Result<Format> {
        if let Some(format) = self.format {
            return Ok(format.into());
        }
        let Some(ending) = self.out.as_ref().and_then(|out| out.extension()) else {
            return Ok(Format::Csv);
        };
        let ending = ending.to_string_lossy().to_ascii_lowercase();
        ending.parse().map_err(|_| {
            Error::usage(format!("`.{}` is no format of an export", ending.escape_debug()))
                .hint("end the name in .csv, .jsonl or .parquet, or say which with `--format`")
        })
    }
}

/// Writes beside the file first, so that what has the name is whole.
fn into_file(path: &Path, bom: bool, parts: &mut dyn Parts, bar: &Rows) -> Result<Option<u64>> {
    let unwritten = |cause: std::io::Error| {
        Error::failure(format!("{} could not be written", path.display())).because(cause)
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut part = tempfile::Builder::new()
        .prefix(".webox-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(unwritten)?;
    let rows = copy(part.as_file_mut(), bom, parts, bar)?;
    part.persist(path).map_err(|error| unwritten(error.error))?;
    Ok(rows)
}

/// Answers how many rows there were, where that is known.
fn copy(out: &mut dyn Write, bom: bool, parts: &mut dyn Parts, bar: &Rows) -> Result<Option<u64>> {
    if bom {
        out.write_all(BOM).map_err(Error::of_output)?;
    }
    let mut rows = Some(0);
    while let Some(part) = parts.next()? {
        out.write_all(&part.bytes).map_err(Error::of_output)?;
        bar.more(part.rows);
        rows = rows.and_then(|rows| Some(rows + part.rows?));
    }
    out.flush().map_err(Error::of_output)?;
    Ok(rows)
}
