//! Forgetting in time: words, recordings and callers are kept as long as the assistant's file says.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::privacy::salt;
use crate::{
    domain::{HumanDuration, Result},
    store::{
        self, Store, assistants, campaigns, deliveries, events, idempotency, outbound,
        retention::{self, Clock, Due},
    },
};

/// Events and answers to repeated requests are kept this long.
const WATCHED: SignedDuration = SignedDuration::from_hours(24);

/// Deliveries that arrived or were given up are kept this long.
const SETTLED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Calls that were asked for are kept this long: how often somebody was called in 30 days counts.
const CALLED: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Calls that are looked for at once, of all assistants together.
const LOOKED_FOR: usize = 200;

/// Calls in one transaction: a caller's turn that waits for it waits for a moment that nobody hears.
const AT_ONCE: usize = 4;

/// How far the clock may move between two looks and be believed.
const LARGEST_STEP: SignedDuration = SignedDuration::from_hours(2);

/// A longer absence than this is more likely a wrong clock than a daemon that stood still.
const LONG_ABSENCE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a clock must go steadily after a step that is too large.
const STEADY: SignedDuration = SignedDuration::from_hours(1);
const STEADY_AFTER_ABSENCE: SignedDuration = SignedDuration::from_hours(24);

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// So much was forgotten; there may be more when it is not 0.
    Forgot(u64),
    /// The clock is not believed before a moment.
    Holding(Timestamp),
}

/// Forgets what is due, a few calls at a time, with a pause after each few.
pub async fn forget_due(store: &Store, now: Timestamp, pause: Duration) -> Result<Looked> {
    let ago = move |length: HumanDuration| {
        let length = SignedDuration::try_from(length.get()).unwrap_or(SignedDuration::MAX);
        now.checked_sub(length).unwrap_or(Timestamp::MIN)
    };
    let clock = store
        .write_async(move |tx| {
            let clock = steady(retention::clock(tx)?, now);
            retention::set_clock(tx, &clock)?;
            Ok(clock)
        })
        .await?;
    if now < clock.hold_until {
        return Ok(Looked::Holding(clock.hold_until));
    }
    // Looked for by a reader: what is not due costs callers nothing.
    let (looked, bookings, mut reached) = store
        .read_async(move |tx| {
            let reached = retention::reached(tx)?;
            let (mut looked, mut bookings, mut left) = (Vec::new(), Vec::new(), LOOKED_FOR);
            let mut kept = assistants::compliance(tx)?;
            // Each is the first in its turn: what is due of one, however much, does not hold the others up.
            let first = now.as_second().unsigned_abs() as usize % kept.len().max(1);
            kept.rotate_left(first);
            for (id, compliance) in kept {
                bookings.extend(compliance.keep_callers.map(|kept| (id, ago(kept))));
                for (due, kept) in [
                    (Due::Transcripts, compliance.keep_transcripts),
                    (Due::Recordings, Some(compliance.recordings())),
                    (Due::Messages, Some(compliance.recordings())),
                    (Due::Callers, compliance.keep_callers),
                ] {
                    let Some(kept) = kept.filter(|_| left > 0) else { continue };
                    let from = reached.of(id, due);
                    let look = retention::look(tx, due, id, from, ago(kept), left)?;
                    left -= look.calls.len();
                    looked.push((id, due, look));
                }
            }
            Ok((looked, bookings, reached))
        })
        .await?;
    let mut forgotten = store
        .write_async(move |tx| {
            let before = now.checked_sub(WATCHED).unwrap_or(Timestamp::MIN);
            let settled = now.checked_sub(SETTLED).unwrap_or(Timestamp::MIN);
            let watched = events::forget(tx, before)? + deliveries::drop_settled(tx, settled)?;
            idempotency::forget(tx, before)?;
            let called = now.checked_sub(CALLED).unwrap_or(Timestamp::MIN);
            outbound::forget_before(tx, called)?;
            campaigns::forget_before(tx, called)?;
            super::alerts::forget(tx, now)?;
            let mut named = 0;
            for (assistant, before) in bookings {
                let left = LOOKED_FOR.saturating_sub(named as usize);
                named += retention::forget_bookings(tx, assistant, before, left)?;
            }
            if named > 0 {
                retention::set_scrub_due(tx, now)?;
            }
            Ok(watched + named)
        })
        .await?;
    let salt: Arc<str> = salt()?.into();
    for (assistant, due, look) in looked {
        for calls in look.calls.chunks(AT_ONCE) {
            let (calls, salt) = (calls.to_vec(), Arc::clone(&salt));
            forgotten += store
                .write_async(move |tx| {
                    // Each time: somebody may have cleared the file meanwhile.
                    retention::set_scrub_due(tx, now)?;
                    retention::forget(tx, due, &calls, &salt, now)
                })
                .await?;
            tokio::time::sleep(pause).await;
        }
        reached.come(assistant, due, look.until);
    }
    store.write_async(move |tx| retention::set_reached(tx, &reached)).await?;
    super::knowledge::drop_unused(store).await?;
    Ok(Looked::Forgot(forgotten))
}

/// What the clock is believed after another look. The look before is kept in the store, so that a
/// clock that was set while nobody ran is seen as well.
fn steady(before: Option<Clock>, now: Timestamp) -> Clock {
    let Some(before) = before else { return Clock { seen_at: now, hold_until: now } };
    let passed = now.duration_since(before.seen_at).abs();
    let hold_until = if passed <= LARGEST_STEP {
        // Set back, a clock could hold for ever.
        before.hold_until.min(now + STEADY_AFTER_ABSENCE)
    } else if passed <= LONG_ABSENCE {
        now + STEADY
    } else {
        now + STEADY_AFTER_ABSENCE
    };
    Clock { seen_at: now, hold_until }
}

/// Clears what was deleted out of the file's free space, if that is due and nobody is on the phone.
/// Says whether it was done. Takes a few seconds; must not be called from async code.
pub fn scrub_when_quiet(store: &Store) -> Result<bool> {
    let Some(due) = store.read(retention::may_scrub)? else { return Ok(false) };
    let scrubbed = store.scrub(store::SCRUB_WHEN_QUIET)?;
    if scrubbed {
        store.write(move |tx| retention::scrubbed(tx, due))?;
    }
    Ok(scrubbed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    /// Looks every hour from one moment to another, and says at which ones something is forgotten.
    fn forgets(mut clock: Clock, hours: std::ops::RangeInclusive<i64>) -> (Clock, Vec<i64>) {
        let mut when = Vec::new();
        for hour in hours {
            clock = steady(Some(clock), at(hour));
            if at(hour) >= clock.hold_until {
                when.push(hour);
            }
        }
        (clock, when)
    }

    #[test]
    fn a_clock_that_jumped_is_believed_only_once_it_goes_steadily() {
        let first = steady(None, at(0));
        assert_eq!(first.hold_until, at(0), "the first look of all");
        let (clock, when) = forgets(first, 1..=3);
        assert_eq!(when, [1, 2, 3]);
        // A night without a daemon, or a step of the clock that is as long.
        let (clock, when) = forgets(clock, 13..=16);
        assert_eq!(when, [14, 15, 16]);
        // Forty days ahead, and back again after some hours: nothing is forgotten.
        let ahead = 40 * 24;
        let (clock, when) = forgets(clock, ahead..=ahead + 10);
        assert_eq!(when, Vec::<i64>::new());
        // Looked at again after a restart, which changes nothing.
        let (clock, when) = forgets(clock, ahead + 10..=ahead + 11);
        assert_eq!(when, Vec::<i64>::new());
        let (clock, when) = forgets(clock, 30..=60);
        assert_eq!(when, (54..=60).collect::<Vec<_>>(), "a day after it was set right");
        // A clock that really is forty days on goes on in the end.
        let (_, when) = forgets(clock, ahead..=ahead + 25);
        assert_eq!(when, [ahead + 24, ahead + 25]);
    }
}
