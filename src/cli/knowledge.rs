//! `webox knowledge`: documents that assistants look things up in.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
};
use crate::domain::{DocumentPath, Error, Found, FoundBy, KeptDocument, Result};

/// Arguments of `webox knowledge`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox knowledge list hotel-miramar", "its documents, and which text of each is in force"),
        ("webox knowledge search hotel-miramar \"Hay cuna para el bebé?\"", "what a caller who says this would be answered from"),
        ("webox knowledge show hotel-miramar faq/es.md", "one document, as it was applied"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA],
))]
pub struct Knowledge {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the documents of an assistant.
    List(Named),
    /// Print one document.
    Show(Show),
    /// Look something up as it would be for a caller.
    Search(Search),
}

#[derive(Debug, Args)]
struct Named {
    /// Its name or its id.
    assistant: String,
}

#[derive(Debug, Args)]
struct Show {
    #[command(flatten)]
    named: Named,
    /// The document, as the list names it.
    document: DocumentPath,
}

#[derive(Debug, Args)]
struct Search {
    #[command(flatten)]
    named: Named,
    /// What a caller would say.
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
}

pub(super) fn run(args: &Knowledge, context: &Context) -> Result<()> {
    match &args.action {
        Action::List(args) => list(args, context),
        Action::Show(args) => show(args, context),
        Action::Search(args) => search(args, context),
    }
}

fn list(args: &Named, context: &Context) -> Result<()> {
    let documents = context.desk("knowledge list")?.documents(&args.assistant, false)?;
    // Where no model is named, nothing is embedded, and nothing is said of it.
    let embeds = documents.iter().any(|document| document.embedded.is_some());
    let mut columns = vec![
        Column::new("path", "document"),
        Column::new("bytes", "bytes").right(),
        Column::new("passages", "passages").right(),
    ];
    if embeds {
        columns.push(Column::new("embedded", "embedded").right());
    }
    columns.push(Column::new("sha256", "sha256"));
    let mut listing = Listing::new("documents", columns);
    listing.rows = documents.iter().map(row).collect();
    context.out.listing(&listing)?;
    for document in &documents {
        let lacks = document.embedded.is_some_and(|embedded| embedded < document.passages);
        if let (true, Some(why)) = (lacks, &document.failure) {
            context.out.note(&format!("{}: not all is embedded: {}", document.path, plain(why)));
        }
    }
    if documents.is_empty() && context.out.format() == Format::Table {
        context.out.note("No documents: name them with `knowledge` in the assistant's file.");
    }
    Ok(())
}

fn row(document: &KeptDocument) -> Row {
    let mut cells = vec![
        Cell::same(document.path.as_str()).tone(Tone::Strong),
        Cell::shown(document.bytes.to_string(), human::number(document.bytes)),
        Cell::same(document.passages.to_string()),
    ];
    if let Some(embedded) = document.embedded {
        let shown = format!("{embedded}/{}", document.passages);
        cells.push(Cell::shown(embedded.to_string(), shown));
    }
    cells.push(Cell::shown(document.sha256.as_str(), document.sha256.short()));
    Row { id: document.path.to_string(), json: json!(document), cells }
}

fn show(args: &Show, context: &Context) -> Result<()> {
    let documents = context.desk("knowledge show")?.documents(&args.named.assistant, true)?;
    let found = documents.into_iter().find(|one| one.path == args.document);
    let Some(document) = found else {
        let name = &args.named.assistant;
        return Err(Error::not_found(format!("`{name}` has no document {}", args.document))
            .hint(format!("list them with `webox knowledge list {name}`")));
    };
    match context.out.one_of(&[Format::Text, Format::Table, Format::Json])? {
        Format::Json => context.out.objects([("document", json!(document))]),
        _ => context.out.text(document.text.as_deref().unwrap_or_default()),
    }
}

fn search(args: &Search, context: &Context) -> Result<()> {
    let desk = context.desk("knowledge search")?;
    let found = desk.search_knowledge(&args.named.assistant, &args.words.join(" "))?;
    let known =
        [Format::Table, Format::Text, Format::Tsv, Format::Json, Format::Jsonl, Format::Csv];
    if matches!(context.out.one_of(&known)?, Format::Table | Format::Text) {
        for found in &found {
            context.out.text(&passage(found, context))?;
        }
    } else {
        context.out.listing(&passages(&found))?;
    }
    if found.is_empty() {
        context.out.note("Nothing in the documents is about this.");
    }
    Ok(())
}

/// A passage for people, whole.
fn passage(found: &Found, context: &Context) -> String {
    let colour = context.out.colour();
    let heading = plain(&found.passage.heading);
    let heading = if heading.is_empty() { heading } else { format!("  {heading}") };
    let head = format!("{}{heading}", found.passage.document);
    let by = match (found.by, found.likeness) {
        (FoundBy::Words, _) | (_, None) => String::new(),
        (by, Some(likeness)) => format!("  (by {}, {likeness:.2} alike)", told(by)),
    };
    let head = colour.paint(Tone::Strong, &head);
    let mut text = format!("{:.2}  {head}{by}\n", found.score);
    for line in found.passage.text.lines() {
        text.push_str(&format!("      {}\n", plain(line)));
    }
    text
}

fn told(by: FoundBy) -> &'static str {
    match by {
        FoundBy::Words => "its words",
        FoundBy::Meaning => "what it means",
        FoundBy::Both => "its words and what it means",
    }
}

/// Without what could move a terminal's cursor.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn passages(found: &[Found]) -> Listing {
    let mut listing = Listing::new(
        "passages",
        [
            Column::new("score", "score").right(),
            Column::new("by", "found by").yields(),
            Column::new("document", "document"),
            Column::new("heading", "heading"),
            Column::new("text", "text").keeps(),
        ],
    );
    listing.rows = found
        .iter()
        .map(|found| Row {
            id: found.passage.document.to_string(),
            json: json!(found),
            cells: vec![
                Cell::same(format!("{:.2}", found.score)),
                Cell::same(found.by.as_str()),
                Cell::same(found.passage.document.as_str()),
                Cell::same(found.passage.heading.as_str()),
                Cell::same(found.passage.text.as_str()),
            ],
        })
        .collect();
    listing
}
