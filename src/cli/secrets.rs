//! `webox secrets`: values in webox's own keeping.

use std::path::Path;

use clap::{Args, Subcommand};

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    prompt, views,
};
use crate::{
    api::SecretView,
    domain::{EmailAddress, Error, KeySource, Kind, Result},
    vault::HANDED_OVER,
};

/// Arguments of `webox secrets`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox secrets set acme-openai < key.txt", "from stdin or a prompt, never from the command line"),
        ("webox secrets", "names and times; values are never shown"),
        ("webox secrets delete acme-openai --yes", "in a script; on a terminal it asks"),
        ("webox secrets rotate-key", "a new master key; what is kept stays readable all the while"),
        ("webox secrets rotate-key --drop-old", "the same, and the old keys are gone: after one was seen by others"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::DENIED, exit::CONFIG],
))]
pub struct Secrets {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List names and times (the same as `webox secrets`).
    List(List),
    /// Keep a secret; the value comes from stdin or a prompt.
    Set(Named),
    /// Forget a secret.
    Delete(Delete),
    /// Put a new master key into force; the old ones stay, of no more use to this database.
    RotateKey(Rotate),
}

#[derive(Debug, Args)]
struct Rotate {
    /// Take the old keys out as well. Another database that uses them loses its secrets.
    #[arg(long)]
    drop_old: bool,
}

#[derive(Debug, Default, Args)]
struct List {
    /// Those of one user.
    #[arg(long, value_name = "EMAIL")]
    user: Option<EmailAddress>,
}

#[derive(Debug, Args)]
struct Delete {
    #[command(flatten)]
    named: Named,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

#[derive(Debug, Args)]
struct Named {
    /// What it is called: `{ secret = "NAME" }` in files.
    name: String,
    /// Whose assistants may use it [default: those that are nobody's in particular].
    #[arg(long, value_name = "EMAIL")]
    user: Option<EmailAddress>,
}

const COLUMNS: [Column; 5] = [
    Column::new("name", "name"),
    Column::new("user", "user"),
    Column::new("updated", "set"),
    Column::new("created", "created").hidden(),
    Column::new("key", "master key").hidden(),
];

pub(super) fn run(args: &Secrets, context: &Context) -> Result<()> {
    if args.action.is_some() && args.list.user.is_some() {
        return Err(Error::usage("flags of the list stand before the name of an action")
            .hint("write them after it: `webox secrets list --user claire@agence.fr`"));
    }
    match &args.action {
        None => list(&args.list, context),
        Some(Action::List(args)) => list(args, context),
        Some(Action::Set(args)) => set(args, context),
        Some(Action::Delete(args)) => delete(args, context),
        Some(Action::RotateKey(args)) => rotate(args, context),
    }
}

fn list(args: &List, context: &Context) -> Result<()> {
    let kept = context.desk("secrets")?.secrets(args.user.as_ref())?;
    if kept.is_empty() && context.out.format() == Format::Table {
        context.out.note("No secrets yet. Keep one with `webox secrets set NAME`.");
    }
    let now = context.now()?;
    let mut listing = Listing::new("secrets", COLUMNS);
    listing.rows = kept
        .into_iter()
        .map(|kept| Row {
            id: kept.name.clone(),
            cells: vec![
                Cell::same(&kept.name).tone(Tone::Strong),
                Cell::maybe(kept.user.as_ref().map(EmailAddress::as_str)),
                Cell::shown(kept.updated_at.to_string(), human::age(kept.updated_at, &now)),
                Cell::shown(kept.created_at.to_string(), human::age(kept.created_at, &now)),
                Cell::same(&kept.key_id),
            ],
            json: views::value(&SecretView::from(kept)),
        })
        .collect();
    context.out.listing(&listing)
}

fn set(args: &Named, context: &Context) -> Result<()> {
    // Before the question: nobody should type a secret in vain.
    let desk = context.desk_to_fill("secrets set")?;
    let how = format!("webox secrets set {} < FILE", args.name);
    let value = prompt::secret(context, &format!("Value of `{}`", args.name), &how)?;
    desk.set_secret(args.user.as_ref(), &args.name, &value)?;
    context.out.note(&format!(
        "The secret `{0}` is kept. In files it is {{ secret = \"{0}\" }}.",
        args.name
    ));
    Ok(())
}

fn delete(args: &Delete, context: &Context) -> Result<()> {
    let Named { name, user } = &args.named;
    let desk = context.desk("secrets delete")?;
    let question = format!("Forget the secret `{name}`? Nothing brings its value back.");
    if !args.yes && !prompt::confirm(context, &question, "--yes")? {
        return Err(Error::new(Kind::Refused, "nothing was changed"));
    }
    desk.delete_secret(user.as_ref(), name)?;
    context.out.note(&format!("The secret `{name}` is forgotten."));
    Ok(())
}

/// The new key stands before the old one first, then everything is wrapped with it, then the old
/// one goes: whatever breaks off, everything can be read, and this can be run again.
fn rotate(args: &Rotate, context: &Context) -> Result<()> {
    context.here("secrets rotate-key")?;
    let (store, secrets) = (context.store()?, context.secrets()?);
    let actor = context.actor("secrets rotate-key", &store)?;
    actor.may_administer()?;
    let vault = secrets.vault();
    secrets.check_all(&store, &actor)?;
    vault.key_in_force()?;
    let is_ours = matches!(vault.source(), KeySource::File(_));
    if is_ours {
        vault.add_key()?;
    } else if vault.count()? < 2 {
        // Says what to do first.
        vault.add_key()?;
    }
    let rewrapped = secrets.rewrap(&store, &actor, context.started)?;
    if args.drop_old {
        secrets.drop_old_keys(&store, &actor)?;
    }
    context.out.note(
        "Backups made before need the old key: keep a copy of it for as long as you keep them.",
    );
    if is_ours && Path::new(HANDED_OVER).exists()
        || matches!(vault.source(), KeySource::Credential(_))
    {
        context.out.warn(
            "a daemon under systemd has the keys as they were when it started, and opens nothing that is kept until \
             it is started anew: `systemctl restart webox` now",
        );
    }
    let old = vault.count()?.saturating_sub(1);
    let secrets = human::count(rewrapped, "secret is", "secrets are");
    let key = vault.key_in_force()?;
    context.out.note(&format!("The master key {key} is in force; {secrets} wrapped with it now."));
    if is_ours {
        context.out.note("Keep a copy of it where you keep the one of the old key.");
        if old > 0 {
            context.out.note(&format!(
                "The old ones are still in {}; `webox secrets rotate-key --drop-old` takes them out, if no other database needs them.",
                vault.source()
            ));
        }
    } else {
        context.out.note(&format!("Take the old key out of {} now.", vault.source()));
    }
    Ok(())
}
