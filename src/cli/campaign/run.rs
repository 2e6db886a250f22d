//! `webox campaign run`: reads the file, asks for the campaign, watches it.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{super::Context, file, tell, watch};
use crate::{
    cli::human,
    domain::{
        CallingWindow, CampaignState, CampaignTerms, Error, HumanDuration, Kind, Overlap, Result,
        ZoneName,
    },
    operations::campaigns::{Started, Wanted},
};

/// The largest file that is read.
const LARGEST: u64 = 8 * 1024 * 1024;

/// Mistakes that are told of a file, at most.
const TOLD: usize = 200;

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// A CSV file, whose first line names its columns: `phone` (or `téléphone`, `numéro`, `tel`…), and
    /// values for the greeting; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The assistant that calls, by name or id.
    #[arg(long, value_name = "NAME")]
    assistant: String,
    /// Calls at the same time, at most.
    #[arg(long, value_name = "N", default_value_t = 1)]
    max_concurrent: u32,
    /// When to call, on the clock of those who are called, within the hours of the law: `9-19`,
    /// `9:30-12,14-18`.
    #[arg(long, value_name = "HOURS")]
    hours: Option<CallingWindow>,
    /// How often to call again who was busy, did not pick up, or has a machine pick up.
    #[arg(long, value_name = "N", default_value_t = 2)]
    retries: u32,
    /// How long after.
    #[arg(long, value_name = "LENGTH", default_value = "1h")]
    retry_after: HumanDuration,
    /// First words in the place of the file's greeting; a template too.
    #[arg(long, value_name = "TEXT")]
    say: Option<String>,
    /// Where they are, if that is known better than by their numbers, such as `America/Denver`.
    #[arg(long, value_name = "ZONE")]
    timezone: Option<ZoneName>,
    /// Also outside the hours of courtesy: they expect the call. Hours that the law sets hold.
    #[arg(long)]
    anyway: bool,
    /// Also who is still to be called in another campaign: they are called in both.
    #[arg(long)]
    overlapping: bool,
    /// Print who would be called when, and who would not; store nothing.
    #[arg(long = "dry-run")]
    dry: bool,
    /// Do not watch: the daemon calls all the same.
    #[arg(long)]
    detach: bool,
}

pub(super) fn run(args: &Run, context: &Context) -> Result<()> {
    let (name, bytes) = bytes(&args.file)?;
    let people = file::read(&bytes).map_err(|wrong| mistakes(&name, &wrong))?;
    if !people.merged.is_empty() {
        let lines: Vec<String> = people.merged.iter().take(20).map(u32::to_string).collect();
        let more = if people.merged.len() > 20 { ", …" } else { "" };
        context.out.note(&format!(
            "{name}: {} as one before, word for word, and merged with it: line {}{more}.",
            human::count(people.merged.len() as u64, "line is the same", "lines are the same"),
            lines.join(", ")
        ));
    }
    let wanted = Wanted {
        name,
        terms: CampaignTerms {
            max_concurrent: args.max_concurrent,
            hours: args.hours.clone(),
            retries: args.retries,
            retry_after: args.retry_after,
            say: args.say.clone(),
            zone: args.timezone.clone(),
            anyway: args.anyway,
        },
        rows: people.entries,
        overlapping: args.overlapping,
    };
    let desk = context.desk("campaign run")?;
    if args.dry {
        let outlook = desk.preview_campaign(&args.assistant, &wanted)?;
        tell_overlaps(&outlook.overlaps, context);
        tell::outlook(&outlook, context)?;
        let called = outlook.rows.iter().filter(|row| row.why_not.is_none()).count() as u64;
        let rest = outlook.rows.len() as u64 - called;
        context.out.note(&format!(
            "{} would be called, {} would not. Nothing was stored.",
            human::count(called, "person", "people"),
            human::number(rest)
        ));
        return Ok(());
    }
    let started = desk.start_campaign(&args.assistant, wanted)?;
    begun(&started, context);
    let campaign = if args.detach || started.campaign.state != CampaignState::Running {
        watch::is_looked_after(desk.as_ref(), started.campaign, context)?
    } else {
        watch::watch(desk.as_ref(), started.campaign, context)?
    };
    tell::one(&campaign, context)?;
    let why = campaign.why.as_deref().unwrap_or("nobody said why");
    match campaign.state {
        CampaignState::Running | CampaignState::Done => Ok(()),
        CampaignState::Paused => {
            Err(Error::failure(format!("campaign {} is paused: {why}", campaign.id.0))
                .hint("the same command goes on with it"))
        }
        CampaignState::Cancelled => Err(Error::new(
            Kind::Refused,
            format!("campaign {} is cancelled: {why}", campaign.id.0),
        )),
    }
}

fn begun(started: &Started, context: &Context) {
    let campaign = &started.campaign;
    let (id, counts) = (campaign.id.0, &campaign.counts);
    tell_overlaps(&started.overlaps, context);
    if campaign.state == CampaignState::Done {
        context
            .out
            .note(&format!("Campaign {id} of these people is over: nobody is called twice."));
        return;
    }
    let people = human::count(counts.total, "person", "people");
    if started.is_new {
        context.out.note(&format!("Campaign {id}: {people}, called by {}.", campaign.assistant));
    } else {
        context.out.note(&format!(
            "Campaign {id} goes on: {} of {people} done with.",
            human::number(counts.over())
        ));
    }
    context.out.note(&format!(
        "The daemon makes the calls, whether anybody watches or not; `webox campaign cancel {id}` stops them."
    ));
}

fn tell_overlaps(overlaps: &[Overlap], context: &Context) {
    for overlap in overlaps {
        let id = overlap.campaign_id.0;
        if overlap.unfinished > 0 {
            context.out.warn(&format!(
                "{} also still to be called in campaign {id}",
                human::count(overlap.unfinished, "of these numbers is", "of these numbers are")
            ));
        }
        if overlap.reached > 0 {
            context.out.warn(&format!(
                "{} reached in campaign {id} already",
                human::count(overlap.reached, "of these numbers was", "of these numbers were")
            ));
        }
    }
}

fn bytes(path: &Path) -> Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let (name, read) = if path.as_os_str() == "-" {
        ("stdin".to_owned(), std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes))
    } else {
        let name = path
            .file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        let read = std::fs::File::open(path)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
        (name, read)
    };
    read.map_err(|cause| {
        Error::input(format!("{} cannot be read", path.display()))
            .because(cause)
            .hint("name a CSV file, whose first line names its columns, `phone` among them")
    })?;
    if bytes.len() as u64 > LARGEST {
        return Err(
            Error::new(Kind::TooLarge, format!("{name} is larger than 8 MiB")).hint("split it")
        );
    }
    Ok((name.chars().take(200).collect(), bytes))
}

fn mistakes(name: &str, wrong: &[file::Mistake]) -> Error {
    let mut lines: Vec<String> =
        wrong.iter().take(TOLD).map(|mistake| format!("{name}, {mistake}")).collect();
    if wrong.len() > TOLD {
        lines.push(format!("and {} more", wrong.len() - TOLD));
    }
    Error::input(lines.join("\n")).hint("correct the file, and run it again: nobody was called")
}
