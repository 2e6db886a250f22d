//! A reply's sentences, spoken one after the other while the next words are still being thought.

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Duration, Instant},
};

use crate::{
    domain::{LanguageTag, Outcome},
    line::voices::Mouth,
};

/// Pieces of sound that are ready and not sent: a mouth that is quicker than the socket waits.
const READY: usize = 32;

/// What comes of a reply's sentences, in order.
#[derive(Debug)]
pub(super) enum Sounded {
    /// A sentence begins.
    Begin {
        /// Its words; none of what is no part of the reply.
        text: String,
        /// Who speaks: the provider's word, or `cache`.
        mouth: String,
    },
    /// Some of its sound.
    Sound(Bytes),
    /// It is over.
    End,
    /// It could not be spoken, by nobody.
    Unspoken,
    /// What was sent of it is no speech: the caller is to hear no more of it.
    Noise,
}

struct Sentence {
    text: String,
    language: LanguageTag,
    aside: bool,
}

/// Speaks one reply. Dropping it ends what is being spoken.
#[derive(Debug)]
pub(super) struct Voicing {
    sentences: Option<mpsc::UnboundedSender<Sentence>>,
    sounds: mpsc::Receiver<Sounded>,
    task: JoinHandle<()>,
    language: LanguageTag,
    /// When the first sentence was given, if it was.
    pub(super) begun: Option<Instant>,
}

impl Drop for Voicing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Voicing {
    pub(super) fn new(mouth: Mouth, language: LanguageTag) -> Self {
        let (sentences, said) = mpsc::unbounded_channel();
        let (ready, sounds) = mpsc::channel(READY);
        let task = tokio::spawn(tracing::Instrument::in_current_span(speak(mouth, said, ready)));
        Self { sentences: Some(sentences), sounds, task, language, begun: None }
    }

    /// Another sentence.
    pub(super) fn say(&mut self, text: String) {
        self.begun.get_or_insert_with(Instant::now);
        self.give(text, false);
    }

    /// Something that is no part of the reply.
    pub(super) fn say_aside(&mut self, text: String) {
        self.give(text, true);
    }

    /// The sentences from here on are in another language.
    pub(super) fn turn_to(&mut self, language: &LanguageTag) {
        self.language.clone_from(language);
    }

    fn give(&mut self, text: String, aside: bool) {
        let sentence = Sentence { text, language: self.language.clone(), aside };
        if let Some(sentences) = &self.sentences {
            // Its task ends only with it.
            let _ = sentences.send(sentence);
        }
    }

    /// That was the last one.
    pub(super) fn end(&mut self) {
        self.sentences = None;
    }

    /// What comes next; nothing when everything was spoken. Nothing is lost when this is dropped
    /// while it waits.
    pub(super) async fn next(&mut self) -> Option<Sounded> {
        self.sounds.recv().await
    }
}

async fn speak(
    mouth: Mouth,
    mut said: mpsc::UnboundedReceiver<Sentence>,
    ready: mpsc::Sender<Sounded>,
) {
    while let Some(sentence) = said.recv().await {
        if speak_one(&mouth, sentence, &ready).await.is_none() {
            return;
        }
    }
}

/// Speaks a sentence; nothing when nobody listens any more.
async fn speak_one(mouth: &Mouth, sentence: Sentence, ready: &mpsc::Sender<Sounded>) -> Option<()> {
    let Sentence { text, language, aside } = sentence;
    let begun = Instant::now();
    let mut spoken = match mouth.speak(&text, &language).await {
        Ok(spoken) => spoken,
        Err(error) => {
            tracing::error!(%error, "a sentence could not be spoken");
            return ready.send(Sounded::Unspoken).await.ok();
        }
    };
    tracing::debug!(mouth = spoken.by, after_ms = millis(begun.elapsed()), "a sentence is spoken");
    let text = if aside { String::new() } else { text };
    ready.send(Sounded::Begin { text, mouth: spoken.by.clone() }).await.ok()?;
    while let Some(sound) = spoken.sound.next().await {
        match sound {
            Ok(sound) => ready.send(Sounded::Sound(sound)).await.ok()?,
            Err(error) if error.outcome == Outcome::Unusable => {
                tracing::error!(mouth = spoken.by, %error, "a sentence is no speech: cut off");
                return ready.send(Sounded::Noise).await.ok();
            }
            Err(error) => {
                // The beginning was heard: the rest is missed, the next sentence may fare better.
                tracing::warn!(mouth = spoken.by, %error, "a sentence broke off");
                break;
            }
        }
    }
    ready.send(Sounded::End).await.ok()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
