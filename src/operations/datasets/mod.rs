//! Rows taken out of the store as a file: one page at a time, so that ten million rows take no more
//! memory than ten thousand, and a slow reader holds nothing up.

mod csv;
mod jsonl;
mod parquet;
mod redacted;

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde_json::{Value, json};

use self::redacted::Redacted;
use crate::{
    domain::{Actor, AssistantId, Cell, Dataset, Error, Field, Result},
    store::{
        Store, StoreError,
        audit::Deed,
        datasets::{self, Place, Rows},
    },
};

use super::audit;

/// Rows that are read in one transaction.
const PAGE: u32 = 5_000;

/// Calls whose turns are read in one transaction, where several are read at the same time.
const CALLS_WITH_TURNS: u32 = 400;

/// Pages that are read at the same time, at most: each has a file of its own open.
const MOST_READERS: usize = 8;

/// The kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, safe for spreadsheets.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::Jsonl, Self::Parquet];

    /// Its word, and what the names of its files end with.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// What HTTP calls it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| {
            Error::input(format!("there is no format `{}`", text.escape_debug()))
                .hint("csv, jsonl or parquet")
        })
    }
}

/// What to take out.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Which rows.
    pub dataset: Dataset,
    /// As what.
    pub format: Format,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this one.
    pub until: Option<Timestamp>,
    /// Of one assistant.
    pub assistant: Option<AssistantId>,
    /// Without what tells who it was.
    pub redact: bool,
}

/// Makes bytes of rows.
trait Writer: Send {
    /// One row.
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()>;
    /// What is ready to be written out.
    fn take(&mut self) -> Result<Vec<u8>>;
    /// What remains, after the last row.
    fn finish(&mut self) -> Result<Vec<u8>>;
}

/// A part of an export.
#[derive(Debug)]
pub struct Part {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How many rows were read for it.
    pub rows: u64,
}

/// An export under way.
pub struct Export {
    store: Store,
    rows: Rows,
    /// One for each page that is read at the same time.
    writers: Vec<Box<dyn Writer>>,
    redacted: Option<Redacted>,
    next: Next,
}

enum Next {
    Page(Option<Place>),
    Nothing,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// The fields of rows, in their order.
pub fn fields(dataset: Dataset) -> Vec<Field> {
    datasets::fields(dataset)
}

/// Begins to take rows out, as far as the actor may see them. That it was done is a line in the audit
/// log. Where pages can be parted beforehand, as many as `readers` are read at the same time.
///
/// # Errors
/// When contacts are asked for of one assistant: they are of an owner.
pub fn begin(
    store: &Store,
    actor: &Actor,
    wanted: &Wanted,
    readers: usize,
    now: Timestamp,
) -> Result<Export> {
    if wanted.assistant.is_some() && !wanted.dataset.is_of_assistants() {
        return Err(Error::input("contacts are not of one assistant: they are of its owner")
            .hint("leave the assistant out"));
    }
    let fields = fields(wanted.dataset);
    let writer: Box<dyn Writer> = match wanted.format {
        Format::Csv => Box::new(csv::Csv::with_heading(&fields)?),
        Format::Jsonl => Box::new(jsonl::Jsonl::new(&fields)),
        Format::Parquet => Box::new(parquet::Parquet::new(wanted.dataset, &fields)?),
    };
    let mut writers = vec![writer];
    let redacted = if wanted.redact { Some(Redacted::new(&fields)?) } else { None };
    let (actor_, after) = (actor.clone(), json!({ "redacted": wanted.redact }));
    let target = format!("dataset/{}", wanted.dataset);
    store.write(move |tx| {
        let deed = Deed { action: "export", target, before: Value::Null, after };
        audit::record(tx, &actor_, now, &deed)
    })?;
    let rows = Rows {
        dataset: wanted.dataset,
        sight: actor.sight(),
        assistant: wanted.assistant,
        since: wanted.since,
        until: wanted.until,
    };
    let readers = if rows.parts() { readers.min(MOST_READERS) } else { 1 };
    for _ in 1..readers {
        match wanted.format {
            Format::Csv => writers.push(Box::new(csv::Csv::new(&fields))),
            Format::Jsonl => writers.push(Box::new(jsonl::Jsonl::new(&fields))),
            // Its groups of rows follow each other in one file.
            Format::Parquet => break,
        }
    }
    Ok(Export { store: store.clone(), rows, writers, redacted, next: Next::Page(None) })
}

impl Export {
    /// How many rows there are: all of them are looked at for it.
    pub fn count(&self) -> Result<u64> {
        self.store.read(|tx| self.rows.count(tx))
    }

    /// The next part; nothing when all is written. Must not be called from async code.
    pub fn part(&mut self) -> Result<Option<Part>> {
        let Next::Page(after) = std::mem::replace(&mut self.next, Next::Nothing) else {
            return Ok(None);
        };
        let many = self.writers.len() > 1;
        let (part, next) = if many { self.pages(after)? } else { self.page(after)? };
        if let Some(place) = next {
            self.next = Next::Page(Some(place));
        }
        Ok(Some(part))
    }

    fn page(&mut self, after: Option<Place>) -> Result<(Part, Option<Place>)> {
        let Self { store, rows, writers, redacted, .. } = self;
        let writer = &mut writers[0];
        let reading = Reading { store, rows, redacted: redacted.as_ref() };
        let (count, next) = reading.page((after.as_ref(), None), PAGE, writer.as_mut())?;
        let bytes = if next.is_some() { writer.take()? } else { writer.finish()? };
        Ok((Part { bytes, rows: count }, next))
    }

    /// As many pages at the same time as there are writers, one after the other in the part.
    fn pages(&mut self, after: Option<Place>) -> Result<(Part, Option<Place>)> {
        let Self { store, rows, writers, redacted, .. } = self;
        let calls = if rows.dataset == Dataset::Turns { CALLS_WITH_TURNS } else { PAGE };
        let ends = store.read(|tx| rows.ends(tx, after.as_ref(), calls, writers.len()))?;
        let next = (ends.len() == writers.len()).then(|| ends.last().cloned()).flatten();
        let begins = std::iter::once(after.as_ref()).chain(ends.iter().map(Some));
        // The last page goes to the end where it ends before the others are full.
        let ranges = begins.zip(ends.iter().map(Some).chain([None])).zip(writers.iter_mut());
        let reading = Reading { store, rows, redacted: redacted.as_ref() };
        let read: Vec<Result<Part>> = std::thread::scope(|scope| {
            let threads: Vec<_> = ranges
                .map(|(range, writer)| {
                    scope.spawn(move || {
                        let (rows, _) = reading.page(range, u32::MAX, writer.as_mut())?;
                        Ok(Part { bytes: writer.take()?, rows })
                    })
                })
                .collect();
            let ended = |thread: std::thread::ScopedJoinHandle<'_, Result<Part>>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(ended).collect()
        });
        let mut whole = Part { bytes: Vec::new(), rows: 0 };
        for part in read {
            let part = part?;
            whole.bytes.extend_from_slice(&part.bytes);
            whole.rows += part.rows;
        }
        Ok((whole, next))
    }
}

/// What pages are read by.
#[derive(Clone, Copy)]
struct Reading<'e> {
    store: &'e Store,
    rows: &'e Rows,
    redacted: Option<&'e Redacted>,
}

impl Reading<'_> {
    /// Writes a page; how many rows it had, and where the next one begins.
    fn page(
        self,
        range: (Option<&Place>, Option<&Place>),
        most: u32,
        writer: &mut dyn Writer,
    ) -> Result<(u64, Option<Place>)> {
        let mut count = 0;
        let next = self.store.read(|tx| {
            self.rows.page(tx, range, most, &mut |cells| {
                count += 1;
                let written = match self.redacted {
                    Some(redacted) => redacted.row(cells, &mut |cells| writer.row(cells)),
                    None => writer.row(cells),
                };
                written.map_err(StoreError::User)
            })
        })?;
        Ok((count, next))
    }
}

fn broken(cause: impl fmt::Display) -> Error {
    Error::failure("rows could not be written").because(cause.to_string())
}
