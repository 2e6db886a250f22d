//! Sound over webhooks: what `<Play>` plays, and Twilio fetches from us.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::timeout;

use super::{
    sentences::cut,
    voice::Line,
    voices::{Mouth, Voices},
};
use crate::{
    audio::wav,
    domain::{AssistantSpec, LanguageTag, Use},
    providers::tts::Sounds,
    twilio::twiml::{self, Say},
};

/// How long a reply may take to be spoken; then Twilio says it.
const SPOKEN_WITHIN: Duration = Duration::from_secs(3);

/// Where sounds are fetched from.
const PLACE: &str = "/api/voice/audio/";

/// A mouth whose sound is fetched.
#[derive(Clone)]
pub(super) struct Player {
    mouth: Mouth,
    sounds: Sounds,
    public_url: Arc<str>,
    now: Timestamp,
}

impl Player {
    /// Nothing when the assistant's own provider cannot be asked: Twilio speaks, in one voice all
    /// along.
    pub(super) fn new(
        voices: &Voices,
        spec: &AssistantSpec,
        listener: &str,
        public_url: &Arc<str>,
        now: Timestamp,
    ) -> Option<Self> {
        let sounds = voices.sounds()?.clone();
        let mouth = voices.mouth(spec, listener).ok()?;
        Some(Self { mouth, sounds, public_url: Arc::clone(public_url), now })
    }

    /// The address of words that are kept, every sentence of them.
    pub(super) fn held(&self, text: &str, language: &LanguageTag) -> Option<String> {
        let sentences = cut(text);
        let names = self.mouth.held(&sentences, language)?;
        let key = self.sounds.key_to_kept(&names, self.now.as_second())?;
        self.sounds.spared(sentences.len(), text.chars().count());
        Some(self.address(&key))
    }

    /// The address of words, spoken now if need be; nothing when that fails or takes too long.
    pub(super) async fn speak(&self, text: &str, language: &LanguageTag) -> Option<String> {
        if let Some(held) = self.held(text, language) {
            return Some(held);
        }
        let spoken = self.mouth.speak_whole(cut(text), language);
        match timeout(SPOKEN_WITHIN, spoken).await {
            Ok(Ok(sound)) if !sound.is_empty() => match self.sounds.key_to(sound) {
                Ok(key) => Some(self.address(&key)),
                Err(error) => {
                    tracing::error!(%error, "a sound has no address: Twilio says the reply");
                    None
                }
            },
            Ok(Ok(_)) => None,
            Ok(Err(error)) => {
                tracing::warn!(error, "a reply could not be spoken: Twilio says it");
                None
            }
            Err(_) => {
                tracing::warn!("a reply took too long to be spoken: Twilio says it");
                None
            }
        }
    }

    /// What was used of speech since the last time that this was asked.
    pub(super) fn used(&self) -> Vec<Use> {
        self.mouth.used()
    }

    fn address(&self, key: &str) -> String {
        format!("{}{PLACE}{key}", self.public_url)
    }
}

impl Line {
    /// The sound that a key is to, as a WAV file.
    pub async fn wav(&self, key: String) -> Option<Bytes> {
        let sounds = self.voices.as_ref()?.sounds()?.clone();
        let now = self.clock.now().as_second();
        let read = move || Some(wav::of_telephone(&sounds.behind(&key, now)?).into());
        tokio::task::spawn_blocking(read).await.ok().flatten()
    }

    /// TwiML that was stored, with words for its sounds if they can be fetched no more.
    pub(super) fn with_words(&self, twiml: String, say: impl FnOnce() -> Say) -> String {
        let sounds = self.voices.as_ref().and_then(Voices::sounds);
        let now = self.clock.now().as_second();
        let opens = |key: &str| sounds.is_some_and(|sounds| sounds.opens(key, now));
        let mut keys = twiml.split(PLACE).skip(1).filter_map(|rest| rest.split('<').next());
        if keys.all(opens) { twiml } else { twiml::said_instead(&twiml, &say()) }
    }
}
