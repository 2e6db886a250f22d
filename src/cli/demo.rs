//! `webox demo`: a whole call on this machine, without any account.

use clap::Args;

use super::{exit, help};

/// Arguments of `webox demo`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox demo", "plays a call, in a database that is thrown away"),
        ("webox demo --keep --db demo.db", "keeps the daemon and the database"),
    ],
    &[exit::FAILURE],
))]
pub struct Demo {
    /// Leave the daemon running until interrupted.
    #[arg(long)]
    pub(super) keep: bool,
}
