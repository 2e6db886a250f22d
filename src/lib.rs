//! webox

pub mod conversation;
pub mod domain;
pub mod providers;
