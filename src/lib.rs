//! webox

pub mod cli;
pub mod config;
pub mod conversation;
pub mod document;
pub mod domain;
pub mod line;
pub mod operations;
pub mod providers;
pub mod provision;
pub mod rehearsal;
pub mod server;
pub mod store;
pub mod twilio;
