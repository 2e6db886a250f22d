//! How small and how quick to start: the binary, `webox --version`, a daemon that idles, and the
//! same daemon after a thousand calls.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use support::{
    Result,
    daemon::{self, Daemon},
    load, machine, report,
};

/// How often a command is started.
const TIMES: usize = 200;

fn main() -> Result<()> {
    println!("{}", machine::describe());
    report::title("cold start and size");
    let bytes = std::fs::metadata(daemon::binary())?.len();
    println!("binary                     {:.1} MB", bytes as f64 / 1e6);
    start("true (the floor)", &mut Command::new("true"))?;
    start("webox --version", Command::new(daemon::binary()).arg("--version"))?;

    let folder = tempfile::tempdir()?;
    daemon::apply_assistant(folder.path(), "builtin")?;
    let begun = Instant::now();
    let daemon = Daemon::start(folder.path(), &[])?;
    println!("webox serve, listening in  {}", report::milliseconds(begun.elapsed()));
    let memory = |when: &str| -> Result<()> {
        std::thread::sleep(Duration::from_secs(1));
        let kib = machine::resident_kib(daemon.pid())?;
        println!("daemon, {when:<19}{:.1} MiB resident", kib as f64 / 1024.0);
        Ok(())
    };
    memory("idle")?;
    for (wires, name) in [(load::ringing(1, 1_000), "ring"), (load::speaking(1, 1_000), "speak")] {
        let measured = load::closed_loop(daemon.address, 32, wires, "<Gather")?;
        if measured.wrong > 0 {
            return Err(format!("{} calls did not {name}", measured.wrong).into());
        }
    }
    memory("after 1,000 calls")
}

fn start(name: &str, command: &mut Command) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    println!(
        "{name:<26} {} median, {} p99",
        report::milliseconds(report::quantile(&times, 0.5)),
        report::milliseconds(report::quantile(&times, 0.99)),
    );
    Ok(())
}
