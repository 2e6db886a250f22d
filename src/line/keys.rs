//! Keys that are pressed one after the other: one number, once nothing follows.

use tokio::time::{Duration, Instant};

/// Keys pressed within this time of each other are one number.
const TOGETHER: Duration = Duration::from_millis(1_500);

/// Keys that anybody presses for one answer.
const MOST: usize = 64;

/// Collects keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pressed: String,
    due: Option<Instant>,
}

impl Keys {
    /// A key. `#` ends a number, and stands for itself alone.
    pub(super) fn press(&mut self, key: &str, now: Instant) {
        let known =
            key.len() == 1 && key.bytes().all(|b| b.is_ascii_digit() || b"*#ABCD".contains(&b));
        if !known || self.pressed.len() >= MOST {
            return;
        }
        let ends = key == "#" && !self.pressed.is_empty();
        if !ends {
            self.pressed.push_str(key);
        }
        self.due = Some(if ends { now } else { now + TOGETHER });
    }

    /// When they are a number, if nothing follows.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The number, once it is one.
    pub(super) fn take(&mut self, now: Instant) -> Option<String> {
        self.due.filter(|due| *due <= now)?;
        self.due = None;
        Some(std::mem::take(&mut self.pressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_number_when_nothing_follows() {
        let now = Instant::now();
        let mut keys = Keys::default();
        for key in ["4", "", "x", "2", "12", "é"] {
            keys.press(key, now);
        }
        assert_eq!(keys.take(now), None);
        assert_eq!(keys.due(), Some(now + TOGETHER));
        assert_eq!(keys.take(now + TOGETHER).as_deref(), Some("42"));
        assert_eq!((keys.due(), keys.take(now + TOGETHER)), (None, None));
        keys.press("7", now);
        keys.press("#", now);
        assert_eq!(keys.take(now).as_deref(), Some("7"));
        keys.press("#", now);
        assert_eq!(keys.take(now + TOGETHER).as_deref(), Some("#"));
        (0..100).for_each(|_| keys.press("1", now));
        assert_eq!(keys.take(now + TOGETHER).map(|keys| keys.len()), Some(MOST));
    }
}
