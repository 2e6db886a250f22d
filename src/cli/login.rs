//! `webox login` and `webox logout`: a key for a daemon far away.

use clap::Args;
use serde_json::json;

use super::{Context, credentials, desk::Remote, exit, help, output::Format, prompt};
use crate::{
    config::{PublicUrl, Settings},
    domain::{Error, Result},
};

/// Arguments of `webox login`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox login https://webox.agence.fr", "asks for the key, tries it, keeps it"),
        ("webox login https://webox.agence.fr < key.txt", "the key from stdin; it is never an argument"),
        ("webox assistants --server https://webox.agence.fr", "then any command"),
    ],
    &[exit::USAGE, exit::UNAVAILABLE, exit::DENIED],
))]
pub struct Login {
    /// The daemon's address.
    url: String,
}

/// Arguments of `webox logout`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[("webox logout https://webox.agence.fr", "forget the key here; `webox tokens revoke` ends it everywhere")],
    &[exit::FAILURE],
))]
pub struct Logout {
    /// The daemon's address.
    url: String,
}

pub(super) fn login(args: &Login, context: &Context) -> Result<()> {
    let server: PublicUrl = args.url.parse()?;
    let key = prompt::secret(context, "Key (webox_…)", "echo \"$KEY\" | webox login URL")?;
    let me = Remote::new(&server, key.clone())?.me()?;
    credentials::keep(context.environment(), &server, Some(&key))?;
    let path = credentials::place(context.environment())?;
    context.out.note(&format!(
        "Logged in to {server} as {} ({}, {}). The key is in {}.",
        me.email,
        me.role,
        me.scope,
        path.display()
    ));
    let place = Settings::usual_places(context.environment()).into_iter().next();
    let place = context.settings()?.file.clone().or(place);
    let place = place.map_or_else(|| "webox.toml".to_owned(), |path| path.display().to_string());
    context.out.note(&format!("Ask it with `--server {server}`, or with WEBOX_SERVER={server}."));
    context.out.note(&format!(
        "To ask it whenever nothing else is said: `server = \"{server}\"` in {place}."
    ));
    if matches!(context.out.format(), Format::Json | Format::Jsonl) {
        context.out.object("login", json!({ "server": server.as_str(), "email": me.email, "role": me.role, "scope": me.scope }))?;
    }
    Ok(())
}

pub(super) fn logout(args: &Logout, context: &Context) -> Result<()> {
    let server: PublicUrl = args.url.parse()?;
    if !credentials::keep(context.environment(), &server, None)? {
        return Err(Error::not_found(format!("no key is kept for {server}")));
    }
    context
        .out
        .note(&format!("The key for {server} is forgotten here; it is still good elsewhere."));
    if matches!(context.out.format(), Format::Json | Format::Jsonl) {
        context.out.object("logout", json!({ "server": server.as_str() }))?;
    }
    Ok(())
}
