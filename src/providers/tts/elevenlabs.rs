//! ElevenLabs over HTTP (ElevenLabs, "Stream speech"). By settings, over a socket instead.

use std::pin::Pin;

use serde_json::{Value, json};

use super::{
    AudioStream, SpeechRequest, TextToSpeech, VoiceInfo, elevenlabs_socket, errors,
    http::{self, Http},
    speaks,
};
use crate::{
    domain::{LanguageTag, Outcome, Secret},
    providers::speech::SpeechError,
};

const BASE: &str = "https://api.elevenlabs.io";

/// The fastest that speaks many languages.
const MODEL: &str = "eleven_flash_v2_5";

/// A voice that every account has (ElevenLabs's examples), at home in every language of the model.
const VOICE: &str = "JBFqnCBsd6RMkjVDRZzb";

/// Voices on a page of their list, at most.
const PAGE: &str = "100";

/// Pages that are read: nobody chooses among more.
const PAGES: usize = 10;

/// Key, address and model of ElevenLabs.
#[derive(Debug, Clone, Default)]
pub struct ElevenLabsSettings {
    /// The account's key.
    pub api_key: Option<Secret>,
    /// Another address than ElevenLabs's own, such as one in the EU; without `/v1`.
    pub base_url: Option<String>,
    /// `eleven_flash_v2_5` otherwise.
    pub model: Option<String>,
    /// Whether words travel over a WebSocket.
    pub socket: bool,
}

#[derive(Clone)]
pub(super) struct ElevenLabs {
    pub(super) key: Secret,
    pub(super) base: String,
    pub(super) model: String,
    pub(super) socket: bool,
    pub(super) http: Http,
}

impl ElevenLabs {
    pub(super) fn new(settings: &ElevenLabsSettings, key: Secret, http: Http) -> Self {
        Self {
            key,
            base: settings.base_url.as_deref().unwrap_or(BASE).trim_end_matches('/').to_owned(),
            model: settings.model.clone().unwrap_or_else(|| MODEL.to_owned()),
            socket: settings.socket,
            http,
        }
    }

    /// The language, where the model takes one: those before 2.5 answer with an error.
    pub(super) fn language<'a>(&self, request: &'a SpeechRequest) -> Option<&'a str> {
        let takes_one = !["_v1", "_v2"].iter().any(|end| self.model.ends_with(end));
        let primary = request.language.primary();
        (takes_one && primary.len() == 2).then_some(match primary {
            "nb" | "nn" => "no",
            other => other,
        })
    }
}

fn voice(request: &SpeechRequest) -> &str {
    request.voice.as_deref().unwrap_or(VOICE)
}

/// The voice, if it is fit to stand in a path.
pub(super) fn path_voice(request: &SpeechRequest) -> Result<&str, SpeechError> {
    let voice = voice(request);
    let fits = (1..=64).contains(&voice.len())
        && voice.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits {
        return Ok(voice);
    }
    Err(SpeechError::new(
        Outcome::BadRequest,
        "the voice is no id of ElevenLabs: letters and digits, as its list of voices shows them",
    ))
}

impl TextToSpeech for ElevenLabs {
    fn id(&self) -> &'static str {
        "elevenlabs"
    }

    fn voice_for(&self, request: &SpeechRequest) -> String {
        format!("{}/{}", self.model, voice(request))
    }

    fn speak(&self, request: SpeechRequest) -> AudioStream {
        let mouth = self.clone();
        if self.socket {
            return elevenlabs_socket::speak(mouth, request);
        }
        http::spoken(Some(self.key.clone()), async move {
            let url = format!("{}/v1/text-to-speech/{}/stream", mouth.base, path_voice(&request)?);
            let mut body = json!({"text": request.text, "model_id": mouth.model});
            if let Some(language) = mouth.language(&request) {
                body["language_code"] = language.into();
            }
            let call = mouth
                .http
                .post(&format!("{url}?output_format=ulaw_8000"))?
                .header("xi-api-key", mouth.key.expose())
                .json(&body);
            mouth.http.sound(call).await
        })
    }

    fn voices(
        &self,
        language: Option<LanguageTag>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<VoiceInfo>, SpeechError>> + Send + '_>> {
        Box::pin(async move {
            let mut voices = Vec::new();
            let mut page = None::<String>;
            for _ in 0..PAGES {
                let list = self.page(page.as_deref()).await;
                let list = list.map_err(|error| errors::presentable(error, Some(&self.key)))?;
                let found = list["voices"].as_array().into_iter().flatten();
                voices.extend(found.filter_map(voice_info));
                page = list["next_page_token"].as_str().map(str::to_owned);
                if page.is_none() || list["has_more"] != true {
                    break;
                }
            }
            voices.retain(|voice| speaks(voice, language.as_ref()));
            Ok(voices)
        })
    }
}

impl ElevenLabs {
    async fn page(&self, token: Option<&str>) -> Result<Value, SpeechError> {
        let mut url = reqwest::Url::parse(&format!("{}/v2/voices", self.base)).map_err(|_| {
            SpeechError::new(Outcome::BadRequest, "the address of ElevenLabs is no URL")
        })?;
        url.query_pairs_mut().append_pair("page_size", PAGE);
        if let Some(token) = token {
            url.query_pairs_mut().append_pair("next_page_token", token);
        }
        let call = self.http.get(url.as_str())?.header("xi-api-key", self.key.expose());
        self.http.json(call, self.http.deadlines.list).await
    }
}

fn voice_info(json: &Value) -> Option<VoiceInfo> {
    let id = json["voice_id"].as_str()?;
    let mut languages: Vec<String> = Vec::new();
    for verified in json["verified_languages"].as_array().into_iter().flatten() {
        if let Some(language) = verified["locale"].as_str().or(verified["language"].as_str())
            && !languages.iter().any(|known| known == language)
        {
            languages.push(language.to_owned());
        }
    }
    Some(VoiceInfo {
        id: id.to_owned(),
        name: json["name"].as_str().unwrap_or(id).to_owned(),
        languages,
        gender: json["labels"]["gender"].as_str().map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(language: &str, voice: Option<&str>) -> SpeechRequest {
        let language = language.parse().unwrap();
        SpeechRequest { text: "Bonjour".to_owned(), language, voice: voice.map(str::to_owned) }
    }

    #[test]
    fn a_voice_never_breaks_out_of_its_path() {
        for wrong in
            ["", "../../v1/user", "a/b", "a?b=c", "a#b", "a b", "é", "a%2Fb", &"x".repeat(65)]
        {
            let refused = path_voice(&request("fr", Some(wrong))).unwrap_err();
            assert_eq!(refused.outcome, Outcome::BadRequest, "{wrong}");
        }
        assert_eq!(path_voice(&request("fr", Some("21m00Tcm4TlvDq8ikWAM"))).unwrap().len(), 20);
        assert_eq!(path_voice(&request("fr", None)).unwrap(), VOICE);
    }

    #[test]
    fn a_language_is_told_to_models_that_take_one() {
        let of = |model: &str, tag: &str| {
            let settings =
                ElevenLabsSettings { model: Some(model.to_owned()), ..Default::default() };
            let mouth = ElevenLabs::new(&settings, Secret::new("k"), Http::default());
            mouth.language(&request(tag, None)).map(str::to_owned)
        };
        assert_eq!(of(MODEL, "fr-FR").as_deref(), Some("fr"));
        assert_eq!(of(MODEL, "nb-NO").as_deref(), Some("no"));
        assert_eq!(of("eleven_v3", "de").as_deref(), Some("de"));
        assert_eq!(of("eleven_multilingual_v2", "fr-FR"), None);
        assert_eq!(of(MODEL, "fil-PH"), None);
    }
}
