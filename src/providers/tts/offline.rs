//! What mouths send, read without the network it comes over: for `fuzz/`.

use super::{
    elevenlabs_socket::{Piece, piece},
    errors,
};
use crate::providers::speech::SpeechError;

/// The sound in a message of a socket; nothing where there is none in it.
pub fn piece_of_sound(message: &str) -> Result<Option<Vec<u8>>, SpeechError> {
    Ok(match piece(message)? {
        Piece::Sound(sound) => Some(sound.to_vec()),
        Piece::Nothing | Piece::End => None,
    })
}

/// What a refusal comes to.
pub fn refusal(status: u16, body: &str) -> SpeechError {
    errors::presentable(errors::refused(status, None, body), None)
}
