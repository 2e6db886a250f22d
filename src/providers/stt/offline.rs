//! What ears tell, read without the network it comes over: for `fuzz/`.

use super::{Heard, deepgram, openai};
use crate::providers::speech::SpeechError;

/// What Deepgram's messages come to, a line each: of Flux, or of Nova.
pub fn deepgram(flux: bool, messages: &str) -> Result<Vec<Heard>, SpeechError> {
    deepgram::told(flux, messages)
}

/// What a transcription comes to.
pub fn transcription(body: &str) -> Result<Option<Heard>, SpeechError> {
    openai::understand(body)
}
