//! Bookings for other programs: spreadsheets, scripts, calendars.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{COLUMNS, Context, List, Listing, names, row, views};
use crate::{
    cli::output::Format,
    domain::{Booking, Result},
    integrations::ics,
};

/// As what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum As {
    /// Comma-separated values, with a heading.
    Csv,
    /// JSON, one object a line.
    Jsonl,
    /// A calendar (RFC 5545).
    Ics,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    list: List,
    /// As what.
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    format: As,
}

pub(super) fn export(args: &Export, context: &Context) -> Result<()> {
    let mut filter = args.list.filter(context)?;
    filter.limit = args.list.limit.filter(|limit| *limit > 0);
    let desk = context.desk("bookings export")?;
    let bookings = desk.bookings(&filter)?;
    match args.format {
        As::Csv => {
            let names = names(context)?;
            let mut listing = Listing::new("bookings", COLUMNS);
            listing.rows = bookings.iter().map(|booking| row(booking, &names)).collect();
            context.out.csv(&listing)
        }
        As::Jsonl => {
            for booking in &bookings {
                context.out.text(&format!("{}\n", views::booking(booking)))?;
            }
            Ok(())
        }
        As::Ics => {
            let mut of: BTreeMap<i64, Vec<Booking>> = BTreeMap::new();
            for booking in bookings {
                of.entry(booking.assistant.0).or_default().push(booking);
            }
            // A calendar has one name; several clients are several calendars, one after the other.
            for (id, bookings) in of {
                let spec = desk.assistant(&id.to_string())?.spec;
                context.out.text(&ics::calendar(&spec, &bookings))?;
            }
            Ok(())
        }
    }
}

/// Arguments of `feed`.
#[derive(Debug, Args)]
pub(super) struct Feed {
    /// Of which assistant.
    #[arg(value_name = "NAME")]
    assistant: String,
    /// Close it: no address shows these bookings any more.
    #[arg(long)]
    close: bool,
}

pub(super) fn feed(args: &Feed, context: &Context) -> Result<()> {
    let desk = context.desk("bookings feed")?;
    let assistant = desk.assistant(&args.assistant)?;
    let name = &assistant.spec.name;
    if args.close {
        desk.close_calendar(&assistant)?;
        context.out.note(&format!("The calendar of `{name}` is closed."));
        return Ok(());
    }
    let path = desk.open_calendar(&assistant)?;
    let base = context.daemon_url()?;
    let address = format!("{}{path}", base.as_deref().unwrap_or_default());
    if matches!(context.out.format(), Format::Json | Format::Jsonl) {
        // Told once: whoever reads it with a program must find it.
        context.out.object("feed", json!({ "assistant": name, "address": address }))?;
    } else {
        context.out.text(&format!("{address}\n"))?;
    }
    if base.is_none() {
        context
            .out
            .note("The address begins with that of your daemon: set `public_url` to see it whole.");
    }
    context.out.note(
        "Whoever has this address sees the bookings. It is told once; `feed` again makes another.",
    );
    Ok(())
}
