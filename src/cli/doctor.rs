//! `webox doctor`: everything that a call needs, looked at once.

use std::{fmt::Write as _, sync::Arc};

use clap::Args;
use serde_json::{Value, json};

use super::{
    Context, daemon, exit, help, human,
    output::{Cell, Colour, Column, Format, Listing, Row, Tone},
    progress::Waiting,
};
use crate::{
    config::Settings,
    domain::Result,
    operations::{
        doctor::{self, Finding, Group, Installation, Verdict, Wanted},
        secrets::Secrets,
    },
    twilio::rest,
    vault::Vault,
};

/// Arguments of `webox doctor`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox doctor", "everything; asks Twilio and each provider once, for a fraction of a cent"),
        ("webox doctor --only public,twilio", "the address, its certificate and signatures, the numbers"),
        ("webox doctor --skip providers --quiet -o json", "for monitoring: 1 when something does not work"),
        ("webox doctor --offline --deep", "nobody outside is asked; the database is looked through page by page"),
    ],
    &[exit::FAILURE, exit::USAGE],
))]
pub struct Doctor {
    /// Look at these alone: settings, store, backups, keys, clock, files, daemon, public, twilio,
    /// providers, assistants, quotas.
    #[arg(long, value_name = "CHECKS", value_delimiter = ',')]
    only: Vec<Group>,
    /// Do not look at these.
    #[arg(long, value_name = "CHECKS", value_delimiter = ',')]
    skip: Vec<Group>,
    /// Ask nobody outside this machine.
    #[arg(long)]
    offline: bool,
    /// Look through the whole database: each index and each reference. Takes minutes when it is large.
    #[arg(long)]
    deep: bool,
    /// End with 1 for warnings as well.
    #[arg(long)]
    strict: bool,
    /// Where the daemon listens, as with `serve`.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// What Twilio calls it, as with `serve`.
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

pub(super) fn run(args: &Doctor, context: &Context) -> Result<u8> {
    context.with_own_keys("doctor")?;
    let found = match examine(args, context) {
        Ok(found) => found,
        // Settings that cannot be read are a finding as any other: nothing else can be looked at.
        Err(error) if error.kind() == crate::domain::Kind::Config => {
            let others = Group::ALL.into_iter().filter(|group| *group != Group::Settings);
            std::iter::once(Group::Settings.failed("file", &error))
                .chain(others.map(|group| group.skipped("all", "the settings come first")))
                .collect()
        }
        Err(error) => return Err(error),
    };
    match context.out.format() {
        Format::Table => context.out.text(&text(&found, context.out.colour()))?,
        _ => context.out.listing(&listing(&found))?,
    }
    context.out.note(&summary(&found));
    let worst = found.iter().map(|one| one.verdict).max().unwrap_or(Verdict::Ok);
    let fails = worst == Verdict::Problem || (args.strict && worst == Verdict::Warning);
    Ok(if fails { exit::FAILURE } else { exit::OK })
}

fn examine(args: &Doctor, context: &Context) -> Result<Vec<Finding>> {
    let settings = context.settings_with(|flags| {
        flags.listen.clone_from(&args.listen);
        flags.public_url.clone_from(&args.public_url);
    })?;
    let installation = installation(&settings, context)?;
    let wanted = Wanted {
        only: args.only.clone(),
        skip: args.skip.clone(),
        offline: args.offline,
        deep: args.deep,
    };
    let quotas = wanted.only.is_empty() || wanted.only.contains(&Group::Quotas);
    let billing =
        context.catalogue().err().filter(|_| quotas && !wanted.skip.contains(&Group::Quotas));
    let waiting = Waiting::begin(context, "looking");
    let runtime = daemon::runtime()?;
    let found = runtime.block_on(doctor::examine(installation, wanted));
    // A name that is still being looked up in a dead network is not waited for.
    runtime.shutdown_background();
    drop(waiting);
    let mut found = found?;
    found.extend(billing.map(|error| Group::Quotas.failed("billing", &error)));
    Ok(found)
}

fn installation(settings: &Settings, context: &Context) -> Result<Installation> {
    let twilio = daemon::twilio(settings)?;
    let twilio_url = settings.twilio.address();
    Ok(Installation {
        version: env!("CARGO_PKG_VERSION"),
        settings: settings.file.clone(),
        warnings: settings.warnings.clone(),
        unset: settings.unset_variables(),
        secret_files: settings.secret_files(),
        destinations: settings
            .alerts
            .destinations
            .value
            .iter()
            .filter_map(|one| Some((one.name.clone(), one.secret.clone()?)))
            .collect(),
        db: crate::store::backup::resolved(&settings.db.value),
        backups: settings
            .backup
            .to
            .value
            .is_some()
            .then(|| daemon::backups(settings, None, &[], None).map_err(Arc::new)),
        backup_schedule: settings.backup.schedule.value.clone(),
        secrets: Secrets::new(Vault::new(settings.master_key.clone())),
        listen: settings.listen.value,
        ends_tls: settings.serving.is_encrypted(),
        public_url: settings.public_url.value.as_ref().map(ToString::to_string),
        account: twilio.account,
        tokens: settings.twilio.auth_tokens.value.clone(),
        api_key: daemon::credentials(settings).into_iter().find(|one| one.key.is_some()),
        rest: twilio.rest,
        twilio_url: twilio_url.unwrap_or_else(|| rest::BASE_URL.to_owned()),
        asked: daemon::asked(settings),
        standings: daemon::standings(settings),
        open_files: rlimit::Resource::NOFILE.get().ok().map(|(_, hard)| hard),
        // Told of with the quotas, where it cannot be read.
        allowances: context.catalogue().ok().map(|plans| plans.allowances()),
        clock: jiff::Timestamp::now,
    })
}

/// For people: a heading a group, a line a check, and below it what to do.
fn text(found: &[Finding], colour: Colour) -> String {
    let wide = found.iter().map(|one| one.name.chars().count()).max().unwrap_or(0).min(40);
    let (mut text, mut group) = (String::new(), None);
    for one in found {
        if group != Some(one.group) {
            let gap = if group.is_some() { "\n" } else { "" };
            let _ = writeln!(text, "{gap}{}", colour.paint(Tone::Strong, one.group.as_str()));
            group = Some(one.group);
        }
        let verdict = format!("{:<7}", one.verdict.as_str());
        let verdict = colour.paint(tone(one.verdict), &verdict);
        let took =
            took(one).map_or_else(String::new, |took| format!(", {}", human::milliseconds(took)));
        let _ = writeln!(text, "  {verdict}  {:<wide$}  {}{took}", one.name, one.seen);
        if let Some(advice) = &one.advice {
            let _ = writeln!(text, "           {:<wide$}  → {advice}", "");
        }
    }
    text
}

fn summary(found: &[Finding]) -> String {
    let count = |verdict| found.iter().filter(|one| one.verdict == verdict).count() as u64;
    let (problems, warnings) = (count(Verdict::Problem), count(Verdict::Warning));
    let skipped = match count(Verdict::Skipped) {
        0 => String::new(),
        skipped => format!(", {skipped} left out"),
    };
    format!(
        "{}, {}, {} well{skipped}.",
        human::count(problems, "problem", "problems"),
        human::count(warnings, "warning", "warnings"),
        count(Verdict::Ok),
    )
}

const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Ok => Tone::Good,
        Verdict::Skipped => Tone::Faint,
        Verdict::Warning => Tone::Warning,
        Verdict::Problem => Tone::Bad,
    }
}

fn took(one: &Finding) -> Option<u32> {
    one.took.map(|took| u32::try_from(took.as_millis()).unwrap_or(u32::MAX))
}

fn listing(found: &[Finding]) -> Listing {
    let mut listing = Listing::new(
        "checks",
        [
            Column::new("group", "group"),
            Column::new("check", "check"),
            Column::new("status", "status"),
            Column::new("seen", "seen").keeps(),
            Column::new("to_do", "to do"),
            Column::new("took_ms", "took").right(),
        ],
    );
    listing.rows = found.iter().map(row).collect();
    let count = |verdict| found.iter().filter(|one| one.verdict == verdict).count();
    let summary = json!({
        "ok": count(Verdict::Ok), "warning": count(Verdict::Warning),
        "problem": count(Verdict::Problem), "skipped": count(Verdict::Skipped),
    });
    listing.beside.insert("summary".to_owned(), summary);
    listing
}

fn row(one: &Finding) -> Row {
    let took = took(one);
    let json: Value = json!({
        "group": one.group.as_str(), "check": one.name, "status": one.verdict.as_str(),
        "seen": one.seen, "to_do": one.advice, "took_ms": took,
    });
    Row {
        id: format!("{}/{}", one.group, one.name),
        json,
        cells: vec![
            Cell::same(one.group.as_str()),
            Cell::same(&one.name),
            Cell::same(one.verdict.as_str()).tone(tone(one.verdict)),
            Cell::same(&one.seen),
            Cell::maybe(one.advice.as_deref()),
            took.map_or_else(Cell::none, |ms| Cell::shown(ms.to_string(), human::milliseconds(ms))),
        ],
    }
}
