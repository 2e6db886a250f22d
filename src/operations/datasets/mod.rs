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
    writer: Box<dyn Writer>,
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
/// log.
///
/// # Errors
/// When contacts are asked for of one assistant: they are of an owner.
pub fn begin(store: &Store, actor: &Actor, wanted: &Wanted, now: Timestamp) -> Result<Export> {
    if wanted.assistant.is_some() && !wanted.dataset.is_of_assistants() {
        return Err(Error::input("contacts are not of one assistant: they are of its owner")
            .hint("leave the assistant out"));
    }
    let fields = fields(wanted.dataset);
    let writer: Box<dyn Writer> = match wanted.format {
        Format::Csv => Box::new(csv::Csv::new(&fields)?),
        Format::Jsonl => Box::new(jsonl::Jsonl::new(&fields)),
        Format::Parquet => Box::new(parquet::Parquet::new(wanted.dataset, &fields)?),
    };
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
    Ok(Export { store: store.clone(), rows, writer, redacted, next: Next::Page(None) })
}

impl Export {
    /// How many rows there are: all of them are looked at for it.
    pub fn count(&self) -> Result<u64> {
        self.store.read(|tx| self.rows.count(tx))
    }

    /// The next part; nothing when all is written. Must not be called from async code.
    pub fn part(&mut self) -> Result<Option<Part>> {
        let Next::Page(after) = &self.next else { return Ok(None) };
        let (rows, writer, redacted) = (&self.rows, &mut self.writer, &mut self.redacted);
        let mut count = 0;
        let next = self.store.read(|tx| {
            rows.page(tx, after.as_ref(), PAGE, &mut |cells| {
                count += 1;
                let written = match redacted {
                    Some(redacted) => redacted.row(cells, &mut |cells| writer.row(cells)),
                    None => writer.row(cells),
                };
                written.map_err(StoreError::User)
            })
        })?;
        let bytes = if let Some(place) = next {
            self.next = Next::Page(Some(place));
            self.writer.take()?
        } else {
            self.next = Next::Nothing;
            self.writer.finish()?
        };
        Ok(Some(Part { bytes, rows: count }))
    }
}

fn broken(cause: impl fmt::Display) -> Error {
    Error::failure("rows could not be written").because(cause.to_string())
}
