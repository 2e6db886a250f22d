//! Recordings that are heard: through the API and the terminal, from Twilio and from a folder of ours.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, TOKEN, sid},
    fake_twilio::{FakeTwilio, sound},
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const OWNER: &str = "owner@agence.fr";
const OTHER: &str = "other@agence.fr";

fn recording(n: u32) -> String {
    format!("RE{n:032x}")
}

/// Le Gourmet, an owner's, whose callers are told that they are recorded.
fn le_gourmet(twilio: &FakeTwilio, folder: Option<&Path>) -> Webox {
    let mut webox =
        Webox::new().env("TWILIO_BASE_URL", twilio.url()).env("TWILIO_AUTH_TOKEN", TOKEN);
    if let Some(folder) = folder {
        webox = webox.env("WEBOX_RECORDINGS_FOLDER", folder.to_str().unwrap());
    }
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let section = "[compliance]\nrecording = \"announce\"\n";
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{section}"));
    webox.run(["apply", "--yes", &file]).ok();
    for user in [OWNER, OTHER] {
        webox.run(["users", "add", user, "--role", "member"]).ok();
    }
    webox.run(["assistants", "give", "le-gourmet", "--to", OWNER]).ok();
    webox
}

fn key(webox: &Webox, user: &str) -> String {
    let made = webox.run(["tokens", "create", "--user", user, "--name", "t", "--scope", "read"]);
    made.ok().stdout.trim().to_owned()
}

/// A call that is recorded.
async fn recorded(daemon: &Daemon, twilio: &FakeTwilio, n: u32) {
    daemon.ring(&sid(n)).await;
    daemon.say(&sid(n), 1, "Avez-vous un parking ?").await;
    daemon.hang_up(&sid(n), 30).await;
    twilio.keep(&recording(n));
    let address =
        format!("https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Recordings/{}", recording(n));
    let fields = [
        ("AccountSid", ACCOUNT),
        ("RecordingSid", &recording(n)),
        ("RecordingUrl", &address),
        ("RecordingStatus", "completed"),
        ("RecordingDuration", "12"),
    ];
    let route = format!("recording?call_sid={}", sid(n));
    assert_eq!(daemon.post(&route, &sid(n), &fields).await.status, 204);
}

async fn get(daemon: &Daemon, key: &str, n: u32, range: Option<&str>) -> (u16, Vec<u8>, String) {
    let url = format!("http://{}/api/voice/calls/{}/recording", daemon.address, sid(n));
    let asked = reqwest::Client::new().get(url).bearer_auth(key);
    let asked = range.into_iter().fold(asked, |asked, range| asked.header("range", range));
    let response = asked.send().await.unwrap();
    let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
    (response.status().as_u16(), response.bytes().await.unwrap().to_vec(), kind)
}

/// Waits until something holds.
#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_a_call_may_hear_it() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = le_gourmet(&twilio, None);
    let daemon = Daemon::start(&webox);
    let (owner, other) = (key(&webox, OWNER), key(&webox, OTHER));
    recorded(&daemon, &twilio, 1).await;
    daemon.ring(&sid(2)).await;
    let whole = sound(&recording(1));
    let heard = get(&daemon, &owner, 1, None).await;
    assert_eq!(heard, (200, whole.clone(), "audio/mpeg".to_owned()));
    let part = get(&daemon, &owner, 1, Some("bytes=4-37")).await;
    assert_eq!((part.0, part.1), (206, whole[4..=37].to_vec()));
    assert_eq!(get(&daemon, &other, 1, None).await.0, 404, "of another's assistant");
    assert_eq!(get(&daemon, "webox_nobody", 1, None).await.0, 401);
    let (status, body, kind) = get(&daemon, &owner, 2, None).await;
    assert_eq!((status, kind.as_str()), (404, "application/problem+json"));
    assert!(String::from_utf8(body).unwrap().contains("there is no recording"));

    // On the terminal, at the store and by way of the daemon.
    let file = webox.home().join("appel.mp3");
    let name = file.to_str().unwrap();
    let call = sid(1);
    webox.run(["calls", "recording", call.as_str(), "--save", name]).ok().says("KiB");
    assert_eq!(std::fs::read(&file).unwrap(), whole);
    webox.run(["calls", "recording", call.as_str(), "--save", name]).code(65).says("--force");
    let far = format!("http://{}", daemon.address);
    let there = Webox::new().env("WEBOX_SERVER", far).env("WEBOX_TOKEN", owner.clone());
    let piped = there.run(["calls", "recording", call.as_str(), "--save", "-"]).ok();
    assert_eq!(piped.stdout.as_bytes(), whole);
    webox.run(["calls", "recording", call.as_str()]).code(64).says("--play");
    webox.run(["calls", "recording", sid(2).as_str(), "--save", "-"]).code(1).says("no recording");
    // Somebody deleted it at Twilio; somebody else has the token.
    let gone = FakeTwilio::start(ACCOUNT, TOKEN);
    let elsewhere = webox.env("TWILIO_BASE_URL", gone.url());
    elsewhere
        .run(["calls", "recording", call.as_str(), "--save", "-"])
        .code(1)
        .says("does not have the recording any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn recordings_are_fetched_and_forgotten_here_too() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("recordings");
    let webox = le_gourmet(&twilio, Some(&folder));
    twilio.fail(&[503]);
    let daemon = Daemon::start(&webox);
    let owner = key(&webox, OWNER);
    recorded(&daemon, &twilio, 1).await;
    recorded(&daemon, &twilio, 2).await;
    let file = |n: u32| folder.join(format!("{}.mp3", recording(n)));
    until("both are here", || file(1).exists() && file(2).exists());
    until("Twilio keeps none", || twilio.recordings().is_empty());
    let whole = sound(&recording(1));
    assert_eq!(std::fs::read(file(1)).unwrap(), whole);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(file(1)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
    assert_eq!(get(&daemon, &owner, 1, None).await.1, whole);
    let part = get(&daemon, &owner, 1, Some("bytes=-5")).await;
    assert_eq!((part.0, part.1), (206, whole[whole.len() - 5..].to_vec()));
    let saved = webox.run(["calls", "recording", sid(2).as_str(), "--save", "-"]).ok();
    assert_eq!(saved.stdout.as_bytes(), sound(&recording(2)));
    // Found again after a restart, and forgotten with the caller.
    drop(daemon);
    let daemon = Daemon::start(&webox);
    assert_eq!(get(&daemon, &owner, 1, None).await.1, whole);
    webox.run(["privacy", "erase", "--caller", crate::support::daemon::CALLER, "--yes"]).ok();
    assert_eq!(get(&daemon, &owner, 1, None).await.0, 404);
    until("the files are gone", || !file(1).exists() && !file(2).exists());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing else lies there");
}
