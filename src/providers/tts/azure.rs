//! Azure's speech over REST (Microsoft, "Text to speech REST API").

use std::pin::Pin;

use quick_xml::escape::escape;
use serde_json::Value;

use super::{
    AudioStream, SpeechRequest, TextToSpeech, VoiceInfo,
    http::{self, Http},
    locale_of, speaks,
};
use crate::{
    domain::{LanguageTag, Outcome, Secret},
    providers::speech::SpeechError,
};

/// Key and place of a speech resource.
#[derive(Debug, Clone, Default)]
pub struct AzureSettings {
    /// The resource's key.
    pub api_key: Option<Secret>,
    /// Where the resource is: `westeurope`.
    pub region: Option<String>,
    /// Another address than the region's, for sovereign clouds.
    pub base_url: Option<String>,
}

#[derive(Clone)]
pub(super) struct Azure {
    key: Secret,
    base: String,
    http: Http,
}

impl Azure {
    pub(super) fn new(
        settings: &AzureSettings,
        key: Secret,
        http: Http,
    ) -> Result<Self, SpeechError> {
        let base = match (&settings.base_url, &settings.region) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(region)) if is_region(region) => {
                format!("https://{region}.tts.speech.microsoft.com")
            }
            (None, Some(_)) => {
                return Err(SpeechError::new(
                    Outcome::NoKey,
                    "Azure's region is no region: set AZURE_SPEECH_REGION to one like `westeurope`",
                ));
            }
            (None, None) => {
                return Err(SpeechError::new(
                    Outcome::NoKey,
                    "Azure has no region: set AZURE_SPEECH_REGION to the speech resource's",
                ));
            }
        };
        Ok(Self { key, base, http })
    }
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

impl TextToSpeech for Azure {
    fn id(&self) -> &'static str {
        "azure"
    }

    fn voice_for(&self, request: &SpeechRequest) -> String {
        voice(request).to_owned()
    }

    fn speak(&self, request: SpeechRequest) -> AudioStream {
        let mouth = self.clone();
        http::spoken(Some(self.key.clone()), async move {
            let call = mouth
                .http
                .post(&format!("{}/cognitiveservices/v1", mouth.base))?
                .header("Ocp-Apim-Subscription-Key", mouth.key.expose())
                .header("X-Microsoft-OutputFormat", "raw-8khz-8bit-mono-mulaw")
                .header("Content-Type", "application/ssml+xml")
                .body(ssml(&request));
            mouth.http.sound(call).await
        })
    }

    fn voices(
        &self,
        language: Option<LanguageTag>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<VoiceInfo>, SpeechError>> + Send + '_>> {
        Box::pin(async move {
            let call = self
                .http
                .get(&format!("{}/cognitiveservices/voices/list", self.base))?
                .header("Ocp-Apim-Subscription-Key", self.key.expose());
            let list = self.http.json(call, self.http.deadlines.list).await;
            let list = list.map_err(|error| super::errors::presentable(error, Some(&self.key)))?;
            let voices = list.as_array().into_iter().flatten().filter_map(voice_info);
            Ok(voices.filter(|voice| speaks(voice, language.as_ref())).collect())
        })
    }
}

fn voice_info(json: &Value) -> Option<VoiceInfo> {
    let more = json["SecondaryLocaleList"].as_array().into_iter().flatten();
    let id = json["ShortName"].as_str()?;
    Some(VoiceInfo {
        id: id.to_owned(),
        name: json["LocalName"].as_str().or(json["DisplayName"].as_str()).unwrap_or(id).to_owned(),
        languages: std::iter::once(&json["Locale"])
            .chain(more)
            .filter_map(|locale| Some(locale.as_str()?.to_owned()))
            .collect(),
        gender: json["Gender"].as_str().map(str::to_ascii_lowercase),
    })
}

/// The words as Azure wants them. All that comes from outside is escaped.
fn ssml(request: &SpeechRequest) -> String {
    let voice = voice(request);
    let locale = locale_of(voice).unwrap_or_else(|| request.language.as_str());
    format!(
        "<speak version=\"1.0\" xmlns=\"http://www.w3.org/2001/10/synthesis\" xml:lang=\"{}\">\
         <voice name=\"{}\">{}</voice></speak>",
        escape(locale),
        escape(legal(voice)),
        escape(legal(&request.text)),
    )
}

/// A text without the characters that XML 1.0 forbids.
fn legal(text: &str) -> String {
    text.chars()
        .filter(|c| {
            matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
        })
        .collect()
}

fn voice(request: &SpeechRequest) -> &str {
    request.voice.as_deref().unwrap_or_else(|| usual_voice(&request.language))
}

/// The first voice that Azure lists for a locale (Microsoft, "Language and voice support", of
/// October 2025), or one that speaks most languages.
fn usual_voice(language: &LanguageTag) -> &'static str {
    match (language.as_str(), language.primary()) {
        ("fr-CA", _) => "fr-CA-SylvieNeural",
        ("fr-BE", _) => "fr-BE-CharlineNeural",
        ("fr-CH", _) => "fr-CH-ArianeNeural",
        (_, "fr") => "fr-FR-DeniseNeural",
        ("en-GB", _) => "en-GB-SoniaNeural",
        ("en-IE", _) => "en-IE-EmilyNeural",
        ("en-AU", _) => "en-AU-NatashaNeural",
        ("en-NZ", _) => "en-NZ-MollyNeural",
        ("en-CA", _) => "en-CA-ClaraNeural",
        (_, "en") => "en-US-AvaMultilingualNeural",
        ("es-MX", _) => "es-MX-DaliaNeural",
        ("es-US", _) => "es-US-PalomaNeural",
        ("es-AR", _) => "es-AR-ElenaNeural",
        ("es-CL", _) => "es-CL-CatalinaNeural",
        ("es-CO", _) => "es-CO-SalomeNeural",
        (_, "es") => "es-ES-ElviraNeural",
        ("de-AT", _) => "de-AT-IngridNeural",
        ("de-CH", _) => "de-CH-LeniNeural",
        (_, "de") => "de-DE-KatjaNeural",
        (_, "it") => "it-IT-ElsaNeural",
        ("pt-BR", _) => "pt-BR-FranciscaNeural",
        (_, "pt") => "pt-PT-RaquelNeural",
        ("nl-BE", _) => "nl-BE-DenaNeural",
        (_, "nl") => "nl-NL-FennaNeural",
        (_, "bg") => "bg-BG-KalinaNeural",
        (_, "ca") => "ca-ES-JoanaNeural",
        (_, "cs") => "cs-CZ-VlastaNeural",
        (_, "da") => "da-DK-ChristelNeural",
        (_, "el") => "el-GR-AthinaNeural",
        (_, "fi") => "fi-FI-SelmaNeural",
        (_, "hr") => "hr-HR-GabrijelaNeural",
        (_, "hu") => "hu-HU-NoemiNeural",
        (_, "is") => "is-IS-GudrunNeural",
        (_, "lt") => "lt-LT-OnaNeural",
        (_, "lv") => "lv-LV-EveritaNeural",
        (_, "nb" | "nn" | "no") => "nb-NO-PernilleNeural",
        (_, "pl") => "pl-PL-AgnieszkaNeural",
        (_, "ro") => "ro-RO-AlinaNeural",
        (_, "ru") => "ru-RU-SvetlanaNeural",
        (_, "sk") => "sk-SK-ViktoriaNeural",
        (_, "sv") => "sv-SE-SofieNeural",
        (_, "tr") => "tr-TR-EmelNeural",
        (_, "uk") => "uk-UA-PolinaNeural",
        _ => "en-US-AvaMultilingualNeural",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str, language: &str, voice: Option<&str>) -> SpeechRequest {
        let language = language.parse().unwrap();
        SpeechRequest { text: text.to_owned(), language, voice: voice.map(str::to_owned) }
    }

    #[test]
    fn words_are_escaped_and_a_voice_brings_its_locale() {
        let asked =
            request("Moi & <toi>\u{0} \"\u{7}", "fr-LU", Some("fr-FR-Vivienne:DragonHD\"/>"));
        assert_eq!(
            ssml(&asked),
            "<speak version=\"1.0\" xmlns=\"http://www.w3.org/2001/10/synthesis\" \
             xml:lang=\"fr-FR\"><voice name=\"fr-FR-Vivienne:DragonHD&quot;/&gt;\">\
             Moi &amp; &lt;toi&gt; &quot;</voice></speak>"
        );
        let other = ssml(&request("Hej", "eo", Some("mine")));
        assert!(other.contains("xml:lang=\"eo\"") && other.contains("name=\"mine\""), "{other}");
    }

    #[test]
    fn a_usual_voice_is_of_its_language() {
        for tag in ["fr-FR", "fr-CA", "de", "en-GB", "es-PE", "pt-BR", "nl-BE", "lv", "uk-UA"] {
            let language: LanguageTag = tag.parse().unwrap();
            let voice = usual_voice(&language);
            assert!(voice.starts_with(language.primary()), "{tag}: {voice}");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_the_document_has_one_voice(text in "\\PC{0,200}|[<>&\"']{1,50}") {
            let document = ssml(&request(&text, "fr-FR", None));
            let mut reader = quick_xml::Reader::from_str(&document);
            let mut elements = 0;
            loop {
                match reader.read_event().unwrap() {
                    quick_xml::events::Event::Start(_) => elements += 1,
                    quick_xml::events::Event::Eof => break,
                    _ => {}
                }
            }
            proptest::prop_assert_eq!(elements, 2);
        }
    }
}
