//! `webox providers check`: one small request to each that is set up.

use clap::{Args, ValueEnum};
use futures_util::future::join_all;
use serde_json::json;

use crate::{
    cli::{
        Context, daemon, exit, human,
        output::{Cell, Column, Listing, Row, Tone},
    },
    domain::{Outcome, Result},
    operations::providers,
    providers::check::{Asking, Checked},
};

/// Arguments of `webox providers check`.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::help::examples(
    &[
        ("webox providers check", "all that are set up, at once"),
        ("webox providers check openai -o json", "one of them, for a script"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::CONFIG],
))]
pub(super) struct Check {
    /// Those to ask; all that are set up otherwise.
    ///
    /// Each gets one real request: a model says a word, an ear hears a short question, a mouth
    /// speaks a word. Together they cost a fraction of a cent. The keys are those of this machine.
    #[arg(value_enum, value_name = "PROVIDER")]
    providers: Vec<Named>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Named {
    Openai,
    Anthropic,
    Deepgram,
    Google,
    Elevenlabs,
    Azure,
    Local,
}

impl Named {
    fn word(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Deepgram => "deepgram",
            Self::Google => "google",
            Self::Elevenlabs => "elevenlabs",
            Self::Azure => "azure",
            Self::Local => "local",
        }
    }
}

pub(super) fn run(args: &Check, context: &Context) -> Result<u8> {
    context.with_own_keys("providers check")?;
    let settings = context.settings()?;
    let wanted = |provider: &str| {
        args.providers.is_empty() || args.providers.iter().any(|named| named.word() == provider)
    };
    let asked = daemon::asked(settings);
    let used = providers::models_in_use(&context.store_to_ask()?)?;
    let mut asking: Vec<Asking> = Vec::new();
    for standing in daemon::standings(settings) {
        // One that is named is asked, set up or not: what is missing is told.
        if !wanted(&standing.provider) || (args.providers.is_empty() && !standing.configured) {
            continue;
        }
        asking.push(asked.ask(&standing, &used)?);
    }
    if asking.is_empty() {
        context.out.note(
            "No provider is set up: `webox providers` lists them, `man webox.toml` has the keys.",
        );
    }
    let checked = daemon::runtime()?.block_on(join_all(asking));
    let failed = checked.iter().filter(|one| one.outcome != Outcome::Answered).count();
    context.out.listing(&listing(&checked))?;
    if failed > 0 {
        context
            .out
            .note(&format!("{failed} of {} did not do what they were asked.", checked.len()));
        return Ok(exit::FAILURE);
    }
    Ok(exit::OK)
}

fn listing(checked: &[Checked]) -> Listing {
    let mut listing = Listing::new(
        "checks",
        [
            Column::new("kind", "kind"),
            Column::new("provider", "provider"),
            Column::new("asked", "asked"),
            Column::new("result", "result").keeps(),
            Column::new("took_ms", "took").right(),
            Column::new("detail", "detail").keeps(),
        ],
    );
    listing.rows = checked.iter().map(row).collect();
    listing
}

fn row(one: &Checked) -> Row {
    let (kind, result) = (one.kind.as_str(), one.outcome.as_str());
    let ms = u32::try_from(one.took.as_millis()).unwrap_or(u32::MAX);
    let tone = if one.outcome == Outcome::Answered { Tone::Good } else { Tone::Bad };
    Row {
        id: format!("{kind}/{}", one.provider),
        json: json!({
            "kind": kind, "provider": one.provider, "asked": one.what, "result": result,
            "took_ms": ms, "detail": one.detail,
        }),
        cells: vec![
            Cell::same(kind),
            Cell::same(&one.provider),
            Cell::same(&one.what),
            Cell::same(result).tone(tone),
            Cell::shown(ms.to_string(), human::milliseconds(ms)),
            Cell::same(&one.detail),
        ],
    }
}
