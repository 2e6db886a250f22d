//! webox

pub mod cli;
pub mod config;
pub mod conversation;
pub mod document;
pub mod domain;
pub mod providers;
pub mod provision;
