//! Bookings over the phone, by hand, and in calendars: never one place twice.

use futures_util::future::join_all;
use serde_json::{Value, json};
use webox::twilio::reader::Verb;

use crate::support::{
    cmd::Webox,
    daemon::{CALLER, Daemon, back, hangs_up, sid, spoken, verbs},
    fake_http::{say, tool},
    stage::{Pace, Provider, Stage, Wire},
};

/// One table for two, at any hour.
const ONE_TABLE: &str = r#"
name = "le-gourmet"
client = "Restaurant Le Gourmet"
phone = "+33123456789"
context = "Une table."
[booking]
capacity = 2
party = { min = 1, max = 2 }
[limits]
max_concurrent_calls = 1000
max_calls_per_caller = 10000
"#;

const HOTEL: &str = r#"
name = "hotel"
client = "Hôtel du Port"
phone = "+33123456780"
context = "Un hôtel."
[booking]
kind = "stay"
[[booking.resources]]
name = "chambre double"
about = ["double"]
party = { min = 1, max = 2 }
count = 2
"#;

fn with(files: &[&str]) -> Webox {
    let webox = Webox::new();
    webox.run(["init"]).ok();
    for (n, text) in files.iter().enumerate() {
        let path = webox.file(&format!("{n}.toml"), text);
        webox.run(["apply", "--yes", &path]).ok();
    }
    webox
}

/// A caller from another number than everybody else's.
async fn say_from(daemon: &Daemon, from: &str, n: u32, turn: u32, words: &str) -> String {
    let turn = turn.to_string();
    let more = [("SpeechResult", words), ("Confidence", "0.9"), ("From", from)];
    let route = format!("process?call_sid={}&turn={turn}", sid(n));
    spoken(&daemon.post(&route, &sid(n), &more).await)
}

fn daemon_url(daemon: &Daemon) -> String {
    format!("http://{}", daemon.address)
}

fn bookings(webox: &Webox, more: &[&str]) -> Vec<Value> {
    let args = ["bookings", "-o", "json"].into_iter().chain(more.iter().copied());
    let json = webox.run(args).ok().json();
    json["bookings"].as_array().unwrap().clone()
}

/// Three hundred callers who want the last table at once, and perhaps a person at a terminal, who is one more in
/// another process.
async fn last_table(by_hand: bool) {
    let webox = with(&[ONE_TABLE]);
    let daemon = Daemon::start(&webox);
    let calls = 300;
    let (daemon, webox) = (&daemon, &webox);
    join_all((0..calls).map(|n| async move { daemon.ring(&sid(n)).await })).await;
    let create = ["bookings", "create", "le-gourmet", "--at", "demain 20:00", "--party", "2"];
    let (typed, said) = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let create = create.into_iter().chain(["--name", "Main"]);
            let typed = by_hand.then(|| scope.spawn(|| webox.run(create)));
            let said = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(join_all((0..calls).map(|n| async move {
                    // A name has no figures.
                    let [one, two] = [n / 26, n % 26].map(|at| char::from(b'a' + at as u8));
                    let words =
                        format!("une table pour deux demain à 20 heures au nom de Dup{one}{two}");
                    let mut said = daemon.say(&sid(n), 1, &words).await;
                    // With many at once some are asked for a moment, and Twilio comes back.
                    while let Some(back) = back(&said) {
                        said = daemon.post(&back, &sid(n), &[("SpeechResult", &words)]).await;
                    }
                    spoken(&said)
                })))
            });
            (typed.map(|typed| typed.join().unwrap()), said.join().unwrap())
        })
    });
    let told = said.iter().filter(|said| said.contains("C'est réservé")).count();
    let refused = said.iter().filter(|said| said.contains("complets")).count();
    let typed_it = typed.iter().filter(|typed| typed.code == 0).count();
    assert_eq!(told + typed_it, 1, "{told} were told so, and {typed_it} by hand: {said:?}");
    assert_eq!(told + refused, said.len(), "everybody else hears that it is full: {said:?}");
    assert_eq!(bookings(webox, &[]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_hundreds_of_callers_for_the_last_table_one_gets_it() {
    last_table(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_hundreds_of_callers_and_a_person_at_a_terminal_one_gets_the_last_table() {
    last_table(true).await;
}

#[tokio::test]
async fn what_a_caller_was_told_is_free_is_kept_until_they_decide_or_hang_up() {
    let webox = with(&[ONE_TABLE]);
    let daemon = Daemon::start(&webox);
    for n in 0..3 {
        daemon.ring(&sid(n)).await;
    }
    let wish = "une table pour deux demain à 20 heures";
    assert!(spoken(&daemon.say(&sid(0), 1, wish).await).contains("À quel nom"));
    // Meanwhile nobody else is promised it, on the phone or at the desk.
    assert!(spoken(&daemon.say(&sid(1), 1, wish).await).contains("complets"));
    let create = ["bookings", "create", "le-gourmet", "--at", "demain 20:00", "--name", "Main"];
    webox.run(create).code(1).says("no room").says("free are");
    // The first one hangs up: it is free again.
    daemon.hang_up(&sid(0), 20).await;
    assert!(spoken(&daemon.say(&sid(2), 1, wish).await).contains("À quel nom"));
    let booked = daemon.say(&sid(2), 2, "Petit").await;
    assert!(spoken(&booked).contains("C'est réservé") && hangs_up(&booked));
    let [booking] = &bookings(&webox, &[])[..] else { panic!("one") };
    assert_eq!((&booking["name"], &booking["caller"]), (&json!("Petit"), &json!(CALLER)));
}

#[tokio::test]
async fn a_caller_changes_and_cancels_their_own_and_nobody_elses() {
    let webox = with(&[ONE_TABLE]);
    let daemon = Daemon::start(&webox);
    for (n, words) in [
        (0, "une table pour deux demain à 20 heures au nom de Dupont"),
        (1, "je voudrais décaler ma réservation à 21 heures"),
    ] {
        daemon.ring(&sid(n)).await;
        let said = spoken(&daemon.say(&sid(n), 1, words).await);
        assert!(said.contains("C'est réservé") || said.contains("C'est changé"), "{said}");
    }
    let [booking] = &bookings(&webox, &[])[..] else { panic!("one") };
    assert!(booking["at"].as_str().unwrap().ends_with("T21:00:00"), "{booking}");
    let reference = booking["reference"].as_str().unwrap().to_owned();
    // From another number: nothing is found, and the reference alone is not enough.
    let other = "+33698765432";
    daemon.post("incoming", &sid(2), &[("From", other)]).await;
    let asked = say_from(&daemon, other, 2, 1, "annuler ma réservation").await;
    assert!(asked.contains("numéro de réservation"), "{asked}");
    let named = say_from(&daemon, other, 2, 2, &format!("{reference} au nom de Durand")).await;
    assert!(named.contains("je ne trouve pas"), "{named}");
    // With the name it is theirs: perhaps they call from another telephone.
    daemon.post("incoming", &sid(3), &[("From", other)]).await;
    say_from(&daemon, other, 3, 1, "annuler ma réservation").await;
    let found = say_from(&daemon, other, 3, 2, &format!("{reference} au nom de Dupont")).await;
    assert!(found.contains("Dois-je annuler"), "{found}");
    let gone = say_from(&daemon, other, 3, 3, "oui").await;
    assert!(gone.contains("C'est annulé"), "{gone}");
    assert!(bookings(&webox, &[]).is_empty());
    let [booking] = &bookings(&webox, &["--all"])[..] else { panic!("it is still known") };
    assert_eq!(booking["status"], "cancelled");
    // Its place is free again.
    daemon.ring(&sid(4)).await;
    let again = daemon.say(&sid(4), 1, "une table pour deux demain à 21 heures").await;
    assert!(spoken(&again).contains("À quel nom"), "{}", again.body);
    assert!(matches!(verbs(&again)[..], [Verb::Gather { .. }, ..]));
}

#[tokio::test]
async fn a_stay_is_booked_by_its_nights() {
    let webox = with(&[HOTEL]);
    let daemon = Daemon::start(&webox);
    daemon.post("incoming", &sid(0), &[("To", "+33123456780")]).await;
    let words = "je voudrais réserver une double pour deux personnes demain, pour trois nuits, \
                 au nom de Martin";
    let to = [("To", "+33123456780"), ("SpeechResult", words), ("Confidence", "0.9")];
    let route = format!("process?call_sid={}&turn=1", sid(0));
    let said = spoken(&daemon.post(&route, &sid(0), &to).await);
    assert!(said.contains("C'est réservé : chambre double"), "{said}");
    let [booking] = &bookings(&webox, &[])[..] else { panic!("one") };
    assert_eq!((&booking["nights"], &booking["resource"]), (&json!(3), &json!("chambre double")));
    assert!(booking["at"].as_str().unwrap().ends_with("T15:00:00"), "{booking}");
}

#[test]
fn bookings_are_made_listed_cancelled_and_exported_by_hand() {
    let webox = with(&[ONE_TABLE, HOTEL]);
    let create = ["bookings", "create", "le-gourmet", "--at", "2d 20:00", "--party", "2"];
    let made = webox.run(create.into_iter().chain([
        "--name",
        "Élodie, \"la\" Grande",
        "--phone",
        "06 12 34 56 78",
        "--note",
        "végétarienne",
        "-o",
        "json",
    ]));
    let booking = made.ok().json()["booking"].clone();
    let reference = booking["reference"].as_str().unwrap();
    assert_eq!((&booking["caller"], booking["call_id"].is_null()), (&json!(CALLER), true));
    webox.run(create.into_iter().chain(["--name", "X"])).code(1).says("no room");
    webox
        .run([
            "bookings", "create", "hotel", "--at", "3d", "--nights", "2", "--party", "2", "--name",
            "Y",
        ])
        .ok()
        .prints("chambre double");
    webox
        .run(["bookings", "create", "le-gourmet", "--at", "hier 20:00", "--name", "Z"])
        .code(1)
        .says("that time is over");
    webox.run(["bookings", "create", "le-gourmet", "--at", "soon", "--name", "Z"]).code(64);
    webox.run(["bookings", "--on", "2d", "-o", "ids"]).ok().prints(reference);
    assert_eq!(bookings(&webox, &["--on", "2d"]).len(), 1);
    assert_eq!(bookings(&webox, &["--on", "1d"]).len(), 0);
    assert_eq!(bookings(&webox, &["--assistant", "hotel"]).len(), 1);
    webox.run(["bookings", "show", reference]).ok().prints("végétarienne").prints(CALLER);
    let csv = webox.run(["bookings", "export", "--assistant", "le-gourmet"]).ok();
    assert_eq!(csv.stdout.lines().count(), 2, "{}", csv.stdout);
    assert!(csv.stdout.contains("\"Élodie, \"\"la\"\" Grande\""), "{}", csv.stdout);
    let jsonl = webox.run(["bookings", "export", "--format", "jsonl"]).ok().stdout;
    let lines: Vec<Value> = jsonl.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let ics = webox.run(["bookings", "export", "--format", "ics", "--assistant", "hotel"]).ok();
    for part in ["BEGIN:VCALENDAR", "DTSTART;VALUE=DATE:", "SUMMARY:Y (2) · chambre double"] {
        assert!(ics.stdout.contains(part), "{part}: {}", ics.stdout);
    }
    webox.run(["bookings", "cancel", reference, "--no-input"]).code(64).says("--yes");
    webox.run(["bookings", "cancel", reference, "--yes"]).ok().says("Cancelled");
    webox.run(["bookings", "cancel", reference, "--yes"]).ok().says("cancelled before");
    webox.run(["bookings", "show", "999999"]).code(1).says("no booking `999999`");
    let audit = webox.run(["audit", "-o", "json"]).ok().stdout;
    for deed in ["booking.create", "booking.cancel"] {
        assert!(audit.contains(deed), "{deed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_shows_the_bookings_to_whoever_has_its_address() {
    let webox = with(&[ONE_TABLE]);
    let daemon = Daemon::start(&webox);
    webox.run(["bookings", "create", "le-gourmet", "--at", "2d 20:00", "--name", "Petit"]).ok();
    let path = webox.run(["bookings", "feed", "le-gourmet"]).ok().stdout.trim().to_owned();
    let path = path.split_once("/api/").unwrap().1.to_owned();
    let get = |path: String| {
        let url = format!("{}/api/{path}", daemon_url(&daemon));
        async move { reqwest::get(url).await.unwrap() }
    };
    let calendar = get(path.clone()).await;
    assert_eq!(calendar.status(), 200);
    assert_eq!(calendar.headers()["content-type"], "text/calendar; charset=utf-8");
    let text = calendar.text().await.unwrap();
    for part in ["X-WR-CALNAME:Restaurant Le Gourmet", "SUMMARY:Petit", "STATUS:CONFIRMED"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let reference = bookings(&webox, &[])[0]["reference"].as_str().unwrap().to_owned();
    webox.run(["bookings", "cancel", &reference, "--yes"]).ok();
    assert!(get(path.clone()).await.text().await.unwrap().contains("STATUS:CANCELLED"));
    // Another address, and the first is no longer good; closed, none is.
    let second = webox.run(["bookings", "feed", "le-gourmet"]).ok().stdout.trim().to_owned();
    let second = second.split_once("/api/").unwrap().1.to_owned();
    assert_eq!(get(path).await.status(), 404);
    assert_eq!(get(second.clone()).await.status(), 200);
    webox.run(["bookings", "feed", "le-gourmet", "--close"]).ok();
    assert_eq!(get(second).await.status(), 404);
    for wrong in ["voice/calendar/x.ics", "voice/calendar/", "voice/calendar/%00.ics"] {
        assert_eq!(get(wrong.to_owned()).await.status(), 404, "{wrong}");
    }
}

#[tokio::test]
async fn a_model_moves_and_cancels_and_is_not_believed_otherwise() {
    let wire = Wire::ALL[0];
    let booking = r#"{"party":4,"date":"2026-11-24","time":"20:00","name":"Dupont"}"#;
    let provider = Provider::start(
        wire,
        vec![
            tool("book", booking),
            say("C'est réservé, à demain."),
            // It says so without having done it, is told, does it.
            say("Votre réservation est annulée."),
            tool("cancel", "{}"),
            say("Votre réservation est annulée."),
        ],
    );
    let stage = Stage::with(wire, &provider, Pace::patient()).await;
    let mut call = stage.call().await;
    call.say("Une table pour 4 demain à 20h, Dupont").await.unwrap();
    let heard = call.say("Finalement, annulez tout").await.unwrap();
    assert!(heard.text.contains("annulée"), "{}", heard.text);
    let turn = stage.turns(call.sid()).pop().unwrap();
    let tools: Vec<&str> = turn.tools.iter().map(|tool| tool.tool.as_str()).collect();
    assert_eq!(tools, ["cancel"], "{turn:?}");
    assert!(turn.tools[0].result.contains("\"cancelled\":true"), "{}", turn.tools[0].result);
}
