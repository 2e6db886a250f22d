//! What time it is: the system's clock, or one set to another moment for a rehearsal.

use jiff::{SignedDuration, Timestamp};

/// A clock that runs at the usual pace, possibly from another moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    ahead: SignedDuration,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that says `at` now and runs on from there.
    pub fn set_to(at: Timestamp) -> Self {
        Self { ahead: at.duration_since(Timestamp::now()) }
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        now.checked_add(self.ahead).unwrap_or(now)
    }
}
