//! What it costs to know whether somebody speaks: the share of a core for a call in real time.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{f32::consts::TAU, time::Instant};

use webox::audio::{
    FRAME, RATE,
    vad::{Sensitivity, Vad},
};

/// Ten minutes of a call.
const FRAMES: usize = 30_000;

/// A share that leaves a call to the rest: 0.1 %.
const AIM: f64 = 0.1;

fn main() {
    let quiet = |_: usize| 0.0;
    // A buzz that rises and falls like syllables, so that the network is asked about every frame.
    let voice = |i: usize| {
        let time = i as f32 / RATE as f32;
        let syllable = 0.5 - 0.5 * (TAU * 3.5 * time).cos();
        let buzz: f32 = (1..20_u8).map(|k| (TAU * 150.0 * f32::from(k) * time).sin()).sum();
        800.0 * syllable * buzz
    };
    share("silence", quiet);
    share("a voice without a pause", voice);
}

fn share(name: &str, sound: impl Fn(usize) -> f32) {
    // One second of sound, again and again: making it costs more than hearing it.
    let second: Vec<i16> = (0..RATE as usize).map(|i| sound(i) as i16).collect();
    let (frames, _) = second.as_chunks::<FRAME>();
    let mut vad = Vad::new(Sensitivity::Normal);
    let mut voiced = 0_usize;
    let begun = Instant::now();
    for frame in frames.iter().cycle().take(FRAMES) {
        voiced += usize::from(vad.hear(frame).voiced);
    }
    let spoken = FRAMES as f64 * 0.02;
    let share = begun.elapsed().as_secs_f64() / spoken * 100.0;
    println!("{name}: {share:.4} % of a core a call (aim: {AIM} %), {voiced} frames voiced");
}
