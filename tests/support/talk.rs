//! Sound that doubles of ears understand: a word is 200 ms of one byte. So a test sees which sound
//! arrived, in which order, and how often.

use bytes::Bytes;
use webox::audio::g711;

const WORDS: [&str; 8] = ["zero", "one", "two", "three", "four", "five", "six", "seven"];

/// 200 ms.
const LENGTH: usize = 1_600;

/// The sound of a word, in frames.
pub(crate) fn say(word: &str) -> Vec<Bytes> {
    let byte = WORDS.iter().position(|known| *known == word).unwrap();
    vec![Bytes::from(vec![byte as u8; 160]); LENGTH / 160]
}

/// The words of some sound: a piece of one counts.
pub(crate) fn words(sound: &[u8]) -> String {
    let spoken: Vec<u8> = sound.iter().copied().filter(|byte| *byte != g711::SILENCE).collect();
    let mut words = Vec::new();
    for run in spoken.chunk_by(|one, other| one == other) {
        let times = run.len().div_ceil(LENGTH);
        words.extend(std::iter::repeat_n(WORDS[usize::from(run[0] % 8)], times));
    }
    words.join(" ")
}
