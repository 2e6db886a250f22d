//! Reading a store of a million calls (`WEBOX_BENCH_CALLS=10000000` for ten): whole commands as a
//! person runs them, next to the `sqlite3` shell with the same question on the best index.
//!
//! The two take turns, and what counts is the ratio of their medians.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use support::{Result, daemon, machine, population, report, setting};

/// How often each command is run.
const TIMES: usize = 25;

/// A question, put to both.
struct Question {
    webox: &'static [&'static str],
    /// The same for the shell; `$NOW` is in milliseconds.
    sql: &'static str,
    /// How many times as long webox may take, where there is an aim.
    aim: Option<f64>,
}

const COLUMNS: &str = "c.id, c.sid, c.assistant_id, a.name, c.caller, c.to_number, c.status, \
    c.line, c.language, c.started_at, c.ended_at, c.duration_s, c.satisfaction, c.end_reason";

const QUESTIONS: [Question; 7] = [
    Question { webox: &["--version"], sql: "SELECT 1", aim: None },
    Question {
        webox: &["calls", "--since", "2d", "--limit", "50"],
        sql: "SELECT $COLUMNS FROM calls c JOIN assistants a ON a.id = c.assistant_id
              WHERE c.started_at >= $NOW - 172800000
              ORDER BY c.started_at DESC, c.id DESC LIMIT 50",
        aim: Some(1.5),
    },
    Question {
        webox: &["calls", "--since", "2d", "--limit", "50", "--assistant", "client-100"],
        sql: "SELECT $COLUMNS FROM calls c JOIN assistants a ON a.id = c.assistant_id
              WHERE c.assistant_id = (SELECT id FROM assistants WHERE name = 'client-100' AND deleted_at IS NULL)
              AND c.started_at >= $NOW - 172800000
              ORDER BY c.started_at DESC, c.id DESC LIMIT 50",
        aim: Some(1.5),
    },
    Question {
        webox: &["calls", "--since", "1d", "--limit", "0", "-o", "tsv"],
        sql: "SELECT $COLUMNS FROM calls c JOIN assistants a ON a.id = c.assistant_id
              WHERE c.started_at >= $NOW - 86400000
              ORDER BY c.started_at DESC, c.id DESC",
        aim: None,
    },
    Question {
        webox: &["stats", "--since", "30d"],
        sql: "SELECT status, sum(calls), sum(duration_s), sum(satisfaction_sum), sum(satisfaction_count)
              FROM call_days WHERE day >= ($NOW - 2592000000) / 86400000 GROUP BY status",
        aim: Some(2.0),
    },
    Question {
        webox: &["stats"],
        sql: "SELECT status, sum(calls), sum(duration_s), sum(satisfaction_sum), sum(satisfaction_count)
              FROM call_days GROUP BY status",
        aim: None,
    },
    Question {
        webox: &["stats", "--since", "30d", "--by", "day"],
        sql: "SELECT day, sum(calls), sum(duration_s), sum(satisfaction_sum), sum(satisfaction_count)
              FROM call_days WHERE day >= ($NOW - 2592000000) / 86400000 GROUP BY day",
        aim: None,
    },
];

fn main() -> Result<()> {
    println!("{}", machine::describe());
    let calls = setting("WEBOX_BENCH_CALLS", 1_000_000);
    let folder = tempfile::tempdir()?;
    let kept = std::env::var_os("WEBOX_BENCH_DB");
    let db = kept.map_or_else(|| folder.path().join("busy.db"), Into::into);
    if !db.exists() {
        let begun = Instant::now();
        population::generate(&db, calls, 0)?;
        println!("{calls} calls generated in {:.0} s", begun.elapsed().as_secs_f64());
    }
    println!("store of {} MB", std::fs::metadata(&db)?.len() / 1_000_000);
    report::title("whole commands, medians, next to the sqlite3 shell");
    for question in &QUESTIONS {
        compare(folder.path(), &db, question)?;
    }
    Ok(())
}

fn compare(folder: &Path, db: &Path, question: &Question) -> Result<()> {
    let now = jiff::Timestamp::now().as_millisecond().to_string();
    let sql = question.sql.replace("$NOW", &now).replace("$COLUMNS", COLUMNS);
    let webox = || timed(daemon::webox(folder, db).args(question.webox));
    let shell = || timed(Command::new("sqlite3").arg("-readonly").arg(db).arg(&sql));
    // The first ones bring the pages into memory.
    webox()?;
    let has_shell = shell().is_ok();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        ours.push(webox()?);
        if has_shell {
            theirs.push(shell()?);
        }
    }
    let ours = report::median(ours);
    let words = format!("webox {}", question.webox.join(" "));
    let beside = if has_shell {
        let theirs = report::median(theirs);
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        let aim = question.aim.map(|aim| format!(" (aim {aim})")).unwrap_or_default();
        format!("sqlite3 {:>8}  × {ratio:.2}{aim}", report::milliseconds(theirs))
    } else {
        "(no sqlite3 shell here)".to_owned()
    };
    println!("{words:<58} {:>8}  {beside}", report::milliseconds(ours));
    Ok(())
}

fn timed(command: &mut Command) -> Result<Duration> {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let elapsed = begun.elapsed();
    if status.success() { Ok(elapsed) } else { Err(format!("{command:?} failed").into()) }
}
