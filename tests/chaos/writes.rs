//! The n-th write, or the n-th sync, of a store fails, for each n: nothing is acknowledged that is not
//! synced, and the file stays whole. SQLite itself is tested so; here it is our writer's turn.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    chaos::{OnThePhone, assert_stored, busy, look_over, sized, wait_until_ready},
    support::daemon::{Daemon, sid, spoken},
};

/// Words of a log line about a call that we had fail.
const INJECTED: &str = "(INJECTED)";

/// Turns within which the n-th one must have come.
const TURNS: usize = 300;

/// System calls of a daemon on the files of its store, written down; one of them fails.
struct Watched<'a> {
    strace: Child,
    log: &'a Path,
    /// The thread that commits.
    writer: String,
    seen: usize,
}

impl<'a> Watched<'a> {
    /// Nothing where strace may not.
    fn start(daemon: &Daemon, db: &Path, log: &'a Path, how: &str) -> Option<Self> {
        let tasks = format!("/proc/{}/task", daemon.pid());
        let writer = std::fs::read_dir(&tasks).ok()?.filter_map(Result::ok).find(|task| {
            let name = std::fs::read_to_string(task.path().join("comm"));
            name.is_ok_and(|name| name.trim() == "writer")
        })?;
        let writer = writer.file_name().into_string().ok()?;
        let _ = std::fs::remove_file(log);
        let mut strace = Command::new("strace");
        strace.args(["-f", "-q", "-e", "trace=pwrite64,fdatasync,fsync", "-e", how, "-o"]).arg(log);
        for ending in ["", "-wal"] {
            strace.arg("-P").arg(format!("{}{ending}", db.display()));
        }
        strace.args(["-p", &daemon.pid().to_string()]).stderr(Stdio::null());
        let mut watched = Self { strace: strace.spawn().ok()?, log, writer, seen: 0 };
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            // Thread by thread, the first one first: what counts is the one that writes.
            let status = format!("{tasks}/{}/status", watched.writer);
            if !std::fs::read_to_string(status).ok()?.contains("TracerPid:\t0\n") {
                return Some(watched);
            }
            let ended = watched.strace.try_wait().is_ok_and(|done| done.is_some());
            if ended || Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.log).unwrap_or_default()
    }

    /// The n-th call of each thread fails; this is about the writer's.
    fn has_failed(&self) -> bool {
        self.text().lines().any(|line| line.starts_with(&self.writer) && line.contains(INJECTED))
    }

    /// Whether a sync of the writer's succeeded since this was last asked. One that fails may be that of
    /// a later transaction, which nobody waits for.
    fn synced(&mut self) -> bool {
        let text = self.text();
        // A line is begun when a call begins, and ended when it returns.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let new = text.get(self.seen..whole).unwrap_or_default();
        self.seen = self.seen.max(whole);
        let ours = new.lines().filter(|line| line.starts_with(&self.writer));
        ours.filter_map(outcome_of_sync).any(|succeeded| succeeded)
    }
}

/// Whether a line tells of a sync that came to its end, and how. strace fills up with blanks before
/// the `=`, so that results stand below one another.
fn outcome_of_sync(line: &str) -> Option<bool> {
    if !line.contains("sync(") && !line.contains("sync resumed>") {
        return None;
    }
    let (_, result) = line.rsplit_once(" = ")?;
    Some(result.split_whitespace().next() == Some("0"))
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        // Detaches, and lets it run.
        let _ = Command::new("kill").args(["-INT", &self.strace.id().to_string()]).status();
        let _ = self.strace.wait();
    }
}

#[test]
fn lines_of_strace_are_read_as_they_are() {
    let ended = [
        ("7 fdatasync(9)                      = 0", Some(true)),
        ("7 <... fdatasync resumed>)          = 0", Some(true)),
        ("7 fsync(9) = -1 EIO (Input/output error) (INJECTED)", Some(false)),
        ("7 fdatasync(9 <unfinished ...>", None),
        ("7 pwrite64(9, \"\"..., 24, 0)        = 24", None),
    ];
    for (line, outcome) in ended {
        assert_eq!(outcome_of_sync(line), outcome, "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_write_fails_nothing_is_acknowledged_that_is_not_synced() {
    let numbers: Vec<u32> = sized(vec![1, 2, 3, 7, 12], (1..=200).collect());
    let webox = busy();
    let (db, log) = (webox.db(), webox.home().join("strace.log"));
    let daemon = Daemon::start(&webox);
    let mut all: Vec<OnThePhone> = Vec::new();
    let (mut failed, mut refused) = (0, 0);
    for (which, error) in [("pwrite64", ["EIO", "ENOSPC"]), ("fdatasync,fsync", ["ENOSPC", "EIO"])]
    {
        for n in &numbers {
            let error = error[*n as usize % 2];
            let what = format!("{which} {n}: {error}");
            let how = format!("inject={which}:error={error}:when={n}");
            let mut caller = OnThePhone::new(sid(all.len() as u32));
            assert!(caller.go_on(&daemon).await, "before {what}");
            let Some(mut watched) = Watched::start(&daemon, &db, &log, &how) else {
                eprintln!("passed over: strace may not attach here");
                return;
            };
            for _ in 0..TURNS {
                watched.synced();
                let turn = caller.turn;
                let answer = caller.ask(&daemon, turn).await.unwrap();
                assert!(!spoken(&answer).is_empty(), "{what}: always something to hear");
                if answer.body.contains(&format!("turn={}", turn + 1)) {
                    // strace may write a moment later than the call returns.
                    let deadline = Instant::now() + Duration::from_secs(2);
                    let mut synced = watched.synced();
                    while !synced && Instant::now() < deadline {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        synced = watched.synced();
                    }
                    assert!(synced, "{what}: acknowledged, {}", watched.text());
                    caller.acknowledged.push((turn, answer.body));
                    caller.turn += 1;
                } else {
                    refused += 1;
                }
                if watched.has_failed() {
                    failed += 1;
                    // SQLite shows others a transaction only once its own sync has succeeded.
                    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
                    let other = rusqlite::Connection::open_with_flags(&db, flags).unwrap();
                    assert_stored(&other, std::slice::from_ref(&caller));
                    break;
                }
            }
            assert!(watched.has_failed(), "{what}: it never came");
            drop(watched);
            wait_until_ready(&daemon, 200).await;
            let mut tries = 0;
            while !caller.go_on(&daemon).await {
                tries += 1;
                assert!(tries < 20, "{what}: it goes on once the disk is well");
            }
            daemon.hang_up(&caller.sid, 60).await;
            all.push(caller);
        }
        let (copy, _folder) = look_over(&webox, &db);
        assert_stored(&copy, &all);
    }
    assert!(!daemon.log().iter().any(|line| line.contains("panicked")), "{:?}", daemon.log());
    drop(daemon);
    let (copy, _folder) = look_over(&webox, &db);
    let stored = assert_stored(&copy, &all);
    eprintln!(
        "failing writes: {failed} single ones, {refused} turns put off, {stored} acknowledged turns, all stored"
    );
}
