//! The rules find what they are for, and leave alone what is allowed.

use super::*;

fn found(path: &str, text: &str) -> Vec<String> {
    let source = Source::read(path, text);
    let named = dependencies();
    let mut all = wrong_arrows(&source);
    all.extend(strays(&source, &named));
    all.extend(impurities(&source, &named));
    all.extend(clocks(&source));
    all.extend(unfinished(&source));
    all.extend(too_long(&source));
    all
}

#[test]
fn violations_are_found() {
    for (path, text, told) in [
        ("src/store/calls.rs", "use crate::line::Line;", "`store` may not use `line`"),
        ("src/store/calls.rs", "use crate::{domain::Call, twilio};", "not use `twilio`"),
        ("src/twilio/mod.rs", "use super::{domain, store::Store};", "not use `store`"),
        ("src/line/voice.rs", "fn f(x: super::super::cli::Cli) {}", "not use `cli`"),
        ("src/line/voice.rs", "mod deep { use super::super::super::cli; }", "not use `cli`"),
        ("src/domain/call.rs", "fn f() { g!(crate::store::open()) }", "not use `store`"),
        ("src/attic/mod.rs", "", "`attic` is not in the table"),
        ("src/line/voice.rs", "use rusqlite as sql;", "`rusqlite` belongs in store"),
        ("src/line/voice.rs", "#[derive(clap::Args)] struct A;", "`clap` belongs in cli"),
        ("src/conversation/engine.rs", "use ::toml::Table;", "`toml` belongs in"),
        ("src/domain/call.rs", "use std::{fmt, fs};", "`domain` is plain"),
        ("src/domain/call.rs", "use std::io::Read;", "`domain` is plain"),
        ("src/domain/call.rs", "use tokio::sync::Mutex;", "`domain` is plain"),
        ("src/store/calls.rs", "let t = jiff::Timestamp::now();", "only in cli, rehearsal"),
        ("src/operations/calls.rs", "let d = Deadline::now();", "only in cli, rehearsal"),
        ("src/store/calls.rs", "fn f() { todo!() }", "finish it"),
        ("tests/calls.rs", "#[test] #[ignore = \"later\"] fn f() {}", "finish it"),
        ("src/line/voice.rs", &"\n".repeat(LONGEST_FILE + 1), "601 lines"),
    ] {
        let found = if path.starts_with("tests") {
            unfinished(&Source::read(path, text))
        } else {
            found(path, text)
        };
        let [only] = &found[..] else { panic!("{path}: {text}: {found:?}") };
        assert!(only.starts_with(path) && only.contains(told), "{only}");
    }
}

#[test]
fn what_is_allowed_is_left_alone() {
    for (path, text) in [
        ("src/store/calls.rs", "use crate::{domain::Call, store::Tx}; use rusqlite::Row;"),
        ("src/store/calls.rs", "// use crate::cli;\n/// `crate::cli`\nfn f() { \"crate::cli\"; }"),
        ("src/store/calls.rs", "#[cfg(test)] mod tests { use crate::cli; use clap::Parser; }"),
        ("src/store/calls.rs", "use super::writer::Writer; fn f() { x.now(); self::g(); }"),
        ("src/conversation/phrases/mod.rs", "use toml::Table;"),
        ("src/line/clock.rs", "fn f() { Timestamp::now() }"),
        ("src/domain/error.rs", "impl From<std::io::Error> for Error {}"),
        ("src/bin/webox.rs", "fn main() -> ExitCode { webox::cli::main() }"),
    ] {
        let found = found(path, text);
        assert!(found.is_empty(), "{path}: {text}: {found:?}");
    }
}

#[test]
fn a_file_declared_for_tests_is_known() {
    let text = "#[cfg(test)]\nmod tests;\n#[cfg(test)]\n#[path = \"more.rs\"]\nmod others;";
    let files = Source::read("src/line/voice.rs", text).test_files;
    assert_eq!(files, ["src/line/voice/tests.rs", "src/line/more.rs"]);
    let files = Source::read("src/line/mod.rs", "#[cfg(test)] mod tests;").test_files;
    assert_eq!(files, ["src/line/tests.rs"]);
}
