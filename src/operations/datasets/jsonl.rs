//! One JSON object a line, with the names and the forms of the API.

use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::{Writer, broken, csv::words};
use crate::domain::{Cell, Field, FieldKind, Result};

pub(super) struct Jsonl {
    fields: Vec<Field>,
    out: Vec<u8>,
    text: String,
}

impl Jsonl {
    pub(super) fn new(fields: &[Field]) -> Self {
        Self { fields: fields.to_vec(), out: Vec::new(), text: String::new() }
    }
}

impl Writer for Jsonl {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        let mut serializer = serde_json::Serializer::new(&mut self.out);
        let mut map = serializer.serialize_map(Some(cells.len())).map_err(broken)?;
        for (cell, field) in cells.iter().zip(&self.fields) {
            let name = field.name;
            let written = match (*cell, field.kind) {
                (Cell::Null, _) => map.serialize_entry(name, &()),
                (Cell::Whole(value), FieldKind::Flag) => map.serialize_entry(name, &(value != 0)),
                (Cell::Whole(value), FieldKind::Whole) => map.serialize_entry(name, &value),
                (Cell::Real(value), _) => map.serialize_entry(name, &value),
                (Cell::Text(value), FieldKind::Json) => {
                    // Should somebody else have written there, it stays a text.
                    match serde_json::from_str::<&RawValue>(value) {
                        Ok(raw) if !value.contains('\n') => map.serialize_entry(name, raw),
                        _ => map.serialize_entry(name, value),
                    }
                }
                (cell, kind) => map.serialize_entry(name, words(cell, kind, &mut self.text)),
            };
            written.map_err(broken)?;
        }
        map.end().map_err(broken)?;
        self.out.push(b'\n');
        Ok(())
    }

    fn take(&mut self) -> Result<Vec<u8>> {
        Ok(std::mem::take(&mut self.out))
    }

    fn finish(&mut self) -> Result<Vec<u8>> {
        self.take()
    }
}
