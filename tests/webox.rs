//! Through the doors: everything that starts the real program.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod support;

mod cli_assistants;
mod cli_calls;
mod cli_conventions;
mod cli_demo;
mod cli_settings;
mod generated;
