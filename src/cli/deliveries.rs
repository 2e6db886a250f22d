//! `webox deliveries`: what others were told, and what they have still to be told.

use clap::{Args, Subcommand};
use jiff::ZonedDateTime;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    views,
};
use crate::{
    api::DeliveryView,
    domain::{
        DeliveryFilter, DeliveryId, DeliveryState, Error, Result,
        when::{self, Bound},
    },
};

/// Deliveries shown on a terminal when nothing is said.
const SCREENFUL: u64 = 50;

/// Arguments of `webox deliveries`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox deliveries", "what others were told, newest first"),
        ("webox deliveries list --state dead --since 7d", "what was given up this week, and why"),
        ("webox deliveries show 17 -o json | jq .delivery.payload", "what is delivered, as it is sent"),
        ("webox deliveries list --state dead -o ids | xargs -r webox deliveries retry", "tries again what was given up"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DATA, exit::DENIED],
))]
pub struct Deliveries {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List deliveries (the same as `webox deliveries`).
    List(List),
    /// Show one delivery, with what is delivered.
    Show(Show),
    /// Try deliveries again now, also those that were given up.
    Retry(Retry),
}

#[derive(Debug, Default, PartialEq, Args)]
struct List {
    /// Only those of an assistant, by name or id.
    #[arg(long, value_name = "NAME")]
    assistant: Option<String>,
    /// Only those that stand so: `pending`, `delivered`, `dead`.
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Of what happened from this time on: an age (`90m`, `2d`, `1w`), `today`, a date or a time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// At most so many, newest first; 0 is all [default: 50 on a terminal, all otherwise].
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

#[derive(Debug, Args)]
struct Show {
    /// Its id, as `webox deliveries` lists it.
    #[arg(value_name = "ID")]
    id: i64,
}

#[derive(Debug, Args)]
struct Retry {
    /// Their ids, as `webox deliveries` lists them.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
}

const COLUMNS: [Column; 13] = [
    Column::new("id", "id").right(),
    Column::new("created_at", "happened"),
    Column::new("event", "event"),
    Column::new("assistant", "assistant"),
    Column::new("destination", "to"),
    Column::new("contact", "caller").yields(),
    Column::new("state", "state"),
    Column::new("attempts", "tries").right().yields(),
    Column::new("due_at", "next").yields(),
    Column::new("failure", "why not yet").keeps(),
    Column::new("settled_at", "settled").hidden(),
    Column::new("call_sid", "call").hidden(),
    Column::new("message_id", "message").hidden(),
];

pub(super) fn run(args: &Deliveries, context: &Context) -> Result<()> {
    if args.action.is_some() && args.list != List::default() {
        return Err(Error::usage("flags of the list stand before the name of an action")
            .hint("write them after it: `webox deliveries list --state dead`"));
    }
    match &args.action {
        None => list(&args.list, context),
        Some(Action::List(args)) => list(args, context),
        Some(Action::Show(args)) => show(args, context),
        Some(Action::Retry(args)) => retry(args, context),
    }
}

fn list(args: &List, context: &Context) -> Result<()> {
    let now = context.now()?;
    let since = args.since.as_deref().map(|text| when::parse(text, &now, Bound::Since));
    let desk = context.desk("deliveries")?;
    let assistant = args.assistant.as_deref().map(|name| desk.assistant(name)).transpose()?;
    let filter = DeliveryFilter {
        assistant: assistant.map(|assistant| assistant.id),
        state: args.state.as_deref().map(str::parse::<DeliveryState>).transpose()?,
        since: since.transpose()?,
        older_than: None,
        limit: match args.limit {
            Some(0) => None,
            Some(limit) => Some(limit),
            None => context.out.is_terminal().then_some(SCREENFUL),
        },
    };
    let page = desk.deliveries(&filter)?;
    let mut listing = Listing::new("deliveries", COLUMNS);
    listing.rows = page.deliveries.iter().map(|one| row(one, &now)).collect();
    listing.beside.insert("totals".to_owned(), views::value(&page.totals));
    listing.beside.insert("next".to_owned(), page.next.clone().into());
    context.out.listing(&listing)?;
    if context.out.is_terminal() || page.next.is_some() {
        let totals = page.totals;
        let more = if page.next.is_some() { "; use --limit 0 for all" } else { "" };
        context.out.note(&format!(
            "{} pending, {} delivered, {} dead in all{more}.",
            totals.pending, totals.delivered, totals.dead
        ));
    }
    Ok(())
}

fn show(args: &Show, context: &Context) -> Result<()> {
    let delivery = context.desk("deliveries show")?.delivery(DeliveryId(args.id))?;
    match context.out.format() {
        Format::Json => context.out.objects([("delivery", views::value(&delivery))]),
        Format::Table | Format::Text => {
            let now = context.now()?;
            let mut text = String::new();
            let row = row(&delivery, &now);
            for (column, cell) in COLUMNS.iter().zip(&row.cells) {
                if !cell.raw.is_empty() {
                    text.push_str(&format!("{:<12}{}\n", column.heading, cell.shown));
                }
            }
            if let Some(payload) = &delivery.payload {
                text.push_str(&format!("\n{payload:#}\n"));
            }
            context.out.text(&text)
        }
        _ => listing(context, std::slice::from_ref(&delivery)),
    }
}

fn retry(args: &Retry, context: &Context) -> Result<()> {
    let desk = context.desk("deliveries retry")?;
    let mut tried = Vec::new();
    for id in &args.ids {
        let delivery = desk.retry_delivery(DeliveryId(*id))?;
        let place = &delivery.destination;
        context.out.note(&format!("The delivery {id} to `{place}` is tried again by the daemon."));
        tried.push(delivery);
    }
    if context.out.format() == Format::Table { Ok(()) } else { listing(context, &tried) }
}

fn listing(context: &Context, deliveries: &[DeliveryView]) -> Result<()> {
    let now = context.now()?;
    let mut listing = Listing::new("deliveries", COLUMNS);
    listing.rows = deliveries.iter().map(|one| row(one, &now)).collect();
    context.out.listing(&listing)
}

fn row(delivery: &DeliveryView, now: &ZonedDateTime) -> Row {
    let tone = match delivery.state {
        DeliveryState::Pending => Tone::Warning,
        DeliveryState::Delivered => Tone::Good,
        DeliveryState::Dead => Tone::Bad,
    };
    let time = |at: Option<jiff::Timestamp>,
                words: fn(jiff::Timestamp, &ZonedDateTime) -> String| {
        at.map_or_else(Cell::none, |at| Cell::shown(at.to_string(), words(at, now)))
    };
    Row {
        id: delivery.id.0.to_string(),
        json: views::value(delivery),
        cells: vec![
            Cell::same(delivery.id.0.to_string()),
            time(Some(delivery.created_at), human::age),
            Cell::same(delivery.event.as_str()).tone(Tone::Strong),
            Cell::same(delivery.assistant.as_str()),
            Cell::same(&delivery.destination),
            Cell::maybe(delivery.contact.as_deref()),
            Cell::same(delivery.state.as_str()).tone(tone),
            Cell::same(delivery.attempts.to_string()),
            time(delivery.due_at, human::date_time),
            Cell::maybe(delivery.failure.as_deref()),
            time(delivery.settled_at, human::age),
            Cell::maybe(delivery.call_sid.as_ref().map(crate::domain::CallSid::as_str)),
            Cell::same(&delivery.message_id).tone(Tone::Faint),
        ],
    }
}
