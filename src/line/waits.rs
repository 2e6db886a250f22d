//! What a line over a socket waits for when nothing comes: a reply that is late, a caller who says
//! nothing, keys that may be followed by more.

use std::time::Duration;

use tokio::time::Instant;

use super::{Patience, keys::Keys};

/// A caller who says nothing for so long is asked.
const SILENCE: Duration = Duration::from_secs(7);

/// A caller of whom only noise is heard is asked after this many times that.
const NOISE: u32 = 3;

/// Something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Due {
    /// A word while the reply is late: the how manieth, from 0.
    Filler(u32),
    /// Nobody has said anything.
    Silence,
    /// Keys were pressed.
    Keys(String),
}

/// The waits of one call.
#[derive(Debug)]
pub(super) struct Waits {
    patience: Patience,
    /// Since when nobody speaks or thinks.
    quiet_since: Option<Instant>,
    /// Since when a reply is awaited, and the fillers given meanwhile.
    reply: Option<(Instant, u32)>,
    keys: Keys,
}

impl Waits {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, quiet_since: None, reply: None, keys: Keys::default() }
    }

    /// Something was heard, and its reply is awaited.
    pub(super) fn for_reply(&mut self) {
        self.quiet_since = None;
        self.reply = Some((Instant::now(), 0));
    }

    /// The reply is there, or nobody wants it any more.
    pub(super) fn no_longer_for_reply(&mut self) {
        self.reply = None;
    }

    /// It is the caller's turn.
    pub(super) fn for_caller(&mut self) {
        self.quiet_since = Some(Instant::now());
    }

    /// The caller is there, and has said nothing yet.
    pub(super) fn caller_stirs(&mut self) {
        self.quiet_since = self.quiet_since.map(|_| Instant::now());
    }

    /// The caller pressed a key.
    pub(super) fn key(&mut self, key: &str) {
        self.caller_stirs();
        self.keys.press(key, Instant::now());
    }

    /// When something is due if nothing comes. `noisy` while sound comes that may be words.
    pub(super) fn due(&self, noisy: bool) -> Option<Instant> {
        let silence = self.quiet_since.map(|since| since + silence(noisy));
        [self.filler_due(), silence, self.keys.due()].into_iter().flatten().min()
    }

    /// What is due; each thing once.
    pub(super) fn take(&mut self, now: Instant, noisy: bool) -> Option<Due> {
        if let Some(keys) = self.keys.take(now) {
            return Some(Due::Keys(keys));
        }
        if self.filler_due().is_some_and(|due| due <= now)
            && let Some((_, given)) = &mut self.reply
        {
            *given += 1;
            return Some(Due::Filler(*given - 1));
        }
        if self.quiet_since.is_some_and(|since| since + silence(noisy) <= now) {
            self.quiet_since = None;
            return Some(Due::Silence);
        }
        None
    }

    fn filler_due(&self) -> Option<Instant> {
        let (since, given) = self.reply.filter(|(_, given)| *given < self.patience.fillers)?;
        Some(since + self.patience.first + self.patience.next.saturating_mul(given))
    }
}

fn silence(noisy: bool) -> Duration {
    if noisy { SILENCE * NOISE } else { SILENCE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reply_is_filled_and_a_silent_caller_asked() {
        let patience = Patience { fillers: 2, ..Patience::default() };
        let mut waits = Waits::new(patience);
        assert_eq!(waits.due(false), None);
        waits.for_reply();
        let now = Instant::now();
        assert_eq!(waits.take(now, false), None);
        let now = Instant::now();
        assert_eq!(waits.take(now + patience.first, false), Some(Due::Filler(0)));
        assert_eq!(waits.take(now + patience.first, false), None);
        let later = now + patience.first + patience.next;
        assert_eq!(waits.take(later, false), Some(Due::Filler(1)));
        assert_eq!(waits.due(false), None, "no more than so many");
        waits.no_longer_for_reply();
        waits.for_caller();
        let silent = Instant::now() + SILENCE;
        assert_eq!(waits.take(silent, true), None, "noise may become words");
        assert_eq!(waits.take(silent, false), Some(Due::Silence));
        assert_eq!(waits.take(silent, false), None);
        waits.key("7");
        waits.key("#");
        assert_eq!(waits.take(Instant::now(), false), Some(Due::Keys("7".into())));
    }
}
