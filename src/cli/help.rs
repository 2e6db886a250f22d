//! What every `--help` ends with: examples, and what the exit codes mean.

use std::fmt::Write;

use super::exit;

/// `0.1.0 (abc1234 2026-09-20) schema 1`; the commit is left out where there was no git.
pub(super) fn version() -> String {
    let commit =
        option_env!("WEBOX_COMMIT").map_or_else(String::new, |commit| format!(" ({commit})"));
    format!("{}{commit} schema {}", env!("CARGO_PKG_VERSION"), crate::store::SCHEMA_VERSION)
}

/// The end of `webox --help`.
pub(super) fn root() -> String {
    let mut text = examples(
        &[
            ("webox demo", "a whole call, on this machine, without any account"),
            ("webox apply assistants/", "create or update assistants from files"),
            ("webox serve --public-url https://calls.example.com", "answer the phone"),
            ("webox calls --since 2h -o json", "what happened, for a script"),
        ],
        &[],
    );
    text.push_str("\n\nExit codes:\n");
    for (code, meaning) in exit::TABLE {
        let _ = writeln!(text, "  {code:>3}  {meaning}");
    }
    text.push_str("\nFiles: webox.toml(5) settings, webox-assistant(5) assistants.");
    text
}

/// Two to four examples, then the exit codes that this command may end with besides 0.
pub(super) fn examples(lines: &[(&str, &str)], codes: &[u8]) -> String {
    let mut text = String::from("Examples:");
    for (command, purpose) in lines {
        let _ = write!(text, "\n  {command}\n      {purpose}");
    }
    if !codes.is_empty() {
        text.push_str("\n\nExit codes:\n    0  done");
        for code in codes {
            if let Some((_, meaning)) = exit::TABLE.iter().find(|(known, _)| known == code) {
                let _ = write!(text, "\n  {code:>3}  {meaning}");
            }
        }
    }
    text
}
