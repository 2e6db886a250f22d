//! What Twilio has of our sound, and how much of it the caller has heard.
//!
//! Sound is sent as soon as it is there and played in its own time; marks come back when they have
//! been played. In between, the clock tells: a voice does not pause of itself.

use std::collections::VecDeque;

use tokio::time::{Duration, Instant};

use crate::line::heard::Split;

/// Sound that is sent without a mark of its own at most: a cut is known to this, in milliseconds.
const MARK_EVERY: u32 = 400;

/// Bytes of μ-law in a millisecond.
const BYTES_PER_MS: u32 = 8;

/// One sentence of what is said.
#[derive(Debug, Clone, PartialEq)]
struct Sentence {
    text: String,
    from: u32,
    to: u32,
}

/// The sound of one reply, in milliseconds from its beginning.
#[derive(Debug)]
pub(super) struct Playback {
    sentences: Vec<Sentence>,
    sent: u32,
    marked: u32,
    /// Marks that are out: their number, and where they stand.
    marks: VecDeque<(u64, u32)>,
    next_mark: u64,
    /// The last mark that came back: where it stands, and when it came.
    played: Option<(u32, Instant)>,
    begun: Option<Instant>,
    /// When what was sent will have been played, if nothing was held up.
    until: Option<Instant>,
}

impl Playback {
    /// Marks are numbered from here on: no mark of an earlier reply is taken for one of this.
    pub(super) fn new(first_mark: u64) -> Self {
        Self {
            sentences: Vec::new(),
            sent: 0,
            marked: 0,
            marks: VecDeque::new(),
            next_mark: first_mark,
            played: None,
            begun: None,
            until: None,
        }
    }

    /// A sentence begins with the sound that is sent next; nothing is kept of one without words.
    pub(super) fn begin(&mut self, text: &str) {
        self.sentences.push(Sentence { text: text.to_owned(), from: self.sent, to: self.sent });
    }

    /// What was sent of the last sentence is no speech: none of its words count as heard.
    pub(super) fn disown(&mut self) {
        if let Some(last) = self.sentences.last_mut() {
            (last.from, last.to) = (u32::MAX, u32::MAX);
        }
    }

    /// Milliseconds sent.
    pub(super) fn sent_ms(&self) -> u32 {
        self.sent
    }

    /// Some sound was sent; answers the number of the mark to send behind it, if one is due.
    pub(super) fn send(&mut self, bytes: usize, now: Instant) -> Option<u64> {
        let length = u32::try_from(bytes).unwrap_or(u32::MAX) / BYTES_PER_MS;
        self.sent = self.sent.saturating_add(length);
        self.begun.get_or_insert(now);
        let from = self.until.filter(|until| *until > now).unwrap_or(now);
        self.until = Some(from + Duration::from_millis(u64::from(length)));
        if let Some(last) = self.sentences.last_mut() {
            last.to = self.sent;
        }
        (self.sent - self.marked >= MARK_EVERY).then(|| self.mark())
    }

    /// The number of a mark to send behind all that was sent; nothing when there is one already.
    pub(super) fn end(&mut self) -> Option<u64> {
        (self.marked < self.sent).then(|| self.mark())
    }

    fn mark(&mut self) -> u64 {
        let mark = self.next_mark;
        self.next_mark += 1;
        self.marked = self.sent;
        self.marks.push_back((mark, self.sent));
        mark
    }

    /// The number that the next mark will have.
    pub(super) fn next_mark(&self) -> u64 {
        self.next_mark
    }

    /// A mark came back.
    pub(super) fn returned(&mut self, mark: u64, now: Instant) {
        // Marks come back in order; one that was lost is covered by those behind it.
        while let Some((number, at)) = self.marks.front().copied() {
            if number > mark {
                return;
            }
            self.marks.pop_front();
            self.played = Some((at, now));
        }
    }

    /// Whether all that was sent has been played.
    pub(super) fn is_over(&self) -> bool {
        self.marks.is_empty() && self.marked == self.sent
    }

    /// Whether anything was sent.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// When it is over at the latest, should its marks get lost.
    pub(super) fn over_by(&self) -> Option<Instant> {
        self.until.map(|until| until + LOST_MARK)
    }

    /// Milliseconds that the caller has heard.
    pub(super) fn heard_ms(&self, now: Instant) -> u32 {
        let Some(begun) = self.begun else { return 0 };
        let (at, since) = self.played.unwrap_or((0, begun));
        let since = u32::try_from(now.saturating_duration_since(since).as_millis());
        // Not beyond the next mark: it would have come back.
        let most = self.marks.front().map_or(at, |(_, at)| *at);
        at.saturating_add(since.unwrap_or(u32::MAX)).min(most)
    }

    /// What was said of it, and what the caller heard of that.
    pub(super) fn heard(&self, now: Instant) -> Split {
        let heard = self.heard_ms(now);
        let (mut said, mut unheard): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for sentence in &self.sentences {
            let Sentence { text, from, to } = sentence;
            if *to <= heard && to > from {
                said.push(text.clone());
            } else if *from >= heard {
                unheard.push(text.clone());
            } else {
                // In the middle of a sentence, words take about the same time a character.
                let part =
                    u64::from(heard - from) * text.chars().count() as u64 / u64::from(to - from);
                let cut = Split::after_characters(text, part as usize);
                said.push(cut.said);
                unheard.extend(cut.unheard);
            }
        }
        said.retain(|text| !text.is_empty());
        unheard.retain(|text| !text.is_empty());
        let unheard = unheard.join(" ");
        Split { said: said.join(" "), unheard: (!unheard.is_empty()).then_some(unheard) }
    }
}

/// A mark that is so late is lost.
const LOST_MARK: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: usize = 8_000;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Two sentences of a second each, sent at once.
    fn two(now: Instant) -> (Playback, Vec<u64>) {
        let mut playback = Playback::new(7);
        let mut marks = Vec::new();
        for text in ["Nous sommes ouverts ce soir.", "Et demain aussi."] {
            playback.begin(text);
            for _ in 0..5 {
                marks.extend(playback.send(SECOND / 5, now));
            }
        }
        marks.extend(playback.end());
        (playback, marks)
    }

    #[test]
    fn marks_tell_what_was_played() {
        let now = Instant::now();
        let (mut playback, marks) = two(now);
        assert_eq!(marks, [7, 8, 9, 10, 11]);
        assert_eq!(playback.heard_ms(now), 0);
        playback.returned(8, now + ms(800));
        assert_eq!(playback.heard_ms(now + ms(800)), 800);
        assert_eq!(playback.heard_ms(now + ms(1_000)), 1_000);
        assert_eq!(playback.heard_ms(now + ms(9_000)), 1_200, "the next mark is not back");
        assert!(!playback.is_over());
        playback.returned(11, now + ms(2_000));
        assert!(playback.is_over());
        assert_eq!(playback.heard(now + ms(2_000)).unheard, None);
        assert_eq!(playback.end(), None);
    }

    #[test]
    fn a_reply_is_cut_where_it_was_heard() {
        let now = Instant::now();
        let (mut playback, _) = two(now);
        playback.returned(8, now + ms(800));
        playback.returned(9, now + ms(1_200));
        let heard = playback.heard(now + ms(1_500));
        assert_eq!(heard.said, "Nous sommes ouverts ce soir. Et");
        assert_eq!(heard.unheard.as_deref(), Some("demain aussi."));
        let (playback, _) = two(now);
        let nothing = playback.heard(now);
        assert_eq!((nothing.said.as_str(), nothing.unheard.is_some()), ("", true));
    }

    #[test]
    fn noise_in_place_of_a_sentence_does_not_count_as_heard() {
        let now = Instant::now();
        let (mut playback, _) = two(now);
        playback.returned(11, now + ms(2_000));
        playback.disown();
        let heard = playback.heard(now + ms(2_000));
        assert_eq!(heard.said, "Nous sommes ouverts ce soir.");
        assert_eq!(heard.unheard.as_deref(), Some("Et demain aussi."));
    }

    #[test]
    fn a_mark_of_another_reply_means_nothing() {
        let now = Instant::now();
        let (mut playback, _) = two(now);
        playback.returned(3, now);
        assert_eq!(playback.heard_ms(now), 0);
        assert_eq!(playback.over_by(), Some(now + ms(2_000) + LOST_MARK));
    }
}
