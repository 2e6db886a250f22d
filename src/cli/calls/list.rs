//! The list of calls, newest first.

use clap::Args;
use jiff::ZonedDateTime;

use super::{
    Context, follow, human,
    output::{Cell, Column, Format, Listing, Row, Tone},
    progress::Waiting,
    status_tone, views,
    window::{Window, WindowFlags},
};
use crate::{
    domain::{Call, CallFilter, CallOutcome, CallStatus, Direction, Result, SatisfactionSource},
    operations::privacy::stored_caller,
};

/// How many calls a person is shown unasked.
const SCREENFUL: u64 = 50;

/// Arguments of `list`.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub(super) struct List {
    #[command(flatten)]
    window: WindowFlags,
    /// Only those that stand so: completed, in-progress, failed, …
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Only those that came to this: booked, informed, transferred, message, unreached, …
    #[arg(long, value_name = "OUTCOME")]
    outcome: Option<String>,
    /// Only those that others began, or that we did: inbound, outbound.
    #[arg(long, value_name = "DIRECTION")]
    direction: Option<String>,
    /// Only those from this caller, or to whom we called.
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,
    /// At most so many; 0 is all [default: 50 on a terminal, all otherwise].
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Skip so many of the newest.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    offset: u64,
    /// Go on printing calls as they come, until interrupted.
    #[arg(short, long)]
    follow: bool,
}

pub(super) const COLUMNS: [Column; 21] = [
    Column::new("when", "when").at_least(16),
    Column::new("caller", "caller").at_least(13),
    Column::new("assistant", "assistant").at_least(12),
    Column::new("duration", "duration").right().at_least(12),
    Column::new("status", "status").at_least(11),
    Column::new("outcome", "outcome"),
    Column::new("satisfaction", "satisfaction"),
    Column::new("sid", "call"),
    Column::new("number", "number dialled").hidden(),
    Column::new("ended", "ended").hidden(),
    Column::new("line", "line").hidden(),
    Column::new("language", "language").hidden(),
    Column::new("reason", "end").hidden(),
    Column::new("id", "id").right().hidden(),
    Column::new("cost_eur", "cost in euros").right().hidden(),
    Column::new("cost_usd", "cost in dollars").right().hidden(),
    Column::new("topic", "topic").hidden(),
    Column::new("summary", "summary").hidden(),
    Column::new("satisfaction_source", "satisfaction by").hidden(),
    Column::new("satisfaction_why", "why").hidden(),
    Column::new("extract", "extract").hidden(),
];

pub(super) fn run(args: &List, context: &Context) -> Result<()> {
    let window = args.window.read(context)?;
    let filter = args.filter(&window, context)?;
    let desk = context.desk("calls")?;
    if args.follow {
        return follow::run(desk.as_ref(), &filter, context);
    }
    let now = context.now()?;
    let mut listing = Listing::new("calls", COLUMNS);
    let in_lines = !matches!(context.out.format(), Format::Json | Format::Table);
    if filter.limit.is_none() && in_lines {
        let mut is_first = true;
        let mut printed = 0;
        // On a terminal the calls themselves are the sign of life.
        let waiting =
            (!context.out.is_terminal()).then(|| Waiting::begin(context, "reading calls"));
        desk.each_call(&filter, &mut |page| {
            listing.rows = page.iter().map(|call| row(call, &now)).collect();
            printed += page.len() as u64;
            if let Some(waiting) = &waiting {
                waiting.tell(human::count(printed, "call", "calls"));
            }
            if std::mem::take(&mut is_first) {
                return context.out.listing(&listing);
            }
            context.out.more_rows(&listing)
        })?;
        // Without a call there is still a heading where the format has one.
        return if is_first { context.out.listing(&listing) } else { Ok(()) };
    }
    let page = desk.calls(&filter)?;
    listing.rows = page.calls.iter().map(|call| row(call, &now)).collect();
    let shown = page.calls.len() as u64;
    let more = filter.offset + shown < page.total;
    listing.beside.insert("total".to_owned(), page.total.into());
    let next = more.then_some(filter.offset + shown);
    listing.beside.insert("next".to_owned(), next.map_or(serde_json::Value::Null, Into::into));
    context.out.listing(&listing)?;
    if context.out.is_terminal() || more {
        context.out.note(&note(shown, page.total, more, &window.words(context)?));
    }
    Ok(())
}

fn note(shown: u64, total: u64, more: bool, window: &str) -> String {
    if more {
        return format!("Showing {shown} of {total} calls{window}; use --limit 0 for all.");
    }
    match shown {
        0 => format!("No calls{window}."),
        _ => format!("{}{window}.", human::count(shown, "call", "calls")),
    }
}

impl List {
    /// Whether any of its flags was given.
    pub(super) fn is_given(&self) -> bool {
        *self != Self::default()
    }

    fn filter(&self, window: &Window, context: &Context) -> Result<CallFilter> {
        let status = self.status.as_deref().map(str::parse::<CallStatus>).transpose()?;
        let limit = match self.limit {
            Some(0) => None,
            Some(limit) => Some(limit),
            None => context.out.is_terminal().then_some(SCREENFUL),
        };
        Ok(CallFilter {
            since: window.since,
            until: window.until,
            assistant: window.assistant,
            status,
            outcome: self.outcome.as_deref().map(str::parse::<CallOutcome>).transpose()?,
            direction: self.direction.as_deref().map(str::parse::<Direction>).transpose()?,
            caller: self.from.as_deref().map(stored_caller).transpose()?,
            older_than: None,
            limit,
            offset: self.offset,
        })
    }
}

/// A call as a row.
pub(super) fn row(call: &Call, now: &ZonedDateTime) -> Row {
    let sid = call.sid.as_str();
    let status = Cell::same(call.status.as_str()).tone(status_tone(call.status));
    Row {
        id: sid.to_owned(),
        json: views::call(call),
        cells: vec![
            Cell::shown(call.started_at.to_string(), human::age(call.started_at, now)),
            match &call.caller {
                Some(caller) => Cell::same(caller),
                None => Cell::shown("", "withheld").tone(Tone::Faint),
            },
            Cell::same(call.assistant.as_str()),
            call.duration_s.map_or_else(Cell::none, |seconds| {
                Cell::shown(seconds.to_string(), human::duration(u64::from(seconds)))
            }),
            status,
            Cell::maybe(call.after.outcome.map(CallOutcome::as_str)),
            call.satisfaction.map_or_else(Cell::none, |score| {
                Cell::shown(score.to_string(), human::stars(f64::from(score)))
            }),
            // A beginning this long names one call in many millions, and `show` takes it.
            Cell::shown(sid, sid.get(..12).unwrap_or(sid)).tone(Tone::Faint),
            Cell::same(&call.to_number),
            call.ended_at
                .map_or_else(Cell::none, |at| Cell::shown(at.to_string(), human::age(at, now))),
            Cell::same(call.line.as_str()),
            Cell::same(call.language.as_str()),
            Cell::maybe(call.end_reason.map(crate::domain::EndReason::as_str)),
            Cell::same(call.id.0.to_string()),
            Cell::maybe(call.cost.map(|cost| cost.cost.eur.to_string())),
            Cell::maybe(call.cost.map(|cost| cost.cost.usd.to_string())),
            Cell::maybe(call.after.topic.as_deref()),
            Cell::maybe(call.after.summary.as_deref()),
            Cell::maybe(call.after.satisfaction_source.map(SatisfactionSource::as_str)),
            Cell::maybe(call.after.satisfaction_why.as_deref()),
            Cell::maybe(call.after.extract.as_ref().map(|found| views::value(found).to_string())),
        ],
    }
}
