//! Whether somebody speaks: a frame at a time, for one call.
//!
//! A small recurrent network (earshot) decides, behind a test of loudness that costs next to nothing:
//! most of a call is silence on one side. What is quiet is not shown to the network at all. It
//! therefore misses frames, which it does not mind, because it never misses the frames on either side
//! of a sound: it is shown [`HANGOVER`] frames of quiet after one, in which its memory settles, and
//! [`LEAD_IN`] frames of what really came before the next, which fill the window it looks through.

use std::collections::VecDeque;

use earshot::Detector;

use super::FRAME;

/// How readily sound is taken for a voice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sensitivity {
    /// For noisy places: what is doubtful is no voice.
    Low,
    /// For a telephone held in the hand.
    #[default]
    Normal,
    /// For quiet voices: what is doubtful is a voice.
    High,
}

impl Sensitivity {
    /// How sure the network has to be.
    const fn threshold(self) -> f32 {
        match self {
            Self::Low => 0.75,
            Self::Normal => 0.5,
            Self::High => 0.3,
        }
    }

    /// How far a voice stands out from the noise, in dB.
    const fn margin(self) -> f32 {
        match self {
            Self::Low => 9.0,
            Self::Normal => 6.0,
            Self::High => 4.0,
        }
    }
}

/// What was found in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voice {
    /// That somebody speaks, 0–1; 0 where it is too quiet to ask.
    pub probability: f32,
    /// The loudness, in dB below the loudest that can be (a square wave of full scale).
    pub level_db: f32,
    /// Whether somebody speaks.
    pub voiced: bool,
}

/// Frames shown to the network after the last loud one: 300 ms.
const HANGOVER: u8 = 15;

/// Frames shown to it before the first loud one. Its window is 48 ms.
const LEAD_IN: usize = 3;

/// Samples that the network takes at once, at twice the telephone's rate.
const WINDOW: usize = 256;

/// No voice on a telephone is quieter.
const QUIETEST: f32 = -58.0;

/// The noise of a call is somewhere between these, and taken for low at first.
const FLOOR: std::ops::RangeInclusive<f32> = -75.0..=-20.0;
const FIRST_FLOOR: f32 = -60.0;

/// How fast the floor follows the level: the part of the way down in a frame, and dB up in a frame
/// without and with a voice. A pause between two words is enough to find it, and somebody who
/// speaks without one is not taken for noise.
const DOWN: f32 = 0.3;
const UP: f32 = 0.2;
const UP_VOICED: f32 = 0.01;

/// Sound that keeps within so many dB for so many frames (1.2 s) is a tone, a fan or a fault: nobody
/// speaks so evenly.
const FLAT: f32 = 1.5;
const FLAT_FRAMES: u16 = 60;

/// A voice that stands out from the noise so far also falls back towards it, by so many dB at least
/// in one to two seconds, between words if not between syllables. Most music that is played to those
/// who wait does not.
const OUTSTANDING: f32 = 12.0;
const FALL: f32 = 8.0;
const FALL_FRAMES: u16 = 50;

/// Finds voices in the sound of one call.
pub struct Vad {
    sensitivity: Sensitivity,
    detector: Box<Detector>,
    doubler: Doubler,
    /// What the network has not been shown yet, because it is less than it takes.
    waiting: [i16; WINDOW],
    filled: usize,
    /// The latest quiet frames, while the network is not asked.
    quiet: VecDeque<[i16; FRAME]>,
    /// For how many frames more the network is asked.
    asking: u8,
    probability: f32,
    floor: f32,
    /// The level that was kept, and for how many frames.
    flat: (f32, u16),
    /// Between which levels the sound was lately, and before that.
    range: (Range, Range),
}

impl Vad {
    /// For a new call.
    pub fn new(sensitivity: Sensitivity) -> Self {
        Self {
            sensitivity,
            detector: Detector::default_boxed(),
            doubler: Doubler::default(),
            waiting: [0; WINDOW],
            filled: 0,
            quiet: VecDeque::with_capacity(LEAD_IN + 1),
            asking: 0,
            probability: 0.0,
            floor: FIRST_FLOOR,
            flat: (0.0, 0),
            range: (Range::NONE, Range::NONE),
        }
    }

    /// Hears the next 20 ms.
    pub fn hear(&mut self, frame: &[i16; FRAME]) -> Voice {
        let level_db = level(frame);
        let (flat, even) = (self.is_flat(level_db), self.is_even(level_db));
        let steady = flat || even;
        let stands_out =
            level_db > QUIETEST && level_db > self.floor + self.sensitivity.margin() && !steady;
        if stands_out {
            self.asking = HANGOVER + 1;
        }
        if self.asking > 0 {
            self.asking -= 1;
            while let Some(quiet) = self.quiet.pop_front() {
                self.show(&quiet);
            }
            self.probability = self.show(frame);
        } else {
            self.probability = 0.0;
            if self.quiet.len() == LEAD_IN {
                self.quiet.pop_front();
            }
            self.quiet.push_back(*frame);
        }
        let above_noise = level_db > QUIETEST && level_db > self.floor + 3.0;
        let voiced = self.probability >= self.sensitivity.threshold() && above_noise && !steady;
        // The noise of the line is still what it was before the music began.
        if flat || !even {
            self.follow(level_db, voiced, flat);
        }
        Voice { probability: self.probability, level_db, voiced }
    }

    /// Shows the network a frame. What it says of the last window that is full with it: 160 samples
    /// become 320, so there is one.
    fn show(&mut self, frame: &[i16; FRAME]) -> f32 {
        let mut probability = self.probability;
        for sample in self.doubler.double(frame) {
            self.waiting[self.filled] = sample;
            self.filled += 1;
            if self.filled == WINDOW {
                self.filled = 0;
                probability = self.detector.predict_i16(&self.waiting);
            }
        }
        probability
    }

    fn is_flat(&mut self, level: f32) -> bool {
        let (kept, frames) = &mut self.flat;
        if (level - *kept).abs() > FLAT {
            self.flat = (level, 0);
        } else {
            *frames = frames.saturating_add(1);
        }
        self.flat.1 >= FLAT_FRAMES
    }

    fn is_even(&mut self, level: f32) -> bool {
        let (lately, before) = &mut self.range;
        if lately.frames == FALL_FRAMES {
            *before = std::mem::replace(lately, Range::NONE);
        }
        lately.widen(level);
        let (least, most) = (lately.least.min(before.least), lately.most.max(before.most));
        before.frames == FALL_FRAMES && most - least < FALL && least > self.floor + OUTSTANDING
    }

    fn follow(&mut self, level: f32, voiced: bool, flat: bool) {
        let way = level - self.floor;
        self.floor += if way < 0.0 || flat {
            way * DOWN
        } else if voiced {
            UP_VOICED.min(way)
        } else {
            UP.min(way)
        };
        self.floor = self.floor.clamp(*FLOOR.start(), *FLOOR.end());
    }
}

/// The levels of some frames.
#[derive(Clone, Copy)]
struct Range {
    least: f32,
    most: f32,
    frames: u16,
}

impl Range {
    const NONE: Self = Self { least: 0.0, most: -100.0, frames: 0 };

    fn widen(&mut self, level: f32) {
        self.least = self.least.min(level);
        self.most = self.most.max(level);
        self.frames += 1;
    }
}

/// The loudness of a frame without its constant part, which no ear hears.
fn level(frame: &[i16; FRAME]) -> f32 {
    let (mut sum, mut squares) = (0_i64, 0_i64);
    for sample in frame {
        let sample = i64::from(*sample);
        sum += sample;
        squares += sample * sample;
    }
    let count = FRAME as f32;
    let power = (squares as f32 - sum as f32 * sum as f32 / count).max(0.0) / count;
    // Less than half a step is silence.
    10.0 * (power.max(0.25) / (32_768.0 * 32_768.0)).log10()
}

/// Half of the taps between two samples; the other half mirrors them. A windowed sinc (Kaiser, 5).
const TAPS: [f32; 8] =
    [0.631_843, -0.196_297, 0.102, -0.058_234, 0.032_999, -0.017_529, 0.008_202, -0.002_984];

/// Twice as many samples a second: every other one is calculated, from its sixteen neighbours.
#[derive(Default)]
struct Doubler {
    /// The latest samples of the frame before.
    before: [f32; 2 * TAPS.len() - 1],
}

impl Doubler {
    fn double(&mut self, frame: &[i16; FRAME]) -> [i16; 2 * FRAME] {
        const AHEAD: usize = TAPS.len();
        const BEFORE: usize = 2 * AHEAD - 1;
        let mut samples = [0.0; BEFORE + FRAME];
        samples[..BEFORE].copy_from_slice(&self.before);
        for (sample, new) in samples[BEFORE..].iter_mut().zip(frame) {
            *sample = f32::from(*new);
        }
        let mut doubled = [0; 2 * FRAME];
        for (pair, around) in doubled.chunks_exact_mut(2).zip(samples.windows(2 * AHEAD)) {
            let between: f32 = TAPS
                .iter()
                .enumerate()
                .map(|(k, tap)| tap * (around[AHEAD - 1 - k] + around[AHEAD + k]))
                .sum();
            pair[0] = around[AHEAD - 1] as i16;
            // `as` keeps what is too loud at the loudest.
            pair[1] = between.round() as i16;
        }
        self.before.copy_from_slice(&samples[FRAME..]);
        doubled
    }
}

#[cfg(test)]
#[path = "vad_tests.rs"]
mod tests;
