//! `NAME.rehearsal.toml`: what callers say to an assistant, and what must come of it.

use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use serde::Deserialize;

use super::{
    human::Humans,
    named,
    wanted::{Expect, moment},
};
use crate::{
    document::{self, Problem},
    domain::{AssistantSpec, CallContext, Error, PhoneNumber},
    operations::endpoints::PlayedAnswer,
    provision::{self, Layer},
};

/// The end of a rehearsal's file name.
pub const SUFFIX: &str = ".rehearsal.toml";

/// The largest file that is read.
const LARGEST: u64 = 1024 * 1024;

/// A file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    assistant: Option<PathBuf>,
    scenario: Vec<Scenario>,
}

/// One call, played.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows.
    pub name: String,
    /// The client's wall clock when the phone rings; the real time when not given.
    #[serde(default, deserialize_with = "moment")]
    pub at: Option<DateTime>,
    /// Who calls, or is called: a number, or `withheld`.
    #[serde(default)]
    pub from: Option<String>,
    /// The assistant calls, and not the caller: what is known of whom it calls, as `--context` gives it.
    #[serde(default)]
    pub outbound: Option<CallContext>,
    /// Whether a human who is rung takes the call: `true`, `false`, `"refuses"`, `"busy"`, or a list of
    /// these in the order in which they are rung.
    #[serde(default)]
    pub answers: Humans,
    /// At most this many turns.
    #[serde(default)]
    pub max_turns: Option<usize>,
    /// What the first sentence must be.
    #[serde(default)]
    pub greeting: Expect,
    /// What must hold when the call is over, of all that was said and done.
    #[serde(default)]
    pub expect: Expect,
    /// What is booked when the phone rings.
    #[serde(default)]
    pub already_booked: Vec<AlreadyBooked>,
    /// What the client's own systems answer, in place of them: the first that fits.
    #[serde(default)]
    pub tools: Vec<PlayedAnswer>,
    /// What the caller does.
    #[serde(default)]
    pub turn: Vec<Step>,
    /// Who the caller is, when a model plays the caller.
    #[serde(default)]
    pub persona: Option<String>,
    /// What the caller wants; another model says whether it was reached.
    #[serde(default)]
    pub goal: Option<String>,
}

/// A booking from before the call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlreadyBooked {
    /// On the client's wall clock; of a stay the day of arrival.
    #[serde(deserialize_with = "moment")]
    pub at: Option<DateTime>,
    /// For how many: one when left out.
    #[serde(default = "one")]
    pub party: u32,
    /// In which name.
    pub name: String,
    /// Under which number; the caller's own when left out.
    #[serde(default)]
    pub from: Option<PhoneNumber>,
    /// What is to be done.
    #[serde(default)]
    pub service: Option<String>,
    /// With whom or where.
    #[serde(default)]
    pub resource: Option<String>,
    /// Nights of a stay.
    #[serde(default)]
    pub nights: Option<u32>,
}

const fn one() -> u32 {
    1
}

/// One thing the caller does, and what must come of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    say: Option<String>,
    press: Option<String>,
    silence: Option<bool>,
    interrupt: Option<String>,
    /// What must come of it.
    pub expect: Expect,
}

/// What a caller does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Says something.
    Say(String),
    /// Presses keys.
    Press(String),
    /// Nothing.
    Silence,
    /// Says something while the assistant still speaks.
    Interrupt(String),
}

impl Step {
    /// A caller who says something, of which nothing is expected.
    pub fn say(words: &str) -> Self {
        Self { say: Some(words.to_owned()), ..Self::default() }
    }

    /// What the caller does: exactly one thing, which was checked when the file was read.
    pub fn input(&self) -> Option<Input> {
        let given = [
            self.say.clone().map(Input::Say),
            self.press.clone().map(Input::Press),
            self.silence.unwrap_or(false).then_some(Input::Silence),
            self.interrupt.clone().map(Input::Interrupt),
        ];
        let mut given = given.into_iter().flatten();
        given.next().filter(|_| given.next().is_none())
    }
}

/// A scenario with the assistant it is played to.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// The file, as the user named it.
    pub file: String,
    /// The assistant, as its own file has it.
    pub assistant: AssistantSpec,
    /// The call.
    pub scenario: Scenario,
}

/// Reads rehearsals: files of them, files of assistants (whose rehearsals stand beside them), and
/// folders. Every mistake of every file at once.
pub fn load(paths: &[PathBuf], settings: Option<&Layer>) -> Result<Vec<Rehearsal>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut rehearsals = Vec::new();
    for path in find(paths, &mut problems) {
        match read(&path, settings) {
            Ok(found) => rehearsals.extend(found),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(rehearsals) } else { Err(problems) }
}

fn find(paths: &[PathBuf], problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        if path.is_dir() {
            let before = files.len();
            if let Err(error) = walk(path, &mut files) {
                problems.push(Problem::of_file(&name, format!("cannot be listed: {error}")));
            } else if files.len() == before {
                let message = format!("there is no `*{SUFFIX}` file in this folder");
                problems.push(Problem::of_file(&name, message));
            }
        } else if name.ends_with(SUFFIX) || path.extension().is_none_or(|end| end != "toml") {
            files.push(path.clone());
        } else {
            files.push(path.with_extension("rehearsal.toml"));
        }
    }
    files
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else if name.ends_with(SUFFIX) {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn read(path: &Path, settings: Option<&Layer>) -> Result<Vec<Rehearsal>, Vec<Problem>> {
    let name = path.display().to_string();
    let of_file = |message: String| vec![Problem::of_file(&name, message)];
    let meta =
        std::fs::metadata(path).map_err(|error| of_file(format!("cannot be read: {error}")))?;
    if !meta.is_file() || meta.len() > LARGEST {
        return Err(of_file("is not a file of at most 1 MiB".to_owned()));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| of_file(format!("cannot be read: {error}")))?;
    let written = read_text(&name, &text)?;
    let assistant = match written.assistant {
        Some(file) => path.parent().unwrap_or(Path::new("")).join(file),
        None => PathBuf::from(format!("{}.toml", name.strip_suffix(SUFFIX).unwrap_or(&name))),
    };
    let mut loaded = provision::load(
        std::slice::from_ref(&assistant),
        settings.cloned(),
        &mut std::io::empty(),
    )?;
    let Some(assistant) = loaded.pop().map(|loaded| loaded.file.spec) else {
        return Err(of_file(format!("there is no assistant in {}", assistant.display())));
    };
    let unknown = named::unknown(&name, &text, &written.scenario, &assistant);
    if !unknown.is_empty() {
        return Err(unknown);
    }
    let with = |scenario| Rehearsal { file: name.clone(), assistant: assistant.clone(), scenario };
    Ok(written.scenario.into_iter().map(with).collect())
}

/// Whether a text is a file of rehearsals, and of how many; else every mistake in it.
pub fn check(name: &str, text: &str) -> Result<usize, Vec<Problem>> {
    read_text(name, text).map(|written| written.scenario.len())
}

/// The text of a file, with the rules that hold between its keys.
fn read_text(name: &str, text: &str) -> Result<Written, Vec<Problem>> {
    let written: Written = document::read(name, text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let mut problems = Vec::new();
    let mut wrong = |message: String| problems.push(Problem::of_file(name, message));
    if written.scenario.is_empty() {
        wrong("there is no `[[scenario]]` in this file".to_owned());
    }
    for scenario in &written.scenario {
        let title = &scenario.name;
        for (place, step) in scenario.turn.iter().enumerate() {
            if step.input().is_none() {
                wrong(format!(
                    "scenario `{title}`, turn {}: give one of `say`, `press`, `silence = true` and `interrupt`",
                    place + 1
                ));
            }
        }
        match (scenario.turn.is_empty(), &scenario.persona, &scenario.goal) {
            (false, None, None) | (true, Some(_), Some(_)) => {}
            _ => wrong(format!(
                "scenario `{title}`: give either `[[scenario.turn]]`, or `persona` and `goal`"
            )),
        }
        if let Some(from) = scenario.from.as_deref().filter(|from| *from != "withheld")
            && let Err(error) = from.parse::<PhoneNumber>()
        {
            let error: Error = error;
            wrong(format!("scenario `{title}`: {error}"));
        }
        if scenario.outbound.is_some() && scenario.from.as_deref() == Some("withheld") {
            wrong(format!("scenario `{title}`: `from` is who is called, so it is a number"));
        }
    }
    if problems.is_empty() { Ok(written) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let problems = read_text("x", text).map(|_| ()).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn mistakes_are_told() {
        for (text, part) in [
            ("", "no `[[scenario]]`"),
            ("[[scenario]]\nname = \"a\"\n", "either `[[scenario.turn]]`"),
            ("[[scenario]]\nname = \"a\"\npersona = \"b\"\n", "`persona` and `goal`"),
            ("[[scenario]]\nname = \"a\"\n[[scenario.turn]]\n", "turn 1: give one of"),
            (
                "[[scenario]]\nname = \"a\"\n[[scenario.turn]]\nsay = \"a\"\npress = \"1\"\n",
                "give one of",
            ),
            ("[[scenario]]\nname = \"a\"\nat = \"tomorrow\"\n", "is not a date and time"),
            ("[[scenario]]\nname = \"a\"\nfrom = \"withheld\"\noutbound = {}\n", "who is called"),
            ("[[scenario]]\nname = \"a\"\noutbound = { 1 = \"x\" }\n", "no name of a value"),
            (
                "[[scenario]]\nname = \"a\"\n[[scenario.turn]]\nsay = \"a\"\nexpect = { contain = \"b\" }\n",
                "did you mean `contains`",
            ),
            (
                "[[scenario]]\nname = \"a\"\nexpect = { matches = \"(\" }\n",
                "is not a regular expression",
            ),
            (
                "[[scenario]]\nname = \"a\"\nexpect = { booked = { prty = 4 } }\n",
                "party, at, name, service",
            ),
        ] {
            let said = said(text);
            assert!(said.contains(part), "{part} in {said}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = read_text("x", &text);
        }
    }
}
