//! `webox import`, through the real program, from files that the prototype could have left.

use std::{collections::BTreeMap, path::Path};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::cmd::{LE_GOURMET, Webox};

/// The tables as SQLAlchemy makes them.
const SCHEMA: &str = "
    CREATE TABLE voice_assistants (
        id INTEGER NOT NULL, client_name VARCHAR(255), client_email VARCHAR(255),
        twilio_phone_number VARCHAR(20), twilio_account_sid VARCHAR(255), twilio_auth_token VARCHAR(255),
        ai_model VARCHAR(50), ai_context TEXT, ai_personality VARCHAR(50), voice_provider VARCHAR(50),
        voice_id VARCHAR(100), voice_language VARCHAR(10), max_call_duration INTEGER,
        enable_recording BOOLEAN, enable_transcription BOOLEAN, fallback_to_human BOOLEAN,
        is_active BOOLEAN, owner_id VARCHAR(100), owner_email VARCHAR(255), total_calls INTEGER,
        total_duration INTEGER, average_satisfaction FLOAT, created_at DATETIME, updated_at DATETIME,
        PRIMARY KEY (id));
    CREATE TABLE voice_calls (
        id INTEGER NOT NULL, assistant_id INTEGER, call_sid VARCHAR(100), from_number VARCHAR(20),
        to_number VARCHAR(20), duration INTEGER, status VARCHAR(50), transcription TEXT,
        recording_url VARCHAR(500), satisfaction_score FLOAT, call_metadata JSON, started_at DATETIME,
        ended_at DATETIME, PRIMARY KEY (id), FOREIGN KEY(assistant_id) REFERENCES voice_assistants (id));
    CREATE INDEX ix_voice_calls_id ON voice_calls (id);
";

/// One assistant and three calls, all in order.
const GOOD: &str = "
    INSERT INTO voice_assistants VALUES (7, 'Café Léon', 'leon@chez.fr', '01 44 55 66 77', 'AC1', 's3cr3t-t0ken',
        'gpt-4', 'Tu connais la carte.', 'friendly', 'google', 'fr-A', 'fr-FR', 300, 1, 1, 0, 1, NULL, NULL,
        3, 150, 4.5, '2026-01-31 14:05:06.123456', '2026-02-01 00:00:00.000000');
    INSERT INTO voice_calls VALUES
        (1, 7, 'CA00000000000000000000000000000001', '+33612345678', '+33144556677', 75, 'completed',
            'Client: Bonjour' || char(10) || 'Assistant: Bon' || char(27) || 'jour !', 'https://api.twilio.com/r/RE1', 4.6,
            '{\"lang\": \"fr\", \"tags\": [1, 2]}', '2026-02-01 10:00:00.000000', '2026-02-01 10:01:15.000000'),
        (2, 7, 'CA00000000000000000000000000000002', 'anonymous', '+33144556677', NULL, 'no-answer',
            NULL, NULL, NULL, 'null', '2026-02-01T11:00:00', NULL),
        (3, 7, 'CA00000000000000000000000000000003', '06 12 34 56 78', NULL, 60, 'completed',
            NULL, NULL, 2.4, NULL, '2026-02-03 10:00:00', NULL);
";

/// Rows that are not as they should be, beside the good ones.
const BAD: &str = "
    INSERT INTO voice_assistants (id, client_name, twilio_phone_number, ai_model, ai_personality, voice_provider,
        voice_language, max_call_duration, client_email, is_active, fallback_to_human, enable_transcription, created_at)
    VALUES
        (8, 'Cafe Leon', '+33144556688', 'gpt-99', 'rude', 'VoiceProvider.ELEVENLABS', 'klingon', 99999, 'nobody', 0, 1, 0, 'hier'),
        (9, 'Doublon', '+33 1 44 55 66 77', NULL, NULL, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL),
        (10, 'Sans numéro', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL),
        (11, 'Faux numéro', 'abc', NULL, NULL, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL),
        (12, X'00ff', '+33144556699', NULL, NULL, NULL, NULL, NULL, NULL, 1, 0, NULL, NULL);
    INSERT INTO voice_calls (id, assistant_id, call_sid, status, started_at, duration, satisfaction_score, call_metadata, to_number, ended_at)
    VALUES
        (20, 8, 'CA00000000000000000000000000000020', 'in-progress', '2026-02-04 10:00:00', 30, NULL, NULL, NULL, NULL),
        (21, 8, 'CA00000000000000000000000000000021', 'ringing', '2026-02-04 10:00:00', NULL, 9.5, '{broken', 'nowhere', '2026-02-04 09:00:00'),
        (22, 8, 'CA00000000000000000000000000000022', 'ringing', '2026-02-04 10:00:00', 'long', NULL, NULL, NULL, NULL),
        (23, 8, 'simulated-1', 'completed', '2026-02-04 10:00:00', 30, NULL, NULL, NULL, NULL),
        (24, 8, NULL, 'completed', '2026-02-04 10:00:00', 30, NULL, NULL, NULL, NULL),
        (25, 8, 'CA00000000000000000000000000000001', 'completed', '2026-02-04 10:00:00', 30, NULL, NULL, NULL, NULL),
        (26, 10, 'CA00000000000000000000000000000026', 'completed', '2026-02-04 10:00:00', 30, NULL, NULL, NULL, NULL),
        (27, 99, 'CA00000000000000000000000000000027', 'completed', '2026-02-04 10:00:00', 30, NULL, NULL, NULL, NULL),
        (28, 8, 'CA00000000000000000000000000000028', 'completed', '31/01/2026 14:05', 30, NULL, NULL, NULL, NULL),
        (29, 8, 'CA00000000000000000000000000000029', 'completed', NULL, NULL, NULL, NULL, NULL, NULL),
        (30, 8, 'CA00000000000000000000000000000030', 'completed', '2199-01-01 00:00:00', 30, NULL, NULL, NULL, NULL),
        (31, 8, 'CA00000000000000000000000000000031', 'in-progress', strftime('%Y-%m-%d %H:%M:%S', 'now', '-5 minutes'), NULL, NULL, NULL, NULL, NULL),
        (32, 8, 'CA00000000000000000000000000000032', 'completed', '0001-01-01 00:00:00', NULL, NULL, NULL, NULL, '2026-02-04 10:00:00');
";

fn prototype(webox: &Webox, sql: &[&str]) -> String {
    let path = webox.home().join("voice.db");
    let connection = Connection::open(&path).unwrap();
    // The prototype's SQLite checks no keys, as SQLite does unless it is told to.
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for part in sql {
        connection.execute_batch(part).unwrap();
    }
    connection.close().unwrap();
    path.to_str().unwrap().to_owned()
}

/// Every file of a folder, byte for byte.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn stats(webox: &Webox) -> Value {
    webox.run(["stats", "-o", "json"]).ok().json()["stats"].clone()
}

/// The remarks of a JSON report, as `fate table:row field`.
fn remarks(report: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let told = |remark: &Value| {
        let row = remark["row"].as_u64().map_or_else(|| "-".to_owned(), |row| row.to_string());
        let (fate, table) = (word(&remark["fate"]), word(&remark["table"]));
        format!("{fate} {table}:{row} {}", word(&remark["field"]))
    };
    report["remarks"].as_array().unwrap().iter().map(told).collect()
}

#[test]
fn assistants_and_calls_come_over_whole() {
    let webox = Webox::new();
    let file = prototype(&webox, &[SCHEMA, GOOD]);
    let before = files(webox.home());
    let ran = webox
        .run(["import", "--prototype", &file])
        .ok()
        .says("1 assistant and 3 calls imported; 0 and 0 were here already; 0 refused.");
    assert_eq!(
        ran.stdout,
        "left-behind\tvoice_assistants\t1\t7\ttwilio_auth_token\ta secret is never copied: set TWILIO_AUTH_TOKEN where `webox serve` runs\n\
         left-behind\tvoice_assistants\t1\t7\ttwilio_account_sid\t`AC1`: webox has one account, the one of its TWILIO_AUTH_TOKEN\n\
         left-behind\tvoice_assistants\t1\t7\tenable_recording\ton in the prototype: webox records no sound\n"
    );
    assert_eq!(files(webox.home()), before, "the file is read and nothing is left beside it");

    let made = webox.run(["assistants", "show", "cafe-leon", "-o", "json"]).ok().json();
    let made = &made["assistant"];
    for (key, expected) in [
        ("id", json!(7)),
        ("client_name", json!("Café Léon")),
        ("client_email", json!("leon@chez.fr")),
        ("twilio_phone_number", json!("+33144556677")),
        ("ai_model", json!("gpt-4")),
        ("ai_context", json!("Tu connais la carte.")),
        ("ai_personality", json!("friendly")),
        ("voice_provider", json!("google")),
        ("voice_id", json!("fr-A")),
        ("voice_language", json!("fr-FR")),
        ("max_call_duration", json!(300)),
        ("is_active", json!(true)),
        ("created_at", json!("2026-01-31T14:05:06.123Z")),
    ] {
        assert_eq!(made[key], expected, "{key}");
    }
    let stats = stats(&webox);
    assert_eq!(stats["total_calls"], 3);
    assert_eq!(stats["total_duration"], 135);
    assert_eq!(stats["average_satisfaction"], 3.5, "5 and 2: rounded one by one");
    let counts = json!([{"status": "completed", "count": 2}, {"status": "no-answer", "count": 1}]);
    assert_eq!(stats["calls_by_status"], counts);
    let overview = webox.run(["assistants", "-o", "json"]).ok().json();
    assert_eq!(overview["assistants"][0]["total_calls"], 3, "{overview}");
    // Part of a day is summed from the rows, whole days from the roll-ups: both agree.
    let day = ["stats", "--since", "2026-02-01T00:00:00Z", "--until", "2026-02-02T00:00:00Z"];
    let day = webox.run(day.into_iter().chain(["-o", "json"])).ok().json();
    assert_eq!(day["stats"]["total_duration"], 75);
    assert!(!std::fs::read(webox.db()).unwrap().windows(12).any(|part| part == b"s3cr3t-t0ken"));
}

#[test]
fn a_call_shows_what_it_brought() {
    let webox = Webox::new();
    let file = prototype(&webox, &[SCHEMA, GOOD]);
    webox.run(["import", "--prototype", &file]).ok();
    let first = "CA00000000000000000000000000000001";
    let shown = webox.run(["calls", "show", first, "-o", "json"]).ok().json();
    let call = &shown["call"];
    assert_eq!(call["transcription"], "Client: Bonjour\nAssistant: Bon\u{1b}jour !");
    assert_eq!(call["recording_url"], "https://api.twilio.com/r/RE1");
    assert_eq!(call["call_metadata"], json!({"lang": "fr", "tags": [1, 2]}));
    assert_eq!(call["satisfaction_score"], 5);
    assert_eq!(call["started_at"], "2026-02-01T10:00:00Z");
    assert_eq!(call["ended_at"], "2026-02-01T10:01:15Z");
    let table = webox.run(["calls", "show", first, "-o", "table"]).ok().stdout;
    assert!(table.contains("\nClient: Bonjour\nAssistant: Bon jour !\n"), "{table}");
    assert!(table.contains("Recording: https://api.twilio.com/r/RE1"), "{table}");
    let calls = webox.run(["calls", "-o", "json"]).ok().json();
    let from: Vec<&Value> =
        calls["calls"].as_array().unwrap().iter().map(|call| &call["from_number"]).collect();
    assert_eq!(from, [&json!("+33612345678"), &Value::Null, &json!("+33612345678")]);
    assert_eq!(
        calls["calls"][0]["to_number"], "+33144556677",
        "the assistant's, when none is noted"
    );
    assert_eq!(calls["calls"][0]["ended_at"], "2026-02-03T10:01:00Z", "from its duration");
}

#[test]
fn every_row_that_is_not_taken_is_named_with_its_reason() {
    let webox = Webox::new();
    let file = prototype(&webox, &[SCHEMA, GOOD, BAD]);
    let before = files(webox.home());
    let ran = webox.run(["import", "--prototype", &file, "-o", "json"]).code(1);
    let report = ran.json();
    assert_eq!(report["assistants"], json!({"taken": 2, "present": 0, "refused": 4}));
    assert_eq!(report["calls"], json!({"taken": 7, "present": 0, "refused": 9}));
    assert!(ran.stderr.contains("13 rows could not be taken; the others are"), "{}", ran.stderr);
    let told = remarks(&report);
    assert_eq!(
        &told[3..],
        [
            "changed voice_assistants:2 client_name",
            "changed voice_assistants:2 client_email",
            "changed voice_assistants:2 ai_model",
            "changed voice_assistants:2 ai_personality",
            "changed voice_assistants:2 voice_language",
            "changed voice_assistants:2 max_call_duration",
            "left-behind voice_assistants:2 enable_transcription",
            "left-behind voice_assistants:2 fallback_to_human",
            "changed voice_assistants:2 created_at",
            "refused voice_assistants:3 twilio_phone_number",
            "refused voice_assistants:4 twilio_phone_number",
            "refused voice_assistants:5 twilio_phone_number",
            "refused voice_assistants:6 client_name",
            "changed voice_calls:4 status",
            "changed voice_calls:5 call_metadata",
            "changed voice_calls:5 status",
            "changed voice_calls:5 ended_at",
            "changed voice_calls:5 to_number",
            "changed voice_calls:5 satisfaction_score",
            "changed voice_calls:6 duration",
            "changed voice_calls:6 status",
            "refused voice_calls:7 call_sid",
            "refused voice_calls:8 call_sid",
            "refused voice_calls:9 call_sid",
            "refused voice_calls:10 assistant_id",
            "refused voice_calls:11 assistant_id",
            "refused voice_calls:12 started_at",
            "refused voice_calls:13 started_at",
            "refused voice_calls:14 started_at",
            "refused voice_calls:15 status",
            "changed voice_calls:16 ended_at",
        ]
    );
    let reason = |row: u64, field: &str| {
        let all = report["remarks"].as_array().unwrap();
        let is_it = |remark: &&Value| remark["row"] == row && remark["field"] == field;
        all.iter().find(is_it).unwrap()["reason"].as_str().unwrap().to_owned()
    };
    assert_eq!(reason(2, "client_name"), "named `cafe-leon-2`: there is a `cafe-leon` already");
    assert_eq!(reason(2, "ai_model"), "`gpt-99` is taken as `builtin`: no such model is known");
    assert_eq!(reason(2, "max_call_duration"), "`99999` is taken as 4h: 30s to 4h are allowed");
    assert!(reason(3, "twilio_phone_number").contains("the number of the assistant `cafe-leon`"));
    assert_eq!(
        reason(9, "call_sid"),
        "CA00000000000000000000000000000001 is the call of row 1, too"
    );
    assert_eq!(reason(10, "assistant_id"), "its assistant `10` could not be taken");
    assert_eq!(reason(12, "started_at"), "`31/01/2026 14:05` is no time that can be read");
    assert!(reason(15, "status").contains("may be going on"));

    let second = webox.run(["assistants", "show", "cafe-leon-2", "-o", "json"]).ok().json();
    assert_eq!(second["assistant"]["voice_provider"], "elevenlabs");
    assert_eq!(second["assistant"]["is_active"], false);
    let status = |sid: &str| {
        let shown = webox.run(["calls", "show", sid, "-o", "json"]).ok().json();
        let call = &shown["call"];
        format!("{} {} {}", call["status"], call["end_reason"], call["duration"])
    };
    assert_eq!(status("CA00000000000000000000000000000020"), r#""completed" "swept" 30"#);
    assert_eq!(status("CA00000000000000000000000000000021"), r#""completed" "swept" 0"#);
    assert_eq!(status("CA00000000000000000000000000000032"), r#""completed" null 0"#);
    assert_eq!(status("CA00000000000000000000000000000022"), r#""failed" "swept" 0"#);
    assert_eq!(files(webox.home()), before);
    assert_eq!(stats(&webox)["total_calls"], 7);

    // Again: nothing new, the same rows refused, and nothing is counted twice.
    let figures = stats(&webox);
    let again = webox.run(["import", "--prototype", &file]).code(1);
    assert!(
        again.stderr.contains("Nothing new; 2 and 7 were here already; 13 refused."),
        "{}",
        again.stderr
    );
    assert_eq!(again.stdout.lines().count(), 13, "{}", again.stdout);
    assert_eq!(stats(&webox), figures);
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let webox = Webox::new();
    let file = prototype(&webox, &[SCHEMA, GOOD, BAD]);
    let dry = webox.run(["import", "--prototype", &file, "--dry-run"]).code(1);
    assert!(dry.stderr.contains("2 assistants and 7 calls to import"), "{}", dry.stderr);
    assert!(!webox.db().exists());
    let real = webox.run(["import", "--prototype", &file]).code(1);
    assert_eq!(dry.stdout, real.stdout);
    let quiet = webox.run(["import", "--prototype", &file, "-n", "-q", "-o", "ids"]).code(1);
    assert!(quiet.stdout.starts_with("voice_assistants:3\n"), "{}", quiet.stdout);
}

#[test]
fn a_second_import_takes_only_what_is_new_whatever_was_changed_here() {
    let webox = Webox::new();
    let file = prototype(&webox, &[SCHEMA, GOOD]);
    webox.run(["import", "--prototype", &file]).ok();
    let edit = ["assistants", "edit", "cafe-leon", "--phone", "+33144550000", "--model", "builtin"];
    webox.run(edit).ok();
    Connection::open(&file)
        .unwrap()
        .execute_batch(
            "INSERT INTO voice_calls (id, assistant_id, call_sid, status, started_at, duration)
             VALUES (4, 7, 'CA00000000000000000000000000000004', 'busy', '2026-02-05 10:00:00', 0)",
        )
        .unwrap();
    let ran = webox.run(["import", "--prototype", &file]).ok();
    assert!(
        ran.stderr.contains("0 assistants and 1 call imported; 1 and 3 were"),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.stdout, "");
    let shown = webox.run(["assistants", "show", "7", "-o", "json"]).ok().json();
    assert_eq!(shown["assistant"]["ai_model"], "builtin", "a change made here stands");
    webox.run(["import", "--prototype", &file]).ok().says("Nothing new");
    // Deleted here stays deleted.
    webox.run(["assistants", "delete", "7", "--yes"]).ok();
    webox.run(["import", "--prototype", &file]).ok().says("Nothing new");
    assert_eq!(webox.run(["assistants"]).ok().stdout, "");
}

#[test]
fn what_is_here_keeps_its_id_its_name_and_its_number() {
    let webox = Webox::with_le_gourmet();
    let rows = "
        INSERT INTO voice_assistants (id, client_name, twilio_phone_number, ai_model, is_active) VALUES
            (1, 'Le Gourmet', '+33144556677', 'builtin', 1), (2, 'Autre', '+33123456789', 'builtin', 1),
            (3, '日本', '+33144556678', 'builtin', 1)";
    let file = prototype(&webox, &[SCHEMA, rows]);
    let report = webox.run(["import", "--prototype", &file, "-o", "json"]).code(1).json();
    assert_eq!(
        remarks(&report),
        [
            "changed voice_assistants:1 client_name",
            "changed voice_assistants:1 id",
            "refused voice_assistants:2 twilio_phone_number"
        ]
    );
    let all = webox.run(["assistants", "-o", "json"]).ok().json();
    let mut ids: Vec<(&str, i64)> = all["assistants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["id"].as_i64().unwrap()))
        .collect();
    ids.sort_by_key(|(_, id)| *id);
    assert_eq!(ids, [("le-gourmet", 1), ("assistant-3", 3), ("le-gourmet-2", 4)]);
    webox
        .run(["apply", "--yes", LE_GOURMET])
        .ok()
        .says("No changes: 1 assistant is as the files say.");
}

#[test]
fn an_older_prototype_lacks_columns() {
    let webox = Webox::new();
    let file = prototype(
        &webox,
        &["CREATE TABLE voice_assistants (id INTEGER PRIMARY KEY, client_name TEXT,
               twilio_phone_number TEXT, ai_model TEXT, is_active BOOLEAN, colour TEXT);
           INSERT INTO voice_assistants VALUES (1, 'A', '+33144556677', 'claude-3', 1, 'red');
           CREATE TABLE voice_calls (id INTEGER PRIMARY KEY, assistant_id INTEGER, call_sid TEXT,
               status TEXT, started_at DATETIME);
           INSERT INTO voice_calls VALUES
               (1, 1, 'CA00000000000000000000000000000001', 'COMPLETED', '2026-02-01 10:00:00')"],
    );
    let report = webox.run(["import", "--prototype", &file, "-o", "json"]).ok().json();
    let told = remarks(&report);
    assert!(told.contains(&"changed voice_calls:- transcription".to_owned()), "{told:?}");
    assert!(told.contains(&"left-behind voice_assistants:- colour".to_owned()), "{told:?}");
    assert_eq!(stats(&webox)["calls_by_status"], json!([{"status": "completed", "count": 1}]));
    let shown = webox.run(["assistants", "show", "a", "-o", "json"]).ok().json();
    assert_eq!(shown["assistant"]["max_call_duration"], 600);
    assert_eq!(shown["assistant"]["voice_language"], "fr-FR");
}

#[test]
fn a_file_in_use_is_read_to_its_newest_row_and_left_alone() {
    let webox = Webox::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("voice.db");
    let running = Connection::open(&file).unwrap();
    running.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
    running.execute_batch(SCHEMA).unwrap();
    running.execute_batch(GOOD).unwrap();
    let before = files(folder.path());
    assert!(!before["voice.db-wal"].is_empty());
    let path = file.to_str().unwrap();
    webox.run(["import", "--prototype", path]).ok().says("1 assistant and 3 calls imported");
    assert_eq!(files(folder.path()), before);
    // Closed in good order, it is still marked as one with a log.
    running.close().unwrap();
    let before = files(folder.path());
    assert_eq!(before.len(), 1);
    webox.run(["import", "--prototype", path]).ok().says("Nothing new");
    assert_eq!(files(folder.path()), before);
    assert!(
        std::fs::read_dir(webox.home()).unwrap().all(|entry| entry.unwrap().file_name() == "data"),
        "no copy is left in TMPDIR"
    );
}

#[test]
fn a_writer_in_the_middle_of_something_is_not_disturbed() {
    let webox = Webox::new();
    let file = prototype(&webox, &[SCHEMA, GOOD]);
    let writer = Connection::open(&file).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM voice_calls WHERE id = 3").unwrap();
    webox.run(["import", "--prototype", &file]).ok().says("1 assistant and 3 calls imported");
    writer.execute_batch("COMMIT").unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    webox
        .run(["import", "--prototype", &file])
        .code(75)
        .says("is being written by another program");
    writer.execute_batch("ROLLBACK").unwrap();
    webox.run(["import", "--prototype", &file]).ok().says("Nothing new");
}

#[test]
fn other_files_are_told_apart_and_make_no_store() {
    let webox = Webox::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let import = |file: &str| webox.run(["import", "--prototype", file]).silent();
    import(&path("missing.db")).code(65).says("there is no file");
    assert!(!Path::new(&path("missing.db")).exists());
    import(folder.path().to_str().unwrap()).code(65).says("is not a file");
    std::fs::write(path("empty.db"), "").unwrap();
    import(&path("empty.db")).code(65).says("is not an SQLite database");
    std::fs::write(path("text.db"), "Bonjour ! ".repeat(50)).unwrap();
    import(&path("text.db")).code(65).says("is not an SQLite database");
    let foreign = Connection::open(path("foreign.db")).unwrap();
    foreign.execute_batch("CREATE TABLE recipes (id INTEGER)").unwrap();
    foreign.close().unwrap();
    import(&path("foreign.db")).code(65).says("no table `voice_assistants`");
    let own = Webox::with_le_gourmet();
    import(own.db().to_str().unwrap()).code(65).says("no table `voice_assistants`");
    assert!(!webox.db().exists(), "a wrong file makes no store");
    webox.run(["import"]).code(64).says("--prototype");
    let error = webox.run(["import", "--prototype", &path("missing.db"), "-o", "json"]).code(65);
    let error: Value = serde_json::from_str(&error.stderr).unwrap();
    assert_eq!(error["error"]["code"], "input");
}

#[test]
fn a_damaged_file_is_refused_before_anything_is_taken() {
    let webox = Webox::new();
    let file = prototype(&webox, &[SCHEMA, GOOD, &many(2_000)]);
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    webox.run(["import", "--prototype", &file]).code(65).silent().says("damaged or cut short");
    let mut torn = whole.clone();
    let middle = whole.len() / 2 / 4096 * 4096;
    torn[middle..middle + 8 * 4096].fill(0xff);
    std::fs::write(&file, &torn).unwrap();
    webox.run(["import", "--prototype", &file]).code(65).silent().says("damaged or cut short");
    assert_eq!(std::fs::read(&file).unwrap(), torn);
    assert!(webox.run(["calls"]).ok().stdout.is_empty());
}

/// Many calls of assistant 7, from the 100th SID on.
fn many(count: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
         INSERT INTO voice_calls (assistant_id, call_sid, from_number, duration, status, transcription,
            satisfaction_score, started_at)
         SELECT 7, 'CA' || printf('%032x', i + 256), '+33612345678', i % 300,
            CASE i % 4 WHEN 0 THEN 'failed' ELSE 'completed' END, 'Client: Bonjour ' || i, i % 6,
            strftime('%Y-%m-%d %H:%M:%f', 1770000000 + i * 600, 'unixepoch') FROM n"
    )
}

#[test]
fn ten_thousand_calls_come_in_pages_and_their_sums_are_right() {
    let webox = Webox::new();
    let file = prototype(&webox, &[SCHEMA, GOOD, "DELETE FROM voice_calls", &many(10_000)]);
    let begun = std::time::Instant::now();
    webox.run(["import", "--prototype", &file]).ok().says("1 assistant and 10,000 calls imported");
    let took = begun.elapsed();
    assert!(took.as_secs() < 60, "{took:?}");
    let source = Connection::open(&file).unwrap();
    let (calls, duration, failed): (i64, i64, i64) = source
        .query_row(
            "SELECT count(*), sum(duration), sum(status = 'failed') FROM voice_calls",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    let stats = stats(&webox);
    assert_eq!(stats["total_calls"], calls);
    assert_eq!(stats["total_duration"], duration);
    let by_status: BTreeMap<&str, i64> = stats["calls_by_status"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["status"].as_str().unwrap(), one["count"].as_i64().unwrap()))
        .collect();
    assert_eq!(by_status, BTreeMap::from([("completed", calls - failed), ("failed", failed)]));
    let by_day = webox.run(["stats", "--by", "day", "--utc", "-o", "json"]).ok().json();
    let days = by_day["rows"].as_array().or(by_day["days"].as_array());
    assert!(days.is_none_or(|days| days.len() > 60), "{by_day}");
    webox.run(["import", "--prototype", &file]).ok().says("Nothing new; 1 and 10,000 were");
}
