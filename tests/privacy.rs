//! One caller's data: handed out, forgotten, forgotten in time, and masked before it is kept.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use webox::{
    domain::{Actor, CallStatus},
    operations::{
        privacy::{self, Whose},
        retention::{self, Looked},
    },
};

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, sid, spoken},
    fake_http::{Behaviour, KEY, say, tool},
    fake_openai::FakeOpenAi,
    seed,
};

const CANARY: &str = "+33698765432";

fn le_gourmet_with(section: &str) -> Webox {
    let webox = Webox::new();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = webox.file("le-gourmet.toml", &format!("{text}\n{section}"));
    webox.run(["apply", "--yes", &file]).ok();
    webox
}

fn holds(path: &std::path::Path, canary: &str) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.windows(canary.len()).any(|part| part == canary.as_bytes())
}

#[test]
fn a_caller_is_handed_out_whole_and_forgotten_whole() {
    let webox = Webox::with_le_gourmet_always_open();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        for (n, from) in [(1, CANARY), (2, "+33612345678"), (3, CANARY)] {
            let post = async |route: &str, more: &[(&str, &str)]| {
                daemon.post_from(from, "+33123456789", route, &sid(n), more).await
            };
            post("incoming", &[]).await;
            let say = async |turn: u32, words: &str| {
                let route = format!("process?call_sid={}&turn={turn}", sid(n));
                spoken(&post(&route, &[("SpeechResult", words)]).await)
            };
            let name = if from == CANARY { "Zanzibar" } else { "Dupont" };
            say(1, "Je voudrais réserver une table pour quatre demain à vingt heures").await;
            say(2, &format!("Au nom de {name}")).await;
            say(3, "Oui").await;
            post("status", &[("CallStatus", "completed"), ("CallDuration", "60")]).await;
        }
    });
    let before = webox.run(["stats", "-o", "json"]).ok().stdout;
    let export = webox.run(["privacy", "export", "--caller", "06 98 76 54 32"]).ok().json();
    let dossier = &export["caller"];
    assert_eq!(dossier["calls"].as_array().unwrap().len(), 2);
    assert_eq!(dossier["bookings"].as_array().unwrap().len(), 2, "{dossier}");
    assert!(dossier["turns"].to_string().contains("Zanzibar"));
    assert!(!dossier.to_string().contains("Dupont") && !dossier.to_string().contains("612345678"));
    webox.run(["privacy", "erase", "--caller", CANARY]).code(64).says("--yes");
    let said = webox.run(["privacy", "erase", "--caller", CANARY, "--yes"]).ok();
    said.says("Forgot 2 calls").says("Backups made before");
    // In no file, not even where it was deleted from.
    for name in ["webox.db", "webox.db-wal", "webox.db-shm"] {
        let path = webox.db().with_file_name(name);
        for canary in [CANARY, "Zanzibar", "zanzibar"] {
            assert!(!holds(&path, canary), "{canary} in {name}");
        }
    }
    assert!(!daemon.log().iter().any(|line| line.contains(CANARY) || line.contains("Zanzibar")));
    assert_eq!(webox.run(["stats", "-o", "json"]).ok().stdout, before, "the figures stay");
    let after = webox.run(["privacy", "export", "--caller", CANARY]).ok().json();
    assert_eq!(after["caller"]["calls"], Value::Array(Vec::new()));
    let other = webox.run(["privacy", "export", "--caller", "+33612345678"]).ok().json();
    assert!(other["caller"].to_string().contains("Dupont"));
    let audit = webox.run(["audit", "-o", "json"]).ok().stdout;
    assert!(audit.contains("privacy.erase") && !audit.contains(CANARY), "{audit}");
    webox.run(["calls", "show", sid(1).as_str()]).ok();
    webox.run(["audit", "--verify"]).ok();
    // Calls can be taken as before.
    assert!(spoken(&runtime.block_on(daemon.ring(&sid(9)))).contains("Gourmet"));
}

#[test]
fn what_is_due_is_forgotten_and_figures_stay() {
    let webox =
        le_gourmet_with("[compliance]\nkeep_transcripts = \"30d\"\nkeep_callers = \"90d\"\n");
    let now = Timestamp::now();
    let days = |days: i64| now - SignedDuration::from_hours(24 * days);
    let store = seed::store(&webox);
    for (n, age) in [(1, 10), (2, 40), (3, 100)] {
        let call = seed::call_at(&store, n, days(age), CallStatus::Completed);
        seed::turn(&store, call, 1, days(age), "Une table pour Zanzibar ?", "Avec plaisir.");
    }
    // One who withheld the number, and of whose words was noted who they are.
    let withheld = seed::call_at(&store, 6, days(100), CallStatus::Completed);
    let db = rusqlite::Connection::open(webox.db()).unwrap();
    db.execute(
        "UPDATE calls SET caller = NULL, summary = 'Madame Zola rappelle', summary_source = 'model',
         topic = 'booking', extracted = '{\"nom\":\"Zola\"}' WHERE id = ?1",
        [withheld.0],
    )
    .unwrap();
    let live = seed::call_at(&store, 4, days(200), CallStatus::InProgress);
    seed::turn(&store, live, 1, days(200), "Toujours là", "Oui.");
    let before = webox.run(["stats", "-o", "json"]).ok().stdout;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let forget = |at| {
        runtime.block_on(retention::forget_due(&store, at, std::time::Duration::ZERO)).unwrap()
    };
    assert!(matches!(forget(now), Looked::Forgot(1..)));
    assert_eq!(forget(now), Looked::Forgot(0), "once is enough");
    let call = |n: u32| webox.run(["calls", "show", &seed::sid(n), "-o", "json"]).ok().json();
    let heard = |n: u32| call(n)["turns"][0]["heard"].as_str().unwrap().to_owned();
    assert!(heard(1).contains("Zanzibar"));
    assert_eq!((heard(2).as_str(), heard(3).as_str()), ("", ""));
    assert_eq!(heard(4), "Toujours là", "a call that goes on is not cut");
    let caller = |n: u32| call(n)["call"]["from_number"].as_str().unwrap().to_owned();
    assert_eq!(caller(2), "+33612345678");
    assert!(caller(3).starts_with("erased:"), "{}", caller(3));
    let withheld = call(6).to_string();
    assert!(!withheld.contains("Zola") && !withheld.contains("erased:"), "{withheld}");
    assert_eq!(webox.run(["stats", "-o", "json"]).ok().stdout, before);
    // And the daemon does it by itself.
    let call = seed::call_at(&store, 5, days(50), CallStatus::Completed);
    seed::turn(&store, call, 1, days(50), "Encore", "Oui.");
    let daemon = Daemon::start(&webox);
    daemon.logged("forgot what was due");
    assert_eq!(heard(5), "");
    drop(daemon);
    // The clock is set forty days ahead while nobody runs: the words of call 1 stay.
    let ahead = now + SignedDuration::from_hours(24 * 40);
    assert!(matches!(forget(ahead), Looked::Holding(_)));
    assert!(heard(1).contains("Zanzibar"));
    // It goes on steadily, so it is right.
    for hour in 1..=24 {
        forget(ahead + SignedDuration::from_hours(hour));
    }
    assert_eq!(heard(1), "");
}

#[test]
fn what_is_due_is_forgotten_a_little_at_a_time() {
    let webox = le_gourmet_with("[compliance]\nkeep_transcripts = \"1d\"\nkeep_callers = \"1d\"\n");
    let store = seed::store(&webox);
    let now = Timestamp::now();
    let at = now - SignedDuration::from_hours(72);
    for n in 1..=250 {
        let call = seed::call_at(&store, n, at, CallStatus::Completed);
        seed::turn(&store, call, 1, at, "Une table ?", "Oui.");
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut rounds = 0;
    while let Looked::Forgot(forgotten @ 1..) =
        runtime.block_on(retention::forget_due(&store, now, std::time::Duration::ZERO)).unwrap()
    {
        assert!(forgotten <= 200, "{forgotten} in one transaction");
        rounds += 1;
    }
    assert_eq!(rounds, 3, "250 transcripts and 250 numbers");
}

/// Nine hundred calls of one assistant are due, and one of another, which is entered last.
#[test]
fn what_is_due_of_one_assistant_does_not_hold_up_another() {
    let webox = le_gourmet_with("[compliance]\nkeep_transcripts = \"1d\"\n");
    let text = std::fs::read_to_string(LE_GOURMET)
        .unwrap()
        .replace("+33123456789", "+33123456788")
        .replace("\"le-gourmet\"", "\"voisin\"");
    let other =
        webox.file("voisin.toml", &format!("{text}\n[compliance]\nkeep_transcripts = \"1d\"\n"));
    webox.run(["apply", "--yes", &other]).ok();
    let store = seed::store(&webox);
    let now = Timestamp::now();
    let at = now - SignedDuration::from_hours(72);
    for n in 2..=901 {
        seed::call_at(&store, n, at, CallStatus::Completed);
    }
    let call = seed::call_of(&webox, "voisin");
    let db = rusqlite::Connection::open(webox.db()).unwrap();
    db.execute(
        "UPDATE calls SET started_at = ?2, ended_at = ?2 WHERE id = ?1",
        (call.0, at.as_millisecond()),
    )
    .unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for later in 0..2 {
        let now = now + SignedDuration::from_secs(later);
        runtime.block_on(retention::forget_due(&store, now, std::time::Duration::ZERO)).unwrap();
    }
    let due = |condition: &str| -> i64 {
        let sql = format!(
            "SELECT count(*) FROM calls WHERE transcript_erased_at IS NULL AND {condition}"
        );
        db.query_row(&sql, [call.0], |row| row.get(0)).unwrap()
    };
    assert_eq!(due("id = ?1"), 0, "the other's turn came within two looks");
    assert!(due("id <> ?1") >= 500, "much of the first is still due");
}

/// Calls of now and of long ago are entered in any order, go on, end, and are looked at as time passes:
/// each look begins where the last one came to, and none passes over what is due.
#[test]
fn whatever_is_entered_when_is_forgotten_when_it_is_due() {
    let webox = le_gourmet_with("[compliance]\nkeep_transcripts = \"2d\"\nkeep_callers = \"3d\"\n");
    let store = seed::store(&webox);
    let db = rusqlite::Connection::open(webox.db()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut now, mut n, mut forgotten) = (Timestamp::now(), 0, 0);
    let mut state = 7_u64;
    let mut dice = |below: i64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64 % below
    };
    for _ in 0..120 {
        n += 1;
        let begun = now - SignedDuration::from_mins(dice(100 * 60));
        match dice(5) {
            0 => {
                seed::call_at(&store, n, begun, CallStatus::InProgress);
            }
            1 | 2 => {
                seed::call_at(&store, n, begun, CallStatus::Completed);
            }
            3 => {
                // One that went on ends, now or as it was found out later.
                let ended = now - SignedDuration::from_mins(dice(48 * 60));
                let end = "UPDATE calls SET status = 'completed', ended_at = max(?1, started_at)
                           WHERE id = (SELECT id FROM calls WHERE ended_at IS NULL LIMIT 1)";
                db.execute(end, [ended.as_millisecond()]).unwrap();
            }
            _ => {
                now += SignedDuration::from_mins(dice(110));
                while let Looked::Forgot(more @ 1..) = runtime
                    .block_on(retention::forget_due(&store, now, std::time::Duration::ZERO))
                    .unwrap()
                {
                    forgotten += more;
                }
                for (column, days) in [("transcript_erased_at", 2), ("caller_erased_at", 3)] {
                    let before = now - SignedDuration::from_hours(24 * days);
                    let count = |condition: &str| -> i64 {
                        let sql = format!("SELECT count(*) FROM calls WHERE {condition}");
                        db.query_row(&sql, [before.as_millisecond()], |row| row.get(0)).unwrap()
                    };
                    // Who withheld a number has none to be forgotten.
                    let late = format!(
                        "ended_at < ?1 AND {column} IS NULL AND (caller IS NOT NULL OR {days} = 2)"
                    );
                    assert_eq!(count(&late), 0, "{column}");
                    let early =
                        format!("(ended_at IS NULL OR ended_at >= ?1) AND {column} IS NOT NULL");
                    assert_eq!(count(&early), 0, "{column}");
                }
            }
        }
    }
    assert!(forgotten > 40, "{forgotten}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_comes_after_the_erasure_brings_nothing_back() {
    let slow = Behaviour::DelayHeaders(
        std::time::Duration::from_millis(1_500),
        "Bien noté, Monsieur Zanzibar.".to_owned(),
    );
    let provider = FakeOpenAi::start(vec![slow]);
    let webox =
        le_gourmet_with("").env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", provider.url());
    webox.run(["assistants", "edit", "le-gourmet", "--model", "gpt-4"]).ok();
    let daemon = Daemon::start(&webox);
    let post = async |route: &str, extra: &[(&str, &str)]| {
        daemon.post_from(CANARY, "+33123456789", route, &sid(1), extra).await
    };
    post("incoming", &[]).await;
    let route = format!("process?call_sid={}&turn=1", sid(1));
    let thinking = post(&route, &[("SpeechResult", "Je suis Monsieur Zanzibar")]);
    let erased = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        post("status", &[("CallStatus", "completed"), ("CallDuration", "5")]).await;
        webox.run(["privacy", "erase", "--caller", CANARY, "--yes"]).ok();
    };
    let (answer, ()) = tokio::join!(thinking, erased);
    assert_eq!(answer.status, 200);
    assert_eq!(provider.requests().len(), 1, "a model was asked");
    let call = webox.run(["calls", "show", sid(1).as_str(), "-o", "json"]).ok().json();
    assert!(!call.to_string().contains("Zanzibar"), "{call}");
    for name in ["webox.db", "webox.db-wal"] {
        assert!(!holds(&webox.db().with_file_name(name), "Zanzibar"), "{name}");
    }
}

#[test]
fn who_withheld_a_number_is_forgotten_by_the_call() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let post = async |route: &str, extra: &[(&str, &str)]| {
            daemon.post_from("anonymous", "+33123456789", route, &sid(1), extra).await
        };
        post("incoming", &[]).await;
        let route = format!("process?call_sid={}&turn=1", sid(1));
        post(&route, &[("SpeechResult", "Je suis Monsieur Zanzibar")]).await;
        post("status", &[("CallStatus", "completed"), ("CallDuration", "5")]).await;
    });
    let sid = sid(1).to_string();
    let dossier = webox.run(["privacy", "export", "--call", &sid]).ok().json();
    assert!(dossier["caller"]["turns"].to_string().contains("Zanzibar"));
    webox.run(["privacy", "erase", "--call", &sid, "--caller", CANARY]).code(64);
    webox.run(["privacy", "erase", "--call", &sid, "--yes"]).ok().says("Forgot 1 call");
    let call = webox.run(["calls", "show", &sid, "-o", "json"]).ok().json();
    assert!(!call.to_string().contains("Zanzibar"), "{call}");
    assert_eq!(call["call"]["from_number"], Value::Null);
    let audit = webox.run(["audit", "-o", "json"]).ok().stdout;
    assert!(audit.contains("privacy.export") && audit.contains("privacy.erase"), "{audit}");
}

#[test]
fn an_erasure_that_a_reader_keeps_from_the_file_says_so() {
    let webox = Webox::with_le_gourmet();
    let store = seed::store(&webox);
    let call = seed::call_at(&store, 1, Timestamp::now(), CallStatus::Completed);
    seed::turn(&store, call, 1, Timestamp::now(), "Zanzibar", "Oui.");
    // Somebody looks at the file for a long time.
    let reader = rusqlite::Connection::open(webox.db()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM calls").unwrap();
    let actor = Actor::webox("test");
    let whose = Whose::Caller("+33612345678".to_owned());
    let erased = privacy::erase(&store, &actor, &whose, Timestamp::now()).unwrap();
    assert!(!erased.scrubbed);
    reader.execute_batch("COMMIT").unwrap();
    drop(reader);
    // The daemon's next quiet moment.
    assert!(retention::scrub_when_quiet(&store).unwrap());
    assert!(!retention::scrub_when_quiet(&store).unwrap(), "once is enough");
    for name in ["webox.db", "webox.db-wal"] {
        assert!(!holds(&webox.db().with_file_name(name), "Zanzibar"), "{name}");
    }
}

#[test]
fn whom_nothing_is_known_of_has_no_file_written_anew() {
    let webox = Webox::with_le_gourmet();
    let store = seed::store(&webox);
    seed::call_at(&store, 1, Timestamp::now(), CallStatus::Completed);
    let file = rusqlite::Connection::open(webox.db()).unwrap();
    // What a file that is written anew has not: room that nothing is in.
    file.execute_batch(
        "CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000)); DROP TABLE t;",
    )
    .unwrap();
    let room = || -> i64 { file.query_row("PRAGMA freelist_count", [], |row| row.get(0)).unwrap() };
    let erase = |caller: &str| {
        let whose = Whose::Caller(caller.to_owned());
        privacy::erase(&store, &Actor::webox("test"), &whose, Timestamp::now()).unwrap()
    };
    assert!(erase("+33698765499").scrubbed && room() > 0, "nobody's");
    assert!(erase("+33612345678").scrubbed && room() == 0, "somebody's");
}

#[test]
fn card_numbers_and_the_like_are_masked_before_they_are_kept() {
    let spoken_card = "Ma carte c'est quatre mille cinq cent trente-deux zéro un cinquante et un onze vingt-huit zéro trois soixante-six";
    for (section, kept) in [("", false), ("[compliance]\nredact = \"off\"\n", true)] {
        let webox = le_gourmet_with(section).env("WEBOX_LOG", "trace");
        let daemon = Daemon::start(&webox);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            daemon.ring(&sid(1)).await;
            daemon
                .say(&sid(1), 1, "Ma carte est le 4532 0151 1283 0366, mail claire@agence.fr")
                .await;
            daemon.say(&sid(1), 2, spoken_card).await;
            let route = format!("process?call_sid={}&turn=3", sid(1));
            daemon.post(&route, &sid(1), &[("Digits", "4532015112830366")]).await;
            daemon.hang_up(&sid(1), 30).await;
        });
        let call = webox.run(["calls", "show", sid(1).as_str(), "-o", "json"]).ok().json();
        let heard: Vec<&str> =
            call["turns"].as_array().unwrap().iter().filter_map(|t| t["heard"].as_str()).collect();
        for canary in
            ["4532 0151 1283 0366", "claire@agence.fr", "cinquante et un onze", "4532015112830366"]
        {
            assert_eq!(heard.join("\n").contains(canary), kept, "{canary}: {heard:?}");
            // An address may be part of the message that a live call is taking: until the call is
            // over, the conversation remembers it.
            if !kept && !canary.contains('@') {
                for name in ["webox.db", "webox.db-wal"] {
                    assert!(!holds(&webox.db().with_file_name(name), canary), "{canary} in {name}");
                }
                assert!(
                    !daemon.log().iter().any(|line| line.contains(canary)),
                    "{canary} in the log"
                );
            }
        }
        assert_eq!(heard[0].contains("[card], mail [email]"), !kept, "{heard:?}");
    }
}

#[test]
fn callers_are_told_that_a_machine_speaks_where_the_law_asks_for_it() {
    let webox = Webox::with_le_gourmet();
    webox.run(["apply", "--yes", concat!(env!("CARGO_MANIFEST_DIR"), "/assistants")]).ok();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let first = runtime.block_on(daemon.ring(&sid(1)));
    let said = spoken(&first);
    assert!(said.contains("Je suis un assistant vocal automatique. Que puis-je faire"), "{said}");
    // The number of the shop is British: no such duty, and nothing is said.
    let shop = runtime.block_on(daemon.post_from(
        "+447700900001",
        "+442079460018",
        "incoming",
        &sid(2),
        &[],
    ));
    assert!(!spoken(&shop).contains("automated"), "{}", shop.body);
    let call = webox.run(["calls", "show", sid(1).as_str(), "-o", "json"]).ok().json();
    assert!(call["call"]["disclosed_at"].is_string(), "{call}");
    // A call that comes to us in its middle: the first words that are ours say so.
    let adopted = runtime.block_on(daemon.say(&sid(3), 5, "Avez-vous un parking ?"));
    let said = spoken(&adopted);
    assert!(said.starts_with("Je suis un assistant vocal automatique."), "{said}");
    let next = runtime.block_on(daemon.say(&sid(3), 2, "Merci"));
    assert!(!spoken(&next).contains("automatique"), "once is enough: {}", next.body);
    // It is switched off with a reason only.
    let off = webox.file("off.toml", "name = \"off\"\nclient = \"Off\"\nphone = \"+33140000001\"\ncontext = \"x\"\n[compliance]\nannounce_ai = false\n");
    webox.run(["apply", "--yes", &off]).code(65).says("no_announcement_because");
    let text = std::fs::read_to_string(&off).unwrap()
        + "no_announcement_because = \"said before, by the switchboard\"\n";
    let off = webox.file("off.toml", &text);
    webox.run(["apply", "--yes", &off]).ok();
    let quiet = runtime.block_on(daemon.post_from(
        "+33612345678",
        "+33140000001",
        "incoming",
        &sid(4),
        &[],
    ));
    assert!(!spoken(&quiet).contains("automatique"), "{}", quiet.body);
}

#[test]
fn a_caller_on_the_phone_is_not_forgotten_under_way() {
    let webox = Webox::with_le_gourmet();
    let store = seed::store(&webox);
    seed::call_at(&store, 1, Timestamp::now(), CallStatus::InProgress);
    let actor = Actor::webox("test");
    let whose = Whose::Caller("+33612345678".to_owned());
    let error = privacy::erase(&store, &actor, &whose, Timestamp::now()).unwrap_err();
    assert!(error.to_string().contains("on the phone now"), "{error}");
}

/// Card numbers where they would be kept: in messages, bookings, replies, and what an import brings.
#[tokio::test(flavor = "multi_thread")]
async fn card_numbers_are_in_no_byte_that_is_kept() {
    const CARD: &str = "4532 0151 1283 0366";
    let repeats = format!("Votre carte est bien le {CARD} ?");
    let provider = FakeOpenAi::start(vec![
        tool(
            "take_message",
            &format!(r#"{{"name":"Dupont","text":"Ma carte est {CARD}, claire@agence.fr"}}"#),
        ),
        say(&repeats),
        say("Au revoir."),
    ]);
    let webox =
        le_gourmet_with("").env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", provider.url());
    webox.run(["assistants", "edit", "le-gourmet", "--model", "gpt-4"]).ok();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let answer = daemon.say(&sid(1), 1, &format!("Ma carte est {CARD}")).await;
    assert!(answer.body.contains(CARD), "what is said is what the model said: {}", answer.body);
    let again = daemon.say(&sid(1), 1, "encore").await;
    assert!(!again.body.contains(CARD), "it is not kept for a repetition: {}", again.body);
    assert!(again.body.contains("turn=2"), "{}", again.body);
    let call = webox.run(["calls", "show", sid(1).as_str(), "-o", "json"]).ok().json();
    let message = call["messages"][0]["text"].as_str().unwrap();
    assert_eq!(
        message, "Ma carte est [card], claire@agence.fr",
        "an address is there to be answered"
    );
    for name in ["webox.db", "webox.db-wal"] {
        assert!(!holds(&webox.db().with_file_name(name), CARD), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_words_that_are_ours_say_what_speaks_be_they_a_filler() {
    let slow = Behaviour::DelayHeaders(std::time::Duration::from_secs(7), "Oui.".to_owned());
    let provider = FakeOpenAi::start(vec![slow]);
    let webox =
        le_gourmet_with("").env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", provider.url());
    webox.run(["assistants", "edit", "le-gourmet", "--model", "gpt-4"]).ok();
    let daemon = Daemon::start(&webox);
    // A call that began elsewhere, and a model that is late.
    let filler = daemon.say(&sid(1), 5, "Avez-vous un parking ?").await;
    assert!(filler.body.contains("<Redirect"), "{}", filler.body);
    assert!(
        spoken(&filler).starts_with("Je suis un assistant vocal automatique."),
        "{}",
        filler.body
    );
    let call = webox.run(["calls", "show", sid(1).as_str(), "-o", "json"]).ok().json();
    assert!(call["call"]["disclosed_at"].is_string(), "{call}");
}

#[test]
fn a_language_without_phrases_is_still_told_what_speaks() {
    let webox = Webox::new();
    let polish = "name = \"kawa\"\nclient = \"Kawa\"\nphone = \"+48221234567\"\ncontext = \"x\"\n[voice]\nlanguage = \"pl-PL\"\ngreeting = \"Kawiarnia Kawa, dzień dobry.\"\n";
    let asks = webox.file("kawa.toml", &format!("{polish}[compliance]\nrecording = \"ask\"\n"));
    webox.run(["apply", "--yes", &asks]).code(65).says("cannot be asked for");
    let file = webox.file("kawa.toml", polish);
    webox.run(["apply", "--yes", &file]).ok();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answer = runtime.block_on(daemon.post_from(
        "+48600000000",
        "+48221234567",
        "incoming",
        &sid(1),
        &[],
    ));
    assert!(
        spoken(&answer).ends_with("Jestem automatycznym asystentem głosowym."),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("language=\"pl-PL\""), "{}", answer.body);
}
