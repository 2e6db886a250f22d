//! `kill -9` at random moments, and a log that breaks off in the middle of a page.

use std::{
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    chaos::{Dice, OnThePhone, assert_stored, busy, look_over, sized},
    support::{
        daemon::{Daemon, sid},
        fake_http::{Behaviour, KEY},
        fake_openai::FakeOpenAi,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_under_load_loses_nothing_and_every_call_goes_on() {
    let (rounds, at_once) = sized((4, 20), (100, 200));
    // A model that thinks for a while: most are killed in the middle of a thought.
    let slow =
        Behaviour::DelayHeaders(Duration::from_millis(300), "Nous ouvrons à midi.".to_owned());
    let model = FakeOpenAi::start(vec![slow]);
    let dice = Dice::new();
    let webox = busy().env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", model.url());
    webox.run(["assistants", "edit", "le-gourmet", "--model", "gpt-4"]).ok();
    let mut callers: Vec<OnThePhone> = (0..at_once).map(|n| OnThePhone::new(sid(n))).collect();
    let mut next_call = at_once;
    let (mut slowest, mut resumed, mut stored) = (Duration::ZERO, 0, 0);
    for round in 0..rounds {
        let begun = Instant::now();
        let daemon = Arc::new(Daemon::start(&webox));
        // What was acknowledged is said again, byte for byte; nobody is greeted twice.
        let mut first = true;
        for caller in &callers {
            let Some((turn, body)) = caller.acknowledged.last() else { continue };
            let answer = caller.ask(&daemon, *turn).await.unwrap();
            assert_eq!(answer.body, *body, "round {round}, {} turn {turn}", caller.sid);
            if std::mem::take(&mut first) {
                slowest = slowest.max(begun.elapsed());
            }
            resumed += 1;
        }
        let until = Duration::from_millis(200 + dice.below(1_500));
        let talking = callers.into_iter().map(|mut caller| {
            let daemon = Arc::clone(&daemon);
            tokio::spawn(async move {
                while caller.turn < 40 && caller.go_on(&daemon).await {}
                caller
            })
        });
        let talking: Vec<_> = talking.collect();
        tokio::time::sleep(until).await;
        kill_9(daemon.pid());
        callers = Vec::new();
        for caller in talking {
            callers.push(caller.await.unwrap());
        }
        drop(daemon);
        let (db, _folder) = look_over(&webox, &webox.db());
        stored = assert_stored(&db, &callers);
        // Those who said enough hang up in their own way; others ring.
        for caller in &mut callers {
            if caller.turn >= 40 {
                *caller = OnThePhone::new(sid(next_call));
                next_call += 1;
            }
        }
    }
    // And each goes on in its own conversation.
    let daemon = Daemon::start(&webox);
    for caller in &mut callers {
        let turn = caller.turn;
        assert!(caller.go_on(&daemon).await, "{} turn {turn}", caller.sid);
    }
    eprintln!(
        "kill -9: {rounds} rounds, {at_once} at once, {next_call} calls, {stored} turns of the last ones \
         compared, {resumed} resumed, slowest first answer {} ms",
        slowest.as_millis()
    );
    assert!(slowest < Duration::from_secs(20), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_log_loses_nothing_that_was_acknowledged() {
    let rounds = sized(4, 40);
    let (webox, dice) = (busy(), Dice::new());
    let mut caller = OnThePhone::new(sid(1));
    for round in 0..rounds {
        let daemon = Daemon::start(&webox);
        for _ in 0..3 {
            assert!(caller.go_on(&daemon).await, "round {round}");
        }
        kill_9(daemon.pid());
        drop(daemon);
        // What a write that was never finished leaves: half a frame, noise, or a whole frame of noise.
        let path = format!("{}-wal", webox.db().display());
        let mut log = std::fs::OpenOptions::new().append(true).create(true).open(&path).unwrap();
        let noise: Vec<u8> = (0..=dice.below(3 * 4_120)).map(|_| dice.below(256) as u8).collect();
        log.write_all(&noise).unwrap();
        drop(log);
        let (db, _folder) = look_over(&webox, &webox.db());
        assert_stored(&db, std::slice::from_ref(&caller));
    }
    let daemon = Daemon::start(&webox);
    assert!(caller.go_on(&daemon).await);
    eprintln!("torn log: {rounds} rounds, {} turns stored", caller.acknowledged.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_cut_off_is_an_earlier_state_and_nothing_worse() {
    // Worse than a crash can do: what was synced is gone. It opens, whole, as it was a moment earlier.
    let rounds = sized(6, 60);
    let (webox, dice) = (busy(), Dice::new());
    let daemon = Daemon::start(&webox);
    let mut caller = OnThePhone::new(sid(1));
    for _ in 0..10 {
        assert!(caller.go_on(&daemon).await);
    }
    kill_9(daemon.pid());
    drop(daemon);
    let path = format!("{}-wal", webox.db().display());
    let log = std::fs::read(&path).unwrap_or_default();
    for _ in 0..rounds {
        let cut = dice.below(log.len() as u64 + 1) as usize;
        std::fs::write(&path, &log[..cut]).unwrap();
        let (db, _folder) = look_over(&webox, &webox.db());
        let numbers: Vec<u32> = db
            .prepare("SELECT number FROM turns ORDER BY number")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        assert!(numbers.iter().copied().eq(0..numbers.len() as u32), "{numbers:?}");
    }
    eprintln!("cut log: {rounds} places in {} bytes", log.len());
}

fn kill_9(pid: u32) {
    std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
}
