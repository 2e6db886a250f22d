//! Rows for other programs: whole, readable where they are read, and nobody's who may not see them.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read, Write},
    net::TcpListener,
    path::PathBuf,
};

use jiff::{SignedDuration, Timestamp};
use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::RowAccessor,
};
use serde_json::Value;
use webox::{domain::CallStatus, store::Store};

use crate::support::{
    api::{Who, World},
    cmd::Webox,
    seed,
};

/// Words that a spreadsheet would calculate, with quotes, lines and accents.
const NASTY: &str = "=HYPERLINK(\"http://x\";\"Léa; à l'œuvre\")\nsuite";

/// Calls of Le Gourmet a minute apart, the oldest first, each with two turns.
fn filled(webox: &Webox, calls: u32) -> Store {
    let store = seed::store(webox);
    for n in 1..=calls {
        let at = Timestamp::now() - SignedDuration::from_mins(i64::from(calls - n + 1));
        let call = seed::call_at(&store, n, at, CallStatus::Completed);
        let heard = if n == 1 { NASTY } else { "Une table pour quatre, au 06 12 34 56 78" };
        seed::turn(&store, call, 1, at, heard, "C'est noté.");
        seed::turn(&store, call, 2, at, "Merci", "Au revoir.");
        if n == 1 {
            seed::contact(&store, call);
        }
    }
    seed::booking(&store);
    store
}

fn jsonl(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn records(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_table_for_a_spreadsheet_has_every_value_and_calculates_none() {
    let webox = Webox::with_le_gourmet();
    filled(&webox, 3);
    let csv = webox.run(["export", "turns"]).ok().stdout;
    let rows = records(&csv);
    assert_eq!(rows.len(), 7, "a heading and two turns of three calls");
    assert!(csv.ends_with("\r\n") && csv.matches("\r\n").count() == 7, "{csv:?}");
    let heard = rows[0].iter().position(|name| name == "heard").unwrap();
    assert_eq!(rows[1][heard], format!("'{NASTY}"), "the oldest call first");
    assert_eq!(rows[2][heard], "Merci");
    let calls = records(&webox.run(["export", "calls"]).ok().stdout);
    let from = calls[0].iter().position(|name| name == "from_number").unwrap();
    assert_eq!(calls[1][from], "+33612345678", "numbers of telephones stay what they are");
    let marked = webox.run(["export", "calls", "--bom"]).ok().stdout;
    assert!(marked.starts_with("\u{feff}id,"));
    webox.run(["export", "calls", "--bom", "--format", "jsonl"]).code(64).says("--bom is of CSV");
    // Listings of other commands hold to it as well.
    let listed = webox.run(["transcripts", "search", "suite", "-o", "csv"]).ok().stdout;
    assert!(
        !listed.lines().any(|line| line.split(',').any(|cell| cell.starts_with('='))),
        "{listed}"
    );
}

#[test]
fn lines_of_json_say_what_the_api_says() {
    let webox = Webox::with_le_gourmet();
    filled(&webox, 3);
    for (args, dataset) in [
        (&["calls", "-o", "json"][..], "calls"),
        (&["bookings", "-o", "json"], "bookings"),
        (&["contacts", "-o", "json"], "contacts"),
    ] {
        let shown = webox.run(args.iter().copied()).ok().json();
        let shown = shown.as_array().cloned().unwrap_or_else(|| {
            shown[dataset].as_array().unwrap_or_else(|| panic!("{shown}")).clone()
        });
        let rows = jsonl(&webox.run(["export", dataset, "--format", "jsonl"]).ok().stdout);
        assert_eq!(rows.len(), shown.len(), "{dataset}");
        for row in &rows {
            let same = shown.iter().find(|one| one["id"] == row["id"]).unwrap();
            let mut compared = 0;
            for (name, value) in row.as_object().unwrap() {
                if let Some(told) = same.get(name) {
                    assert_eq!(told, value, "{dataset}: {name}");
                    compared += 1;
                }
            }
            assert!(compared > 5, "{dataset}: {same} and {row}");
        }
    }
    let call = webox.run(["calls", "show", seed::sid(1).as_str(), "-o", "json"]).ok().json();
    let turns = jsonl(&webox.run(["export", "turns", "--format", "jsonl"]).ok().stdout);
    for name in [
        "heard",
        "heard_as",
        "said",
        "confidence",
        "heard_at",
        "attempts",
        "tools",
        "reply_ms",
        "next",
    ] {
        assert_eq!(turns[0][name], call["turns"][0][name], "{name}");
    }
    assert_eq!(turns[0]["call_sid"], seed::sid(1));
}

#[test]
fn a_window_and_an_assistant_are_kept_to_and_pages_lose_nothing() {
    let webox = Webox::with_le_gourmet();
    // More than are read at once, many of them at the same moment.
    let store = seed::store(&webox);
    let at = Timestamp::now() - SignedDuration::from_hours(2);
    for n in 0..12_000 {
        seed::call_at(
            &store,
            n,
            at + SignedDuration::from_secs(i64::from(n / 7_000)),
            CallStatus::Completed,
        );
    }
    let all = jsonl(&webox.run(["export", "calls", "--format", "jsonl"]).ok().stdout);
    let sids: BTreeSet<&str> = all.iter().map(|call| call["call_sid"].as_str().unwrap()).collect();
    assert_eq!((all.len(), sids.len()), (12_000, 12_000));
    let of_one =
        ["export", "calls", "--format", "jsonl", "--assistant", "le-gourmet", "--since", "1h"];
    assert_eq!(webox.run(of_one).ok().stdout, "");
    let later = (at + SignedDuration::from_secs(1)).to_string();
    let args =
        ["export", "calls", "--format", "jsonl", "--assistant", "le-gourmet", "--since", &later];
    assert_eq!(jsonl(&webox.run(args).ok().stdout).len(), 5_000);
    let args = ["export", "calls", "--format", "jsonl", "--until", &later];
    assert_eq!(jsonl(&webox.run(args).ok().stdout).len(), 7_000);
    webox.run(["export", "contacts", "--assistant", "le-gourmet"]).code(65).says("of its owner");
    // Turns of several pages are read at the same time, and stand in their order.
    let sql = rusqlite::Connection::open(webox.db()).unwrap();
    for number in [1, 2] {
        sql.execute(
            "INSERT INTO turns (call_id, number, heard_kind, heard, heard_at, said, language, engine)
             SELECT id, ?1, 'speech', 'Bonjour', started_at, 'Oui.', 'fr-FR', 'builtin' FROM calls",
            [number],
        )
        .unwrap();
    }
    for args in [&["export", "turns"][..], &["export", "turns", "--assistant", "le-gourmet"]] {
        let rows = records(&webox.run(args.iter().copied()).ok().stdout);
        let heading = &rows[0];
        let column = |name: &str| heading.iter().position(|field| field == name).unwrap();
        let (call, number, at) = (column("call_id"), column("number"), column("heard_at"));
        let keys: Vec<(&str, i64, i64)> = rows[1..]
            .iter()
            .map(|row| (&*row[at], row[call].parse().unwrap(), row[number].parse().unwrap()))
            .collect();
        assert_eq!(keys.len(), 24_000);
        assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] != pair[1]));
    }
}

/// A daemon that answers the beginning of something, once.
fn breaking_off(beginning: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 4_096];
        let _ = stream.read(&mut asked).unwrap();
        let length = beginning.len();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ntransfer-encoding: chunked\r\n";
        write!(stream, "{head}\r\n{length:x}\r\n{beginning}\r\n").unwrap();
    });
    format!("http://{address}")
}

fn parquet(path: &PathBuf) -> (Vec<String>, Vec<parquet::record::Row>) {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let fields = reader.metadata().file_metadata().schema_descr();
    let names = fields.columns().iter().map(|column| column.name().to_owned()).collect();
    (names, reader.get_row_iter(None).unwrap().map(Result::unwrap).collect())
}

#[test]
fn a_file_of_parquet_holds_the_same_with_types() {
    let webox = Webox::with_le_gourmet();
    filled(&webox, 3);
    let path = webox.home().join("turns.parquet");
    let text = path.to_str().unwrap();
    webox.run(["export", "turns", "--out", text]).ok().says("6 turns into");
    let (names, rows) = parquet(&path);
    let at = |name: &str| names.iter().position(|known| known == name).unwrap();
    let lines = jsonl(&webox.run(["export", "turns", "--format", "jsonl"]).ok().stdout);
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(&lines) {
        assert_eq!(row.get_string(at("heard")).unwrap(), line["heard"].as_str().unwrap());
        assert_eq!(row.get_long(at("reply_ms")).unwrap(), line["reply_ms"].as_i64().unwrap());
        let heard_at: Timestamp = line["heard_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(row.get_timestamp_millis(at("heard_at")).unwrap(), heard_at.as_millisecond());
        assert!(row.get_string(at("ear")).is_err(), "what is not there is null");
    }
    // Of nothing it is still a file that can be read.
    webox.run(["export", "ledger", "--until", "2020-01-01", "--out", text]).ok();
    assert_eq!(parquet(&path).1.len(), 0);
}

#[test]
fn redacted_rows_do_not_tell_who_it_was() {
    let webox = Webox::with_le_gourmet();
    filled(&webox, 3);
    for dataset in ["calls", "turns", "bookings", "ledger", "contacts"] {
        for format in ["csv", "jsonl"] {
            let text = webox.run(["export", dataset, "--redact", "--format", format]).ok().stdout;
            for canary in ["33612345678", "06 12 34 56 78", "Zoé"] {
                assert!(!text.contains(canary), "{dataset} {format}: {text}");
            }
        }
    }
    let calls = jsonl(&webox.run(["export", "calls", "--redact", "--format", "jsonl"]).ok().stdout);
    let caller = calls[0]["from_number"].as_str().unwrap();
    assert!(caller.starts_with("caller:") && caller.len() == 23, "{caller}");
    assert!(calls.iter().all(|call| call["from_number"] == caller), "one caller is one caller");
    let turns = jsonl(&webox.run(["export", "turns", "--redact", "--format", "jsonl"]).ok().stdout);
    assert_eq!(turns[2]["heard"], "Une table pour quatre, au [number]");
    let audit = webox.run(["audit", "-o", "json"]).ok().stdout;
    assert!(audit.contains("dataset/calls"), "who took rows out is known: {audit}");
}

#[test]
fn a_file_is_there_when_it_is_whole() {
    let webox = Webox::with_le_gourmet();
    filled(&webox, 2);
    let path = webox.home().join("calls.csv");
    webox.run(["export", "calls", "--out", path.to_str().unwrap()]).ok();
    let before = std::fs::read_to_string(&path).unwrap();
    assert_eq!(records(&before).len(), 3);
    // A daemon that breaks off in the middle.
    let server = breaking_off("id,assistant_id\r\n1,1\r\n");
    let args = ["export", "calls", "--server", &server, "--out", path.to_str().unwrap()];
    let ran = webox.command(args).env("WEBOX_TOKEN", "wbx_test").output().unwrap();
    assert_eq!(ran.status.code(), Some(69), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    let left: Vec<_> = std::fs::read_dir(webox.home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".webox-"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    webox
        .run(["export", "calls", "--out", "/nowhere/calls.csv"])
        .code(1)
        .says("could not be written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_hands_out_the_same_rows_to_those_who_may_see_them() {
    let world = World::new();
    for (format, media) in [
        ("csv", "text/csv; charset=utf-8"),
        ("jsonl", "application/x-ndjson"),
        ("parquet", "application/vnd.apache.parquet"),
    ] {
        let path = format!("/api/voice/export/calls?format={format}");
        let answer = world.get(Who::Owner, &path).await.status(200);
        assert_eq!(answer.header("content-type"), media);
        assert_eq!(
            answer.header("content-disposition"),
            format!("attachment; filename=\"calls.{format}\"")
        );
    }
    let own = world.get(Who::Owner, "/api/voice/export/calls?format=jsonl").await.status(200);
    let calls = jsonl(&own.text);
    assert!(!calls.is_empty());
    let here = tokio::task::block_in_place(|| {
        world.webox.run(["export", "calls", "--format", "jsonl"]).ok().stdout
    });
    assert_eq!(own.text, here);
    for dataset in ["calls", "turns", "bookings", "ledger", "contacts"] {
        let path = format!("/api/voice/export/{dataset}?format=jsonl");
        let other = world.get(Who::Other, &path).await.status(200);
        assert_eq!(other.text, "", "{dataset}");
    }
    world.get(Who::Owner, "/api/voice/export/tokens").await.status(404);
    world.get(Who::Owner, "/api/voice/export/calls?format=xlsx").await.status(400);
}
