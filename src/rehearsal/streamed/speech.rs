//! What a caller says over a `<Stream>`, cut into frames and coded once, however often it is said.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::playback::is_voiced;
use crate::audio::{FRAME, g711};

/// Some speech, ready to be sent. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Speech {
    frames: Arc<[Frame]>,
    /// The first frame and the last one in which something can be heard.
    voiced: Option<(usize, usize)>,
}

#[derive(Debug)]
pub(super) struct Frame {
    /// μ-law, for the recording.
    pub(super) sound: [u8; FRAME],
    /// The same in base64.
    pub(super) payload: String,
}

impl Frame {
    fn of(sound: &[u8]) -> Self {
        let mut frame = [g711::SILENCE; FRAME];
        frame[..sound.len()].copy_from_slice(sound);
        Self { payload: STANDARD.encode(frame), sound: frame }
    }

    /// Twenty milliseconds of nothing.
    pub(super) fn silence() -> Self {
        Self::of(&[])
    }
}

impl Speech {
    /// Cuts μ-law into frames; the last one is filled up with silence.
    pub fn new(sound: &[u8]) -> Self {
        let frames: Arc<[Frame]> = sound.chunks(FRAME).map(Frame::of).collect();
        let voiced = |frame: &Frame| frame.sound.iter().any(|byte| is_voiced(*byte));
        let first = frames.iter().position(voiced);
        let last = frames.iter().rposition(voiced);
        Self { frames, voiced: first.zip(last) }
    }

    pub(super) fn frame(&self, at: usize) -> Option<&Frame> {
        self.frames.get(at)
    }

    pub(super) fn begins_to_be_heard(&self, at: usize) -> bool {
        self.voiced.is_some_and(|(first, _)| first == at)
    }

    /// Whether the caller has finished with this frame. Who says nothing has finished at once.
    pub(super) fn is_over(&self, at: usize) -> bool {
        self.voiced.map_or(at == 0, |(_, last)| last == at)
    }
}

impl From<&[u8]> for Speech {
    fn from(sound: &[u8]) -> Self {
        Self::new(sound)
    }
}

impl From<&Vec<u8>> for Speech {
    fn from(sound: &Vec<u8>) -> Self {
        Self::new(sound)
    }
}

impl From<&Self> for Speech {
    fn from(speech: &Self) -> Self {
        speech.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speech_is_cut_into_frames_and_its_silences_are_known() {
        let mut sound = vec![g711::SILENCE; 400];
        sound.extend([0x80; 100]);
        sound.extend([g711::SILENCE; 350]);
        let speech = Speech::new(&sound);
        assert_eq!(speech.frames.len(), 6, "850 bytes");
        assert_eq!(speech.voiced, Some((2, 3)));
        assert!(speech.begins_to_be_heard(2) && speech.is_over(3) && !speech.is_over(2));
        let last = speech.frame(5).unwrap();
        assert_eq!((last.sound.len(), last.payload.len()), (FRAME, 216));
        assert!(Speech::new(&[g711::SILENCE; 320]).is_over(0), "nothing can be heard of it");
        assert!(Speech::new(&[]).frame(0).is_none());
    }
}
