//! Through the doors: everything that starts the real program.

mod support;

mod cli_assistants;
mod cli_calls;
mod cli_conventions;
mod cli_settings;
mod generated;
