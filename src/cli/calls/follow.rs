//! `--follow`: calls as they come, until interrupted.

use std::time::Duration;

use super::{
    Context, list,
    output::{Format, Listing},
};
use crate::{
    cli::desk::Desk,
    domain::{CallFilter, Error, Kind, Result},
};

/// How often the store is asked: soon enough for a person, and nothing for SQLite.
const EVERY: Duration = Duration::from_millis(250);

pub(super) fn run(desk: &dyn Desk, filter: &CallFilter, context: &Context) -> Result<()> {
    if context.out.format() == Format::Json {
        return Err(Error::usage("an object without an end is no JSON")
            .hint("use `-o jsonl`, one object a line"));
    }
    // First those that are there already, as the list would show them, but oldest first.
    let mut last = desk.newest_call()?;
    let mut page =
        desk.calls(&CallFilter { limit: filter.limit.or(Some(10)), ..filter.clone() })?;
    page.calls.reverse();
    let mut listing = Listing::new("calls", list::COLUMNS);
    let now = context.now()?;
    listing.rows = page.calls.iter().map(|call| list::row(call, &now)).collect();
    context.out.listing(&listing)?;
    context.out.flush()?;
    let mut heading_due = listing.rows.is_empty();

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| Error::failure("cannot wait for calls").because(cause))?;
    runtime.block_on(async {
        let mut told = false;
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => {
                    return Err(Error::new(Kind::Interrupted, "interrupted"));
                }
                _ = tick.tick() => {}
            }
            if !told {
                // Only now: an interrupt is listened to from here on.
                context.out.note("Waiting for calls. Interrupt with Ctrl-C.");
                told = true;
            }
            let new = desk.calls_after(last, filter)?;
            let Some(newest) = new.last() else { continue };
            last = newest.id;
            let now = jiff::Timestamp::now().to_zoned_datetime(context.zone()?);
            listing.rows = new.iter().map(|call| list::row(call, &now)).collect();
            if heading_due && context.out.format() == Format::Table {
                context.out.listing(&listing)?;
                context.out.flush()?;
            } else {
                context.out.more_rows(&listing)?;
            }
            heading_due = false;
        }
    })
}
