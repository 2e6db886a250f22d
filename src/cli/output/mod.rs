//! Everything that webox prints goes through one [`Output`].
//!
//! Data goes to stdout, talk to stderr. A [`Listing`] is data in columns; each format has its
//! file and decides nothing but looks. A reader that closed its end is told by `io::Error`, which
//! `cli::main` takes for success.

mod csv;
mod harmless;
mod ids;
mod json;
mod listing;
mod style;
mod table;
mod tsv;

use std::{
    cell::RefCell,
    io::{self, IsTerminal, Write},
};

use clap::ValueEnum;
use serde_json::{Value, json};

pub use listing::{Align, Cell, Column, Listing, Room, Row};
pub use style::{Colour, Tone};

use crate::{
    config::Environment,
    domain::{Error, Result},
};

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Aligned, with headings, for people (the default on a terminal).
    Table,
    /// Tab-separated, raw values, no headings (the default in a pipe).
    Tsv,
    /// One object.
    Json,
    /// One object a line.
    Jsonl,
    /// Comma-separated, with headings.
    Csv,
    /// Only what identifies each row, one a line.
    Ids,
    /// Text for people, in `validate` and `plan`.
    Text,
    /// A comment on a pull request, in `plan`.
    Markdown,
    /// Annotations on the lines of a pull request, in `validate`.
    Github,
    /// XML for continuous integration, in `test`.
    Junit,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourChoice {
    /// On a terminal that wants it.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the command line says about output.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// `--output`.
    pub format: Option<Format>,
    /// `--columns`.
    pub columns: Option<Vec<String>>,
    /// `--color`.
    pub colour: Option<ColourChoice>,
    /// `--quiet`.
    pub quiet: bool,
}

/// The one writer.
pub struct Output {
    format: Format,
    wished: Option<Format>,
    columns: Option<Vec<String>>,
    quiet: bool,
    stdout_is_terminal: bool,
    stdout_colour: Colour,
    stderr_colour: Colour,
    stdout: RefCell<Box<dyn Write>>,
    /// How the last table was laid out.
    form: RefCell<Option<table::Form>>,
}

impl Output {
    /// Decides format and colours from wishes, environment and what the streams are.
    pub fn new(wishes: &Wishes, environment: &Environment) -> Self {
        let stdout_is_terminal = io::stdout().is_terminal();
        let choice = wishes.colour.unwrap_or(ColourChoice::Auto);
        let fallback = if stdout_is_terminal { Format::Table } else { Format::Tsv };
        Self {
            format: wishes.format.unwrap_or(fallback),
            wished: wishes.format,
            columns: wishes.columns.clone(),
            quiet: wishes.quiet,
            stdout_is_terminal,
            stdout_colour: style::decide(choice, environment, stdout_is_terminal),
            stderr_colour: style::decide(choice, environment, io::stderr().is_terminal()),
            stdout: RefCell::new(Box::new(io::BufWriter::new(io::stdout().lock()))),
            form: RefCell::new(None),
        }
    }

    /// The format asked for, of those that a command knows; the first one when none is.
    pub fn one_of(&self, known: &[Format]) -> Result<Format> {
        match (self.wished, known) {
            (None, [first, ..]) => Ok(*first),
            (Some(wished), _) if known.contains(&wished) => Ok(wished),
            (Some(wished), _) => Err(unknown_format(wished, known)),
            (None, []) => Ok(Format::Text),
        }
    }

    /// The format in force.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether a person looks at stdout.
    pub fn is_terminal(&self) -> bool {
        self.stdout_is_terminal
    }

    /// How many columns a person sees; eighty where there is no saying.
    pub fn width(&self) -> usize {
        table::width().filter(|_| self.stdout_is_terminal).map_or(80, usize::from)
    }

    /// Colours for text on stdout.
    pub fn colour(&self) -> Colour {
        self.stdout_colour
    }

    /// Colours for text on stderr.
    pub fn error_colour(&self) -> Colour {
        self.stderr_colour
    }

    /// Whether notes are left out.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints data in columns.
    pub fn listing(&self, listing: &Listing) -> Result<()> {
        self.print(listing, true)
    }

    /// Prints data as CSV, whatever the format in force: for commands whose purpose it is.
    pub fn csv(&self, listing: &Listing) -> Result<()> {
        self.text(&self.as_csv(listing)?)
    }

    /// The same as text, for a file.
    pub fn as_csv(&self, listing: &Listing) -> Result<String> {
        let columns = listing.choose(self.columns.as_deref(), false)?;
        Ok(csv::lines(listing, &columns, true))
    }

    /// Prints rows that follow others of the same listing: no headings, no wrapper.
    pub fn more_rows(&self, listing: &Listing) -> Result<()> {
        self.print(listing, false)?;
        self.flush()
    }

    fn print(&self, listing: &Listing, first: bool) -> Result<()> {
        let in_columns = matches!(self.format, Format::Table | Format::Tsv | Format::Csv);
        if self.columns.is_some() && !in_columns {
            return Err(Error::usage("--columns chooses columns, and this format has none")
                .hint("use it with `-o table`, `-o tsv` or `-o csv`"));
        }
        let text = match self.format {
            Format::Text | Format::Markdown | Format::Github | Format::Junit => {
                return Err(unknown_format(self.format, LISTINGS));
            }
            Format::Json => json::object(listing),
            Format::Jsonl => json::lines(listing),
            Format::Ids => ids::lines(listing),
            Format::Table => {
                let mut form = self.form.borrow_mut();
                // Rows that follow others stand below them.
                let form = match form.as_ref().filter(|_| !first) {
                    Some(form) => form,
                    None => form.insert(self.table_form(listing)?),
                };
                table::render(listing, form, self.stdout_colour, first)
            }
            Format::Tsv => tsv::lines(listing, &listing.choose(self.columns.as_deref(), false)?),
            Format::Csv => {
                csv::lines(listing, &listing.choose(self.columns.as_deref(), false)?, first)
            }
        };
        self.text(&text)
    }

    /// The columns of a table: those asked for, or as many of the usual ones as there is room for.
    fn table_form(&self, listing: &Listing) -> Result<table::Form> {
        let columns = listing.choose(self.columns.as_deref(), true)?;
        let width = table::width().filter(|_| self.stdout_is_terminal);
        Ok(match (width, &self.columns) {
            (Some(width), None) => table::Form::fitting(listing, columns, width.into()),
            (width, _) => table::Form::of(listing, columns, width.map(usize::from)),
        })
    }

    /// Prints one JSON object, wrapped with its format version.
    pub fn object(&self, key: &'static str, value: Value) -> Result<()> {
        let text = match self.format {
            Format::Jsonl => format!("{value}\n"),
            _ => json::pretty(&json::wrap([(key, value)])),
        };
        self.text(&text)
    }

    /// Prints one JSON object of several parts, wrapped with its format version.
    pub fn objects(&self, parts: impl IntoIterator<Item = (&'static str, Value)>) -> Result<()> {
        self.text(&json::pretty(&json::wrap(parts)))
    }

    /// Prints text: as it is for programs, and harmless for terminals.
    pub fn text(&self, text: &str) -> Result<()> {
        if self.stdout_is_terminal {
            return self.bytes(harmless::text(text).as_bytes());
        }
        self.bytes(text.as_bytes())
    }

    /// Prints bytes that are no text.
    pub fn bytes(&self, bytes: &[u8]) -> Result<()> {
        self.stdout.borrow_mut().write_all(bytes).map_err(Error::of_output)
    }

    /// Sends what was printed on its way.
    pub fn flush(&self) -> Result<()> {
        self.stdout.borrow_mut().flush().map_err(Error::of_output)
    }

    /// Says something on stderr that a script does not need.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            self.say(text);
        }
    }

    /// Says on stderr that something may not be as the user thinks.
    pub fn warn(&self, text: &str) {
        if !self.quiet {
            self.say(&format!("{} {text}", self.stderr_colour.paint(Tone::Warning, "warning:")));
        }
    }

    /// Tells an error, in words or as JSON. Nothing can be done when stderr is gone as well.
    pub fn error(&self, error: &Error) {
        let _ = self.flush();
        let text = if matches!(self.format, Format::Json | Format::Jsonl) {
            error_object(error)
        } else {
            error_text(error, self.stderr_colour)
        };
        let _ = writeln!(io::stderr().lock(), "{}", harmless::text(&text));
    }

    /// Tells a wrong command line, in clap's words.
    pub fn usage(&self, error: &clap::Error) {
        // A value of ours that was refused says what would be taken; clap shows the first part alone.
        let ours = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<Error>());
        let hint = ours.and_then(Error::hint_text);
        if matches!(self.format, Format::Json | Format::Jsonl) {
            let text = error.render().to_string();
            let mut lines = text.lines();
            let message = lines.next().unwrap_or_default().trim_start_matches("error: ");
            let tip = lines.find_map(|line| line.trim().strip_prefix("tip: "));
            self.error(&Error::usage(message).maybe_hint(hint.or(tip).map(str::to_owned)));
            return;
        }
        let text = if self.stderr_colour.is_on() {
            error.render().ansi().to_string()
        } else {
            error.render().to_string()
        };
        let text = match hint {
            Some(hint) => {
                let word = self.stderr_colour.paint(Tone::Good, "hint:");
                text.replacen("\n\n", &format!("\n  {word} {hint}\n\n"), 1)
            }
            None => text,
        };
        let _ = write!(io::stderr().lock(), "{}", harmless::text(&text));
    }

    /// Says something on stderr that must be read, whatever `--quiet` says.
    pub fn say(&self, text: &str) {
        // Order matters to a person who sees both streams in one place.
        let _ = self.flush();
        let _ = writeln!(io::stderr().lock(), "{}", harmless::text(text));
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

/// What lists are printed as.
const LISTINGS: &[Format] =
    &[Format::Table, Format::Tsv, Format::Json, Format::Jsonl, Format::Csv, Format::Ids];

fn unknown_format(wished: Format, known: &[Format]) -> Error {
    let word = |format: Format| {
        format.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    };
    let known: Vec<String> = known.iter().map(|format| word(*format)).collect();
    Error::usage(format!("this command does not print `{}`", word(wished)))
        .hint(format!("it prints {}", known.join(", ")))
}

fn error_object(error: &Error) -> String {
    let causes = error.causes();
    json!({"error": {
        "code": error.kind().as_str(),
        "message": error.message(),
        "cause": (!causes.is_empty()).then(|| causes.join(": ")),
        "hint": error.hint_text(),
    }})
    .to_string()
}

/// Three lines: what happened, why, what to do.
fn error_text(error: &Error, colour: Colour) -> String {
    use std::fmt::Write as _;
    let message = error.message().replace('\n', "\n       ");
    let mut text = format!("{} {message}", colour.paint(Tone::Bad, "error:"));
    for cause in error.causes() {
        let _ = write!(text, "\n  {} {cause}", colour.paint(Tone::Faint, "cause:"));
    }
    if let Some(hint) = error.hint_text() {
        let _ = write!(text, "\n  {} {hint}", colour.paint(Tone::Good, "hint:"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_three_parts() {
        let error = Error::not_found("no assistant named `x`")
            .hint("list them")
            .because(io::Error::other("looked everywhere"));
        assert_eq!(
            error_text(&error, Colour::OFF),
            "error: no assistant named `x`\n  cause: looked everywhere\n  hint: list them"
        );
        let object: Value = serde_json::from_str(&error_object(&error)).unwrap();
        assert_eq!(object["error"]["code"], "not_found");
        assert_eq!(object["error"]["hint"], "list them");
    }
}
