//! Who called, one a number: kept when a call ends, corrected by people, forgotten with the caller.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use webox::{
    domain::CallStatus,
    operations::retention::{self, Looked},
};

use crate::support::{
    api::{OTHER, OWNER, Who, World},
    cmd::{LE_GOURMET, Webox},
    daemon::{CALLER, Daemon, sid, spoken},
    seed,
};

fn contacts(webox: &Webox) -> Vec<Value> {
    webox.run(["contacts", "-o", "json"]).ok().json()["contacts"].as_array().unwrap().clone()
}

/// A whole call from a number.
async fn call(daemon: &Daemon, from: &str, n: u32, says: &[&str]) -> Vec<String> {
    let number = "+33123456789";
    let rung = daemon.post_from(from, number, "incoming", &sid(n), &[]).await;
    let mut told = vec![spoken(&rung)];
    for (turn, words) in (1..).zip(says) {
        let route = format!("process?call_sid={}&turn={turn}", sid(n));
        let said = [("SpeechResult", *words), ("Confidence", "0.9")];
        told.push(spoken(&daemon.post_from(from, number, &route, &sid(n), &said).await));
    }
    let ended = [("CallStatus", "completed"), ("CallDuration", "30")];
    daemon.post_from(from, number, "status", &sid(n), &ended).await;
    told
}

const BOOKS: &str = "une table pour deux demain à 20 heures au nom de Dupont";

#[test]
fn a_contact_is_kept_of_every_number_that_called_and_what_a_person_wrote_stays() {
    let webox = Webox::with_le_gourmet_always_open();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        call(&daemon, CALLER, 1, &[BOOKS]).await;
        call(&daemon, CALLER, 2, &["Bonjour"]).await;
        // Told twice is counted once.
        daemon.hang_up(&sid(2), 30).await;
        call(&daemon, "+33698765432", 3, &["Bonjour"]).await;
        call(&daemon, "anonymous", 4, &["Bonjour"]).await;
    });
    let found = contacts(&webox);
    let numbers: Vec<&Value> = found.iter().map(|contact| &contact["number"]).collect();
    assert_eq!(numbers, [&json!("+33698765432"), &json!(CALLER)], "who called last, first");
    assert_eq!(found[0]["name"], Value::Null);
    let known = &found[1];
    assert_eq!((&known["name"], &known["calls"]), (&json!("Dupont"), &json!(2)));
    assert_eq!(known["language"], "fr-FR");
    assert_eq!((&known["notes"], &known["owner_id"]), (&Value::Null, &Value::Null));
    // By number in any spelling; what is written by hand is not overwritten by a call.
    webox.run(["contacts", "edit", "06 12 34 56 78"]).code(64);
    let edit = ["contacts", "edit", "06 12 34 56 78", "--name", "Mme Dupont", "--notes", "VIP"];
    webox.run(edit).ok().prints("Mme Dupont");
    runtime.block_on(call(
        &daemon,
        CALLER,
        5,
        &["une table pour deux demain à 21 heures au nom de Durand"],
    ));
    let known = webox.run(["contacts", "show", CALLER, "-o", "json"]).ok().json();
    assert_eq!(known["last_calls"].as_array().unwrap().len(), 3);
    assert_eq!(known["last_calls"][0]["outcome"], "booked", "the newest is first");
    let known = &known["contact"];
    assert_eq!((&known["name"], &known["notes"]), (&json!("Mme Dupont"), &json!("VIP")));
    assert_eq!(known["calls"], 3);
    webox
        .run(["contacts", "show", CALLER, "-o", "table"])
        .ok()
        .prints("last calls")
        .prints("booked");
    let long = "x".repeat(201);
    webox.run(["contacts", "edit", CALLER, "--name", &long]).code(65).says("200");
    let csv = webox.run(["contacts", "export"]).ok().stdout;
    assert!(csv.starts_with("id,last_call_at,number,name") && csv.contains("Mme Dupont"), "{csv}");
    let lines = webox.run(["contacts", "export", "--format", "jsonl"]).ok().stdout;
    assert_eq!(lines.lines().count(), 2);
    assert_eq!(
        webox.run(["contacts", "list", "--limit", "1", "-o", "ids"]).ok().stdout.lines().count(),
        1
    );
    webox.run(["contacts", "delete", CALLER]).code(64).says("--yes");
    webox.run(["contacts", "delete", CALLER, "--yes"]).ok().says("Its calls stay");
    webox.run(["contacts", "show", CALLER]).code(1).says("no contact");
    let audit = webox.run(["audit", "-o", "json"]).ok().stdout;
    assert!(audit.contains("contact.edit") && audit.contains("contact.delete"), "{audit}");
    assert!(!audit.contains("Dupont") && !audit.contains("VIP") && !audit.contains(CALLER));
}

#[test]
fn a_contact_is_handed_out_and_forgotten_with_its_caller() {
    let webox = Webox::with_le_gourmet_always_open();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        call(&daemon, CALLER, 1, &[BOOKS]).await;
        call(&daemon, CALLER, 2, &["Bonjour"]).await;
    });
    webox.run(["contacts", "edit", CALLER, "--notes", "Allergique"]).ok();
    let export = webox.run(["privacy", "export", "--caller", CALLER]).ok().json();
    assert_eq!(export["caller"]["contacts"][0]["notes"], "Allergique");
    // Of one call: what it told of the caller is not known any more, and the other call stays.
    webox.run(["privacy", "erase", "--call", sid(1).as_str(), "--yes"]).ok();
    let [left] = &contacts(&webox)[..] else { panic!("one") };
    assert_eq!((&left["name"], &left["calls"]), (&Value::Null, &json!(1)));
    webox.run(["privacy", "erase", "--caller", CALLER, "--yes"]).ok();
    assert_eq!(contacts(&webox), Vec::<Value>::new());
    // The end of a call that is announced again brings nobody back.
    runtime.block_on(daemon.hang_up(&sid(2), 30));
    assert_eq!(contacts(&webox), Vec::<Value>::new());
}

#[test]
fn contacts_are_kept_as_long_as_the_file_keeps_callers() {
    let webox = Webox::new();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file =
        webox.file("le-gourmet.toml", &format!("{text}\n[compliance]\nkeep_callers = \"90d\"\n"));
    webox.run(["apply", "--yes", &file]).ok();
    let now = Timestamp::now();
    let days = |days: i64| now - SignedDuration::from_hours(24 * days);
    let store = seed::store(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let old = seed::call_at(&store, 1, days(100), CallStatus::Completed);
    seed::contact(&store, old);
    let newer = seed::call_at(&store, 2, days(10), CallStatus::Completed);
    seed::contact(&store, newer);
    let forget = |at| {
        runtime.block_on(retention::forget_due(&store, at, std::time::Duration::ZERO)).unwrap()
    };
    assert!(matches!(forget(now), Looked::Forgot(1..)));
    let [left] = &contacts(&webox)[..] else { panic!("one") };
    assert_eq!((&left["calls"], &left["name"]), (&json!(1), &Value::Null));
    let later = now + SignedDuration::from_hours(24 * 100);
    for hour in 0..=25 {
        forget(later + SignedDuration::from_hours(hour));
    }
    assert_eq!(contacts(&webox), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_nothing_of_others_and_a_user_who_is_no_more_leaves_nothing() {
    let world = World::new();
    let own = world.get(Who::Owner, "/api/voice/contacts").await.ok();
    assert_eq!(own["contacts"][0]["number"], CALLER);
    let theirs = world.get(Who::Other, "/api/voice/contacts").await.ok();
    assert_eq!(theirs["contacts"], json!([]));
    let by_number = format!("/api/voice/contacts/%2B{}", &CALLER[1..]);
    world.get(Who::Owner, &by_number).await.ok();
    let hidden = world.get(Who::Other, &by_number).await.status(404);
    let absent = world.get(Who::Other, "/api/voice/contacts/777").await.status(404);
    assert_eq!(hidden.text.replace(CALLER, "#"), absent.text.replace("777", "#"));
    let change = Some(json!({ "name": "Zoé", "nothing": 1 }));
    world.ask(Who::Owner, "PATCH", "/api/voice/contacts/1", change).await.status(400);
    let change = Some(json!({ "name": "Zoé" }));
    let changed = world.ask(Who::Owner, "PATCH", "/api/voice/contacts/1", change).await.ok();
    assert_eq!(changed["contact"]["name"], "Zoé");
    // The same from a terminal far away.
    let far = world.far(Who::Owner);
    far.run(["contacts", "edit", "1", "--notes", "VIP"]).ok().prints("VIP");
    far.run(["contacts", "--since", "1d"]).ok().prints("Zoé");
    // Whoever inherits the assistants has the contacts.
    let webox = &world.webox;
    webox.run(["users", "delete", OWNER, "--yes", "--give-to", OTHER]).ok();
    let inherited = world.get(Who::Other, "/api/voice/contacts").await.ok();
    assert_eq!(inherited["contacts"][0]["notes"], "VIP");
    far.run(["contacts"]).code(77);
}
