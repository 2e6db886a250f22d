//! What readers see of a call only grows: every transcript that was read over REST begins every later one,
//! whatever befalls the daemon meanwhile, and what was acknowledged is in it, in order.

use std::{collections::HashMap, path::Path, time::Duration};

use serde_json::Value;
use tokio::sync::Mutex;

use crate::{
    chaos::{
        Dice, OnThePhone, assert_stored, busy, clocks::LIBRARY, disks::fail, look_over, sized,
        wait_until_ready,
    },
    support::daemon::{Daemon, sid},
};

/// Number, heard and said of the turns that have a reply.
type Transcript = Vec<(u64, Value, Value)>;

/// What was read last of each call, and how often something was read.
#[derive(Default)]
struct History {
    seen: HashMap<String, Transcript>,
    reads: usize,
}

impl History {
    fn read(&mut self, sid: &str, body: &Value) {
        let turns = body["turns"].as_array().unwrap();
        let transcript: Transcript = turns
            .iter()
            .filter(|turn| !turn["said"].is_null())
            .map(|turn| {
                (turn["number"].as_u64().unwrap(), turn["heard"].clone(), turn["said"].clone())
            })
            .collect();
        assert!(
            transcript.iter().map(|turn| turn.0).eq(0..transcript.len() as u64),
            "{transcript:?}"
        );
        let before = self.seen.entry(sid.to_owned()).or_default();
        assert!(
            transcript.starts_with(before),
            "{sid} was read as {before:?}, and later as {transcript:?}"
        );
        *before = transcript;
        self.reads += 1;
    }
}

/// Reads a call; nothing where the daemon is not there, or not well.
async fn read(http: &reqwest::Client, daemon: &Daemon, key: &str, sid: &str) -> Option<Value> {
    let url = format!("http://{}/api/voice/calls/{sid}", daemon.address);
    let answer = http.get(url).bearer_auth(key).send().await.ok()?;
    if answer.status() != 200 {
        return None;
    }
    answer.json().await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_of_a_call_begins_all_that_is_read_later() {
    let (rounds, at_once) = sized((4, 4), (60, 12));
    let dice = Dice::new();
    let mut webox = busy();
    let clock = webox.file("clock", "+0");
    if Path::new(LIBRARY).exists() {
        webox = webox
            .env("LD_PRELOAD", LIBRARY)
            .env("FAKETIME_TIMESTAMP_FILE", &clock)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    webox.run(["users", "add", "admin@agence.fr", "--role", "admin"]).ok();
    let made = ["tokens", "create", "--user", "admin@agence.fr", "--name", "a", "--scope", "read"];
    let key = webox.run(made).ok().stdout.trim().to_owned();
    let http =
        reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(12)).build().unwrap();
    let history = Mutex::new(History::default());
    let mut callers: Vec<OnThePhone> = (0..at_once).map(|n| OnThePhone::new(sid(n))).collect();
    let names: Vec<String> = callers.iter().map(|caller| caller.sid.to_string()).collect();
    let mut befell: HashMap<&str, usize> = HashMap::new();
    let mut daemon = Daemon::start(&webox);
    for round in 0..rounds {
        let over = tokio::sync::watch::Sender::new(false);
        let talking = callers.iter_mut().map(|caller| {
            let (daemon, over) = (&daemon, over.subscribe());
            async move {
                while !*over.borrow() {
                    caller.go_on(daemon).await;
                    tokio::time::sleep(Duration::from_millis(60)).await;
                }
            }
        });
        let reading = async {
            let ended = over.subscribe();
            while !*ended.borrow() {
                let name = &names[dice.below(names.len() as u64) as usize];
                if let Some(body) = read(&http, &daemon, &key, name).await {
                    history.lock().await.read(name, &body);
                }
                tokio::time::sleep(Duration::from_millis(120)).await;
            }
        };
        let nemesis = async {
            tokio::time::sleep(Duration::from_millis(200 + dice.below(500))).await;
            let what = match round % 4 {
                0 => {
                    daemon.signal("KILL");
                    "kill -9"
                }
                1 => {
                    daemon.signal("STOP");
                    tokio::time::sleep(Duration::from_secs(sized(1, 5))).await;
                    daemon.signal("CONT");
                    "SIGSTOP"
                }
                2 => {
                    let jumps = ["+1d", "-1d", "+400d", "-10s"];
                    let jump = jumps[dice.below(jumps.len() as u64) as usize];
                    std::fs::write(&clock, jump).unwrap();
                    "a jump of the clock"
                }
                _ => match fail(&daemon, &webox.db(), "inject=pwrite64:error=ENOSPC") {
                    Some(failing) => {
                        tokio::time::sleep(Duration::from_millis(800)).await;
                        tokio::task::block_in_place(|| drop(failing));
                        wait_until_ready(&daemon, 200).await;
                        "a full disk"
                    }
                    None => "nothing: strace may not attach here",
                },
            };
            tokio::time::sleep(Duration::from_millis(400)).await;
            over.send_replace(true);
            what
        };
        let (_, (), what) = tokio::join!(futures_util::future::join_all(talking), reading, nemesis);
        *befell.entry(what).or_default() += 1;
        if what == "kill -9" {
            daemon = tokio::task::block_in_place(|| {
                drop(daemon);
                Daemon::start(&webox)
            });
        }
    }
    std::fs::write(&clock, "+0").unwrap();
    let mut history = history.into_inner();
    for (caller, name) in callers.iter().zip(&names) {
        let body = read(&http, &daemon, &key, name).await.unwrap();
        history.read(name, &body);
        let last = history.seen[name].len();
        assert!(caller.acknowledged.iter().all(|(turn, _)| (*turn as usize) < last), "{name}");
    }
    assert!(!daemon.log().iter().any(|line| line.contains("panicked")), "{:?}", daemon.log());
    drop(daemon);
    let (db, _folder) = look_over(&webox, &webox.db());
    let stored = assert_stored(&db, &callers);
    eprintln!(
        "history: {} reads of {at_once} calls, each the beginning of the next; {stored} acknowledged turns, all \
         there; {befell:?}",
        history.reads
    );
}
