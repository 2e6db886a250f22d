use std::{f32::consts::TAU, process::Command};

use super::*;

/// Noise that is the same each time.
struct Noise(u64);

impl Noise {
    fn new() -> Self {
        Self(88_172_645_463_325_252)
    }

    /// From -1 to 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

fn seconds(seconds: f32) -> usize {
    (seconds * 8_000.0) as usize
}

fn silence(length: f32) -> Vec<f32> {
    vec![0.0; seconds(length)]
}

fn noise(db: f32, length: f32) -> Vec<f32> {
    let mut noise = Noise::new();
    // The mean power of even noise is a third of its square.
    let loudness = 32_768.0 * 10_f32.powf(db / 20.0) * 3_f32.sqrt();
    (0..seconds(length)).map(|_| noise.next() * loudness).collect()
}

/// Something like "ah-ah-ah": harmonics of a voice that trembles, through three formants, rising
/// and falling as syllables do.
fn vowel(pitch: f32, length: f32) -> Vec<f32> {
    const FORMANTS: [(f32, f32, f32); 3] =
        [(700.0, 1.0, 90.0), (1_220.0, 0.5, 110.0), (2_600.0, 0.25, 160.0)];
    let mut phase = 0.0;
    (0..seconds(length))
        .map(|i| {
            let time = i as f32 / 8_000.0;
            let pitch = pitch * (1.0 + 0.03 * (TAU * 5.0 * time).sin());
            phase += pitch / 8_000.0;
            let harmonics = (1..).take_while(|k| *k as f32 * pitch < 3_600.0);
            let sound: f32 = harmonics
                .map(|k| {
                    let k = k as f32;
                    let through = |(at, gain, width): &(f32, f32, f32)| {
                        gain / (1.0 + ((k * pitch - at) / width).powi(2))
                    };
                    let gain: f32 = FORMANTS.iter().map(through).sum::<f32>() + 0.02;
                    gain * (TAU * phase * k).sin()
                })
                .sum();
            let syllable = (0.5 - 0.5 * (TAU * 3.5 * time).cos()).sqrt();
            sound * 3_000.0 * syllable
        })
        .collect()
}

/// A sound that is loud at once and gone soon, in the middle of silence.
fn burst(decay: f32) -> Vec<f32> {
    let mut noise = Noise::new();
    let mut sound = silence(2.0);
    for i in 0..seconds(4.0 * decay) {
        sound[seconds(1.0) + i] = noise.next() * 18_000.0 * (-(i as f32) / 8_000.0 / decay).exp();
    }
    sound
}

/// Notes of a harp, four a second, that ring on.
fn music(length: f32) -> Vec<f32> {
    const NOTES: [f32; 8] = [261.6, 349.2, 392.0, 523.2, 440.0, 329.6, 293.7, 587.3];
    let mut sound = silence(length);
    for (number, start) in (0..sound.len()).step_by(seconds(0.25)).enumerate() {
        let pitch = NOTES[number * 5 % 8];
        for (i, sample) in sound[start..].iter_mut().take(seconds(1.0)).enumerate() {
            for (harmonic, gain) in [(1.0, 1.0), (2.0, 0.5), (3.0, 0.25)] {
                let wave = (TAU * pitch * harmonic * i as f32 / 8_000.0).sin();
                *sample += 3_000.0 * gain * wave * (-(i as f32) / 2_500.0).exp();
            }
        }
    }
    sound
}

fn hear(sensitivity: Sensitivity, sound: &[f32]) -> Vec<Voice> {
    let mut vad = Vad::new(sensitivity);
    let (frames, _) = sound.as_chunks::<FRAME>();
    frames.iter().map(|frame| vad.hear(&frame.map(|sample| sample as i16))).collect()
}

fn voiced(voices: &[Voice]) -> usize {
    voices.iter().filter(|voice| voice.voiced).count()
}

/// How many frames the network was asked about.
fn asked(voices: &[Voice]) -> usize {
    voices.iter().filter(|voice| voice.probability > 0.0).count()
}

#[test]
fn silence_is_no_voice_and_costs_nothing() {
    for sensitivity in [Sensitivity::Low, Sensitivity::Normal, Sensitivity::High] {
        for sound in [silence(5.0), noise(-60.0, 5.0)] {
            let voices = hear(sensitivity, &sound);
            assert_eq!((voiced(&voices), asked(&voices)), (0, 0));
        }
    }
    let voices = hear(Sensitivity::Normal, &vec![500.0; 800]);
    assert!(voices[1].level_db < -90.0, "a constant is silence: {voices:?}");
}

#[test]
fn steady_noise_is_noise_and_soon_not_even_asked_about() {
    for db in [-50.0, -40.0, -30.0] {
        let voices = hear(Sensitivity::Normal, &noise(db, 10.0));
        assert!((voices[100].level_db - db).abs() < 2.0, "{:?}", voices[100]);
        assert!(voiced(&voices) < 10, "{db} dB: {}", voiced(&voices));
        assert_eq!(asked(&voices[100..]), 0, "{db} dB");
    }
    // The loudest is taken for a voice by the network, but nobody speaks so evenly for long.
    assert_eq!(voiced(&hear(Sensitivity::Normal, &noise(-20.0, 10.0))[100..]), 0);
    let tone: Vec<f32> =
        (0..seconds(10.0)).map(|i| 8_000.0 * (TAU * 425.0 * i as f32 / 8_000.0).sin()).collect();
    assert_eq!(voiced(&hear(Sensitivity::Normal, &tone)[100..]), 0);
}

#[test]
fn a_voice_is_heard_also_after_silence_and_in_noise() {
    for pitch in [120.0, 210.0] {
        let sound = [silence(2.0), vowel(pitch, 1.0), silence(2.0), vowel(pitch, 1.0)].concat();
        let voices = hear(Sensitivity::Normal, &sound);
        assert_eq!(voiced(&voices[..100]), 0);
        for spoken in [&voices[100..150], &voices[250..300]] {
            assert!(voiced(spoken) > 35, "{pitch} Hz: {}", voiced(spoken));
        }
        // It is over at most a few frames after the sound is.
        assert_eq!(voiced(&voices[155..250]), 0);
        let loud: Vec<f32> =
            sound.iter().zip(noise(-45.0, 6.0)).map(|(sound, noise)| sound + noise).collect();
        assert!(voiced(&hear(Sensitivity::Normal, &loud)[250..300]) > 25);
    }
}

#[test]
fn the_more_sensitive_hears_more() {
    let quiet: Vec<f32> = vowel(210.0, 3.0).iter().map(|sample| sample * 0.1).collect();
    let heard = |sensitivity| voiced(&hear(sensitivity, &quiet));
    let (low, normal) = (heard(Sensitivity::Low), heard(Sensitivity::Normal));
    let high = heard(Sensitivity::High);
    assert!(low <= normal && normal <= high && high > 100, "{low} {normal} {high}");
}

#[test]
fn a_click_and_a_cough_are_short() {
    assert!(voiced(&hear(Sensitivity::Normal, &burst(0.01))) <= 4);
    assert!(voiced(&hear(Sensitivity::Normal, &burst(0.06))) <= 12);
    assert_eq!(voiced(&hear(Sensitivity::Low, &burst(0.01))), 0);
}

#[test]
fn music_is_not_taken_for_a_voice_for_long() {
    let voices = hear(Sensitivity::Normal, &music(20.0));
    assert!(voiced(&voices[150..]) < 30, "{}", voiced(&voices[150..]));
    // Somebody who comes back from holding is heard.
    let sound = [music(5.0), silence(0.5), vowel(210.0, 2.0)].concat();
    assert!(voiced(&hear(Sensitivity::Normal, &sound)[275..]) > 60);
}

#[test]
fn doubling_keeps_what_is_heard_and_adds_nothing() {
    let tone = |rate: f32, i: usize| 10_000.0 * (TAU * 1_000.0 * i as f32 / rate).sin();
    let mut doubler = Doubler::default();
    let mut frame = |start: usize| {
        let frame: [i16; FRAME] = std::array::from_fn(|i| tone(8_000.0, start + i) as i16);
        doubler.double(&frame)
    };
    frame(0);
    let doubled = frame(FRAME);
    // It is late by eight samples of the telephone's.
    for (i, sample) in doubled.iter().enumerate() {
        let expected = tone(16_000.0, 2 * (FRAME - TAPS.len()) + i);
        assert!((f32::from(*sample) - expected).abs() < 40.0, "{i}: {sample} {expected}");
    }
}

#[test]
fn somebody_who_speaks_is_heard_from_the_first_word_to_the_last() {
    for (language, words) in [
        ("en", "Hello. I would like to book a table for two on Friday."),
        ("fr", "Bonjour, je voudrais réserver une table pour deux personnes."),
    ] {
        let Some(speech) = spoken(language, words) else {
            eprintln!("passed over: espeak-ng is not installed");
            return;
        };
        let sound = [silence(1.0), speech.clone(), silence(1.0)].concat();
        let voices = hear(Sensitivity::Normal, &sound);
        assert_eq!(voiced(&voices[..50]), 0);
        let loud: Vec<&Voice> = voices.iter().filter(|voice| voice.level_db > -35.0).collect();
        let heard = loud.iter().filter(|voice| voice.voiced).count();
        assert!(heard * 10 > loud.len() * 9, "{language}: {heard} of {}", loud.len());
        assert_eq!(voiced(&voices[voices.len() - 45..]), 0);
        // Quietly, far from the microphone.
        let quiet: Vec<f32> = sound.iter().map(|sample| sample * 0.1).collect();
        assert!(voiced(&hear(Sensitivity::Normal, &quiet)) * 4 > voiced(&voices) * 3);
    }
}

/// Speech of a machine at the telephone's rate, without silence around it.
fn spoken(language: &str, words: &str) -> Option<Vec<f32>> {
    let out = Command::new("espeak-ng").args(["-v", language, "--stdout", words]).output().ok()?;
    let samples: Vec<f32> = out
        .stdout
        .get(44..)?
        .as_chunks::<2>()
        .0
        .iter()
        .map(|bytes| f32::from(i16::from_le_bytes(*bytes)))
        .collect();
    // From 22,050 Hz: each is the mean of what lies between two of the new samples.
    let step = 22_050.0 / 8_000.0;
    let count = (samples.len() as f32 / step) as usize;
    let at = |i: usize| (i as f32 * step) as usize;
    let mean = |i: usize| {
        let part = &samples[at(i)..at(i + 1).min(samples.len())];
        part.iter().sum::<f32>() / part.len().max(1) as f32
    };
    Some((0..count).map(mean).collect())
}
