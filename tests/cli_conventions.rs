//! The 36 conventions of the terminal, one test each, named after it. Some say that there is
//! nothing to see, and are checked by its absence.

use std::io::{BufRead, BufReader, Read};

use webox::domain::CallStatus;

use crate::support::{
    cmd::{LE_GOURMET, Webox},
    pty::OnTerminal,
    seed,
};

#[test]
fn c01_noun_verb_and_a_bare_noun_lists() {
    let webox = Webox::with_le_gourmet();
    let bare = webox.run(["assistants"]).ok().stdout;
    assert_eq!(bare, webox.run(["assistants", "list"]).ok().stdout);
    webox.run(["list", "assistants"]).code(64).silent();
    webox.run(["assist"]).code(64);
}

#[test]
fn c02_data_on_stdout_talk_on_stderr() {
    let webox = Webox::new();
    let ran = webox.run(["apply", "--yes", LE_GOURMET]).ok().says("1 created");
    assert_eq!(ran.stdout, "create\tle-gourmet\t\n");
}

#[test]
fn c03_output_goes_before_or_after_the_verb() {
    let webox = Webox::with_le_gourmet();
    seed::call(&webox, 1, 5, CallStatus::Completed);
    let sid = seed::sid(1);
    for args in [
        ["-o", "ids", "calls", "list", ""],
        ["calls", "-o", "ids", "list", ""],
        ["calls", "list", "-o", "ids", ""],
        ["calls", "--output=ids", "show", &sid, ""],
    ] {
        let ran = webox.run(args.into_iter().filter(|arg| !arg.is_empty())).ok();
        assert_eq!(ran.stdout, format!("{sid}\n"), "{args:?}");
    }
}

#[test]
fn c04_tables_on_a_terminal_raw_values_in_a_pipe() {
    let webox = Webox::with_le_gourmet();
    seed::call(&webox, 1, 125, CallStatus::Completed);
    let piped = webox.run(["calls"]).ok().stdout;
    assert!(!piped.contains("WHEN"), "{piped}");
    let when = piped.split('\t').next().unwrap();
    assert!(when.parse::<jiff::Timestamp>().is_ok() && when.ends_with('Z'), "{when}");
    assert!(piped.contains(&seed::sid(1)), "not shortened: {piped}");

    let mut terminal = OnTerminal::start(&webox, ["calls"]);
    terminal.see("WHEN").see("2 h ago").see("le-gourmet").see("1 min 15 s");
    let (code, shown) = terminal.end();
    assert_eq!(code, 0);
    assert!(!shown.contains(&seed::sid(1)), "{shown}");
}

#[test]
fn c05_columns_are_chosen_by_name() {
    let webox = Webox::with_le_gourmet();
    let ran = webox.run(["assistants", "--columns", "phone,name"]).ok();
    assert_eq!(ran.stdout, "+33123456789\tle-gourmet\n");
    let csv = webox.run(["assistants", "-o", "csv", "--columns", "name,client"]).ok();
    assert_eq!(csv.stdout, "name,client\nle-gourmet,Restaurant Le Gourmet\n");
    webox.run(["assistants", "-o", "jsonl", "--columns", "name"]).code(64).says("--columns");
}

#[test]
fn c06_ids_feed_xargs() {
    let webox = Webox::with_le_gourmet();
    assert_eq!(webox.run(["assistants", "-o", "ids"]).ok().stdout, "le-gourmet\n");
}

#[test]
fn c07_quiet_keeps_data_and_errors_and_verbose_talks_to_stderr() {
    let webox = Webox::new();
    let ran = webox.run(["apply", "-q", "--yes", LE_GOURMET]).ok();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("create\tle-gourmet\t\n", ""));
    webox.run(["-q", "assistants", "show", "nobody"]).code(1).says("nobody");
    let loud = webox.run(["-vv", "assistants"]).ok();
    assert_eq!(loud.stdout, webox.run(["assistants"]).ok().stdout);
}

#[test]
fn c08_json_is_versioned_and_its_keys_stay() {
    let webox = Webox::with_le_gourmet();
    let at: jiff::Timestamp = "2026-11-23T18:00:00Z".parse().unwrap();
    seed::call_at(&seed::store(&webox), 13, at, CallStatus::Completed);
    insta::assert_snapshot!(webox.run(["calls", "-o", "json"]).ok().stdout);
    let lines = webox.run(["calls", "-o", "jsonl"]).ok().stdout;
    let call: serde_json::Value = serde_json::from_str(lines.trim_end()).unwrap();
    assert_eq!(call["call_sid"], seed::sid(13));
    assert!(call["from_number"].is_null(), "there, though it is null");
    let json = webox.run(["assistants", "-o", "json"]).ok().json();
    assert_eq!(json["format_version"], "1.0");
    let keys: Vec<&String> = json["assistants"][0].as_object().unwrap().keys().collect();
    insta::assert_debug_snapshot!(keys);
}

#[test]
fn c09_nothing_found_is_no_failure() {
    let webox = Webox::new();
    webox.run(["init"]).ok();
    for format in ["table", "tsv", "csv", "jsonl", "ids"] {
        let ran = webox.run(["calls", "-o", format]).ok();
        assert!(ran.stdout.is_empty() || format == "csv", "{format}: {}", ran.stdout);
        assert_eq!(ran.stderr, "");
    }
    let json = webox.run(["calls", "-o", "json"]).ok().json();
    assert_eq!(json["calls"], serde_json::json!([]));
    let (code, shown) = OnTerminal::start(&webox, ["calls"]).end();
    assert_eq!(code, 0);
    assert!(shown.contains("No calls."), "{shown}");
}

#[test]
fn c10_a_pipe_gets_everything_and_a_terminal_is_told_of_the_rest() {
    let webox = Webox::with_le_gourmet();
    let store = seed::store(&webox);
    for n in 0..60 {
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(i64::from(n) + 1);
        seed::call_at(&store, n, at, CallStatus::Completed);
    }
    assert_eq!(webox.run(["calls"]).ok().stdout.lines().count(), 60);
    let few = webox.run(["calls", "--limit", "7"]).ok().says("Showing 7 of 60 calls");
    assert_eq!(few.stdout.lines().count(), 7);
    let (_, shown) = OnTerminal::start(&webox, ["calls"]).end();
    assert!(shown.contains("Showing 50 of 60 calls; use --limit 0 for all."), "{shown}");
}

#[test]
fn c11_exit_codes_tell_what_happened() {
    let webox = Webox::with_le_gourmet();
    webox.run(["assistants"]).code(0);
    webox.run(["assistants", "show", "nobody"]).code(1);
    webox.run(["assistants", "delete", "le-gourmet"]).code(64);
    webox.run(["calls", "--since", "demain"]).code(65);
    webox.run(["--config", "nowhere.toml", "calls"]).code(78);
    let used: Vec<u8> = webox::cli::exit::TABLE.iter().map(|(code, _)| *code).collect();
    assert_eq!(used, [0, 1, 2, 3, 4, 64, 65, 69, 75, 77, 78, 130]);
}

#[test]
fn c12_a_wrong_command_line_is_64_and_help_and_version_are_0() {
    let webox = Webox::new();
    webox.run(["calls", "--sinc", "2h"]).code(64).silent();
    webox.run([]).code(64).silent().says("Usage");
    webox.run(["--help"]).ok().prints("Usage");
    webox.run(["calls", "--help"]).ok();
    webox.run(["--version"]).ok();
}

#[test]
fn c13_dry_run_writes_nothing() {
    let webox = Webox::with_le_gourmet();
    let before = webox.run(["assistants", "-o", "json"]).ok().stdout;
    webox.run(["assistants", "disable", "le-gourmet", "--dry-run"]).ok().says("would be");
    webox.run(["assistants", "delete", "le-gourmet", "-n"]).ok().says("Would delete");
    webox.run(["assistants", "edit", "le-gourmet", "-n", "--model", "gpt-4"]).ok().says("Would");
    let new = ["assistants", "create", "-n", "--client", "B", "--phone", "+33199999999"];
    webox.run(new.into_iter().chain(["--context", "x"])).ok().says("Would create `b`");
    let b = webox.file("b.toml", "name='b'\nclient='B'\nphone='+33199999999'\ncontext='x'\n");
    assert_eq!(webox.run(["apply", "-n", &b]).ok().stdout, "create\tb\t\n");
    assert_eq!(webox.run(["assistants", "-o", "json"]).ok().stdout, before);
}

#[test]
fn c14_deleting_asks_and_enter_means_no() {
    let webox = Webox::with_le_gourmet();
    webox.run(["assistants", "delete", "le-gourmet"]).code(64).silent().says("--yes");
    let mut terminal = OnTerminal::start(&webox, ["assistants", "delete", "le-gourmet"]);
    terminal.see("Type `le-gourmet`").type_line("yes");
    assert_eq!(terminal.end().0, 3, "one in service takes more than a yes");
    webox.run(["assistants", "disable", "le-gourmet"]).ok();
    let mut terminal = OnTerminal::start(&webox, ["assistants", "delete", "le-gourmet"]);
    terminal.see("[y/N]").press("\r");
    assert_eq!(terminal.end().0, 3);
    webox.run(["assistants", "show", "le-gourmet"]).ok();
    let mut terminal = OnTerminal::start(&webox, ["assistants", "delete", "le-gourmet"]);
    terminal.see("[y/N]").press("y");
    assert_eq!(terminal.end().0, 0);
    webox.run(["assistants", "show", "le-gourmet"]).code(1);
}

#[test]
fn c15_a_question_never_waits_where_nobody_answers() {
    let webox = Webox::with_le_gourmet();
    webox.run_with_stdin("y\n", ["assistants", "delete", "le-gourmet"]).code(64);
    for no_input in [["--no-input"].as_slice(), &[]] {
        let webox = if no_input.is_empty() {
            Webox::with_le_gourmet().env("CI", "true")
        } else {
            Webox::with_le_gourmet()
        };
        let args = ["assistants", "delete", "le-gourmet"];
        let all = args.into_iter().chain(no_input.iter().copied());
        let (code, shown) = OnTerminal::start(&webox, all).end();
        assert_eq!(code, 64, "{shown}");
    }
}

#[test]
fn c16_every_question_has_a_flag() {
    let webox = Webox::new();
    let ran = webox.run_with_stdin(
        "Tu es l'assistant du garage.",
        [
            "assistants",
            "create",
            "--client",
            "Garage Dupont",
            "--email",
            "contact@dupont.fr",
            "--phone",
            "01 98 76 54 32",
            "--model",
            "gpt-4",
            "--context-file",
            "-",
            "--personality",
            "friendly",
            "--voice",
            "elevenlabs",
            "--language",
            "fr-FR",
            "-o",
            "json",
        ],
    );
    let assistant = ran.ok().json()["assistant"].take();
    assert_eq!(assistant["name"], "garage-dupont");
    assert_eq!(assistant["twilio_phone_number"], "+33198765432");
    assert_eq!(assistant["ai_context"], "Tu es l'assistant du garage.");
}

#[test]
fn c17_secrets_are_never_arguments() {
    let webox = Webox::new();
    for help in [["--help", ""], ["serve", "--help"], ["config", "--help"]] {
        let ran = webox.run(help.into_iter().filter(|arg| !arg.is_empty())).ok();
        for word in ["--token", "--auth-token", "--api-key", "--password", "--secret"] {
            assert!(!ran.stdout.contains(word), "{word} in {}", ran.stdout);
        }
    }
}

#[test]
fn c18_secrets_never_come_out() {
    let webox = Webox::new().env("TWILIO_AUTH_TOKEN", "tok-123").env("OPENAI_API_KEY", "sk-123");
    for format in ["table", "tsv", "json", "csv"] {
        let ran = webox.run(["config", "show", "-o", format, "-vv"]).ok().prints("***");
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("-123"));
    }
    let file = webox.file("config/webox/webox.toml", "[openai]\napi_key = \"sk-456\"\n");
    let ran = webox.run(["config"]).code(78).says(&format!("{file}:2:11"));
    assert!(!ran.stderr.contains("sk-456"), "{}", ran.stderr);
}

#[test]
fn c19_the_first_settings_file_found_wins() {
    let webox = Webox::new();
    webox.file("webox.toml", "log = \"trace\"\n");
    let none = webox.run(["config", "path"]).ok().silent();
    assert!(none.stderr.contains("config/webox/webox.toml"), "{}", none.stderr);
    let own = webox.file("config/webox/webox.toml", "log = \"warn\"\n");
    let other = webox.file("other.toml", "listen = \"127.0.0.1:9\"\n");
    assert_eq!(webox.run(["config", "path"]).ok().stdout, format!("{own}\n"));
    let webox = webox.env("WEBOX_CONFIG", &other);
    webox.run(["config"]).ok().prints("127.0.0.1:9").prints("log\tinfo\tdefault");
    webox.run(["config", "path", "--config", &own]).ok().prints(&own);
    webox.run(["config", "--config", "missing.toml"]).code(78).says("missing.toml");
}

#[test]
fn c20_settings_say_where_they_come_from() {
    let webox = Webox::new().env("WEBOX_LISTEN", "127.0.0.1:7");
    let file = webox.file("config/webox/webox.toml", "listen = \"127.0.0.1:6\"\nlog = \"warn\"\n");
    webox
        .run(["config", "--db", "here.db"])
        .ok()
        .prints("db\there.db\tflag --db\n")
        .prints("listen\t127.0.0.1:7\tenvironment WEBOX_LISTEN\n")
        .prints(&format!("log\twarn\tfile {file}\n"))
        .prints("openai.base_url\t\tdefault\n");
}

#[test]
fn c21_unknown_variables_are_pointed_out() {
    let webox = Webox::new().env("WEBOX_LISTN", "127.0.0.1:7");
    webox.run(["config"]).ok().says("WEBOX_LISTN").says("did you mean `WEBOX_LISTEN`?");
}

#[test]
fn c22_colour_only_where_it_is_wanted() {
    let esc = "\u{1b}[";
    let colours = |webox: &Webox, args: &[&str]| {
        let all = ["assistants", "-o", "table"].iter().chain(args).copied();
        webox.run(all).ok().stdout.contains(esc)
    };
    let webox = Webox::with_le_gourmet();
    assert!(!colours(&webox, &[]), "a pipe");
    assert!(colours(&webox, &["--color", "always"]));
    let webox = Webox::with_le_gourmet().env("CLICOLOR_FORCE", "1");
    assert!(colours(&webox, &[]));
    assert!(!colours(&webox, &["--color", "never"]), "a flag beats the environment");
    let webox = Webox::with_le_gourmet();
    assert!(OnTerminal::start(&webox, ["assistants"]).end().1.contains(esc));
    let webox = webox.env("NO_COLOR", "1");
    assert!(!OnTerminal::start(&webox, ["assistants"]).end().1.contains(esc));
}

#[test]
fn c23_nothing_moves_where_nobody_looks() {
    let webox = Webox::new();
    let ran = webox.run(["apply", "--yes", LE_GOURMET]).ok();
    assert!(!ran.stderr.contains('\r') && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}

#[test]
fn c24_the_first_sign_of_life_comes_at_once() {
    let webox = Webox::new();
    webox.run(["--version"]).ok();
    let begun = std::time::Instant::now();
    webox.run(["--version"]).ok();
    // A debug build on a busy machine: the release aims at a tenth of this.
    assert!(begun.elapsed().as_millis() < 1_000, "{:?}", begun.elapsed());
}

#[test]
fn c25_no_pager_opens_unasked() {
    let webox = Webox::with_le_gourmet().env("PAGER", "false");
    let (code, shown) = OnTerminal::start(&webox, ["assistants", "show", "le-gourmet"]).end();
    assert_eq!(code, 0);
    assert!(shown.contains("Notre-Dame-de-Lorette"), "{shown}");
}

#[test]
fn c26_a_reader_that_leaves_is_no_failure() {
    let webox = Webox::with_le_gourmet();
    let store = seed::store(&webox);
    for n in 0..800 {
        seed::call_at(&store, n, jiff::Timestamp::now(), CallStatus::Completed);
    }
    for args in [["calls", "-o", "json"], ["calls", "-o", "tsv"], ["completions", "bash", "-q"]] {
        let mut child = webox.command(args).spawn().unwrap();
        let mut some = [0; 10];
        child.stdout.take().unwrap().read_exact(&mut some).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn c27_an_error_says_what_why_and_what_to_do() {
    let webox = Webox::with_le_gourmet();
    let ran = webox.run(["assistants", "show", "le-gourmt"]).code(1).silent();
    assert_eq!(
        ran.stderr,
        "error: no assistant named `le-gourmt`\n  hint: did you mean `le-gourmet`?\n"
    );
    let ran = webox.run(["calls", "--config", "nowhere.toml"]).code(78);
    assert!(ran.stderr.contains("\n  cause: No such file"), "{}", ran.stderr);
    for args in [["assistants", "show", "x", "-o", "json"], ["calls", "--sinc", "x", "-o", "json"]]
    {
        let ran = webox.run(args);
        let error: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
        assert!(error["error"]["code"].is_string() && error["error"]["message"].is_string());
    }
}

#[test]
fn c28_did_you_mean() {
    let webox = Webox::with_le_gourmet();
    webox.run(["assistents"]).code(64).says("assistants");
    webox.run(["calls", "--sinc", "2h"]).code(64).says("--since");
    webox.run(["calls", "--status", "complete"]).code(65).says("did you mean `completed`");
    webox.run(["calls", "--columns", "statsu"]).code(64).says("did you mean `status`");
    webox.run(["calls", "--assistant", "le-gourmt"]).code(1).says("did you mean `le-gourmet`");
    let file = webox.file("a.toml", "nmae = 'a'\nclient='A'\nphone='+33199999999'\ncontext=''\n");
    webox
        .run(["apply", &file])
        .code(65)
        .says("unknown key `nmae`")
        .says("a.toml:1:1")
        .says("`name`?");
}

#[test]
fn c29_a_dash_is_stdin() {
    let webox = Webox::new();
    let text = std::fs::read_to_string(LE_GOURMET).unwrap();
    webox.run_with_stdin(&text, ["apply", "--yes", "-"]).ok().prints("le-gourmet");
    webox.run_with_stdin("nonsense", ["apply", "-"]).code(65).says("stdin:1:");
}

#[test]
fn c30_an_interrupt_is_130() {
    let webox = Webox::with_le_gourmet();
    let mut child = webox.command(["calls", "--follow"]).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains("Waiting"), "{line}");
    let id = child.id().to_string();
    std::process::Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));

    let mut terminal = OnTerminal::start(&webox, ["assistants", "delete", "le-gourmet"]);
    terminal.see("Type").press("\u{3}");
    assert_eq!(terminal.end().0, 130);
    webox.run(["assistants", "show", "le-gourmet"]).ok();
}

#[test]
fn c31_help_has_examples_and_exit_codes() {
    let webox = Webox::new();
    for command in [
        "assistants",
        "calls",
        "stats",
        "apply",
        "import",
        "serve",
        "demo",
        "try",
        "bench",
        "config",
        "completions",
        "man",
    ] {
        let long = webox.run([command, "--help"]).ok().prints("Examples:").prints("Exit codes:");
        let short = webox.run([command, "-h"]).ok();
        assert!(short.stdout.len() < long.stdout.len(), "{command}");
        assert_eq!(webox.run(["help", command]).ok().stdout, long.stdout);
    }
    insta::assert_snapshot!(webox.run(["--help"]).ok().stdout);
}

#[test]
fn c32_completions_for_the_usual_shells() {
    for shell in ["bash", "zsh", "fish"] {
        Webox::new().run(["completions", shell]).ok().prints("webox");
    }
    Webox::new().run(["completions", "cmd"]).code(64);
}

#[test]
fn c33_manual_pages_for_every_command() {
    let webox = Webox::new();
    webox.run(["man", "pages"]).ok();
    for page in ["webox.1", "webox-calls-show.1", "webox.toml.5", "webox-assistant.5"] {
        assert!(webox.home().join("pages").join(page).exists(), "{page}");
    }
}

#[test]
fn c34_the_version_names_the_schema() {
    let ran = Webox::new().run(["--version"]).ok();
    let schema = format!(" schema {}\n", webox::store::SCHEMA_VERSION);
    assert!(ran.stdout.starts_with(concat!("webox ", env!("CARGO_PKG_VERSION"))), "{}", ran.stdout);
    assert!(ran.stdout.ends_with(&schema), "{}", ran.stdout);
}

#[test]
fn c35_nothing_is_deprecated_yet() {
    let ran = Webox::with_le_gourmet().run(["assistants"]).ok();
    assert_eq!(ran.stderr, "");
}

#[test]
fn c36_no_surprises() {
    // Looking at things touches nothing but the database; asking for help not even that.
    let webox = Webox::new();
    webox.run(["--help"]).ok();
    webox.run(["completions", "bash"]).ok();
    webox.run(["config"]).ok();
    assert_eq!(std::fs::read_dir(webox.home()).unwrap().count(), 0);
    let settings = webox.run(["config"]).ok();
    assert!(settings.stdout.contains("127.0.0.1:8080"), "reachable from this machine only");
}
