//! Mouths asked one after the other, until one speaks.
//!
//! Up to the first sound a failure is made good by the next mouth. Afterwards the caller has heard
//! the beginning, so the sound ends with the error. Whatever a mouth sends is looked at here, once:
//! an error page played to a caller is worse than a pause.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};

use super::{
    AudioStream, SpeechRequest, TextToSpeech,
    errors::{broken, late},
    http,
};
use crate::{
    audio::{RATE, g711},
    domain::Outcome,
    providers::{breaker::Breakers, speech::SpeechError},
};

/// The first sound of the slowest mouth: its own deadlines are shorter.
const BACKSTOP: Duration = Duration::from_secs(6);

/// Bytes without which nothing was said: a twentieth of a second.
const SOMETHING: usize = RATE as usize / 20;

/// Milliseconds of sound that any text may take at most, besides those for its characters: a pause
/// before and after it, a breath.
const PAUSES: usize = 3_000;

/// Milliseconds of sound that a small letter or a blank may take at most, three times what the slowest
/// voices need, and any other character: figures, what is spelled, signs that are read out by their
/// names, characters that are whole syllables.
const SLOWEST: (usize, usize) = (200, 1_000);

/// Milliseconds for each letter below which a text cannot have been spoken: three times as fast as
/// the fastest voices.
const SHORTEST: usize = 10;

/// How loud a sample of a voice is at least; noise of a line stays below.
const LOUD: i16 = 100;

/// One that was asked in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTry {
    /// The provider's word.
    pub provider: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long that took; nothing when its breaker is open and it was not asked.
    pub after: Duration,
    /// A word for the log; never spoken.
    pub detail: String,
}

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// The provider's word.
    pub provider: String,
    /// Its voice.
    pub voice: String,
    /// From asking it to its first sound.
    pub first_byte: Duration,
    /// Those asked before it.
    pub failed: Vec<FailedTry>,
}

/// Somebody speaks.
pub struct Speaking {
    /// Who.
    pub speaker: Speaker,
    /// All the sound, from the first byte. Dropping it ends the request.
    pub sound: AudioStream,
}

impl std::fmt::Debug for Speaking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Speaking").field("speaker", &self.speaker).finish_non_exhaustive()
    }
}

/// Nobody could speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nobody could speak: {}", told(.0))]
pub struct Unspoken(
    /// All that were asked, in order.
    pub Vec<FailedTry>,
);

fn told(failed: &[FailedTry]) -> String {
    let told =
        |one: &FailedTry| format!("{} {} ({})", one.provider, one.outcome.as_str(), one.detail);
    failed.iter().map(told).collect::<Vec<_>>().join(", ")
}

/// Lets the first of some mouths speak that can. Dropping the future ends what was asked.
pub async fn speak_through(
    chain: &[Arc<dyn TextToSpeech>],
    breakers: &Breakers,
    request: &SpeechRequest,
) -> Result<Speaking, Unspoken> {
    let mut failed = Vec::new();
    for mouth in chain {
        let (provider, started) = (mouth.id().to_owned(), Instant::now());
        let breaker = format!("tts/{provider}");
        if !breakers.allows(&breaker) {
            failed.push(FailedTry {
                provider,
                outcome: Outcome::Unreachable,
                after: Duration::ZERO,
                detail: "not asked: it failed a few times just now".to_owned(),
            });
            continue;
        }
        let begun = begin(mouth.speak(request.clone()), Check::of(&request.text));
        let begun = tokio::time::timeout(BACKSTOP, begun)
            .await
            .unwrap_or_else(|_| Err(late("no sound came in time")));
        match begun {
            Ok(begun) => {
                let voice = mouth.voice_for(request);
                let report = Report { breakers: breakers.clone(), breaker, told: false };
                let first_byte = started.elapsed();
                let speaker = Speaker { provider, voice, first_byte, failed };
                return Ok(Speaking { speaker, sound: rest(begun, report) });
            }
            Err(SpeechError { outcome, detail, .. }) => {
                breakers.failed(&breaker, &outcome);
                let after = started.elapsed();
                failed.push(FailedTry { provider, outcome, after, detail });
            }
        }
    }
    Err(Unspoken(failed))
}

/// Sound that has begun.
struct Begun {
    ready: VecDeque<Bytes>,
    sound: AudioStream,
    check: Check,
    over: bool,
}

/// Waits until something was certainly said.
async fn begin(mut sound: AudioStream, mut check: Check) -> Result<Begun, SpeechError> {
    let mut ready = VecDeque::new();
    while check.bytes < SOMETHING {
        match sound.next().await {
            Some(piece) => {
                let piece = piece?;
                check.piece(&piece)?;
                ready.push_back(piece);
                Check::beginning(&ready)?;
            }
            None if check.bytes == 0 => {
                return Err(SpeechError::new(Outcome::Unusable, "the answer is empty"));
            }
            None => {
                check.end()?;
                return Ok(Begun { ready, sound, check, over: true });
            }
        }
    }
    Ok(Begun { ready, sound, check, over: false })
}

fn rest(begun: Begun, report: Report) -> AudioStream {
    Box::pin(stream::try_unfold((begun, report), |(mut begun, mut report)| async move {
        if let Some(piece) = begun.ready.pop_front() {
            return Ok(Some((piece, (begun, report))));
        }
        if begun.over {
            return Ok(None);
        }
        let next = match begun.sound.next().await {
            Some(Ok(piece)) => begun.check.piece(&piece).map(|()| Some(piece)),
            Some(Err(error)) => Err(error),
            None => begun.check.end().map(|()| None),
        };
        match next {
            Ok(piece) => Ok(piece.map(|piece| (piece, (begun, report)))),
            Err(error) => {
                report.failed(&error);
                Err(error)
            }
        }
    }))
}

/// Tells the breaker how it ended. A caller who talks over a voice has heard that it works.
struct Report {
    breakers: Breakers,
    breaker: String,
    told: bool,
}

impl Report {
    fn failed(&mut self, error: &SpeechError) {
        self.told = true;
        self.breakers.failed(&self.breaker, &error.outcome);
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.told {
            self.breakers.succeeded(&self.breaker);
        }
    }
}

/// What a text sounds like, roughly.
struct Check {
    /// Milliseconds that it may take at most.
    most: usize,
    letters: usize,
    bytes: usize,
    loud: bool,
}

impl Check {
    fn of(text: &str) -> Self {
        let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
        let slowest = |c: char| {
            if c.is_lowercase() || c.is_whitespace() { SLOWEST.0 } else { SLOWEST.1 }
        };
        let most = PAUSES + text.chars().map(slowest).sum::<usize>();
        Self { most, letters, bytes: 0, loud: false }
    }

    fn piece(&mut self, piece: &[u8]) -> Result<(), SpeechError> {
        self.bytes += piece.len();
        self.loud |= piece.iter().any(|byte| g711::decode(*byte).unsigned_abs() > LOUD as u16);
        if milliseconds(self.bytes) > self.most {
            return Err(SpeechError::new(
                Outcome::Unusable,
                "the sound is far too long for the text",
            ));
        }
        Ok(())
    }

    /// An answer that nobody looked at before, or that has a header still.
    fn beginning(pieces: &VecDeque<Bytes>) -> Result<(), SpeechError> {
        let start: Vec<u8> = pieces.iter().flatten().take(64).copied().collect();
        if http::is_document(&start) || start.starts_with(b"RIFF") {
            return Err(SpeechError::new(Outcome::Unusable, "a document came instead of sound"));
        }
        Ok(())
    }

    fn end(&self) -> Result<(), SpeechError> {
        if milliseconds(self.bytes) < SHORTEST * self.letters {
            return Err(broken("the sound ended long before the text"));
        }
        if self.letters > 0 && !self.loud {
            // The matter of a voice that does not know the language.
            return Err(SpeechError::new(Outcome::Declined, "the sound is nothing but silence"));
        }
        Ok(())
    }
}

const fn milliseconds(bytes: usize) -> usize {
    bytes / (RATE as usize / 1_000)
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
