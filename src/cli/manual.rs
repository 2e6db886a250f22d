//! `webox man`: the manual pages, one a command, and the two of the file formats.

use std::{fmt::Write, path::PathBuf};

use clap::{Args, Command, CommandFactory};

use super::{Cli, Context, help};
use crate::{
    config::VARIABLES,
    domain::{Error, Result},
};

/// Arguments of `webox man`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox man man/", "write the pages into a folder, and read one with `man -l man/webox.1`"),
        ("sudo webox man /usr/local/share/man/man1", "make them known to `man webox`"),
    ],
    &[super::exit::USAGE, super::exit::DENIED],
))]
pub struct Man {
    /// The folder to write the pages into; it is made when it is not there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// The pages of the file formats, written by hand.
const FORMATS: [(&str, &str); 2] = [
    ("webox.toml.5", include_str!("../../man/webox.toml.5")),
    ("webox-assistant.5", include_str!("../../man/webox-assistant.5")),
];

pub(super) fn run(args: &Man, context: &Context) -> Result<()> {
    let cannot =
        |cause: std::io::Error| Error::of_file(&args.folder, "cannot be written to", cause);
    std::fs::create_dir_all(&args.folder).map_err(cannot)?;
    let pages = pages()?;
    for (name, text) in &pages {
        std::fs::write(args.folder.join(name), text).map_err(cannot)?;
    }
    context.out.note(&format!("{} pages in {}.", pages.len(), args.folder.display()));
    Ok(())
}

/// Every page, by file name. The same on every machine and at every commit.
fn pages() -> Result<Vec<(String, String)>> {
    // `help` has no page of its own, and the commit in the version would make pages stale.
    let mut root = Cli::command().version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    add(&root, "webox", &mut pages)?;
    if let Some((_, page)) = pages.iter_mut().find(|(name, _)| name == "webox.1") {
        page.push_str(&environment());
    }
    pages.extend(FORMATS.map(|(name, text)| (name.to_owned(), text.to_owned())));
    Ok(pages)
}

/// The variables that webox reads, as a section of a page.
fn environment() -> String {
    let mut section = String::from(".SH ENVIRONMENT\n");
    for (name, meaning) in VARIABLES {
        let meaning = meaning.replace('-', "\\-").replace('\'', "\\*(Aq");
        let _ = writeln!(section, ".TP\n\\fB{name}\\fR\n{meaning}");
    }
    section
}

fn add(command: &Command, name: &str, pages: &mut Vec<(String, String)>) -> Result<()> {
    let mut text = Vec::new();
    let page = clap_mangen::Man::new(command.clone().name(name.to_owned()))
        .manual("webox manual")
        .source(concat!("webox ", env!("CARGO_PKG_VERSION")))
        // A date would make pages stale by themselves; an empty one would shift what follows.
        .date(" ");
    page.render(&mut text).map_err(Error::of_output)?;
    pages.push((format!("{name}.1"), String::from_utf8_lossy(&text).into_owned()));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        add(sub, &format!("{name}-{}", sub.get_name()), pages)?;
    }
    Ok(())
}
