//! Who speaks and who listens for an assistant, where that is ours to say.

use std::{pin::Pin, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

use super::{fixed, meter::Meter};
use crate::{
    domain::{
        AssistantSpec, Call, EarProvider, LanguageTag, Outcome, SoundFigures, Use, Voice,
        VoiceProvider,
    },
    providers::{
        breaker::{BreakerState, Breakers},
        speech::SpeechError,
        stt::{EarRecord, Ears, Gate, ListenRequest, Listening, ListeningChain, SpeechToText},
        tts::{
            AudioStream, Keep, Mouths, SoundName, Sounds, Speaking, SpeechRequest, TextToSpeech,
            Unspoken, VoiceInfo, speak_through,
        },
    },
};

/// Who spoke what was not spoken now.
const CACHE: &str = "cache";

/// All mouths and ears of a daemon.
#[derive(Clone)]
pub struct Voices {
    mouths: Mouths,
    ears: Ears,
    breakers: Breakers,
    sounds: Option<Sounds>,
}

impl Voices {
    /// With breakers that others share.
    pub fn new(mouths: Mouths, ears: Ears, breakers: Breakers) -> Self {
        Self { mouths, ears, breakers, sounds: None }
    }

    /// With sounds that are kept.
    #[must_use]
    pub fn keeping(self, sounds: Sounds) -> Self {
        Self { sounds: Some(sounds), ..self }
    }

    /// The breakers of all that have ever failed.
    pub fn breakers(&self) -> Vec<BreakerState> {
        self.breakers.states()
    }

    /// What sounds that are kept have spared.
    pub fn figures(&self) -> Option<SoundFigures> {
        self.sounds.as_ref().map(Sounds::figures)
    }

    pub(super) fn sounds(&self) -> Option<&Sounds> {
        self.sounds.as_ref()
    }

    /// Whether anybody can be asked to speak, and anybody to listen, for an assistant; otherwise what
    /// is missing.
    pub fn check(&self, spec: &AssistantSpec) -> Result<(), SpeechError> {
        self.mouth(spec, "")?;
        let ears = spec.hearing.provider.iter().chain(&spec.hearing.fallbacks);
        let mut missing = None;
        for provider in ears {
            match self.ear(*provider, None) {
                Ok(_) => return Ok(()),
                Err(error) => missing = missing.or(Some(error)),
            }
        }
        missing.map_or(Ok(()), Err)
    }

    /// Who speaks for an assistant: its provider, then those that stand in for it. One that cannot
    /// be asked at all, for want of a key, is left out.
    /// `listener` is whoever is told something.
    pub(super) fn mouth(&self, spec: &AssistantSpec, listener: &str) -> Result<Mouth, SpeechError> {
        let mut missing = None;
        let mut chain: Vec<Arc<dyn TextToSpeech>> = Vec::new();
        for provider in std::iter::once(spec.voice.provider).chain(spec.voice.fallbacks.clone()) {
            match self.mouths.find(provider, None) {
                // The file's voice is its first provider's.
                Ok(mouth) if chain.is_empty() && provider == spec.voice.provider => {
                    chain.push(mouth);
                }
                Ok(mouth) => chain.push(Arc::new(UsualVoice(mouth))),
                Err(error) => {
                    tracing::warn!(provider = provider.as_str(), %error, "a mouth cannot be asked");
                    missing.get_or_insert(error);
                }
            }
        }
        match missing {
            Some(error) if chain.is_empty() => Err(error),
            _ => Ok(Mouth {
                chain: chain.into(),
                breakers: self.breakers.clone(),
                first: spec.voice.provider,
                voice: Arc::new(spec.voice.clone()),
                greeting: fixed::greetings(spec).into_iter().map(|(_, text)| text).collect(),
                listener: self.sounds.as_ref().map_or(0, |sounds| sounds.listener(listener)),
                sounds: self.sounds.clone(),
                meter: Meter::default(),
            }),
        }
    }

    /// Listens to a call of an assistant.
    pub(super) fn listen(
        &self,
        spec: &AssistantSpec,
        request: ListenRequest,
    ) -> (Listening, EarRecord) {
        let mut ears: Vec<Arc<dyn SpeechToText>> = Vec::new();
        let hearing = &spec.hearing;
        let first = hearing.provider.map(|provider| (provider, hearing.model.as_deref()));
        let others = hearing.fallbacks.iter().map(|provider| (*provider, None));
        for (provider, model) in first.into_iter().chain(others) {
            match self.ear(provider, model) {
                Ok(ear) => ears.push(ear),
                Err(error) => {
                    tracing::warn!(provider = provider.as_str(), %error, "an ear cannot be asked");
                }
            }
        }
        let gate = Arc::new(Breaking(self.breakers.clone()));
        ListeningChain::new(ears, gate).listen(request)
    }

    /// Whether each ear of an assistant hears all of its languages, whichever is spoken.
    pub(super) fn hears_together(&self, spec: &AssistantSpec) -> bool {
        let (spoken, hearing) = (spec.voice.spoken(), &spec.hearing);
        let first = hearing.provider.map(|provider| (provider, hearing.model.as_deref()));
        let others = hearing.fallbacks.iter().map(|provider| (*provider, None));
        let mut ears = first.into_iter().chain(others);
        ears.all(|(provider, model)| {
            self.ear(provider, model).is_ok_and(|ear| ear.hears_together(&spoken))
        })
    }

    fn ear(
        &self,
        provider: EarProvider,
        model: Option<&str>,
    ) -> Result<Arc<dyn SpeechToText>, SpeechError> {
        self.ears.find(provider, model, None)
    }
}

/// Breakers, as ears ask them.
struct Breaking(Breakers);

impl Gate for Breaking {
    fn allows(&self, id: &str) -> bool {
        self.0.allows(id)
    }

    fn report(&self, id: &str, outcome: Result<(), Outcome>) {
        match outcome {
            Ok(()) => self.0.succeeded(id),
            Err(outcome) => self.0.failed(id, &outcome),
        }
    }
}

/// What speaks for one assistant.
#[derive(Clone)]
pub(super) struct Mouth {
    chain: Arc<[Arc<dyn TextToSpeech>]>,
    breakers: Breakers,
    first: VoiceProvider,
    voice: Arc<Voice>,
    greeting: Arc<[String]>,
    listener: u64,
    sounds: Option<Sounds>,
    meter: Meter,
}

impl std::fmt::Debug for Mouth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mouth").field("first", &self.first).finish_non_exhaustive()
    }
}

/// Sound that is being spoken.
pub(super) struct Spoken {
    /// The provider's word.
    pub(super) by: String,
    /// The sound.
    pub(super) sound: Pin<Box<dyn Stream<Item = Result<Bytes, SpeechError>> + Send>>,
}

impl Mouth {
    /// Speaks a sentence; answers when the first sound is there. What was spoken before and kept
    /// needs no provider.
    pub(super) async fn speak(
        &self,
        text: &str,
        language: &LanguageTag,
    ) -> Result<Spoken, Unspoken> {
        let request = self.request(text, language);
        if let (Some(sounds), Some(name)) = (&self.sounds, self.name(&request)) {
            let found = sounds.find(name, text.chars().count()).await;
            tracing::debug!(found = found.is_some(), "looked for a sound that is kept");
            if let Some(sound) = found {
                return Ok(kept(sound));
            }
        }
        match speak_through(&self.chain, &self.breakers, &request).await {
            Ok(speaking) => {
                self.meter.spoke(&speaking, text);
                Ok(self.keeping(&request, speaking))
            }
            Err(unspoken) => match self.stand_in(request).await {
                Some(sound) => Ok(kept(sound)),
                None => Err(unspoken),
            },
        }
    }

    /// Speaks several, one after the other in one sound; two are asked for at a time.
    pub(super) async fn speak_whole(
        &self,
        sentences: Vec<String>,
        language: &LanguageTag,
    ) -> Result<Bytes, String> {
        let spoken = stream::iter(sentences).map(|sentence| async move {
            let spoken = self.speak(&sentence, language).await;
            let sound = spoken.map_err(|error| error.to_string())?.sound;
            let pieces: Result<Vec<Bytes>, SpeechError> = sound.try_collect().await;
            pieces.map(|pieces| pieces.concat()).map_err(|error| error.to_string())
        });
        let sounds: Vec<Vec<u8>> = spoken.buffered(2).try_collect().await?;
        Ok(sounds.concat().into())
    }

    /// Speaks a sentence that is not kept, so that it is; says whether it had to. Only the provider
    /// that the file names is asked.
    pub(super) async fn warm(&self, text: &str, language: &LanguageTag) -> Result<bool, String> {
        let request = self.request(text, language);
        let (Some(sounds), Some(name)) = (&self.sounds, self.name(&request)) else {
            return Ok(false);
        };
        if sounds.holds(name) {
            return Ok(false);
        }
        let first = &self.chain[..1];
        let speaking = speak_through(first, &self.breakers, &request).await;
        let speaking = speaking.map_err(|error| error.to_string())?;
        self.meter.spoke(&speaking, text);
        let pieces: Result<Vec<Bytes>, SpeechError> = speaking.sound.try_collect().await;
        let sound: Bytes = pieces.map_err(|error| error.to_string())?.concat().into();
        let sounds = sounds.clone();
        let written = tokio::task::spawn_blocking(move || sounds.keep(name, &sound)).await;
        written.map(|()| true).map_err(|error| error.to_string())
    }

    /// The names of sentences that are all kept.
    pub(super) fn held(
        &self,
        sentences: &[String],
        language: &LanguageTag,
    ) -> Option<Vec<SoundName>> {
        let sounds = self.sounds.as_ref()?;
        let named = |text: &String| {
            self.name(&self.request(text, language)).filter(|name| sounds.holds(*name))
        };
        sentences.iter().map(named).collect()
    }

    /// What was used of speech since the last time that this was asked, by this mouth and its clones.
    pub(super) fn used(&self) -> Vec<Use> {
        self.meter.take()
    }

    /// Whether the provider speaks that the file names, and nobody instead of it.
    pub(super) fn is_as_asked(&self) -> bool {
        self.chain.first().is_some_and(|mouth| mouth.id() == self.first.as_str())
    }

    fn request(&self, text: &str, language: &LanguageTag) -> SpeechRequest {
        // These have voices that speak every language; those of the others speak their own.
        let every = matches!(self.first, VoiceProvider::Elevenlabs | VoiceProvider::Openai);
        let named = self.voice.voice_in(language);
        let named = named.or(self.voice.voice_id.as_deref().filter(|_| every));
        SpeechRequest {
            text: text.to_owned(),
            language: language.clone(),
            voice: named.map(str::to_owned),
        }
    }

    /// What the sound of the first provider is kept under.
    fn name(&self, request: &SpeechRequest) -> Option<SoundName> {
        self.chain.first().and_then(|mouth| self.name_by(mouth.as_ref(), request))
    }

    fn name_by(&self, mouth: &dyn TextToSpeech, request: &SpeechRequest) -> Option<SoundName> {
        let voice = mouth.voice_for(request);
        let sounds = self.sounds.as_ref()?;
        Some(sounds.name(mouth.id(), &voice, &request.language, &request.text))
    }

    /// The sound, kept at its end if it is worth that.
    fn keeping(&self, request: &SpeechRequest, speaking: Speaking) -> Spoken {
        let Speaking { speaker, sound } = speaking;
        let by = speaker.provider;
        let Some(sounds) = &self.sounds else { return Spoken { by, sound } };
        let name = sounds.name(&by, &speaker.voice, &request.language, &request.text);
        let keep = if fixed::is_said_to_everybody(&request.text, &self.greeting) {
            Keep::Always
        } else {
            Keep::IfCommon
        };
        let sound = if sounds.wants(name, &request.text, keep, self.listener) {
            sounds.keeping(name, sound)
        } else {
            sound
        };
        Spoken { by, sound }
    }

    /// Nobody can speak: what another of them once said.
    async fn stand_in(&self, request: SpeechRequest) -> Option<Bytes> {
        let sounds = self.sounds.as_ref()?;
        for mouth in self.chain.iter().skip(1) {
            let name = self.name_by(mouth.as_ref(), &request)?;
            if sounds.holds(name)
                && let Some(sound) = sounds.find(name, request.text.chars().count()).await
            {
                return Some(sound);
            }
        }
        None
    }
}

fn kept(sound: Bytes) -> Spoken {
    Spoken { by: CACHE.to_owned(), sound: Box::pin(stream::iter([Ok(sound)])) }
}

/// Whoever is told something in a call: the caller where there is a number, else the call.
pub(super) fn listener(call: &Call) -> String {
    call.caller.clone().unwrap_or_else(|| call.sid.to_string())
}

/// A mouth that does not know the file's voice, which is another provider's.
struct UsualVoice(Arc<dyn TextToSpeech>);

impl UsualVoice {
    fn usual(request: &SpeechRequest) -> SpeechRequest {
        SpeechRequest { voice: None, ..request.clone() }
    }
}

impl TextToSpeech for UsualVoice {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn voice_for(&self, request: &SpeechRequest) -> String {
        self.0.voice_for(&Self::usual(request))
    }

    fn speak(&self, request: SpeechRequest) -> AudioStream {
        self.0.speak(Self::usual(&request))
    }

    fn voices(
        &self,
        language: Option<LanguageTag>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<VoiceInfo>, SpeechError>> + Send + '_>> {
        self.0.voices(language)
    }
}
