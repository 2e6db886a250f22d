//! `webox serve`: the daemon.

use clap::Args;

use super::{Context, exit, help};
use crate::{config::Settings, domain::Result};

/// Arguments of `webox serve`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        (
            "webox serve --public-url https://calls.example.com",
            "answers Twilio, behind a proxy that does TLS",
        ),
        ("webox serve --insecure-no-signature", "for trials on this machine only"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::CONFIG],
))]
pub struct Serve {
    /// The address to listen at [default: 127.0.0.1:8080].
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<String>,
    /// The address Twilio reaches us by; signatures are computed over it.
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<String>,
    /// Accept webhooks without a signature, on this machine's own addresses only.
    #[arg(long)]
    pub(super) insecure_no_signature: bool,
}

impl Serve {
    /// The settings with these flags.
    pub(super) fn settings(&self, context: &Context) -> Result<Settings> {
        context.settings_with(|flags| {
            flags.listen.clone_from(&self.listen);
            flags.public_url.clone_from(&self.public_url);
        })
    }
}
