//! `webox try`: talk to an assistant by typing.

use clap::Args;

use super::{exit, help};

/// Arguments of `webox try`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox try le-gourmet", "type what a caller would say; an empty line is silence"),
        ("webox try le-gourmet --line", "show the TwiML of every answer as well"),
        ("webox try le-gourmet < script.txt", "one utterance a line"),
    ],
    &[exit::FAILURE, exit::DATA],
))]
pub struct Try {
    /// The assistant, by name or id.
    pub(super) name: String,
    /// Show what goes over the line: the TwiML of every answer.
    #[arg(long)]
    pub(super) line: bool,
    /// The number to call from.
    #[arg(long, value_name = "NUMBER", default_value = "+33612345678")]
    pub(super) from: String,
}
