//! `webox users`: who may do what.

use clap::{Args, Subcommand};
use jiff::ZonedDateTime;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    prompt, views,
};
use crate::{
    api::UserView,
    domain::{EmailAddress, Error, Kind, Result, Role, User},
};

/// Arguments of `webox users`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox users", "list them"),
        ("webox users add claire@agence.fr --role member", "sees and does only what is hers"),
        ("webox users delete claire@agence.fr --give-to paul@agence.fr", "her assistants are his from now on"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::DATA, exit::DENIED],
))]
pub struct Users {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all users (the same as `webox users`).
    List,
    /// Add a user.
    Add(Add),
    /// Show one user.
    Show(One),
    /// Change what a user may do.
    SetRole(Add),
    /// Accept none of a user's tokens any longer.
    Disable(One),
    /// Accept a user's tokens again.
    Enable(One),
    /// Take a user out, with the user's tokens.
    Delete(Delete),
}

#[derive(Debug, Args)]
struct One {
    /// The user's e-mail address.
    email: EmailAddress,
}

#[derive(Debug, Args)]
struct Add {
    /// The user's e-mail address.
    email: EmailAddress,
    /// What the user may do: `admin` everything, `member` what is the user's own.
    #[arg(long, value_name = "ROLE")]
    role: Role,
}

#[derive(Debug, Args)]
struct Delete {
    /// The user's e-mail address.
    email: EmailAddress,
    /// Who has the user's assistants from now on.
    #[arg(long, value_name = "EMAIL")]
    give_to: Option<EmailAddress>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

const COLUMNS: [Column; 7] = [
    Column::new("email", "e-mail"),
    Column::new("role", "role"),
    Column::new("enabled", "enabled"),
    Column::new("assistants", "assistants").right(),
    Column::new("tokens", "tokens").right(),
    Column::new("created", "created"),
    Column::new("id", "id").right().hidden(),
];

pub(super) fn run(args: &Users, context: &Context) -> Result<()> {
    match &args.action {
        None | Some(Action::List) => {
            let users = context.desk("users")?.users()?;
            if users.is_empty() && context.out.format() == Format::Table {
                context.out.note("No users yet. Add one with `webox users add EMAIL --role …`.");
            }
            listing(context, "users", &users)
        }
        Some(Action::Show(one)) => {
            report(context, None, context.desk("users show")?.user(&one.email)?)
        }
        Some(Action::Add(add)) => {
            let user = context.desk_to_fill("users add")?.add_user(add.email.clone(), add.role)?;
            let next = format!("webox tokens create --user {} --name … --scope …", user.email);
            let said = format!("Added `{}` ({}). A key: `{next}`.", user.email, user.role);
            report(context, Some(&said), user)
        }
        Some(Action::SetRole(to)) => {
            let user = context.desk("users set-role")?.set_role(to.email.clone(), to.role)?;
            report(context, Some(&format!("`{}` is {} now.", user.email, user.role)), user)
        }
        Some(Action::Disable(one)) => switch(context, &one.email, true),
        Some(Action::Enable(one)) => switch(context, &one.email, false),
        Some(Action::Delete(args)) => delete(args, context),
    }
}

fn switch(context: &Context, email: &EmailAddress, disabled: bool) -> Result<()> {
    let command = if disabled { "users disable" } else { "users enable" };
    let user = context.desk(command)?.set_disabled(email.clone(), disabled)?;
    let word = if disabled { "disabled: none of its keys is accepted" } else { "enabled" };
    report(context, Some(&format!("`{email}` is {word}.")), user)
}

fn delete(args: &Delete, context: &Context) -> Result<()> {
    let desk = context.desk("users delete")?;
    let user = desk.user(&args.email)?;
    if !args.yes && !prompt::confirm(context, &format!("Delete `{}`?", user.email), "--yes")? {
        return Err(Error::new(Kind::Refused, format!("`{}` was not deleted", user.email)));
    }
    let gone = desk.delete_user(args.email.clone(), args.give_to.clone())?;
    report(context, Some(&format!("Deleted `{}`.", gone.email)), gone)
}

fn report(context: &Context, sentence: Option<&str>, user: User) -> Result<()> {
    if let Some(sentence) = sentence {
        context.out.note(sentence);
    }
    match (context.out.format(), sentence) {
        (Format::Table, Some(_)) => Ok(()),
        (Format::Json | Format::Jsonl, _) => {
            context.out.object("user", views::value(&UserView::from(user)))
        }
        _ => listing(context, "users", &[user]),
    }
}

fn listing(context: &Context, name: &'static str, users: &[User]) -> Result<()> {
    let now = context.now()?;
    let mut listing = Listing::new(name, COLUMNS);
    listing.rows = users.iter().map(|user| row(user, &now)).collect();
    context.out.listing(&listing)
}

fn row(user: &User, now: &ZonedDateTime) -> Row {
    let enabled = if user.disabled_at.is_none() {
        Cell::shown("true", "yes").tone(Tone::Good)
    } else {
        Cell::shown("false", "no").tone(Tone::Warning)
    };
    Row {
        id: user.email.to_string(),
        json: views::value(&UserView::from(user.clone())),
        cells: vec![
            Cell::same(user.email.as_str()).tone(Tone::Strong),
            Cell::same(user.role.as_str()),
            enabled,
            Cell::same(user.assistants.to_string()),
            Cell::same(user.tokens.to_string()),
            Cell::shown(user.created_at.to_string(), human::age(user.created_at, now)),
            Cell::same(user.id.0.to_string()),
        ],
    }
}
