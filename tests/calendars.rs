//! Calendars of others: bookings are written into them in the end, and what stands there is in the way.
//! The calendar is a double of Google's; `real::calendar` has a real server.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::{Value, json};

use crate::support::{
    calendars::{self, ONE_TABLE},
    cmd::Webox,
    daemon::Daemon,
    receiver::{Received, Receiver, Reply},
};

/// Events by their names, as Google keeps them (Google, "Calendar API v3: Events").
#[derive(Clone, Default)]
struct Google {
    events: Arc<Mutex<BTreeMap<String, Value>>>,
    away: Arc<AtomicBool>,
}

impl Google {
    fn answer(&self, asked: &Received) -> Reply {
        if self.away.load(Ordering::SeqCst) {
            return Reply::status(503);
        }
        if !asked.header("authorization").starts_with("Bearer ey") {
            return Reply::status(401);
        }
        let mut events = self.events.lock().unwrap();
        let path = asked.path.split("/calendars/salle@group.calendar.google.com/events").nth(1);
        let Some(path) = path else { return Reply::status(404) };
        let id = path.trim_start_matches('/').to_owned();
        match (asked.method.as_str(), id.is_empty()) {
            ("GET", true) => {
                assert!(
                    asked.query.iter().any(|(key, value)| key == "singleEvents" && value == "true")
                );
                let items: Vec<&Value> = events.values().collect();
                Reply::json(200, &json!({ "items": items }))
            }
            ("PUT", false) if events.contains_key(&id) => {
                events.insert(id, asked.json());
                Reply::json(200, &json!({}))
            }
            ("PUT", false) => Reply::status(404),
            ("POST", true) => {
                let event = asked.json();
                let id = event["id"].as_str().unwrap().to_owned();
                assert!(id.chars().all(|c| matches!(c, 'a'..='v' | '0'..='9')), "{id}");
                assert!(event["start"].is_object() && event["end"].is_object(), "{event}");
                if events.contains_key(&id) {
                    return Reply::status(409);
                }
                events.insert(id, event);
                Reply::json(200, &json!({}))
            }
            ("DELETE", false) if events.remove(&id).is_some() => Reply::status(204),
            ("DELETE", false) => Reply::status(410),
            other => panic!("{other:?}"),
        }
    }

    fn ours(&self) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        let ours = |event: &&Value| event["extendedProperties"]["private"]["webox"].is_string();
        events.values().filter(ours).cloned().collect()
    }
}

/// The key of a service account, made for the occasion.
fn key() -> Option<String> {
    let made = std::process::Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output();
    let Ok(made) = made else {
        eprintln!("passed over: openssl, which makes a key, is not installed");
        return None;
    };
    let key = json!({
        "type": "service_account", "project_id": "p", "private_key_id": "k",
        "client_email": "webox@p.iam.gserviceaccount.com",
        "private_key": String::from_utf8(made.stdout).unwrap(),
    });
    Some(key.to_string())
}

#[test]
fn a_calendar_at_google_is_read_and_written_also_after_it_was_away() {
    let Some(key) = key() else { return };
    let google = Google::default();
    let two_days = jiff::Timestamp::now()
        .to_zoned_datetime(jiff::tz::TimeZone::get("Europe/Paris").unwrap())
        .date()
        .saturating_add(jiff::ToSpan::days(2_i64));
    let foreign = json!({ "start": { "date": two_days.to_string() },
                          "end": { "date": two_days.tomorrow().unwrap().to_string() } });
    google.events.lock().unwrap().insert("foreign".to_owned(), foreign);
    let answering = google.clone();
    let server = Receiver::answering(move |asked| answering.answer(asked));
    let webox = Webox::new()
        .env("WEBOX_ALLOWED_NETWORKS", "127.0.0.0/8")
        .env("WEBOX_ALLOW_HTTP", "true")
        .env("GOOGLE_CALENDAR_BASE_URL", server.url())
        .env("CALENDAR_KEY", key);
    let place = "[[deliver]]\nto = \"google-calendar\"\ncalendar = \"salle@group.calendar.google.com\"\n\
                 secret = { env = \"CALENDAR_KEY\" }\n";
    let file = webox.file("le-gourmet.toml", &format!("{ONE_TABLE}{place}"));
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    calendars::read(&webox, 1);
    calendars::book(&webox, "2d 20:00").code(1).says("no room");
    let reference = calendars::booked(&webox, "3d 20:00");
    calendars::written(&webox, 1);
    let [event] = &google.ours()[..] else { panic!("one") };
    assert_eq!(event["summary"], "Petit (2)");
    assert!(event["description"].as_str().unwrap().contains(&reference));
    // While it is away, callers book and cancel all the same; it learns of it afterwards.
    google.away.store(true, Ordering::SeqCst);
    calendars::booked(&webox, "4d 20:00");
    webox.run(["bookings", "cancel", &reference, "--yes"]).ok();
    daemon.logged("not delivered yet");
    let waiting = webox.run(["deliveries", "--state", "pending", "-o", "json"]).ok().json();
    assert_eq!(waiting["deliveries"].as_array().unwrap().len(), 2, "{waiting}");
    google.away.store(false, Ordering::SeqCst);
    calendars::written(&webox, 3);
    let [event] = &google.ours()[..] else { panic!("the other one") };
    assert!(event["start"]["dateTime"].is_string(), "{event}");
}

#[test]
fn what_a_calendar_needs_is_told_with_its_place() {
    let webox = Webox::new();
    for (lines, told) in [
        ("to = \"caldav\"\nuser = \"m\"\nsecret = { env = \"P\" }", "`deliver[0].url` is missing"),
        (
            "to = \"caldav\"\nurl = \"https://c.example\"\nsecret = { env = \"P\" }",
            "`deliver[0].user`",
        ),
        ("to = \"google-calendar\"\nsecret = { env = \"P\" }", "`deliver[0].calendar` is missing"),
        (
            "to = \"webhook\"\nurl = \"https://c.example\"\nuser = \"m\"\nsecret = { env = \"P\" }",
            "`deliver[0].user` is for calendars only",
        ),
    ] {
        let file = webox.file("a.toml", &format!("{ONE_TABLE}[[deliver]]\n{lines}\n"));
        let ran = webox.run(["validate", &file]).code(65);
        let text = ran.stdout + &ran.stderr;
        assert!(text.contains(told) && text.contains("a.toml:1"), "{told} in {text}");
    }
}
