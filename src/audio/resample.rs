//! Other sampling rates: down to the telephone's, and up to what a detector of speech wants.
//!
//! A low-pass of our own, because it is one formula: a sinc under Kaiser's window, cut into as many
//! phases as there are places between two samples (J. O. Smith, "Digital Audio Resampling").

use std::{
    collections::BTreeMap,
    f64::consts::PI,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use super::RATE;

/// Slowest and fastest rates that sound is taken in.
const RATES: std::ops::RangeInclusive<u32> = RATE..=192_000;

/// Where the low-pass is at its half: voices end at 3.4 kHz, what is above 4 kHz would fold back.
const CUT: f64 = 3_800.0;

/// Seconds on either side of a sample that are listened to for it.
const REACH: f64 = 0.003;

/// Shape of the window: about 70 dB of what must go are gone.
const BETA: f64 = 7.0;

/// Places between two samples, at most: an odd rate would need a filter of megabytes.
const PHASES: usize = 800;

/// Rates that programs and vendors use, whose filters are kept.
const KEPT: [u32; 7] = [11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

static FILTERS: Mutex<BTreeMap<u32, Arc<[f32]>>> = Mutex::new(BTreeMap::new());

/// A rate that nobody records speech at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sound of {0} Hz is not understood, only of the usual rates from 8,000 to 192,000")]
pub struct WrongRate(pub u32);

/// Brings sound to 8 kHz, piece by piece. However it is cut, the same comes out.
pub struct Resampler {
    /// Samples that come out for `down` that go in.
    up: usize,
    down: usize,
    /// Samples on either side of a place; the filter is twice as wide.
    reach: usize,
    /// The filter, for each of the `up` places between two samples.
    filters: Arc<[f32]>,
    /// What has come in and is still needed.
    pending: Vec<f32>,
    /// How much of the next input is needed no more: a fast rate takes long steps.
    skipped: usize,
    /// The place of the next sample between two that came in, in parts of `up`.
    phase: usize,
    taken: u64,
    given: u64,
}

impl Resampler {
    /// From a rate.
    pub fn new(rate: u32) -> Result<Self, WrongRate> {
        if !RATES.contains(&rate) {
            return Err(WrongRate(rate));
        }
        let common = common_divisor(rate, RATE);
        let (up, down) = ((RATE / common) as usize, (rate / common) as usize);
        if up > PHASES {
            return Err(WrongRate(rate));
        }
        let reach = (REACH * f64::from(rate)).ceil() as usize;
        Ok(Self {
            up,
            down,
            reach,
            filters: if up == down { Arc::default() } else { kept(rate, up, reach) },
            pending: vec![0.0; reach - 1],
            skipped: 0,
            phase: 0,
            taken: 0,
            given: 0,
        })
    }

    /// Takes samples in, and appends those that are ready.
    pub fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        if self.filters.is_empty() {
            out.extend_from_slice(samples);
            return;
        }
        self.taken += samples.len() as u64;
        self.pending.extend(samples.iter().map(|sample| f32::from(*sample)));
        self.emit(u64::MAX, out);
    }

    /// Appends what is left: in all, the input's length at 8 kHz, rounded up.
    pub fn finish(&mut self, out: &mut Vec<i16>) {
        if self.filters.is_empty() {
            return;
        }
        let all = (self.taken * self.up as u64).div_ceil(self.down as u64);
        self.pending.resize(self.pending.len() + self.reach, 0.0);
        self.emit(all, out);
    }

    fn emit(&mut self, all: u64, out: &mut Vec<i16>) {
        let width = self.reach * 2;
        let mut at = self.skipped;
        while self.given < all
            && let Some(heard) = self.pending.get(at..at + width)
        {
            let filter = &self.filters[self.phase * width..][..width];
            let sum: f32 = filter.iter().zip(heard).map(|(tap, sample)| tap * sample).sum();
            // Beyond the loudest, the cast stays at the loudest.
            out.push(sum.round() as i16);
            self.given += 1;
            self.phase += self.down;
            at += self.phase / self.up;
            self.phase %= self.up;
        }
        let gone = at.min(self.pending.len());
        self.pending.drain(..gone);
        self.skipped = at - gone;
    }
}

/// A filter, made once if its rate is a usual one.
fn kept(rate: u32, up: usize, reach: usize) -> Arc<[f32]> {
    if !KEPT.contains(&rate) {
        return filters(rate, up, reach);
    }
    let mut kept = FILTERS.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(kept.entry(rate).or_insert_with(|| filters(rate, up, reach)))
}

fn filters(rate: u32, up: usize, reach: usize) -> Arc<[f32]> {
    let mut filters = Vec::with_capacity(up * reach * 2);
    for phase in 0..up {
        let between = phase as f64 / up as f64;
        let taps: Vec<f64> = (0..reach * 2)
            .map(|tap| {
                let away = (tap as f64 - (reach as f64 - 1.0) - between) / f64::from(rate);
                sinc(2.0 * CUT * away) * kaiser(away / REACH)
            })
            .collect();
        // What is constant stays as loud as it is, in every phase.
        let sum: f64 = taps.iter().sum();
        filters.extend(taps.iter().map(|tap| (tap / sum) as f32));
    }
    filters.into()
}

/// Samples of the filter that doubles, for the place between the middle two.
const HALFWAY: usize = 16;

static MIDDLE: LazyLock<[f32; HALFWAY]> = LazyLock::new(|| {
    let tap = |tap: usize| {
        let away = tap as f64 - (HALFWAY as f64 - 1.0) / 2.0;
        sinc(away) * kaiser(away / (HALFWAY as f64 / 2.0))
    };
    let sum: f64 = (0..HALFWAY).map(tap).sum();
    std::array::from_fn(|n| (tap(n) / sum) as f32)
});

/// Doubles the rate of the telephone to 16 kHz: two samples for each, at once, one millisecond late.
/// Every second one is a sample that came in, unchanged.
#[derive(Default)]
pub struct Doubler {
    last: [f32; HALFWAY],
}

impl Doubler {
    /// Takes samples in, and appends twice as many.
    pub fn push(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        for sample in samples {
            self.last.rotate_left(1);
            self.last[HALFWAY - 1] = f32::from(*sample);
            let middle: f32 = MIDDLE.iter().zip(&self.last).map(|(tap, last)| tap * last).sum();
            out.push(self.last[HALFWAY / 2 - 1] as i16);
            out.push(middle.round() as i16);
        }
    }
}

fn common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Kaiser's window, from -1 to 1.
fn kaiser(x: f64) -> f64 {
    if x.abs() > 1.0 { 0.0 } else { bessel(BETA * (1.0 - x * x).sqrt()) / bessel(BETA) }
}

/// The modified Bessel function of order zero, by its series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for n in 1..40_u32 {
        term *= (x / (2.0 * f64::from(n))).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: [u32; 8] = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

    fn tone(pitch: f64, rate: u32, seconds: f64) -> Vec<i16> {
        (0..(seconds * f64::from(rate)) as usize)
            .map(|n| (10_000.0 * (2.0 * PI * pitch * n as f64 / f64::from(rate)).sin()) as i16)
            .collect()
    }

    fn whole(rate: u32, samples: &[i16]) -> Vec<i16> {
        let mut resampler = Resampler::new(rate).unwrap();
        let mut out = Vec::new();
        resampler.push(samples, &mut out);
        resampler.finish(&mut out);
        out
    }

    /// Loudness, without the first and last moments.
    fn level(samples: &[i16]) -> f64 {
        let inner = &samples[200..samples.len() - 200];
        let power: f64 = inner.iter().map(|s| f64::from(*s).powi(2)).sum();
        (power / inner.len() as f64).sqrt()
    }

    #[test]
    fn a_tone_of_a_voice_keeps_its_level() {
        let expected = 10_000.0 / 2_f64.sqrt();
        for rate in USUAL {
            for pitch in [300.0, 1_000.0, 3_000.0] {
                let kept = level(&whole(rate, &tone(pitch, rate, 0.5))) / expected;
                assert!((kept - 1.0).abs() < 0.01, "{pitch} Hz at {rate}: {kept}");
            }
        }
    }

    #[test]
    fn a_tone_that_the_telephone_cannot_carry_is_gone() {
        for rate in USUAL.into_iter().filter(|rate| *rate >= 16_000) {
            for pitch in [4_400.0, 6_000.0, 7_500.0] {
                let left = level(&whole(rate, &tone(pitch, rate, 0.5)));
                assert!(left < 10.0, "{pitch} Hz at {rate}: {left}");
            }
        }
    }

    #[test]
    fn the_tone_stays_where_it_was() {
        for rate in USUAL {
            let (out, expected) = (whole(rate, &tone(440.0, rate, 0.3)), tone(440.0, RATE, 0.3));
            for (n, (one, other)) in out.iter().zip(&expected).enumerate().skip(100).take(2_000) {
                assert!((i32::from(*one) - i32::from(*other)).abs() < 60, "{rate}: {n}");
            }
        }
    }

    #[test]
    fn the_loudest_is_cut_and_does_not_wrap() {
        let square: Vec<i16> =
            (0..4_800).map(|n| if n / 24 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
        let out = whole(24_000, &square);
        assert!(out.windows(2).all(|w| (i32::from(w[0]) - i32::from(w[1])).abs() < 60_000));
    }

    #[test]
    fn a_rate_of_nobody_is_refused() {
        for rate in [0, 1, 7_999, 8_001, 22_051, 192_001, u32::MAX] {
            assert_eq!(Resampler::new(rate).err(), Some(WrongRate(rate)));
        }
    }

    #[test]
    fn doubling_keeps_every_sample_and_puts_the_right_one_between() {
        let (slow, fast) = (tone(1_000.0, 8_000, 0.2), tone(1_000.0, 16_000, 0.2));
        let (mut doubler, mut out) = (Doubler::default(), Vec::new());
        for piece in slow.chunks(7) {
            doubler.push(piece, &mut out);
        }
        assert_eq!(out.len(), slow.len() * 2);
        let late = HALFWAY;
        for n in 0..slow.len() - HALFWAY {
            assert_eq!(out[late + n * 2], slow[n]);
        }
        for n in 100..fast.len() - late {
            assert!((i32::from(out[late + n]) - i32::from(fast[n])).abs() < 40, "{n}");
        }
    }

    proptest::proptest! {
        #[test]
        fn however_it_is_cut_the_same_comes_out(
            samples in proptest::collection::vec(proptest::num::i16::ANY, 0..3_000),
            cuts in proptest::collection::vec(0_usize..500, 0..20),
            rate in proptest::sample::select(&USUAL[..]),
        ) {
            let expected = whole(rate, &samples);
            let length = (samples.len() as u64 * u64::from(RATE)).div_ceil(u64::from(rate));
            proptest::prop_assert_eq!(expected.len() as u64, length);
            let mut resampler = Resampler::new(rate).unwrap();
            let (mut out, mut rest) = (Vec::new(), &samples[..]);
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                resampler.push(piece, &mut out);
                rest = after;
            }
            resampler.push(rest, &mut out);
            resampler.finish(&mut out);
            proptest::prop_assert_eq!(out, expected);
        }
    }
}
