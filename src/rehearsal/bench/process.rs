//! What a process takes of the machine, as Linux tells it in `/proc`. Nothing elsewhere.

use std::time::Duration;

/// Linux's USER_HZ, the unit of processor times in `/proc` (proc(5)).
const TICKS_A_SECOND: u32 = 100;

/// What a process has used, and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, of all its threads, since it began.
    pub processor: Duration,
    /// Memory that it holds, in kilobytes.
    pub resident_kb: u64,
}

impl Usage {
    /// Of a process; of this one when none is named.
    pub fn of(process: Option<u32>) -> Option<Self> {
        let folder = process.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{folder}/{name}")).ok();
        Self::parse(&read("stat")?, &read("status")?)
    }

    fn parse(stat: &str, status: &str) -> Option<Self> {
        // The name of the program may hold spaces and brackets; its own are the outermost.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace().skip(11);
        let ticks: u32 = fields.next()?.parse().ok()?;
        let ticks = ticks + fields.next()?.parse::<u32>().ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(Self {
            processor: Duration::from_secs(1) * ticks / TICKS_A_SECOND,
            resident_kb: resident.split_whitespace().next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_whatever_the_program_is_called() {
        let stat = "42 (we) (box) R 1 42 42 0 -1 4194304 900 0 0 0 150 50 0 0 20 0 5 0 99 1 2 3";
        let status = "Name:\twebox\nVmHWM:\t   90000 kB\nVmRSS:\t   61234 kB\nThreads:\t5\n";
        let usage = Usage::parse(stat, status).unwrap();
        assert_eq!(usage, Usage { processor: Duration::from_secs(2), resident_kb: 61_234 });
        assert_eq!(Usage::parse("42 (x) R 1", status), None);
        assert_eq!(Usage::parse(stat, "Name:\tkernel thread\n"), None);
    }
}
