//! Breakers: a provider that failed a few times in a row is left alone for a while, so that callers
//! do not wait for each of its deadlines.
//!
//! Our own, because what counts here is failures in a row within a minute, with outcomes that do
//! not count at all, and a command shows the state; crates count rates over a number of calls.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::domain::Outcome;

/// Failures in a row that open a breaker,
const FAILURES: usize = 3;

/// if they were within this time.
const WITHIN: Duration = Duration::from_mins(1);

/// How long nobody asks then; after it one may try, and the next one after as long again.
const REST: Duration = Duration::from_secs(20);

/// Breakers by name: `tts/elevenlabs`, `stt/google`, `llm/openai`. Clones share them.
#[derive(Clone)]
pub struct Breakers {
    breakers: Arc<Mutex<BTreeMap<String, Breaker>>>,
    now: Arc<dyn Fn() -> Instant + Send + Sync>,
}

#[derive(Default)]
struct Breaker {
    /// The last failures in a row, at most as many as open it.
    failures: Vec<Instant>,
    last: Option<Outcome>,
    opened: Option<Opened>,
}

struct Opened {
    since: Instant,
    /// When one may try.
    until: Instant,
}

/// How a breaker stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerState {
    /// Its name.
    pub id: String,
    /// Whether its provider is left alone.
    pub open: bool,
    /// Failures in a row within the last minute, counted no further than to the one that opens it.
    pub failures: usize,
    /// What became of the last one.
    pub last_failure: Option<Outcome>,
    /// How long it has been open.
    pub open_for: Option<Duration>,
}

impl Default for Breakers {
    fn default() -> Self {
        Self::with_clock(Instant::now)
    }
}

impl Breakers {
    /// With a clock of one's own.
    pub fn with_clock(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self { breakers: Arc::default(), now: Arc::new(now) }
    }

    /// Whether a provider may be asked. While its breaker is open, one in twenty seconds may: a
    /// trial that is never told of keeps nobody out for longer.
    pub fn allows(&self, id: &str) -> bool {
        let now = (self.now)();
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(opened) = breakers.get_mut(id).and_then(|breaker| breaker.opened.as_mut()) else {
            return true;
        };
        if now < opened.until {
            return false;
        }
        opened.until = now + REST;
        true
    }

    /// Whether a provider is left alone. Asking this is no trial.
    pub fn is_open(&self, id: &str) -> bool {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.get(id).is_some_and(|breaker| breaker.opened.is_some())
    }

    /// A provider did what it was asked.
    pub fn succeeded(&self, id: &str) {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(breaker) = breakers.get_mut(id) {
            if breaker.opened.take().is_some() {
                tracing::info!(provider = id, "the provider works again");
            }
            breaker.failures.clear();
        }
    }

    /// A provider failed. What says nothing of the provider as a whole does not count.
    pub fn failed(&self, id: &str, outcome: &Outcome) {
        if !counts(*outcome) {
            return;
        }
        let now = (self.now)();
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let breaker = breakers.entry(id.to_owned()).or_default();
        breaker.last = Some(*outcome);
        breaker.failures.retain(|at| now.duration_since(*at) < WITHIN);
        breaker.failures.push(now);
        if breaker.failures.len() > FAILURES {
            breaker.failures.remove(0);
        }
        match &mut breaker.opened {
            // A failed trial; or one that was asked before it opened, which changes nothing.
            Some(opened) => opened.until = opened.until.max(now + REST),
            None if breaker.failures.len() == FAILURES => {
                tracing::warn!(
                    provider = id,
                    outcome = outcome.as_str(),
                    "the provider is left alone for a while"
                );
                breaker.opened = Some(Opened { since: now, until: now + REST });
            }
            None => {}
        }
    }

    /// All that have ever counted a failure, by name.
    pub fn states(&self) -> Vec<BreakerState> {
        let now = (self.now)();
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let state = |(id, breaker): (&String, &Breaker)| BreakerState {
            id: id.clone(),
            open: breaker.opened.is_some(),
            failures: breaker
                .failures
                .iter()
                .filter(|at| now.duration_since(**at) < WITHIN)
                .count(),
            last_failure: breaker.last,
            open_for: breaker.opened.as_ref().map(|opened| now.duration_since(opened.since)),
        };
        breakers.iter().map(state).collect()
    }
}

/// Whether an outcome says that a provider is not well. A wrong key, voice or text is the matter of
/// one assistant, and so is a limit of its account; and all of them are told at once.
const fn counts(outcome: Outcome) -> bool {
    match outcome {
        Outcome::TimedOut
        | Outcome::ServerError
        | Outcome::Unreachable
        | Outcome::BrokenStream
        | Outcome::Unusable => true,
        Outcome::Answered
        | Outcome::NoKey
        | Outcome::Denied
        | Outcome::RateLimited
        | Outcome::NotFound
        | Outcome::BadRequest
        | Outcome::Declined
        | Outcome::Interrupted
        | Outcome::Unused => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const ID: &str = "tts/elevenlabs";

    /// Breakers, and how to let seconds pass.
    fn breakers() -> (Breakers, impl Fn(u64)) {
        let (start, passed) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let seen = Arc::clone(&passed);
        let clock = move || start + Duration::from_secs(seen.load(Ordering::Relaxed));
        (Breakers::with_clock(clock), move |seconds| {
            passed.fetch_add(seconds, Ordering::Relaxed);
        })
    }

    fn fail(breakers: &Breakers, times: usize) {
        for _ in 0..times {
            breakers.failed(ID, &Outcome::TimedOut);
        }
    }

    #[test]
    fn three_failures_in_a_minute_open_it_and_a_success_closes_it() {
        let (breakers, pass) = breakers();
        fail(&breakers, 2);
        assert!(breakers.allows(ID));
        let other = breakers.clone();
        fail(&other, 1);
        assert!(!breakers.allows(ID));
        assert!(breakers.allows("tts/google"));
        pass(5);
        assert_eq!(
            breakers.states(),
            [BreakerState {
                id: ID.to_owned(),
                open: true,
                failures: 3,
                last_failure: Some(Outcome::TimedOut),
                open_for: Some(Duration::from_secs(5)),
            }]
        );
        pass(15);
        assert!(breakers.allows(ID), "one may try");
        assert!(!breakers.allows(ID), "only one");
        breakers.succeeded(ID);
        assert!(breakers.allows(ID) && breakers.allows(ID));
        fail(&breakers, 2);
        assert!(breakers.allows(ID), "counting began anew");
    }

    #[test]
    fn a_failed_trial_keeps_it_open_and_a_lost_one_not_for_ever() {
        let (breakers, pass) = breakers();
        fail(&breakers, 3);
        pass(20);
        assert!(breakers.allows(ID));
        pass(2);
        fail(&breakers, 1);
        pass(19);
        assert!(!breakers.allows(ID));
        pass(1);
        assert!(breakers.allows(ID), "this one hangs up, and tells nothing");
        pass(20);
        assert!(breakers.allows(ID));
    }

    #[test]
    fn slow_failures_and_those_between_successes_do_not_open_it() {
        let (breakers, pass) = breakers();
        for _ in 0..5 {
            fail(&breakers, 1);
            pass(31);
        }
        assert!(breakers.allows(ID));
        for _ in 0..5 {
            fail(&breakers, 2);
            breakers.succeeded(ID);
        }
        assert!(breakers.allows(ID));
    }

    #[test]
    fn what_concerns_one_assistant_does_not_count() {
        let (breakers, _) = breakers();
        for outcome in [
            Outcome::NoKey,
            Outcome::Denied,
            Outcome::RateLimited,
            Outcome::NotFound,
            Outcome::BadRequest,
            Outcome::Declined,
        ] {
            for _ in 0..5 {
                breakers.failed(ID, &outcome);
            }
        }
        assert!(breakers.allows(ID));
        assert_eq!(breakers.states(), []);
    }
}
