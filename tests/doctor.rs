//! `webox doctor`: each check beside a daemon that is well, and then made to fail for real.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::Value;
use webox::domain::CallStatus;

use crate::support::{
    cmd::{LE_GOURMET, Ran, Webox},
    daemon::{Daemon, NUMBER, TOKEN},
    fake_twilio::FakeTwilio,
    proxy::{Authority, Proxy},
    pty::OnTerminal,
    seed,
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

/// Everything that a call needs: an account, a proxy, a daemon behind it, an assistant.
struct World {
    twilio: FakeTwilio,
    proxy: Proxy,
    webox: Webox,
    daemon: Daemon,
}

impl World {
    fn new() -> Self {
        Self::with(Proxy::start(), Webox::with_le_gourmet(), &[])
    }

    fn with(proxy: Proxy, webox: Webox, flags: &[&str]) -> Self {
        let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
        twilio.wire(NUMBER, &proxy.url());
        let webox = webox
            .env("TWILIO_BASE_URL", twilio.url())
            .env("TWILIO_ACCOUNT_SID", ACCOUNT)
            .env("WEBOX_PUBLIC_URL", proxy.url());
        webox.run(["init"]).ok();
        let daemon = Daemon::start_as(&webox, "127.0.0.1:0", &proxy.url(), flags);
        proxy.pass_to(daemon.address);
        Self { twilio, proxy, webox, daemon }
    }

    /// Looks, with the daemon's token.
    fn look(&self, more: &[&str]) -> Found {
        self.look_with(TOKEN, more)
    }

    fn look_with(&self, token: &str, more: &[&str]) -> Found {
        let address = self.daemon.address.to_string();
        let args = ["doctor", "--listen", &address, "-o", "json"];
        let mut command = self.webox.command(args.into_iter().chain(more.iter().copied()));
        Found::of(command.env("TWILIO_AUTH_TOKEN", token).output().unwrap().into())
    }
}

/// What was found.
struct Found {
    code: i32,
    all: Value,
    stderr: String,
}

impl Found {
    fn of(ran: Ran) -> Self {
        Self { code: ran.code, all: ran.json(), stderr: ran.stderr }
    }

    /// On this machine alone, without a daemon.
    fn offline(webox: &Webox, only: &str) -> Self {
        Self::of(webox.run(["doctor", "--offline", "--only", only, "-o", "json"]))
    }

    fn checks(&self) -> Vec<&Value> {
        self.all["checks"].as_array().unwrap().iter().collect()
    }

    /// The check must be so, and say this.
    #[track_caller]
    fn is(&self, check: &str, status: &str, seen: &str) -> &Self {
        let (group, name) = check.split_once('/').unwrap();
        let of = |one: &&&Value| one["group"] == group && one["check"] == name;
        let checks = self.checks();
        let one = checks.iter().find(of).unwrap_or_else(|| panic!("no {check} in {}", self.all));
        assert_eq!(one["status"], status, "{one}");
        assert!(one["seen"].as_str().unwrap().contains(seen), "no `{seen}` in {one}");
        // What is not well says what to do.
        let to_do = one["to_do"].as_str().unwrap_or_default();
        assert_eq!(to_do.is_empty(), matches!(status, "ok" | "skipped"), "{one}");
        self
    }

    #[track_caller]
    fn code(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}\n{}", self.all, self.stderr);
        self
    }
}

#[test]
fn all_is_well_and_nothing_is_changed() {
    let authority = Authority::new(60);
    let webox = Webox::with_le_gourmet();
    let roots = webox.file("roots.pem", &authority.pem);
    let webox = webox.env("SSL_CERT_FILE", roots).env("TZ", "Europe/Paris");
    let world = World::with(Proxy::with_tls(authority.server), webox, &[]);
    let found = world.look(&[]);
    found.code(0);
    found.is("public/address", "ok", "leads to webox").is("public/certificate", "ok", "localhost");
    found.is("public/signature", "ok", "a forged one is refused").is("daemon/version", "ok", "");
    found.is("twilio/numbers", "ok", "1 number leads here").is(
        "clock/skew",
        "ok",
        "Twilio's clock",
    );
    // The disk, the limits and the programs that speak are those of the machine that the tests run on.
    let told: Vec<String> = found
        .checks()
        .iter()
        .filter(|one| !["files", "providers"].contains(&one["group"].as_str().unwrap()))
        .filter(|one| !["disk", "zones"].contains(&one["check"].as_str().unwrap()))
        .map(|one| ["group", "check", "status"].map(|key| one[key].as_str().unwrap()).join(" | "))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
    let keys: Vec<_> = found.checks()[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["check", "group", "seen", "status", "to_do", "took_ms"]);
    assert_eq!(found.all["format_version"], "1.0");
    assert_eq!(found.all["summary"]["problem"], 0);
    assert!(found.stderr.contains("0 problems"), "{}", found.stderr);
    // The request that went round left nothing behind.
    assert_eq!(world.webox.run(["calls", "-o", "ids"]).ok().stdout, "");
    let asked = world.twilio.asked();
    assert!(asked.iter().all(|(method, _, _)| method == "GET"), "{asked:?}");

    // The same for people, and in the other formats.
    let address = world.daemon.address.to_string();
    let webox = world.webox.env("TWILIO_AUTH_TOKEN", TOKEN);
    let mut terminal = OnTerminal::start(&webox, ["doctor", "--listen", &address]);
    terminal.see("store").see("integrity").see("public").see("quotas").see("0 problems");
    assert_eq!(terminal.end().0, 0);
    let only = ["doctor", "--listen", &address, "--only", "daemon,files", "--skip", "files", "-o"];
    let ids = webox.run(only.into_iter().chain(["ids"])).ok().stdout;
    assert_eq!(ids, "daemon/answers\ndaemon/ready\ndaemon/version\n");
    let line = webox.run(only.into_iter().chain(["tsv"])).ok().stdout;
    assert!(line.starts_with("daemon\tanswers\tok\tat 127.0.0.1:"), "{line}");
    let lines = webox.run(only.into_iter().chain(["jsonl"])).ok().stdout;
    assert_eq!(
        serde_json::from_str::<Value>(lines.lines().next().unwrap()).unwrap()["status"],
        "ok"
    );
}

#[test]
fn another_token_or_another_address_does_not_come_through() {
    let world = World::new();
    let found = world.look_with("another-token", &["--only", "public,twilio"]);
    found.code(1).is("public/signature", "problem", "[403]").is("twilio/account", "problem", "401");
    found.is("public/certificate", "warning", "over http");
    assert!(!found.all.to_string().contains("another-token"), "{}", found.all);
    // The daemon goes by another address than the one that is asked.
    let other = Proxy::start();
    other.pass_to(world.daemon.address);
    let found = world.look(&["--only", "public,twilio", "--public-url", &other.url()]);
    found.code(1).is("public/address", "ok", "").is("public/signature", "problem", "[403]");
    found.is(&format!("twilio/number {NUMBER}"), "problem", "a call leads to http://localhost");
    // One that the proxy does not take off.
    let below = format!("{}/webox", world.proxy.url());
    let found = world.look(&["--only", "public", "--public-url", &below]);
    found.code(1).is("public/address", "problem", "404");
    let found = Found::of(world.webox.run([
        "doctor",
        "--only",
        "public",
        "--public-url",
        &world.proxy.url(),
        "-o",
        "json",
    ]));
    found.code(1).is("public/signature", "problem", "no token");
}

#[test]
fn a_daemon_that_believes_everybody_is_told() {
    let proxy = Proxy::start();
    let world = World::with(proxy, Webox::with_le_gourmet(), &["--insecure-no-signature"]);
    world.look(&["--only", "public"]).code(1).is("public/signature", "problem", "forged");
}

#[test]
fn what_a_proxy_does_wrong_is_told_apart() {
    let world = World::new();
    for (answer, seen) in [
        ("502 Bad Gateway", "finds no daemon behind it (502)"),
        ("404 Not Found", "knows no webox (404)"),
        ("301 Moved Permanently\r\nlocation: https://www.example.com/", "sends elsewhere (301"),
        ("401 Unauthorized", "lets nobody in (401)"),
        ("200 OK", "no webox"),
    ] {
        world.proxy.answer(answer);
        let found = world.look(&["--only", "public"]);
        found.code(1).is("public/address", "problem", seen);
    }
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let closed = format!("http://{closed}");
    let found = world.look(&["--only", "public", "--public-url", &closed]);
    found.code(1).is("public/address", "problem", "nobody takes connections");
    let nowhere = ["--only", "public", "--public-url", "https://nowhere.invalid"];
    world.look(&nowhere).code(1).is("public/address", "problem", "");
    // TLS where there is none.
    let https = world.proxy.url().replace("http://", "https://");
    let found = world.look(&["--only", "public", "--public-url", &https]);
    found.code(1).is("public/address", "problem", "no certificate to be trusted");
}

#[test]
fn a_certificate_is_told_when_it_ends_and_when_it_ended() {
    let look = |days: i64, trusted: bool| {
        let authority = Authority::new(days);
        let webox = Webox::with_le_gourmet();
        let roots = if trusted { authority.pem } else { Authority::new(60).pem };
        let roots = webox.file("roots.pem", &roots);
        let webox = webox.env("SSL_CERT_FILE", roots);
        let world = World::with(Proxy::with_tls(authority.server), webox, &[]);
        world.look(&["--only", "public"])
    };
    let soon = look(10, true);
    soon.code(0).is("public/certificate", "warning", "10 days left");
    let over = look(-2, true);
    over.code(1).is("public/certificate", "problem", "expired on");
    over.is("public/address", "problem", "no certificate to be trusted");
    let strange = look(60, false);
    strange.code(1).is("public/address", "problem", "no certificate to be trusted");
    strange.is("public/signature", "skipped", "not reached");
}

#[test]
fn a_dead_network_holds_up_nothing() {
    let silent = Proxy::start();
    silent.fall_silent();
    let webox = Webox::with_le_gourmet()
        .env("TWILIO_BASE_URL", silent.url())
        .env("TWILIO_ACCOUNT_SID", ACCOUNT)
        .env("TWILIO_AUTH_TOKEN", TOKEN)
        .env("WEBOX_PUBLIC_URL", silent.url())
        .env("OPENAI_API_KEY", "sk-test")
        .env("OPENAI_BASE_URL", silent.url())
        .env("WEBOX_LISTEN", silent.address.to_string());
    let found = Found::of(webox.run(["doctor", "-o", "json"]));
    found.code(1).is("store/integrity", "ok", "").is("public/address", "problem", "in time");
    found.is("twilio/account", "problem", "could not be reached");
    found.is("providers/model openai", "problem", "timed").is(
        "daemon/answers",
        "problem",
        "not answer",
    );
    found.is("clock/skew", "skipped", "cannot be asked");
}

const PN: &str = "PN00000000000000000000000000000001";

#[test]
fn numbers_that_lead_elsewhere_are_told() {
    let world = World::new();
    let number = format!("twilio/number {NUMBER}");
    let look = || world.look(&["--only", "twilio"]);
    look().code(0);
    world.twilio.wire(NUMBER, "https://old.example.com");
    look().code(1).is(&number, "problem", "a call leads to https://old.example.com/");
    world.twilio.number(serde_json::json!({
        "sid": PN, "phone_number": NUMBER, "voice_url": format!("{}/api/voice/webhook/incoming", world.proxy.url()),
        "voice_method": "GET", "status_callback": "",
    }));
    let found = look();
    found.code(1).is(&number, "problem", "asked for with GET").is(
        &number,
        "problem",
        "leads nowhere",
    );
    world
        .twilio
        .number(serde_json::json!({ "sid": PN, "phone_number": NUMBER, "trunk_sid": "TK1" }));
    look().code(1).is(&number, "problem", "trunk TK1");
    world.webox.run(["assistants", "edit", "le-gourmet", "--phone", "+33123456780"]).ok();
    look().code(1).is("twilio/number +33123456780", "problem", "has no such number");
    // What is switched off need not ring.
    world.webox.run(["assistants", "disable", "le-gourmet"]).ok();
    look().code(0);
}

#[test]
fn a_daemon_that_is_not_there_is_told() {
    let world = World::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let look = |at: String| {
        Found::of(world.webox.run(["doctor", "--only", "daemon", "--listen", &at, "-o", "json"]))
    };
    look(closed.to_string()).code(1).is("daemon/answers", "problem", "nothing answers");
    // Twilio's double is a server, and no webox.
    let other = world.twilio.url().trim_start_matches("http://").to_owned();
    look(other).code(1).is("daemon/answers", "problem", "no webox");
}

#[test]
fn files_that_others_can_read_are_told() {
    let webox = Webox::with_le_gourmet();
    webox.run(["init"]).ok();
    let open = |path: &PathBuf| {
        std::fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    };
    let look = |only: &str| Found::offline(&webox, only);
    look("store,keys").code(0).is("store/permissions", "ok", "").is("keys/master key", "ok", "");
    open(&webox.db());
    look("store").code(1).is("store/permissions", "problem", "mode 0644");
    let key = webox.home().join("config/webox/master.key");
    open(&key);
    look("keys").code(1).is("keys/master key", "problem", "0644");
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let token = PathBuf::from(webox.file("token", TOKEN));
    webox.file("config/webox/webox.toml", "[twilio]\nauth_token = { file = \"../../token\" }\n");
    open(&token);
    let found = Found::offline(&webox, "keys");
    found.code(1).is("keys/twilio.auth_token", "problem", "mode 0644");
}

#[test]
fn a_long_log_is_told() {
    let webox = Webox::with_le_gourmet();
    let log = webox.db().with_file_name("webox.db-wal");
    for (mebibytes, status, code) in [(300, "warning", 0), (1_100, "problem", 1)] {
        // With holes: it takes no room.
        let file = std::fs::File::create(&log).unwrap();
        file.set_permissions(Permissions::from_mode(0o600)).unwrap();
        file.set_len(mebibytes * 1024 * 1024).unwrap();
        let found = Found::offline(&webox, "store");
        found.code(code).is("store/log", status, &format!("{mebibytes} MiB"));
        found.is("store/integrity", "ok", "");
    }
}

#[test]
fn a_database_that_is_not_as_it_must_be_is_told_and_left_alone() {
    let webox = Webox::new();
    Found::offline(&webox, "store").code(1).is("store/file", "problem", "there is no database");
    assert!(!webox.db().exists(), "looking makes none");
    // A folder is told of as one, and nobody is asked to close it to its own user.
    let folder = webox.home().to_str().unwrap().to_owned();
    let found = Found::of(webox.run([
        "--db",
        &folder,
        "doctor",
        "--offline",
        "--only",
        "store",
        "-o",
        "json",
    ]));
    found.code(1).is("store/file", "problem", "is no file");
    assert!(!found.all.to_string().contains("chmod"), "{}", found.all);

    let webox = Webox::with_le_gourmet();
    let set = |version: i64| {
        let file = rusqlite::Connection::open(webox.db()).unwrap();
        file.pragma_update(None, "user_version", version).unwrap();
    };
    let known = webox::store::SCHEMA_VERSION;
    set(known - 1);
    let before = std::fs::read(webox.db()).unwrap();
    let older = Found::offline(&webox, "store,assistants");
    older.code(0).is("store/file", "warning", &format!("schema {}", known - 1));
    older.is("assistants/database", "skipped", "see `store`");
    assert_eq!(std::fs::read(webox.db()).unwrap(), before, "it is not brought up to date");
    set(known + 1);
    Found::offline(&webox, "store").code(1).is("store/file", "problem", "newer webox");
    set(known);

    // Pages in the middle are overwritten with what is none.
    let mut bytes = std::fs::read(webox.db()).unwrap();
    let pages = bytes.len() / 4096;
    for page in (pages / 2)..(pages / 2 + 8) {
        bytes[page * 4096..page * 4096 + 64].fill(0xff);
    }
    std::fs::write(webox.db(), &bytes).unwrap();
    let broken = Found::offline(&webox, "store");
    let told = broken.code(1).all["checks"].to_string();
    assert!(told.contains("fault") || told.contains("is damaged"), "{told}");
    assert!(told.contains("restore a backup"), "{told}");
    let text = "this is no database, but some text that lies in its place\n".repeat(100);
    std::fs::write(webox.db(), text).unwrap();
    Found::offline(&webox, "store").code(1).is("store/file", "problem", "not a database");
}

#[test]
fn deep_looks_at_references_as_well() {
    let webox = Webox::with_le_gourmet();
    let deep = |webox: &Webox| {
        Found::of(webox.run(["doctor", "--offline", "--only", "store", "--deep", "-o", "json"]))
    };
    deep(&webox).code(0).is("store/integrity", "ok", "reference");
    seed::call(&webox, 1, 5, CallStatus::Completed);
    let file = rusqlite::Connection::open(webox.db()).unwrap();
    file.pragma_update(None, "foreign_keys", false).unwrap();
    file.execute("DELETE FROM assistants", []).unwrap();
    drop(file);
    deep(&webox).code(1).is("store/integrity", "problem", "refers to what is not in `assistants`");
}

#[test]
fn missing_variables_and_secrets_that_do_not_open_are_told() {
    let webox = Webox::with_le_gourmet().env("WEBOX_LISTN", "x");
    webox.file("config/webox/webox.toml", "[openai]\napi_key = { env = \"NO_SUCH_KEY\" }\n");
    let found = Found::offline(&webox, "settings");
    found.code(1).is("settings/openai.api_key", "problem", "NO_SUCH_KEY");
    found.is("settings/variables", "warning", "WEBOX_LISTEN");

    // Whoever keeps no secret needs no key yet.
    Found::offline(&webox, "keys").code(0).is("keys/master key", "warning", "no master key");
    webox.run(["init"]).ok();
    webox.run_with_stdin("sk-canary", ["secrets", "set", "acme"]).ok();
    let file = std::fs::read_to_string(LE_GOURMET).unwrap();
    let with = |reference: &str| {
        let file = file.replace("[ai]\n", &format!("[ai]\napi_key = {reference}\n"));
        let file = webox.file("le-gourmet.toml", &file);
        webox.run(["apply", "--yes", "--overwrite", &file]).ok();
    };
    with("{ secret = \"acme\" }");
    let found = Found::offline(&webox, "keys");
    found.code(0).is("keys/secrets", "ok", "1 kept secret opens").is(
        "keys/named",
        "ok",
        "1 secret",
    );
    with("{ env = \"NO_SUCH_VARIABLE\" }");
    let found = Found::offline(&webox, "keys");
    found.code(1).is("keys/le-gourmet ai.api_key", "problem", "NO_SUCH_VARIABLE");
    // Another key than the one that it was sealed with.
    let key = webox.home().join("config/webox/master.key");
    std::fs::write(&key, "0".repeat(64)).unwrap();
    let found = Found::offline(&webox, "keys");
    found.code(1).is("keys/secret acme", "problem", "sealed with the master key");
    assert!(!found.all.to_string().contains("sk-canary"), "{}", found.all);
    std::fs::remove_file(&key).unwrap();
    let found = Found::offline(&webox, "keys");
    found.code(1).is("keys/master key", "problem", "no master key");
    assert!(
        !found.all.to_string().contains("webox init"),
        "a new one opens nothing: {}",
        found.all
    );

    let broken = Webox::new();
    broken.file("config/webox/webox.toml", "lisen = 3\n");
    let found = Found::of(broken.run(["doctor", "-o", "json"]));
    found.code(1).is("settings/file", "problem", "unknown key `lisen`");
    found.is("store/all", "skipped", "the settings come first");

    let untrusted = Webox::new();
    let account = "[twilio]\naccount_sid = \"AC00000000000000000000000000000001\"\n";
    untrusted.file("config/webox/webox.toml", account);
    let found = Found::of(untrusted.run(["doctor", "--only", "twilio", "-o", "json"]));
    found.code(1).is("twilio/account", "problem", "no auth token is set for AC0");
    let empty = Webox::new();
    let found = Found::of(empty.run(["doctor", "--only", "backups", "-o", "json"]));
    found.code(0).is("backups/newest", "skipped", "no place for backups is set");
    empty.file("empty.db", "");
    let found =
        Found::of(empty.run(["doctor", "--only", "store", "--db", "empty.db", "-o", "json"]));
    found.code(1).is("store/file", "problem", "there is no database");
}

#[test]
fn a_backup_that_is_overdue_is_told() {
    let webox = Webox::with_le_gourmet();
    let settings = "[backup]\nto = \"backups\"\n";
    webox.file("config/webox/webox.toml", settings);
    let look = || Found::offline(&webox, "backups");
    look().code(0).is("backups/newest", "warning", "there is no backup yet");
    let old = "config/webox/backups/webox-2020-01-01T00-00-00Z.tar.zst.age";
    webox.file(old, "old");
    look().code(0).is("backups/newest", "warning", "webox-2020-01-01");
    let often = format!("{settings}every = \"6h\"\n");
    webox.file("config/webox/webox.toml", &often.replace("backups", "elsewhere"));
    look().code(1).is("backups/newest", "problem", "there is no backup yet");
    webox.file("config/webox/webox.toml", "[backup]\nto = \"s3://calls\"\n");
    look().code(1).is("backups/newest", "problem", "`backup.access_key` is not set");
    webox.file("config/webox/webox.toml", &often);
    look().code(1).is("backups/newest", "problem", "one is to be made every 6h");
    webox.run(["init"]).ok();
    webox.run(["backup", "create"]).ok();
    look().code(0).is("backups/newest", "ok", "0 h old");
    webox.file("config/webox/webox.toml", "[backup]\nto = \"backups/none.txt/x\"\n");
    webox.file("config/webox/backups/none.txt", "a file");
    look().code(1).is("backups/newest", "problem", "none.txt");
}

#[test]
fn a_clock_that_is_wrong_is_told() {
    let twilio = Proxy::start();
    let webox = Webox::with_le_gourmet().env("TWILIO_BASE_URL", twilio.url());
    let look = || Found::of(webox.run(["doctor", "--only", "clock", "-o", "json"]));
    twilio.answer("404 Not Found\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT");
    look().code(1).is("clock/skew", "problem", "ahead of Twilio's clock");
    let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(30);
    let ahead = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&ahead);
    twilio.answer(&format!("404 Not Found\r\ndate: {}", ahead.unwrap()));
    look().code(0).is("clock/skew", "warning", "behind Twilio's clock");
    twilio.answer("404 Not Found");
    look().code(0).is("clock/skew", "skipped", "does not tell the time");
}

#[test]
fn providers_that_fail_or_lack_a_key_are_told() {
    let refuses = Proxy::start();
    refuses.answer("401 Unauthorized");
    let webox = Webox::with_le_gourmet()
        .env("OPENAI_API_KEY", "sk-canary")
        .env("OPENAI_BASE_URL", refuses.url());
    webox.run(["assistants", "edit", "le-gourmet", "--model", "anthropic/claude-haiku-5-5"]).ok();
    let found = Found::of(webox.run(["doctor", "--only", "providers", "-o", "json"]));
    found.code(1).is("providers/model openai", "problem", "gpt-6-luna");
    found.is("providers/key anthropic/claude-haiku-5-5", "problem", "le-gourmet cannot ask");
    let one = found.checks()[0];
    assert!(one["took_ms"].is_u64(), "{one}");
    assert!(!found.all.to_string().contains("sk-canary"), "{}", found.all);
    let skipped = Found::offline(&webox, "providers");
    skipped.code(0).is("providers/network", "skipped", "--offline");
}

#[test]
fn assistants_that_do_not_say_what_they_are_and_plans_that_are_used_up_are_told() {
    let webox = Webox::new();
    Found::offline(&webox, "assistants").code(0).is("assistants/database", "skipped", "");
    webox.run(["init"]).ok();
    Found::offline(&webox, "assistants").code(0).is("assistants/assistants", "warning", "nobody");
    let file = std::fs::read_to_string(LE_GOURMET).unwrap();
    let why = "[compliance]\nannounce_ai = false\nno_announcement_because = \"a test line\"\n";
    let own = format!("{file}\n{why}");
    let file = webox.file("le-gourmet.toml", &own);
    webox.run(["apply", "--yes", &file]).ok();
    let found = Found::offline(&webox, "assistants");
    found.code(0).is("assistants/le-gourmet disclosure", "warning", "a test line");
    let strict = ["doctor", "--offline", "--only", "assistants", "--strict"];
    webox.run(strict).code(1);

    let plans = "[plans.five]\ncalls = 5\nat_limit = \"block\"\n\n\
                 [clients.\"Restaurant Le Gourmet\"]\nplan = \"five\"\nstart = 2020-01-01\n";
    // Plans stand beside the settings.
    webox.file("config/webox/webox.toml", "");
    webox.file("config/webox/billing.toml", plans);
    Found::offline(&webox, "quotas").code(0).is("quotas/plans", "ok", "1 assistant");
    let store = seed::store(&webox);
    for n in 1..=4 {
        seed::call_at(&store, n, jiff::Timestamp::now(), CallStatus::Completed);
    }
    let near = Found::offline(&webox, "quotas");
    near.code(0).is("quotas/le-gourmet calls", "warning", "4 of the 5 calls");
    seed::call_at(&store, 5, jiff::Timestamp::now(), CallStatus::Completed);
    let over = Found::offline(&webox, "quotas");
    over.code(1).is("quotas/le-gourmet calls", "problem", "5 of the 5 calls");
}

#[test]
fn wrong_flags_are_wrong() {
    let webox = Webox::new();
    webox.run(["doctor", "--only", "stor"]).code(64).says("stor");
    webox.run(["doctor", "--server", "https://webox.example.com"]).code(64).says("asks no daemon");
    webox.run(["doctor", "--listen", "x"]).code(64).says("--listen");
}
