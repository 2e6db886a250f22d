//! What happened reaches those outside who are to know: signed, in order, and in the end.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use webox::{
    domain::{Actor, DeliveryFilter, DeliveryState, OutboxDelivery},
    operations::outbox,
};

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, sid},
    receiver::{Received, Receiver, Reply},
    seed,
};

const KEY: [u8; 32] = [9; 32];

/// Le Gourmet, always open, that tells a place on this machine.
fn le_gourmet(place: &str) -> Webox {
    let webox = Webox::new()
        .env("WEBOX_ALLOWED_NETWORKS", "127.0.0.0/8")
        .env("WEBOX_ALLOW_HTTP", "true")
        .env("CRM_HOOK_SECRET", format!("whsec_{}", STANDARD.encode(KEY)));
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let text = text.replace("[hours]", "[hours]\nsunday = [\"12:00-14:00\", \"19:00-23:00\"]");
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{place}\n"));
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

fn webhook(receiver: &Receiver, more: &str) -> String {
    let url = receiver.url();
    format!(
        "[[deliver]]\nto = \"webhook\"\nurl = \"{url}/hooks\"\n\
         secret = {{ env = \"CRM_HOOK_SECRET\" }}\n{more}"
    )
}

/// HMAC as RFC 2104 has it, by hand: not with what signs.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::digest([&padded(0x36)[..], message].concat());
    Sha256::digest([&padded(0x5c)[..], &inner[..]].concat()).to_vec()
}

#[track_caller]
fn assert_signed(received: &Received) {
    let (id, at) = (received.header("webhook-id"), received.header("webhook-timestamp"));
    assert!(id.starts_with("msg_"), "{received:?}");
    let age = jiff::Timestamp::now().as_second() - at.parse::<i64>().unwrap();
    assert!((0..120).contains(&age), "{age}");
    let message = format!("{id}.{at}.{}", received.body);
    let expected = format!("v1,{}", STANDARD.encode(hmac(&KEY, message.as_bytes())));
    assert_eq!(received.header("webhook-signature"), expected);
    assert_eq!(received.header("content-type"), "application/json");
}

fn deliveries(webox: &Webox) -> Vec<OutboxDelivery> {
    let (store, actor) = (seed::store(webox), Actor::webox("test"));
    let mut all = outbox::list(&store, &actor, &DeliveryFilter::default()).unwrap().deliveries;
    all.reverse();
    all
}

/// Waits until every delivery stands so.
#[track_caller]
fn settled(webox: &Webox, state: DeliveryState) -> Vec<OutboxDelivery> {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let all = deliveries(webox);
        if all.iter().all(|one| one.state == state) {
            return all;
        }
        assert!(Instant::now() < deadline, "{all:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn kinds(received: &[Received]) -> Vec<(String, String)> {
    let kind = |one: &Received| {
        let told = one.json();
        let sid = told["data"]["call"]["call_sid"].as_str().unwrap().to_owned();
        (told["type"].as_str().unwrap().to_owned(), sid)
    };
    received.iter().map(kind).collect()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(work)
}

async fn book(daemon: &Daemon, n: u32) {
    daemon.ring(&sid(n)).await;
    for (turn, words) in (1..).zip(["Une table pour quatre", "demain", "à vingt heures", "Dupont"])
    {
        daemon.say(&sid(n), turn, words).await;
    }
    daemon.hang_up(&sid(n), 42).await;
}

#[test]
fn a_call_and_what_came_of_it_are_told_in_order_and_signed() {
    let receiver = Receiver::start();
    let fields = "fields = { lead_source = \"Téléphone\", firstname = \"{{ caller.name }}\", \
                  guests = \"{{ booking.party }}\" }";
    let webox = le_gourmet(&webhook(&receiver, fields));
    let daemon = Daemon::start(&webox);
    run(book(&daemon, 1));
    let received = receiver.wait_for(3);
    received.iter().for_each(assert_signed);
    let [booked, ended, summarised] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!((booked.method.as_str(), booked.path.as_str()), ("POST", "/hooks"));

    let told = booked.json();
    assert_eq!((&told["type"], &told["version"]), (&json!("booking.created"), &json!(1)));
    let data = &told["data"];
    assert_eq!(
        (&data["booking"]["party"], &data["booking"]["name"]),
        (&json!(4), &json!("Dupont"))
    );
    assert_eq!(data["caller"]["number"], "+33612345678");
    let expected = json!({"lead_source": "Téléphone", "firstname": "Dupont", "guests": "4"});
    assert_eq!(data["fields"], expected);

    let told = ended.json();
    let data = &told["data"];
    assert_eq!(told["type"], "call.ended");
    assert_eq!(
        (&data["call"]["status"], &data["call"]["duration"]),
        (&json!("completed"), &json!(42))
    );
    assert_eq!(data["turns"][1]["heard"], "Une table pour quatre");
    assert_eq!(data["bookings"][0]["name"], "Dupont");
    assert_eq!(data["fields"], json!({"lead_source": "Téléphone", "firstname": "Dupont"}));
    assert_eq!(data["assistant"]["name"], "le-gourmet");

    let told = summarised.json();
    assert_eq!(told["type"], "call.summarised");
    let (call, data) = (&told["data"]["call"], &told["data"]);
    assert_eq!((&call["outcome"], &call["summary_source"]), (&json!("booked"), &json!("rule")));
    assert_eq!((&data["bookings"][0]["name"], &data["turns"]), (&json!("Dupont"), &Value::Null));

    // Cancelled by hand, it is told like everything else of the caller's.
    let reference = data["bookings"][0]["reference"].as_str().unwrap().to_owned();
    webox.run(["bookings", "cancel", &reference, "--yes"]).ok();
    let received = receiver.wait_for(4);
    let told = received[3].json();
    assert_eq!(told["type"], "booking.cancelled");
    assert_eq!(
        (&told["data"]["booking"]["status"], &told["data"]["call"]),
        (&json!("cancelled"), &Value::Null)
    );
    assert_eq!(
        told["data"]["caller"],
        json!({"number": "+33612345678", "name": "Dupont", "language": null})
    );

    let all = settled(&webox, DeliveryState::Delivered);
    let ids: Vec<&str> = all.iter().map(|one| one.message_id.as_str()).collect();
    let sent: Vec<&str> = received.iter().map(|one| one.header("webhook-id")).collect();
    assert_eq!(ids, sent);
    assert!(all.iter().all(|one| one.attempts == 1 && one.failure.is_none()), "{all:?}");
    // Announced twice, told once.
    run(daemon.hang_up(&sid(1), 42));
    assert_eq!(deliveries(&webox).len(), 4);
}

#[test]
fn a_place_is_told_what_it_wants_to_know() {
    let receiver = Receiver::start();
    let only = "events = [\"message.taken\", \"call.transferred\"]\ntranscript = false";
    let webox = le_gourmet(&webhook(&receiver, only));
    let daemon = Daemon::start(&webox);
    run(async {
        book(&daemon, 1).await;
        daemon.ring(&sid(2)).await;
        daemon.say(&sid(2), 1, "Je voudrais parler à quelqu'un").await;
        daemon.hang_up(&sid(2), 5).await;
    });
    let received = receiver.wait_for(1);
    let told = received[0].json();
    assert_eq!(told["type"], "call.transferred");
    assert_eq!(told["data"]["transfer"]["number"], "+33199000112");
    settled(&webox, DeliveryState::Delivered);
    assert_eq!(receiver.received().len(), 1);
}

#[test]
fn what_does_not_arrive_is_told_again_and_what_comes_after_waits_for_it() {
    let receiver = Receiver::start();
    let webox = le_gourmet(&webhook(&receiver, "events = [\"call.ended\"]"));
    let daemon = Daemon::start(&webox);
    receiver.next(&[Reply::Says(503, "in Wartung".to_owned()), Reply::NotBefore(429, 2)]);
    run(async {
        for n in 1..=3 {
            daemon.ring(&sid(n)).await;
            daemon.hang_up(&sid(n), 5).await;
        }
        // Somebody else does not wait for them.
        let other = [("CallStatus", "completed"), ("CallDuration", "5")];
        daemon.post_from("+33699999999", "+33123456789", "incoming", &sid(9), &[]).await;
        daemon.post_from("+33699999999", "+33123456789", "status", &sid(9), &other).await;
    });
    let all = settled(&webox, DeliveryState::Delivered);
    let received = receiver.received();
    let of = |n: u32| ("call.ended".to_owned(), sid(n).to_string());
    let theirs: Vec<_> = kinds(&received).into_iter().filter(|one| *one != of(9)).collect();
    let told_first = theirs.iter().filter(|one| **one == of(1)).count();
    assert_eq!(theirs[told_first..], [of(2), of(3)], "in order: {theirs:?}");
    let tries: u32 = all.iter().map(|one| one.attempts).sum();
    assert_eq!((received.len(), tries), (6, 6), "four of them, two of which failed once");
    received.iter().for_each(assert_signed);
    for one in &all {
        let same: Vec<_> =
            received.iter().filter(|r| r.header("webhook-id") == one.message_id).collect();
        assert_eq!(same.len(), one.attempts as usize);
        assert!(same.iter().all(|again| again.body == same[0].body), "the same each time");
    }
}

#[test]
fn a_daemon_that_is_killed_over_a_delivery_delivers_it_again_under_the_same_name() {
    let receiver = Receiver::start();
    let webox = le_gourmet(&webhook(&receiver, "events = [\"call.ended\"]"));
    let daemon = Daemon::start(&webox);
    receiver.next(&[Reply::Nothing]);
    run(async {
        daemon.ring(&sid(1)).await;
        daemon.hang_up(&sid(1), 5).await;
    });
    let first = receiver.wait_for(1);
    daemon.kill();
    // Two daemons on one store: only one of them is at it.
    let (_one, _other) = (Daemon::start(&webox), Daemon::start(&webox));
    let all = settled(&webox, DeliveryState::Delivered);
    let received = receiver.received();
    assert_eq!(received.len(), 2, "{received:?}");
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(received[0].body, received[1].body);
    assert_eq!(received[1].header("webhook-id"), all[0].message_id);
    assert_eq!((first.len(), all[0].attempts), (1, 2));
    received.iter().for_each(assert_signed);
}

#[test]
fn nothing_goes_to_the_inside_of_a_network_unless_it_may() {
    let receiver = Receiver::start();
    let webox = le_gourmet(&webhook(&receiver, "events = [\"call.ended\"]"))
        .env("WEBOX_ALLOWED_NETWORKS", "");
    let daemon = Daemon::start(&webox);
    run(async {
        daemon.ring(&sid(1)).await;
        daemon.hang_up(&sid(1), 5).await;
    });
    daemon.logged("not delivered yet");
    let all = deliveries(&webox);
    let why = all[0].failure.clone().unwrap();
    assert!(why.contains("is not on the public internet"), "{why}");
    assert_eq!(all[0].state, DeliveryState::Pending);
    assert!(receiver.received().is_empty());
}

#[test]
fn mistakes_in_a_place_are_told_with_their_place() {
    let webox = Webox::new();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let lines = text.lines().count();
    let check = |place: &str| {
        let file = webox.file("le-gourmet.toml", &format!("{text}{place}"));
        webox.run(["validate", &file]).code(65).stderr
    };
    let head = "[[deliver]]\nto = \"webhook\"\nsecret = { env = \"S\" }\n";
    for (place, line, column, what) in [
        (head.to_owned(), 1, 1, "`deliver[0].url` is missing"),
        (format!("{head}url = \"crm\"\n"), 4, 7, "is no address"),
        (
            format!(
                "{head}url = \"https://a.example\"\nfields = {{ a = \"{{{{ caller.nam }}}}\" }}\n"
            ),
            5,
            16,
            "did you mean `name`",
        ),
        (
            format!("{head}url = \"https://a.example\"\nevents = [\"call.end\"]\n"),
            5,
            11,
            "call.ended",
        ),
    ] {
        let told = check(&place);
        let at = format!("le-gourmet.toml:{}:{column}", lines + line);
        assert!(told.contains(&at) && told.contains(what), "{at} {what}: {told}");
    }
    let file = webox.file("le-gourmet.toml", &format!("{text}{head}url = \"https://a.example\"\n"));
    webox.run(["validate", &file]).ok();
}

#[test]
fn every_assistant_may_tell_the_same_place() {
    let receiver = Receiver::start();
    let webox = le_gourmet("");
    webox.file("files/_defaults.toml", &webhook(&receiver, "events = [\"call.ended\"]"));
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    webox.file("files/le-gourmet.toml", &text);
    let files = webox.home().join("files");
    webox.run(["apply", "--yes", files.to_str().unwrap()]).ok();
    let daemon = Daemon::start(&webox);
    run(async {
        daemon.ring(&sid(1)).await;
        daemon.hang_up(&sid(1), 5).await;
    });
    let told: Value = receiver.wait_for(1)[0].json();
    assert_eq!(told["type"], "call.ended");
}

#[test]
fn what_was_given_up_can_be_seen_and_sent_again() {
    let receiver = Receiver::start();
    let webox = le_gourmet(&webhook(&receiver, "events = [\"call.ended\"]"));
    let daemon = Daemon::start(&webox);
    receiver.next(&[Reply::Says(410, "  nichts\n mehr  ".to_owned())]);
    run(async {
        daemon.ring(&sid(1)).await;
        daemon.hang_up(&sid(1), 5).await;
    });
    let dead = settled(&webox, DeliveryState::Dead);
    let id = dead[0].id.0.to_string();
    let listed = webox.run(["deliveries", "list", "--state", "dead", "-o", "json"]).ok().json();
    assert_eq!(listed["totals"], json!({"pending": 0, "delivered": 0, "dead": 1}));
    let one = &listed["deliveries"][0];
    assert_eq!(one["failure"], "it answered 410: nichts mehr");
    assert_eq!((&one["attempts"], &one["due_at"]), (&json!(1), &Value::Null));
    let filtered = |filter: &[&str]| {
        let args = ["deliveries", "list", "-o", "ids"].iter().chain(filter).copied();
        webox.run(args).ok().stdout
    };
    assert_eq!(filtered(&["--state", "delivered"]), "");
    assert_eq!(filtered(&["--assistant", "le-gourmet", "--since", "1h"]), format!("{id}\n"));
    let shown = webox.run(["deliveries", "show", &id, "-o", "json"]).ok().json();
    assert_eq!(shown["delivery"]["payload"]["type"], "call.ended");
    webox.run(["deliveries", "show", &id, "-o", "table"]).ok().prints("\"call.ended\"");
    webox.run(["deliveries", "show", "99"]).code(1).says("no delivery 99");
    webox.run(["deliveries", "--state", "lost"]).code(65).says("pending, delivered, dead");

    webox.run(["deliveries", "retry", &id]).ok().says("is tried again");
    let all = settled(&webox, DeliveryState::Delivered);
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!((all[0].attempts, &all[0].failure), (1, &None));
    webox.run(["deliveries", "retry", &id]).code(1).says("it has arrived");
    let audit = webox.run(["audit", "-o", "json"]).ok().stdout;
    assert!(audit.contains("delivery.retry"), "{audit}");
}

#[test]
fn what_is_refused_does_not_hold_up_the_caller_for_ever() {
    let receiver = Receiver::answering(|one| {
        let is_first = one.body.contains(sid(1).as_str());
        Reply::status(if is_first { 422 } else { 200 })
    });
    let webox = le_gourmet(&webhook(&receiver, "events = [\"call.ended\"]"));
    let daemon = Daemon::start(&webox);
    run(async {
        for n in 1..=2 {
            daemon.ring(&sid(n)).await;
            daemon.hang_up(&sid(n), 5).await;
        }
    });
    receiver.wait_for(1);
    // As if it had been refused for minutes.
    let store = rusqlite::Connection::open(webox.db()).unwrap();
    store.busy_timeout(Duration::from_secs(5)).unwrap();
    store.execute("UPDATE deliveries SET attempts = 20 WHERE id = 1", []).unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while deliveries(&webox)[1].state != DeliveryState::Delivered {
        assert!(Instant::now() < deadline, "{:?}", deliveries(&webox));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(deliveries(&webox)[0].state, DeliveryState::Dead);
}

#[test]
fn a_caller_who_is_forgotten_is_told_of_no_more() {
    let receiver = Receiver::start();
    let webox = le_gourmet(&webhook(&receiver, "events = [\"booking.created\", \"call.ended\"]"));
    let daemon = Daemon::start(&webox);
    run(book(&daemon, 1));
    receiver.wait_for(2);
    settled(&webox, DeliveryState::Delivered);
    // One that waits, and quotes the caller.
    receiver.next(&[Reply::Says(500, "+33612345678 Dupont".to_owned())]);
    run(async {
        daemon.ring(&sid(2)).await;
        daemon.hang_up(&sid(2), 5).await;
    });
    receiver.wait_for(3);
    daemon.logged("not delivered yet");
    let dossier = webox.run(["privacy", "export", "--caller", "+33612345678"]).ok().stdout;
    assert_eq!(dossier.matches("\"message_id\"").count(), 3, "{dossier}");
    webox.run(["privacy", "erase", "--caller", "+33612345678", "--yes"]).ok();
    let all = deliveries(&webox);
    let states: Vec<_> = all.iter().map(|one| one.state).collect();
    assert_eq!(states, [DeliveryState::Delivered, DeliveryState::Delivered, DeliveryState::Dead]);
    assert!(all.iter().all(|one| one.payload.is_none() && one.contact.is_none()), "{all:?}");
    let gone = all[2].id.0.to_string();
    webox.run(["deliveries", "retry", &gone]).code(1).says("was forgotten");
    drop(daemon);
    for file in ["webox.db", "webox.db-wal"] {
        let path = webox.db().with_file_name(file);
        let Ok(bytes) = std::fs::read(path) else { continue };
        for word in ["33612345678", "Dupont"] {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "{word} is in {file}");
        }
    }
    assert_eq!(receiver.received().len(), 3);
}

#[test]
fn an_environment_variable_goes_where_an_admin_said_and_nowhere_else() {
    let receiver = Receiver::start();
    let webox = le_gourmet(&webhook(&receiver, ""));
    webox.run(["users", "add", "owner@agence.fr", "--role", "member"]).ok();
    webox.run(["assistants", "give", "le-gourmet", "--to", "owner@agence.fr"]).ok();
    let text = std::fs::read_to_string(webox.home().join("le-gourmet.toml")).unwrap();
    let elsewhere = text.replace(&receiver.url(), "https://elsewhere.example");
    let file = webox.file("other.toml", &elsewhere);
    let args = ["apply", "--yes", &file, "--as", "owner@agence.fr"];
    webox.run(args).code(77).says("`deliver[0].secret`");
    let quieter = format!("{text}\nevents = [\"call.ended\"]\n");
    let file = webox.file("other.toml", &quieter);
    webox.run(["apply", "--yes", &file, "--as", "owner@agence.fr"]).ok();
}
