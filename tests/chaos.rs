//! Faults, under load: what a machine does to a program in years, in minutes. `make chaos` runs it long
//! and prints figures; the suite runs it short. Everything is bounded, on this machine alone.

mod bytes;
mod clocks;
mod disks;
mod history;
mod kills;
mod limits;
mod lives;
mod overload;
mod soak;
mod upgrades;
mod writes;

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use webox::{domain::CallSid, twilio::caller::Answer};

use crate::support::{
    cmd::{Webox, le_gourmet_always_open},
    daemon::{CALLER, Daemon, NUMBER, verbs},
};

/// What callers say: all of it is answered without a model.
const WORDS: [&str; 3] =
    ["Avez-vous un parking ?", "Où êtes-vous ?", "À quelle heure ouvrez-vous ?"];

/// A home where Le Gourmet answers however many ring.
fn busy() -> Webox {
    let webox = Webox::new();
    let text = le_gourmet_always_open();
    let limits = "[limits]\nmax_concurrent_calls = 10000\nmax_calls_per_caller = 1000000\n";
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{limits}"));
    webox.run(["apply", "--yes", &file]).ok();
    let limits = "[limits]\ncalls_to_a_number = 1000000\ncalls_of_an_account = 1000000\n";
    let config = webox.file("busy.toml", limits);
    webox.env("WEBOX_CONFIG", config)
}

/// One of two sizes: that of the suite, or that of `make chaos`.
fn sized<T>(short: T, long: T) -> T {
    if is_long() { long } else { short }
}

fn is_long() -> bool {
    std::env::var("WEBOX_CHAOS").is_ok_and(|form| form == "long")
}

/// Numbers that are no pattern; `WEBOX_CHAOS_SEED` has them again.
struct Dice(AtomicU64);

impl Dice {
    fn new() -> Self {
        let given = std::env::var("WEBOX_CHAOS_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| jiff::Timestamp::now().as_microsecond() as u64 | 1);
        eprintln!("WEBOX_CHAOS_SEED={seed}");
        Self(AtomicU64::new(seed))
    }

    fn below(&self, most: u64) -> u64 {
        let mut x = self.0.load(Ordering::Relaxed);
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0.store(x, Ordering::Relaxed);
        x % most.max(1)
    }
}

/// A caller, and what was acknowledged to it.
struct OnThePhone {
    sid: CallSid,
    /// The next turn to say; 0 is the ringing.
    turn: u32,
    acknowledged: Vec<(u32, String)>,
}

impl OnThePhone {
    fn new(sid: CallSid) -> Self {
        Self { sid, turn: 0, acknowledged: Vec::new() }
    }

    /// Asks once; nothing where the daemon is gone.
    async fn ask(&self, daemon: &Daemon, turn: u32) -> Option<Answer> {
        let to = NUMBER.parse().unwrap();
        let mut fields = daemon.twilio.fields(&self.sid, CALLER, &to, "in-progress");
        let route = if turn == 0 {
            "/api/voice/webhook/incoming".to_owned()
        } else {
            let words = WORDS[turn as usize % WORDS.len()];
            fields.push(("SpeechResult".to_owned(), words.to_owned()));
            fields.push(("Confidence".to_owned(), "0.9".to_owned()));
            format!("/api/voice/webhook/process?call_sid={}&turn={turn}", self.sid)
        };
        daemon.twilio.post(&route, fields).await.ok()
    }

    /// Says what comes next; says whether it was acknowledged.
    async fn go_on(&mut self, daemon: &Daemon) -> bool {
        let Some(answer) = self.ask(daemon, self.turn).await else { return false };
        assert_eq!(answer.status, 200, "{}", answer.body);
        let _ = verbs(&answer);
        // Of the shape of an answer that is stored: the next turn is in it.
        if !answer.body.contains(&format!("turn={}", self.turn + 1)) {
            return false;
        }
        self.acknowledged.push((self.turn, answer.body));
        self.turn += 1;
        true
    }
}

/// Looks the database over from a copy of its files, as a crash left them.
fn look_over(webox: &Webox, db: &Path) -> (rusqlite::Connection, tempfile::TempDir) {
    let folder = tempfile::tempdir_in(webox.home()).unwrap();
    for ending in ["", "-wal"] {
        let from = format!("{}{ending}", db.display());
        if Path::new(&from).exists() {
            std::fs::copy(&from, folder.path().join(format!("copy.db{ending}"))).unwrap();
        }
    }
    let copy = rusqlite::Connection::open(folder.path().join("copy.db")).unwrap();
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let orphans: i64 = copy
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(orphans, 0);
    (copy, folder)
}

/// Every acknowledged turn is stored, once, with a reply.
fn assert_stored(db: &rusqlite::Connection, callers: &[OnThePhone]) -> usize {
    let mut looked = 0;
    let mut find = db
        .prepare(
            "SELECT count(*) FROM turns JOIN calls ON calls.id = turns.call_id
             WHERE calls.sid = ?1 AND turns.number = ?2 AND turns.said IS NOT NULL",
        )
        .unwrap();
    for caller in callers {
        for (turn, _) in &caller.acknowledged {
            let found: i64 = find.query_row((caller.sid.as_str(), turn), |row| row.get(0)).unwrap();
            assert_eq!(found, 1, "{} turn {turn} was acknowledged", caller.sid);
            looked += 1;
        }
    }
    looked
}

async fn ready(daemon: &Daemon) -> u16 {
    let url = format!("http://{}/readyz", daemon.address);
    reqwest::get(&url).await.map_or(0, |answer| answer.status().as_u16())
}

async fn wait_until_ready(daemon: &Daemon, status: u16) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while ready(daemon).await != status {
        assert!(Instant::now() < deadline, "/readyz does not come to {status}: {:?}", daemon.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
