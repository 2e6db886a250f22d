//! Disks that fill, that take nothing any more, that fail in the middle; and somebody else's lock.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    chaos::{OnThePhone, assert_stored, busy, look_over, ready, sized, wait_until_ready},
    support::daemon::{Daemon, sid, spoken},
};

/// A process whose writes fail, until this is dropped.
pub(super) struct Failing(Child);

impl Drop for Failing {
    fn drop(&mut self) {
        // Detaches, and lets it run.
        let _ = Command::new("kill").args(["-INT", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}

/// Has system calls of a daemon fail on the files of its store. Nothing where strace may not.
pub(super) fn fail(daemon: &Daemon, db: &Path, how: &str) -> Option<Failing> {
    let pid = daemon.pid().to_string();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-q", "-o", "/dev/null", "-e"]).arg(how);
    for ending in ["", "-wal"] {
        strace.arg("-P").arg(format!("{}{ending}", db.display()));
    }
    let child = strace.args(["-p", &pid]).stderr(Stdio::null()).spawn().ok()?;
    let mut failing = Failing(child);
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        if !status.contains("TracerPid:\t0\n") {
            return Some(failing);
        }
        if failing.0.try_wait().is_ok_and(|done| done.is_some()) || Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_is_survived_and_heals() {
    let rounds = sized(1, 10);
    let webox = busy();
    let db = webox.db();
    let daemon = Daemon::start(&webox);
    let mut callers: Vec<OnThePhone> = (0..5).map(|n| OnThePhone::new(sid(n))).collect();
    for round in 0..rounds {
        for how in [
            "inject=pwrite64:error=EROFS",
            "inject=pwrite64:error=ENOSPC",
            "inject=pwrite64:error=EIO:when=2+3",
            "inject=fdatasync,fsync:error=EIO",
        ] {
            for caller in &mut callers {
                assert!(caller.go_on(&daemon).await, "round {round}, before {how}");
            }
            let Some(failing) = fail(&daemon, &db, how) else {
                eprintln!("passed over: strace may not attach here");
                return;
            };
            for caller in &mut callers {
                // Something to hear, whatever becomes of it; what is acknowledged meanwhile counts.
                let answer = caller.ask(&daemon, caller.turn).await.unwrap();
                assert!(!spoken(&answer).is_empty(), "{how}");
                let _ = caller.go_on(&daemon).await;
            }
            assert!(!spoken(&daemon.ring(&sid(10_000 + round)).await).is_empty());
            drop(failing);
            wait_until_ready(&daemon, 200).await;
        }
    }
    for caller in &mut callers {
        let mut tries = 0;
        while !caller.go_on(&daemon).await {
            tries += 1;
            assert!(tries < 20, "{} goes on once the disk is well", caller.sid);
        }
    }
    drop(daemon);
    let (copy, _folder) = look_over(&webox, &db);
    let stored = assert_stored(&copy, &callers);
    eprintln!("failing disk: {rounds} rounds of 4 faults, {stored} acknowledged turns, all stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_locked_for_seconds_loses_nobody() {
    let seconds = sized(vec![1], vec![1, 6, 60]);
    let webox = busy();
    let daemon = Daemon::start(&webox);
    let mut callers: Vec<OnThePhone> = (0..5).map(|n| OnThePhone::new(sid(n))).collect();
    let mut slowest = Duration::ZERO;
    for seconds in &seconds {
        for caller in &mut callers {
            assert!(caller.go_on(&daemon).await);
        }
        let other = rusqlite::Connection::open(webox.db()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let begun = Instant::now();
        let asked = callers.iter().map(|caller| async {
            let begun = Instant::now();
            let answer = caller.ask(&daemon, caller.turn).await.unwrap();
            assert!(!spoken(&answer).is_empty());
            begun.elapsed()
        });
        let took = futures_util::future::join_all(asked).await;
        slowest = slowest.max(took.into_iter().max().unwrap_or_default());
        tokio::time::sleep(Duration::from_secs(*seconds).saturating_sub(begun.elapsed())).await;
        other.execute_batch("COMMIT").unwrap();
        drop(other);
        for caller in &mut callers {
            let mut tries = 0;
            while !caller.go_on(&daemon).await {
                tries += 1;
                assert!(tries < 20, "{} goes on once the lock is gone", caller.sid);
            }
        }
    }
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    assert_eq!(ready(&daemon).await, 200);
    drop(daemon);
    let (copy, _folder) = look_over(&webox, &webox.db());
    let stored = assert_stored(&copy, &callers);
    eprintln!(
        "locked {seconds:?} s: slowest answer {} ms, {stored} turns stored",
        slowest.as_millis()
    );
}
