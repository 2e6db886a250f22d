//! What an import says about the rows it read.

use crate::store::prototype::{Row, Table, Value};

use super::values;

/// How many rows of a kind came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// New here.
    pub taken: u64,
    /// Here before.
    pub present: u64,
    /// Could not be taken.
    pub refused: u64,
}

/// What became of a row or a field that did not come over as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The row is not taken.
    Refused,
    /// The row is taken, with another value in this field.
    Changed,
    /// The row is taken, the field is not: webox has no place for it, or must not have it.
    LeftBehind,
}

impl Fate {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::LeftBehind => "left-behind",
        }
    }
}

/// One thing to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The table in the prototype's file.
    pub table: &'static str,
    /// The row, counted from 1; nothing when it is about the table.
    pub row: Option<u64>,
    /// The row's own id, when it has one.
    pub id: Option<String>,
    /// The column; nothing when it is about the row.
    pub field: Option<String>,
    /// What became of it.
    pub fate: Fate,
    /// Why.
    pub reason: String,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Assistants.
    pub assistants: Tally,
    /// Calls.
    pub calls: Tally,
    /// Everything that is not as it was, in the order of the file.
    pub remarks: Vec<Remark>,
}

impl Report {
    /// Rows that could not be taken.
    pub fn refused(&self) -> u64 {
        self.assistants.refused + self.calls.refused
    }
}

/// Why a row cannot be taken.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) field: &'static str,
    pub(super) reason: String,
}

impl Refused {
    pub(super) fn new(field: &'static str, reason: impl Into<String>) -> Self {
        Self { field, reason: reason.into() }
    }
}

/// Remarks on one row; those on its fields count only if it is taken.
pub(super) struct Notes {
    table: &'static str,
    row: u64,
    id: Option<String>,
    remarks: Vec<Remark>,
}

impl Notes {
    pub(super) fn new(table: Table, row: &Row) -> Self {
        let id = values::text(row.get("id")).ok().flatten();
        Self { table: table.name(), row: row.number, id, remarks: Vec::new() }
    }

    pub(super) fn changed(&mut self, field: &str, reason: impl Into<String>) {
        self.add(field, Fate::Changed, reason.into());
    }

    /// A value that cannot be read, and what stands in its place.
    pub(super) fn replaced(&mut self, field: &str, value: &Value, instead: &str) {
        self.changed(field, format!("{} is taken as {instead}", values::shown(value)));
    }

    pub(super) fn left_behind(&mut self, field: &str, reason: impl Into<String>) {
        self.add(field, Fate::LeftBehind, reason.into());
    }

    fn add(&mut self, field: &str, fate: Fate, reason: String) {
        let field = (!field.is_empty()).then(|| field.to_owned());
        let (table, row, id) = (self.table, Some(self.row), self.id.clone());
        self.remarks.push(Remark { table, row, id, field, fate, reason });
    }

    /// The row is taken.
    pub(super) fn taken(self, tally: &mut Tally, remarks: &mut Vec<Remark>) {
        tally.taken += 1;
        remarks.extend(self.remarks);
    }

    /// The row is not taken.
    pub(super) fn refused(mut self, why: Refused, tally: &mut Tally, remarks: &mut Vec<Remark>) {
        tally.refused += 1;
        self.remarks.clear();
        self.add(why.field, Fate::Refused, why.reason);
        remarks.extend(self.remarks);
    }
}
