//! OpenAI's speech, and that of every server that speaks as OpenAI does.
//!
//! It knows no μ-law: `pcm` is 24 kHz, 16 bits, without a header (OpenAI, "Create speech"). Servers
//! of one's own that send a WAV all the same are understood by its header.

use std::pin::Pin;

use serde_json::json;

use super::{
    AudioStream, SpeechRequest, TextToSpeech, VoiceInfo,
    http::{self, Http},
};
use crate::{
    audio::wav::{Format, Reader},
    domain::{LanguageTag, Secret},
    providers::speech::SpeechError,
};

/// OpenAI itself.
const BASE: &str = "https://api.openai.com/v1";

const MODEL: &str = "gpt-4o-mini-tts";

const VOICE: &str = "alloy";

/// The voices of OpenAI's specification (`CreateSpeechRequest`).
const VOICES: [&str; 13] = [
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse",
    "marin", "cedar",
];

/// Samples in a second of `pcm`.
const PCM_RATE: u32 = 24_000;

/// Keys and address of a server that speaks as OpenAI does.
#[derive(Debug, Clone, Default)]
pub struct OpenAiSettings {
    /// Needed for OpenAI itself; sent to a server of one's own if it is set.
    pub api_key: Option<Secret>,
    /// The server, up to and with `/v1`.
    pub base_url: Option<String>,
    /// `gpt-4o-mini-tts` otherwise.
    pub model: Option<String>,
}

#[derive(Clone)]
pub(super) struct OpenAi {
    pub(super) key: Option<Secret>,
    base: String,
    model: String,
    http: Http,
}

impl OpenAi {
    pub(super) fn new(settings: &OpenAiSettings, key: Option<Secret>, http: Http) -> Self {
        let base = settings.base_url.as_deref().unwrap_or(BASE).trim_end_matches('/').to_owned();
        let model = settings.model.clone().unwrap_or_else(|| MODEL.to_owned());
        Self { key, base, model, http }
    }

    /// Whether this is OpenAI itself, which insists on a key.
    pub(super) fn is_openais(&self) -> bool {
        self.base == BASE
    }
}

fn voice(request: &SpeechRequest) -> &str {
    request.voice.as_deref().unwrap_or(VOICE)
}

impl TextToSpeech for OpenAi {
    fn id(&self) -> &'static str {
        "openai"
    }

    fn voice_for(&self, request: &SpeechRequest) -> String {
        format!("{}/{}", self.model, voice(request))
    }

    fn speak(&self, request: SpeechRequest) -> AudioStream {
        let mouth = self.clone();
        http::spoken(self.key.clone(), async move {
            let body = json!({
                "model": mouth.model,
                "input": request.text,
                "voice": voice(&request),
                "response_format": "pcm",
            });
            let mut call = mouth.http.post(&format!("{}/audio/speech", mouth.base))?.json(&body);
            if let Some(key) = &mouth.key {
                call = call.bearer_auth(key.expose());
            }
            let sound = mouth.http.sound(call).await?;
            Ok(http::converted(sound, Reader::raw(Format::pcm16(PCM_RATE))))
        })
    }

    fn voices(
        &self,
        _language: Option<LanguageTag>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<VoiceInfo>, SpeechError>> + Send + '_>> {
        // There is no request for them, and a server of one's own has its own.
        let known: &[&str] = if self.is_openais() { &VOICES } else { &[] };
        let voice = |id: &&str| VoiceInfo {
            id: (*id).to_owned(),
            name: (*id).to_owned(),
            languages: Vec::new(),
            gender: None,
        };
        let voices = known.iter().map(voice).collect();
        Box::pin(std::future::ready(Ok(voices)))
    }
}
