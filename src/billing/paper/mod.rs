//! Bills as people and programs read them.

mod cii;
mod content;
mod page;
mod pdf;
mod table;
mod words;

pub use cii::cii;
pub use page::page;
pub use pdf::pdf;
pub use table::{COLUMNS, table};
