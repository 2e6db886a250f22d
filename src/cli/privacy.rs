//! `webox privacy`: what is kept of one caller, handed out or forgotten.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    prompt, views,
};
use crate::{
    api::{DossierView, ErasedView},
    domain::{CallSid, Error, Kind, Result},
    operations::privacy::Whose,
};

/// Arguments of `webox privacy`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_long_help = help::examples(
        &[
            ("webox privacy export --caller +33612345678 > caller.json", "everything that is kept of a caller (GDPR, article 15)"),
            ("webox privacy erase --caller +33612345678", "forgets the caller; asks first (article 17)"),
            ("webox privacy erase --call CA0123…", "the same for one call: when the number was withheld"),
            ("webox privacy removals", "what Twilio has still to remove, and why it has not"),
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
    /// Forget a caller: number, words, bookings, messages, the contact. The calls stay as figures.
    Erase(Erase),
    /// List what Twilio has still to remove: recordings, and records of calls.
    Removals,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// The caller's number, in any usual spelling.
    #[arg(long, value_name = "NUMBER")]
    caller: Option<String>,
    /// A call, for callers who withheld their number.
    #[arg(long, value_name = "SID")]
    call: Option<CallSid>,
}

impl Whom {
    fn whose(&self) -> Result<Whose> {
        match (&self.caller, &self.call) {
            (Some(caller), _) => Ok(Whose::Caller(caller.clone())),
            (None, Some(call)) => Ok(Whose::Call(call.clone())),
            (None, None) => Err(Error::usage("whose data is not said: `--caller` or `--call`")),
        }
    }
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
        Action::Removals => removals(context),
    }
}

fn export(whom: &Whom, context: &Context) -> Result<()> {
    let dossier = context.desk("privacy export")?.dossier(&whom.whose()?)?;
    let calls = human::count(dossier.calls.len() as u64, "call", "calls");
    context.out.note(&format!("{calls} of this caller."));
    // Whatever the format: the law asks for one that machines read.
    context.out.objects([("caller", views::value(&DossierView::from(dossier)))])
}

fn erase(args: &Erase, context: &Context) -> Result<()> {
    let desk = context.desk("privacy erase")?;
    let whose = args.whom.whose()?;
    let dossier = desk.dossier(&whose)?;
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
    let erased = desk.erase(&whose)?;
    context.out.note(&format!("Forgot {what}."));
    context.out.note("Backups made before, and copies beside the database (`.schema-…`, `.replaced-…`), still hold them until they are thrown away; so may the records of the model's provider.");
    if erased.removals > 0 {
        let removals =
            human::count(erased.removals, "record or recording", "records and recordings");
        context.out.note(&format!("The daemon asks Twilio to remove {removals}; `webox privacy removals` shows what is left."));
    }
    let told = erased.erasure.deliveries;
    if told > 0 {
        let told = human::count(told, "delivery", "deliveries");
        context.out.note(&format!(
            "{told} to others told of this caller: what they were sent is theirs to delete."
        ));
    }
    if !erased.scrubbed {
        context.out.note("Copies still lie in the database's free space. The daemon clears it when nobody is on the phone, up to 256 MiB; a larger one needs `VACUUM` with the daemon stopped.");
    }
    for recording in &erased.recordings {
        context.out.note(&format!("Delete this recording where it is kept: {recording}"));
    }
    match context.out.format() {
        Format::Json | Format::Jsonl => {
            context.out.objects([("erased", json!(ErasedView::from(erased)))])
        }
        _ => Ok(()),
    }
}

const REMOVALS: [Column; 7] = [
    Column::new("what", "what"),
    Column::new("call_sid", "call"),
    Column::new("asked_at", "asked").yields(),
    Column::new("attempts", "tries").right().yields(),
    Column::new("due_at", "next"),
    Column::new("failure", "why not yet").keeps(),
    Column::new("recording_sid", "recording").hidden(),
];

fn removals(context: &Context) -> Result<()> {
    let now = context.now()?;
    let removals = context.desk("privacy removals")?.removals()?;
    let mut listing = Listing::new("removals", REMOVALS);
    listing.rows = removals
        .into_iter()
        .map(|removal| Row {
            id: removal.id.0.to_string(),
            cells: vec![
                Cell::same(&removal.what).tone(Tone::Strong),
                Cell::same(removal.call_sid.as_str()),
                Cell::shown(removal.asked_at.to_string(), human::age(removal.asked_at, &now)),
                Cell::same(removal.attempts.to_string()),
                Cell::shown(removal.due_at.to_string(), human::date_time(removal.due_at, &now)),
                Cell::maybe(removal.failure.as_deref()),
                Cell::maybe(removal.recording_sid.as_deref()),
            ],
            json: views::value(&removal),
        })
        .collect();
    context.out.listing(&listing)
}
