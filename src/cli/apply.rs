//! `webox apply`: the store as files say, all of it or nothing.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{
    Context, exit, help, human,
    output::{Cell, Colour, Column, Format, Listing, Row, Tone},
    plan, plan_text,
    progress::Waiting,
    prompt,
    wiring::Wirings,
};
use crate::{
    domain::{AssistantName, Error, HumanDuration, Kind, Result},
    operations::provisioning::{self, Consent},
    provision::{Action, Change, Plan},
};

/// Arguments of `webox apply`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox apply assistants/", "every *.toml of a folder, after showing what will change"),
        ("webox apply --plan plan.json", "exactly what `webox plan --out plan.json` showed, or nothing"),
        ("webox apply --prune --yes --confirm old-client assistants/", "delete what is in no file, without a question"),
        ("generate-clients | webox apply --yes -", "one assistant from stdin"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::PARTIAL, exit::USAGE, exit::DATA, exit::BUSY],
))]
pub struct Apply {
    /// Files, folders (every `*.toml` in them), or `-` for stdin.
    #[arg(required_unless_present = "plan", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Apply a plan that was made and looked at before; asks nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "prune"])]
    plan: Option<PathBuf>,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
    /// Show what would change, and change nothing.
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Delete assistants of these sets that are in no file.
    #[arg(long)]
    prune: bool,
    /// How many may be deleted at a time [default: 5, and never a whole set].
    #[arg(long, value_name = "N")]
    max_deletes: Option<usize>,
    /// Delete this one although it is in service; once for each.
    #[arg(long, value_name = "NAME")]
    confirm: Vec<AssistantName>,
    /// Replace what was changed or made by hand.
    #[arg(long)]
    overwrite: bool,
    /// How long to wait for another apply, such as `30s`.
    #[arg(long, value_name = "LENGTH", default_value = "30s")]
    lock_timeout: HumanDuration,
}

pub(super) fn run(args: &Apply, context: &Context) -> Result<()> {
    let given = args.plan.as_ref().map(|path| Plan::open(path)).transpose()?;
    let desk = if args.dry_run {
        context.desk_to_ask("apply")?
    } else {
        context.desk_waiting("apply", args.lock_timeout.get())?
    };
    let plan = match given {
        Some(plan) => plan,
        None => plan::make(desk.as_ref(), &args.paths, args.prune, context)?,
    };
    let wirings = Wirings::look(desk.as_ref(), &plan, false, context)?;
    if args.dry_run {
        return report(&plan, &wirings, true, context);
    }
    let consent =
        // A plan was looked at: it may replace and delete what it shows.
        Consent {
            overwrite: args.overwrite || args.plan.is_some(),
            max_deletes: args.max_deletes.or(args.plan.is_some().then_some(usize::MAX)),
        };
    provisioning::check(&plan, &consent)?;
    if args.plan.is_none() && (!plan.is_empty() || wirings.to_change() > 0) {
        agree(args, &plan, &wirings, context)?;
    }
    let source = args.plan.iter().chain(&args.paths).map(|path| path.display().to_string());
    let source = source.collect::<Vec<_>>().join(" ");
    let waiting = Waiting::begin(context, "applying");
    desk.apply(plan.clone(), source, revision(args, context))?;
    drop(waiting);
    // What was applied is applied, whatever Twilio says: it is told, and done by running this again.
    let connected = wirings.connect(desk.as_ref(), &plan, context);
    report(&plan, &wirings, false, context)?;
    connected
}

/// Asks what `--yes` and `--confirm` do not answer.
fn agree(args: &Apply, plan: &Plan, wirings: &Wirings, context: &Context) -> Result<()> {
    let in_service = |change: &&Change| {
        change.action == Action::Delete
            && (change.active || change.live_calls > 0)
            && !args.confirm.contains(&change.name)
    };
    let hard: Vec<&Change> = plan.changes.iter().filter(in_service).collect();
    if (!args.yes || !hard.is_empty()) && context.may_ask() {
        // The question shows what it is about; the result is data, and is printed after it.
        let colour = context.out.error_colour();
        let text = plan_text::text(plan, colour) + &wirings.text(colour);
        context.out.say(text.trim_end());
    }
    if !hard.is_empty() && !context.may_ask() {
        let names: Vec<String> =
            hard.iter().map(|change| format!("--confirm {}", change.name)).collect();
        return Err(Error::usage(format!(
            "{} in service would be deleted, and nobody is there to ask",
            human::count(hard.len() as u64, "assistant", "assistants")
        ))
        .hint(format!("if that is right, add {}", names.join(" "))));
    }
    let refused = || Error::new(Kind::Refused, "nothing was applied");
    for change in hard {
        let question = format!("`{0}` is in service. Type `{0}` to delete it", change.name);
        if !prompt::typed(context, &question, change.name.as_str(), "--confirm")? {
            return Err(refused());
        }
    }
    if !args.yes {
        let count = plan.changes.len() as u64;
        let numbers = wirings.to_change() as u64;
        let connects = match numbers {
            0 => String::new(),
            _ => format!(" and connect {}", human::count(numbers, "number", "numbers")),
        };
        let question = format!("Apply {}{connects}?", human::count(count, "change", "changes"));
        if !prompt::confirm(context, &question, "--yes")? {
            return Err(refused());
        }
    }
    Ok(())
}

/// The revision of the files, when they are under version control.
fn revision(args: &Apply, context: &Context) -> Option<String> {
    let path = args.plan.iter().chain(&args.paths).find(|path| path.exists())?;
    let folder = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let described = std::process::Command::new("git")
        .args(["-c", "core.fsmonitor=false", "-C"])
        .arg(folder)
        .args(["describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"])
        .stderr(std::process::Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    described.or_else(|| {
        let ci = ["GITHUB_SHA", "CI_COMMIT_SHA"];
        ci.iter().find_map(|name| context.environment().get(name))
    })
}

fn report(plan: &Plan, wirings: &Wirings, dry: bool, context: &Context) -> Result<()> {
    let known = [
        Format::Table,
        Format::Tsv,
        Format::Json,
        Format::Jsonl,
        Format::Csv,
        Format::Ids,
        Format::Text,
    ];
    context.out.one_of(&known)?;
    match context.out.format() {
        Format::Text => {
            let colour = context.out.colour();
            context.out.text(&(plan_text::text(plan, colour) + &wirings.text(colour)))?;
        }
        Format::Table if plan.is_empty() => {}
        _ => {
            let mut listing = listing(plan);
            listing.beside.insert("wiring".to_owned(), wirings.json());
            context.out.listing(&listing)?;
        }
    }
    let summary = plan.summary();
    let wiring = wirings.text(Colour::OFF);
    if dry && !wiring.is_empty() && context.out.format() != Format::Text {
        context.out.note(wiring.trim_end());
    }
    if plan.is_empty() {
        context.out.note(&format!("No changes: {}.", same(summary.unchanged + summary.adopt)));
        orphans(plan, context);
        return Ok(());
    }
    let words = if dry {
        ["to create", "to change", "to adopt", "to delete"]
    } else {
        ["created", "changed", "adopted", "deleted"]
    };
    let counts = [summary.create, summary.change, summary.adopt, summary.delete];
    let mut parts: Vec<String> = counts
        .iter()
        .zip(words)
        .enumerate()
        .filter(|(place, (count, _))| *place < 2 || **count > 0)
        .map(|(_, (count, word))| format!("{count} {word}"))
        .collect();
    parts.push(format!("{} the same", summary.unchanged));
    context.out.note(&format!("{}.", parts.join(", ")));
    orphans(plan, context);
    Ok(())
}

fn orphans(plan: &Plan, context: &Context) {
    if !plan.prune && !plan.orphans.is_empty() {
        let orphans = human::count(plan.orphans.len() as u64, "assistant is", "assistants are");
        context.out.note(&format!("{orphans} in no file; `webox plan --prune` shows which."));
    }
}

fn same(count: usize) -> String {
    let count = human::count(count as u64, "assistant is", "assistants are");
    format!("{count} as the files say")
}

fn listing(plan: &Plan) -> Listing {
    let mut listing = Listing::new(
        "assistants",
        [
            Column::new("change", "change"),
            Column::new("name", "name"),
            Column::new("fields", "fields").keeps(),
        ],
    );
    listing.rows = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::Refresh)
        .map(|change| {
            let (symbol, word, tone) = match change.action {
                Action::Create => ("+", "create", Tone::Good),
                Action::Change => ("~", "change", Tone::Warning),
                Action::Adopt => ("=", "adopt", Tone::Faint),
                Action::Refresh => ("=", "same", Tone::Faint),
                Action::Delete => ("-", "delete", Tone::Bad),
            };
            let updated = change.action == Action::Change;
            let fields: Vec<&str> =
                change.fields.iter().filter(|_| updated).map(|field| field.path.as_str()).collect();
            Row {
                id: change.name.to_string(),
                json: json!({
                    "name": change.name,
                    "change": word,
                    "renamed_from": change.renamed_from,
                    "fields": fields,
                }),
                cells: vec![
                    Cell::shown(word, format!("{symbol} {word}")).tone(tone),
                    Cell::same(change.name.as_str()),
                    Cell::same(fields.join(", ")),
                ],
            }
        })
        .collect();
    listing.beside.insert("summary".to_owned(), json!(plan.summary()));
    listing
}
