//! `enable`, `disable`, `toggle` and `delete`.

use clap::Args;

use super::report;
use crate::{
    cli::{Context, exit, help, prompt},
    domain::{Error, Kind, Result},
    operations::assistants,
};

/// Arguments of `enable`, `disable` and `toggle`.
#[derive(Debug, Args)]
pub(super) struct Names {
    /// Their names or ids.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Say what would change, and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Which way to switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    On,
    Off,
    Other,
}

pub(super) fn run(args: &Names, to: To, context: &Context) -> Result<()> {
    let store = context.store()?;
    // All are looked up first: a mistyped name changes nothing.
    let found =
        args.names.iter().map(|name| assistants::find(&store, name)).collect::<Result<Vec<_>>>()?;
    for assistant in found {
        let active = match to {
            To::On => true,
            To::Off => false,
            To::Other => !assistant.spec.active,
        };
        let name = &assistant.spec.name;
        let word = if active { "enabled" } else { "disabled" };
        if assistant.spec.active == active {
            report(context, &format!("`{name}` is {word} already."), &assistant)?;
        } else if args.dry_run {
            context.out.note(&format!("`{name}` would be {word}."));
        } else {
            let changed = assistants::set_active(&store, assistant.id, active, context.started)?;
            report(context, &format!("`{name}` is {word}."), &changed)?;
        }
    }
    Ok(())
}

/// Arguments of `delete`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox assistants delete le-gourmet", "asks first"),
        ("webox assistants delete le-gourmet --yes", "does not ask"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE],
))]
pub(super) struct Delete {
    /// Its name or id.
    name: String,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Say what would be deleted, and delete nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn delete(args: &Delete, context: &Context) -> Result<()> {
    let store = context.store()?;
    let assistant = assistants::find(&store, &args.name)?;
    let name = &assistant.spec.name;
    if args.dry_run {
        context.out.note(&format!("Would delete `{name}`; its calls would stay."));
        return Ok(());
    }
    if !args.yes {
        // One that answers callers now takes more than a keystroke.
        let sure = if assistant.spec.active {
            let question =
                format!("{} is in service. Type `{name}` to delete it", assistant.spec.phone);
            prompt::typed(context, &question, name.as_str(), "--yes")?
        } else {
            prompt::confirm(context, &format!("Delete `{name}`?"), "--yes")?
        };
        if !sure {
            return Err(Error::new(Kind::Refused, format!("`{name}` was not deleted")));
        }
    }
    assistants::delete(&store, assistant.id, context.started)?;
    report(context, &format!("Deleted `{name}`. Its calls stay."), &assistant)
}
