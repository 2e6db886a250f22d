//! `webox do-not-call`: who is not to be called.

use std::{io::Read, path::PathBuf};

use clap::{Args, Subcommand};

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    prompt, views,
};
use crate::domain::{Error, Kind, PhoneNumber, Result};

/// The largest file that is imported.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Mistakes that are told of a file, at most.
const TOLD: usize = 20;

/// Arguments of `webox do-not-call`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox do-not-call", "the newest first; callers put themselves on it by saying so"),
        ("webox do-not-call add \"06 12 34 56 78\"", "in any usual spelling"),
        ("webox do-not-call import list.txt", "one number a line: all of them or none"),
        ("webox do-not-call remove +33612345678", "they asked to be called again"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::DENIED],
))]
pub struct DoNotCall {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List numbers, the newest first (the same as `webox do-not-call`).
    List,
    /// Add numbers.
    Add(Add),
    /// Take a number out: it may be called again. Asks first.
    Remove(Remove),
    /// Add the numbers of a file, one a line; of a CSV the first column. All of them or none.
    Import(Import),
}

#[derive(Debug, Args)]
struct Add {
    /// Numbers, in any usual spelling.
    #[arg(required = true, value_name = "NUMBER")]
    numbers: Vec<PhoneNumber>,
}

#[derive(Debug, Args)]
struct Remove {
    /// The number.
    #[arg(value_name = "NUMBER")]
    number: PhoneNumber,
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

#[derive(Debug, Args)]
struct Import {
    /// The file; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

const COLUMNS: [Column; 5] = [
    Column::new("id", "id").right(),
    Column::new("added_at", "since"),
    Column::new("number", "number").at_least(13),
    Column::new("source", "by"),
    Column::new("owner_id", "owner").right().hidden(),
];

pub(super) fn run(args: &DoNotCall, context: &Context) -> Result<()> {
    match &args.action {
        None | Some(Action::List) => list(context),
        Some(Action::Add(args)) => {
            let added = context.desk_to_fill("do-not-call add")?.add_do_not_call(&args.numbers)?;
            told(added, context);
            Ok(())
        }
        Some(Action::Remove(args)) => remove(args, context),
        Some(Action::Import(args)) => {
            let numbers = read(&args.file)?;
            let added = context.desk_to_fill("do-not-call import")?.add_do_not_call(&numbers)?;
            told(added, context);
            Ok(())
        }
    }
}

fn told(added: u64, context: &Context) {
    context.out.note(&format!("{} added.", human::count(added, "number", "numbers")));
}

fn list(context: &Context) -> Result<()> {
    let found = context.desk("do-not-call")?.do_not_call()?;
    let now = context.now()?;
    let mut listing = Listing::new("do_not_call", COLUMNS);
    listing.rows = found
        .iter()
        .map(|one| Row {
            id: one.id.0.to_string(),
            json: views::do_not_call(one),
            cells: vec![
                Cell::same(one.id.0.to_string()),
                Cell::shown(one.added_at.to_string(), human::age(one.added_at, &now)),
                Cell::same(one.number.as_str()).tone(Tone::Strong),
                Cell::same(one.source.as_str()),
                Cell::maybe(one.owner.map(|owner| owner.0.to_string())),
            ],
        })
        .collect();
    context.out.listing(&listing)?;
    if found.is_empty() && context.out.format() == Format::Table {
        context.out.note("Nobody is on it.");
    }
    Ok(())
}

fn remove(args: &Remove, context: &Context) -> Result<()> {
    let question = format!("Let {} be called again?", args.number);
    if !args.yes && !prompt::confirm(context, &question, "--yes")? {
        return Err(Error::new(Kind::Refused, "nothing was removed"));
    }
    context.desk("do-not-call remove")?.remove_do_not_call(&args.number)?;
    context.out.note(&format!("{} may be called again.", args.number));
    Ok(())
}

/// The numbers of a file; what is no number is told with its line, and nothing is added then.
fn read(path: &std::path::Path) -> Result<Vec<PhoneNumber>> {
    let shown = path.display();
    let failed =
        |cause: std::io::Error| Error::input(format!("{shown} cannot be read")).because(cause);
    let mut text = String::new();
    let from: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(path).map_err(failed)?)
    };
    from.take(LARGEST + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > LARGEST {
        return Err(
            Error::new(Kind::TooLarge, format!("{shown} is larger than 64 MiB")).hint("split it")
        );
    }
    numbers(&text).map_err(|lines| {
        Error::input(format!("{shown} was not taken: {}", lines.join("; ")))
            .hint("write one number a line, such as +33612345678")
    })
}

/// The numbers of a text, each once.
fn numbers(text: &str) -> std::result::Result<Vec<PhoneNumber>, Vec<String>> {
    let (mut found, mut wrong) = (std::collections::BTreeSet::new(), Vec::new());
    for (line, text) in (1_u64..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let first = text.split([',', ';', '\t']).next().unwrap_or_default();
        let first = first.trim().trim_matches('"').trim();
        if first.is_empty() || first.starts_with('#') {
            continue;
        }
        match first.parse::<PhoneNumber>() {
            Ok(number) => {
                found.insert(number);
            }
            // A heading.
            Err(_) if line == 1 && first.chars().all(|c| c.is_alphabetic() || c == '_') => {}
            Err(error) if wrong.len() < TOLD => wrong.push(format!("line {line}: {error}")),
            Err(_) => {}
        }
    }
    if wrong.is_empty() { Ok(found.into_iter().collect()) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_file() {
        let text = "\u{feff}phone;name\n06 12 34 56 78;Zoé\n\n# those of before\n\"+33612345678\",x\n+33123456789\n";
        let found: Vec<_> = numbers(text).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(found, ["+33123456789", "+33612345678"]);
        let wrong = numbers("+33612345678\nabc def\n112\n").unwrap_err();
        assert!(wrong[0].starts_with("line 2") && wrong[1].starts_with("line 3"), "{wrong:?}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,300}") {
            let _ = numbers(&text);
        }
    }
}
