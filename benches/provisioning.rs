//! Files as the truth: how long 500 of them take to check, to plan and to apply, with the binary
//! as people run it. `validate` of one file, beside it, is what starting costs.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use support::{Result, daemon, machine, report};

/// How many clients.
const FILES: u64 = 500;
/// How often each command runs.
const TIMES: usize = 11;

fn main() -> Result<()> {
    println!("{}", machine::describe());
    let files = support::setting("WEBOX_BENCH_FILES", FILES);
    report::title(&format!("{files} files of assistants"));
    let folder = tempfile::tempdir()?;
    let clients = folder.path().join("clients");
    std::fs::create_dir(&clients)?;
    // Each as long as a real one: hours, facts, rules.
    let model = include_str!("../assistants/le-gourmet.toml");
    for n in 0..files {
        let text = model
            .replace("le-gourmet", &format!("client-{n:05}"))
            .replace("+33123456789", &format!("+331{:08}", 40_000_000 + n));
        std::fs::write(clients.join(format!("client-{n:05}.toml")), text)?;
    }
    let one = clients.join("client-00000.toml");
    repeat("validate, one file", folder.path(), &["validate"], &one)?;
    repeat("validate", folder.path(), &["validate"], &clients)?;
    once("apply, all new", folder.path(), &["apply", "--yes"], &clients)?;
    repeat("plan, nothing to do", folder.path(), &["plan"], &clients)?;
    repeat("apply, nothing to do", folder.path(), &["apply", "--yes"], &clients)?;
    let mut changes = Vec::new();
    for round in 0..TIMES {
        for n in 0..files {
            let path = clients.join(format!("client-{n:05}.toml"));
            let text = std::fs::read_to_string(&path)?;
            let line = text.lines().find(|line| line.starts_with("capacity")).unwrap_or_default();
            std::fs::write(&path, text.replace(line, &format!("capacity = {}", 50 + round)))?;
        }
        changes.push(run(folder.path(), &["apply", "--yes"], &clients)?);
    }
    tell("apply, every one changed", changes);
    Ok(())
}

fn once(name: &str, home: &Path, words: &[&str], path: &Path) -> Result<()> {
    tell(name, vec![run(home, words, path)?]);
    Ok(())
}

fn repeat(name: &str, home: &Path, words: &[&str], path: &Path) -> Result<()> {
    let times = (0..TIMES).map(|_| run(home, words, path)).collect::<Result<_>>()?;
    tell(name, times);
    Ok(())
}

fn tell(name: &str, times: Vec<Duration>) {
    println!("{name:<26} {} median", report::milliseconds(report::median(times)));
}

fn run(home: &Path, words: &[&str], path: &Path) -> Result<Duration> {
    let begun = Instant::now();
    let status = Command::new(daemon::binary())
        .args(["--db"])
        .arg(home.join("webox.db"))
        .args(words)
        .arg(path)
        .env("HOME", home)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let took = begun.elapsed();
    if status.success() { Ok(took) } else { Err(format!("{words:?} ended with {status}").into()) }
}
