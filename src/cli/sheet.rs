//! One thing, a line a field.

use jiff::{Timestamp, ZonedDateTime};
use serde_json::Value;

use super::{
    human,
    output::{Cell, Column, Listing, Row, Tone},
};

/// Fields and their values.
#[derive(Default)]
pub(super) struct Sheet {
    rows: Vec<Row>,
}

impl Sheet {
    pub(super) fn add(&mut self, field: impl Into<String>, value: impl Into<String>) {
        self.cell(field, Cell::same(value));
    }

    pub(super) fn maybe(&mut self, field: &str, value: Option<&str>) {
        self.cell(field, Cell::maybe(value));
    }

    pub(super) fn time(&mut self, field: &str, at: Timestamp, now: &ZonedDateTime) {
        self.cell(field, Cell::shown(at.to_string(), human::date_time_zone(at, now)));
    }

    pub(super) fn cell(&mut self, field: impl Into<String>, value: Cell) {
        let field = field.into();
        let cells = vec![Cell::same(&field).tone(Tone::Faint), value];
        self.rows.push(Row { id: field, json: Value::Null, cells });
    }

    pub(super) fn into_listing(self) -> Listing {
        let columns = [Column::new("field", "field"), Column::new("value", "value").keeps()];
        let mut listing = Listing::new("fields", columns);
        listing.rows = self.rows;
        listing
    }
}
