//! Google Cloud Text-to-Speech over REST (Google, "Method: text.synthesize").
//!
//! The whole sound comes in one document: no streaming over REST. Asked for sentence by sentence,
//! that is soon enough.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::stream;
use google_cloud_auth::credentials::{AccessTokenCredentials, service_account};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    AudioStream, SpeechRequest, TextToSpeech, VoiceInfo, errors,
    http::{self, Http},
    locale_of, speaks,
};
use crate::{
    audio::wav,
    domain::{LanguageTag, Outcome, Secret},
    providers::speech::SpeechError,
};

const BASE: &str = "https://texttospeech.googleapis.com";

/// Keys and address of Google.
#[derive(Debug, Clone, Default)]
pub struct GoogleSettings {
    /// An API key, or the JSON of a service account's key: the latter begins with a brace.
    pub key: Option<Secret>,
    /// Another address than Google's own, without `/v1`.
    pub base_url: Option<String>,
}

/// Service accounts that were logged in, by a digest of their keys: their tokens are kept.
pub(super) type Accounts = Arc<Mutex<HashMap<[u8; 32], AccessTokenCredentials>>>;

#[derive(Clone)]
pub(super) struct Google {
    key: Secret,
    base: String,
    accounts: Accounts,
    http: Http,
}

impl Google {
    pub(super) fn new(
        settings: &GoogleSettings,
        key: Secret,
        accounts: Accounts,
        http: Http,
    ) -> Self {
        let base = settings.base_url.as_deref().unwrap_or(BASE).trim_end_matches('/').to_owned();
        Self { key, base, accounts, http }
    }

    /// Says who asks.
    async fn authorized(&self, call: RequestBuilder) -> Result<RequestBuilder, SpeechError> {
        let key = self.key.expose().trim();
        if !key.starts_with('{') {
            return Ok(call.header("x-goog-api-key", key));
        }
        let credentials = self.account(key)?;
        let wait = self.http.deadlines.first_byte;
        let token = http::within(wait, "Google's token did not come in time", async {
            credentials.access_token().await
        });
        // What the crate says of a key may quote it.
        let token = token.await?.map_err(|_| {
            SpeechError::new(Outcome::Denied, "the service account's key gives no token")
        })?;
        Ok(call.bearer_auth(token.token))
    }

    fn account(&self, key: &str) -> Result<AccessTokenCredentials, SpeechError> {
        let digest: [u8; 32] = Sha256::digest(key).into();
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = accounts.get(&digest) {
            return Ok(known.clone());
        }
        let wrong =
            |what| SpeechError::new(Outcome::Denied, format!("the service account's key {what}"));
        let json: Value = serde_json::from_str(key).map_err(|_| wrong("is no JSON"))?;
        let credentials = service_account::Builder::new(json)
            .build_access_token_credentials()
            .map_err(|_| wrong("lacks something: download it again from Google"))?;
        accounts.insert(digest, credentials.clone());
        Ok(credentials)
    }

    async fn synthesize(&self, request: &SpeechRequest) -> Result<Bytes, SpeechError> {
        let call = self.http.post(&format!("{}/v1/text:synthesize", self.base))?;
        let call = self.authorized(call).await?.json(&body(request));
        let answer = self.http.json(call, self.http.deadlines.first_byte).await?;
        let content = answer["audioContent"].as_str().unwrap_or_default();
        let file = STANDARD
            .decode(content)
            .map_err(|_| SpeechError::new(Outcome::Unusable, "the sound is no base64"))?;
        // MULAW comes with the header of a WAV (Google, "AudioEncoding").
        let samples = wav::read(&file).map_err(|wrong| errors::no_sound(&wrong))?;
        Ok(http::mulaw(&samples))
    }
}

fn body(request: &SpeechRequest) -> Value {
    let name = voice(request);
    // A voice speaks its own locale alone.
    let locale = name.and_then(locale_of).unwrap_or_else(|| request.language.as_str());
    let mut body = json!({
        "input": {"text": request.text},
        "voice": {"languageCode": locale},
        "audioConfig": {"audioEncoding": "MULAW", "sampleRateHertz": 8000},
    });
    if let Some(name) = name {
        body["voice"]["name"] = name.into();
    }
    body
}

impl TextToSpeech for Google {
    fn id(&self) -> &'static str {
        "google"
    }

    fn voice_for(&self, request: &SpeechRequest) -> String {
        voice(request).unwrap_or_else(|| request.language.as_str()).to_owned()
    }

    fn speak(&self, request: SpeechRequest) -> AudioStream {
        let mouth = self.clone();
        http::spoken(Some(self.key.clone()), async move {
            let sound = mouth.synthesize(&request).await?;
            Ok(stream::iter([Ok(sound)]))
        })
    }

    fn voices(
        &self,
        language: Option<LanguageTag>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<VoiceInfo>, SpeechError>> + Send + '_>> {
        Box::pin(async move {
            let list = async {
                let call = self.http.get(&format!("{}/v1/voices", self.base))?;
                let call = self.authorized(call).await?;
                self.http.json(call, self.http.deadlines.list).await
            };
            let list = list.await.map_err(|error| errors::presentable(error, Some(&self.key)))?;
            let voices = list["voices"].as_array().into_iter().flatten().filter_map(voice_info);
            Ok(voices.filter(|voice| speaks(voice, language.as_ref())).collect())
        })
    }
}

fn voice_info(json: &Value) -> Option<VoiceInfo> {
    let id = json["name"].as_str()?;
    let languages = json["languageCodes"].as_array().into_iter().flatten();
    Some(VoiceInfo {
        id: id.to_owned(),
        name: id.to_owned(),
        languages: languages.filter_map(|tag| Some(tag.as_str()?.to_owned())).collect(),
        gender: json["ssmlGender"].as_str().map(str::to_ascii_lowercase),
    })
}

fn voice(request: &SpeechRequest) -> Option<&str> {
    request.voice.as_deref().or_else(|| usual_voice(&request.language))
}

/// A voice of the newest kind that Google has for a locale, out of those that Twilio's typings
/// list. For other languages Google chooses itself.
fn usual_voice(language: &LanguageTag) -> Option<&'static str> {
    Some(match (language.as_str(), language.primary()) {
        ("fr-CA", _) => "fr-CA-Chirp3-HD-Aoede",
        (_, "fr") => "fr-FR-Chirp3-HD-Aoede",
        ("en-GB" | "en-IE", _) => "en-GB-Chirp3-HD-Aoede",
        ("en-AU" | "en-NZ", _) => "en-AU-Chirp3-HD-Aoede",
        ("en-IN", _) => "en-IN-Chirp3-HD-Aoede",
        (_, "en") => "en-US-Chirp3-HD-Aoede",
        ("es-MX" | "es-US" | "es-AR" | "es-CL" | "es-CO" | "es-419", _) => "es-US-Chirp3-HD-Aoede",
        (_, "es") => "es-ES-Chirp3-HD-Aoede",
        (_, "de") => "de-DE-Chirp3-HD-Aoede",
        (_, "it") => "it-IT-Chirp3-HD-Aoede",
        ("pt-BR", _) => "pt-BR-Chirp3-HD-Aoede",
        (_, "pt") => "pt-PT-Wavenet-E",
        ("nl-BE", _) => "nl-BE-Wavenet-C",
        (_, "nl") => "nl-NL-Chirp3-HD-Aoede",
        (_, "bg") => "bg-BG-Standard-B",
        (_, "ca") => "ca-ES-Standard-B",
        (_, "cs") => "cs-CZ-Wavenet-B",
        (_, "da") => "da-DK-Neural2-F",
        (_, "el") => "el-GR-Wavenet-B",
        (_, "fi") => "fi-FI-Wavenet-B",
        (_, "hi") => "hi-IN-Chirp3-HD-Aoede",
        (_, "hu") => "hu-HU-Wavenet-A",
        (_, "is") => "is-IS-Standard-B",
        (_, "ja") => "ja-JP-Chirp3-HD-Aoede",
        (_, "ko") => "ko-KR-Chirp3-HD-Aoede",
        (_, "lt") => "lt-LT-Standard-B",
        (_, "lv") => "lv-LV-Standard-B",
        (_, "nb" | "nn" | "no") => "nb-NO-Wavenet-F",
        (_, "pl") => "pl-PL-Chirp3-HD-Aoede",
        (_, "ro") => "ro-RO-Wavenet-B",
        (_, "ru") => "ru-RU-Chirp3-HD-Aoede",
        (_, "sk") => "sk-SK-Wavenet-B",
        (_, "sv") => "sv-SE-Wavenet-F",
        (_, "tr") => "tr-TR-Chirp3-HD-Aoede",
        (_, "uk") => "uk-UA-Wavenet-A",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(language: &str, voice: Option<&str>) -> Value {
        body(&SpeechRequest {
            text: "Bonjour".to_owned(),
            language: language.parse().unwrap(),
            voice: voice.map(str::to_owned),
        })["voice"]
            .clone()
    }

    #[test]
    fn a_voice_is_asked_for_in_its_own_locale() {
        let fr = json!({"languageCode": "fr-FR", "name": "fr-FR-Chirp3-HD-Aoede"});
        assert_eq!(asked("fr-LU", None), fr);
        let own = json!({"languageCode": "en-GB", "name": "en-GB-Neural2-A"});
        assert_eq!(asked("fr-FR", Some("en-GB-Neural2-A")), own);
        assert_eq!(asked("et-EE", None), json!({"languageCode": "et-EE"}));
        let gemini = json!({"languageCode": "fr-FR", "name": "Kore"});
        assert_eq!(asked("fr-FR", Some("Kore")), gemini);
    }
}
