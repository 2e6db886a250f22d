//! Does the caller want to speak? Told from a cough, a "hm-hm" and our own echo.

use crate::domain::BargeIn;

/// Our own sound comes back from the network this much quieter at least (ITU-T G.168 asks echo
/// cancellers for more).
const ECHO_DB: f32 = 15.0;

/// How long our sound may be on its way and back, in frames: half a second.
const ECHO_FRAMES: usize = 25;

/// Voice so far, in milliseconds, that is taken for an interruption.
const QUICK: u32 = 100;
const USUAL: u32 = 200;
const SLOW: u32 = 700;

/// A pause within it that does not end it.
const GAP: u32 = 120;

/// A hum has next to nothing above this part of the band.
const HUM: f32 = 0.02;

/// What "hm-hm" and "oui oui" look like once they are words, in our languages.
const BACKCHANNELS: &[&str] = &[
    "hm", "hmm", "mhm", "mm", "mmh", "hum", "hein", "ah", "oh", "eh", "euh", "oui", "ouais", "ok",
    "okay", "d'accord", "bien", "très", "ben", "voilà", "entendu", "parfait", "super", "yes",
    "yeah", "yep", "right", "sure", "uh", "huh", "alright", "sí", "si", "vale", "claro", "ja",
    "genau", "gut", "klar", "jawohl", "sì", "certo", "va", "bene", "sim", "pois", "certo", "goed",
    "hoor", "precies", "aha", "ach",
];

/// Whether words only say "I am listening".
pub(super) fn is_backchannel(words: &str) -> bool {
    let words = words.to_lowercase().replace('’', "'");
    let mut words = words
        .split(|c: char| c.is_whitespace() || ",.!?;:-…".contains(c))
        .filter(|word| !word.is_empty())
        .peekable();
    words.peek().is_some() && words.all(|word| BACKCHANNELS.contains(&word))
}

/// Watches the caller while we speak.
#[derive(Debug)]
pub(super) struct BargeInWatch {
    how: BargeIn,
    voiced: u32,
    gap: u32,
    /// Parts of the voice above the band of a hum, added up over its frames.
    bright: f32,
    frames: f32,
    ours: [f32; ECHO_FRAMES],
    at: usize,
}

impl BargeInWatch {
    pub(super) fn new(how: BargeIn) -> Self {
        let ours = [f32::NEG_INFINITY; ECHO_FRAMES];
        Self { how, voiced: 0, gap: 0, bright: 0.0, frames: 0.0, ours, at: 0 }
    }

    /// Forgets what was heard: nobody is interrupted any more.
    pub(super) fn reset(&mut self) {
        (self.voiced, self.gap, self.bright, self.frames) = (0, 0, 0.0, 0.0);
    }

    /// Our own loudness in this frame, in dB.
    pub(super) fn speak(&mut self, level_db: f32) {
        self.ours[self.at] = level_db;
        self.at = (self.at + 1) % ECHO_FRAMES;
    }

    /// Whether sound of this loudness may be our own, come back.
    pub(super) fn is_echo(&self, level_db: f32) -> bool {
        self.ours.iter().any(|ours| level_db <= ours - ECHO_DB)
    }

    /// Hears 20 ms of the caller while we speak; says whether they interrupt. `words` are those
    /// understood so far.
    pub(super) fn hear(&mut self, frame: &[i16], voiced: bool, level_db: f32, words: &str) -> bool {
        if self.how == BargeIn::Off {
            return false;
        }
        if voiced && !self.is_echo(level_db) {
            self.voiced += 20;
            self.gap = 0;
            self.bright += brightness(frame);
            self.frames += 1.0;
        } else {
            self.gap += 20;
            if self.gap > GAP {
                self.reset();
            }
            return false;
        }
        let is_hum = self.bright / self.frames < HUM;
        let says_something = !words.trim().is_empty() && !is_backchannel(words);
        match self.how {
            BargeIn::Off => false,
            BargeIn::High => self.voiced >= QUICK,
            BargeIn::Medium => {
                (self.voiced >= USUAL && !is_hum) || self.voiced >= SLOW || says_something
            }
            BargeIn::Low => self.voiced >= SLOW || (says_something && words.contains(' ')),
        }
    }
}

/// The part of a sound's energy that is in its quick changes: the square of the difference between
/// neighbours against the square of the samples. A hum has little, vowels more, consonants most.
fn brightness(frame: &[i16]) -> f32 {
    let (mut all, mut quick) = (0.0_f32, 0.0_f32);
    for pair in frame.windows(2) {
        let (a, b) = (f32::from(pair[0]), f32::from(pair[1]));
        all += b * b;
        quick += (b - a) * (b - a);
    }
    if all > 0.0 { quick / (4.0 * all) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32, at: usize) -> Vec<i16> {
        let sample = |n: usize| {
            let time = (at * 160 + n) as f32 / 8_000.0;
            ((time * hz * std::f32::consts::TAU).sin() * 8_000.0) as i16
        };
        (0..160).map(sample).collect()
    }

    /// A vowel: a fundamental and formants.
    fn vowel(at: usize) -> Vec<i16> {
        let parts = [(140.0, 0.5), (700.0, 1.0), (1_200.0, 0.7), (2_400.0, 0.3)];
        let mut frame = vec![0_i16; 160];
        for (hz, gain) in parts {
            for (sum, sample) in frame.iter_mut().zip(tone(hz, at)) {
                *sum = sum.saturating_add((f32::from(sample) * gain) as i16);
            }
        }
        frame
    }

    /// After how many milliseconds of it the caller is let in, within a second.
    fn after(how: BargeIn, sound: impl Fn(usize) -> Vec<i16>, words: &str) -> Option<u32> {
        let mut watch = BargeInWatch::new(how);
        (0..50_u32)
            .find(|n| watch.hear(&sound(*n as usize), true, -20.0, words))
            .map(|n| (n + 1) * 20)
    }

    #[test]
    fn a_voice_is_let_in_as_readily_as_is_set() {
        assert_eq!(after(BargeIn::Off, vowel, "arrêtez tout de suite"), None);
        assert_eq!(after(BargeIn::High, vowel, ""), Some(100));
        assert_eq!(after(BargeIn::Medium, vowel, ""), Some(200));
        assert_eq!(after(BargeIn::Low, vowel, ""), Some(700));
        assert_eq!(after(BargeIn::Low, vowel, "non attendez"), Some(20));
    }

    #[test]
    fn a_hum_is_no_interruption_unless_it_goes_on() {
        let hum = |at| tone(140.0, at);
        assert_eq!(after(BargeIn::Medium, hum, ""), Some(700));
        assert_eq!(after(BargeIn::Medium, hum, "mhm"), Some(700));
    }

    #[test]
    fn a_cough_is_too_short() {
        let mut watch = BargeInWatch::new(BargeIn::Medium);
        for burst in 0..5 {
            let voiced = (0..8).any(|n| watch.hear(&vowel(n), true, -15.0, ""));
            assert!(!voiced, "burst {burst}");
            for _ in 0..10 {
                assert!(!watch.hear(&[0; 160], false, -70.0, ""));
            }
        }
    }

    #[test]
    fn our_own_echo_is_not_the_caller() {
        let mut watch = BargeInWatch::new(BargeIn::High);
        for at in 0..50 {
            watch.speak(-12.0);
            assert!(!watch.hear(&vowel(at), true, -32.0, ""), "an echo is quieter than we are");
        }
        let caller = (0..50).any(|at| watch.hear(&vowel(at), true, -18.0, ""));
        assert!(caller, "a caller is about as loud");
    }

    #[test]
    fn listening_is_told_from_speaking() {
        for listening in ["Mhm.", "Oui, oui.", "d’accord", "OK, très bien", "Ja, genau."] {
            assert!(is_backchannel(listening), "{listening}");
        }
        for speaking in ["", "Oui, mais demain", "Non", "stop", "attendez"] {
            assert!(!is_backchannel(speaking), "{speaking}");
        }
    }
}
