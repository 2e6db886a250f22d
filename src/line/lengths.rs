//! How long live calls have lasted, by the clock that nobody sets. What is stored of a call are times of
//! day, and those jump: a call that this process has known for a minute has not lasted a day.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

use crate::domain::CallSid;

/// No call lasts as long at Twilio: what was noted before is of calls that are over.
const LONGEST: Duration = Duration::from_hours(6);

/// The calls that this process knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Lengths(Arc<Mutex<HashMap<CallSid, Known>>>);

#[derive(Debug, Clone, Copy)]
struct Known {
    /// What its row says, in milliseconds: another one is another beginning.
    started_at: i64,
    /// How long it had lasted, and since when that is known.
    lasted: SignedDuration,
    at: Instant,
}

impl Lengths {
    /// How long a call has lasted. What was before this process knew of it is told by the times of day.
    pub(super) fn of(
        &self,
        sid: &CallSid,
        started_at: Timestamp,
        now: Timestamp,
    ) -> SignedDuration {
        self.at(sid, started_at, now, Instant::now())
    }

    fn at(
        &self,
        sid: &CallSid,
        started_at: Timestamp,
        now: Timestamp,
        at: Instant,
    ) -> SignedDuration {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = || {
            let lasted = now.duration_since(started_at).max(SignedDuration::ZERO);
            Known { started_at: started_at.as_millisecond(), lasted, at }
        };
        let known = calls.entry(sid.clone()).or_insert_with(first);
        if known.started_at != started_at.as_millisecond() {
            *known = first();
        }
        let since = SignedDuration::try_from(at.saturating_duration_since(known.at));
        known.lasted.saturating_add(since.unwrap_or(SignedDuration::MAX))
    }

    /// A call is over.
    pub(super) fn forget(&self, sid: &CallSid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(sid);
    }

    /// Forgets calls whose end was never told.
    pub(super) fn tidy(&self) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|_, known| known.at.elapsed() < LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_makes_no_call_longer_or_shorter() {
        let (lengths, began) = (Lengths::default(), Instant::now());
        let sid: CallSid = "CA00000000000000000000000000000001".parse().unwrap();
        let rang: Timestamp = "2026-11-23T18:00:00Z".parse().unwrap();
        let after = |lengths: &Lengths, seconds: u64, clock: i64| {
            let now = rang + SignedDuration::from_secs(clock);
            let at = began + Duration::from_secs(seconds);
            lengths.at(&sid, rang, now, at).as_secs()
        };
        assert_eq!(after(&lengths, 0, 0), 0);
        assert_eq!(after(&lengths, 60, 60), 60);
        assert_eq!(after(&lengths, 61, 61 + 400 * 86_400), 61, "ahead by 400 days");
        assert_eq!(after(&lengths, 62, -86_400), 62, "back by a day");
        // A process that did not see it begin has the time of day alone, and never less than nothing.
        assert_eq!(after(&Lengths::default(), 90, 90), 90);
        assert_eq!(after(&Lengths::default(), 90, -86_400), 0);
        // A row that says otherwise is believed.
        let earlier = rang - SignedDuration::from_secs(600);
        assert_eq!(lengths.at(&sid, earlier, rang, began).as_secs(), 600);
        lengths.forget(&sid);
        assert_eq!(after(&lengths, 5, 7), 7);
    }
}
