//! Rows taken out of a store of 200,000 calls and 1,200,000 turns by the whole command
//! (`WEBOX_BENCH_CALLS=10000000`, `WEBOX_BENCH_DB` as for `analytics`): how many a second, and the
//! most memory that it had.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use support::{Result, daemon, machine, population, report, setting};

/// Rows a second that CSV is to be written at.
const AIM: f64 = 200_000.0;

const EXPORTS: [(&str, &str); 5] = [
    ("calls", "csv"),
    ("turns", "csv"),
    ("calls", "jsonl"),
    ("calls", "parquet"),
    ("turns", "parquet"),
];

fn main() -> Result<()> {
    println!("{}", machine::describe());
    let calls = setting("WEBOX_BENCH_CALLS", 200_000);
    let turns = setting("WEBOX_BENCH_TURNS", 6);
    let folder = tempfile::tempdir()?;
    let db = population::busy(folder.path(), calls, turns)?;
    report::title("rows a second, to nowhere");
    for (dataset, format) in EXPORTS {
        let rows = if dataset == "turns" { calls * turns } else { calls };
        let Spent { wall, memory } = spent(&mut export(folder.path(), &db, dataset, format))?;
        let speed = rows as f64 / wall.as_secs_f64();
        let aim = match format {
            "csv" if speed >= AIM => "(aim 200,000)",
            "csv" => "(MISSES 200,000)",
            _ => "",
        };
        println!(
            "webox export {dataset} --format {format:<8} {:>9} rows a second, {memory:>4} MB of memory  {aim}",
            report::number(speed),
        );
    }
    Ok(())
}

fn export(folder: &Path, db: &Path, dataset: &str, format: &str) -> Command {
    let mut command = daemon::webox(folder, db);
    command.args(["export", dataset, "--format", format, "--quiet"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

struct Spent {
    wall: Duration,
    /// The most that it had resident, in millions of bytes.
    memory: u64,
}

fn spent(command: &mut Command) -> Result<Spent> {
    let begun = Instant::now();
    let mut child = command.spawn()?;
    let mut memory = 0;
    loop {
        memory = memory.max(resident(child.id()));
        if let Some(status) = child.try_wait()? {
            let wall = begun.elapsed();
            return if status.success() {
                Ok(Spent { wall, memory: memory / 1_000_000 })
            } else {
                Err(format!("{command:?} failed").into())
            };
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The most that a process had resident so far, in bytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}
