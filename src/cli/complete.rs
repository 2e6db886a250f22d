//! `webox completions`: what a shell needs to complete our words.

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::{Cli, Context, help};
use crate::domain::Result;

/// Arguments of `webox completions`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox completions bash > /etc/bash_completion.d/webox", "for everybody on this machine"),
        ("webox completions zsh > ~/.zfunc/_webox", "for zsh, in a folder of its fpath"),
        ("webox completions fish > ~/.config/fish/completions/webox.fish", "for fish"),
    ],
    &[super::exit::USAGE],
))]
pub struct Completions {
    /// The shell.
    shell: Shell,
}

pub(super) fn run(args: &Completions, context: &Context) -> Result<()> {
    let mut text = Vec::new();
    generate(args.shell, &mut Cli::command(), "webox", &mut text);
    context.out.text(&String::from_utf8_lossy(&text))
}
