//! `webox bench`, at the terminal: it measures, says so, and leaves nothing behind.

use serde_json::Value;

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, NUMBER, PUBLIC_URL, TOKEN},
};

const BRIEF: [&str; 8] = ["bench", "--calls", "2", "--for", "3s", "--ramp", "0s", "-q"];

fn measured(json: &Value) -> &Value {
    let bench = &json["bench"];
    assert_eq!((&bench["calls"], &bench["failed"]), (&2.into(), &0.into()), "{bench}");
    assert_eq!(bench["greeting"]["count"], 2);
    let turns = bench["turns"].as_u64().unwrap();
    // However slow the machine: a turn of each caller.
    assert!(turns >= 2, "{bench}");
    assert_eq!(bench["answer"]["count"], turns);
    assert!(bench["own_share"].is_null(), "with the concierge, all of it is webox's own");
    bench
}

#[test]
fn a_daemon_of_its_own_is_measured_and_gone() {
    let webox = Webox::new();
    let json = webox.run(BRIEF.into_iter().chain(["-o", "json"])).ok().json();
    let daemon = &measured(&json)["daemon"];
    assert!(daemon["idle_kb"].as_u64().unwrap() > 1_000, "{daemon}");
    let left: Vec<_> = std::fs::read_dir(webox.home()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    webox.run(BRIEF).ok().prints("greeting").prints("P99").prints("a call;");
}

#[test]
fn a_limit_that_is_missed_is_a_failure() {
    let webox = Webox::new();
    let args = BRIEF.into_iter().chain(["--max-p99", "0ms"]);
    webox.run(args).code(1).says("1 answer in 100").prints("greeting");
    webox.run(["bench", "--url", "http://127.0.0.1:1"]).code(64).says("--number");
    webox.run(["bench", "--for", "soon"]).code(64);
}

#[test]
fn a_running_daemon_is_called_with_its_own_token() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let url = format!("http://{}", daemon.address);
    let args = || BRIEF.into_iter().chain(["--url", &url, "--number", NUMBER, "-o", "json"]);
    webox.run(args()).code(78).says("TWILIO_AUTH_TOKEN");
    let webox = webox.env("WEBOX_PUBLIC_URL", PUBLIC_URL);
    let known = webox.env("TWILIO_AUTH_TOKEN", TOKEN);
    let json = known.run(args()).ok().json();
    assert!(measured(&json)["daemon"].is_null(), "whose process it is is not known");
    assert_eq!(known.run(["calls", "-o", "ids"]).ok().stdout.lines().count(), 2);
    let stranger = known.env("TWILIO_AUTH_TOKEN", "another");
    let ran = stranger.run(args()).code(1).says("2 of 2 calls went wrong");
    assert!(ran.stdout.contains("not_taken"), "{}", ran.stdout);
}
