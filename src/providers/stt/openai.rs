//! Any server with OpenAI's transcriptions: `POST {base}/audio/transcriptions`. It hears an utterance
//! when it is over, whole.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, stream::FuturesOrdered};
use reqwest::{
    Client, Response,
    multipart::{Form, Part},
};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{
    EarPatience, Heard, ListenRequest, Listening, Sound, SpeechToText,
    ends::{Over, Teller, listening},
    errors,
    tail::Tail,
};
use crate::{
    audio::{RATE, g711},
    domain::{LanguageTag, Outcome, Secret},
    providers::{refusal, speech::SpeechError},
};

/// OpenAI itself.
pub(super) const BASE: &str = "https://api.openai.com/v1";

/// What OpenAI hears with; `whisper-1` is switched off in February 2027.
pub(super) const MODEL: &str = "gpt-transcribe";

/// What servers of one's own call theirs, or take for it.
pub(super) const COMPATIBLE_MODEL: &str = "whisper-1";

/// The longest utterance; a longer one loses its beginning.
const LONGEST: usize = 60 * RATE as usize;

/// OpenAI refuses less than a tenth of a second, and nobody says anything in it.
const SHORTEST: usize = RATE as usize / 10;

/// What fits into the words that may stand before an utterance.
const PROMPT: usize = 600;

/// Hints, where they are a list.
const HINTS: usize = 100;

/// Bound on an answer: an hour of speech is less.
const ANSWER: usize = 256 * 1024;

/// An ear with OpenAI's transcriptions.
#[derive(Clone)]
pub(super) struct Openai {
    pub(super) id: String,
    pub(super) model: String,
    /// Up to and with `/v1`.
    pub(super) base: String,
    /// A server of one's own may do without.
    pub(super) key: Option<Secret>,
    pub(super) client: Client,
    pub(super) patience: EarPatience,
}

impl SpeechToText for Openai {
    fn id(&self) -> &str {
        &self.id
    }

    fn listen(&self, request: ListenRequest) -> Listening {
        let ear = self.clone();
        listening(self.key.clone(), move |sounds, teller| async move {
            ear.run(&request, sounds, &teller).await
        })
    }
}

impl Openai {
    async fn run(
        &self,
        request: &ListenRequest,
        mut sounds: mpsc::Receiver<Sound>,
        teller: &Teller,
    ) -> Result<(), Over> {
        let mut utterance = Tail::holding(LONGEST);
        // The next utterance may begin before the last one is understood; they keep their order.
        let mut asked = FuturesOrdered::new();
        let mut ended = false;
        while !(ended && asked.is_empty()) {
            tokio::select! {
                () = teller.unheard() => return Err(Over::Unheard),
                sound = sounds.recv(), if !ended => match sound {
                    Some(Sound::Audio(sound)) => utterance.push(sound),
                    Some(Sound::Finish) => {
                        let mut over =
                            std::mem::replace(&mut utterance, Tail::holding(LONGEST));
                        asked.push_back(self.hear(request, over.again()));
                    }
                    None => ended = true,
                },
                Some(heard) = asked.next(), if !asked.is_empty() => {
                    if let Some(heard) = heard? {
                        teller.tell(heard).await?;
                    }
                    teller.tell(Heard::Finished).await?;
                }
            }
        }
        Ok(())
    }

    async fn hear(
        &self,
        request: &ListenRequest,
        sound: Bytes,
    ) -> Result<Option<Heard>, SpeechError> {
        if sound.len() < SHORTEST {
            return Ok(None);
        }
        let url = format!("{}/audio/transcriptions", self.base.trim_end_matches('/'));
        let post = self.client.post(url).timeout(self.patience.answer);
        let post = match &self.key {
            Some(key) => post.bearer_auth(key.expose()),
            None => post,
        };
        let sent = post.multipart(self.form(request, &sound)?).send().await;
        let response = sent.map_err(|cause| errors::unreachable(&cause))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let body = read(response).await?;
        if status != 200 {
            return Err(errors::refused(status, refusal::retry_after(header), &body));
        }
        understand(&body)
    }

    fn form(&self, request: &ListenRequest, sound: &[u8]) -> Result<Form, SpeechError> {
        let file = Part::bytes(wav(sound)).file_name("utterance.wav").mime_str("audio/wav");
        let mut form = Form::new()
            .part("file", file.map_err(|cause| errors::unreachable(&cause))?)
            .text("model", self.model.clone())
            .text("response_format", "json");
        for (name, value) in self.wishes(request) {
            form = form.text(name, value);
        }
        Ok(form)
    }

    /// Languages and hints. `gpt-transcribe` takes lists of both; the others take one language and
    /// some words that stand before.
    fn wishes(&self, request: &ListenRequest) -> Vec<(&'static str, String)> {
        let mut languages: Vec<&str> = Vec::new();
        for primary in request.languages.iter().map(LanguageTag::primary) {
            if !languages.contains(&primary) {
                languages.push(primary);
            }
        }
        let hints = request.hints.iter().map(|hint| hint.trim()).filter(|hint| !hint.is_empty());
        let mut wishes = Vec::new();
        if self.model.starts_with("gpt-transcribe") {
            wishes.extend(languages.iter().map(|language| ("languages[]", (*language).to_owned())));
            wishes.extend(hints.take(HINTS).map(|hint| ("keywords[]", hint.to_owned())));
            return wishes;
        }
        // With two, the server has to find out itself.
        if let [language] = languages[..] {
            wishes.push(("language", language.to_owned()));
        }
        let mut prompt = String::new();
        for hint in hints {
            if prompt.len() + hint.len() + 2 > PROMPT {
                break;
            }
            let between = if prompt.is_empty() { "" } else { ", " };
            prompt.push_str(between);
            prompt.push_str(hint);
        }
        if !prompt.is_empty() {
            wishes.push(("prompt", format!("{prompt}.")));
        }
        wishes
    }
}

#[derive(Deserialize)]
struct Transcription {
    text: String,
    /// Some servers name the language they heard.
    #[serde(default)]
    language: Option<String>,
}

pub(super) fn understand(body: &str) -> Result<Option<Heard>, SpeechError> {
    let heard: Transcription = serde_json::from_str(body).map_err(|cause| {
        SpeechError::new(Outcome::Unusable, format!("the transcription cannot be read: {cause}"))
    })?;
    let text = heard.text.trim();
    let language = heard.language.and_then(|language| language.parse().ok());
    Ok((!text.is_empty()).then(|| Heard::Final {
        text: text.to_owned(),
        confidence: None,
        language,
    }))
}

/// The beginning of a body.
async fn read(mut response: Response) -> Result<String, SpeechError> {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(cause) if cause.is_timeout() => return Err(errors::unreachable(&cause)),
            Err(_) => {
                return Err(SpeechError::new(Outcome::BrokenStream, "the transcription broke off"));
            }
        }
    }
    bytes.truncate(ANSWER);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// μ-law as a WAV file of 16-bit samples: not every server reads μ-law in a WAV file.
fn wav(sound: &[u8]) -> Vec<u8> {
    const HEADER: usize = 44;
    let data = sound.len() * 2;
    let mut file = BytesMut::with_capacity(HEADER + data);
    file.put_slice(b"RIFF");
    file.put_u32_le((HEADER - 8 + data) as u32);
    file.put_slice(b"WAVEfmt ");
    file.put_u32_le(16);
    // PCM, one channel; bytes in a second, in a sample of all channels; bits of a sample.
    file.put_u16_le(1);
    file.put_u16_le(1);
    file.put_u32_le(RATE);
    file.put_u32_le(RATE * 2);
    file.put_u16_le(2);
    file.put_u16_le(16);
    file.put_slice(b"data");
    file.put_u32_le(data as u32);
    for byte in sound {
        file.put_i16_le(g711::decode(*byte));
    }
    file.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ear(model: &str) -> Openai {
        Openai {
            id: format!("openai/{model}"),
            model: model.to_owned(),
            base: BASE.to_owned(),
            key: None,
            client: Client::new(),
            patience: EarPatience::default(),
        }
    }

    fn request(languages: &[&str], hints: &[&str]) -> ListenRequest {
        ListenRequest {
            languages: languages.iter().map(|language| language.parse().unwrap()).collect(),
            hints: hints.iter().map(|&hint| hint.to_owned()).collect(),
        }
    }

    #[test]
    fn languages_and_hints_are_told_as_the_model_takes_them() {
        let whisper = ear("whisper-1");
        let told = |languages, hints| whisper.wishes(&request(languages, hints));
        assert_eq!(
            told(&["fr-FR", "fr-CA"], &["Le Gourmet", " ", "bouillabaisse"]),
            [("language", "fr".to_owned()), ("prompt", "Le Gourmet, bouillabaisse.".to_owned())]
        );
        assert_eq!(told(&["fr-FR", "en-US"], &[]), []);
        assert!(told(&["fr"], &["long"; 1000])[1].1.len() <= PROMPT);
        let wishes = ear(MODEL).wishes(&request(&["fr-FR", "en-US", "en-GB"], &["Le Gourmet"]));
        let names: Vec<_> = wishes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(
            names,
            [("languages[]", "fr"), ("languages[]", "en"), ("keywords[]", "Le Gourmet")]
        );
    }

    #[test]
    fn the_file_is_a_wav_file_that_others_read() {
        let file = wav(&[g711::encode(0), g711::encode(1000), g711::encode(-32_000)]);
        assert_eq!(file.len(), 44 + 6);
        assert_eq!(&file[..4], b"RIFF");
        assert_eq!(u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize, file.len() - 8);
        assert_eq!(u32::from_le_bytes(file[40..44].try_into().unwrap()), 6);
        let sample = |at: usize| i16::from_le_bytes(file[at..at + 2].try_into().unwrap());
        assert_eq!((sample(44), sample(46)), (0, g711::decode(g711::encode(1000))));
    }

    #[test]
    fn an_answer_is_read_and_silence_is_nothing() {
        assert_eq!(understand(r#"{"text":"  "}"#), Ok(None));
        let heard = Heard::Final {
            text: "Bonjour.".to_owned(),
            confidence: None,
            language: Some("fr".parse().unwrap()),
        };
        let told = r#"{"text":" Bonjour.\n","language":"fr","usage":{"type":"duration"}}"#;
        assert_eq!(understand(told), Ok(Some(heard)));
        assert!(understand(r#"{"text":"a","language":"french"}"#).is_ok());
        assert_eq!(understand("<html>").unwrap_err().outcome, Outcome::Unusable);
        assert_eq!(understand("{}").unwrap_err().outcome, Outcome::Unusable);
    }
}
