//! A disk that gives back other bytes than it was given: the database is refused or read, and stays as it is.

use std::path::Path;

use crate::{
    chaos::{Dice, OnThePhone, busy, sized},
    support::{
        cmd::Webox,
        daemon::{Daemon, sid, spoken},
    },
};

/// What is asked of a damaged file: each reads other tables.
const ASKED: [&[&str]; 5] = [
    &["calls", "list", "--limit", "100"],
    &["assistants", "list"],
    &["stats"],
    &["bookings", "list"],
    &["audit", "--verify"],
];

/// A database in which something has happened, whole in one file.
async fn made(webox: &Webox) -> Vec<u8> {
    let daemon = Daemon::start(webox);
    for n in 0..20 {
        let mut caller = OnThePhone::new(sid(n));
        for _ in 0..4 {
            assert!(caller.go_on(&daemon).await);
        }
        daemon.hang_up(&caller.sid, 30).await;
    }
    assert_eq!(tokio::task::block_in_place(|| daemon.terminate()), Some(0));
    let db = rusqlite::Connection::open(webox.db()).unwrap();
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    drop(db);
    std::fs::read(webox.db()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_that_is_another_is_refused_or_read_and_never_written_over() {
    let (places, daemons) = sized((12, 1), (1_000, 40));
    let (webox, dice) = (busy(), Dice::new());
    let whole = made(&webox).await;
    let path = webox.home().join("damaged.db");
    let (mut refused, mut read) = (0, 0);
    for round in 0..places {
        let at = dice.below(whole.len() as u64) as usize;
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << dice.below(8);
        put(&path, &bytes);
        let asked = ASKED[round % ASKED.len()];
        let ran =
            webox.run(["--db", path.to_str().unwrap()].into_iter().chain(asked.iter().copied()));
        assert!(!ran.stderr.contains("panicked"), "byte {at}, {asked:?}: {}", ran.stderr);
        if ran.code == 0 {
            read += 1;
        } else {
            refused += 1;
            assert!(ran.stderr.contains("error:"), "byte {at}, {asked:?}: {}", ran.stderr);
        }
        let now = std::fs::read(&path).unwrap();
        assert!(now == bytes, "byte {at}, {asked:?}: the file is byte for byte the same");
    }
    // A daemon on such a file: it says that it cannot, or answers.
    let (mut stood, mut stopped) = (0, 0);
    for _ in 0..daemons {
        let at = dice.below(whole.len() as u64) as usize;
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << dice.below(8);
        put(&webox.db(), &bytes);
        let opened = webox.run(["calls", "list"]);
        if opened.code != 0 {
            stopped += 1;
            continue;
        }
        let daemon = Daemon::start(&webox);
        let caller = OnThePhone::new(sid(1_000));
        let answer = caller.ask(&daemon, 0).await.unwrap();
        assert_eq!(answer.status, 200, "byte {at}");
        assert!(!spoken(&answer).is_empty(), "byte {at}: {}", answer.body);
        assert!(!daemon.log().iter().any(|line| line.contains("panicked")), "{:?}", daemon.log());
        stood += 1;
    }
    eprintln!(
        "one bit: {places} places of {} bytes: {refused} refused, {read} read, none written over; \
         {stood} daemons answered, {stopped} files were refused before",
        whole.len()
    );
}

/// Nothing is left beside it of the one before.
fn put(path: &Path, bytes: &[u8]) {
    for ending in ["-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(format!("{}{ending}", path.display()));
    }
    std::fs::write(path, bytes).unwrap();
}
