//! What is given to commands, read without doing anything: for `fuzz/`.

use clap::Parser;

use super::{Cli, campaign};

/// Whether a command line can be read.
pub fn arguments<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    Cli::try_parse_from(std::iter::once("webox").chain(words)).is_ok()
}

/// How many people a file of a campaign names, or what is wrong with it.
pub fn people(file: &[u8]) -> Result<usize, Vec<String>> {
    campaign::people(file)
}
