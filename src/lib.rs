//! webox

pub mod conversation;
pub mod domain;
pub mod operations;
pub mod providers;
pub mod store;
