//! Words in what was said: found whatever their endings, shown, seen by their owners alone, forgotten.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use webox::{
    domain::{Actor, CallStatus, TranscriptQuery},
    operations::{
        retention::{self, Looked},
        transcripts,
    },
    store::Store,
};

use crate::support::{
    api::{Who, World},
    cmd::{LE_GOURMET, Webox},
    daemon::{Daemon, sid},
    pty::OnTerminal,
    seed,
};

/// Calls of Le Gourmet: each with something asked and something answered, the last one the newest.
fn said(webox: &Webox, turns: &[(&str, &str)]) -> Store {
    let store = seed::store(webox);
    let count = turns.len() as i64;
    for (n, (heard, answered)) in turns.iter().enumerate() {
        let ago = (count - n as i64) * 60;
        let at = Timestamp::now() - SignedDuration::from_mins(ago);
        let call = seed::call_at(&store, n as u32 + 1, at, CallStatus::Completed);
        seed::turn(&store, call, 1, at, heard, answered);
    }
    store
}

fn found(store: &Store, words: &str) -> Vec<String> {
    let query = TranscriptQuery::of(words, 100).unwrap();
    let page = transcripts::search(store, &Actor::webox("test"), &query).unwrap();
    page.hits.iter().map(|hit| hit.snippet.text.clone()).collect()
}

#[test]
fn words_are_found_whatever_their_endings_and_shown_with_who_and_when() {
    let webox = Webox::with_le_gourmet();
    let store = said(
        &webox,
        &[
            ("Je voudrais annuler ma réservation", "C'est annulé."),
            ("I have two bookings", "Which one?"),
            ("Quiero cancelar las dos mesas", "Muy bien."),
            ("Haben Sie noch Tische frei?", "Ja."),
            ("Vorrei prenotare per i miei cani", "Certo."),
            ("Des ŒUFS, et des réservations à annuler", "D'accord."),
        ],
    );
    assert_eq!(
        found(&store, "reservation ANNULER"),
        ["Des ŒUFS, et des réservations à annuler", "Je voudrais annuler ma réservation"],
        "the newest call first"
    );
    assert_eq!(found(&store, "annuler").len(), 3, "what the assistant said too");
    for (words, text) in [
        ("booking", "bookings"),
        ("mesa", "mesas"),
        ("Tisch", "Tische"),
        ("cane", "cani"),
        ("oeuf", "ŒUFS"),
    ] {
        let hits = found(&store, words);
        assert!(hits.len() == 1 && hits[0].contains(text), "{words}: {hits:?}");
    }
    for nasty in [
        "\"annuler\" OR \"x",
        "a1",
        "words : annuler",
        "annul*",
        "NEAR(annuler)",
        "'; --",
        "किताब ② 犬",
        "ª º ǅ",
    ] {
        let query = TranscriptQuery::of(nasty, 10);
        if let Ok(query) = query {
            transcripts::search(&store, &Actor::webox("test"), &query).unwrap();
        }
    }
    assert_eq!(found(&store, "a1"), Vec::<String>::new(), "whose it is, is no word");
    let text = webox.run(["transcripts", "search", "réserver", "réservations", "-o", "text"]);
    text.ok().says("Nobody said this");
    let text = webox.run(["transcripts", "search", "Réservations", "-o", "text"]).ok().stdout;
    assert!(text.contains(&seed::sid(6)) && text.contains("+33612345678: Des ŒUFS"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    let json = webox.run(["transcripts", "search", "réservations", "-o", "json"]).ok().json();
    assert_eq!(json["more"], false);
    assert_eq!(json["hits"][0]["speaker"], "caller");
    assert_eq!(json["hits"][0]["turn"], 1);
    assert_eq!(json["hits"][0]["snippet"]["marks"], json!([[17, 29]]), "{json}");
    webox.run(["transcripts", "search", "…"]).code(65);
    let mut terminal = OnTerminal::start(&webox, ["transcripts", "search", "annulé"]);
    terminal.see("\u{1b}[1mannulé\u{1b}[0m");
}

#[test]
fn pages_and_windows_end_where_they_say() {
    let webox = Webox::with_le_gourmet();
    let turns: Vec<(String, String)> =
        (0..30).map(|n| (format!("Bonjour, le numéro {n}"), "Oui.".to_owned())).collect();
    let turns: Vec<(&str, &str)> =
        turns.iter().map(|(heard, said)| (heard.as_str(), said.as_str())).collect();
    let store = said(&webox, &turns);
    let mut query = TranscriptQuery::of("bonjour", 7).unwrap();
    let mut all = Vec::new();
    loop {
        let page = transcripts::search(&store, &Actor::webox("test"), &query).unwrap();
        all.extend(page.hits.into_iter().map(|hit| hit.snippet.text));
        query.before = page.next;
        if page.next.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..30).rev().map(|n| format!("Bonjour, le numéro {n}")).collect();
    assert_eq!(all, expected);
    let count = |more: &[&str]| {
        let args = ["transcripts", "search", "bonjour", "-o", "ids"].iter().chain(more);
        webox.run(args.copied()).ok().stdout.lines().count()
    };
    assert_eq!(count(&["--limit", "4"]), 4);
    assert_eq!(count(&["--limit", "0"]), 30);
    assert_eq!(count(&["--since", "630m"]), 10, "those of the last ten hours and a half");
    assert_eq!(count(&["--until", "630m"]), 20);
    assert_eq!(count(&["--assistant", "le-gourmet"]), 30);
    webox.run(["transcripts", "search", "bonjour", "--assistant", "nobody"]).code(1);
    webox.run(["transcripts", "search", "bonjour", "--limit", "4"]).ok().says("--limit 0 for all");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_in_a_call_is_found_at_once_and_by_its_owner_alone() {
    let world = World::new();
    world.daemon.ring(&sid(7)).await;
    world.daemon.say(&sid(7), 1, "Avez-vous une terrasse ombragée ?").await;
    let path = "/api/voice/transcripts/search?q=terrasses+ombrag%C3%A9es";
    let told = world.get(Who::Owner, path).await.ok();
    assert_eq!(told["hits"][0]["call_sid"], sid(7).as_str(), "{told}");
    assert_eq!(told["next"], serde_json::Value::Null);
    let theirs = world.get(Who::Other, path).await.ok();
    assert_eq!(theirs["hits"], json!([]), "{theirs}");
    let admins = world.get(Who::Admin, path).await.ok();
    assert_eq!(admins["hits"].as_array().unwrap().len(), 1);
    world.get(Who::Owner, "/api/voice/transcripts/search?q=%20").await.status(400);
    world.get(Who::Owner, "/api/voice/transcripts/search?q=a&limit=0").await.status(400);
    let theirs = format!("{path}&assistant_id=le-gourmet");
    world.get(Who::Other, &theirs).await.status(404);
    tokio::task::block_in_place(|| {
        let far = world.far(Who::Owner);
        far.run(["transcripts", "search", "ombragé", "-o", "tsv"]).ok().prints(sid(7).as_str());
        far.run(["transcripts", "search", "ombragé", "--assistant", "le-gourmet", "--limit", "1"])
            .ok()
            .prints("ombragée");
        let other = world.far(Who::Other);
        other.run(["transcripts", "search", "ombragé", "-o", "tsv"]).ok().silent();
    });
    // Given to another, it is the other's.
    tokio::task::block_in_place(|| {
        world.webox.run(["assistants", "give", "le-gourmet", "--to", "other@agence.fr"]).ok();
    });
    assert_eq!(world.get(Who::Owner, path).await.ok()["hits"], json!([]));
    assert_eq!(world.get(Who::Other, path).await.ok()["hits"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_forgotten_is_found_no_more() {
    let webox = Webox::new();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    let file = webox
        .file("le-gourmet.toml", &format!("{text}\n[compliance]\nkeep_transcripts = \"30d\"\n"));
    webox.run(["apply", "--yes", &file]).ok();
    let store = said(&webox, &[("Au nom de Zanzibar", "Zanzibar, c'est noté.")]);
    let old = Timestamp::now() - SignedDuration::from_hours(24 * 40);
    let call = seed::call_at(&store, 99, old, CallStatus::Completed);
    seed::turn(&store, call, 1, old, "Au nom de Zanzibar aussi", "Bien.");
    assert_eq!(found(&store, "zanzibar").len(), 3);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let forgot = runtime
        .block_on(retention::forget_due(&store, Timestamp::now(), std::time::Duration::ZERO))
        .unwrap();
    assert!(matches!(forgot, Looked::Forgot(1..)), "{forgot:?}");
    assert_eq!(found(&store, "zanzibar").len(), 2, "what was due is gone");
    webox.run(["privacy", "erase", "--caller", "+33612345678", "--yes"]).ok();
    assert_eq!(found(&store, "zanzibar"), Vec::<String>::new());
    assert_eq!(found(&store, "nom"), Vec::<String>::new());
    store.read(webox::store::turn_words::check).unwrap();
    for name in ["webox.db", "webox.db-wal"] {
        let bytes = std::fs::read(webox.db().with_file_name(name)).unwrap_or_default();
        let holds = bytes.windows(8).any(|part| part.eq_ignore_ascii_case(b"zanzibar"));
        assert!(!holds, "{name}");
    }
}

#[test]
fn a_turn_that_is_delivered_twice_is_indexed_once() {
    let webox = Webox::with_le_gourmet();
    let daemon = Daemon::start(&webox);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        daemon.ring(&sid(1)).await;
        daemon.say(&sid(1), 1, "Je préfère les crustacés").await;
        // Delivered twice, it is one turn.
        daemon.say(&sid(1), 1, "Je préfère les crustacés").await;
    });
    let store = seed::store(&webox);
    assert_eq!(found(&store, "crustacé"), ["Je préfère les crustacés"]);
    assert!(!found(&store, "Gourmet").is_empty(), "the greeting was said too");
    store.read(webox::store::turn_words::check).unwrap();
}
