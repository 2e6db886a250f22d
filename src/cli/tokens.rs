//! `webox tokens`: keys to the API.

use clap::{Args, Subcommand};
use jiff::ZonedDateTime;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    views,
};
use crate::{
    api::TokenView,
    domain::{EmailAddress, Error, HumanDuration, Result, Scope, Token, TokenId},
    operations::accounts::{self, Wanted},
};

/// Arguments of `webox tokens`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox tokens", "list them; keys are never shown again"),
        ("webox tokens create --user ci@agence.fr --name gitlab --scope write --expires 90d", "the key is printed this once"),
        ("webox tokens create --user ci@agence.fr --name gitlab --scope write -o json | jq -r .token", "for a script"),
        ("webox tokens revoke 3", "no longer accepted, from the next request on"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::DATA, exit::DENIED],
))]
pub struct Tokens {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List tokens (the same as `webox tokens`).
    List(List),
    /// Make a token, and print its key.
    Create(Create),
    /// Accept tokens no longer.
    Revoke(Revoke),
}

#[derive(Debug, Default, Args)]
struct List {
    /// Those of one user.
    #[arg(long, value_name = "EMAIL")]
    user: Option<EmailAddress>,
}

#[derive(Debug, Args)]
struct Create {
    /// Whose it is.
    #[arg(long, value_name = "EMAIL")]
    user: EmailAddress,
    /// What it is for.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// How far it reaches: `read`, `write`, or `admin`.
    #[arg(long, value_name = "SCOPE")]
    scope: Scope,
    /// How long it is good, such as `90d` [default: until it is revoked].
    #[arg(long, value_name = "LENGTH")]
    expires: Option<HumanDuration>,
}

#[derive(Debug, Args)]
struct Revoke {
    /// Their ids, as `webox tokens` lists them.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
}

const COLUMNS: [Column; 9] = [
    Column::new("id", "id").right(),
    Column::new("email", "user"),
    Column::new("name", "name"),
    Column::new("scope", "scope"),
    Column::new("state", "state"),
    Column::new("expires", "expires"),
    Column::new("last_used", "last used"),
    Column::new("key", "key begins").hidden(),
    Column::new("created", "created").hidden(),
];

pub(super) fn run(args: &Tokens, context: &Context) -> Result<()> {
    if args.action.is_some() && args.list.user.is_some() {
        return Err(Error::usage("flags of the list stand before the name of an action")
            .hint("write them after it: `webox tokens list --user claire@agence.fr`"));
    }
    match &args.action {
        None => list(&args.list, context),
        Some(Action::List(args)) => list(args, context),
        Some(Action::Create(args)) => create(args, context),
        Some(Action::Revoke(args)) => revoke(args, context),
    }
}

fn list(args: &List, context: &Context) -> Result<()> {
    let tokens = context.desk("tokens")?.tokens(args.user.as_ref())?;
    if tokens.is_empty() && context.out.format() == Format::Table {
        context.out.note("No tokens yet. Make one with `webox tokens create`.");
    }
    listing(context, &tokens)
}

fn create(args: &Create, context: &Context) -> Result<()> {
    let expires_at = args
        .expires
        .map(|length| {
            let length = jiff::SignedDuration::try_from(length.get());
            length.ok().and_then(|length| context.started.checked_add(length).ok()).ok_or_else(
                || Error::input("--expires is too far away").hint("leave it out for no end"),
            )
        })
        .transpose()?;
    let wanted =
        Wanted { email: args.user.clone(), name: args.name.clone(), scope: args.scope, expires_at };
    let (token, key) = context.desk_to_fill("tokens create")?.create_token(wanted)?;
    if let (None, Some(end)) = (expires_at, token.expires_at) {
        let end = human::date_time_zone(end, &context.now()?);
        context.out.note(&format!("It ends with the key that made it: {end}."));
    }
    context.out.note("This is the only time that the key is shown:");
    match context.out.format() {
        Format::Json | Format::Jsonl => context.out.objects([
            ("token", key.expose().into()),
            ("details", views::value(&TokenView::from(token))),
        ]),
        _ => context.out.text(&format!("{}\n", key.expose())),
    }
}

fn revoke(args: &Revoke, context: &Context) -> Result<()> {
    let desk = context.desk("tokens revoke")?;
    // All of them are there, or none is revoked.
    let known = desk.tokens(None)?;
    for id in &args.ids {
        if !known.iter().any(|token| token.id.0 == *id) {
            return Err(accounts::unknown_token(TokenId(*id)));
        }
    }
    let mut revoked = Vec::new();
    for id in &args.ids {
        let token = desk.revoke_token(TokenId(*id))?;
        context.out.note(&format!("The token {id} (`{}`) is revoked.", token.name));
        revoked.push(token);
    }
    if context.out.format() == Format::Table { Ok(()) } else { listing(context, &revoked) }
}

fn listing(context: &Context, tokens: &[Token]) -> Result<()> {
    let now = context.now()?;
    let mut listing = Listing::new("tokens", COLUMNS);
    listing.rows = tokens.iter().map(|token| row(token, &now)).collect();
    context.out.listing(&listing)
}

fn row(token: &Token, now: &ZonedDateTime) -> Row {
    let expired = token.expires_at.is_some_and(|at| at <= now.timestamp());
    let (state, tone) = match (token.revoked_at, expired) {
        (Some(_), _) => ("revoked", Tone::Faint),
        (None, true) => ("expired", Tone::Warning),
        (None, false) => ("good", Tone::Good),
    };
    let time = |at: Option<jiff::Timestamp>,
                words: fn(jiff::Timestamp, &ZonedDateTime) -> String| {
        at.map_or_else(Cell::none, |at| Cell::shown(at.to_string(), words(at, now)))
    };
    Row {
        id: token.id.0.to_string(),
        json: views::value(&TokenView::from(token.clone())),
        cells: vec![
            Cell::same(token.id.0.to_string()),
            Cell::same(token.email.as_str()),
            Cell::same(&token.name).tone(Tone::Strong),
            Cell::same(token.scope.as_str()),
            Cell::same(state).tone(tone),
            time(token.expires_at, human::date_time_zone),
            time(token.last_used_at, human::age),
            Cell::same(format!("webox_{}…", token.lookup)),
            time(Some(token.created_at), human::age),
        ],
    }
}
