//! `enable`, `disable`, `toggle` and `delete`.

use clap::Args;

use super::{list, report};
use crate::{
    cli::{Context, exit, help, output::Format, prompt},
    domain::{EmailAddress, Error, Kind, Result},
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

impl To {
    /// The command, for the history.
    const fn command(self) -> &'static str {
        match self {
            Self::On => "assistants enable",
            Self::Off => "assistants disable",
            Self::Other => "assistants toggle",
        }
    }
}

pub(super) fn run(args: &Names, to: To, context: &Context) -> Result<()> {
    let desk = context.desk(to.command())?;
    // All are looked up first: a mistyped name changes nothing.
    let found = args.names.iter().map(|name| desk.assistant(name)).collect::<Result<Vec<_>>>()?;
    let mut after = Vec::new();
    for assistant in found {
        let active = match to {
            To::On => true,
            To::Off => false,
            To::Other => !assistant.spec.active,
        };
        let name = assistant.spec.name.clone();
        let word = if active { "enabled" } else { "disabled" };
        if assistant.spec.active == active {
            context.out.note(&format!("`{name}` is {word} already."));
            after.push(assistant);
        } else if args.dry_run {
            context.out.note(&format!("`{name}` would be {word}."));
        } else {
            after.push(desk.switch(assistant.id, active)?);
            context.out.note(&format!("`{name}` is {word}."));
        }
    }
    // A person has read it; a script gets the assistants as they are now.
    if context.out.format() == Format::Table { Ok(()) } else { list::some(context, &after) }
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

/// Arguments of `give`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox assistants give le-gourmet --to claire@agence.fr", "its calls, bookings and costs are hers to see from now on"),
        ("webox assistants give le-gourmet --to nobody", "only admins see it"),
    ],
    &[exit::FAILURE, exit::DENIED],
))]
pub(super) struct Give {
    /// Their names or ids.
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Whose they are from now on: an e-mail address, or `nobody`.
    #[arg(long, value_name = "EMAIL")]
    to: String,
}

pub(super) fn give(args: &Give, context: &Context) -> Result<()> {
    let desk = context.desk("assistants give")?;
    let to = match args.to.as_str() {
        "nobody" => None,
        email => Some(email.parse::<EmailAddress>()?),
    };
    let found = args.names.iter().map(|name| desk.assistant(name)).collect::<Result<Vec<_>>>()?;
    let mut after = Vec::new();
    for assistant in found {
        let given = desk.hand_over(assistant.id, to.clone())?;
        context.out.note(&format!("`{}` belongs to {} now.", given.spec.name, args.to));
        after.push(given);
    }
    if context.out.format() == Format::Table { Ok(()) } else { list::some(context, &after) }
}

pub(super) fn delete(args: &Delete, context: &Context) -> Result<()> {
    let desk = context.desk("assistants delete")?;
    let assistant = desk.assistant(&args.name)?;
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
    desk.delete(assistant.id)?;
    report(context, &format!("Deleted `{name}`. Its calls stay."), &assistant)
}
