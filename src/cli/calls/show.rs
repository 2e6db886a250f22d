//! One call, turn by turn.

use clap::Args;
use serde_json::json;

use super::{
    Context, exit, help,
    output::{Cell, Column, Format, Listing, Row},
    spent, transcript, views,
};
use crate::domain::{Heard, Result, Turn};

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox calls show CA3f2a", "the transcript, with timings"),
        ("webox calls show CA3f2a -o json", "everything that is known about the call"),
    ],
    &[exit::FAILURE, exit::DATA],
))]
pub(super) struct Show {
    /// The call's SID, or a beginning that names only one.
    #[arg(value_name = "SID")]
    sid: String,
}

const COLUMNS: [Column; 10] = [
    Column::new("turn", "turn").right(),
    Column::new("heard_at", "heard at"),
    Column::new("heard", "heard").keeps(),
    Column::new("said", "said").keeps(),
    Column::new("engine", "engine"),
    Column::new("first_token_ms", "first word").right(),
    Column::new("reply_ms", "reply").right(),
    Column::new("tools", "tools"),
    Column::new("next", "next"),
    Column::new("unheard", "not heard"),
];

pub(super) fn run(args: &Show, context: &Context) -> Result<()> {
    let whole = context.desk("calls show")?.call(&args.sid)?;
    let sid = &whole.call.sid;
    match context.out.format() {
        Format::Ids => context.out.text(&format!("{sid}\n")),
        Format::Jsonl
        | Format::Tsv
        | Format::Csv
        | Format::Markdown
        | Format::Github
        | Format::Junit => {
            let mut listing = Listing::new("turns", COLUMNS);
            listing.rows = whole.turns.iter().map(row).collect();
            context.out.listing(&listing)
        }
        Format::Json => {
            let bookings: Vec<_> = whole.bookings.iter().map(views::booking).collect();
            let messages: Vec<_> = whole.messages.iter().map(views::message).collect();
            let transfers: Vec<_> = whole.handovers.iter().map(views::handover).collect();
            let turns: Vec<_> = whole.turns.iter().map(views::turn).collect();
            context.out.objects([
                ("call", views::call_with(&whole.call, &whole.extras)),
                ("turns", json!(turns)),
                ("bookings", json!(bookings)),
                ("messages", json!(messages)),
                ("transfers", json!(transfers)),
                ("costs", json!(whole.costs.iter().map(views::entry).collect::<Vec<_>>())),
                ("charge", whole.charge.as_ref().map_or(json!(null), views::charge)),
            ])
        }
        Format::Table | Format::Text => {
            let colour = context.out.colour();
            let text = transcript::render(&whole, &context.now()?, colour);
            let currency = context.settings()?.billing.currency.value;
            context.out.text(&(text + &spent::render(&whole, currency, colour)))
        }
    }
}

fn row(turn: &Turn) -> Row {
    let tools: Vec<&str> = turn.tools.iter().map(|tool| tool.tool.as_str()).collect();
    let ms = |value: Option<u32>| Cell::maybe(value.map(|ms| ms.to_string()));
    Row {
        id: turn.number.to_string(),
        json: views::turn(turn),
        cells: vec![
            Cell::same(turn.number.to_string()),
            Cell::same(turn.heard_at.to_string()),
            Cell::maybe(turn.heard.as_ref().map(Heard::text)),
            Cell::maybe(turn.said.as_deref()),
            Cell::maybe(turn.engine.as_deref()),
            ms(turn.timings.first_token_ms),
            ms(turn.timings.reply_ms),
            Cell::same(tools.join(",")),
            Cell::maybe(turn.next.as_ref().map(views::next_word)),
            Cell::maybe(turn.unheard.as_deref()),
        ],
    }
}
