//! `webox init`: what a new installation needs: a master key, and a store.

use clap::Args;

use super::{Context, exit, help};
use crate::{
    domain::{Error, KeySource, Result},
    operations::secrets,
    vault::Vault,
};

/// Arguments of `webox init`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox init", "makes the master key and the database where there is none; changes nothing else"),
        ("WEBOX_MASTER_KEY_FILE=/etc/webox/master.key webox init", "the key elsewhere"),
    ],
    &[exit::CONFIG, exit::DENIED],
))]
pub struct Init {}

pub(super) fn run(_: &Init, context: &Context) -> Result<()> {
    context.here("init")?;
    let source = context.settings()?.master_key.clone();
    let store = context.store()?;
    if let KeySource::File(path) = &source
        && !path.exists()
        && let Some(lost) = secrets::first_sealed(&store)?
    {
        return Err(Error::config(format!(
            "{} is not there, and this database has secrets that need it: `{lost}` is one",
            path.display()
        ))
        .hint("put the key back from your copy; if it is lost, delete these secrets (`webox secrets`) and run this again"));
    }
    match &source {
        KeySource::File(path) => {
            if Vault::init(path)? {
                context.out.note(&format!("Made the master key {}.", path.display()));
                context.out.note(
                    "Keep a copy apart from the database: without it, kept secrets cannot be read.",
                );
            } else {
                context.out.note(&format!("The master key {} is there already.", path.display()));
            }
        }
        elsewhere => {
            let id = Vault::new(elsewhere.clone()).key_in_force()?;
            context.out.note(&format!("The master key {id} comes from {elsewhere}."));
        }
    }
    context.out.note(&format!("The database is {}.", store.path().display()));
    Ok(())
}
