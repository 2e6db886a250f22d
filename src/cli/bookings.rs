//! `webox bookings`: what callers, and people here, have booked.

mod export;
mod make;

use clap::{Args, Subcommand};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use super::{
    Context, exit, help, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    prompt,
    sheet::Sheet,
    views,
    window::WindowFlags,
};
use crate::domain::{Booking, BookingFilter, Error, Result};

/// Arguments of `webox bookings`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox bookings --on tomorrow --assistant le-gourmet", "tomorrow's tables, in order"),
        ("webox bookings create le-gourmet --at \"2026-11-27 20:00\" --party 4 --name Dupont", "books by the rules of the file; says what is free if it is full"),
        ("webox bookings cancel 482193", "by the reference that the caller was told"),
        ("webox bookings export --assistant le-gourmet --format ics > le-gourmet.ics", "for any calendar"),
        ("webox bookings feed le-gourmet", "an address that calendars subscribe to"),
    ],
    &[exit::FAILURE, exit::REFUSED, exit::USAGE, exit::DATA, exit::DENIED],
))]
pub struct Bookings {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List bookings in the order they take place (the same as `webox bookings`).
    List(List),
    /// Show one booking.
    Show(Named),
    /// Book by hand, by the same rules as a caller.
    Create(make::Create),
    /// Cancel a booking; asks first.
    Cancel(make::Cancel),
    /// Print bookings as CSV, JSON lines or a calendar.
    Export(export::Export),
    /// Give a calendar of an assistant's bookings an address to subscribe to.
    Feed(export::Feed),
}

#[derive(Debug, Args)]
struct Named {
    /// The reference, or `#` and the number of the row.
    #[arg(value_name = "REFERENCE")]
    reference: String,
}

/// Which bookings: those to come, unless a window is given.
#[derive(Debug, Clone, Default, PartialEq, Args)]
struct List {
    #[command(flatten)]
    window: WindowFlags,
    /// Only those of one day: `today`, `tomorrow`, a date, or a number of days ahead (`3d`).
    #[arg(long, value_name = "DAY", conflicts_with_all = ["since", "until"])]
    on: Option<String>,
    /// Also those that were cancelled.
    #[arg(long)]
    all: bool,
    /// At most so many; 0 is all [default: 50 on a terminal, all otherwise].
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

const COLUMNS: [Column; 14] = [
    Column::new("at", "when").at_least(16),
    Column::new("assistant", "assistant").at_least(12),
    Column::new("name", "name"),
    Column::new("party", "people").right(),
    Column::new("what", "what").yields(),
    Column::new("caller", "caller").at_least(13),
    Column::new("status", "status"),
    Column::new("reference", "reference"),
    Column::new("nights", "nights").right().hidden(),
    Column::new("note", "note").hidden(),
    Column::new("ends_at", "ends").hidden(),
    Column::new("created_at", "made").hidden(),
    Column::new("call_id", "call").right().hidden(),
    Column::new("id", "id").right().hidden(),
];

pub(super) fn run(args: &Bookings, context: &Context) -> Result<()> {
    if args.action.is_some() && args.list != List::default() {
        return Err(Error::usage("flags of the list stand before the name of an action")
            .hint("write them after it: `webox bookings list --on tomorrow`"));
    }
    match &args.action {
        None => list(&args.list, context),
        Some(Action::List(args)) => list(args, context),
        Some(Action::Show(args)) => show(&args.reference, context),
        Some(Action::Create(args)) => make::create(args, context),
        Some(Action::Cancel(args)) => make::cancel(args, context),
        Some(Action::Export(args)) => export::export(args, context),
        Some(Action::Feed(args)) => export::feed(args, context),
    }
}

impl List {
    /// The filter, without a limit, and whether it reaches back.
    fn filter(&self, context: &Context) -> Result<BookingFilter> {
        let window = self.window.read(context)?;
        let (mut since, mut until) = (window.since, window.until);
        if let Some(on) = &self.on {
            let now = context.now()?;
            let day = day(on, now.date())?;
            let start =
                |day: Date| day.to_zoned_datetime(now.time_zone().clone()).map(|at| at.timestamp());
            let wrong = |_| Error::input(format!("`{on}` is no day of this calendar"));
            since = Some(start(day).map_err(wrong)?);
            until = Some(start(day.tomorrow().map_err(wrong)?).map_err(wrong)?);
        } else if since.is_none() && until.is_none() {
            // What takes place now is still of interest.
            since = context.now()?.timestamp().checked_sub(3.hours()).ok();
        }
        Ok(BookingFilter {
            assistant: window.assistant,
            since,
            until,
            cancelled: self.all,
            limit: None,
        })
    }
}

/// A day as people type it.
fn day(text: &str, today: Date) -> Result<Date> {
    let ahead = |days: i64| today.saturating_add(days.days());
    match text.trim().to_lowercase().as_str() {
        "today" | "aujourd'hui" => return Ok(today),
        "tomorrow" | "demain" => return Ok(ahead(1)),
        "yesterday" | "hier" => return Ok(ahead(-1)),
        other => {
            let days = other.strip_suffix(['d', 'j']).and_then(|days| days.parse::<u16>().ok());
            if let Some(days) = days {
                return Ok(ahead(i64::from(days)));
            }
        }
    }
    text.trim().parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        Error::usage(format!("`{}` is no day", shown.escape_debug()))
            .hint("write `today`, `tomorrow`, `3d` or a date such as `2026-11-27`")
    })
}

fn list(args: &List, context: &Context) -> Result<()> {
    let mut filter = args.filter(context)?;
    let screenful = context.out.is_terminal().then_some(50);
    let limit = match args.limit {
        Some(0) => None,
        Some(limit) => Some(limit),
        None => screenful,
    };
    filter.limit = limit.map(|limit| limit.saturating_add(1));
    let desk = context.desk("bookings")?;
    let mut bookings = desk.bookings(&filter)?;
    let more = limit.is_some_and(|limit| bookings.len() as u64 > limit);
    if let Some(limit) = limit {
        bookings.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    let names = names(context)?;
    let mut listing = Listing::new("bookings", COLUMNS);
    listing.rows = bookings.iter().map(|booking| row(booking, &names)).collect();
    context.out.listing(&listing)?;
    if more {
        context.out.note("There are more; use --limit 0 for all.");
    } else if bookings.is_empty() && context.out.format() == Format::Table {
        context.out.note("No bookings.");
    }
    Ok(())
}

/// Assistants by their ids.
type Names = std::collections::BTreeMap<i64, String>;

fn names(context: &Context) -> Result<Names> {
    let all = context.desk("assistants")?.assistants()?;
    Ok(all
        .into_iter()
        .map(|overview| (overview.assistant.id.0, overview.assistant.spec.name.to_string()))
        .collect())
}

fn row(booking: &Booking, names: &Names) -> Row {
    let tone = if booking.cancelled_at.is_some() { Tone::Faint } else { Tone::Good };
    let what: Vec<&str> =
        [&booking.service, &booking.resource].into_iter().flatten().map(String::as_str).collect();
    let at = wall_clock(booking);
    Row {
        id: booking.reference.clone(),
        json: views::booking(booking),
        cells: vec![
            Cell::shown(booking.at.to_string(), at).tone(Tone::Strong),
            // One that was deleted has no name here any more.
            Cell::maybe(names.get(&booking.assistant.0).map(String::as_str)),
            Cell::same(&booking.name),
            Cell::same(booking.party.to_string()),
            Cell::maybe((!what.is_empty()).then(|| what.join(", ")).as_deref()),
            Cell::maybe(booking.caller.as_deref()),
            Cell::same(booking.status()).tone(tone),
            Cell::same(&booking.reference),
            Cell::maybe(booking.nights.map(|nights| nights.to_string())),
            Cell::maybe(booking.note.as_deref()),
            Cell::same(booking.ends_at.to_string()),
            Cell::same(booking.created_at.to_string()),
            Cell::maybe(booking.call.map(|call| call.0.to_string())),
            Cell::same(booking.id.0.to_string()),
        ],
    }
}

/// When, on the client's own clock: that is what was promised, wherever one reads it.
fn wall_clock(booking: &Booking) -> String {
    match booking.nights {
        Some(nights) => format!(
            "{} +{}",
            booking.at.strftime("%a %F"),
            human::count(u64::from(nights), "night", "nights")
        ),
        None => booking.at.strftime("%a %F %H:%M").to_string(),
    }
}

fn show(reference: &str, context: &Context) -> Result<()> {
    let booking = context.desk("bookings show")?.booking(reference)?;
    tell(&booking, context)
}

/// One booking, whole.
fn tell(booking: &Booking, context: &Context) -> Result<()> {
    match context.out.format() {
        Format::Json => context.out.objects([("booking", views::booking(booking))]),
        Format::Table | Format::Text => {
            let names = names(context)?;
            let mut sheet = Sheet::default();
            sheet.add("reference", &booking.reference);
            sheet.add("status", booking.status());
            sheet.maybe("assistant", names.get(&booking.assistant.0).map(String::as_str));
            sheet.add("when", format!("{} ({})", wall_clock(booking), booking.timezone));
            sheet.add("name", &booking.name);
            sheet.add("people", booking.party.to_string());
            sheet.maybe("service", booking.service.as_deref());
            sheet.maybe("with", booking.resource.as_deref());
            sheet.maybe("caller", booking.caller.as_deref());
            sheet.maybe("note", booking.note.as_deref());
            let now = context.now()?;
            sheet.time("made", booking.created_at, &now);
            if booking.updated_at != booking.created_at {
                sheet.time("changed", booking.updated_at, &now);
            }
            context.out.listing(&sheet.into_listing())
        }
        _ => {
            let names = names(context)?;
            let mut listing = Listing::new("bookings", COLUMNS);
            listing.rows = vec![row(booking, &names)];
            context.out.listing(&listing)
        }
    }
}

/// A wall-clock time as people type it: `2026-11-27 20:00`, `demain 20:00`.
fn moment(text: &str, today: Date) -> Result<jiff::civil::DateTime> {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::civil::DateTime>() {
        return Ok(at);
    }
    let (first, time) = text.rsplit_once([' ', 'T']).unwrap_or((text, "00:00"));
    let time: crate::domain::ClockTime = time.parse()?;
    Ok(day(first, today)?.to_datetime(time.get()))
}

/// Where the assistant lives, for dates that people type.
fn today_in(zone: TimeZone, now: Timestamp) -> Date {
    now.to_zoned_datetime(zone).date()
}
