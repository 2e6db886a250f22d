//! Data in columns, before it has a format.

use serde_json::{Map, Value};

use super::Tone;
use crate::domain::{Error, Result, suggestion_hint};

/// On which side a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A column: its name for `--columns`, its heading for people.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// What `--columns` and CSV call it.
    pub name: &'static str,
    /// What a table calls it.
    pub heading: &'static str,
    /// Words left, numbers right.
    pub align: Align,
    /// Whether a table shows it unasked; pipes get every column.
    pub in_table: bool,
    /// Least width in a table, so that rows printed later stay in line.
    pub min_width: u16,
    /// What becomes of it where a terminal is too narrow for all.
    pub room: Room,
}

/// Which columns go first where a terminal is too narrow for all: none of those left is broken within a
/// word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// It goes before all others.
    Yields,
    /// It goes after those on its right.
    Usual,
    /// It is what the table is looked at for, and stays.
    Keeps,
}

impl Column {
    /// A column of words, shown in tables.
    pub const fn new(name: &'static str, heading: &'static str) -> Self {
        Self { name, heading, align: Align::Left, in_table: true, min_width: 0, room: Room::Usual }
    }

    /// Numbers stand on the right.
    #[must_use]
    pub const fn right(self) -> Self {
        Self { align: Align::Right, ..self }
    }

    /// The first to go where there is no room for all.
    #[must_use]
    pub const fn yields(self) -> Self {
        Self { room: Room::Yields, ..self }
    }

    /// Stays, however narrow it gets.
    #[must_use]
    pub const fn keeps(self) -> Self {
        Self { room: Room::Keeps, ..self }
    }

    /// Not in a table, unless asked for.
    #[must_use]
    pub const fn hidden(self) -> Self {
        Self { in_table: false, ..self }
    }

    /// At least this wide in a table.
    #[must_use]
    pub const fn at_least(self, min_width: u16) -> Self {
        Self { min_width, ..self }
    }
}

/// One value: as scripts read it, and as people do.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The raw value.
    pub raw: String,
    /// The value for people.
    pub shown: String,
    /// What it means.
    pub tone: Tone,
}

impl Cell {
    /// A value that looks the same to all.
    pub fn same(raw: impl Into<String>) -> Self {
        let raw = raw.into();
        Self { shown: raw.clone(), raw, tone: Tone::Plain }
    }

    /// A value that people see in another form.
    pub fn shown(raw: impl Into<String>, shown: impl Into<String>) -> Self {
        Self { raw: raw.into(), shown: shown.into(), tone: Tone::Plain }
    }

    /// A value that is not there.
    pub fn none() -> Self {
        Self { raw: String::new(), shown: "–".to_owned(), tone: Tone::Faint }
    }

    /// The value of something that may not be there.
    pub fn maybe(raw: Option<impl Into<String>>) -> Self {
        raw.map_or_else(Self::none, Self::same)
    }

    /// With a meaning.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }
}

/// One thing.
#[derive(Debug, Clone)]
pub struct Row {
    /// What identifies it, for `-o ids`.
    pub id: String,
    /// Its values, one a column.
    pub cells: Vec<Cell>,
    /// Itself as JSON.
    pub json: Value,
}

/// Many things of a kind.
#[derive(Debug, Clone)]
pub struct Listing {
    /// What they are, as a JSON key: `calls`.
    pub key: &'static str,
    /// The columns.
    pub columns: Vec<Column>,
    /// The things.
    pub rows: Vec<Row>,
    /// Further keys of the JSON object.
    pub beside: Map<String, Value>,
}

impl Listing {
    /// A listing without rows.
    pub fn new(key: &'static str, columns: impl Into<Vec<Column>>) -> Self {
        Self { key, columns: columns.into(), rows: Vec::new(), beside: Map::new() }
    }

    /// Which columns to print: those asked for, else the usual ones.
    pub(super) fn choose(&self, asked: Option<&[String]>, is_table: bool) -> Result<Vec<usize>> {
        let Some(asked) = asked else {
            let usual = |column: &Column| !is_table || column.in_table;
            return Ok((0..self.columns.len()).filter(|at| usual(&self.columns[*at])).collect());
        };
        asked
            .iter()
            .map(|name| {
                self.columns.iter().position(|column| column.name == name).ok_or_else(|| {
                    let known: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
                    let hint = suggestion_hint(name, known.iter().copied())
                        .unwrap_or_else(|| format!("the columns are {}", known.join(", ")));
                    Error::usage(format!("there is no column `{}`", name.escape_debug())).hint(hint)
                })
            })
            .collect()
    }
}
