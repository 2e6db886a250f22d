//! webox

pub mod conversation;
pub mod domain;
pub mod line;
pub mod operations;
pub mod providers;
pub mod server;
pub mod store;
pub mod twilio;
