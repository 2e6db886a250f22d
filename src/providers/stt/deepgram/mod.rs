//! Deepgram: Nova hears words (`/v1/listen`), Flux also hears when a turn is over (`/v2/listen`).

mod flux;
mod nova;
mod session;

use reqwest::Url;
use serde_json::Value;

use self::{flux::Flux, nova::Nova, session::Session};
use super::{
    EarPatience, Heard, ListenRequest, Listening, SpeechToText,
    ends::{Over, listening},
};
use crate::{
    audio::RATE,
    domain::{LanguageTag, Outcome, Secret},
    providers::speech::SpeechError,
};

/// Deepgram itself.
pub(super) const BASE: &str = "wss://api.deepgram.com";

/// The model of an ear that names none.
pub(super) const MODEL: &str = "nova-3";

/// More are no help to a recogniser, and the address gets long.
const HINTS: usize = 100;

/// How sure Flux must be before it says that a turn may be over: a reply can then be prepared.
/// It is more sure when it says that the turn is over (0.7).
const EAGER: &str = "0.5";

/// The languages that Nova-3 and Flux hear at once, and those of older models (Deepgram,
/// "Multilingual Codeswitching").
const TOGETHER: [&str; 10] = ["de", "en", "es", "fr", "hi", "it", "ja", "nl", "pt", "ru"];
const TOGETHER_BEFORE: [&str; 2] = ["en", "es"];

/// Whether a model of Deepgram's hears several languages at once, whichever is spoken.
pub fn hears_together(model: Option<&str>, languages: &[&LanguageTag]) -> bool {
    let known: &[&str] = match model.unwrap_or(MODEL) {
        model if model.starts_with("nova-3") || model.starts_with("flux") => &TOGETHER,
        _ => &TOGETHER_BEFORE,
    };
    languages.iter().all(|language| known.contains(&language.primary()))
}

/// An ear of Deepgram's.
#[derive(Clone)]
pub(super) struct Deepgram {
    pub(super) id: String,
    /// `nova-3`, `nova-2-phonecall`, …; `flux` chooses between `flux-general-en` and `-multi`.
    pub(super) model: String,
    pub(super) base: String,
    pub(super) key: Secret,
    pub(super) patience: EarPatience,
}

impl SpeechToText for Deepgram {
    fn id(&self) -> &str {
        &self.id
    }

    fn ends_turns(&self) -> bool {
        self.is_flux()
    }

    fn hears_together(&self, languages: &[&LanguageTag]) -> bool {
        hears_together(Some(&self.model), languages)
    }

    fn listen(&self, request: ListenRequest) -> Listening {
        let ear = self.clone();
        listening(Some(self.key.clone()), move |sounds, teller| async move {
            let url = ear.url(&request)?;
            let reader: Box<dyn Reader> =
                if ear.is_flux() { Box::<Flux>::default() } else { Box::<Nova>::default() };
            // Connecting may take longer than anybody is there.
            let session = tokio::select! {
                session = Session::open(&ear, url, reader) => session?,
                () = teller.unheard() => return Err(Over::Unheard),
            };
            session.run(sounds, &teller).await
        })
    }
}

impl Deepgram {
    fn is_flux(&self) -> bool {
        self.model.starts_with("flux")
    }

    /// Where to connect to, and with which wishes.
    fn url(&self, request: &ListenRequest) -> Result<Url, SpeechError> {
        let path = if self.is_flux() { "v2/listen" } else { "v1/listen" };
        let mut url = address(&self.base, path)?;
        let mut query = url.query_pairs_mut();
        query.append_pair("encoding", "mulaw").append_pair("sample_rate", &RATE.to_string());
        if self.is_flux() {
            let english = request.languages.iter().all(|language| language.primary() == "en");
            let model = match self.model.as_str() {
                "flux" if english => "flux-general-en",
                "flux" => "flux-general-multi",
                model => model,
            };
            query.append_pair("model", model).append_pair("eager_eot_threshold", EAGER);
            if model != "flux-general-en" {
                for language in primaries(&request.languages) {
                    query.append_pair("language_hint", language);
                }
            }
        } else {
            query
                .append_pair("model", &self.model)
                .append_pair("channels", "1")
                .append_pair("interim_results", "true")
                .append_pair("smart_format", "true");
            let several = primaries(&request.languages);
            let together: Vec<&LanguageTag> = request.languages.iter().collect();
            if several.len() > 1 && self.hears_together(&together) {
                // Deepgram, "Multilingual Codeswitching": 100 ms is what it recommends here.
                query.append_pair("language", "multi").append_pair("endpointing", "100");
                if self.takes_key_terms() {
                    // Deepgram, "Nova-3 Language Prompting" (October 2026).
                    for language in several {
                        query.append_pair("language_hint", language);
                    }
                }
            } else if let Some(language) = request.languages.first() {
                query.append_pair("language", nova_language(language));
            }
        }
        let name = if self.takes_key_terms() { "keyterm" } else { "keywords" };
        for hint in request.hints.iter().filter_map(|hint| term(hint)).take(HINTS) {
            query.append_pair(name, &hint);
        }
        drop(query);
        Ok(url)
    }

    /// Older models know `keywords` instead.
    fn takes_key_terms(&self) -> bool {
        self.is_flux() || self.model.starts_with("nova-3")
    }
}

/// An address for a WebSocket, whichever of the two schemes of each kind it is written with.
fn address(base: &str, path: &str) -> Result<Url, SpeechError> {
    let base = base.trim_end_matches('/');
    let base = match base.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        _ => base.to_owned(),
    };
    let wrong = || {
        let told = format!("the address of Deepgram cannot be read: {base}/{path}");
        SpeechError::new(Outcome::BadRequest, told)
    };
    let url = Url::parse(&format!("{base}/{path}")).map_err(|_| wrong())?;
    if matches!(url.scheme(), "ws" | "wss") { Ok(url) } else { Err(wrong()) }
}

/// The languages without their regions, each once, in their order.
fn primaries(languages: &[LanguageTag]) -> Vec<&str> {
    let mut primaries = Vec::new();
    for primary in languages.iter().map(LanguageTag::primary) {
        if !primaries.contains(&primary) {
            primaries.push(primary);
        }
    }
    primaries
}

/// The regions that Nova tells apart; for others it knows the language alone (Deepgram, "Models &
/// Languages Overview").
const REGIONS: [&str; 18] = [
    "da-DK", "de-CH", "en-AU", "en-GB", "en-IN", "en-NZ", "en-US", "es-419", "fr-CA", "ko-KR",
    "nl-BE", "pt-BR", "pt-PT", "sv-SE", "th-TH", "zh-CN", "zh-HK", "zh-TW",
];

fn nova_language(language: &LanguageTag) -> &str {
    match language.primary() {
        // Deepgram has one Norwegian.
        "nb" | "nn" => "no",
        _ if REGIONS.contains(&language.as_str()) => language.as_str(),
        primary => primary,
    }
}

/// A hint as a term: what would be taken for a separator or a weight is left out.
fn term(hint: &str) -> Option<String> {
    let parts = hint.split(|c: char| c.is_whitespace() || c.is_control() || ",;:".contains(c));
    let words: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// What a message came to.
#[derive(Debug, Default, PartialEq)]
struct Understood {
    heard: Vec<Heard>,
    /// Seconds of sound, counted on this connection, that will not be told of again.
    settled: Option<f64>,
    /// How many finishes are answered with it, if there are so many.
    finished: u32,
    /// What to answer.
    answer: Option<&'static str>,
    /// It is about the sound, not about the connection.
    is_about_sound: bool,
}

/// Reads the messages of one of the two protocols.
trait Reader: Send {
    fn understand(&mut self, message: Value) -> Result<Understood, SpeechError>;

    /// The utterance is over after so many seconds of sound. What to tell Deepgram at once.
    fn finish(&mut self, seconds: f64) -> Option<&'static str>;

    /// Deepgram takes too long to finish: what was heard so far counts. It will not be told again.
    fn settle_for_less(&mut self) -> Vec<Heard>;

    /// A new connection: it knows nothing, and counts from zero.
    fn begin_again(&mut self);

    /// Sound has to flow also when nobody speaks.
    fn wants_silence(&self) -> bool;

    /// Whether an utterance is under way.
    fn within_a_turn(&self) -> bool;
}

/// What messages come to, a line each, of either protocol; an empty line is the end of an utterance.
pub(super) fn told(flux: bool, messages: &str) -> Result<Vec<Heard>, SpeechError> {
    let mut reader: Box<dyn Reader> =
        if flux { Box::<Flux>::default() } else { Box::<Nova>::default() };
    let mut heard = Vec::new();
    for (at, line) in messages.lines().enumerate() {
        if line.is_empty() {
            let _ = reader.finish(at as f64);
            heard.extend(reader.settle_for_less());
            continue;
        }
        let message = serde_json::from_str(line).map_err(|cause| unreadable(&cause))?;
        heard.extend(reader.understand(message)?.heard);
    }
    Ok(heard)
}

/// An answer that is not of the form that was agreed upon.
fn unreadable(cause: &serde_json::Error) -> SpeechError {
    SpeechError::new(Outcome::Unusable, format!("Deepgram's message cannot be read: {cause}"))
}

/// A failure that Deepgram tells of on an open connection.
fn told_error(code: &str, description: &str) -> SpeechError {
    let outcome = if code.contains("INTERNAL") || code.contains("NET-") {
        Outcome::ServerError
    } else if code.contains("RATE") || code.contains("CONCURREN") {
        Outcome::RateLimited
    } else {
        Outcome::BrokenStream
    };
    SpeechError::new(outcome, format!("Deepgram: {code} {description}"))
}

/// The mean of some confidences.
fn mean(values: impl ExactSizeIterator<Item = f32>) -> Option<f32> {
    let count = values.len();
    (count > 0).then(|| values.sum::<f32>() / count as f32)
}

/// A text without its first words, which were told before.
fn without_first(words: usize, text: &str) -> String {
    if words == 0 {
        return text.to_owned();
    }
    text.split_whitespace().skip(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
