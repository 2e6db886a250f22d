//! The client's own systems fail in every way they can: what is asked in a call, and what is told and
//! read beside it. The caller is answered, in time, and hears nothing of them.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use crate::support::{
    cmd::{Webox, le_gourmet_always_open},
    daemon::{CALLER, Daemon, sid, spoken},
    fake_http::INTERNAL,
    faulty::{Fault, Faulty, nobody},
};

/// Twilio gives up after fifteen seconds; nobody is to come near.
const LONGEST: Duration = Duration::from_secs(10);

fn home() -> Webox {
    Webox::new()
        .env("WEBOX_ALLOWED_NETWORKS", "127.0.0.0/8")
        .env("WEBOX_ALLOW_HTTP", "true")
        .env("SHOP_API_KEY", "un-secret-de-boutique")
}

fn number(n: usize) -> String {
    format!("+331990088{n:02}")
}

/// A shop that asks at an address where an order is.
fn shop(n: usize, url: &str) -> String {
    format!(
        r#"
name = "boutique-{n}"
client = "La Boutique"
phone = "{}"
context = "Des lampes."

[[facts]]
about = ["parking"]
answer = "Il y a un parking rue Choron."

[[tools]]
name = "order_status"
description = "Where an order is."
url = "{url}"
secret = {{ env = "SHOP_API_KEY" }}
about = ["ma commande"]
ask = {{ number = "Quel est son numéro ?" }}
say = "Commande {{{{ number }}}} : {{{{ answer.status }}}}."
timeout = "2s"

[tools.arguments]
required = ["number"]
properties = {{ number = {{ type = "string", pattern = "^[0-9]{{5}}$" }} }}
"#,
        number(n)
    )
}

/// A call that asks for an order and then for something else; how long the first reply took.
async fn asks(daemon: &Daemon, what: &str, to: &str, n: u32) -> Duration {
    let sid = sid(n);
    daemon.post_from(CALLER, to, "incoming", &sid, &[]).await;
    let mut longest = Duration::ZERO;
    let mut route = format!("process?call_sid={sid}&turn=1");
    let mut extra = vec![("SpeechResult", "Où est ma commande 48213 ?"), ("Confidence", "0.9")];
    let mut told = String::new();
    let begun = Instant::now();
    for step in 1..8 {
        let asked = Instant::now();
        let answer = daemon.post_from(CALLER, to, &route, &sid, &extra).await;
        longest = longest.max(asked.elapsed());
        let words = spoken(&answer);
        assert!(!words.is_empty(), "{what}: silence");
        told.push_str(&words);
        if !answer.body.contains("/wait?") {
            break;
        }
        extra.clear();
        route = format!("wait?call_sid={sid}&turn=1&step={step}");
    }
    let took = begun.elapsed();
    assert!(longest < LONGEST, "{what}: {longest:?}");
    assert!(told.contains("Je n'arrive pas à consulter"), "{what}: {told}");
    for inner in [INTERNAL, "un-secret-de-boutique", "127.0.0.1", "http"] {
        assert!(!told.contains(inner), "{what}: {inner} in {told}");
    }
    let route = format!("process?call_sid={sid}&turn=2");
    let next = [("SpeechResult", "Avez-vous un parking ?"), ("Confidence", "0.9")];
    let answer = daemon.post_from(CALLER, to, &route, &sid, &next).await;
    assert!(spoken(&answer).contains("rue Choron"), "{what}: the next turn: {}", answer.body);
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_tool_the_caller_is_answered() {
    let named = |path: &str| Fault::named(path.split('/').nth(1).unwrap_or_default());
    let endpoint =
        Faulty::start(named, |_| ("application/json", br#"{"status":"en route"}"#.to_vec()));
    let mut places: Vec<(String, String)> = Fault::ALL
        .iter()
        // What is 200 and not JSON is an answer, and said as it is where the file says so.
        .filter(|(name, _)| !["page", "empty", "garbage", "error-inside"].contains(name))
        .map(|(name, _)| ((*name).to_owned(), format!("{}/{name}", endpoint.url())))
        .collect();
    places.extend(nobody(&endpoint).map(|(name, url)| (name.to_owned(), url)));
    let webox = home();
    for (n, (_, url)) in places.iter().enumerate() {
        webox.file(&format!("shops/{n}.toml"), &shop(n, &format!("{url}/{{number}}")));
    }
    let folder = webox.home().join("shops");
    webox.run(["apply", "--yes", folder.to_str().unwrap()]).ok();
    let daemon = Daemon::start(&webox);
    let daemon = &daemon;
    let calls = places.iter().enumerate().map(|(n, (what, _))| async move {
        let to = number(n);
        for again in 0..3 {
            asks(daemon, what, &to, (n * 10 + again) as u32).await;
        }
        // What fails, and not for what was asked, is left alone by now.
        asks(daemon, what, &to, (n * 10 + 3) as u32).await
    });
    let took: Vec<Duration> = stream::iter(calls).buffered(6).collect().await;
    for ((what, _), took) in places.iter().zip(took) {
        assert!(took < Duration::from_secs(2), "{what}: the fourth one waited for {took:?}");
    }
}

/// An answer that is none is no reason to say nothing, or to read it out.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_means_nothing_is_not_read_out() {
    let named = |path: &str| Fault::named(path.split('/').nth(1).unwrap_or_default());
    let endpoint = Faulty::start(named, |_| ("application/json", Vec::new()));
    let webox = home();
    let names = ["page", "empty", "garbage", "error-inside"];
    for (n, name) in names.iter().enumerate() {
        let url = format!("{}/{name}/{{number}}", endpoint.url());
        webox.file(&format!("shops/{n}.toml"), &shop(n, &url));
    }
    let folder = webox.home().join("shops");
    webox.run(["apply", "--yes", folder.to_str().unwrap()]).ok();
    let daemon = Daemon::start(&webox);
    for (n, name) in names.iter().enumerate() {
        let (to, sid) = (number(n), sid(n as u32));
        daemon.post_from(CALLER, &to, "incoming", &sid, &[]).await;
        let route = format!("process?call_sid={sid}&turn=1");
        let heard = [("SpeechResult", "Où est ma commande 48213 ?"), ("Confidence", "0.9")];
        let words = spoken(&daemon.post_from(CALLER, &to, &route, &sid, &heard).await);
        assert!(!words.is_empty() && !words.contains(INTERNAL), "{name}: {words}");
    }
}

/// Places that are told and read beside a call: a webhook, a CRM and a calendar.
fn told_beside(url: &str) -> String {
    format!(
        r#"
[[deliver]]
to = "webhook"
url = "{url}/hook"
secret = {{ env = "SHOP_API_KEY" }}

[[deliver]]
to = "hubspot"
secret = {{ env = "SHOP_API_KEY" }}

[[deliver]]
to = "caldav"
url = "{url}/calendar/"
user = "m"
secret = {{ env = "SHOP_API_KEY" }}
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_crm_and_a_calendar_callers_book() {
    let mood = Arc::new(Mutex::new(Fault::Silent));
    let decided = Arc::clone(&mood);
    let places =
        Faulty::start(move |_| *decided.lock().unwrap(), |_| ("application/json", b"{}".to_vec()));
    let webox = home().env("HUBSPOT_BASE_URL", places.url());
    let text = le_gourmet_always_open();
    let limits = "[limits]\nmax_calls_per_caller = 1000\n";
    let file = format!("{text}\n{}\n{limits}", told_beside(&places.url()));
    let file = webox.file("g.toml", &file);
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    let mut slowest = Duration::ZERO;
    for (n, (what, fault)) in (1u32..).zip(Fault::ALL) {
        *mood.lock().unwrap() = fault;
        daemon.ring(&sid(n)).await;
        let days = ["demain", "après-demain"];
        let says = ["Une table pour deux", days[n as usize % 2], "à vingt heures", "Dupont"];
        let mut last = String::new();
        for (turn, words) in (1..).zip(says) {
            let begun = Instant::now();
            last = spoken(&daemon.say(&sid(n), turn, words).await);
            slowest = slowest.max(begun.elapsed());
            assert!(!last.is_empty() && !last.contains(INTERNAL), "{what}: {last}");
        }
        assert!(last.contains("Dupont") || last.contains("réserv"), "{what}: {last}");
        daemon.hang_up(&sid(n), 60).await;
    }
    assert!(slowest < LONGEST, "{slowest:?}");
    assert!(places.asked() > 0, "nobody was told or read");
    let store = rusqlite::Connection::open(webox.db()).unwrap();
    let count = |sql: &str| store.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let booked = count("SELECT count(*) FROM bookings");
    assert_eq!(booked, Fault::ALL.len() as i64, "each call booked");
    let lost = count(
        "SELECT count(*) FROM bookings b WHERE NOT EXISTS (
             SELECT 1 FROM deliveries d WHERE d.payload LIKE '%' || b.reference || '%')",
    );
    assert_eq!(lost, 0, "each booking is still to be told");
    assert!(!daemon.log().iter().any(|line| line.contains("panicked")));
}
