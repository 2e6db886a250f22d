//! Files as the truth: validate, plan, apply, export, history, rollback, through the real binary.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio};

use serde_json::Value;

use crate::support::{
    cmd::{Ran, Webox},
    daemon::{Daemon, sid, spoken},
    fake_http::{KEY, say},
    fake_openai::FakeOpenAi,
    pty::OnTerminal,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assistants");

fn file(webox: &Webox, name: &str, number: u32, more: &str) -> String {
    let text = format!(
        "name = \"{name}\"\nclient = \"Client {name}\"\nphone = \"+3319900{number:04}\"\ncontext = \"Bonjour\"\n{more}"
    );
    webox.file(&format!("clients/{name}.toml"), &text)
}

/// Two clients, applied.
fn two() -> Webox {
    let webox = Webox::new();
    file(&webox, "one", 1, "");
    file(&webox, "two", 2, "");
    webox.run(["apply", "--yes", "clients"]).ok();
    webox
}

fn plan(webox: &Webox) -> Value {
    webox.run(["plan", "clients", "-o", "json"]).ok().json()
}

fn validate(webox: &Webox) -> Ran {
    webox.run(["validate", "clients"])
}

#[test]
fn the_shipped_assistants_are_valid_and_apply_twice() {
    let webox = Webox::new();
    webox.run(["validate", FOLDER]).ok().says("6 assistants are valid");
    webox.run(["apply", "--yes", FOLDER]).ok().says("6 created");
    let before = fs::read(webox.db()).unwrap();
    let log = fs::metadata(webox.db().with_extension("db-wal")).map_or(0, |meta| meta.len());
    webox.run(["apply", FOLDER]).ok().says("No changes: 6 assistants are as the files say.");
    assert!(fs::read(webox.db()).unwrap() == before, "the second apply wrote");
    let after = fs::metadata(webox.db().with_extension("db-wal")).map_or(0, |meta| meta.len());
    assert_eq!(log, after, "the second apply wrote");
    webox.run(["history", "-o", "ids"]).ok().prints("1\n");
    assert_eq!(webox.run(["history", "-o", "ids"]).stdout, "1\n", "and recorded nothing");
}

#[test]
fn every_mistake_is_told_with_its_line_and_no_secret_is_shown() {
    let webox = Webox::new();
    file(
        &webox,
        "a",
        1,
        "[ai]\nmodle = \"sk-live-12345678901234\"\napi_key = \"sk-live-98765432109876\"\npersonality = \"frendly\"\n",
    );
    file(&webox, "b", 2, "[booking]\ncapacity = 2\n");
    file(&webox, "c", 2, "");
    let ran = validate(&webox).code(65).silent();
    insta::assert_snapshot!(ran.stderr);
    for output in ["json", "jsonl", "github"] {
        let ran = webox.run(["validate", "clients", "-o", output]).code(65);
        assert!(!ran.stdout.contains("sk-live") && !ran.stderr.contains("sk-live"), "{output}");
    }
    let json = webox.run(["validate", "clients", "-o", "json"]).code(65).json();
    assert_eq!(json["valid"], false);
    assert_eq!(json["problems"].as_array().unwrap().len(), 5, "{json:#}");
    let last = &json["problems"][4];
    assert_eq!((&last["line"], &last["also"]["file"]), (&3.into(), &"clients/b.toml".into()));
    let github = webox.run(["validate", "clients", "-o", "github"]).code(65).stdout;
    assert!(
        github.contains("::error file=clients/a.toml,line=6,col=1,endColumn=6,title=webox validate::unknown key `modle`%0A"),
        "{github}"
    );
    // Nothing was opened, let alone written.
    assert!(!webox.db().exists());
}

#[test]
fn a_secret_in_a_wrong_place_is_not_shown_either() {
    for text in [
        "name = \"a\"\napi_key = \"sk-live-12345678901234",
        "name = \"a\"\nmystery = \"sk-live-12345678901234\"\n",
        "name = \"a\"\nclient = sk-live-12345678901234\n",
        "name = \"a\"\ntwilio_auth_token: sk-live-1\n",
        "name = \"a\"\ncontext = \"\"\"\nsk-live-1\"\"\" x\n",
        "name = \"a\"\n[ai]\nmodel = { key = \"sk-live-12345678901234\" }\n",
        "name = \"a\"\n[ai]\napi_key = { env = \"A\", x = \"sk-live-12345678901234\" }\n",
    ] {
        let webox = Webox::new();
        webox.file("clients/a.toml", text);
        let ran = validate(&webox).code(65);
        assert!(!ran.stderr.contains("sk-live-1"), "{}", ran.stderr);
    }
}

#[test]
fn defaults_are_shared_and_their_mistakes_told_once_where_they_stand() {
    let webox = Webox::new();
    webox.file(
        "clients/_defaults.toml",
        "set = \"paris\"\n[ai]\npersonality = \"formal\"\n[limits]\nmax_call_duration = \"5m\"\n",
    );
    file(&webox, "one", 1, "");
    file(&webox, "two", 2, "[ai]\npersonality = \"casual\"\n");
    webox.file("config/webox/webox.toml", "[defaults.limits]\nmax_concurrent_calls = 7\n");
    webox.run(["apply", "--yes", "clients"]).ok();
    let show = |name: &str| webox.run(["assistants", "show", name, "-o", "json"]).ok().json();
    let one = show("one");
    assert_eq!(one["assistant"]["ai_personality"], "formal");
    assert_eq!(one["assistant"]["max_call_duration"], 300);
    assert_eq!(one["assistant"]["max_concurrent_calls"], 7);
    assert_eq!(show("two")["assistant"]["ai_personality"], "casual");
    webox
        .file("clients/_defaults.toml", "phone = \"+33199000001\"\n[ai]\npersonality = \"frml\"\n");
    let ran = validate(&webox).code(65);
    assert_eq!(ran.stderr.matches("clients/_defaults.toml:3:15").count(), 1, "{}", ran.stderr);
    ran.says("`phone` has no default");
}

#[test]
fn plan_shows_fields_and_lines_and_exit_codes() {
    let webox = two();
    assert_eq!(
        webox.run(["plan", "clients", "--detailed-exitcode"]).code(0).stdout,
        "No changes. 2 as the files say.\n"
    );
    let text = "name = \"one\"\nclient = \"Client one\"\nphone = \"+33199000001\"\ncontext = \"\"\"\nBonjour\nBonsoir\n\"\"\"\n[ai]\napi_key = { env = \"ONE_KEY\" }\n[limits]\nmax_concurrent_calls = 3\n";
    webox.file("clients/one.toml", text);
    file(&webox, "three", 3, "");
    fs::remove_file(webox.home().join("clients/two.toml")).unwrap();
    let ran = webox.run(["plan", "clients", "--prune", "--detailed-exitcode"]).code(2);
    insta::assert_snapshot!(ran.stdout);
    let markdown = webox.run(["diff", "clients", "--prune", "-o", "markdown"]).ok();
    insta::assert_snapshot!(markdown.stdout);
    let json = plan(&webox);
    assert_eq!(json["summary"]["create"], 1);
    assert_eq!(json["orphans"], serde_json::json!(["two"]));
    // A plan writes nothing.
    webox.run(["assistants", "show", "three"]).code(1);
}

#[test]
fn a_plan_is_applied_exactly_or_refused_with_what_moved() {
    let webox = two();
    file(&webox, "one", 1, "[limits]\nmax_concurrent_calls = 3\n");
    webox.run(["plan", "clients", "--out", "plan.json"]).ok();
    let path = webox.home().join("plan.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // What the file says by now does not matter: the plan was looked at.
    file(&webox, "one", 1, "[limits]\nmax_concurrent_calls = 4\n");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(webox.home().join("forged.json"), text.replace(": 3", ": 9")).unwrap();
    webox.run(["apply", "--plan", "forged.json"]).code(65).says("was changed after it was made");
    webox.run(["apply", "--plan", "plan.json"]).ok().says("1 changed");
    let json = webox.run(["assistants", "show", "one", "-o", "json"]).ok().json();
    assert_eq!(json["assistant"]["max_concurrent_calls"], 3);
    webox
        .run(["apply", "--plan", "plan.json"])
        .code(3)
        .says("`one` is at version 2, the plan saw 1")
        .says("(`apply`)");
    let other = Webox::new();
    other.run(["apply", "--plan", path.to_str().unwrap()]).code(3).says("another store");
    webox.run(["apply", "--plan", "clients/one.toml"]).code(65).says("is not a plan");
}

#[test]
fn what_was_changed_by_hand_is_not_lost() {
    let webox = two();
    webox.run(["assistants", "edit", "one", "--greeting", "Salut"]).ok();
    // The file did not change: drift.
    let json = plan(&webox);
    assert_eq!(json["changes"][0]["block"]["drift"]["fields"][0]["path"], "voice.greeting");
    assert_eq!(json["changes"][0]["block"]["drift"]["author"]["command"], "assistants edit");
    webox
        .run(["apply", "--yes", "clients"])
        .code(3)
        .says("`one` was changed by hand: voice.greeting");
    // Both changed: still not.
    file(&webox, "one", 1, "[voice]\ngreeting = \"Bonsoir\"\n");
    webox.run(["apply", "--yes", "clients"]).code(3).says("voice.greeting");
    webox.run(["apply", "--yes", "--overwrite", "clients"]).ok();
    // Made the same on both sides: in sync again.
    webox.run(["assistants", "edit", "two", "--greeting", "Hallo"]).ok();
    file(&webox, "two", 2, "[voice]\ngreeting = \"Hallo\"\n");
    webox.run(["plan", "clients", "--detailed-exitcode"]).code(0);
    webox.run(["apply", "clients"]).ok().says("No changes");
    // Made by hand, and another thing in the files.
    webox
        .run([
            "assistants",
            "create",
            "three",
            "--client",
            "C",
            "--phone",
            "+33199000003",
            "--context",
            "x",
        ])
        .ok();
    file(&webox, "three", 3, "");
    webox.run(["apply", "--yes", "clients"]).code(3).says("`three` was made by hand");
}

#[test]
fn sets_keep_out_of_each_others_way() {
    let webox = two();
    webox.file("paris/three.toml", "set = \"paris\"\nname = \"three\"\nclient = \"C\"\nphone = \"+33199000003\"\ncontext = \"x\"\n");
    webox.run(["apply", "--yes", "--prune", "paris"]).ok().says("1 created");
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "one\nthree\ntwo\n");
    // Another set does not take it over unasked.
    file(&webox, "three", 3, "");
    webox
        .run(["apply", "--yes", "clients"])
        .code(3)
        .says("`three` is in the files of the set `paris`");
}

#[test]
fn deletions_are_slow_to_come() {
    let webox = Webox::new();
    for n in 1..=8 {
        file(&webox, &format!("c{n}"), n, "");
    }
    webox.run(["apply", "--yes", "clients"]).ok();
    for n in 1..=7 {
        fs::remove_file(webox.home().join(format!("clients/c{n}.toml"))).unwrap();
    }
    webox.run(["apply", "--yes", "clients"]).ok().says("7 assistants are in no file");
    webox.run(["apply", "--yes", "--prune", "clients"]).code(3).says("--max-deletes 7");
    webox
        .run(["apply", "--yes", "--prune", "--max-deletes", "7", "clients"])
        .code(64)
        .says("--confirm c1 --confirm c2");
    for n in 1..=6 {
        webox.run(["assistants", "disable", &format!("c{n}")]).ok();
    }
    // Switched off by hand is drift as well: the plan says so, and a plan that was looked at does it.
    webox.run(["plan", "--prune", "clients", "--out", "plan.json"]).ok().prints("- c1  delete");
    webox.run(["apply", "--plan", "plan.json"]).ok().says("7 deleted");
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "c8\n");
    // The last one of a set: the file is replaced by another set's.
    webox.run(["rollback", "c1", "--yes"]).ok().says("comes back");
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "c1\nc8\n");
}

#[test]
fn names_and_numbers_change_hands() {
    let webox = two();
    crate::support::seed::call_of(&webox, "one");
    // A rename keeps the calls; the numbers are swapped in the same plan.
    fs::remove_file(webox.home().join("clients/one.toml")).unwrap();
    file(&webox, "uno", 2, "");
    let uno = fs::read_to_string(webox.home().join("clients/uno.toml")).unwrap();
    webox.file("clients/uno.toml", &format!("moved_from = \"one\"\n{uno}"));
    file(&webox, "two", 1, "");
    let ran = webox.run(["plan", "clients"]).ok();
    ran.prints("~ uno  change  (renamed from one)").prints("> +33199000002  moves from two to uno");
    webox.run(["apply", "--yes", "clients"]).ok().says("2 changed");
    webox.run(["calls", "--assistant", "uno"]).ok().prints("uno");
    webox.run(["apply", "clients"]).ok().says("No changes");
    // One name before cannot become two.
    for name in ["tre", "drei"] {
        file(&webox, name, if name == "tre" { 2 } else { 3 }, "");
        let text = fs::read_to_string(webox.home().join(format!("clients/{name}.toml"))).unwrap();
        webox.file(&format!("clients/{name}.toml"), &format!("moved_from = \"uno\"\n{text}"));
    }
    let uno = fs::read(webox.home().join("clients/uno.toml")).unwrap();
    fs::remove_file(webox.home().join("clients/uno.toml")).unwrap();
    webox.run(["plan", "clients"]).code(65).says("`moved_from = \"uno\"` is also in");
    for name in ["tre", "drei"] {
        fs::remove_file(webox.home().join(format!("clients/{name}.toml"))).unwrap();
    }
    fs::write(webox.home().join("clients/uno.toml"), uno).unwrap();
    // A number of somebody who is not in the files.
    webox
        .run([
            "assistants",
            "create",
            "far",
            "--client",
            "C",
            "--phone",
            "+33199000009",
            "--context",
            "x",
        ])
        .ok();
    file(&webox, "near", 9, "");
    webox
        .run(["plan", "clients"])
        .code(65)
        .says("belongs to the assistant `far`")
        .says("clients/near.toml:3:9");
}

#[test]
fn export_and_plan_agree_and_comments_stay() {
    let webox = Webox::new();
    webox.run(["apply", "--yes", FOLDER]).ok();
    webox.run(["export", "--dir", "out"]).ok().says("6 files written");
    assert_eq!(
        webox.run(["plan", "out", "--detailed-exitcode"]).code(0).stdout,
        "No changes. 6 as the files say.\n"
    );
    let first = fs::read(webox.home().join("out/le-gourmet.toml")).unwrap();
    webox.run(["export", "--dir", "out"]).ok().says("0 files written, 6 the same.");
    assert!(fs::read(webox.home().join("out/le-gourmet.toml")).unwrap() == first);
    // A file that somebody wrote: only what differs is touched.
    let text = "# our best client\nname = \"one\"\nphone = \"01 99 00 00 01\"   # the old number\nclient = \"One\"\ncontext_file = \"one.md\"\n\n[limits]\nmax_concurrent_calls = 3 # small\n";
    webox.file("hand/one.toml", text);
    webox.file("hand/one.md", "Bonjour\n");
    webox.run(["apply", "--yes", "hand"]).ok();
    webox.run(["export", "one", "--dir", "hand", "--check"]).code(0);
    webox
        .run([
            "assistants",
            "edit",
            "one",
            "--context",
            "Bonsoir",
            "--model",
            "gpt-4",
            "--phone",
            "+33199000002",
        ])
        .ok();
    webox.run(["export", "one", "--dir", "hand", "--check"]).code(2).prints("changed\tone");
    assert_eq!(
        fs::read_to_string(webox.home().join("hand/one.toml")).unwrap(),
        text,
        "--check writes nothing"
    );
    webox.run(["export", "one", "--dir", "hand"]).ok();
    insta::assert_snapshot!(fs::read_to_string(webox.home().join("hand/one.toml")).unwrap());
    assert_eq!(fs::read_to_string(webox.home().join("hand/one.md")).unwrap(), "Bonsoir");
    webox.run(["plan", "hand", "--detailed-exitcode"]).code(0);
    // Line ends stay as the file has them.
    let crlf =
        fs::read_to_string(webox.home().join("hand/one.toml")).unwrap().replace('\n', "\r\n");
    webox.file("hand/one.toml", &crlf);
    webox.run(["apply", "hand"]).ok();
    webox.run(["assistants", "edit", "one", "--max-call-duration", "5m"]).ok();
    webox.run(["export", "one", "--dir", "hand"]).ok();
    let text = fs::read_to_string(webox.home().join("hand/one.toml")).unwrap();
    assert!(text.contains("5m") && text.replace("\r\n", "").find('\n').is_none(), "{text:?}");
    // Never over a file of something else.
    webox.file(
        "other/one.toml",
        "name = \"eins\"\nclient = \"E\"\nphone = \"+33199000008\"\ncontext = \"x\"\n",
    );
    webox.run(["export", "one", "--dir", "other"]).code(1).says("is the file of something else");
}

#[test]
fn history_names_who_and_rollback_goes_back() {
    let webox = two().env("USER", "odile");
    file(&webox, "one", 1, "[voice]\ngreeting = \"Salut\"\n");
    webox.run(["apply", "--yes", "clients"]).ok();
    webox.run(["history"]).ok().prints("\todile\t");
    webox.run(["history", "one"]).ok().prints("2\t").prints("\todile\tapply\t\tvoice.greeting");
    let json = webox.run(["history", "one", "-o", "json"]).ok().json();
    assert_eq!(json["versions"][0]["changes"][0]["after"], "Salut");
    webox.run(["rollback", "one"]).code(64).says("--yes");
    webox.run(["rollback", "one", "--to", "7", "--yes"]).code(65).says("no earlier version 7");
    webox.run(["rollback", "one", "--yes"]).ok().says("it is version 3 now");
    let one = webox.run(["assistants", "show", "one", "-o", "json"]).ok().json();
    assert_eq!(one["assistant"]["voice_greeting"], Value::Null);
    webox.run(["plan", "clients"]).ok().prints("(`rollback`)");
    webox.run(["history", "nobody"]).code(1);
}

#[tokio::test]
async fn a_call_keeps_the_version_it_began_with() {
    let webox = Webox::with_le_gourmet_always_open();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let path = webox.home().join("le-gourmet.toml");
    let text = fs::read_to_string(&path).unwrap();
    let changed = text
        .replace("ouvert toute la nuit", "fermé pour travaux")
        .replace("Restaurant Le Gourmet, bonjour !", "Le Gourmet, bonsoir !");
    assert_ne!(text, changed);
    fs::write(&path, changed).unwrap();
    webox.run(["apply", "--yes", path.to_str().unwrap()]).ok().says("1 changed");
    let answer = daemon.say(&sid(1), 1, "Avez-vous un parking ?").await;
    assert!(spoken(&answer).contains("toute la nuit"), "{}", answer.body);
    let answer = daemon.ring(&sid(2)).await;
    assert!(spoken(&answer).contains("bonsoir"), "the next call: {}", answer.body);
    assert!(spoken(&daemon.say(&sid(2), 1, "Avez-vous un parking ?").await).contains("travaux"));
}

#[test]
fn two_applies_at_once_do_not_mix() {
    let webox = two();
    file(&webox, "one", 1, "[limits]\nmax_concurrent_calls = 3\n");
    let children: Vec<_> = (0..6)
        .map(|_| webox.command(["apply", "--yes", "clients"]).stdin(Stdio::null()).spawn().unwrap())
        .collect();
    let codes: Vec<_> = children
        .into_iter()
        .map(|child| child.wait_with_output().unwrap().status.code().unwrap())
        .collect();
    // One changes; another finds nothing to do, or finds that the world has moved.
    assert!(codes.contains(&0) && codes.iter().all(|code| [0, 3].contains(code)), "{codes:?}");
    let versions = webox.run(["history", "one", "-o", "ids"]).ok().stdout;
    assert_eq!(versions, "2\n1\n");
}

#[test]
fn files_of_all_kinds_are_refused_in_words() {
    let webox = two();
    let bad = |name: &str, bytes: &[u8], part: &str| {
        let path = webox.home().join("bad").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        webox.run(["apply", "--yes", "bad"]).code(65).says(part);
        fs::remove_file(&path).unwrap();
    };
    bad("empty.toml", b"", "`name` is missing");
    bad("binary.toml", b"\x00\x01\x02", "is not a text");
    bad("latin.toml", b"name = \"caf\xe9\"\n", "is not UTF-8 (line 1)");
    bad("large.toml", &vec![b'#'; 10_000_000], "is larger than 1 MiB");
    let deep = format!("x = {}1{}\n", "[".repeat(50_000), "]".repeat(50_000));
    bad("deep.toml", deep.as_bytes(), "deep.toml");
    let deep = format!("x = {}1{}\n", "{a=".repeat(20_000), "}".repeat(20_000));
    bad("tables.toml", deep.as_bytes(), "tables.toml");
    // A mark of byte order and Windows line ends are no mistakes.
    webox.file("good/three.toml", "\u{feff}name = \"three\"\r\nclient = \"T\"\r\nphone = \"+33199000003\"\r\ncontext = \"x\"\r\n");
    webox.run(["apply", "--yes", "good"]).ok().says("1 created");
    // Out of the folder.
    webox.file("secret.toml", "token = \"abc\"\n");
    let link = webox.home().join("good/link.toml");
    std::os::unix::fs::symlink(webox.home().join("secret.toml"), &link).unwrap();
    webox.run(["validate", "good"]).code(65).says("is a symbolic link out of the folder");
    fs::remove_file(&link).unwrap();
    webox.file("good/four.toml", "name = \"four\"\nclient = \"T\"\nphone = \"+33199000004\"\ncontext_file = \"../secret.toml\"\n");
    webox.run(["validate", "good"]).code(65).says("lies outside of good").says("four.toml:4:16");
    fs::remove_file(webox.home().join("good/four.toml")).unwrap();
    // Not there, not a file, nothing in it.
    webox.run(["validate", "nowhere"]).code(65).says("nowhere does not exist");
    webox.run(["validate", "/dev/null"]).code(65).says("is not a file");
    fs::create_dir(webox.home().join("void")).unwrap();
    webox.run(["apply", "--yes", "void"]).code(65).says("there is no `*.toml` file");
    // Half of it was never applied.
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "one\nthree\ntwo\n");
}

#[test]
fn a_store_that_cannot_be_written_says_so() {
    let webox = two();
    file(&webox, "one", 1, "[limits]\nmax_concurrent_calls = 3\n");
    let lock = rusqlite::Connection::open(webox.db()).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    webox
        .run(["apply", "--yes", "--lock-timeout", "1s", "clients"])
        .code(75)
        .says("another process holds it");
    lock.execute_batch("ROLLBACK").unwrap();
    drop(lock);
    // Not ours to open: only root may become somebody else to try it.
    let mut other = std::process::Command::new("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    if other.arg("true").status().is_ok_and(|status| status.success()) {
        let open =
            |mode| fs::set_permissions(webox.home(), fs::Permissions::from_mode(mode)).unwrap();
        open(0o755);
        let binary = webox.home().join("webox");
        // By a process of its own: one that another test starts meanwhile would keep a file that is being
        // written open, and it could not be run.
        let mut copy = std::process::Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_webox")).arg(&binary);
        assert!(copy.status().unwrap().success());
        let output = std::process::Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&binary)
            .arg("--db")
            .arg(webox.db())
            .args(["apply", "--yes", "clients"])
            .current_dir(webox.home())
            .env_clear()
            .output()
            .unwrap();
        open(0o700);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(77), "{said}");
        assert!(said.contains("run as the user that owns"), "{said}");
    }
    webox.run(["history", "one", "-o", "ids"]).ok().prints("1\n");
    webox.run(["apply", "--yes", "clients"]).ok();
}

#[test]
fn on_a_terminal_the_name_of_what_is_deleted_is_typed() {
    let webox = two();
    fs::remove_file(webox.home().join("clients/two.toml")).unwrap();
    let mut terminal = OnTerminal::start(&webox, ["apply", "--prune", "clients"]);
    terminal.see("- two").see("Type `two` to delete it").press("one\r");
    let (code, shown) = terminal.end();
    assert_eq!(code, 3, "{shown}");
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "one\ntwo\n");
    let mut terminal = OnTerminal::start(&webox, ["apply", "--prune", "clients"]);
    terminal.see("Type `two` to delete it").press("two\r").see("Apply 1 change?").press("y");
    let (code, shown) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "one\n");
}

#[tokio::test]
async fn an_assistants_own_key_is_the_one_its_model_is_asked_with() {
    let model = FakeOpenAi::start(vec![say("Oui, rue Choron.")]);
    // The daemon's own key is wrong; only the assistant's is accepted.
    let webox = Webox::new()
        .env("OPENAI_BASE_URL", model.url())
        .env("OPENAI_API_KEY", "sk-of-the-agency")
        .env("ONE_KEY", KEY);
    let ai = "[ai]\nmodel = \"openai/gpt-6-luna\"\napi_key = { env = \"ONE_KEY\" }\n";
    file(&webox, "one", 1, ai);
    webox.run(["apply", "--yes", "clients"]).ok();
    let daemon = Daemon::start(&webox);
    let call = |route: String| {
        let daemon = &daemon;
        async move {
            let words = [("SpeechResult", "Un parking ?"), ("Confidence", "0.9")];
            daemon.post_from("+33612345678", "+33199000001", &route, &sid(1), &words).await
        }
    };
    call("incoming".to_owned()).await;
    let answer = call(format!("process?call_sid={}&turn=1", sid(1))).await;
    assert!(spoken(&answer).contains("rue Choron"), "{}", answer.body);
    assert!(!daemon.log().join("\n").contains(KEY));
}

#[test]
fn an_apply_knows_the_revision_of_its_files() {
    let webox = Webox::new();
    file(&webox, "one", 1, "");
    let git = |words: &str| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]);
        command.args(words.split(' ')).current_dir(webox.home().join("clients")).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("HOME", webox.home()).output()
    };
    if git("init -q").is_err() {
        eprintln!("passed over: there is no git here");
        return;
    }
    git("add one.toml").unwrap();
    git("commit -q -m one").unwrap();
    webox.run(["apply", "--yes", "clients"]).ok();
    let revision = |n: usize| {
        let json = webox.run(["history", "-o", "json"]).ok().json();
        json["applies"][n]["author"]["git"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(revision(0).len(), 12, "{}", revision(0));
    file(&webox, "one", 1, "[limits]\nmax_concurrent_calls = 3\n");
    webox.run(["apply", "--yes", "clients"]).ok();
    assert!(revision(0).ends_with("-dirty"), "{}", revision(0));
}
