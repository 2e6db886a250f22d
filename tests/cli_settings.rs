//! Settings, as the commands see them.

use crate::support::cmd::Webox;

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
