//! The caller's sound, cut into utterances: who speaks, when they have finished, what they said.
//!
//! Time is counted in frames, so that what is decided depends on the sound alone. Sound goes to the
//! ear only around a voice: silence is neither sent nor paid for, unless the ear wants all of it.

use std::{collections::VecDeque, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::{
    barge_in::BargeInWatch,
    endpointing::{expects_more, pause_after},
};
use crate::{
    audio::{FRAME, FRAME_MS, g711, vad::Vad},
    domain::{AssistantSpec, BargeIn, LanguageTag},
    providers::stt::{Heard, Sound},
};

/// Sound before a voice that belongs to its first word: 300 ms.
const LEAD_IN: usize = 15;

/// A voice is one after so many frames of it: 60 ms.
const BEGINS: u32 = 3;

/// After so much silence the words so far are asked for: they are there by the time that the silence
/// is long enough.
pub const WORDS_ASKED_AFTER: Duration = Duration::from_millis(240);

const FINISH_AFTER: u32 = WORDS_ASKED_AFTER.as_millis() as u32;

/// Sound goes to the ear in pieces of this many frames: 100 ms.
const PIECE: usize = 5;

/// Words that do not come are waited for so long, in milliseconds after they were asked for.
const WORDS_WITHIN: u32 = 6_000;

/// Whoever speaks without a pause is answered after so many milliseconds.
const LONGEST: u32 = 30_000;

/// An ear that ends turns itself is believed; after so many times the usual pause, in case it does
/// not, we do.
const DOUBTS: u32 = 4;

/// How the caller is listened to just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attention {
    /// Nobody else speaks.
    Full,
    /// We speak, and may be interrupted.
    Divided,
    /// We say what must be heard whole, or may not be interrupted: what the caller says is lost.
    None,
}

/// What was noticed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Noticed {
    /// The caller wants to speak while we do.
    Interruption,
    /// The caller has begun to speak.
    Voice,
    /// The caller has probably finished, with these words.
    Probably(String),
    /// But went on.
    WentOn,
    /// An utterance is over.
    Utterance(Uttered),
}

/// An utterance.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Uttered {
    /// Its words; none when it was noise.
    pub(super) text: String,
    /// 0–1.
    pub(super) confidence: Option<f32>,
    /// As which language it was heard.
    pub(super) language: Option<LanguageTag>,
    /// From the end of the speech until it was taken for one, in milliseconds.
    pub(super) endpoint_ms: u32,
    /// From the end of the speech until its words were known.
    pub(super) words_ms: u32,
    /// Whether words were waited for that did not come.
    pub(super) gave_up: bool,
}

/// An utterance that is not over.
#[derive(Debug)]
struct Open {
    /// When it began, and when the last of it was heard: in milliseconds of sound.
    began: u64,
    last_voice: u64,
    last_voice_at: Instant,
    finals: Vec<String>,
    confidence: Option<f32>,
    language: Option<LanguageTag>,
    interim: String,
    /// The words with which it was taken for finished, before it was.
    probably: Option<String>,
    /// Whether its words were asked for since its last voice, and when.
    asked: Option<u64>,
    endpoint: Option<Instant>,
    /// Whether it is taken for over though the caller goes on.
    cut_short: bool,
    /// Finishes that are still owed to what was said before: until they come, words are of that.
    stale: u32,
}

impl Open {
    fn words(&self) -> String {
        let mut words = self.finals.join(" ");
        if !self.interim.is_empty() {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(&self.interim);
        }
        words
    }

    /// With these words, for the first time; not after "euh", when more is likely.
    fn probably_over(&mut self, words: String) -> Option<Noticed> {
        if words.is_empty() || expects_more(&words) || self.probably.as_ref() == Some(&words) {
            return None;
        }
        self.probably = Some(words.clone());
        Some(Noticed::Probably(words))
    }
}

/// Listens to the sound of one call.
pub(super) struct Hearing {
    vad: Vad,
    watch: BargeInWatch,
    pause: u32,
    /// Whether the ear wants silence too, and ends turns itself.
    continuous: bool,
    now: u64,
    voiced: u32,
    lead_in: VecDeque<[u8; FRAME]>,
    piece: BytesMut,
    open: Option<Open>,
    /// Finishes asked for and not answered: what is told before belongs to an earlier utterance.
    owed: u32,
    interrupted: bool,
    /// Whether somebody wants to know when the caller has probably finished.
    start_early: bool,
    samples: [i16; FRAME],
}

impl Hearing {
    pub(super) fn new(spec: &AssistantSpec, continuous: bool) -> Self {
        Self {
            vad: Vad::new(crate::audio::vad::Sensitivity::Normal),
            watch: BargeInWatch::new(spec.hearing.barge_in),
            pause: spec.hearing.pause_ms,
            continuous,
            now: 0,
            voiced: 0,
            lead_in: VecDeque::with_capacity(LEAD_IN + 1),
            piece: BytesMut::new(),
            open: None,
            owed: 0,
            interrupted: false,
            start_early: spec.hearing.start_early,
            samples: [0; FRAME],
        }
    }

    /// Whether the ear now in use ends turns itself: another one may have taken over.
    pub(super) fn set_continuous(&mut self, continuous: bool) {
        self.continuous = continuous;
    }

    /// Another ear listens from here on: nothing is owed by the one before.
    pub(super) fn exchange_ear(&mut self, continuous: bool) {
        self.continuous = continuous;
        self.owed = 0;
        if let Some(open) = &mut self.open {
            open.asked = None;
            open.stale = 0;
        }
    }

    /// The language that the ear heard, if it is told of what is being said.
    pub(super) fn language(&self) -> Option<&LanguageTag> {
        self.open.as_ref()?.language.as_ref()
    }

    /// Whether the caller is in the middle of saying something.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The loudness of what we say in this frame.
    pub(super) fn we_speak(&mut self, level_db: f32) {
        self.watch.speak(level_db);
    }

    /// We are silent from here on.
    pub(super) fn we_are_done(&mut self) {
        self.watch.reset();
        self.interrupted = false;
    }

    /// Twenty milliseconds of the caller; what the ear is to be told goes to `ear`.
    pub(super) fn hear(
        &mut self,
        frame: &[u8; FRAME],
        now: Instant,
        attention: Attention,
        ear: &mut Vec<Sound>,
    ) -> Option<Noticed> {
        self.now += u64::from(FRAME_MS);
        for (sample, byte) in self.samples.iter_mut().zip(frame) {
            *sample = g711::decode(*byte);
        }
        let voice = self.vad.hear(&self.samples);
        let divided = attention == Attention::Divided;
        let voiced = voice.voiced
            && attention != Attention::None
            && !(divided && self.watch.is_echo(voice.level_db));
        self.voiced = if voiced { self.voiced + 1 } else { 0 };
        if attention == Attention::None && self.open.is_some() {
            self.drop_open(ear);
        }
        let mut noticed = None;
        if let Some(open) = &mut self.open {
            if voiced {
                open.last_voice = self.now;
                open.last_voice_at = now;
                if !open.cut_short {
                    open.asked = None;
                    open.endpoint = None;
                }
                // Longer than a click.
                if self.voiced >= BEGINS {
                    noticed = open.probably.take().map(|_| Noticed::WentOn);
                }
            }
        } else if self.voiced >= BEGINS {
            self.begin(now, ear);
            noticed = Some(Noticed::Voice);
        }
        self.tell(frame, ear);
        if divided && !self.interrupted {
            let words = self.open.as_ref().map(Open::words).unwrap_or_default();
            if self.watch.hear(&self.samples, voiced, voice.level_db, &words) {
                self.interrupted = true;
                return Some(Noticed::Interruption);
            }
        }
        self.look_for_the_end(now, ear).or(noticed)
    }

    fn begin(&mut self, now: Instant, ear: &mut Vec<Sound>) {
        self.open = Some(Open {
            began: self.now,
            last_voice: self.now,
            last_voice_at: now,
            finals: Vec::new(),
            confidence: None,
            language: None,
            interim: String::new(),
            probably: None,
            asked: None,
            endpoint: None,
            cut_short: false,
            stale: self.owed,
        });
        if !self.continuous {
            let lead_in = std::mem::take(&mut self.lead_in);
            for frame in &lead_in {
                self.piece.extend_from_slice(frame);
            }
            self.flush(ear);
        }
    }

    /// Sound for the ear: all of it, or that of an utterance.
    fn tell(&mut self, frame: &[u8; FRAME], ear: &mut Vec<Sound>) {
        if self.open.is_none() && !self.continuous {
            if self.lead_in.len() == LEAD_IN {
                self.lead_in.pop_front();
            }
            self.lead_in.push_back(*frame);
            return;
        }
        self.piece.extend_from_slice(frame);
        if self.piece.len() >= PIECE * FRAME {
            self.flush(ear);
        }
    }

    fn flush(&mut self, ear: &mut Vec<Sound>) {
        if !self.piece.is_empty() {
            let piece: Bytes = self.piece.split().freeze();
            ear.push(Sound::Audio(piece));
        }
    }

    fn ask(&mut self, ear: &mut Vec<Sound>) {
        self.flush(ear);
        ear.push(Sound::Finish);
        self.owed += 1;
        if let Some(open) = &mut self.open {
            open.asked = Some(self.now);
        }
    }

    /// What was begun is of no interest any more; its words, should they come, are nobody's.
    fn drop_open(&mut self, ear: &mut Vec<Sound>) {
        let asked = self.open.take().is_some_and(|open| open.asked.is_some());
        if !asked && !self.continuous {
            self.ask(ear);
        }
    }

    fn look_for_the_end(&mut self, now: Instant, ear: &mut Vec<Sound>) -> Option<Noticed> {
        let open = self.open.as_mut()?;
        let silence = (self.now - open.last_voice) as u32;
        let too_long = self.now - open.began >= u64::from(LONGEST);
        open.cut_short |= too_long;
        let asked = open.asked;
        if asked.is_none() && !self.continuous && (silence >= FINISH_AFTER || too_long) {
            self.ask(ear);
            return None;
        }
        let patience = if self.continuous { DOUBTS } else { 1 };
        let open = self.open.as_mut()?;
        let pause = pause_after(&open.words(), self.pause).saturating_mul(patience);
        if silence < pause && !too_long {
            return self.look_whether_it_is_probably_over();
        }
        open.endpoint.get_or_insert(now);
        if self.continuous && asked.is_none() {
            // It should have known by now: what it has is taken.
            self.ask(ear);
            return None;
        }
        let waited = asked.map_or(0, |asked| (self.now - asked) as u32);
        (self.owed == 0 || waited >= WORDS_WITHIN).then(|| self.close(now)).flatten()
    }

    /// Whether the caller has probably said all, though the silence is not long enough yet: the ear
    /// knows no more words.
    fn look_whether_it_is_probably_over(&mut self) -> Option<Noticed> {
        let open = self.open.as_mut().filter(|_| self.start_early)?;
        if open.asked.is_none() || self.owed > 0 {
            return None;
        }
        let words = open.words();
        open.probably_over(words)
    }

    /// What the ear tells.
    pub(super) fn understand(
        &mut self,
        heard: Heard,
        now: Instant,
        attention: Attention,
    ) -> Option<Noticed> {
        if matches!(heard, Heard::Finished) {
            self.owed = self.owed.saturating_sub(1);
            let open = self.open.as_mut()?;
            if open.stale > 0 {
                open.stale -= 1;
                return None;
            }
            if open.endpoint.is_some() && self.owed == 0 {
                return self.close(now);
            }
            return self.look_whether_it_is_probably_over();
        }
        if self.open.is_none() && self.continuous && attention != Attention::None {
            // A voice so low that only the ear noticed.
            let has_words = matches!(&heard, Heard::Interim(text) | Heard::Final { text, .. } if !text.is_empty());
            if !has_words {
                return None;
            }
            self.begin(now, &mut Vec::new());
        }
        let open = self.open.as_mut()?;
        if open.stale > 0 {
            return None;
        }
        match heard {
            Heard::Interim(text) => open.interim = text,
            Heard::Final { text, confidence, language } => {
                open.interim.clear();
                if !text.trim().is_empty() {
                    open.language = language.or(open.language.take());
                    open.finals.push(text.trim().to_owned());
                }
                open.confidence = match (open.confidence, confidence) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
            }
            Heard::TurnEnd => {
                open.endpoint.get_or_insert(now);
                return self.close(now);
            }
            Heard::EagerTurnEnd if self.start_early => {
                let words = open.words();
                return open.probably_over(words);
            }
            Heard::TurnResumed => return open.probably.take().map(|_| Noticed::WentOn),
            Heard::Finished | Heard::EagerTurnEnd => {}
        }
        None
    }

    fn close(&mut self, now: Instant) -> Option<Noticed> {
        let open = self.open.take()?;
        self.voiced = 0;
        let since = |moment: Instant| {
            u32::try_from(moment.saturating_duration_since(open.last_voice_at).as_millis())
                .unwrap_or(u32::MAX)
        };
        let text = open.words();
        Some(Noticed::Utterance(Uttered {
            gave_up: self.owed > 0 && text.is_empty(),
            text,
            confidence: open.confidence,
            language: open.language,
            endpoint_ms: since(open.endpoint.unwrap_or(now)),
            words_ms: since(now),
        }))
    }

    /// Whether nothing the caller does interrupts.
    pub(super) fn never_interrupted(spec: &AssistantSpec) -> bool {
        spec.hearing.barge_in == BargeIn::Off
    }
}

#[cfg(test)]
#[path = "hearing_tests.rs"]
mod tests;
