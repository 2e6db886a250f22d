//! `webox outbound`: calls that assistants were asked to make.

use clap::{Args, Subcommand};
use jiff::ZonedDateTime;

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    sheet::Sheet,
    views,
};
use crate::domain::{AnsweredBy, OutboundCall, OutboundId, OutboundState, Result};

/// Arguments of `webox outbound`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox outbound", "calls that were asked for in the last month, the newest first"),
        ("webox outbound show 17", "one, with its first words and what came of it"),
        ("webox outbound cancel 17", "if nobody was dialled yet"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::DENIED],
))]
pub struct Outbound {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them, the newest first, a thousand at most (the same as `webox outbound`).
    List,
    /// Show one.
    Show(Named),
    /// Take one back, if nobody was dialled yet.
    Cancel(Named),
}

#[derive(Debug, Args)]
struct Named {
    /// Its id, as `webox outbound` lists it.
    #[arg(value_name = "ID")]
    id: i64,
}

const COLUMNS: [Column; 8] = [
    Column::new("id", "id").right(),
    Column::new("asked_at", "asked").yields(),
    Column::new("assistant", "assistant"),
    Column::new("number", "number").at_least(13),
    Column::new("state", "state"),
    Column::new("answered_by", "answered by"),
    Column::new("failure", "why not").keeps(),
    Column::new("call_sid", "call").hidden(),
];

pub(super) fn run(args: &Outbound, context: &Context) -> Result<()> {
    match &args.action {
        None | Some(Action::List) => {
            let calls = context.desk("outbound")?.outbound_calls()?;
            listing(context, &calls)?;
            if calls.is_empty() && context.out.format() == Format::Table {
                context.out.note("No call was asked for; `webox call` does.");
            }
            Ok(())
        }
        Some(Action::Show(named)) => {
            tell(&context.desk("outbound show")?.outbound_call(OutboundId(named.id))?, context)
        }
        Some(Action::Cancel(named)) => {
            tell(&context.desk("outbound cancel")?.take_back_call(OutboundId(named.id))?, context)
        }
    }
}

fn listing(context: &Context, calls: &[OutboundCall]) -> Result<()> {
    let now = context.now()?;
    let mut listing = Listing::new("outbound", COLUMNS);
    listing.rows = calls.iter().map(|call| row(call, &now)).collect();
    context.out.listing(&listing)
}

const fn tone(state: OutboundState) -> Tone {
    match state {
        OutboundState::Completed => Tone::Good,
        OutboundState::Failed | OutboundState::Refused | OutboundState::Unknown => Tone::Bad,
        _ => Tone::Plain,
    }
}

fn row(call: &OutboundCall, now: &ZonedDateTime) -> Row {
    Row {
        id: call.id.0.to_string(),
        json: views::outbound(call),
        cells: vec![
            Cell::same(call.id.0.to_string()),
            Cell::shown(call.asked_at.to_string(), human::age(call.asked_at, now)),
            Cell::same(call.assistant.as_str()),
            Cell::same(call.number.as_str()).tone(Tone::Strong),
            Cell::same(call.state.as_str()).tone(tone(call.state)),
            Cell::maybe(call.answered_by.map(AnsweredBy::as_str)),
            Cell::maybe(call.failure.as_deref()),
            Cell::maybe(call.call.as_ref().map(crate::domain::CallSid::as_str)),
        ],
    }
}

/// One, whole.
pub(super) fn tell(call: &OutboundCall, context: &Context) -> Result<()> {
    match context.out.format() {
        Format::Json => context.out.objects([("outbound", views::outbound(call))]),
        Format::Table | Format::Text => {
            let now = context.now()?;
            let mut sheet = Sheet::default();
            sheet.add("id", call.id.0.to_string());
            sheet.add("assistant", call.assistant.as_str());
            sheet.add("number", call.number.as_str());
            sheet.add("state", call.state.as_str());
            sheet.maybe("answered by", call.answered_by.map(AnsweredBy::as_str));
            sheet.maybe("why not", call.failure.as_deref());
            sheet.add("first words", call.opening.as_str());
            sheet.maybe("message", call.message.as_deref());
            sheet.maybe("call", call.call.as_ref().map(crate::domain::CallSid::as_str));
            sheet.time("asked", call.asked_at, &now);
            context.out.listing(&sheet.into_listing())
        }
        _ => listing(context, std::slice::from_ref(call)),
    }
}
