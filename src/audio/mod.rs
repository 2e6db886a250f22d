//! Sound as numbers: the telephone's μ-law, WAV files, other sampling rates, and whether somebody
//! speaks. Pure: samples in, samples out.
//!
//! Everything on a call is 8 kHz mono. A frame is 20 ms: 160 samples, 160 bytes of μ-law.

pub mod g711;
pub mod resample;
pub mod vad;
pub mod wav;

/// Samples in a second on the telephone.
pub const RATE: u32 = 8_000;

/// Samples, and bytes of μ-law, in one frame of 20 ms.
pub const FRAME: usize = 160;

/// Milliseconds in a frame.
pub const FRAME_MS: u32 = 20;
