//! Comma-separated values (RFC 4180): a heading, CRLF, and cells that no spreadsheet calculates.

use csv::{Terminator, WriterBuilder};

use super::{Writer, broken};
use crate::domain::{Cell, Field, FieldKind, Micros, Result, spreadsheet};

pub(super) struct Csv {
    kinds: Vec<FieldKind>,
    out: csv::Writer<Vec<u8>>,
    text: String,
}

fn writer() -> csv::Writer<Vec<u8>> {
    WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new())
}

impl Csv {
    pub(super) fn new(fields: &[Field]) -> Self {
        let kinds = fields.iter().map(|field| field.kind).collect();
        Self { kinds, out: writer(), text: String::new() }
    }

    pub(super) fn with_heading(fields: &[Field]) -> Result<Self> {
        let mut new = Self::new(fields);
        new.out.write_record(fields.iter().map(|field| field.name)).map_err(broken)?;
        Ok(new)
    }

    fn bytes(&mut self) -> Result<Vec<u8>> {
        std::mem::replace(&mut self.out, writer())
            .into_inner()
            .map_err(|error| broken(error.error()))
    }
}

/// A value as a text; one that is none yet is written into `text`.
pub(super) fn words<'v>(cell: Cell<'v>, kind: FieldKind, text: &'v mut String) -> &'v str {
    use std::fmt::Write as _;
    text.clear();
    let written = match (cell, kind) {
        (Cell::Null, _) => Ok(()),
        (Cell::Text(value), _) => return value,
        (Cell::Real(value), _) => write!(text, "{value}"),
        (Cell::Whole(value), FieldKind::Amount) => write!(text, "{}", Micros::from_micros(value)),
        (Cell::Whole(value), FieldKind::Flag) => write!(text, "{}", value != 0),
        (Cell::Whole(value), FieldKind::Moment) => match jiff::Timestamp::from_millisecond(value) {
            Ok(at) => write!(text, "{at}"),
            Err(_) => write!(text, "{value}"),
        },
        (Cell::Whole(value), _) => write!(text, "{value}"),
    };
    debug_assert!(written.is_ok(), "a String takes whatever is written");
    text
}

impl Writer for Csv {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        for (cell, kind) in cells.iter().zip(&self.kinds) {
            let value = words(*cell, *kind, &mut self.text);
            let written = match cell {
                Cell::Text(_) => self.out.write_field(spreadsheet::cell(value).as_bytes()),
                _ => self.out.write_field(value),
            };
            written.map_err(broken)?;
        }
        self.out.write_record(None::<&[u8]>).map_err(broken)
    }

    fn take(&mut self) -> Result<Vec<u8>> {
        self.bytes()
    }

    fn finish(&mut self) -> Result<Vec<u8>> {
        self.bytes()
    }
}
