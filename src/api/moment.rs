//! Times, as the schema tells of them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// A time in UTC, as RFC 3339 writes it.
#[derive(Debug)]
pub struct Moment;

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "A time in UTC (RFC 3339)",
            "examples": ["2026-11-23T09:30:00Z"],
        })
    }
}
