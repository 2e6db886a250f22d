//! `webox test`: plays rehearsals against the real daemon, and says what is not as it must be.

use std::{path::PathBuf, sync::Arc, time::Instant};

use clap::Args;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    Context, daemon, diagnostics, exit, help, human,
    output::{Colour, Format, Tone},
    progress::Bar,
};
use crate::{
    domain::{Error, Kind, ModelRef, Result},
    rehearsal::{self, Minds, Outcome, Rehearsal, Report},
};

/// Arguments of `webox test`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox test assistants/", "every *.rehearsal.toml of a folder, with the built-in concierge"),
        ("webox test assistants/ -k 'ce soir' --watch", "some of them, again with every change"),
        ("webox test assistants/ --model gpt-4 --repeat 5", "with a model, five times each"),
        ("webox test assistants/ -o junit > rehearsals.xml", "for continuous integration"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA, exit::INTERRUPTED],
))]
pub struct Test {
    /// Rehearsals, assistants whose rehearsals stand beside them, or folders.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The model that answers [default: the built-in concierge, whatever the files say].
    #[arg(long, value_name = "MODEL")]
    model: Option<ModelRef>,
    /// Only scenarios with this text in their name, or in that of their assistant.
    #[arg(short = 'k', long = "filter", value_name = "TEXT")]
    filter: Option<String>,
    /// How many at a time [default: as many as there are processors].
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Play each so many times.
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: usize,
    /// Play again with every change, until interrupted.
    #[arg(long)]
    watch: bool,
}

pub(super) fn run(args: &Test, context: &Context) -> Result<u8> {
    let known = [Format::Text, Format::Table, Format::Json, Format::Jsonl, Format::Junit];
    let format = context.out.one_of(&known)?;
    if args.watch {
        return super::watch::again_and_again(&args.paths, || {
            if let Err(error) = once(args, format, context) {
                context.out.error(&error);
            }
            context.out.flush()
        });
    }
    once(args, format, context)
}

fn once(args: &Test, format: Format, context: &Context) -> Result<u8> {
    let settings = context.defaults()?;
    let mut rehearsals = rehearsal::load(&args.paths, settings.as_ref())
        .map_err(|problems| diagnostics::told(&problems, context))?;
    if let Some(text) = &args.filter {
        let text = text.to_lowercase();
        rehearsals.retain(|one| {
            one.scenario.name.to_lowercase().contains(&text)
                || one.assistant.name.as_str().contains(&text)
        });
        if rehearsals.is_empty() {
            return Err(Error::input(format!("no scenario has `{text}` in its name"))
                .hint("run it without -k to see them all"));
        }
    }
    let models = daemon::models(context.settings()?);
    if let Some(model) = args.model.as_ref().filter(|model| !model.is_builtin()) {
        models.find(model).map_err(|error| {
            Error::new(Kind::Unavailable, format!("the model {model} cannot be asked"))
                .because(error)
        })?;
    }
    let minds = Minds { models, model: args.model.clone().filter(|model| !model.is_builtin()) };
    let begun = Instant::now();
    let jobs = args
        .jobs
        .filter(|jobs| *jobs > 0)
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(2, std::num::NonZero::get));
    let all: Vec<Rehearsal> = rehearsals
        .iter()
        .flat_map(|one| std::iter::repeat_n(one.clone(), args.repeat.max(1)))
        .collect();
    let bar = Bar::begin(context, all.len() as u64);
    let reports = daemon::runtime()?.block_on(play_all(all, minds, jobs, &bar))?;
    drop(bar);
    show(&reports, args.repeat.max(1), format, context)?;
    let (passed, failed, skipped) = counts(&reports);
    let scenarios = human::count(reports.len() as u64, "scenario", "scenarios");
    context.out.note(&format!(
        "{scenarios}: {passed} passed, {failed} failed, {skipped} skipped in {:.1} s.",
        begun.elapsed().as_secs_f64()
    ));
    Ok(if failed > 0 { exit::FAILURE } else { exit::OK })
}

async fn play_all(
    rehearsals: Vec<Rehearsal>,
    minds: Minds,
    jobs: usize,
    bar: &Bar,
) -> Result<Vec<Report>> {
    let places = Arc::new(Semaphore::new(jobs));
    let mut playing = JoinSet::new();
    for (number, rehearsal) in rehearsals.into_iter().enumerate() {
        let (places, minds) = (Arc::clone(&places), minds.clone());
        playing.spawn(async move {
            let _place = places.acquire_owned().await;
            (number, rehearsal::play(&rehearsal, &minds).await)
        });
    }
    let mut reports = Vec::new();
    while let Some(done) = playing.join_next().await {
        reports.push(done.map_err(|error| Error::failure("a scenario broke off").because(error))?);
        bar.step();
    }
    reports.sort_by_key(|(number, _)| *number);
    Ok(reports.into_iter().map(|(_, report)| report).collect())
}

fn counts(reports: &[Report]) -> (usize, usize, usize) {
    let count = |wanted: fn(&Outcome) -> bool| {
        reports.iter().filter(|report| wanted(&report.outcome)).count()
    };
    (
        count(|outcome| *outcome == Outcome::Passed),
        count(|outcome| *outcome == Outcome::Failed),
        count(|outcome| matches!(outcome, Outcome::Skipped(_))),
    )
}

fn show(reports: &[Report], repeat: usize, format: Format, context: &Context) -> Result<()> {
    match format {
        Format::Json => {
            let (passed, failed, skipped) = counts(reports);
            context.out.objects([
                ("scenarios", json!(reports)),
                ("summary", json!({ "passed": passed, "failed": failed, "skipped": skipped })),
            ])
        }
        Format::Jsonl => {
            for report in reports {
                let line: Value = json!(report);
                context.out.text(&format!("{line}\n"))?;
            }
            Ok(())
        }
        Format::Junit => context.out.text(&super::junit::document(reports)?),
        _ => {
            let width = reports.iter().map(|report| report.assistant.len()).max().unwrap_or(0);
            for group in reports.chunks(repeat) {
                context.out.text(&lines(group, width, context.out.colour()))?;
            }
            Ok(())
        }
    }
}

/// A scenario in a line; with its transcript when something was not as expected.
fn lines(group: &[Report], width: usize, colour: Colour) -> String {
    let [first, ..] = group else { return String::new() };
    let (passed, failed, skipped) = counts(group);
    let (word, tone) = match (failed, skipped) {
        (0, 0) => ("ok    ", Tone::Good),
        (0, _) => ("skip  ", Tone::Warning),
        _ => ("FAILED", Tone::Bad),
    };
    let aside = match &first.outcome {
        Outcome::Skipped(why) => why.clone(),
        _ if group.len() > 1 => format!("{passed} of {} passed", group.len()),
        _ => {
            let turns = first.turns.len().saturating_sub(1) as u64;
            format!("{}, {} ms", human::count(turns, "turn", "turns"), first.elapsed_ms)
        }
    };
    let mut text = format!(
        "{} {:width$}  {}  {}\n",
        colour.paint(tone, word),
        first.assistant,
        first.scenario,
        colour.paint(Tone::Faint, &format!("({aside})"))
    );
    if let Some(report) = group.iter().find(|report| report.outcome == Outcome::Failed) {
        text.push_str(&transcript(report, colour));
    }
    text
}

fn transcript(report: &Report, colour: Colour) -> String {
    let plain = |text: &str| text.replace(char::is_control, " ");
    let mut text = format!("       {}\n", colour.paint(Tone::Faint, &plain(&report.file)));
    let failure = |text: &mut String, failure: &String| {
        let told = format!("✗ {}", plain(failure));
        text.push_str(&format!("         {}\n", colour.paint(Tone::Bad, &told)));
    };
    for turn in &report.turns {
        if let Some(caller) = &turn.caller {
            text.push_str(&format!("       caller     {}\n", plain(caller)));
        }
        for tool in &turn.tools {
            let told = format!("{} {}", tool.tool, plain(&tool.arguments));
            text.push_str(&format!("       tool       {}\n", colour.paint(Tone::Faint, &told)));
        }
        text.push_str(&format!("       assistant  {}\n", plain(&turn.reply)));
        for one in &turn.failures {
            failure(&mut text, one);
        }
    }
    for one in &report.failures {
        failure(&mut text, one);
    }
    text
}

/// A failed scenario's transcript without colours, for files.
pub(super) fn plain_transcript(report: &Report) -> String {
    transcript(report, Colour::OFF)
}
