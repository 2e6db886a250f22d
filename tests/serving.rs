//! Running it: what systemd hands over and is told, settings that are read anew, and stopping while
//! calls are live.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use webox::{domain::CallStatus, rehearsal::relayed::RelayedCall, twilio::reader::Verb};

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon, NUMBER, TOKEN, hangs_up, sid, spoken, twilio_at, verbs},
    fake_twilio::FakeTwilio,
    seed,
    systemd::{handed_over, handed_over_as},
};

/// What systemd hears.
struct Notified {
    path: PathBuf,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Notified {
    fn listen(webox: &Webox) -> Self {
        let path = webox.home().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            let mut message = [0; 4096];
            while let Ok(read) = socket.recv(&mut message) {
                let text = String::from_utf8_lossy(&message[..read]).into_owned();
                kept.lock().unwrap().extend(text.lines().map(str::to_owned));
            }
        });
        Self { path, heard }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn count(&self, line: &str) -> usize {
        self.heard.lock().unwrap().iter().filter(|heard| heard.starts_with(line)).count()
    }

    #[track_caller]
    fn until(&self, line: &str, times: usize) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.count(line) < times {
            let heard = self.heard.lock().unwrap().clone();
            assert!(Instant::now() < deadline, "no `{line}` in {heard:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

async fn status(daemon: &Daemon, path: &str) -> u16 {
    reqwest::get(format!("http://{}{path}", daemon.address)).await.unwrap().status().as_u16()
}

async fn until_status(daemon: &Daemon, path: &str, wanted: u16) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while status(daemon, path).await != wanted {
        assert!(Instant::now() < deadline, "{path} never answers {wanted}: {:#?}", daemon.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_on_the_same_socket_turns_nobody_away() {
    let webox = Webox::with_le_gourmet();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Wherever it would listen otherwise, nobody looks.
    let command = || handed_over(&listener, &Daemon::command(&webox, &["--listen", "127.0.0.1:1"]));
    let mut daemon = Daemon::spawned(command());
    assert_eq!(daemon.address, address);
    let done = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..8_u32)
        .map(|n| {
            let (done, answered) = (Arc::clone(&done), Arc::clone(&answered));
            // Each keeps a connection of its own: of a request that finds it closed, one repetition is
            // enough.
            let twilio = twilio_at(address);
            tokio::spawn(async move {
                let to = NUMBER.parse().unwrap();
                for round in 0.. {
                    if done.load(Ordering::Relaxed) {
                        return;
                    }
                    // A connection each, as if every caller were new.
                    let alive = reqwest::get(format!("http://{address}/healthz")).await;
                    assert_eq!(alive.expect("nobody is turned away").status(), 200);
                    let fields = twilio.fields(&sid(1_000 * n + round), CALLER, &to, "ringing");
                    let answer = twilio.post("/api/voice/webhook/incoming", fields).await.unwrap();
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    assert!(!verbs(&answer).is_empty());
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let more_than = |n: usize| {
        let answered = Arc::clone(&answered);
        async move {
            let until = answered.load(Ordering::Relaxed) + n;
            while answered.load(Ordering::Relaxed) < until {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    };
    for _ in 0..4 {
        tokio::time::timeout(Duration::from_mins(1), more_than(16)).await.expect("calls are taken");
        let ended = tokio::task::block_in_place(|| daemon.terminate());
        assert_eq!(ended, Some(0));
        daemon = tokio::task::block_in_place(|| Daemon::spawned(command()));
    }
    tokio::time::timeout(Duration::from_mins(1), more_than(16)).await.expect("calls are taken");
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.expect("every request is answered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_for_proofs_that_are_not_asked_for_is_answered_and_told() {
    let webox = Webox::with_le_gourmet();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let command = Daemon::command(&webox, &["--listen", "127.0.0.1:0"]);
    let daemon = Daemon::spawned(handed_over_as("http", &listener, &command));
    daemon.logged("a socket for proofs over HTTP was handed over, and none are asked for");
    let knocked = format!("http://{}/index.html", listener.local_addr().unwrap());
    assert_eq!(reqwest::get(knocked).await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_told_when_it_is_ready_well_and_stopping() {
    let webox = Webox::with_le_gourmet();
    let notified = Notified::listen(&webox);
    let mut command = Daemon::command(&webox, &["--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", notified.path()).env("WATCHDOG_USEC", "300000");
    let daemon = Daemon::spawned(command);
    notified.until("READY=1", 1);
    notified.until("WATCHDOG=1", 3);

    // Nothing can be written: it is not well.
    let other = rusqlite::Connection::open(webox.db()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    daemon.logged("the store's writer does not answer");
    other.execute_batch("COMMIT").unwrap();
    let before = notified.count("WATCHDOG=1");
    notified.until("WATCHDOG=1", before + 2);

    daemon.signal("HUP");
    notified.until("RELOADING=1", 1);
    notified.until("MONOTONIC_USEC=", 1);
    notified.until("READY=1", 2);
    assert_eq!(notified.count("STOPPING=1"), 0);
    assert_eq!(tokio::task::block_in_place(|| daemon.terminate()), Some(0));
    notified.until("STOPPING=1", 1);
    notified.until("EXTEND_TIMEOUT_USEC=", 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_anew_and_a_broken_file_changes_nothing() {
    let webox = Webox::with_le_gourmet();
    let path = "config/webox/webox.toml";
    let zone = "[alerts]\ntimezone = \"Asia/Tokyo\"\n";
    webox.file(path, &format!("log = \"warn,webox=info\"\n{zone}"));
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let listen = "listen = \"127.0.0.1:1\"\n";
    webox.file(
        path,
        &format!("log = \"webox=debug\"\npublic_url = \"https://x.example\"\n{listen}{zone}"),
    );
    daemon.signal("HUP");
    let told = daemon.logged("the settings were read anew");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["taken_over"], "log");
    // The address and what Twilio knows us by come from flags, which come first.
    assert_eq!(told["needs_restart"], "nothing");

    webox.file(path, "lgo = \"info\"\n");
    daemon.signal("HUP");
    let told = daemon.logged("those in force stay");
    assert!(told.contains("unknown key `lgo`"), "{told}");

    std::fs::remove_file(webox.home().join(path)).unwrap();
    daemon.signal("HUP");
    let told = daemon.logged("are gone");
    assert!(told.contains("webox.toml") && told.contains("put the file back"), "{told}");

    // What is taken out is a change as well.
    webox.file(path, "log = \"webox=debug\"\n");
    daemon.signal("HUP");
    daemon.logged("needs_restart\":\"alerts.timezone");
    // Named as it is written, and nothing that nobody wrote.
    let backup = "[backup]\nto = \"backups\"\nevery = \"6h\"\n";
    webox.file(path, &format!("log = \"webox=debug\"\n{zone}{backup}"));
    daemon.signal("HUP");
    let told = daemon.logged("needs_restart\":\"backup");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["needs_restart"], "backup.every, backup.to");

    let more = "[sounds]\nmax_mib = 3\n[limits]\ncalls_to_a_number = 1\n[server]\ndrain = \"3s\"\n";
    webox.file(path, &format!("log = \"webox=info\"\n{zone}{more}"));
    daemon.signal("HUP");
    let told = daemon.logged("needs_restart\":\"sounds.max_mib\"");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["taken_over"], "limits.calls_to_a_number, log, server.drain");
    daemon.ring(&sid(2)).await;
    assert!(hangs_up(&daemon.ring(&sid(3)).await), "one call a minute to a number");
    // What waits for a restart still waits.
    daemon.signal("HUP");
    let deadline = Instant::now() + Duration::from_secs(30);
    while daemon.log().iter().filter(|line| line.contains("read anew")).count() < 5 {
        assert!(Instant::now() < deadline, "{:#?}", daemon.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let last = daemon.log().into_iter().rfind(|line| line.contains("read anew")).unwrap();
    assert!(
        last.contains("\"taken_over\":\"nothing\"") && last.contains("sounds.max_mib"),
        "{last}"
    );
    let answer = daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    assert!(spoken(&answer).contains("parking"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_of_twilios_is_believed_without_a_restart() {
    let webox = Webox::with_le_gourmet();
    let token = webox.file("token", "another");
    let mut command = Daemon::command(&webox, &["--listen", "127.0.0.1:0"]);
    command.env_remove("TWILIO_AUTH_TOKEN").env("TWILIO_AUTH_TOKEN_FILE", &token);
    let daemon = Daemon::spawned(command);
    assert_eq!(daemon.ring(&sid(1)).await.status, 403);
    webox.file("token", &format!("another,{TOKEN}"));
    daemon.signal("HUP");
    let told = daemon.logged("the settings were read anew");
    assert!(told.contains("\"taken_over\":\"twilio.auth_token\""), "{told}");
    assert!(!spoken(&daemon.ring(&sid(1)).await).is_empty());
}

#[test]
fn a_new_token_of_twilios_is_asked_with_without_a_restart() {
    let account = format!("AC{:032x}", 1);
    let twilio = FakeTwilio::start(&account, TOKEN);
    let webox = Webox::with_le_gourmet()
        .env("TWILIO_BASE_URL", twilio.url())
        .env("TWILIO_ACCOUNT_SID", &account);
    seed::call(&webox, 1, 30, CallStatus::Completed);
    let token = webox.file("token", "another");
    let mut command = Daemon::command(&webox, &["--listen", "127.0.0.1:0"]);
    command.env_remove("TWILIO_AUTH_TOKEN").env("TWILIO_AUTH_TOKEN_FILE", &token);
    let daemon = Daemon::spawned(command);
    webox.file("token", TOKEN);
    daemon.signal("HUP");
    let told = daemon.logged("the settings were read anew");
    assert!(told.contains("\"taken_over\":\"twilio.auth_token\""), "{told}");
    assert!(told.contains("\"needs_restart\":\"nothing\""), "{told}");
    webox.run(["privacy", "erase", "--call", &seed::sid(1), "--yes"]).ok();
    daemon.logged("Twilio removed what it was asked to");
    twilio.was_asked("DELETE", &format!("Calls/{}.json", seed::sid(1)), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_told() {
    let webox = Webox::new();
    let daemon = Daemon::start(&webox);
    daemon.logged("a new one was begun");
    assert_eq!(status(&daemon, "/readyz").await, 200);
    let away = webox.db().with_file_name("away.db");
    std::fs::rename(webox.db(), &away).unwrap();
    until_status(&daemon, "/readyz", 503).await;
    daemon.logged("was moved away");
    std::fs::rename(&away, webox.db()).unwrap();
    until_status(&daemon, "/readyz", 200).await;
    drop(daemon);
    let again = Daemon::start(&webox);
    assert!(!again.log().iter().any(|line| line.contains("a new one was begun")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_promised_in_a_database_that_was_exchanged() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let away = webox.db().with_file_name("away.db");
    std::fs::rename(webox.db(), &away).unwrap();
    std::fs::copy(&away, webox.db()).unwrap();
    // Nobody would find it again: the caller is not told that there is a table.
    let answer = daemon.ring(&sid(7)).await;
    assert_eq!(answer.status, 200);
    daemon.logged("was moved away or exchanged: put it back, or start webox anew");
    let answer = daemon.say(&sid(7), 1, "Une table pour deux demain à 20 heures").await;
    assert!(!spoken(&answer).contains("réservé"), "{}", answer.body);
    std::fs::rename(&away, webox.db()).unwrap();
    until_status(&daemon, "/readyz", 200).await;
    assert_eq!(webox.run(["calls", "-o", "ids"]).ok().stdout, "");
    daemon.ring(&sid(8)).await;
    assert_eq!(webox.run(["calls", "-o", "ids"]).ok().stdout.trim(), sid(8).as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_asks_whether_it_is_ready_has_the_store_written_twice_a_second() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let looker = rusqlite::Connection::open(webox.db()).unwrap();
    let version =
        || looker.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)).unwrap();
    let (begun, mut seen, mut written) = (Instant::now(), version(), 0);
    for _ in 0..60 {
        assert_eq!(status(&daemon, "/readyz").await, 200);
        let now = version();
        written += u32::from(now != seen);
        seen = now;
    }
    // The daemon writes for itself as well, now and then.
    let most = 10 + begun.elapsed().as_millis() / 500;
    assert!((1..=most).contains(&written.into()), "{written} of at most {most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn live_calls_end_before_a_daemon_that_drains() {
    let webox = Webox::with_le_gourmet();
    let mut daemon = Daemon::start_with(&webox, &["--listen", "127.0.0.1:0", "--drain"]);
    daemon.ring(&sid(1)).await;
    assert_eq!(status(&daemon, "/readyz").await, 200);
    daemon.signal("TERM");
    until_status(&daemon, "/readyz", 503).await;
    let address = daemon.address.to_string();
    let look = ["doctor", "--only", "daemon", "--listen", &address, "-o", "json"];
    let found = tokio::task::block_in_place(|| webox.run(look)).ok().json();
    assert!(found["checks"][1]["seen"].as_str().unwrap().contains("it is stopping"), "{found}");

    // A new call goes on ringing, and comes back.
    let answer = daemon.ring(&sid(2)).await;
    let [Verb::Pause(4), Verb::Redirect(back)] = &verbs(&answer)[..] else {
        panic!("it should ring on: {}", answer.body)
    };
    let route = back.split("/webhook/").nth(1).unwrap();
    assert_eq!(route, format!("incoming?call_sid={}&later=1", sid(2)));
    // One that has rung for twenty seconds is taken rather than lost.
    let last = route.replace("later=1", "later=5");
    let answer = daemon.post(&last, &sid(2), &[("CallStatus", "ringing")]).await;
    assert!(spoken(&answer).contains("Le Gourmet"), "{}", answer.body);
    daemon.hang_up(&sid(2), 3).await;

    // The one that was live goes on as if nothing were.
    let answer = daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    assert!(spoken(&answer).contains("parking"), "{}", answer.body);
    assert!(daemon.is_running());
    daemon.hang_up(&sid(1), 30).await;
    assert_eq!(tokio::task::block_in_place(|| daemon.stopped()), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_ends_when_it_takes_too_long_or_at_a_second_signal() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start_with(&webox, &["--listen", "127.0.0.1:0", "--drain", "1s"]);
    daemon.ring(&sid(1)).await;
    daemon.signal("TERM");
    daemon.logged("the time for live calls is over");
    assert_eq!(tokio::task::block_in_place(|| daemon.stopped()), Some(0));

    let daemon = Daemon::start_with(&webox, &["--listen", "127.0.0.1:0", "--drain", "1h"]);
    let answer = daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    assert!(spoken(&answer).contains("parking"), "the next process goes on: {}", answer.body);
    daemon.signal("TERM");
    until_status(&daemon, "/readyz", 503).await;
    daemon.signal("TERM");
    assert_eq!(tokio::task::block_in_place(|| daemon.stopped()), Some(130));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_socket_goes_on_with_the_next_process() {
    let webox = Webox::with_le_gourmet_always_open();
    let exported = webox.run(["export", "le-gourmet"]).ok();
    let mut file: toml::Table = toml::from_str(&exported.stdout).unwrap();
    file.extend(
        "[voice]\nline = \"relay\"\nlanguage = \"fr-FR\"\n".parse::<toml::Table>().unwrap(),
    );
    let file = webox.file("le-gourmet.toml", &toml::to_string(&file).unwrap());
    webox.run(["apply", &file, "--yes"]).ok();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let command = || handed_over(&listener, &Daemon::command(&webox, &[]));
    let daemon = Daemon::spawned(command());
    let twilio = daemon.twilio.clone();
    let (mut call, _) =
        RelayedCall::place(&twilio, CALLER, &NUMBER.parse().unwrap()).await.unwrap();
    call.listen().await.unwrap();
    call.say("Une table pour quatre demain à vingt heures").await.unwrap();

    let restarted = tokio::task::spawn_blocking({
        let command = command();
        move || {
            let ended = daemon.terminate();
            (ended, Daemon::spawned(command))
        }
    });
    // Twilio finds its socket closed, and asks what is next: the next process, when it is there.
    let back = call.wait(Duration::from_secs(20)).await.unwrap();
    let (ended, next) = restarted.await.unwrap();
    assert_eq!(ended, Some(0));
    assert!(call.is_relayed(), "another socket: {back:?}\n{:#?}", next.log());
    let excuse = call.listen().await.unwrap();
    assert!(excuse.text.contains("coupés"), "{excuse:?}");
    let answer = call.say("Au nom de Dupont").await.unwrap();
    assert!(answer.text.contains("Dupont") || answer.text.contains("confirm"), "{answer:?}");
    assert!(call.failures().is_empty(), "{:?}", call.failures());
}

/// The lines of a unit, by their keys.
fn unit(name: &str) -> BTreeMap<String, Vec<String>> {
    let path = packaging().join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        keys.entry(key.to_owned()).or_default().push(value.to_owned());
    }
    keys
}

fn packaging() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd")
}

/// A command of this machine; nothing, and a word of it, where it is not there.
fn tool(name: &str, package: &str) -> Option<Command> {
    let there = ["/usr/bin", "/usr/sbin", "/bin"].iter().map(|at| Path::new(at).join(name));
    let found = there.into_iter().find(|path| path.exists());
    if found.is_none() {
        eprintln!("passed over: there is no {name} (Debian: {package})");
    }
    found.map(Command::new)
}

#[test]
fn the_unit_gives_webox_no_right_that_it_does_not_need() {
    let service = unit("webox.service");
    assert_eq!(service["Type"], ["notify"]);
    // Each secret that webox reads from systemd's credentials is one that the unit hands over.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(root.join("src/config/secrets.rs")).unwrap();
    let named = source.lines().filter_map(|line| line.trim().strip_prefix("credential: \""));
    let mut secrets: Vec<&str> = named.filter_map(|rest| rest.strip_suffix("\",")).collect();
    // A key for another machine's daemon is not a daemon's.
    secrets.retain(|secret| *secret != "webox-token");
    secrets.push("webox-master-key");
    assert!(secrets.len() > 10, "{secrets:?}");
    let postrm = std::fs::read_to_string(packaging().join("../debian/postrm")).unwrap();
    for secret in secrets {
        assert!(postrm.contains(secret), "not told of when the package is purged: {secret}");
        assert!(service["LoadCredential"].iter().any(|it| it == secret), "{secret}");
    }
    // A telephone is tried again however often it failed.
    assert_eq!(service["StartLimitIntervalSec"], ["0"]);
    let Some(mut analyze) = tool("systemd-analyze", "systemd") else { return };
    let ran = analyze
        .args(["security", "--offline=true", "--no-pager", "--threshold=20"])
        .arg(packaging().join("webox.service"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(told.contains("Overall exposure level"), "{told}");
}

#[test]
fn an_upgrade_of_the_package_leaves_the_sockets_open() {
    let packaged = |name: &str| {
        let debian = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/debian");
        std::fs::read_to_string(debian.join(name)).unwrap()
    };
    let restarts: Vec<String> = packaged("postinst")
        .lines()
        .filter(|line| line.contains("restart "))
        .map(|line| line.trim().to_owned())
        .collect();
    assert_eq!(restarts, ["deb-systemd-invoke try-restart webox.service >/dev/null || true"]);
    // cargo-deb would put its own care for units here, which restarts the sockets as well.
    for script in ["postinst", "prerm", "postrm"] {
        assert!(!packaged(script).contains("#DEBHELPER#"), "{script}");
    }
    let manifest = std::fs::read_to_string(packaging().join("../../Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    assert!(deb.get("systemd-units").is_none());
    let assets: Vec<&str> =
        deb["assets"].as_array().unwrap().iter().filter_map(|it| it[0].as_str()).collect();
    for unit in ["webox.service", "webox.socket", "webox-http.socket"] {
        assert!(assets.contains(&format!("packaging/systemd/{unit}").as_str()), "{unit}");
    }
}

#[test]
fn the_examples_of_proxies_are_taken_by_them() {
    let proxy = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/proxy");
    let scratch = tempfile::tempdir().unwrap();
    if let Some(mut caddy) = tool("caddy", "caddy") {
        let ran = caddy
            .args(["validate", "--adapter", "caddyfile", "--config"])
            .arg(proxy.join("Caddyfile"))
            .env("HOME", scratch.path())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    if let Some(mut nginx) = tool("nginx", "nginx-light") {
        // The example is a part of nginx's own file, and its certificate is somebody's.
        let authority = crate::support::authority::Authority::new();
        let (chain, key) = authority.pair(&["calls.example.com"]);
        let at = |name: &str, text: &str| {
            let path = scratch.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (chain, key) = (at("chain.pem", &chain), at("key.pem", &key));
        let example = std::fs::read_to_string(proxy.join("nginx.conf")).unwrap();
        let example = example
            .replace("/etc/letsencrypt/live/calls.example.com/fullchain.pem", &chain)
            .replace("/etc/letsencrypt/live/calls.example.com/privkey.pem", &key)
            .replace("listen 443", "listen 127.0.0.1:44399")
            .replace("listen [::]:443", "listen [::1]:44399");
        let example = at("webox.conf", &example);
        let scratch = scratch.path().display();
        let whole = at(
            "nginx.conf",
            &format!("pid {scratch}/pid;\nevents {{}}\nhttp {{ include {example}; }}\n"),
        );
        let errors = format!("{scratch}/errors");
        let ran = nginx.args(["-t", "-c", &whole, "-e", &errors]).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
}
