//! Answers of models, read without the network they come over: for `fuzz/`.

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, stream};

use super::{
    ChatEvent, ModelError, embeddings, errors,
    http::{Answer, events},
    wire::Wire,
};

/// The formats of answers.
const FORMATS: [Wire; 3] = [Wire::ChatCompletions, Wire::Responses, Wire::Messages];

/// What a stream of events comes to that arrives in such pieces, in one of three formats.
pub fn stream(format: usize, pieces: Vec<Vec<u8>>) -> Vec<Result<ChatEvent, ModelError>> {
    let pieces = stream::iter(pieces.into_iter().map(|piece| Ok(Bytes::from(piece))));
    let answer = Answer::arriving(pieces, FORMATS[format % FORMATS.len()], false);
    // Nothing is waited for: all of it is here.
    events(answer).collect().now_or_never().unwrap_or_default()
}

/// What a refusal comes to, and the field that it is about.
pub fn refusal(format: usize, status: u16, body: &str) -> (ModelError, Option<String>) {
    let refused = errors::refused(FORMATS[format % FORMATS.len()], status, None, body);
    (errors::presentable(refused, None), errors::refused_field(status, body))
}

/// The vectors of so many texts.
pub fn vectors(body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>, ModelError> {
    embeddings::read(body, texts).map(|embedded| embedded.vectors)
}
