//! Mouths: text to speech behind one trait, [`TextToSpeech`]. One file a vendor.
//!
//! Whatever a vendor sends, what comes out is the telephone's sound: μ-law, 8 kHz, mono, without a
//! header. A vendor that cannot send that is resampled here.

mod azure;
mod cache;
mod chain;
mod elevenlabs;
mod elevenlabs_socket;
mod errors;
mod google;
mod http;
mod local;
#[doc(hidden)]
pub mod offline;
mod openai;
mod registry;

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;

use super::speech::SpeechError;
use crate::domain::LanguageTag;

pub use azure::AzureSettings;
pub use cache::{Keep, SoundName, Sounds};
pub use chain::{FailedTry, Speaker, Speaking, Unspoken, speak_through};
pub use elevenlabs::ElevenLabsSettings;
pub use google::GoogleSettings;
pub use http::Deadlines;
pub use local::LocalSettings;
pub use openai::OpenAiSettings;
pub use registry::{MouthSettings, Mouths};

/// Some words to speak: a sentence or a few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeechRequest {
    /// The words, already speakable (no markup).
    pub text: String,
    /// In which language.
    pub language: LanguageTag,
    /// The vendor's name of the voice; its usual one for the language otherwise.
    pub voice: Option<String>,
}

/// Sound as it arrives, in pieces of any length. Dropping it cancels the request. A stream that
/// ends without an error said everything.
pub type AudioStream = Pin<Box<dyn Stream<Item = Result<Bytes, SpeechError>> + Send>>;

/// A voice that a vendor has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceInfo {
    /// What `voice.voice_id` is set to.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Languages it speaks, where the vendor says so; empty means any.
    pub languages: Vec<String>,
    /// `female`, `male`, … in the vendor's word.
    pub gender: Option<String>,
}

/// Something that speaks.
pub trait TextToSpeech: Send + Sync {
    /// The provider's word: `elevenlabs`, `google`, `azure`, `openai`, `local`.
    fn id(&self) -> &str;

    /// The voice it would use for a request: what a sound that is kept is kept under.
    fn voice_for(&self, request: &SpeechRequest) -> String;

    /// Speaks. The request is sent when the stream is first polled.
    fn speak(&self, request: SpeechRequest) -> AudioStream;

    /// The voices it has, in one language or all.
    fn voices(
        &self,
        language: Option<LanguageTag>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<VoiceInfo>, SpeechError>> + Send + '_>>;
}

/// The locale that a voice's name begins with, as Google's and Azure's do: `fr-FR-DeniseNeural`.
fn locale_of(voice: &str) -> Option<&str> {
    let mut parts = voice.splitn(3, '-');
    let (language, region, _) = (parts.next()?, parts.next()?, parts.next()?);
    let letters = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic())
    };
    let is_locale = letters(language, 2..=3) && letters(region, 2..=2);
    is_locale.then(|| &voice[..=language.len() + region.len()])
}

/// Whether a voice is for a language: for its region if both name one, else for the language.
fn speaks(voice: &VoiceInfo, language: Option<&LanguageTag>) -> bool {
    let Some(language) = language else { return true };
    voice.languages.is_empty()
        || voice.languages.iter().any(|of_voice| {
            of_voice
                .split('-')
                .next()
                .is_some_and(|primary| primary.eq_ignore_ascii_case(language.primary()))
                && (!language.as_str().contains('-')
                    || !of_voice.contains('-')
                    || of_voice.eq_ignore_ascii_case(language.as_str()))
        })
}
