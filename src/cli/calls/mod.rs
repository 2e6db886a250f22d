//! `webox calls`: what happened on the phone.

mod follow;
mod list;
mod recording;
mod show;
mod spent;
mod transcript;
mod waterfall;

use clap::{Args, Subcommand};

use super::{Context, exit, help, human, output, progress, views, window};
use crate::domain::{CallStatus, Error, Result};

/// Arguments of `webox calls`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox calls --since 2h", "the last two hours, newest first"),
        ("webox calls --since 2026-09-20 --until 2026-09-21 --status failed", "one day's failures"),
        ("webox calls --follow", "new calls as they come"),
        ("webox calls show CA3f2a", "one call, turn by turn"),
        ("webox calls recording CA3f2a --play", "hear it"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA, exit::BUSY],
))]
pub struct Calls {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: list::List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List calls (the same as `webox calls`).
    List(list::List),
    /// Show one call, turn by turn.
    Show(show::Show),
    /// Hear or keep the recording of a call.
    Recording(recording::Recording),
}

pub(super) fn run(args: &Calls, context: &Context) -> Result<()> {
    if args.action.is_some() && args.list.is_given() {
        return Err(Error::usage("flags of the list stand before the name of an action").hint(
            "write them after it: `webox calls list --since 2h`; `show` takes none of them",
        ));
    }
    match &args.action {
        None => list::run(&args.list, context),
        Some(Action::List(list)) => list::run(list, context),
        Some(Action::Show(args)) => show::run(args, context),
        Some(Action::Recording(args)) => recording::run(args, context),
    }
}

/// What a status means to a person.
pub(super) fn status_tone(status: CallStatus) -> output::Tone {
    use output::Tone;
    match status {
        CallStatus::Completed => Tone::Good,
        CallStatus::Ringing | CallStatus::InProgress => Tone::Strong,
        CallStatus::Busy | CallStatus::NoAnswer | CallStatus::Canceled => Tone::Warning,
        CallStatus::Failed | CallStatus::Rejected => Tone::Bad,
    }
}
