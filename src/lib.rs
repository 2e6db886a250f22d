//! webox

pub mod cli;
pub mod config;
pub mod conversation;
pub mod document;
pub mod domain;
pub mod operations;
pub mod providers;
pub mod provision;
pub mod store;
