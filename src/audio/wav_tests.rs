use std::io::Cursor;

use super::*;

/// A file of hound's, which is not ours.
fn by_hound(bits: u16, channels: u16, rate: u32, samples: &[i32]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: bits,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    for sample in samples {
        writer.write_sample(*sample).unwrap();
    }
    writer.finalize().unwrap();
    file.into_inner()
}

/// A header as programs write it that stream.
fn streaming(tag: u16, bits: u16, rate: u32, length: u32) -> Vec<u8> {
    let bytes = u32::from(bits / 8);
    [
        &b"RIFF"[..],
        &length.wrapping_add(36).to_le_bytes(),
        b"WAVEfmt ",
        &16_u32.to_le_bytes(),
        &tag.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * bytes).to_le_bytes(),
        &(bytes as u16).to_le_bytes(),
        &bits.to_le_bytes(),
        b"data",
        &length.to_le_bytes(),
    ]
    .concat()
}

#[test]
fn files_of_every_width_are_read_and_stereo_is_mixed() {
    for bits in [8, 16, 24, 32] {
        let loud = |sixteen: i32| if bits == 8 { sixteen >> 8 } else { sixteen << (bits - 16) };
        let mono: Vec<i32> = [0, 1_024, -1_024, 25_600, -32_768].map(loud).to_vec();
        let file = by_hound(bits, 1, 8_000, &mono);
        assert_eq!(read(&file).unwrap(), [0, 1_024, -1_024, 25_600, -32_768], "{bits}");
        let stereo: Vec<i32> = [1_024, 2_048, -512, 512, 25_600, 25_600].map(loud).to_vec();
        let file = by_hound(bits, 2, 8_000, &stereo);
        assert_eq!(read(&file).unwrap(), [1_536, 0, 25_600], "{bits}");
    }
    let file = by_hound(16, 1, 44_100, &vec![500; 44_100]);
    assert_eq!(read(&file).unwrap().len(), 8_000);
}

#[test]
fn mulaw_is_read_as_it_is() {
    let mut file = streaming(7, 8, 8_000, 4);
    file.extend([0xFF, 0x80, 0x00, 0x12]);
    file.extend(b"LIST\x04\0\0\0notes");
    assert_eq!(header(&file).unwrap().unwrap().format, Format::TELEPHONE);
    assert_eq!(read(&file).unwrap(), [0xFF, 0x80, 0x00, 0x12].map(g711::decode));
}

#[test]
fn a_length_that_nobody_knew_is_until_the_end() {
    for length in [0xFFFF_FFFF, 0x7FFF_F000] {
        let mut file = streaming(1, 16, 8_000, length);
        assert_eq!(header(&file).unwrap().unwrap().length, None, "{length:#x}");
        file.extend([1, 0, 2, 0, 3]);
        assert_eq!(read(&file).unwrap(), [1, 2], "half a sample is none");
    }
}

#[test]
fn other_chunks_are_passed_over() {
    let plain = streaming(1, 16, 8_000, 2);
    let file = [&plain[..12], b"LIST\x03\0\0\0abc\0", &plain[12..], &[7, 0]].concat();
    assert_eq!(read(&file).unwrap(), [7]);
}

#[test]
fn what_is_no_sound_is_told_apart() {
    let wrong = |file: &[u8]| read(file).unwrap_err();
    assert_eq!(wrong(b"<html><body>sorry</body></html>"), WavError::NoWav);
    assert_eq!(wrong(b""), WavError::Cut);
    assert_eq!(wrong(b"RIFF\0\0"), WavError::Cut);
    assert_eq!(wrong(&streaming(1, 16, 8_000, 9)[..30]), WavError::Cut);
    assert_eq!(wrong(b"RIFF\0\0\0\0WAVEdata\0\0\0\0"), WavError::BadHeader);
    assert_eq!(wrong(b"RIFF\0\0\0\0WAVEjunk\xFF\xFF\xFF\xFF...."), WavError::BadHeader);
    assert!(matches!(wrong(&streaming(3, 32, 8_000, 0)), WavError::Unsupported(_)));
    assert!(matches!(wrong(&streaming(1, 12, 8_000, 0)), WavError::Unsupported(_)));
    assert_eq!(wrong(&streaming(1, 16, 4, 0)), WavError::Rate(WrongRate(4)));
}

#[test]
fn a_call_is_written_in_stereo() {
    let mut file = Cursor::new(Vec::new());
    write_call(&mut file, &[1, 2, 3], &[-1]).unwrap();
    let mut reader = hound::WavReader::new(Cursor::new(file.into_inner())).unwrap();
    assert_eq!((reader.spec().channels, reader.spec().sample_rate), (2, 8_000));
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    assert_eq!(samples, [1, -1, 2, 0, 3, 0]);
}

proptest::proptest! {
    #[test]
    fn however_it_is_cut_the_same_is_read(
        samples in proptest::collection::vec(proptest::num::i16::ANY, 0..900),
        cut in 1_usize..97,
        rate in proptest::sample::select(&[8_000_u32, 22_050, 24_000][..]),
        has_header: bool,
    ) {
        let sound: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let wav = [streaming(1, 16, rate, u32::MAX), sound.clone()].concat();
        let expected = read(&wav).unwrap();
        let mut reader = Reader::raw(Format::pcm16(rate));
        let mut out = Vec::new();
        let bytes = if has_header { wav } else { [&[0, 0][..], &sound].concat() };
        for piece in bytes.chunks(cut) {
            reader.push(piece, &mut out).unwrap();
        }
        reader.finish(&mut out).unwrap();
        if has_header {
            proptest::prop_assert_eq!(out, expected);
        } else {
            let length = ((samples.len() + 1) as u64 * 8_000).div_ceil(u64::from(rate));
            proptest::prop_assert_eq!(out.len() as u64, length);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = read(&bytes);
        let _ = read(&[b"RIFF\0\0\0\0WAVE", &bytes[..]].concat());
        let _ = read(&[b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", &bytes[..]].concat());
        let mut out = Vec::new();
        let _ = Reader::raw(Format::pcm16(24_000)).push(&bytes, &mut out);
    }
}

#[test]
fn a_sound_of_the_telephones_is_a_wav_that_is_read_again() {
    for mulaw in [&[0x10_u8, 0x90, 0xFF][..], &[], &[0x42; 160]] {
        let file = of_telephone(mulaw);
        assert_eq!(file.len() % 2, 0);
        assert_eq!(u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize, file.len() - 8);
        let (mut reader, mut samples) = (Reader::wav(), Vec::new());
        reader.push(&file, &mut samples).unwrap();
        reader.finish(&mut samples).unwrap();
        let expected: Vec<i16> = mulaw.iter().map(|byte| g711::decode(*byte)).collect();
        assert_eq!(samples, expected);
    }
}
