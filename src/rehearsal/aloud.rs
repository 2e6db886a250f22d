//! A call in sound, for people to follow: what was understood and said is read back from the store,
//! and both sides are kept as a WAV file.

use std::{
    fs::File,
    io::BufWriter,
    path::Path,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::TryStreamExt;

use super::{State, streamed::StreamedCall};
use crate::{
    audio::{RATE, wav},
    domain::{Actor, Error, Heard, LanguageTag, Next, Result, Turn},
    operations::calls,
    providers::{
        speech::SpeechError,
        tts::{SpeechRequest, TextToSpeech},
    },
    store::Store,
};

/// Between two looks at the store.
const LOOK: Duration = Duration::from_millis(50);

/// A turn that has not begun by then does not begin: nothing was understood.
const BEGINS: Duration = Duration::from_secs(1);

/// What is said has been heard out by then.
const SETTLES: Duration = Duration::from_secs(20);

/// A call that is to end has ended by then.
const ENDS: Duration = Duration::from_secs(5);

/// The turns of a call, each told once.
pub struct Transcript {
    store: Store,
    told: usize,
}

impl Transcript {
    /// Of calls in a store.
    pub fn new(store: Store) -> Self {
        Self { store, told: 0 }
    }

    /// The turns since the last look, heard out; and where the last of them ends the call, its end.
    pub async fn rest(&mut self, call: &mut StreamedCall<'_>) -> Result<Vec<Turn>> {
        let begun = Instant::now();
        let turns = loop {
            let (_, turns) = calls::show(&self.store, &Actor::webox("rehearsal"), call.sid())?;
            let new = turns.len() > self.told;
            let settled = new && turns.last().is_some_and(was_heard_out);
            let patience = if new { SETTLES } else { BEGINS };
            if settled || begun.elapsed() > patience {
                break turns;
            }
            pass(call, LOOK).await?;
        };
        let parts = turns
            .last()
            .is_some_and(|turn| matches!(turn.next, Some(Next::HangUp | Next::Transfer(_))));
        let begun = Instant::now();
        while parts && *call.state() == State::Listening && begun.elapsed() < ENDS {
            pass(call, LOOK).await?;
        }
        let new = turns.get(self.told..).unwrap_or_default().to_vec();
        self.told = turns.len();
        Ok(new)
    }
}

/// What came of a reply is noted once the caller has heard it, or talked over it.
fn was_heard_out(turn: &Turn) -> bool {
    turn.said.as_deref().is_some_and(|said| !said.is_empty()) || turn.unheard.is_some()
}

/// Time passes for both sides of a call; without a stream, for nobody in particular.
async fn pass(call: &mut StreamedCall<'_>, time: Duration) -> Result<()> {
    if call.is_streaming() {
        return call.wait(time).await;
    }
    tokio::time::sleep(time).await;
    Ok(())
}

/// What was understood, in words for people.
pub fn understood(heard: &Heard) -> String {
    match heard {
        Heard::Speech { text, .. } => text.clone(),
        Heard::Digits(keys) => format!("(keys {keys})"),
        Heard::Silence => "(silence)".to_owned(),
    }
}

/// Some words as a mouth speaks them: μ-law at 8 kHz.
pub async fn speak(
    mouth: &dyn TextToSpeech,
    words: &str,
    language: &LanguageTag,
    voice: Option<&str>,
) -> Result<Vec<u8>, SpeechError> {
    let request = SpeechRequest {
        text: words.to_owned(),
        language: language.clone(),
        voice: voice.map(str::to_owned),
    };
    let pieces: Vec<Bytes> = mouth.speak(request).try_collect().await?;
    Ok(pieces.concat())
}

/// Writes both sides of a call as a WAV file, the caller on the left; answers how long it is.
pub fn keep(path: &Path, (caller, assistant): (&[i16], &[i16])) -> Result<Duration> {
    let unwritten = || Error::failure(format!("{} could not be written", path.display()));
    let file = File::create(path).map_err(|error| unwritten().because(error))?;
    wav::write_call(BufWriter::new(file), caller, assistant)
        .map_err(|error| unwritten().because(error))?;
    let samples = caller.len().max(assistant.len());
    Ok(Duration::from_secs_f64(samples as f64 / f64::from(RATE)))
}
