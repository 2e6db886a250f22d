//! `webox whoami`: as whom commands are carried out, and where.

use clap::Args;
use serde_json::json;

use super::{Context, exit, help, output::Format};
use crate::{config::PublicUrl, domain::Result};

/// Arguments of `webox whoami`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox whoami", "on the daemon's own machine: whoever may open the file is an admin"),
        ("webox whoami --server https://webox.agence.fr", "whose key is kept for it, and how far it reaches"),
    ],
    &[exit::USAGE, exit::UNAVAILABLE, exit::DENIED],
))]
pub struct WhoAmI {}

pub(super) fn run(_: &WhoAmI, context: &Context) -> Result<()> {
    let me = context.who()?;
    let settings = context.settings()?;
    let server = if context.is_far()? { settings.server.value.as_ref() } else { None };
    let db = server.is_none().then(|| settings.db.value.display().to_string());
    if matches!(context.out.format(), Format::Json | Format::Jsonl) {
        return context.out.object(
            "whoami",
            json!({
                "email": me.as_ref().map(|me| &me.email),
                "role": me.as_ref().map_or("admin", |me| me.role.as_str()),
                "scope": me.as_ref().map_or("admin", |me| me.scope.as_str()),
                "server": server.map(PublicUrl::as_str),
                "db": db,
            }),
        );
    }
    let place = server.map(|server| server.as_str().to_owned()).or(db).unwrap_or_default();
    context.out.text(&match me {
        Some(me) => format!("{} ({}, {}) at {place}\n", me.email, me.role, me.scope),
        None => format!("admin, as whoever may open {place}\n"),
    })
}
