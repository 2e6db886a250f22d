//! Assistants as TOML files: their shape, how they are loaded, and how they are written back.
//!
//! Knows files and text, nothing of the store: what to do with them is `operations`' business.

mod load;
mod spec;
mod write;

pub use crate::document::Problem;
pub use load::{Loaded, STDIN, load, read_text};
pub use write::to_toml;
