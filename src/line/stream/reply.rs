//! One reply on its way to the caller: from words to sentences, to sound, to what was heard of it.

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    playback::Playback,
    voicing::{Sounded, Voicing},
};
use crate::{
    audio::{FRAME, g711},
    domain::{LanguageTag, TurnTimings},
    line::{
        sentences::{Sentences, cut},
        talk::Done,
        voices::Mouth,
    },
};

/// A reply that is being said.
#[derive(Debug)]
pub(super) struct Speech {
    voicing: Voicing,
    sentences: Sentences,
    pub(super) playback: Playback,
    /// Sentences from its beginning that must be heard whole, and where they end once they were
    /// sent.
    told: usize,
    told_until: Option<u32>,
    begun_sentences: usize,
    /// What was said of the turn before this took it up again.
    before: String,
    /// The turn, once it is whole.
    pub(super) done: Option<Done>,
    all_spoken: bool,
    asked_at: Instant,
    timings: TurnTimings,
    mouth: Option<String>,
    /// The loudness of each frame, in dB.
    levels: Vec<i8>,
}

impl Speech {
    /// A reply to what was heard at a moment.
    pub(super) fn new(
        mouth: Mouth,
        language: LanguageTag,
        first_mark: u64,
        asked_at: Instant,
        timings: TurnTimings,
    ) -> Self {
        Self {
            voicing: Voicing::new(mouth, language),
            sentences: Sentences::default(),
            playback: Playback::new(first_mark),
            told: 0,
            told_until: None,
            begun_sentences: 0,
            before: String::new(),
            done: None,
            all_spoken: false,
            asked_at,
            timings,
            mouth: None,
            levels: Vec::new(),
        }
    }

    /// What follows is in another language.
    pub(super) fn turn_to(&mut self, language: &LanguageTag) {
        self.voicing.turn_to(language);
    }

    /// Goes on with a turn of which something was said before, and keeps how long that took.
    pub(super) fn go_on_after(&mut self, before: String, record: (TurnTimings, Option<String>)) {
        self.before = before;
        (self.timings, self.mouth) = record;
    }

    /// What must be heard whole. Comes before all other words.
    pub(super) fn tell(&mut self, text: &str) {
        let all = cut(text);
        self.told = all.len();
        for sentence in all {
            self.say(sentence);
        }
    }

    /// Some words of the reply.
    pub(super) fn words(&mut self, words: &str) {
        for sentence in self.sentences.push(words) {
            self.say(sentence);
        }
    }

    /// Something that is no part of the reply.
    pub(super) fn aside(&mut self, text: &str) {
        self.voicing.say_aside(text.to_owned());
    }

    /// The turn is whole: these were its last words.
    pub(super) fn end(&mut self, done: Done) {
        if let Some(rest) = self.sentences.rest() {
            self.say(rest);
        }
        self.voicing.end();
        self.done = Some(done);
    }

    fn say(&mut self, sentence: String) {
        self.timings.sentence_ms.get_or_insert(millis_since(self.asked_at));
        self.voicing.say(sentence);
    }

    /// What comes next of its sound; waits for ever when that is all.
    pub(super) async fn next(&mut self) -> Option<Sounded> {
        if self.all_spoken {
            return std::future::pending().await;
        }
        self.voicing.next().await
    }

    /// A sentence begins.
    pub(super) fn begin(&mut self, text: &str, mouth: String) {
        self.timings.audio_ms.get_or_insert(millis_since(self.asked_at));
        self.mouth = Some(mouth);
        self.playback.begin(text);
        self.begun_sentences += 1;
    }

    /// A sentence is over.
    pub(super) fn end_sentence(&mut self) {
        if self.begun_sentences == self.told && self.told > 0 {
            self.told_until.get_or_insert(self.playback.sent_ms());
        }
    }

    /// Some sound was sent; answers the mark to send behind it, if one is due.
    pub(super) fn sent(&mut self, sound: &Bytes, now: Instant) -> Option<u64> {
        self.timings.frame_ms.get_or_insert(millis_since(self.asked_at));
        self.levels
            .extend(sound.chunks(FRAME).map(|frame| g711::level_db(frame).max(-127.0) as i8));
        self.playback.send(sound.len(), now)
    }

    /// All of it was spoken; answers the mark to send behind it.
    pub(super) fn spoken(&mut self) -> Option<u64> {
        self.all_spoken = true;
        self.playback.end()
    }

    /// Whether the caller has heard all of it.
    pub(super) fn is_over(&self) -> bool {
        self.all_spoken && self.done.is_some() && self.playback.is_over()
    }

    /// When it is over at the latest, once all of it was sent.
    pub(super) fn over_by(&self) -> Option<Instant> {
        let is_sent = self.all_spoken && self.done.is_some();
        is_sent.then(|| self.playback.over_by()).flatten()
    }

    /// Whether what is being said must be heard whole.
    pub(super) fn must_be_heard(&self, now: Instant) -> bool {
        self.told > 0 && self.told_until.is_none_or(|until| self.playback.heard_ms(now) < until)
    }

    /// How loud what the caller hears now is.
    pub(super) fn level_db(&self, now: Instant) -> f32 {
        let frame = self.playback.heard_ms(now) as usize / 20;
        self.levels.get(frame).map_or(f32::NEG_INFINITY, |level| f32::from(*level))
    }

    /// What the caller has heard so far, in words.
    pub(super) fn heard(&self, now: Instant) -> String {
        let heard = self.playback.heard(now).said;
        format!("{} {heard}", self.before).trim().to_owned()
    }

    /// How long it took, and who spoke.
    pub(super) fn record(&self) -> (TurnTimings, Option<String>) {
        (self.timings, self.mouth.clone())
    }
}

fn millis_since(moment: Instant) -> u32 {
    u32::try_from(moment.elapsed().as_millis()).unwrap_or(u32::MAX)
}
