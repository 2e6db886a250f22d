//! `webox campaign`: has an assistant call a list of people.

mod file;
mod run;
mod tell;
mod watch;

use clap::{Args, Subcommand};

use super::{Context, exit, help, prompt};
use crate::{
    domain::{CampaignId, CampaignRowState, Error, Kind, Result},
    operations::campaigns::RowFilter,
};

/// Arguments of `webox campaign`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox campaign run rappels.csv --assistant cabinet-dupont --hours 9-19 --max-concurrent 3",
         "call everybody in the file; the same again goes on where it was"),
        ("webox campaign run rappels.csv --assistant cabinet-dupont --dry-run",
         "who would be called when, and who would not"),
        ("webox campaign", "campaigns, the newest first"),
        ("webox campaign show 3 --rows -o csv > results.csv", "what came of each, for a spreadsheet"),
        ("webox campaign cancel 3", "call nobody more"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::UNAVAILABLE, exit::DENIED, exit::INTERRUPTED],
))]
pub struct Campaign {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Call everybody in a CSV file, or go on with it: the daemon dials, this watches.
    Run(run::Run),
    /// List campaigns, the newest first (the same as `webox campaign`).
    List,
    /// Show one, and how its people stand.
    Show(Show),
    /// Call nobody more until it is run again. Calls under way go on.
    Pause(Named),
    /// Call nobody more, for good. Calls under way go on. Asks first.
    Cancel(Cancel),
}

#[derive(Debug, Args)]
struct Named {
    /// Its id, as `webox campaign` lists it.
    #[arg(value_name = "ID")]
    id: i64,
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    named: Named,
    /// Its people too, a row each.
    #[arg(long)]
    rows: bool,
    /// Only people who stand so: waiting, reached, busy, no-answer, …
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
}

#[derive(Debug, Args)]
struct Cancel {
    #[command(flatten)]
    named: Named,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

/// How many people a file names, or what is wrong with it.
pub(super) fn people(file: &[u8]) -> std::result::Result<usize, Vec<String>> {
    let told = |wrong: Vec<file::Mistake>| wrong.iter().map(ToString::to_string).collect();
    file::read(file).map(|people| people.entries.len()).map_err(told)
}

pub(super) fn run(args: &Campaign, context: &Context) -> Result<()> {
    match &args.action {
        None | Some(Action::List) => tell::all(&context.desk("campaign")?.campaigns()?, context),
        Some(Action::Run(args)) => run::run(args, context),
        Some(Action::Show(args)) => show(args, context),
        Some(Action::Pause(named)) => {
            let desk = context.desk("campaign pause")?;
            tell::one(&desk.stop_campaign(CampaignId(named.id), false)?, context)
        }
        Some(Action::Cancel(args)) => {
            let id = CampaignId(args.named.id);
            let desk = context.desk("campaign cancel")?;
            let campaign = desk.campaign(id)?;
            let waiting = campaign.counts.waiting;
            let question =
                format!("Never call the {waiting} people of campaign {} who wait?", id.0);
            if !args.yes && !prompt::confirm(context, &question, "--yes")? {
                return Err(Error::new(Kind::Refused, "nothing was cancelled"));
            }
            tell::one(&desk.stop_campaign(id, true)?, context)
        }
    }
}

fn show(args: &Show, context: &Context) -> Result<()> {
    let state = args.state.as_deref().map(str::parse::<CampaignRowState>).transpose()?;
    let desk = context.desk("campaign show")?;
    let campaign = desk.campaign(CampaignId(args.named.id))?;
    if !args.rows && state.is_none() {
        return tell::one(&campaign, context);
    }
    let rows = desk.campaign_rows(campaign.id, &RowFilter { state, ..RowFilter::default() })?;
    tell::rows(&campaign, &rows, context)
}
