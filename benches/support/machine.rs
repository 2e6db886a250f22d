//! The machine, and one processor each for server and client.
//!
//! On a small machine the two would take turns on every processor and the figures would mostly
//! show the scheduler. So the daemon runs on the first processor and the benchmark on the second,
//! where `taskset` is there; `WEBOX_BENCH_PIN=0` leaves it to the kernel.

use std::{env, os::unix::process::CommandExt, path::Path, process::Command};

use super::{Result, setting};

/// Set in the benchmark that was started anew on its own processor.
const PINNED: &str = "WEBOX_BENCH_PINNED";

/// Starts this benchmark anew on the second processor, where that is possible.
pub fn settle() -> Result<()> {
    let room = std::thread::available_parallelism()?.get() > 1;
    if is_pinned() || !room || setting("WEBOX_BENCH_PIN", 1) == 0 || !has_taskset() {
        return Ok(());
    }
    let mut again = Command::new("taskset");
    again.args(["-c", "1"]).arg(env::current_exe()?).args(env::args_os().skip(1)).env(PINNED, "1");
    Err(again.exec().into())
}

fn has_taskset() -> bool {
    Path::new("/usr/bin/taskset").exists()
}

/// Whether server and client have a processor each.
pub fn is_pinned() -> bool {
    env::var_os(PINNED).is_some()
}

/// Has this thread wait for every other one of its processor, where `renice` is there: a crowd does not
/// hold up whoever is measured beside it.
pub fn give_way() -> Result<()> {
    let thread = std::fs::read_link("/proc/thread-self")?;
    let id = thread.file_name().ok_or("/proc/thread-self names no thread")?;
    let renice = Path::new("/usr/bin/renice");
    if renice.exists() {
        Command::new(renice).args(["-n", "19", "-p"]).arg(id).output()?;
    }
    Ok(())
}

/// A command for the server's processor, with as many files as the system allows: a service
/// manager gives a daemon that many, a shell often gives 1,024.
pub fn server_command(program: &Path) -> Command {
    let mut command = Command::new("sh");
    let script = "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"";
    command.args(["-c", script, "sh"]);
    if is_pinned() {
        command.args(["taskset", "-c", "0"]);
    }
    command.arg(program);
    command
}

/// The machine in one line: processors, model, kernel.
pub fn describe() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let processors = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|line| line.split_once(':'))
        .map_or("unknown", |(_, model)| model.trim());
    let kernel = read("/proc/sys/kernel/osrelease");
    let pinned = if is_pinned() { "server and client on one each" } else { "shared" };
    format!("{processors} × {model}, Linux {}, {pinned}", kernel.trim())
}

/// Memory of a process that is really there, in KiB.
pub fn resident_kib(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.split_whitespace().next())
        .and_then(|kib| kib.parse().ok())
        .ok_or_else(|| "no VmRSS in /proc".into())
}

/// Processor time a process has used, in seconds.
pub fn processor_seconds(pid: u32) -> Result<f64> {
    /// Linux's USER_HZ, the unit of these fields.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: f64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    Ok(ticks / TICKS_A_SECOND)
}
