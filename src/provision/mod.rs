//! Assistants as TOML files: their shape, how they are loaded, planned against the store, and
//! written back.
//!
//! Files and text; what is in the store comes in as plain values, and what to do with a plan is
//! `operations`' business.

mod defaults;
mod export;
mod file;
mod knowledge;
mod load;
mod plan;
mod plan_file;
mod schema;
mod spec;
pub mod template;
pub mod trades;
mod write;

pub use crate::document::Problem;
pub use defaults::{DEFAULTS_FILE, Defaults, Layer};
pub use export::{Exported, Outcome, Target, export};
pub use load::{Loaded, STDIN, load, load_up_to, read_edited, read_text};
pub use plan::{
    Action, Block, Change, Drift, Field, NumberMove, Plan, Summary, differences, line_diff, plan,
};
pub use schema::{SCHEMA_FILE, schema};
pub use spec::File;
pub use template::check_spec;
pub use write::to_toml;
