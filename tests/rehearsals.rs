//! Tests of conversations: `webox test`, `record` and `replay`, through the real binary.

use std::{
    fs,
    io::{BufRead, BufReader},
};

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    fake_http::{KEY, say},
    fake_openai::FakeOpenAi,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assistants");

/// Le Gourmet with rehearsals of a test's own.
fn with(rehearsals: &str) -> Webox {
    let webox = Webox::new();
    webox.file("le-gourmet.toml", &fs::read_to_string(LE_GOURMET).unwrap());
    webox.file("le-gourmet.rehearsal.toml", rehearsals);
    webox
}

const ONE_FAILS: &str = r#"
[[scenario]]
name = "parking"
[[scenario.turn]]
say = "Avez-vous un parking ?"
expect = { contains = "rue Choron", not_contains = "désolé", language = "fr", within_ms = 60000 }

[[scenario]]
name = "une table"
at = "2026-11-24 18:00"
max_turns = 1
expect = { booked = { party = 5 }, hung_up = true }
[[scenario.turn]]
say = "Je voudrais réserver pour 4 ce soir"
expect = { contains = "minuit", tool = "book" }
[[scenario.turn]]
say = "20h"
expect = { tool = { name = "check_availability", arguments = { party = 5 } } }
"#;

#[test]
fn the_shipped_rehearsals_pass() {
    let webox = Webox::new();
    let ran = webox.run(["test", FOLDER]).ok().says("77 scenarios: 77 passed, 0 failed, 0 skipped");
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("ok ")).count(), 77);
    // Each of the six has at least four, and the file of an assistant stands for its rehearsals.
    for entry in fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_str().unwrap();
        let is_toml = path.extension().is_some_and(|end| end == "toml");
        if is_toml && !name.ends_with(".rehearsal.toml") {
            let json = webox.run(["test", name, "-o", "json", "--jobs", "1"]).ok().json();
            assert!(json["summary"]["passed"].as_u64().unwrap() >= 4, "{name}");
        }
    }
    // Nothing was stored.
    assert!(!webox.db().exists());
}

#[test]
fn what_is_not_as_expected_stands_beside_its_turn() {
    let webox = with(ONE_FAILS);
    let ran = webox.run(["test", "."]).code(1).says("2 scenarios: 1 passed, 1 failed");
    let times = regex::Regex::new(r"\d+ ms").unwrap();
    insta::assert_snapshot!(times.replace_all(&ran.stdout, "N ms"));
    let json = webox.run(["test", ".", "-o", "json"]).code(1).json();
    assert_eq!(json["scenarios"][0]["outcome"], "passed");
    assert_eq!(json["scenarios"][1]["outcome"], "failed");
    let turn = &json["scenarios"][1]["turns"][2];
    assert_eq!(turn["tools"][0]["tool"], "check_availability");
    assert!(turn["failures"][0].as_str().unwrap().contains("not with {\"party\":5}"));
    let junit = webox.run(["test", ".", "-o", "junit"]).code(1).stdout;
    assert!(junit.contains("tests=\"2\"") && junit.contains("failures=\"1\""), "{junit}");
    assert!(junit.contains("<failure message=\"the reply does not contain `minuit`\">"), "{junit}");
    webox.run(["test", ".", "-k", "PARKING"]).ok().says("1 scenario: 1 passed");
    webox.run(["test", ".", "-k", "nothing"]).code(65).says("no scenario has `nothing`");
    webox.run(["test", ".", "-k", "une table", "--repeat", "3"]).code(1).prints("(0 of 3 passed)");
    webox.run(["test", ".", "-o", "csv"]).code(64).says("does not print `csv`");
}

#[test]
fn mistakes_in_a_rehearsal_are_told_with_their_place() {
    let webox = with(
        "[[scenario]]\nname = \"a\"\n[[scenario.turn]]\nsay = \"b\"\nexpect = { contain = \"c\" }\n",
    );
    webox
        .run(["test", "."])
        .code(65)
        .says("le-gourmet.rehearsal.toml:5:12")
        .says("unknown key `contain`")
        .says("did you mean `contains`");
    webox.file("le-gourmet.rehearsal.toml", "");
    webox.run(["test", "."]).code(65).says("there is no `[[scenario]]`");
    webox.run(["test", "nowhere"]).code(65).says("cannot be read");
    let empty = Webox::new();
    empty.run(["test", "."]).code(65).says("there is no `*.rehearsal.toml` file in this folder");
    webox.file(
        "le-gourmet.rehearsal.toml",
        "assistant = \"gone.toml\"\n[[scenario]]\nname = \"a\"\n[[scenario.turn]]\nsay = \"b\"\n",
    );
    webox.run(["test", "."]).code(65).says("gone.toml does not exist");
}

#[test]
fn silence_keys_and_interruptions() {
    let webox = with(
        r#"
[[scenario]]
name = "three silences"
from = "withheld"
expect = { hung_up = true, booked = false, message = false, transferred = false }
[[scenario.turn]]
silence = true
expect = { hung_up = false }
[[scenario.turn]]
silence = true
[[scenario.turn]]
silence = true

[[scenario]]
name = "keys, and a word in between"
at = "2026-11-24 18:00"
[[scenario.turn]]
interrupt = "Une table pour 4 ce soir"
[[scenario.turn]]
press = "2000"
expect = { tool = { name = "check_availability", arguments = { party = 4, time = "20:00" } } }

[[scenario]]
name = "handed over"
expect = { transferred = "01 99 00 01 12" }
[[scenario.turn]]
say = "Je veux parler à quelqu'un"
expect = { tool = "transfer", matches = "passe|quittez" }

[[scenario]]
name = "over too soon"
[[scenario.turn]]
say = "Au revoir"
[[scenario.turn]]
say = "Encore là ?"
"#,
    );
    let json = webox.run(["test", ".", "-o", "json"]).code(1).json();
    let outcomes: Vec<&str> =
        (0..4).map(|n| json["scenarios"][n]["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["passed", "passed", "passed", "failed"], "{json:#}");
    let failure = json["scenarios"][3]["failures"][0].as_str().unwrap();
    assert_eq!(failure, "the call was over before Encore là ?");
}

#[test]
fn a_model_may_answer_and_play_the_caller() {
    let persona = "[[scenario]]\nname = \"un curieux\"\npersona = \"Vous êtes pressé.\"\ngoal = \"Savoir s'il y a un parking\"\n";
    let webox = with(persona);
    webox.run(["test", "."]).ok().prints("a persona needs a model: give --model").says("1 skipped");
    webox.run(["test", ".", "--model", "openai/gpt-6-luna"]).code(69).says("cannot be asked");
    let judged = |met: &str| {
        let model = FakeOpenAi::start(vec![
            say("Avez-vous un parking ?"),
            say("Oui, rue Choron."),
            say("Merci, au revoir [HANGUP]"),
            say("Au revoir !"),
            say(&format!("{{\"met\": {met}, \"why\": \"parce que\"}}")),
        ]);
        let webox = with(persona).env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", model.url());
        let ran = webox.run(["test", ".", "--model", "openai/gpt-6-luna", "-o", "json"]);
        let asked = model.requests();
        assert!(asked[0].json.to_string().contains("Vous êtes pressé"), "the caller's part");
        assert!(asked[4].json.to_string().contains("rue Choron"), "the judge reads the call");
        ran
    };
    let json = judged("true").ok().json();
    let turn = &json["scenarios"][0]["turns"][1];
    assert_eq!(turn["caller"], "Avez-vous un parking ?");
    assert_eq!(turn["reply"], "Oui, rue Choron.");
    assert_eq!(turn["engine"], "openai/gpt-6-luna");
    let json = judged("false").code(1).json();
    assert_eq!(json["scenarios"][0]["failures"][0], "the goal was not met: parce que");
}

#[test]
fn what_is_recorded_passes() {
    let webox = Webox::with_le_gourmet_always_open();
    webox.file("le-gourmet.rehearsal.toml", "# by hand\n[[scenario]]\nname = \"first\" # stays\n[[scenario.turn]]\nsay = \"Au revoir\"\n");
    webox
        .run_with_stdin(
            "Bonjour, je voudrais réserver pour 4 demain soir\n20h\n\nDupont\n",
            ["record", "le-gourmet"],
        )
        .ok()
        .prints("C'est réservé")
        .says("Kept in le-gourmet.rehearsal.toml");
    let text = fs::read_to_string(webox.home().join("le-gourmet.rehearsal.toml")).unwrap();
    for part in [
        "# by hand",
        "name = \"first\" # stays",
        "silence = true",
        "tool = [\"book\"]",
        "party = 4",
        "name = \"Dupont\"",
        "# assistant: À quelle heure",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    webox.run(["test", "le-gourmet.toml"]).ok().says("2 scenarios: 2 passed");
    // It was not a call of the real store.
    assert_eq!(webox.run(["calls"]).ok().stdout, "");
    webox.run_with_stdin("", ["record", "le-gourmet"]).ok().says("nothing is kept");
}

#[test]
fn a_past_call_is_said_to_todays_assistant() {
    let webox = Webox::with_le_gourmet();
    webox
        .run_with_stdin("Avez-vous un parking ?\n\nAu revoir\n", ["try", "le-gourmet", "--keep"])
        .ok();
    let sid = webox.run(["calls", "-o", "ids"]).ok().stdout.trim().to_owned();
    webox.run(["replay", &sid]).ok().says("0 of 4 replies are others now (builtin)");
    webox.run(["assistants", "edit", "le-gourmet", "--greeting", "Salut"]).ok();
    let ran = webox.run(["replay", &sid[..12]]).ok().says("1 of 4 replies are others now");
    assert!(
        ran.stdout.contains(
            "+ now     Salut. Je suis un assistant vocal automatique. For English, press 9.\n"
        ),
        "{}",
        ran.stdout
    );
    let json = webox.run(["replay", &sid, "-o", "json"]).ok().json();
    assert_eq!(json["turns"][0]["same"], false);
    assert_eq!(json["turns"][2]["caller"], "(silence)");
    // Neither the call nor the store is touched by it.
    assert_eq!(webox.run(["calls", "-o", "ids"]).ok().stdout.trim(), sid);
}

#[test]
fn watching_plays_again_after_a_change_and_ends_with_130() {
    let webox = with(ONE_FAILS);
    let mut child = webox.command(["test", ".", "-k", "parking", "--watch"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut played = || lines.find(|line| line.contains("1 scenario: "));
    assert!(played().unwrap().contains("1 passed"));
    webox.file("le-gourmet.rehearsal.toml", &ONE_FAILS.replace("rue Choron", "avenue Foch"));
    assert!(played().unwrap().contains("1 failed"));
    let id = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
    let status = child.wait().unwrap();
    let by_signal = std::os::unix::process::ExitStatusExt::signal(&status) == Some(2);
    assert!(by_signal || status.code() == Some(130), "{status:?}");
}
