//! `webox providers`: who thinks, listens and speaks, and how they stand.

mod check;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Listing, Row, Tone},
    views,
};
use crate::domain::{
    Outcome, ProviderStanding, ProviderState, ProvidersOverview, Result, SoundFigures,
};

/// Arguments of `webox providers`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox providers", "which can be asked, on this machine"),
        ("webox providers --server https://webox.agence.fr", "and which a running daemon leaves alone just now"),
        ("webox providers check", "asks each of them once: costs a fraction of a cent"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DENIED],
))]
pub struct Providers {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show how each stands (the same as `webox providers`).
    ///
    /// Which can be asked is told from the settings. Which failed and are left alone for a while,
    /// and what sounds that are kept have spared, only a running daemon knows: name it with
    /// --server.
    Status,
    /// Ask each of them one small thing.
    Check(check::Check),
}

pub(super) fn run(args: &Providers, context: &Context) -> Result<u8> {
    match &args.action {
        None | Some(Action::Status) => status(context).map(|()| exit::OK),
        Some(Action::Check(args)) => check::run(args, context),
    }
}

fn status(context: &Context) -> Result<()> {
    let ProvidersOverview { providers, sounds } =
        context.desk_to_ask("providers status")?.providers()?;
    let is_known = providers.iter().any(|standing| standing.state.is_some());
    let mut listing = Listing::new(
        "providers",
        [
            Column::new("kind", "kind"),
            Column::new("provider", "provider"),
            Column::new("configured", "set up"),
            Column::new("state", "state"),
            Column::new("failures", "failures").right(),
            Column::new("last_failure", "last failure"),
            Column::new("open_for", "left alone for").right(),
            Column::new("address", "address"),
        ],
    );
    listing.rows = providers.iter().map(row).collect();
    listing.beside = beside(sounds);
    context.out.listing(&listing)?;
    if let Some(sounds) = sounds {
        context.out.note(&told(&sounds));
    }
    if !is_known {
        context.out.note("How they stand is the running daemon's to tell: --server URL.");
    }
    Ok(())
}

fn row(standing: &ProviderStanding) -> Row {
    let kind = standing.kind.as_str();
    let set_up = if standing.configured {
        Cell::shown("true", "yes").tone(Tone::Good)
    } else {
        Cell::shown("false", "no").tone(Tone::Faint)
    };
    let state = |tell: fn(&ProviderState) -> Cell| {
        standing.state.as_ref().filter(|_| standing.configured).map_or_else(Cell::none, tell)
    };
    Row {
        id: format!("{kind}/{}", standing.provider),
        json: views::value(standing),
        cells: vec![
            Cell::same(kind),
            Cell::same(&standing.provider),
            set_up,
            state(|state| {
                if state.open {
                    Cell::shown("open", "left alone").tone(Tone::Bad)
                } else {
                    Cell::shown("closed", "asked").tone(Tone::Good)
                }
            }),
            state(|state| Cell::same(state.failures.to_string())),
            state(|state| Cell::maybe(state.last_failure.map(Outcome::as_str))),
            state(|state| {
                state.open_for_s.map_or_else(Cell::none, |seconds| {
                    Cell::shown(seconds.to_string(), human::duration(seconds))
                })
            }),
            Cell::maybe(standing.address.as_deref()),
        ],
    }
}

fn beside(sounds: Option<SoundFigures>) -> Map<String, Value> {
    let sounds = sounds.map_or(Value::Null, |sounds| views::value(&sounds));
    [("sounds".to_owned(), sounds)].into_iter().collect()
}

/// What sounds that are kept have spared, in a line.
fn told(sounds: &SoundFigures) -> String {
    let mib = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
    format!(
        "Sounds that are kept: {} of {} sentences were there, {} characters spared; {} files, {:.1} of {:.0} MiB.",
        human::number(sounds.hits),
        human::number(sounds.hits + sounds.misses),
        human::number(sounds.saved_characters),
        human::number(sounds.files),
        mib(sounds.bytes),
        mib(sounds.most_bytes),
    )
}
