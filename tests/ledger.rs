//! What calls cost: each use is entered once, sums are the sums of entries, and money outlives what is
//! known of callers.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use webox::store::ledger::differences;

use crate::{
    stream::{QUESTION, streamed},
    support::{
        api::{Who, World},
        cmd::{LE_GOURMET, Webox, le_gourmet_always_open},
        daemon::{CALLER, Daemon, TOKEN, sid},
        fake_http::{Behaviour, KEY, say},
        fake_openai::FakeOpenAi,
        fake_speech::FakeSpeech,
        fake_twilio::FakeTwilio,
        seed,
    },
};

const ACCOUNT: &str = "AC00000000000000000000000000000001";

fn shown(webox: &Webox, n: u32) -> Value {
    let run = || webox.run(["calls", "show", sid(n).as_str(), "-o", "json"]).ok().json();
    tokio::task::block_in_place(run)
}

fn costs(webox: &Webox, more: &[&str]) -> Value {
    let args = ["costs", "-o", "json"].iter().chain(more).copied();
    tokio::task::block_in_place(|| webox.run(args).ok().json())
}

/// Millionths, as texts say them.
fn micros(amount: &Value) -> i64 {
    let text = amount.as_str().unwrap();
    let digits = text.trim_start_matches('-');
    let read: webox::domain::Micros = digits.parse().unwrap();
    if text.starts_with('-') { -read.get() } else { read.get() }
}

/// `provider/product unit quantity` of each entry, those of the whole call first.
fn entries(call: &Value) -> Vec<String> {
    let entries = call["costs"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries
        .map(|one| {
            let (provider, product) = (text(&one["provider"]), text(&one["product"]));
            format!("{provider}/{product} {} {}", text(&one["unit"]), one["quantity"])
        })
        .collect()
}

/// Sums are those of entries: of each call, of all days, of whatever is put together.
#[track_caller]
fn adds_up(webox: &Webox) {
    let store = seed::store(webox);
    assert_eq!(store.read(differences).unwrap(), Vec::<String>::new());
    let raw: (i64, i64, i64) = Connection::open(webox.db())
        .unwrap()
        .query_row(
            "SELECT count(*), coalesce(sum(eur), 0), coalesce(sum(usd), 0) FROM ledger_entries",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    for by in ["provider", "product", "unit", "assistant", "client", "day"] {
        let told = costs(webox, &["--by", by]);
        let total = &told["costs"];
        let sums =
            (total["entries"].as_i64().unwrap(), micros(&total["eur"]), micros(&total["usd"]));
        assert_eq!(sums, raw, "{told}");
        let rows = told["rows"].as_array().unwrap();
        let of = |name: &str| rows.iter().map(|row| micros(&row[name])).sum::<i64>();
        assert_eq!((of("eur"), of("usd")), (raw.1, raw.2), "{by}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_costs_the_sum_of_its_uses_however_often_they_are_told() {
    let webox = Webox::with_le_gourmet_always_open();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    for turn in 1..=3 {
        daemon.say(&sid(1), turn, "Avez-vous un parking ?").await;
        daemon.say(&sid(1), turn, "Avez-vous un parking ?").await;
    }
    let live = shown(&webox, 1);
    assert_eq!(entries(&live), ["twilio/gather recognition 1"; 3], "no minutes before the end");
    daemon.hang_up(&sid(1), 61).await;
    let over = shown(&webox, 1);
    let mut told = entries(&over);
    assert_eq!(told.remove(0), "twilio/inbound-FR minute 2");
    assert_eq!(told, ["twilio/gather recognition 1"; 3]);
    assert_eq!(over["call"]["cost"]["usd"], "0.08");
    assert_eq!(over["costs"][0]["rate"], "shipped 2026-11-26: twilio/inbound-FR");
    adds_up(&webox);
    // Everything is told again, and the end with it.
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 3, "Avez-vous un parking ?").await;
    daemon.hang_up(&sid(1), 61).await;
    daemon.hang_up(&sid(1), 600).await;
    assert_eq!(shown(&webox, 1)["costs"], over["costs"]);
    adds_up(&webox);
    let text = tokio::task::block_in_place(|| {
        webox.run(["calls", "show", sid(1).as_str(), "-o", "text"]).ok()
    });
    assert!(text.stdout.contains("twilio/inbound-FR") && text.stdout.contains("in all"));
    // A call that was turned down unanswered costs nothing.
    tokio::task::block_in_place(|| webox.run(["assistants", "disable", "le-gourmet"]).ok());
    daemon.ring(&sid(2)).await;
    daemon.hang_up(&sid(2), 0).await;
    assert_eq!(shown(&webox, 2)["call"]["cost"], Value::Null);
    // One that heard why was answered for that, and is charged its minute, once.
    daemon.ring(&sid(3)).await;
    daemon.hang_up(&sid(3), 6).await;
    daemon.hang_up(&sid(3), 6).await;
    assert_eq!(shown(&webox, 3)["costs"].as_array().unwrap().len(), 1);
    adds_up(&webox);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_by_kills_and_repeated_webhooks() {
    let webox = Webox::with_le_gourmet_always_open();
    let mut daemon = Daemon::start(&webox);
    for turn in 0..4 {
        // Every round a kill in the middle of everybody's turn; Twilio tells it all again.
        for round in 0..2 {
            {
                let daemon = &daemon;
                let told = (0..6).map(|n| async move {
                    if turn == 0 {
                        daemon.ring(&sid(n)).await;
                    } else {
                        daemon.say(&sid(n), turn, "Avez-vous un parking ?").await;
                    }
                });
                let told = futures_util::future::join_all(told);
                if round == 0 {
                    // Dropped half way: what was heard by then is entered, the rest is not yet.
                    let _ = tokio::time::timeout(Duration::from_millis(3), told).await;
                } else {
                    told.await;
                }
            }
            daemon.kill();
            daemon = Daemon::start(&webox);
        }
    }
    for n in 0..6 {
        daemon.hang_up(&sid(n), 50).await;
    }
    daemon.kill();
    let daemon = Daemon::start(&webox);
    for n in 0..6 {
        daemon.hang_up(&sid(n), 50).await;
        let told = entries(&shown(&webox, n));
        let wanted = ["twilio/inbound-FR minute 1"].into_iter();
        let wanted: Vec<_> = wanted.chain(["twilio/gather recognition 1"; 3]).collect();
        assert_eq!(told, wanted, "call {n}");
    }
    adds_up(&webox);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_every_model_that_was_asked_are_entered_those_after_the_call_too() {
    let after = json!({ "summary": "Parking.", "topic": "parking" }).to_string();
    let provider = FakeOpenAi::start(vec![say("Oui, rue Choron."), say(&after)]);
    let webox = Webox::new().env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", provider.url());
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = webox.file("le-gourmet.toml", &format!("{text}\n[after]\nsummary = true\n"));
    webox.run(["apply", "--yes", &file]).ok();
    webox.run(["assistants", "edit", "le-gourmet", "--model", "openai/gpt-4.1-mini"]).ok();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "Où se garer ?").await;
    daemon.hang_up(&sid(1), 20).await;
    let deadline = Instant::now() + Duration::from_secs(30);
    let told = loop {
        let told = shown(&webox, 1);
        if told["call"]["summary_source"] == "model" {
            break told;
        }
        assert!(Instant::now() < deadline, "{told}");
    };
    // 700 tokens in of which 512 were cached, 30 out, each time.
    let of_models: Vec<String> =
        entries(&told).into_iter().filter(|one| one.starts_with("openai/")).collect();
    let once = [
        "openai/gpt-4.1-mini input 188",
        "openai/gpt-4.1-mini cached 512",
        "openai/gpt-4.1-mini output 30",
    ];
    assert_eq!(of_models, [once, once].concat());
    let of_models = costs(&webox, &["--by", "model"]);
    // 0.0000752 and 0.0000512 and 0.000048, each rounded up, twice.
    assert_eq!(of_models["rows"][0]["usd"], "0.000352");
    adds_up(&webox);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_failed_is_paid_for_and_one_without_a_price_is_named() {
    let provider = FakeOpenAi::start(vec![Behaviour::ServerError, say("Oui, rue Choron.")]);
    let webox = Webox::new().env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", provider.url());
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = webox.file("le-gourmet.toml", &text);
    webox.run(["apply", "--yes", &file]).ok();
    webox.run(["assistants", "edit", "le-gourmet", "--model", "openai/own-model"]).ok();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "Où se garer ?").await;
    daemon.say(&sid(1), 2, "Où se garer ?").await;
    daemon.hang_up(&sid(1), 20).await;
    let told = shown(&webox, 1);
    assert!(entries(&told).iter().any(|one| one.starts_with("openai/own-model output")), "{told}");
    assert!(told["call"]["cost"]["unpriced"].as_u64().unwrap() > 0, "{told}");
    let check = tokio::task::block_in_place(|| webox.run(["rates", "check"]).ok());
    assert!(check.stdout.contains("own-model"), "{}", check.stdout);
    adds_up(&webox);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_a_stream_characters_and_seconds_are_entered_and_what_is_kept_costs_nothing() {
    let speech = FakeSpeech::start();
    speech.understands(["Avez-vous un parking ?", "Avez-vous un parking ?"]);
    let webox = streamed(&speech, "");
    let daemon = Daemon::start(&webox);
    let ring = async || {
        let (mut call, _) = crate::stream::ring(&daemon).await;
        call.say(QUESTION).await.unwrap();
        let sid = call.sid().clone();
        call.hang_up().await.unwrap();
        sid
    };
    let first = ring().await;
    let second = ring().await;
    let told = |sid: &webox::domain::CallSid| {
        let run = || webox.run(["calls", "show", sid.as_str(), "-o", "json"]).ok().json();
        tokio::task::block_in_place(run)
    };
    let characters = |call: &Value| -> u64 {
        let entries = call["costs"].as_array().unwrap().iter();
        entries.filter(|e| e["unit"] == "character").map(|e| e["quantity"].as_u64().unwrap()).sum()
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    // What was used is entered as soon as it is known what was heard of it.
    while told(&second)["costs"].as_array().unwrap().iter().all(|e| e["unit"] != "second") {
        assert!(Instant::now() < deadline, "{}", told(&second));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (first, second) = (told(&first), told(&second));
    let seconds = first["costs"].as_array().unwrap().iter().find(|e| e["unit"] == "second");
    let seconds = seconds.unwrap()["quantity"].as_u64().unwrap();
    assert!((1..=10).contains(&seconds), "{first}");
    assert!(characters(&first) > 0, "{first}");
    // The greeting was spoken beforehand, and paid for by nobody's call.
    let all: usize = speech.spoken().iter().map(|text| text.chars().count()).sum();
    let of_calls = characters(&first) + characters(&second);
    let entered = costs(&webox, &["--by", "unit"]);
    let rows = entered["rows"].as_array().unwrap();
    let spoken = rows.iter().find(|row| row["unit"] == "character").unwrap();
    assert!(of_calls < all as u64, "{of_calls} of {all}");
    assert_eq!(spoken["quantity"].as_u64().unwrap(), all as u64, "{entered}");
    adds_up(&webox);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_swept_is_corrected_when_its_end_is_told() {
    let webox = Webox::with_le_gourmet_always_open();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    daemon.kill();
    let db = Connection::open(webox.db()).unwrap();
    // Long ago, and heard of for five minutes.
    db.execute_batch(
        "UPDATE calls SET started_at = started_at - 7200000;
         UPDATE turns SET heard_at = heard_at - 6900000;",
    )
    .unwrap();
    let daemon = Daemon::start(&webox);
    let deadline = Instant::now() + Duration::from_secs(90);
    let minutes = |told: &Value| entries(told).into_iter().find(|one| one.contains("minute"));
    while minutes(&shown(&webox, 1)).is_none() {
        assert!(Instant::now() < deadline, "it is not swept");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let swept = minutes(&shown(&webox, 1)).unwrap();
    adds_up(&webox);
    daemon.hang_up(&sid(1), 400).await;
    let told = minutes(&shown(&webox, 1)).unwrap();
    assert_eq!(told, "twilio/inbound-FR minute 7");
    assert_ne!(swept, told);
    adds_up(&webox);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_money_stays_when_the_caller_is_forgotten_and_prices_change() {
    let webox = Webox::with_le_gourmet_always_open();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    daemon.hang_up(&sid(1), 50).await;
    let before = costs(&webox, &[]);
    let erase = || webox.run(["privacy", "erase", "--caller", CALLER, "--yes"]).ok();
    tokio::task::block_in_place(erase);
    assert_eq!(costs(&webox, &[]), before);
    adds_up(&webox);
    let text: String = Connection::open(webox.db())
        .unwrap()
        .query_row("SELECT json_group_array(e.kind || r.rate || r.product) FROM ledger_entries e JOIN ledger_rates r ON r.id = e.rate_id", [], |row| row.get(0))
        .unwrap();
    assert!(!text.contains("33612345678"), "{text}");
    daemon.kill();
    // Everything is dearer, also for days that are over: what is entered stays.
    let own = "[[rate]]\nprovider = \"twilio\"\nproduct = \"inbound-*\"\nprices = { minute = \"9\" }\n\
               [[rate]]\nprovider = \"twilio\"\nproduct = \"inbound-FR\"\nprices = { minute = \"1\" }\n";
    webox.file("config/webox/rates.toml", own);
    webox.file("config/webox/webox.toml", "[billing]\ncurrency = \"USD\"\n");
    let daemon = Daemon::start(&webox);
    assert_eq!(costs(&webox, &[]), before);
    daemon.ring(&sid(2)).await;
    daemon.hang_up(&sid(2), 50).await;
    assert_eq!(shown(&webox, 2)["call"]["cost"]["usd"], "1.00");
    assert_eq!(shown(&webox, 1)["call"]["cost"]["usd"], "0.03");
    adds_up(&webox);
}

#[test]
fn rates_are_listed_and_mistakes_in_them_have_a_place() {
    let webox = Webox::new().env("TWILIO_AUTH_TOKEN", TOKEN);
    let listed = webox.run(["rates", "list", "--provider", "twilio", "-o", "json"]).ok().json();
    let rates = listed["rates"].as_array().unwrap();
    let relay = rates.iter().find(|rate| rate["product"] == "relay").unwrap();
    assert_eq!((&relay["price"], &relay["unit"]), (&json!("0.07"), &json!("minute")));
    webox.run(["rates", "list", "--provider", "nobody"]).code(1).says("nobody");
    let own = "[[rate]]\nprovider = \"twilio\"\nproduct = \"relay\"\nprices = { minute = \"0.05\" }\nfrom = 2026-12-01\n";
    let file = webox.file("config/webox/rates.toml", own);
    webox.run(["rates", "check", &file]).ok().says("1 price, no mistakes");
    webox.file("config/webox/webox.toml", "");
    let price = |day: &str| {
        let listed = webox.run(["rates", "list", "--on", day, "-o", "json"]).ok().json();
        let rates = listed["rates"].as_array().unwrap().clone();
        let relay = rates.into_iter().filter(|rate| rate["product"] == "relay");
        relay.map(|rate| rate["price"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (price("2026-11-30"), price("2026-12-01")),
        (vec!["0.07".into()], vec!["0.05".into()])
    );
    let wrong = webox.file("wrong.toml", &own.replace("0.05", "cheap"));
    let told = format!("{wrong}:4:");
    webox.run(["rates", "check", &wrong]).code(78).says(&told);
    webox.file("config/webox/webox.toml", "[billing]\nrates = \"../../wrong.toml\"\n");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--public-url", "https://calls.example.com"];
    webox.run(serve).says("wrong.toml:4:");
}

#[tokio::test(flavor = "multi_thread")]
async fn costs_are_the_owners_and_the_same_from_afar() {
    let world = World::new();
    world.daemon.ring(&sid(40)).await;
    world.daemon.say(&sid(40), 1, "Avez-vous un parking ?").await;
    world.daemon.hang_up(&sid(40), 50).await;
    let of = async |who, path: &str| world.get(who, &format!("/api/voice/{path}")).await.ok();
    let own = of(Who::Owner, "costs?by=assistant").await;
    assert_eq!(own["rows"][0]["key"], "le-gourmet");
    assert!(micros(&own["costs"]["usd"]) >= 30_000, "{own}");
    let other = of(Who::Other, "costs?by=assistant").await;
    assert_eq!((&other["costs"]["usd"], &other["rows"]), (&json!("0.00"), &json!([])));
    let call = of(Who::Owner, &format!("calls/{}", sid(40))).await;
    assert_eq!(call["call"]["cost"]["usd"], "0.03");
    world.get(Who::Other, &format!("/api/voice/calls/{}", sid(40))).await.status(404);
    let far = world.far(Who::Admin);
    for args in [
        vec!["costs", "--by", "product", "-o", "json"],
        vec!["costs", "--by", "day", "-o", "csv"],
        vec!["costs"],
    ] {
        let (near, far) = tokio::task::block_in_place(|| {
            (world.webox.run(args.clone()).ok().stdout, far.run(args.clone()).ok().stdout)
        });
        assert_eq!(near, far, "{args:?}");
    }
    let shown = |webox: &Webox| {
        let args = ["calls", "show", sid(40).as_str(), "-o", "json"].map(str::to_owned);
        let run = || webox.run(args.iter().map(String::as_str)).ok().json();
        tokio::task::block_in_place(run)
    };
    assert_eq!(shown(&world.webox)["costs"], shown(&far)["costs"]);
}

#[test]
fn an_sms_is_entered_when_it_left_by_its_parts() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox =
        Webox::new().env("TWILIO_BASE_URL", twilio.url()).env("TWILIO_ACCOUNT_SID", ACCOUNT);
    let open = le_gourmet_always_open();
    let file = webox.file("le-gourmet.toml", &format!("{open}\n[[deliver]]\nto = \"sms\"\n"));
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        daemon.ring(&sid(1)).await;
        let words = ["Une table pour quatre", "demain", "à vingt heures", "Dupont"];
        for (turn, words) in (1..).zip(words) {
            daemon.say(&sid(1), turn, words).await;
        }
        daemon.hang_up(&sid(1), 50).await;
        twilio.wait_for_messages(1);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let told = entries(&shown(&webox, 1));
            if let Some(text) = told.iter().find(|one| one.starts_with("twilio/sms-FR segment")) {
                assert!(!text.ends_with(" 0"), "{told:?}");
                break;
            }
            assert!(Instant::now() < deadline, "{told:?}");
        }
        adds_up(&webox);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_twilio_charged_is_kept_beside_what_was_reckoned() {
    let twilio = FakeTwilio::start(ACCOUNT, TOKEN);
    let webox = Webox::with_le_gourmet_always_open()
        .env("TWILIO_BASE_URL", twilio.url())
        .env("TWILIO_ACCOUNT_SID", ACCOUNT);
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    daemon.hang_up(&sid(1), 50).await;
    assert_eq!(shown(&webox, 1)["charge"], Value::Null);
    daemon.kill();
    let due = || {
        let db = Connection::open(webox.db()).unwrap();
        db.execute("UPDATE ledger_charges SET due_at = 0 WHERE due_at IS NOT NULL", []).unwrap()
    };
    assert_eq!(due(), 1);
    // At first it does not know; then it fails; then it says.
    let path = format!("Calls/{}.json", sid(1));
    let attempts = || -> i64 {
        let db = Connection::open(webox.db()).unwrap();
        db.query_row("SELECT attempts FROM ledger_charges", [], |row| row.get(0)).unwrap()
    };
    let deadline = Instant::now() + Duration::from_mins(1);
    let daemon = Daemon::start(&webox);
    twilio.was_asked("GET", &path, "");
    while attempts() < 1 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    daemon.kill();
    twilio.fail(&[500]);
    assert_eq!(due(), 1);
    let daemon = Daemon::start(&webox);
    while attempts() < 2 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    daemon.kill();
    twilio.charge("-0.01250");
    assert_eq!(due(), 1);
    let _daemon = Daemon::start(&webox);
    let charge = loop {
        let told = shown(&webox, 1);
        if told["charge"].is_object() {
            break told["charge"].clone();
        }
        assert!(Instant::now() < deadline, "{told}");
    };
    assert_eq!((&charge["amount"], &charge["currency"]), (&json!("0.0125"), &json!("USD")));
    assert_eq!(charge["reckoned"]["usd"], "0.01");
    assert_eq!(charge["difference"]["usd"], "0.0025");
    let told = costs(&webox, &[]);
    assert_eq!(told["costs"]["twilio"]["calls"], 1);
    assert_eq!(told["costs"]["twilio"]["difference"]["usd"], "0.0025");
    // What was charged is beside the ledger, not in it.
    assert_eq!(told["costs"]["usd"], "0.01");
    assert_eq!(due(), 0, "it is not asked again");
    adds_up(&webox);
}

/// The table in the documents is the one that is printed.
#[test]
fn the_documents_say_what_the_reference_call_costs() {
    let webox = Webox::new();
    let args = ["costs", "example", "--on", "2026-11-26", "-o", "table"];
    let table = webox.run(args).ok().stdout;
    assert!(table.lines().count() > 10, "{table}");
    for document in ["costs.md", "costs.fr.md"] {
        let path = format!("{}/docs/{document}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(table.trim()), "docs/{document} has another table than:\n{table}");
    }
}
