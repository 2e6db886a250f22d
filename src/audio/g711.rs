//! G.711 μ-law: eight bits a sample, on a logarithmic scale (ITU-T G.711).

/// A sample of silence.
pub const SILENCE: u8 = 0xFF;

const BIAS: i32 = 0x84;
const CLIP: i32 = 32_635;

/// A linear sample as μ-law.
pub const fn encode(sample: i16) -> u8 {
    let sample = sample as i32;
    let (sign, magnitude) = if sample < 0 { (0x80, -sample) } else { (0, sample) };
    let magnitude = if magnitude > CLIP { CLIP } else { magnitude } + BIAS;
    // The exponent is the place of the highest bit, counted from bit 7.
    let exponent = 24 - (magnitude as u32).leading_zeros() as i32;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0F;
    !(sign | (exponent << 4) | mantissa) as u8
}

/// A μ-law sample as a linear one.
pub const fn decode(byte: u8) -> i16 {
    LINEAR[byte as usize]
}

/// How loud some sound is: in dB below the loudest that can be, a square wave of full scale. Silence
/// is minus infinity.
pub fn level_db(sound: &[u8]) -> f32 {
    if sound.is_empty() {
        return f32::NEG_INFINITY;
    }
    let energy: f32 = sound.iter().map(|byte| f32::from(decode(*byte)).powi(2)).sum();
    10.0 * (energy / sound.len() as f32 / 32_768.0_f32.powi(2)).log10()
}

static LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let bits = !(byte as u8) as i32;
        let exponent = (bits >> 4) & 7;
        let magnitude = ((((bits & 0x0F) << 3) + BIAS) << exponent) - BIAS;
        table[byte] = if bits & 0x80 == 0 { magnitude as i16 } else { -magnitude as i16 };
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        assert_eq!((encode(0), decode(0xFF), decode(0x7F)), (0xFF, 0, 0));
        // The loudest of either sign, as the recommendation has it on a 16-bit scale.
        assert_eq!((decode(0x80), decode(0x00)), (32_124, -32_124));
        assert_eq!((encode(i16::MAX), encode(i16::MIN)), (0x80, 0x00));
    }

    #[test]
    fn loudness() {
        assert!(level_db(&[SILENCE; 160]).is_infinite() && level_db(&[]).is_infinite());
        let square: Vec<u8> = (0..160).map(|n| if n % 2 == 0 { 0x80 } else { 0x00 }).collect();
        assert!(level_db(&square).abs() < 0.2);
        assert!((level_db(&[encode(3_277); 160]) + 20.0).abs() < 0.3);
    }

    #[test]
    fn what_was_coded_is_coded_the_same_again() {
        for byte in 0..=u8::MAX {
            // There are two zeros.
            let expected = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(encode(decode(byte)), expected, "{byte:#x}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_sample_is_kept_within_a_step(sample: i16) {
            let off = (i32::from(decode(encode(sample))) - i32::from(sample)).abs();
            // Steps grow with loudness: one in 32 of the magnitude, and a little.
            proptest::prop_assert!(off <= i32::from(sample).abs() / 32 + 8 || sample.unsigned_abs() > 32_124);
        }
    }
}
