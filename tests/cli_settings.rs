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
