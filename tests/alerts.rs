//! Alerts: each told once when it begins and once when it is over, whoever looks and however often a
//! daemon is killed in between; held back in quiet hours and silences, and never lost.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use webox::{
    domain::{
        Actor, Alert, AlertChange, AlertEvent, AlertFilter, AlertRule, AlertState, CallStatus,
        DeliveryState, Trouble, Use,
    },
    operations::{
        alerts::{self, Observed, Watch},
        assistants, ledger,
    },
    store::Store,
};

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    seed,
};

fn actor() -> Actor {
    Actor::webox("test")
}

/// Watches as `webox.toml` would say.
fn watch(rules: &[&str], to: &[&str]) -> Watch {
    let rules: Vec<AlertRule> =
        rules.iter().map(|json| serde_json::from_str(json).unwrap()).collect();
    let to: Vec<String> = to.iter().map(|&one| one.to_owned()).collect();
    Watch { rules: rules.into(), to: to.into(), ..Watch::default() }
}

/// Nothing but what a test asks for.
fn only(rule: &str, to: &[&str]) -> Watch {
    let off = ["failed-calls", "no-calls", "latency", "quota", "satisfaction", "disk"];
    let name = serde_json::from_str::<AlertRule>(rule).unwrap().rule;
    let mut rules: Vec<String> = off
        .iter()
        .filter(|off| **off != name.as_str())
        .map(|off| format!(r#"{{"rule":"{off}","active":false}}"#))
        .collect();
    rules.push(rule.to_owned());
    watch(&rules.iter().map(String::as_str).collect::<Vec<_>>(), to)
}

const FAILED: &str = r#"{"rule":"failed-calls","threshold":"50%","recover":"30%","window":"1h",
    "for":"1m","recover_for":"2m","at_least":4}"#;
const MAIL: &str = "astreinte@agence.fr";

fn all(store: &Store) -> Vec<Alert> {
    let filter = AlertFilter { all: true, ..AlertFilter::default() };
    let mut found = alerts::list(store, &actor(), &filter, Timestamp::now()).unwrap().alerts;
    found.reverse();
    found
}

/// What was told, in order.
fn told(store: &Store) -> Vec<(AlertEvent, String)> {
    let notices = all(store).into_iter().flat_map(|alert| alert.notices);
    notices.map(|notice| (notice.event, notice.to)).collect()
}

fn firing(to: &str) -> (AlertEvent, String) {
    (AlertEvent::Firing, to.to_owned())
}

fn over(to: &str) -> (AlertEvent, String) {
    (AlertEvent::Resolved, to.to_owned())
}

/// Looks, every so many seconds for so many; answers what began and was over.
fn look(
    store: &Store,
    watch: &Watch,
    from: Timestamp,
    seconds: std::ops::RangeInclusive<i64>,
    every: usize,
) -> Vec<(i64, AlertChange)> {
    let mut turned = Vec::new();
    for second in seconds.step_by(every) {
        let now = from + SignedDuration::from_secs(second);
        let found = alerts::look(store, watch, Observed::default(), now).unwrap();
        turned.extend(found.into_iter().map(|one| (second, one.change)));
    }
    turned
}

/// Le Gourmet, of whose last four calls three failed, half an hour ago.
fn failing() -> (Webox, Store, Timestamp) {
    let webox = Webox::with_le_gourmet();
    for n in 1..=4 {
        let status = if n == 1 { CallStatus::Completed } else { CallStatus::Failed };
        seed::call(&webox, n, 30, status);
    }
    let store = seed::store(&webox);
    (webox, store, Timestamp::now())
}

/// Six calls that went well, at a moment.
fn well(store: &Store, at: Timestamp) {
    for n in 11..=16 {
        seed::call_at(store, n, at, CallStatus::Completed);
    }
}

#[test]
fn an_alert_is_told_once_and_its_end_is_told_once_whatever_happens_in_between() {
    let (webox, store, start) = failing();
    let watch = only(FAILED, &[MAIL, "+33612340000"]);
    assert_eq!(look(&store, &watch, start, 0..=55, 5), []);
    assert_eq!(all(&store)[0].state, AlertState::Pending);
    // The daemon is killed, and another one goes on with what is stored.
    drop(store);
    let store = seed::store(&webox);
    assert_eq!(look(&store, &watch, start, 60..=120, 5), [(60, AlertChange::Fired)]);
    assert_eq!(told(&store), [firing(MAIL), firing("+33612340000")]);
    let alert = all(&store).remove(0);
    assert_eq!((alert.value.to_string(), alert.state), ("75%".to_owned(), AlertState::Firing));

    // Well again: between the bounds nothing is over, below the lower one it is, after a while.
    drop(store);
    let store = seed::store(&webox);
    seed::call_at(&store, 20, start, CallStatus::Completed);
    seed::call_at(&store, 21, start, CallStatus::Completed);
    assert_eq!(look(&store, &watch, start, 125..=300, 5), [], "3 of 6 is not below 30%");
    well(&store, start);
    let turned = look(&store, &watch, start, 305..=600, 5);
    assert_eq!(turned, [(425, AlertChange::Resolved)], "two minutes after it was first below");
    assert_eq!(
        told(&store),
        [firing(MAIL), firing("+33612340000"), over(MAIL), over("+33612340000")]
    );
    let alert = all(&store).remove(0);
    assert_eq!((alert.worst.to_string(), alert.state), ("75%".to_owned(), AlertState::Resolved));
}

#[test]
fn several_daemons_at_once_tell_once() {
    let (webox, _store, start) = failing();
    let watch = only(
        r#"{"rule":"failed-calls","threshold":"50%","at_least":4,"for":"10s","recover_for":"10s"}"#,
        &[MAIL],
    );
    let race = |seconds: std::ops::RangeInclusive<i64>| -> Vec<AlertChange> {
        std::thread::scope(|scope| {
            let daemons: Vec<_> = (0..4)
                .map(|daemon| {
                    let (watch, seconds, webox) = (&watch, seconds.clone(), &webox);
                    scope.spawn(move || {
                        let store = seed::store(webox);
                        look(&store, watch, start, *seconds.start() + daemon..=*seconds.end(), 4)
                    })
                })
                .collect();
            daemons.into_iter().flat_map(|one| one.join().unwrap()).map(|(_, turn)| turn).collect()
        })
    };
    assert_eq!(race(0..=60), [AlertChange::Fired]);
    let store = seed::store(&webox);
    assert_eq!(told(&store), [firing(MAIL)]);
    well(&store, start);
    seed::call_at(&store, 30, start, CallStatus::Completed);
    assert_eq!(race(61..=120), [AlertChange::Resolved]);
    assert_eq!(told(&store), [firing(MAIL), over(MAIL)]);
    assert_eq!(all(&store).len(), 1);
}

#[test]
fn quiet_hours_hold_back_what_can_wait_and_tell_what_still_holds_when_they_end() {
    let start: Timestamp = "2026-11-26T22:30:00Z".parse().unwrap();
    let failed = |webox: &Webox| {
        let store = seed::store(webox);
        for n in 1..=4 {
            seed::call_at(&store, n, start - SignedDuration::from_mins(5), CallStatus::Failed);
        }
        store
    };
    let quiet = |severity: &str| {
        let rule = format!(
            r#"{{"rule":"failed-calls","at_least":4,"for":"0s","window":"1d","severity":"{severity}"}}"#
        );
        let quiet = Arc::from(["22:00-07:00".parse().unwrap()]);
        Watch { quiet, zone: TimeZone::UTC, ..only(&rule, &[MAIL]) }
    };
    let webox = Webox::with_le_gourmet();
    let store = failed(&webox);
    // The hours are the assistant's own: half past eleven at night in Paris.
    assert_eq!(look(&store, &quiet("warning"), start, 0..=60, 10), [(0, AlertChange::Fired)]);
    assert_eq!(told(&store), []);
    let morning: Timestamp = "2026-11-27T06:00:00Z".parse().unwrap();
    look(&store, &quiet("warning"), morning, -240..=-60, 60);
    assert_eq!(told(&store), [], "a minute before seven");
    look(&store, &quiet("warning"), morning, 0..=60, 60);
    assert_eq!(told(&store), [firing(MAIL)], "what still holds");

    // What is over before is never told: nobody knew of it.
    let webox = Webox::with_le_gourmet();
    let store = failed(&webox);
    look(&store, &quiet("warning"), start, 0..=0, 10);
    for n in 40..=80 {
        seed::call_at(&store, n, start, CallStatus::Completed);
    }
    let turned = look(&store, &quiet("warning"), start, 10..=700, 10);
    assert_eq!(turned.last().map(|(_, turn)| *turn), Some(AlertChange::Resolved));
    look(&store, &quiet("warning"), morning, 0..=60, 60);
    assert_eq!(told(&store), []);

    // What is critical wakes people up.
    let webox = Webox::with_le_gourmet();
    let store = failed(&webox);
    look(&store, &quiet("critical"), start, 0..=0, 10);
    assert_eq!(told(&store), [firing(MAIL)]);
}

#[test]
fn a_silence_ends_and_what_is_known_is_not_told() {
    let (webox, store, start) = failing();
    let watch = only(FAILED, &[MAIL]);
    webox
        .run(["alerts", "silence", "failed-calls", "--for", "2h", "--assistant", "le-gourmet"])
        .ok();
    look(&store, &watch, start, 0..=120, 5);
    assert_eq!(told(&store), []);
    let listed = webox.run(["alerts", "-o", "json"]).ok().json();
    let alert = &listed["alerts"][0];
    assert_eq!((&alert["state"], &alert["rule"]), (&"firing".into(), &"failed-calls".into()));
    assert!(alert["silenced_until"].is_string(), "{alert}");
    webox.run(["alerts", "silence", "failed-calls", "--end", "--assistant", "le-gourmet"]).ok();
    look(&store, &watch, start, 125..=125, 5);
    assert_eq!(told(&store), [firing(MAIL)]);
    webox
        .run(["alerts", "silence", "failed-calls", "--end", "--assistant", "le-gourmet"])
        .code(1)
        .says("is not silenced");
    webox.run(["alerts", "silence", "failed-cals", "--for", "2h"]).code(1).says("did you mean");

    // Known before somebody else is told: they are not.
    let (webox, store, start) = failing();
    let quiet = Watch { quiet: Arc::from(["00:00-24:00".parse().unwrap()]), ..watch.clone() };
    look(&store, &quiet, start, 0..=120, 5);
    let id = all(&store)[0].id.0.to_string();
    let known = webox.run(["alerts", "ack", &id, "-o", "json"]).ok().json();
    assert!(known["alerts"][0]["acked_at"].is_string(), "{known}");
    look(&store, &watch, start, 125..=200, 5);
    assert_eq!(told(&store), []);
    webox.run(["alerts", "ack", "777"]).code(1).says("no alert 777");
}

#[test]
fn what_nobody_watches_any_more_is_over_and_said_so() {
    let (_webox, store, start) = failing();
    look(&store, &only(FAILED, &[MAIL]), start, 0..=120, 5);
    let off = only(r#"{"rule":"failed-calls","active":false}"#, &[MAIL]);
    // Another daemon may still have the rule.
    assert_eq!(look(&store, &off, start, 125..=400, 5), []);
    assert_eq!(look(&store, &off, start, 405..=600, 5), [(420, AlertChange::Resolved)]);
    assert_eq!(told(&store), [firing(MAIL), over(MAIL)]);
    let alert = all(&store).remove(0);
    assert!(alert.unwatched && alert.state == AlertState::Resolved);
}

#[test]
fn an_assistants_own_rule_lies_over_that_of_webox_toml() {
    let (webox, store, start) = failing();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let own = "[[alerts]]\nrule = \"failed-calls\"\nthreshold = \"90%\"\nremind = \"2h\"\n\
         to = [\"client@gourmet.fr\"]\n";
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{own}"));
    webox.run(["apply", "--yes", &file]).ok();
    assert_eq!(look(&store, &only(FAILED, &[MAIL]), start, 0..=120, 5), []);
    let lower = own.replace("90%", "60%");
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{lower}"));
    webox.run(["apply", "--yes", &file]).ok();
    look(&store, &only(FAILED, &[MAIL]), start, 125..=200, 5);
    assert_eq!(told(&store), [firing("client@gourmet.fr")]);
    // And it comes back out of the store as it was written.
    let exported = webox.run(["export", "le-gourmet"]).ok();
    exported.prints("[[alerts]]").prints("threshold = \"60%\"").prints("remind = \"2h\"");
    let rules =
        webox.run(["alerts", "rules", "--assistant", "le-gourmet", "-o", "json"]).ok().json();
    let rules = rules["rules"].as_array().unwrap();
    let remind = |name: &str| &rules.iter().find(|rule| rule["rule"] == name).unwrap()["remind"];
    assert_eq!((remind("failed-calls"), remind("quota")), (&"2h".into(), &"24h".into()));

    for (wrong, at, what) in [
        ("rule = \"disk\"\n", ":1:", "webox.toml"),
        ("rule = \"latency\"\nthreshold = \"20%\"\n", ":2:13", "length of time"),
        ("rule = \"latency\"\nto = [\"a@\"]\n", ":2:6", "e-mail"),
        ("rule = \"latency\"\nremind = \"59s\"\n", ":2:10", "between 1m and 31d"),
        ("rule = \"latency\"\nfro = \"5m\"\n", ":2:1", "unknown key"),
    ] {
        let lines = text.lines().count() + 2;
        let file = webox.file("wrong.toml", &format!("{text}\n[[alerts]]\n{wrong}"));
        let ran = webox.run(["validate", &file]);
        assert_ne!(ran.code, 0);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        let mut parts = at.split(':').skip(1);
        let line: usize = parts.next().unwrap().parse().unwrap();
        let column = parts.next().unwrap();
        assert!(told.contains(&format!("wrong.toml:{}:{column}", lines + line)), "{told}");
        assert!(told.contains(what), "{told}");
    }
}

#[test]
fn a_notice_that_does_not_arrive_is_tried_again_in_order_and_never_lost() {
    let (webox, store, start) = failing();
    look(&store, &only(FAILED, &[MAIL]), start, 0..=60, 5);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let at = |seconds| start + SignedDuration::from_secs(seconds);
    let take = |seconds| runtime.block_on(alerts::take_ready(&store, 8, at(seconds))).unwrap();
    let (first, payload) = take(60).remove(0);
    assert!(payload.contains("alert.firing") && payload.contains("Restaurant Le Gourmet"));
    assert!(take(61).is_empty(), "somebody is at it");
    // Killed over it: another one goes on after a while, under the same name.
    let (again, _) = take(95).remove(0);
    assert_eq!((again.message_id.clone(), again.attempts), (first.message_id.clone(), 2));
    let late = (Trouble::Later(None), "no way".to_owned());
    let settle = |notice, outcome, seconds| {
        runtime.block_on(alerts::settle(&store, notice, outcome, None, at(seconds))).unwrap()
    };
    assert!(settle(first, Ok(()), 96).is_none(), "no longer that try's to say");
    assert!(settle(again, Err(late), 97).is_some());
    let listed = webox.run(["alerts", "-o", "json"]).ok().json();
    let notice = &listed["alerts"][0]["notices"][0];
    assert_eq!((&notice["failure"], &notice["state"]), (&"no way".into(), &"pending".into()));
    webox.run(["alerts"]).ok().prints("no way");

    // The end of it waits for what comes before.
    well(&store, start);
    seed::call_at(&store, 20, start, CallStatus::Completed);
    look(&store, &only(FAILED, &[MAIL]), start, 100..=400, 5);
    assert_eq!(told(&store), [firing(MAIL), over(MAIL)]);
    let ready = take(600);
    assert_eq!(ready.len(), 1);
    assert_eq!(ready[0].0.event, AlertEvent::Firing);
    settle(ready.into_iter().next().unwrap().0, Ok(()), 601);
    let (last, payload) = take(602).remove(0);
    assert_eq!(last.event, AlertEvent::Resolved);
    assert!(payload.contains("alert.resolved"));
    settle(last, Ok(()), 603);
    let states: Vec<_> = all(&store)[0].notices.iter().map(|one| one.state).collect();
    assert_eq!(states, [DeliveryState::Delivered; 2]);
}

#[test]
fn what_goes_on_is_told_again_until_somebody_knows_or_it_is_over() {
    let (webox, store, start) = failing();
    let rule = r#"{"rule":"failed-calls","threshold":"50%","recover":"30%","window":"2d",
        "for":"1m","recover_for":"2m","at_least":4,"remind":"1h"}"#;
    let watch = only(rule, &[MAIL]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let at = |seconds| start + SignedDuration::from_secs(seconds);
    let take = |seconds| runtime.block_on(alerts::take_ready(&store, 8, at(seconds))).unwrap();
    let settle = |notice, outcome, seconds| {
        runtime.block_on(alerts::settle(&store, notice, outcome, None, at(seconds))).unwrap();
    };
    let arrives = |seconds| settle(take(seconds).remove(0).0, Ok(()), seconds);
    let reminder = || (AlertEvent::Reminder, MAIL.to_owned());
    let hour = 3_600;

    look(&store, &watch, start, 0..=60, 30);
    arrives(60);
    look(&store, &watch, start, 120..=hour + 59, 30);
    assert_eq!(told(&store), [firing(MAIL)], "an hour is not over");
    // Another daemon, and another look: once.
    let another = seed::store(&webox);
    look(&another, &watch, start, hour + 60..=hour + 60, 30);
    look(&store, &watch, start, hour + 61..=hour + 61, 30);
    assert_eq!(told(&store), [firing(MAIL), reminder()]);
    // What does not arrive for hours is one reminder, not one more each hour.
    let (notice, payload) = take(hour + 61).remove(0);
    let late = Err((Trouble::Later(None), "no way".to_owned()));
    settle(notice.clone(), late, hour + 62);
    assert!(payload.contains("alert.reminder"), "{payload}");
    assert!(payload.contains("Rappel : Alerte : Restaurant Le Gourmet : 75"), "{payload}");
    look(&store, &watch, start, 2 * hour..=4 * hour, 60);
    assert_eq!(told(&store), [firing(MAIL), reminder()]);
    let first = all(&store)[0].notices[1].message_id.clone();
    assert_eq!(first, notice.message_id);
    arrives(4 * hour);
    // The next one is in the place of the last, under a name of its own.
    look(&store, &watch, start, 4 * hour + 30..=5 * hour, 30);
    assert_eq!(told(&store), [firing(MAIL), reminder()]);
    let second = all(&store)[0].notices[1].clone();
    assert_ne!(second.message_id, first);
    arrives(5 * hour);

    // In quiet hours and silences nobody is reminded; afterwards they are, once.
    let quiet = Watch { quiet: Arc::from(["00:00-24:00".parse().unwrap()]), ..watch.clone() };
    look(&store, &quiet, start, 6 * hour..=7 * hour, 60);
    webox
        .run(["alerts", "silence", "failed-calls", "--for", "20h", "--assistant", "le-gourmet"])
        .ok();
    look(&store, &watch, start, 7 * hour + 60..=8 * hour, 60);
    assert_eq!(all(&store)[0].notices[1].message_id, second.message_id);
    webox.run(["alerts", "silence", "failed-calls", "--end", "--assistant", "le-gourmet"]).ok();
    look(&store, &watch, start, 8 * hour + 60..=8 * hour + 120, 60);
    let third = all(&store)[0].notices[1].clone();
    assert_ne!(third.message_id, second.message_id);
    assert_eq!(take(8 * hour + 120).len(), 1);

    // Somebody knows: neither what waits to be tried again nor anything new.
    let id = all(&store)[0].id.0.to_string();
    webox.run(["alerts", "ack", &id]).ok();
    look(&store, &watch, start, 8 * hour + 180..=10 * hour, 60);
    assert!(take(10 * hour).is_empty(), "a daemon was killed over it; nobody goes on");
    assert_eq!(all(&store)[0].notices[1].state, DeliveryState::Dead);
    well(&store, start);
    seed::call_at(&store, 20, start, CallStatus::Completed);
    look(&store, &watch, start, 10 * hour + 60..=10 * hour + 600, 60);
    assert_eq!(told(&store), [firing(MAIL), reminder(), over(MAIL)]);
    assert_eq!(take(11 * hour)[0].0.event, AlertEvent::Resolved);
}

#[test]
fn a_reminder_of_what_is_over_is_not_sent_and_none_is_made_where_none_is_wanted() {
    let rule = |remind: &str| {
        format!(
            r#"{{"rule":"failed-calls","threshold":"50%","window":"2d","for":"0s",
                "recover_for":"0s","at_least":4{remind}}}"#
        )
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let arrives = |store: &Store, at: Timestamp| {
        let (notice, _) =
            runtime.block_on(alerts::take_ready(store, 8, at)).unwrap().into_iter().next().unwrap();
        runtime.block_on(alerts::settle(store, notice, Ok(()), None, at)).unwrap();
    };
    let hours = |hours: i64| 3_600 * hours..=3_600 * hours;
    let (_webox, store, start) = failing();
    let watch = only(&rule(""), &[MAIL]);
    look(&store, &watch, start, hours(0), 1);
    arrives(&store, start);
    // As is usual of its kind: four hours.
    look(&store, &watch, start, 3_600..=3_600 * 4 - 60, 60);
    assert_eq!(told(&store), [firing(MAIL)]);
    look(&store, &watch, start, hours(4), 1);
    assert_eq!(told(&store).len(), 2);
    // It was not sent yet when all is well.
    well(&store, start);
    seed::call_at(&store, 20, start, CallStatus::Completed);
    let later = start + SignedDuration::from_hours(5);
    look(&store, &watch, start, hours(5), 1);
    let ready = runtime.block_on(alerts::take_ready(&store, 8, later)).unwrap();
    let events: Vec<_> = ready.iter().map(|(notice, _)| notice.event).collect();
    assert_eq!(events, [AlertEvent::Resolved]);
    let why = all(&store)[0].notices[1].failure.clone().unwrap();
    assert!(why.starts_with("the alert is over"), "{why}");

    let (_webox, store, start) = failing();
    let never = only(&rule(r#","remind":"0s""#), &[MAIL]);
    look(&store, &never, start, hours(0), 1);
    arrives(&store, start);
    look(&store, &never, start, hours(30), 1);
    assert_eq!(told(&store), [firing(MAIL)]);
    // What all rules say holds for one that says nothing.
    let all_rules = Watch { remind: Some("2h".parse().unwrap()), ..only(&rule(""), &[MAIL]) };
    look(&store, &all_rules, start, hours(31), 1);
    assert_eq!(told(&store), [firing(MAIL), (AlertEvent::Reminder, MAIL.to_owned())]);
}

#[test]
fn what_is_of_the_whole_is_measured_as_well() {
    let webox = Webox::with_le_gourmet();
    let (store, start) = (seed::store(&webox), Timestamp::now());
    let rule = |json: &str| only(json, &[]);
    let full = Observed { disk: Some(9_350), ..Observed::default() };
    let disk = rule(r#"{"rule":"disk","for":"0s"}"#);
    let turned = alerts::look(&store, &disk, full, start).unwrap();
    assert_eq!(turned[0].words, "le disque de la base est plein à 93,5\u{a0}% (seuil : 90\u{a0}%)");
    let old = Observed { backup_age: Some(SignedDuration::from_hours(27)), ..Observed::default() };
    let backup = rule(r#"{"rule":"backup"}"#);
    let turned = alerts::look(&store, &backup, old, start).unwrap();
    let said: Vec<&str> = turned.iter().map(|one| one.words.as_str()).collect();
    let words = "aucune sauvegarde depuis 27\u{a0}h (seuil : 26\u{a0}h)";
    assert!(said.contains(&words), "{said:?}");
    // A daemon that was started anew, and has not seen where they lie, does not say that they are made.
    let hour = Observed { backup_age: Some(SignedDuration::from_hours(1)), ..Observed::default() };
    let unseen = Observed { backups_unseen: true, ..hour };
    assert!(alerts::look(&store, &backup, unseen, start).unwrap().is_empty());
    let turned = alerts::look(&store, &backup, hour, start).unwrap();
    assert_eq!(turned.len(), 1, "it has seen a new one: {turned:?}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (json, kind, part) in [
        (r#"{"rule":"signatures","threshold":3}"#, webox::domain::AlertKind::Signatures, ""),
        (
            r#"{"rule":"provider-down","for":"0s"}"#,
            webox::domain::AlertKind::ProviderDown,
            "llm/openai",
        ),
        (r#"{"rule":"store-errors","threshold":3}"#, webox::domain::AlertKind::StoreErrors, ""),
    ] {
        let add = |count| {
            let counts = [((kind, part.to_owned()), count)].into();
            runtime.block_on(alerts::count(&store, counts, start)).unwrap();
        };
        add(1);
        if part.is_empty() {
            assert!(alerts::look(&store, &rule(json), full, start).unwrap().is_empty());
        }
        // Another daemon's.
        add(2);
        let turned = alerts::look(&store, &rule(json), full, start).unwrap();
        assert_eq!(turned.len(), 1, "{json}");
        assert_eq!(turned[0].alert.subject.part, part);
    }
}

#[test]
fn what_is_of_an_assistant_is_measured_from_its_calls_and_costs() {
    let webox = Webox::with_le_gourmet_always_open();
    let store = seed::store(&webox);
    let start = Timestamp::now();
    let call = seed::call_at(&store, 1, start, CallStatus::Completed);
    seed::turn(&store, call, 1, start, "Une table ?", "Avec plaisir.");
    let assistant = assistants::find(&store, &actor(), "le-gourmet").unwrap();
    let spoken = vec![Use::of_speech("elevenlabs", "eleven_flash_v2_5", &"a".repeat(10_000))];
    let spent = ledger::spoken_beforehand(&store, assistant.id, spoken, start);
    tokio::runtime::Runtime::new().unwrap().block_on(spent).unwrap();
    let fires = |rule: &str, now: Timestamp| -> Vec<(String, String)> {
        let turned = alerts::look(&store, &only(rule, &[]), Observed::default(), now).unwrap();
        let whose =
            |alert: &Alert| alert.assistant.as_ref().map_or("all".into(), ToString::to_string);
        let began = turned.iter().filter(|one| one.change == AlertChange::Fired);
        began.map(|one| (whose(&one.alert), one.alert.value.to_string())).collect()
    };
    let le_gourmet = |value: &str| vec![("le-gourmet".to_owned(), value.to_owned())];
    let soon = start + SignedDuration::from_mins(5);
    let slow = r#"{"rule":"latency","threshold":"1s","at_least":1,"for":"0s"}"#;
    assert_eq!(fires(slow, soon), le_gourmet("1240ms"));
    let few = r#"{"rule":"latency","name":"few","threshold":"1s","at_least":2,"for":"0s"}"#;
    assert_eq!(fires(few, soon), [], "one reply says nothing");

    let [(whose, value)] = &fires(r#"{"rule":"spend-day","threshold":"0.01 EUR"}"#, start)[..]
    else {
        panic!()
    };
    assert!(whose == "all" && value.ends_with(" EUR"), "{whose} {value}");
    let each = r#"{"rule":"spend-month","threshold":"0.01 USD","each":true}"#;
    assert_eq!(fires(each, start)[0].0, "le-gourmet");
    let much = r#"{"rule":"spend-month","name":"much","threshold":"1000 EUR"}"#;
    assert_eq!(fires(much, start), []);

    // Open 90 minutes or more in three days; and not while it is closed.
    let silent = r#"{"rule":"no-calls","threshold":"90m","at_least":1,"for":"0s"}"#;
    assert_eq!(fires(silent, start), []);
    assert_eq!(fires(silent, start + SignedDuration::from_hours(72)).len(), 1);
    let quiet = r#"{"rule":"no-calls","name":"rare","threshold":"90m","at_least":2,"for":"0s"}"#;
    assert_eq!(fires(quiet, start + SignedDuration::from_hours(72)), [], "no calls are expected");

    let text = crate::support::cmd::le_gourmet_always_open();
    let text = format!("{text}\n[limits]\nmax_daily_minutes = 2\n");
    let file = webox.file("le-gourmet.toml", &text);
    webox.run(["apply", "--yes", &file]).ok();
    // 75 seconds of 120.
    let near = r#"{"rule":"quota","threshold":"50%"}"#;
    assert_eq!(fires(near, start + SignedDuration::from_secs(80)), le_gourmet("62.5%"));
}

#[test]
fn the_calls_of_a_plan_that_stops_at_its_limit_are_a_quota() {
    let webox = Webox::with_le_gourmet_always_open();
    let store = seed::store(&webox);
    let plans = "[plans.five]\ncalls = 5\nat_limit = \"block\"\n\n\
                 [clients.\"Restaurant Le Gourmet\"]\nplan = \"five\"\nstart = 2020-01-01\n";
    let catalogue = webox::billing::catalogue::Catalogue::read("billing.toml", plans).unwrap();
    store.allow_by(Arc::new(catalogue.allowances()));
    let now = Timestamp::now();
    let near = only(r#"{"rule":"quota","threshold":"80%"}"#, &[]);
    for n in 1..=4 {
        assert!(alerts::look(&store, &near, Observed::default(), now).unwrap().is_empty());
        seed::call_at(&store, n, now, CallStatus::Completed);
    }
    let turned = alerts::look(&store, &near, Observed::default(), now).unwrap();
    assert_eq!(turned.len(), 1);
    assert_eq!(turned[0].alert.subject.part, "plan-calls");
    assert!(turned[0].words.contains("appels du forfait"), "{}", turned[0].words);
}
