//! Bills as people and programs read them.

mod cii;
mod page;
mod table;
mod words;

pub use cii::cii;
pub use page::page;
pub use table::{COLUMNS, table};
