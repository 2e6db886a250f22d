//! WAV: sound in a file or a stream, read as the telephone's, and a call written down.
//!
//! Read by ourselves, piece by piece: programs that stream write lengths that they do not know yet
//! (`0xFFFFFFFF`, or espeak-ng's `0x7FFFF000`), and some vendors put μ-law in it. Written by hound.

use std::io::{Seek, Write};

use super::{
    RATE, g711,
    resample::{Resampler, WrongRate},
};

/// A header longer than this holds pictures, or is none.
const LONGEST_HEADER: usize = 64 * 1024;

/// What is wrong with some sound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// It does not begin as a WAV does.
    #[error("it is no WAV")]
    NoWav,
    /// It ended before its sound began.
    #[error("the WAV ends within its header")]
    Cut,
    /// A header too long, or with contradictions.
    #[error("the WAV's header makes no sense")]
    BadHeader,
    /// Samples of a kind that we do not read.
    #[error("the WAV holds {0}; write PCM of 8 to 32 bits or μ-law, mono or stereo")]
    Unsupported(String),
    /// Its rate.
    #[error(transparent)]
    Rate(#[from] WrongRate),
    /// It could not be written.
    #[error("the WAV cannot be written: {0}")]
    Unwritten(String),
}

/// How a sample is written. Little-endian, except where it is one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// G.711 μ-law.
    Mulaw,
    /// Linear; of one byte it has no sign, of two to four it has.
    Pcm {
        /// In a sample: 1 to 4.
        bytes: u8,
    },
}

impl Encoding {
    const fn bytes(self) -> usize {
        match self {
            Self::Mulaw => 1,
            Self::Pcm { bytes } => bytes as usize,
        }
    }

    /// A sample of as many bytes as it has.
    fn read(self, bytes: &[u8]) -> i16 {
        match (self, bytes) {
            (Self::Mulaw, [byte]) => g711::decode(*byte),
            (Self::Pcm { .. }, [byte]) => (i16::from(*byte) - 128) << 8,
            // Of wider ones, the upper two bytes.
            (Self::Pcm { .. }, [.., low, high]) => i16::from_le_bytes([*low, *high]),
            _ => 0,
        }
    }
}

/// What sound is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// How a sample is written.
    pub encoding: Encoding,
    /// One or two.
    pub channels: u8,
    /// Samples of a channel in a second.
    pub rate: u32,
}

impl Format {
    /// Sixteen bits, mono.
    pub const fn pcm16(rate: u32) -> Self {
        Self { encoding: Encoding::Pcm { bytes: 2 }, channels: 1, rate }
    }

    /// What is heard on the telephone.
    pub const TELEPHONE: Self = Self { encoding: Encoding::Mulaw, channels: 1, rate: RATE };

    const fn frame(self) -> usize {
        self.encoding.bytes() * self.channels as usize
    }
}

/// A header, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the sound is like.
    pub format: Format,
    /// Where it begins.
    pub begins: usize,
    /// How many bytes of it there are; `None` is until the end.
    pub length: Option<u64>,
}

/// Reads the header at the beginning of some bytes: `None` while there are too few of them.
pub fn header(bytes: &[u8]) -> Result<Option<Header>, WavError> {
    let begins_as = |at: usize, word: &[u8; 4]| {
        let there = bytes.get(at..).unwrap_or_default();
        there.iter().zip(word).all(|(is, should)| is == should)
    };
    if !begins_as(0, b"RIFF") || !begins_as(8, b"WAVE") {
        return Err(WavError::NoWav);
    }
    let (mut at, mut format) = (12, None);
    while let Some(&[a, b, c, d, l0, l1, l2, l3]) = bytes.get(at..at + 8) {
        let length = u32::from_le_bytes([l0, l1, l2, l3]);
        at += 8;
        match &[a, b, c, d] {
            b"data" => {
                let format = format.ok_or(WavError::BadHeader)?;
                // No length was known when it was written; a call is never of two gigabytes.
                let length = (length < 0x7FFF_0000).then_some(u64::from(length));
                return Ok(Some(Header { format, begins: at, length }));
            }
            b"fmt " => match bytes.get(at..at + length.min(40) as usize) {
                Some(bytes) => format = Some(read_format(bytes)?),
                None => return Ok(None),
            },
            _ => {}
        }
        // Chunks begin at even places.
        at = at.saturating_add(length as usize).saturating_add(length as usize % 2);
        if at > LONGEST_HEADER {
            return Err(WavError::BadHeader);
        }
    }
    Ok(None)
}

fn read_format(bytes: &[u8]) -> Result<Format, WavError> {
    let number = |at: usize| match bytes.get(at..at + 2) {
        Some(&[low, high]) => Ok(u16::from_le_bytes([low, high])),
        _ => Err(WavError::BadHeader),
    };
    let (mut tag, channels, bits) = (number(0)?, number(2)?, number(14)?);
    let rate = u32::from(number(4)?) | u32::from(number(6)?) << 16;
    // The extensible form has the tag at the beginning of its sub-format.
    if tag == 0xFFFE {
        tag = number(24)?;
    }
    let encoding = match (tag, bits) {
        (1, 8 | 16 | 24 | 32) => Encoding::Pcm { bytes: (bits / 8) as u8 },
        (7, 8) => Encoding::Mulaw,
        _ => {
            return Err(WavError::Unsupported(format!("samples of kind {tag} of {bits} bits")));
        }
    };
    let channels = match channels {
        1 | 2 => channels as u8,
        _ => return Err(WavError::Unsupported(format!("{channels} channels"))),
    };
    Ok(Format { encoding, channels, rate })
}

/// Turns sound that arrives in pieces of any length into samples at 8 kHz, mono.
pub struct Reader {
    state: State,
}

enum State {
    /// So far it may be a header; what follows when it is none.
    Header(Vec<u8>, Option<Format>),
    Sound(Sound),
}

struct Sound {
    format: Format,
    left: Option<u64>,
    /// A frame that is not whole yet.
    odd: Vec<u8>,
    resampler: Resampler,
}

impl Reader {
    /// Sound with a header.
    pub fn wav() -> Self {
        Self { state: State::Header(Vec::new(), None) }
    }

    /// Sound that should have none. If it has one all the same, the header is believed.
    pub fn raw(format: Format) -> Self {
        Self { state: State::Header(Vec::new(), Some(format)) }
    }

    /// Takes bytes in, and appends the samples that are ready.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<i16>) -> Result<(), WavError> {
        match &mut self.state {
            State::Sound(sound) => {
                sound.push(bytes, out);
                Ok(())
            }
            State::Header(seen, otherwise) => {
                seen.extend_from_slice(bytes);
                let (mut sound, begins) = match (header(seen), *otherwise) {
                    (Ok(Some(header)), _) => {
                        (Sound::new(header.format, header.length)?, header.begins)
                    }
                    (Err(WavError::NoWav), Some(format)) => (Sound::new(format, None)?, 0),
                    (Ok(None), _) if seen.len() <= LONGEST_HEADER => return Ok(()),
                    (Ok(None), _) => return Err(WavError::BadHeader),
                    (Err(wrong), _) => return Err(wrong),
                };
                sound.push(&seen[begins..], out);
                self.state = State::Sound(sound);
                Ok(())
            }
        }
    }

    /// Appends what is left.
    pub fn finish(&mut self, out: &mut Vec<i16>) -> Result<(), WavError> {
        match &mut self.state {
            State::Sound(sound) => {
                sound.resampler.finish(out);
                Ok(())
            }
            // Fewer bytes than a header has are no sound either.
            State::Header(..) => Err(WavError::Cut),
        }
    }
}

impl Sound {
    fn new(format: Format, left: Option<u64>) -> Result<Self, WavError> {
        Ok(Self { format, left, odd: Vec::new(), resampler: Resampler::new(format.rate)? })
    }

    fn push(&mut self, bytes: &[u8], out: &mut Vec<i16>) {
        let bytes = match &mut self.left {
            // After the sound come notes about it.
            Some(left) => {
                let sound = &bytes[..bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX))];
                *left -= sound.len() as u64;
                sound
            }
            None => bytes,
        };
        let joined: Vec<u8>;
        let bytes = if self.odd.is_empty() {
            bytes
        } else {
            joined = [&self.odd[..], bytes].concat();
            &joined
        };
        let (encoding, channels) = (self.format.encoding, i32::from(self.format.channels));
        let frames = bytes.chunks_exact(self.format.frame());
        let odd = frames.remainder().to_vec();
        let samples: Vec<i16> = frames
            .map(|frame| {
                let of_channel = frame.chunks_exact(encoding.bytes());
                let sum: i32 = of_channel.map(|bytes| i32::from(encoding.read(bytes))).sum();
                (sum / channels) as i16
            })
            .collect();
        self.odd = odd;
        self.resampler.push(&samples, out);
    }
}

/// A whole WAV file as samples at 8 kHz, mono.
pub fn read(file: &[u8]) -> Result<Vec<i16>, WavError> {
    let (mut reader, mut samples) = (Reader::wav(), Vec::new());
    reader.push(file, &mut samples)?;
    reader.finish(&mut samples)?;
    Ok(samples)
}

/// What a WAV file of so many bytes of μ-law begins with (RIFF, format tag 7); they follow, and a zero
/// when their number is odd.
pub fn telephone_header(bytes: u32) -> [u8; 58] {
    let even = bytes + bytes % 2;
    let mut header = [0; 58];
    let parts: [(usize, &[u8]); 14] = [
        (0, b"RIFF"),
        (4, &(50 + even).to_le_bytes()),
        (8, b"WAVEfmt "),
        (16, &18_u32.to_le_bytes()),
        (20, &7_u16.to_le_bytes()),
        (22, &1_u16.to_le_bytes()),
        (24, &RATE.to_le_bytes()),
        (28, &RATE.to_le_bytes()),
        (32, &1_u16.to_le_bytes()),
        (34, &8_u16.to_le_bytes()),
        (38, b"fact"),
        (42, &4_u32.to_le_bytes()),
        (46, &bytes.to_le_bytes()),
        (50, b"data"),
    ];
    for (at, part) in parts {
        header[at..at + part.len()].copy_from_slice(part);
    }
    header[54..].copy_from_slice(&bytes.to_le_bytes());
    header
}

/// A sound of the telephone's as a WAV file.
pub fn of_telephone(mulaw: &[u8]) -> Vec<u8> {
    let bytes = u32::try_from(mulaw.len()).unwrap_or(u32::MAX - 64);
    let mut file = telephone_header(bytes).to_vec();
    file.extend_from_slice(mulaw);
    if mulaw.len() % 2 == 1 {
        file.push(0);
    }
    file
}

/// Writes a call as a WAV file: the caller on the left, the assistant on the right, 8 kHz, 16 bits.
/// The shorter of the two is silent at its end.
pub fn write_call(
    to: impl Write + Seek,
    caller: &[i16],
    assistant: &[i16],
) -> Result<(), WavError> {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let write = || -> Result<(), hound::Error> {
        let mut writer = hound::WavWriter::new(to, spec)?;
        for n in 0..caller.len().max(assistant.len()) {
            for side in [caller, assistant] {
                writer.write_sample(side.get(n).copied().unwrap_or(0))?;
            }
        }
        writer.finalize()
    };
    write().map_err(|cause| WavError::Unwritten(cause.to_string()))
}

#[cfg(test)]
#[path = "wav_tests.rs"]
mod tests;
