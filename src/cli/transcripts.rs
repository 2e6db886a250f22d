//! `webox transcripts`: words in what was said.

use clap::{Args, Subcommand};
use jiff::ZonedDateTime;
use serde_json::json;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    window::WindowFlags,
};
use crate::domain::{Result, Snippet, Speaker, TranscriptHit, TranscriptQuery};

/// Hits shown when nothing is said.
const SCREENFUL: u64 = 50;

/// Hits asked for at once.
const PAGE: u64 = 1_000;

/// Arguments of `webox transcripts`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox transcripts search annuler réservation", "turns with both words, in any form, newest calls first"),
        ("webox transcripts search terrasse --since 7d --assistant le-gourmet", "of this week, of one assistant"),
        ("webox transcripts search wifi --limit 0 -o jsonl", "all of them, for a script"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA, exit::DENIED],
))]
pub struct Transcripts {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Look for words in what callers and assistants said.
    Search(Search),
}

#[derive(Debug, Args)]
struct Search {
    /// The words: turns have all of them, whatever their case, accents and endings.
    #[arg(required = true, value_name = "WORDS")]
    words: Vec<String>,
    #[command(flatten)]
    window: WindowFlags,
    /// At most so many; 0 is all [default: 50].
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

const COLUMNS: [Column; 7] = [
    Column::new("at", "when").at_least(16),
    Column::new("assistant", "assistant"),
    Column::new("caller", "caller").hidden(),
    Column::new("call_sid", "call"),
    Column::new("turn", "turn").right().yields(),
    Column::new("speaker", "who").yields(),
    Column::new("text", "said").keeps(),
];

pub(super) fn run(args: &Transcripts, context: &Context) -> Result<()> {
    match &args.action {
        Action::Search(args) => search(args, context),
    }
}

fn search(args: &Search, context: &Context) -> Result<()> {
    let window = args.window.read(context)?;
    let most = match args.limit {
        Some(0) => u64::MAX,
        Some(limit) => limit,
        None => SCREENFUL,
    };
    let mut query = TranscriptQuery::of(&args.words.join(" "), most.min(PAGE))?;
    (query.since, query.until, query.assistant) = (window.since, window.until, window.assistant);
    let desk = context.desk("transcripts search")?;
    let mut hits: Vec<TranscriptHit> = Vec::new();
    let more = loop {
        query.limit = (most - hits.len() as u64).min(PAGE);
        let page = desk.search_transcripts(&query)?;
        hits.extend(page.hits);
        query.before = page.next;
        if page.next.is_none() || hits.len() as u64 >= most {
            break page.next.is_some();
        }
    };
    let known = [
        Format::Table,
        Format::Text,
        Format::Tsv,
        Format::Json,
        Format::Jsonl,
        Format::Csv,
        Format::Ids,
    ];
    let format = context.out.one_of(&known)?;
    if matches!(format, Format::Table | Format::Text) {
        let now = context.now()?;
        for hit in &hits {
            context.out.text(&shown(hit, context, &now))?;
        }
    } else {
        let mut listing = Listing::new("hits", COLUMNS);
        listing.rows = hits.iter().map(row).collect();
        listing.beside.insert("more".to_owned(), more.into());
        context.out.listing(&listing)?;
    }
    let words = window.words(context)?;
    match hits.len() as u64 {
        0 => context.out.note(&format!("Nobody said this{words}.")),
        count if more => {
            context.out.note(&format!("Showing the newest {count}{words}; use --limit 0 for all."));
        }
        _ => {}
    }
    Ok(())
}

/// A hit for people: who and when, and below it the words in bold.
fn shown(hit: &TranscriptHit, context: &Context, now: &ZonedDateTime) -> String {
    let colour = context.out.colour();
    let said: String = hit
        .snippet
        .parts()
        .into_iter()
        .map(|(part, marked)| if marked { colour.paint(Tone::Strong, &part) } else { part })
        .collect();
    let who = match (hit.speaker, &hit.caller) {
        (Speaker::Caller, Some(caller)) => caller.clone(),
        (Speaker::Caller, None) => "withheld".to_owned(),
        (Speaker::Assistant, _) => hit.assistant.to_string(),
    };
    let head = format!(
        "{}  {}  {}  turn {}",
        human::date_time_zone(hit.at, now),
        hit.call_sid,
        hit.assistant,
        hit.turn
    );
    format!("{}\n      {who}: {said}\n", colour.paint(Tone::Faint, &head))
}

fn row(hit: &TranscriptHit) -> Row {
    let Snippet { text, .. } = &hit.snippet;
    Row {
        id: hit.call_sid.to_string(),
        json: json!(hit),
        cells: vec![
            Cell::same(hit.at.to_string()),
            Cell::same(hit.assistant.as_str()),
            Cell::maybe(hit.caller.as_deref()),
            Cell::same(hit.call_sid.as_str()),
            Cell::same(hit.turn.to_string()),
            Cell::same(hit.speaker.as_str()),
            Cell::same(text.as_str()),
        ],
    }
}
