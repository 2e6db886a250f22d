//! Settings, as the commands see them.

use crate::support::cmd::{LE_GOURMET, Webox};

#[test]
fn every_mistake_in_the_settings_file_is_told() {
    let webox = Webox::new();
    let file = webox.file("config/webox/webox.toml", "lisen = \"x\"\nlog = 3\n[twilo]\n");
    webox
        .run(["assistants"])
        .code(78)
        .silent()
        .says(&format!("{file}:1:1: unknown key `lisen` (did you mean `listen`?)"))
        .says(":2:7: ")
        .says("(did you mean `twilio`?)");
}

#[test]
fn a_wrong_value_names_its_source() {
    let webox = Webox::new().env("WEBOX_PUBLIC_URL", "https://bob:pass123@example.com");
    let ran = webox.run(["config"]).code(78).says("environment WEBOX_PUBLIC_URL");
    assert!(!ran.stderr.contains("pass123"), "{}", ran.stderr);
    Webox::new().env("WEBOX_TZ", "Mars/Olympus").run(["calls"]).code(78).says("WEBOX_TZ");
}

#[test]
fn times_are_read_in_the_zone_in_force() {
    let webox = Webox::with_le_gourmet();
    let store = crate::support::seed::store(&webox);
    let at = "2026-01-10T23:30:00Z".parse().unwrap();
    crate::support::seed::call_at(&store, 1, at, webox::domain::CallStatus::Completed);
    let window = ["calls", "-o", "ids", "--since", "2026-01-11", "--until", "2026-01-12"];
    assert_eq!(webox.run(window).ok().stdout.lines().count(), 1, "in Paris it is the 11th");
    assert_eq!(webox.run(window.into_iter().chain(["--utc"])).ok().stdout, "");
}

#[test]
fn a_database_of_a_newer_webox_is_refused_and_left_alone() {
    let webox = Webox::with_le_gourmet();
    let newer = rusqlite::Connection::open(webox.db()).unwrap();
    newer.pragma_update(None, "user_version", 9_999).unwrap();
    drop(newer);
    let before = std::fs::read(webox.db()).unwrap();
    let ran = webox.run(["assistants"]).silent();
    assert_ne!(ran.code, 0);
    assert!(ran.stderr.contains("hint:"), "{}", ran.stderr);
    assert_eq!(std::fs::read(webox.db()).unwrap(), before);
}

#[test]
fn what_is_watched_and_who_is_told_is_shown_with_its_source() {
    let shown = |webox: &Webox| -> Vec<[String; 3]> {
        let rows = webox.run(["config", "show", "-o", "json"]).ok().json()["settings"].clone();
        let rows = rows.as_array().unwrap().iter().map(|row| {
            ["key", "value", "source"].map(|name| row[name].as_str().unwrap_or("-").to_owned())
        });
        rows.filter(|[key, ..]| key.starts_with("alerts.")).collect()
    };
    let expected = |rows: &[[&str; 2]], source: &str| -> Vec<[String; 3]> {
        rows.iter()
            .map(|[key, value]| [format!("alerts.{key}"), (*value).to_owned(), source.to_owned()])
            .collect()
    };
    let usual = [
        ["language", "fr"],
        ["quiet", "-"],
        ["timezone", "Europe/Paris"],
        ["to", "-"],
        ["remind", "-"],
        ["rules", "-"],
        ["destinations", "-"],
    ];
    assert_eq!(shown(&Webox::new()), expected(&usual, "default"));

    let webox = Webox::new();
    let text = include_str!("../examples/alerts.toml")
        .replace("language = \"fr\"", "timezone = \"Europe/Brussels\"\nlanguage = \"en\"");
    let file = webox.file("webox.toml", &text);
    let webox =
        webox.env("WEBOX_CONFIG", &file).env("SLACK_ALERTS_URL", "https://chat.example/k3y");
    let set = [
        ["language", "en"],
        ["quiet", "22:00-07:00"],
        ["timezone", "Europe/Brussels"],
        ["to", "equipe"],
        ["remind", "4h"],
        ["rules", "failed-calls, half-of-the-calls, spend-day, satisfaction"],
        ["destinations", "equipe, astreinte, pager, ops"],
    ];
    assert_eq!(shown(&webox), expected(&set, &format!("file {file}")));
    let table = webox.run(["config", "show"]).ok().prints("alerts.remind\t4h\t");
    assert!(!table.stdout.contains("k3y"), "{}", table.stdout);
}

#[test]
fn who_only_looks_makes_no_database() {
    let webox = Webox::new();
    for command in
        ["assistants", "calls", "stats", "costs", "bookings", "users", "backup create --to x"]
    {
        let args = command.split(' ');
        webox.run(args).code(78).silent().says("there is no database").says("webox init");
    }
    let typo = webox.home().join("typo/webox.db");
    webox.run(["--db", typo.to_str().unwrap(), "calls"]).code(78).says("typo/webox.db");
    assert!(!typo.parent().unwrap().exists());
    // What would be can be asked without one, and leaves none.
    webox.run(["plan", LE_GOURMET]).ok().prints("create").says("no database");
    webox.run(["apply", "--dry-run", LE_GOURMET]).ok().prints("create");
    webox.run(["apply", "--plan", "nowhere.json"]).code(65);
    webox.run(["alerts", "rules"]).ok();
    webox.run(["providers"]).ok();
    assert!(!webox.home().join("data").exists());
    // What puts something there begins it.
    webox.run(["users", "add", "claire@agence.fr", "--role", "admin"]).ok();
    webox.run(["users", "-o", "ids"]).ok().prints("claire@agence.fr");
}

#[test]
fn nothing_is_laid_beside_a_file_that_is_no_store() {
    let webox = Webox::new();
    let text = webox.file("notes.txt", &"not a database at all\n".repeat(100));
    let other = webox.home().join("other.db");
    let foreign = rusqlite::Connection::open(&other).unwrap();
    foreign.execute_batch("CREATE TABLE mine (x); INSERT INTO mine VALUES (1);").unwrap();
    drop(foreign);
    // Somebody has another open, and part of it is in its log.
    let logged = webox.home().join("logged.db");
    let open = rusqlite::Connection::open(&logged).unwrap();
    open.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    open.execute_batch(
        "CREATE TABLE mine (x); PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO mine VALUES (1);",
    )
    .unwrap();
    let cases = [
        (text.as_str(), "is not a database"),
        (other.to_str().unwrap(), "webox store"),
        (logged.to_str().unwrap(), "webox store"),
    ];
    for (file, says) in cases {
        let before = std::fs::read(file).unwrap();
        for command in [&["calls"][..], &["init"], &["users", "add", "a@b.fr", "--role", "admin"]] {
            let ran = webox.run(["--db", file].into_iter().chain(command.iter().copied()));
            assert_ne!(ran.code, 0);
            ran.says(says);
        }
        assert_eq!(std::fs::read(file).unwrap(), before);
        for ending in [".lock", "-wal", "-shm"] {
            if file.ends_with("logged.db") && ending != ".lock" {
                continue;
            }
            assert!(!std::path::Path::new(&format!("{file}{ending}")).exists(), "{file}{ending}");
        }
    }
}

#[test]
fn a_folder_and_an_empty_file_are_told_apart_from_a_store() {
    let webox = Webox::new();
    let folder = webox.home().join("folder");
    std::fs::create_dir(&folder).unwrap();
    webox.run(["--db", folder.to_str().unwrap(), "init"]).code(78).says("is no file");
    assert!(!webox.home().join("folder.lock").exists());
    let empty = webox.file("empty.db", "");
    webox.run(["--db", &empty, "calls"]).code(78).says("there is no database");
    webox.run(["--db", &empty, "plan", LE_GOURMET]).ok().says("There is no database");
    assert_eq!(std::fs::metadata(&empty).unwrap().len(), 0);
    webox.run(["--db", &empty, "init"]).ok();
    webox.run(["--db", &empty, "calls"]).ok();
}

#[test]
fn a_plan_that_is_kept_is_of_the_store_that_it_is_applied_to() {
    let webox = Webox::new();
    webox.run(["plan", LE_GOURMET, "--out", "plan.json"]).ok().says("--plan plan.json");
    webox.run(["apply", "--plan", "plan.json", "--yes"]).ok().prints("create");
}

#[test]
fn what_may_not_be_looked_at_is_not_taken_for_missing() {
    use std::os::unix::fs::PermissionsExt as _;
    let webox = Webox::with_le_gourmet();
    // A file in the place of a folder is what also root cannot look behind.
    let behind = format!("{}/webox.db", webox.db().display());
    for command in [&["calls"][..], &["plan", LE_GOURMET], &["rates", "check"]] {
        let ran = webox.run(["--db", &behind].into_iter().chain(command.iter().copied()));
        assert_ne!(ran.code, 0, "{command:?}: {}", ran.stdout);
    }
    let closed = webox.db().parent().unwrap().to_owned();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&closed).is_err() {
        webox.run(["plan", LE_GOURMET]).code(77);
    }
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_wrong_value_of_the_file_is_told_with_its_place() {
    let webox = Webox::new();
    for (text, told) in [
        ("listen = \"here\"\n", ":1:10: `listen`: "),
        ("\nlog = \"debog\"\n", ":2:7: `log`: "),
        ("[api]\ntrusted_proxies = [\"x\"]\n", ":2:19: `api.trusted_proxies`: "),
        ("[backup]\nto = \"b\"\nevery = \"1s\"\n", ":3:9: `backup.every`: "),
        ("[server.acme]\nchallenge = \"dns-01\"\n", ":2:13: `server.acme.challenge`: "),
    ] {
        let file = webox.file("config/webox/webox.toml", text);
        webox.run(["config"]).code(78).silent().says(&format!("{file}{told}"));
    }
}

#[test]
fn a_slip_in_what_is_logged_silences_nothing() {
    for (words, says) in [
        ("infoo", "did you mean `info`?"),
        ("warn,webox=debug,hyper", "`hyper` is no level to log"),
        ("9", "`9` is no level to log"),
        ("info;h2=off", "is no level to log"),
        ("webox=debog", "no log filter"),
    ] {
        let webox = Webox::with_le_gourmet().env("WEBOX_LOG", words);
        let serve = ["serve", "--listen", "127.0.0.1:0", "--insecure-no-signature"];
        webox.run(serve).code(78).says(says);
    }
    for words in
        ["WARN", " info , webox=debug", "webox", "h2::server=off,3", "info,[call]=trace", "off"]
    {
        Webox::new().env("WEBOX_LOG", words).run(["config"]).ok();
    }
}

#[test]
fn what_would_be_taken_is_said_of_a_wrong_value() {
    let webox = Webox::new();
    let search = ["numbers", "search", "--country", "FR", "--kind", "fixed"];
    webox.run(search).code(64).says("hint: one of local, national, toll-free, mobile");
    let json = webox.run(search.into_iter().chain(["-o", "json"])).code(64).stderr;
    let error: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(error["error"]["hint"].as_str().unwrap().contains("toll-free"), "{error}");
    webox.run(["doctor", "--only", "dameon"]).code(64).says("did you mean `daemon`?");
    webox.run(["numbers", "--account", "AC1"]).code(64).says("not the SID of an account");
    webox.run(["init", "--key-file", "foo=x"]).code(64).says("openai, anthropic");
    // Without a user's name in the environment, who it was is still told.
    webox.run(["users", "add", "claire@agence.fr", "--role", "admin"]).ok();
    webox.run(["audit"]).ok().prints("uid ");
}

#[test]
fn each_setting_of_the_example_can_be_uncommented() {
    let webox = Webox::new();
    let text: String = include_str!("../examples/webox.toml")
        .lines()
        // A certificate is in files, or asked for; and who has a daemon asks no other.
        .filter(|line| !line.starts_with("#tls_") && !line.starts_with("#server ="))
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') => format!("{setting}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(!text.contains("\n#["), "{text}");
    let token = webox.file("token", "0123456789abcdef0123456789abcdef");
    let text = text.replace("/etc/webox/twilio-auth-token", &token);
    let file = webox.file("webox.toml", &text);
    let webox = webox.env("WEBOX_CONFIG", file);
    webox.run(["config", "show"]).ok().prints("timezone\tEurope/Paris").prints("server.acme");
}
