//! Apache Parquet: a column a field, with its own type; groups of rows are written as they fill, so
//! that memory stays what one of them takes.

use std::sync::Arc;

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::types::Type,
};

use super::{Writer, broken};
use crate::domain::{Cell, Dataset, Error, Field, FieldKind, Result};

/// Rows in a group.
const GROUP: usize = 20_000;

/// Bytes of text in a group, at most: rows of turns are long.
const TEXT: usize = 16 * 1024 * 1024;

/// Digits of an amount in millionths.
const DIGITS: i32 = 18;

/// Values of a column that are not written yet.
enum Values {
    Whole(Vec<i64>),
    Real(Vec<f64>),
    Flag(Vec<bool>),
    Text(Vec<ByteArray>),
}

struct Column {
    values: Values,
    /// 1 where there is a value, 0 where there is none.
    levels: Vec<i16>,
}

pub(super) struct Parquet {
    out: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Column>,
    rows: usize,
    text: usize,
}

fn column_type(field: &Field) -> Result<Type, parquet::errors::ParquetError> {
    let of = |physical| {
        Type::primitive_type_builder(field.name, physical).with_repetition(Repetition::OPTIONAL)
    };
    match field.kind {
        FieldKind::Text => {
            of(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::String)).build()
        }
        FieldKind::Json => {
            of(Physical::BYTE_ARRAY).with_logical_type(Some(LogicalType::Json)).build()
        }
        FieldKind::Whole => of(Physical::INT64).build(),
        FieldKind::Real => of(Physical::DOUBLE).build(),
        FieldKind::Flag => of(Physical::BOOLEAN).build(),
        FieldKind::Moment => of(Physical::INT64)
            .with_logical_type(Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
            .build(),
        FieldKind::Amount => of(Physical::INT64)
            .with_logical_type(Some(LogicalType::decimal(6, DIGITS)))
            .with_precision(DIGITS)
            .with_scale(6)
            .build(),
    }
}

fn column(kind: FieldKind) -> Column {
    let values = match kind {
        FieldKind::Text | FieldKind::Json => Values::Text(Vec::new()),
        FieldKind::Whole | FieldKind::Moment | FieldKind::Amount => Values::Whole(Vec::new()),
        FieldKind::Real => Values::Real(Vec::new()),
        FieldKind::Flag => Values::Flag(Vec::new()),
    };
    Column { values, levels: Vec::new() }
}

impl Parquet {
    pub(super) fn new(dataset: Dataset, fields: &[Field]) -> Result<Self> {
        let mut types = Vec::with_capacity(fields.len());
        for field in fields {
            types.push(Arc::new(column_type(field).map_err(broken)?));
        }
        let schema = Type::group_type_builder(dataset.as_str())
            .with_fields(types)
            .build()
            .map_err(broken)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("webox ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let out = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))
            .map_err(broken)?;
        let columns = fields.iter().map(|field| column(field.kind)).collect();
        Ok(Self { out, columns, rows: 0, text: 0 })
    }

    /// Writes the rows at hand as a group.
    fn group(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.out.next_row_group().map_err(broken)?;
        for column in &mut self.columns {
            let levels = std::mem::take(&mut column.levels);
            match &mut column.values {
                Values::Whole(values) => write::<Int64Type>(&mut group, values, &levels),
                Values::Real(values) => write::<DoubleType>(&mut group, values, &levels),
                Values::Flag(values) => write::<BoolType>(&mut group, values, &levels),
                Values::Text(values) => write::<ByteArrayType>(&mut group, values, &levels),
            }?;
        }
        group.close().map_err(broken)?;
        (self.rows, self.text) = (0, 0);
        Ok(())
    }

    /// What was written, handed on: the writer counts its place itself.
    fn written(&mut self) -> Result<Vec<u8>> {
        self.out.flush().map_err(broken)?;
        Ok(std::mem::take(self.out.inner_mut()))
    }
}

fn write<D: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &mut Vec<D::T>,
    levels: &[i16],
) -> Result<()> {
    let mut column = group
        .next_column()
        .map_err(broken)?
        .ok_or_else(|| Error::failure("a file of Parquet has fewer columns than fields"))?;
    column.typed::<D>().write_batch(values, Some(levels), None).map_err(broken)?;
    column.close().map_err(broken)?;
    values.clear();
    Ok(())
}

impl Writer for Parquet {
    fn row(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        for (cell, column) in cells.iter().zip(&mut self.columns) {
            let is_there = match (*cell, &mut column.values) {
                (Cell::Null, _) => false,
                (Cell::Whole(value), Values::Whole(values)) => {
                    values.push(value);
                    true
                }
                (Cell::Whole(value), Values::Flag(values)) => {
                    values.push(value != 0);
                    true
                }
                (Cell::Real(value), Values::Real(values)) => {
                    values.push(value);
                    true
                }
                (Cell::Text(value), Values::Text(values)) => {
                    self.text += value.len();
                    values.push(ByteArray::from(value));
                    true
                }
                (cell, _) => {
                    return Err(Error::failure(format!("a column has another type: {cell:?}")));
                }
            };
            column.levels.push(i16::from(is_there));
        }
        self.rows += 1;
        if self.rows >= GROUP || self.text >= TEXT {
            self.group()?;
        }
        Ok(())
    }

    fn take(&mut self) -> Result<Vec<u8>> {
        self.written()
    }

    fn finish(&mut self) -> Result<Vec<u8>> {
        self.group()?;
        self.out.finish().map_err(broken)?;
        self.written()
    }
}
