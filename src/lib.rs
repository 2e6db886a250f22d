//! webox

pub mod config;
pub mod conversation;
pub mod document;
pub mod domain;
pub mod providers;
pub mod provision;
