//! What a caller hears of a `<Stream>`: a queue of sound that is drained in real time.
//!
//! Twilio plays 8,000 bytes a second; what arrives meanwhile waits behind. A mark comes back when
//! everything before it has been played; a clear drops what waits, and its marks come back at once
//! (Twilio, "Media Streams: WebSocket messages"). All times are since the call's sound began, and
//! given: nothing here reads a clock.

use std::{collections::VecDeque, time::Duration};

use crate::audio::g711;

/// One byte of μ-law lasts so long.
const BYTE: Duration = Duration::from_micros(125);

/// Quieter than this, on a 16-bit scale, is silence: line noise and comfort noise lie below.
const AUDIBLE: u16 = 400;

/// A frame that comes less than this after the queue ran dry makes no gap that can be heard.
const UNHEARD: Duration = Duration::from_millis(20);

/// After a longer pause than this the assistant has begun to speak anew.
const ANEW: Duration = Duration::from_secs(2);

/// Whether a byte of μ-law can be heard.
pub fn is_voiced(byte: u8) -> bool {
    g711::decode(byte).unsigned_abs() >= AUDIBLE
}

/// How long some bytes last.
pub(super) fn length(bytes: usize) -> Duration {
    BYTE * u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// How many bytes a time is long.
pub(super) fn bytes(time: Duration) -> usize {
    (time.as_micros() / BYTE.as_micros()) as usize
}

/// Holes in what the assistant said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Messages with sound that arrived.
    pub messages: u64,
    /// Those that came when the queue had been dry for longer than a frame.
    pub late: u64,
    /// The longest hole.
    pub longest: Duration,
}

/// The queue, and what was played of it.
#[derive(Debug, Default)]
pub struct Playback {
    /// When the queue will be empty.
    until: Duration,
    /// When the last audible byte of it will have been played.
    voiced_until: Duration,
    /// Marks that wait, each with the moment when it is due.
    marks: VecDeque<(Duration, String)>,
    /// Whether what comes next goes on with what came last.
    goes_on: bool,
    gaps: Gaps,
    /// What was played, when it is kept.
    track: Option<Vec<u8>>,
}

impl Playback {
    /// One that keeps what it plays.
    pub fn kept() -> Self {
        Self { track: Some(Vec::new()), ..Self::default() }
    }

    /// Sound arrives; answers when its first audible byte will be played.
    pub fn sound(&mut self, at: Duration, sound: &[u8]) -> Option<Duration> {
        let starts = self.until.max(at);
        self.gaps.messages += 1;
        let hole = at.saturating_sub(self.until);
        if self.goes_on && hole > UNHEARD && hole <= ANEW {
            self.gaps.late += 1;
            self.gaps.longest = self.gaps.longest.max(hole);
        }
        self.goes_on = true;
        if let Some(track) = &mut self.track {
            track.resize(bytes(starts).max(track.len()), g711::SILENCE);
            track.extend_from_slice(sound);
        }
        self.until = starts + length(sound.len());
        let last = sound.iter().rposition(|byte| is_voiced(*byte))?;
        self.voiced_until = starts + length(last + 1);
        let first = sound.iter().position(|byte| is_voiced(*byte))?;
        Some(starts + length(first))
    }

    /// A mark arrives, behind all sound so far.
    pub fn mark(&mut self, at: Duration, name: &str) {
        self.goes_on = false;
        self.marks.push_back((self.until.max(at), name.to_owned()));
    }

    /// What waits is dropped; all marks are due.
    pub fn clear(&mut self, at: Duration) {
        self.goes_on = false;
        self.until = self.until.min(at);
        self.voiced_until = self.voiced_until.min(at);
        if let Some(track) = &mut self.track {
            track.truncate(bytes(at));
        }
        for (due, _) in &mut self.marks {
            *due = (*due).min(at);
        }
    }

    /// The socket is gone: what waits is dropped, and nobody waits for its marks.
    pub fn cut(&mut self, at: Duration) {
        self.clear(at);
        self.marks.clear();
    }

    /// The caller has spoken: what comes next is an answer, not more of the same.
    pub fn turn(&mut self) {
        self.goes_on = false;
    }

    /// The next mark that is due, taken out.
    pub fn due(&mut self, at: Duration) -> Option<String> {
        let (due, _) = self.marks.front()?;
        if *due > at {
            return None;
        }
        self.marks.pop_front().map(|(_, name)| name)
    }

    /// How long nothing could be heard; nothing while something can.
    pub fn silent_for(&self, at: Duration) -> Duration {
        at.saturating_sub(self.voiced_until)
    }

    /// Whether something audible is being played, or waits.
    pub fn speaks(&self, at: Duration) -> bool {
        self.voiced_until > at
    }

    /// The holes so far.
    pub fn gaps(&self) -> Gaps {
        self.gaps
    }

    /// What was played until now.
    pub fn played(&self, at: Duration) -> &[u8] {
        let track = self.track.as_deref().unwrap_or_default();
        &track[..bytes(at).min(track.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOUD: u8 = 0x80;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn sound_is_played_one_after_the_other_in_real_time() {
        let mut playback = Playback::kept();
        let mut half_loud = vec![g711::SILENCE; 400];
        half_loud.extend([LOUD; 400]);
        assert_eq!(playback.sound(ms(1_000), &half_loud), Some(ms(1_050)));
        assert_eq!(playback.sound(ms(1_010), &[LOUD; 800]), Some(ms(1_100)), "behind the first");
        assert_eq!(playback.sound(ms(1_020), &[g711::SILENCE; 800]), None);
        assert!(playback.speaks(ms(1_199)) && !playback.speaks(ms(1_200)));
        assert_eq!(playback.silent_for(ms(1_150)), ms(0));
        assert_eq!(playback.silent_for(ms(1_700)), ms(500));
        assert_eq!(playback.sound(ms(2_000), &[LOUD; 80]), Some(ms(2_000)), "the queue was dry");
        let played = playback.played(ms(2_005));
        assert_eq!(played.len(), bytes(ms(2_005)));
        assert_eq!(played[bytes(ms(1_049))], g711::SILENCE);
        assert_eq!(played[bytes(ms(1_051))], LOUD);
        assert_eq!(played[bytes(ms(1_500))], g711::SILENCE);
        assert_eq!(playback.played(ms(9_000)).len(), bytes(ms(2_010)), "no more than there was");
    }

    #[test]
    fn marks_come_back_when_their_sound_has_been_played() {
        let mut playback = Playback::default();
        playback.mark(ms(10), "nothing before it");
        assert_eq!(playback.due(ms(10)).as_deref(), Some("nothing before it"));
        playback.sound(ms(20), &[LOUD; 800]);
        playback.mark(ms(21), "a");
        playback.sound(ms(22), &[LOUD; 800]);
        playback.mark(ms(23), "b");
        assert_eq!(playback.due(ms(119)), None);
        assert_eq!(playback.due(ms(120)).as_deref(), Some("a"));
        assert_eq!(playback.due(ms(219)), None);
        assert_eq!(playback.due(ms(300)).as_deref(), Some("b"));
        assert_eq!(playback.due(ms(300)), None);
    }

    #[test]
    fn a_clear_drops_what_waits_and_its_marks_are_due() {
        let mut playback = Playback::kept();
        playback.sound(ms(0), &[LOUD; 8_000]);
        playback.mark(ms(1), "a");
        playback.mark(ms(1), "b");
        playback.clear(ms(300));
        assert_eq!(playback.due(ms(300)).as_deref(), Some("a"));
        assert_eq!(playback.due(ms(300)).as_deref(), Some("b"));
        assert!(!playback.speaks(ms(300)));
        assert_eq!(playback.silent_for(ms(400)), ms(100));
        assert_eq!(playback.played(ms(1_000)).len(), bytes(ms(300)));
        assert_eq!(playback.sound(ms(500), &[LOUD; 8]), Some(ms(500)), "not behind what is gone");
        assert_eq!(playback.gaps().late, 0, "what was cleared is no gap");
        playback.mark(ms(501), "c");
        playback.cut(ms(501));
        assert_eq!(playback.due(ms(9_000)), None, "nobody is there to be told");
    }

    #[test]
    fn gaps_are_holes_within_what_is_said() {
        let mut playback = Playback::default();
        playback.sound(ms(0), &[LOUD; 800]);
        playback.sound(ms(90), &[LOUD; 800]);
        playback.sound(ms(215), &[LOUD; 800]);
        assert_eq!((playback.gaps().messages, playback.gaps().late), (3, 0), "15 ms are not heard");
        playback.sound(ms(400), &[LOUD; 800]);
        assert_eq!((playback.gaps().late, playback.gaps().longest), (1, ms(85)));
        playback.mark(ms(401), "end");
        playback.sound(ms(900), &[LOUD; 800]);
        playback.turn();
        playback.sound(ms(1_500), &[LOUD; 800]);
        playback.sound(ms(4_000), &[LOUD; 800]);
        assert_eq!(playback.gaps().late, 1, "after a mark, a turn, or a long pause it begins anew");
    }

    proptest::proptest! {
        #[test]
        fn no_mark_is_lost_and_none_comes_early(
            events in proptest::collection::vec((0_u64..200, 0_usize..2_000, 0_u8..10), 1..40),
        ) {
            let mut playback = Playback::kept();
            let (mut now, mut sent, mut back) = (Duration::ZERO, 0, 0);
            for (after, size, kind) in events {
                now += ms(after);
                match kind {
                    0 => playback.clear(now),
                    1..4 => {
                        playback.mark(now, &sent.to_string());
                        sent += 1;
                    }
                    _ => drop(playback.sound(now, &vec![LOUD; size])),
                }
                while let Some(name) = playback.due(now) {
                    proptest::prop_assert_eq!(name, back.to_string());
                    back += 1;
                }
                if back < sent {
                    proptest::prop_assert!(playback.speaks(now));
                }
            }
            while playback.due(Duration::from_hours(1)).is_some() {
                back += 1;
            }
            proptest::prop_assert_eq!(back, sent);
        }
    }
}
