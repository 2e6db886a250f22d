//! `--follow`: calls as they come, until interrupted.

use super::{
    Context, list,
    output::{Format, Listing},
};
use crate::{
    cli::desk::{Desk, News},
    domain::{CallFilter, Error, Kind, Result},
};

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
        let (mut told, mut away) = (false, false);
        let mut waiting = desk.wait_for_calls()?;
        let new_ones = CallFilter { limit: None, offset: 0, ..filter.clone() };
        loop {
            let news = tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => {
                    return Err(Error::new(Kind::Interrupted, "interrupted"));
                }
                news = waiting.next() => news?,
            };
            if !told {
                // Only now: an interrupt is listened to from here on.
                context.out.note("Waiting for calls. Interrupt with Ctrl-C.");
                told = true;
            }
            let found = match news {
                News::Calls => desk.calls_after(last, &new_ones),
                News::Away(error) => Err(error),
            };
            let new = match found {
                Ok(new) => new,
                Err(error) if passes(error.kind()) => {
                    if !away {
                        context.out.warn(&format!("{error}; it is tried again"));
                    }
                    away = true;
                    waiting.again();
                    continue;
                }
                Err(error) => return Err(error),
            };
            away = false;
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

/// Whether something is likely to be over soon.
fn passes(kind: Kind) -> bool {
    matches!(kind, Kind::Unavailable | Kind::TooMany | Kind::Busy)
}
