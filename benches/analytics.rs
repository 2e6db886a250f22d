//! Figures over a store of 200,000 calls and 1,200,000 turns: whole commands as a person runs them
//! (`WEBOX_BENCH_CALLS=10000000` for ten million calls with sixty million turns; it needs some ten gigabytes, and
//! `WEBOX_BENCH_DB` keeps the file for the next run). And what keeping the figures costs a call.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use support::{Result, daemon, machine, population, report, setting};
use webox::{
    domain::{AssistantId, CallOutcome, CallStatus, Direction, LanguageTag, VoiceLine},
    store::{
        Options, Store, afterwards,
        calls::{self, CallEnd, NewCall},
    },
};

/// How often each command is run.
const TIMES: usize = 15;

/// How long none of those may take that have an aim.
const AIM: Duration = Duration::from_millis(50);

/// Calls that are written to see what figures cost.
const WRITTEN: u32 = 2_000;

const COMMANDS: [(&[&str], bool); 14] = [
    (&["--version"], false),
    (&["stats", "--since", "30d"], true),
    (&["costs"], true),
    (&["calls", "--assistant", "client-100", "--since", "1d"], true),
    (&["costs", "--since", "30d"], false),
    (&["stats"], false),
    (&["stats", "--since", "30d", "--compare", "previous"], false),
    (&["stats", "--since", "30d", "--assistant", "client-100"], false),
    (&["stats", "--since", "30d", "--by", "day"], false),
    (&["stats", "--since", "30d", "--by", "assistant"], false),
    (&["stats", "--since", "30d", "--by", "topic"], false),
    (&["stats", "--since", "30d", "--by", "topic", "--assistant", "client-100"], false),
    (&["report", "--client", "Client 100"], false),
    (&["report"], false),
];

fn main() -> Result<()> {
    println!("{}", machine::describe());
    let calls = setting("WEBOX_BENCH_CALLS", 200_000);
    let turns = setting("WEBOX_BENCH_TURNS", 6);
    let folder = tempfile::tempdir()?;
    let db = population::busy(folder.path(), calls, turns)?;
    println!("store of {} MB", std::fs::metadata(&db)?.len() / 1_000_000);
    report::title("whole commands, medians");
    for (args, has_aim) in COMMANDS {
        let run = || timed(folder.path(), &db, args);
        // The first one brings the pages into memory.
        run()?;
        let took = report::median((0..TIMES).map(|_| run()).collect::<Result<Vec<_>>>()?);
        let aim = if has_aim {
            let kept = if took < AIM { "aim" } else { "MISSES" };
            format!("({kept} {})", report::milliseconds(AIM))
        } else {
            String::new()
        };
        let words = format!("webox {}", args.join(" "));
        println!("{words:<76} {:>9}  {aim}", report::milliseconds(took));
    }
    report::title("a call rings, ends, and what came of it is noted: in one transaction of many");
    let with = written(&folder.path().join("with.db"), true)?;
    let without = written(&folder.path().join("without.db"), false)?;
    println!("without figures   {without:>10.1?} a call");
    println!("with them         {with:>10.1?}");
    Ok(())
}

fn timed(folder: &Path, db: &Path, args: &[&str]) -> Result<Duration> {
    let begun = Instant::now();
    let mut command = daemon::webox(folder, db);
    let status = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let elapsed = begun.elapsed();
    if status.success() { Ok(elapsed) } else { Err(format!("{args:?} failed").into()) }
}

/// How long a call takes in a store with or without the triggers.
fn written(db: &Path, figures: bool) -> Result<Duration> {
    population::generate(db, 1_000, 0)?;
    if !figures {
        population::forget_figures(db)?;
    }
    let store = Store::open(db, Options::daemon())?;
    let begun = Instant::now();
    store.write(|tx| {
        (0..WRITTEN).try_for_each(|n| {
            let started_at = Timestamp::now();
            let call = NewCall {
                direction: Direction::Inbound,
                account: None,
                sid: format!("CA{:032x}", u128::from(n) + (1 << 100))
                    .parse()
                    .map_err(webox::store::StoreError::User)?,
                assistant: AssistantId(i64::from(n % 200) + 1),
                assistant_revision: 1,
                caller: Some(format!("+336{:08}", n * 7)),
                to_number: "+33140000001".to_owned(),
                line: VoiceLine::Gather,
                language: LanguageTag::french(),
                started_at,
            };
            let end = CallEnd {
                status: CallStatus::Completed,
                ended_at: started_at + SignedDuration::from_secs(60),
                duration_s: Some(60),
                reason: None,
            };
            let id = calls::insert_ended(tx, &call, &end)?;
            afterwards::settle(tx, id, CallOutcome::Informed, "A été renseigné.", None)
        })
    })?;
    Ok(begun.elapsed() / WRITTEN)
}
