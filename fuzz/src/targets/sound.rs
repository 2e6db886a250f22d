//! Sound: files of it, and raw.

use webox::audio::{
    FRAME, RATE, g711,
    resample::Resampler,
    vad::{Sensitivity, Vad},
    wav::{Reader, header, read},
};

/// A WAV file, whole and in pieces: what a provider sends, and what `try --audio` is given.
pub fn wav(data: &[u8]) {
    let _ = (header(data), read(data));
    let (mut pieces, mut samples) = (Reader::wav(), Vec::new());
    for piece in data.chunks(7) {
        if pieces.push(piece, &mut samples).is_err() {
            return;
        }
    }
    let _ = pieces.finish(&mut samples);
}

/// Samples at the rate that the first byte names, in pieces of as many as the second: to eight kilohertz, to
/// μ-law and back, and whether somebody speaks.
pub fn sound(data: &[u8]) {
    const RATES: [u32; 8] = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
    let [rate, size, rest @ ..] = data else { return };
    let rate = RATES[usize::from(*rate) % RATES.len()];
    let samples: Vec<i16> =
        rest.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    let mut out = Vec::new();
    if let Ok(mut resampler) = Resampler::new(rate) {
        for piece in samples.chunks(usize::from(*size).max(1)) {
            resampler.push(piece, &mut out);
        }
        resampler.finish(&mut out);
        let wanted = samples.len() as u64 * u64::from(RATE) / u64::from(rate);
        assert!(out.len() as u64 <= wanted + 2, "{} of {}", out.len(), samples.len());
    }
    let coded: Vec<u8> = out.iter().map(|sample| g711::encode(*sample)).collect();
    let level = g711::level_db(&coded);
    assert!(!level.is_nan());
    let decoded: Vec<i16> = coded.iter().map(|byte| g711::decode(*byte)).collect();
    assert!(
        decoded
            .iter()
            .zip(&coded)
            .all(|(sample, byte)| g711::encode(*sample) == *byte || *byte == 0x7F)
    );
    let mut vad = Vad::new(Sensitivity::Normal);
    for frame in decoded.chunks_exact(FRAME).take(50) {
        let frame: &[i16; FRAME] = frame.try_into().expect("a frame");
        let _ = vad.hear(frame);
    }
}
