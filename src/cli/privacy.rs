//! `webox privacy`: what is kept of one caller, handed out or forgotten.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, exit, help, human, output::Format, prompt, views};
use crate::{
    api::{DossierView, ErasedView},
    domain::{Error, Kind, Result},
};

/// Arguments of `webox privacy`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_long_help = help::examples(
        &[
            ("webox privacy export --caller +33612345678 > caller.json", "everything that is kept of a caller (GDPR, article 15)"),
            ("webox privacy erase --caller +33612345678", "forgets the caller; asks first (article 17)"),
        ],
        &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::DENIED],
    ),
)]
pub struct Privacy {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print everything that is kept of a caller, as JSON.
    Export(Whom),
    /// Forget a caller: number, words, bookings, messages. The calls stay as figures.
    Erase(Erase),
}

#[derive(Debug, Args)]
struct Whom {
    /// The caller's number, in any usual spelling.
    #[arg(long, value_name = "NUMBER")]
    caller: String,
}

#[derive(Debug, Args)]
struct Erase {
    #[command(flatten)]
    whom: Whom,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Say what would be forgotten, and forget nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(super) fn run(args: &Privacy, context: &Context) -> Result<()> {
    match &args.action {
        Action::Export(whom) => export(whom, context),
        Action::Erase(args) => erase(args, context),
    }
}

fn export(whom: &Whom, context: &Context) -> Result<()> {
    let dossier = context.desk("privacy export")?.dossier(&whom.caller)?;
    let calls = human::count(dossier.calls.len() as u64, "call", "calls");
    context.out.note(&format!("{calls} of this caller."));
    // Whatever the format: the law asks for one that machines read.
    context.out.objects([("caller", views::value(&DossierView::from(dossier)))])
}

fn erase(args: &Erase, context: &Context) -> Result<()> {
    let desk = context.desk("privacy erase")?;
    let dossier = desk.dossier(&args.whom.caller)?;
    let parts = [
        human::count(dossier.calls.len() as u64, "call", "calls"),
        human::count(dossier.turns.len() as u64, "turn", "turns"),
        human::count(dossier.bookings.len() as u64, "booking", "bookings"),
        human::count(dossier.messages.len() as u64, "message", "messages"),
    ];
    let what = parts.join(", ");
    if args.dry_run {
        context.out.note(&format!("Would forget {what}."));
        return Ok(());
    }
    let question = format!("Forget {what} of {}?", dossier.caller);
    if !args.yes && !prompt::confirm(context, &question, "--yes")? {
        return Err(Error::new(Kind::Refused, "nothing was forgotten"));
    }
    let erased = desk.erase(&args.whom.caller)?;
    context.out.note(&format!("Forgot {what}."));
    context.out.note("Backups made before still hold them, until they are thrown away; so may the records of Twilio and of the model's provider.");
    if !erased.scrubbed {
        context.out.note("The database is large: copies may stay in its free space until that is used again, or until `VACUUM` with the daemon stopped.");
    }
    for recording in &erased.recordings {
        context.out.note(&format!("Delete this recording at the provider: {recording}"));
    }
    match context.out.format() {
        Format::Json | Format::Jsonl => {
            context.out.objects([("erased", json!(ErasedView::from(erased)))])
        }
        _ => Ok(()),
    }
}
