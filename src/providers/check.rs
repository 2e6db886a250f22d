//! One small request to a provider: does it answer, and how fast?

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt, TryStreamExt};
use tokio::time::timeout;

use super::{
    breaker::Breakers,
    llm::{ChatEvent, ChatMessage, ChatRequest, Models},
    speech::SpeechError,
    stt::{Ears, Heard, ListenRequest, Sound},
    tts::{Mouths, SpeechRequest, TextToSpeech, speak_through},
};
use crate::{
    audio::{FRAME, RATE},
    domain::{
        EarProvider, LanguageTag, ModelRef, Outcome, ProviderKind, ProviderStanding, Result,
        VoiceProvider,
    },
};

/// How long one may take.
const WITHIN: Duration = Duration::from_secs(12);

/// A caller's question in French, a second and a bit of it.
const QUESTION: &[u8] = include_bytes!("../rehearsal/bench/question.ulaw");

/// What a mouth is asked to say.
const WORD: &str = "Bonjour.";

/// The models that are asked where no assistant has one of the provider's.
pub const USUAL: [&str; 2] = ["openai/gpt-6-luna", "anthropic/claude-haiku-5-5"];

/// What came of asking one.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it does.
    pub kind: ProviderKind,
    /// Its word.
    pub provider: String,
    /// What of it was asked.
    pub what: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took.
    pub took: Duration,
    /// What it said, or why it did not.
    pub detail: String,
}

/// A request on its way.
pub type Asking = Pin<Box<dyn Future<Output = Checked> + Send>>;

/// Those who can be asked.
#[derive(Clone)]
pub struct Asked {
    /// Who think.
    pub models: Models,
    /// Who listen.
    pub ears: Ears,
    /// Who speak.
    pub mouths: Mouths,
}

impl Asked {
    /// Asks one. A provider of models is asked for the first of its models that is `used`, or for its
    /// usual one.
    pub fn ask(&self, standing: &ProviderStanding, used: &[ModelRef]) -> Result<Asking> {
        let provider = standing.provider.clone();
        Ok(match standing.kind {
            ProviderKind::Model => model(&self.models, provider, used),
            ProviderKind::Ear => {
                let one: EarProvider = provider.parse()?;
                Box::pin(ear(self.ears.clone(), one))
            }
            ProviderKind::Mouth => {
                let one: VoiceProvider = provider.parse()?;
                Box::pin(mouth(self.mouths.clone(), one))
            }
        })
    }
}

fn model(models: &Models, provider: String, used: &[ModelRef]) -> Asking {
    let usual = USUAL.iter().filter_map(|name| name.parse().ok());
    let of_provider = |name: &ModelRef| {
        let found = models.find(name).ok();
        found.filter(|model| model.id().split('/').next() == Some(provider.as_str()))
    };
    let found = used.iter().cloned().chain(usual).find_map(|name| of_provider(&name));
    Box::pin(async move {
        let Some(model) = found else {
            let detail = "no key is set".to_owned();
            return checked(
                ProviderKind::Model,
                &provider,
                "",
                Duration::ZERO,
                Err((Outcome::NoKey, detail)),
            );
        };
        let begun = Instant::now();
        let request = ChatRequest {
            system: "Answer with one word.".to_owned(),
            messages: vec![ChatMessage::User("Say hello.".to_owned())],
            max_output_tokens: 16,
            ..ChatRequest::default()
        };
        let answered = async {
            let (mut answer, mut words) = (model.stream(request), String::new());
            loop {
                match answer.next().await {
                    Some(Ok(ChatEvent::Text(text))) => words.push_str(&text),
                    Some(Ok(ChatEvent::ToolCall(_))) => {}
                    Some(Ok(ChatEvent::Done { .. })) => return Ok(format!("said {words:?}")),
                    Some(Err(error)) => return Err((error.outcome, error.detail)),
                    None => return Err((Outcome::BrokenStream, "the answer broke off".to_owned())),
                }
            }
        };
        let done = within(answered).await;
        let what = model.id().split_once('/').map_or("", |(_, name)| name);
        checked(ProviderKind::Model, &provider, what, begun.elapsed(), done)
    })
}

/// Has a mouth speak as in a call, so that what is no sound is not taken for one; answers its voice
/// and the sound.
pub async fn spoken(
    mouth: Arc<dyn TextToSpeech>,
    request: &SpeechRequest,
) -> Result<(String, Vec<u8>), SpeechError> {
    let (chain, breakers) = ([mouth], Breakers::default());
    let speaking = speak_through(&chain, &breakers, request).await.map_err(|unspoken| {
        let why = unspoken.0.into_iter().next();
        why.map_or_else(
            || SpeechError::new(Outcome::Unusable, "nobody was asked"),
            |one| SpeechError::new(one.outcome, one.detail),
        )
    })?;
    let pieces: Vec<_> = speaking.sound.try_collect().await?;
    Ok((speaking.speaker.voice, pieces.concat()))
}

async fn ear(ears: Ears, provider: EarProvider) -> Checked {
    let begun = Instant::now();
    let (what, done) = match ears.find(provider, None, None) {
        Err(error) => (String::new(), Err((error.outcome, error.detail))),
        Ok(ear) => {
            let request =
                ListenRequest { languages: vec![LanguageTag::french()], hints: Vec::new() };
            let heard = async {
                let mut listening = ear.listen(request);
                let sound = listening.sound.clone();
                let told = tokio::spawn(async move {
                    for piece in QUESTION.chunks(FRAME * 5) {
                        if sound.send(Sound::Audio(piece.into())).await.is_err() {
                            return;
                        }
                    }
                    // An ear that is gone says why itself.
                    let _ = sound.send(Sound::Finish).await;
                    // It is closed by whoever listens.
                    std::future::pending::<()>().await;
                });
                let words = understood(&mut listening.heard).await;
                told.abort();
                words
            };
            let what = ear.id().split_once('/').map_or("", |(_, model)| model).to_owned();
            (what, within(heard).await)
        }
    };
    checked(ProviderKind::Ear, provider.as_str(), &what, begun.elapsed(), done)
}

async fn understood(
    heard: &mut (impl Stream<Item = Result<Heard, SpeechError>> + Unpin),
) -> Result<String, (Outcome, String)> {
    let mut words = String::new();
    loop {
        match heard.next().await {
            Some(Ok(Heard::Final { text, .. })) => words.push_str(&text),
            Some(Ok(Heard::Finished | Heard::TurnEnd)) => return Ok(format!("heard {words:?}")),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err((error.outcome, error.detail)),
            None => return Err((Outcome::BrokenStream, "it stopped listening".to_owned())),
        }
    }
}

async fn mouth(mouths: Mouths, provider: VoiceProvider) -> Checked {
    let begun = Instant::now();
    let (what, done) = match mouths.find(provider, None) {
        Err(error) => (String::new(), Err((error.outcome, error.detail))),
        Ok(mouth) => {
            let request = SpeechRequest {
                text: WORD.to_owned(),
                language: LanguageTag::french(),
                voice: None,
            };
            let what = mouth.voice_for(&request);
            let spoken = async {
                let spoken = spoken(mouth, &request).await;
                let (_, sound) = spoken.map_err(|error| (error.outcome, error.detail))?;
                let seconds = sound.len() as f64 / f64::from(RATE);
                Ok(format!("spoke for {seconds:.1} s"))
            };
            (what, within(spoken).await)
        }
    };
    checked(ProviderKind::Mouth, provider.as_str(), &what, begun.elapsed(), done)
}

async fn within<T>(
    work: impl Future<Output = Result<T, (Outcome, String)>>,
) -> Result<T, (Outcome, String)> {
    let late = || Err((Outcome::TimedOut, "it took too long".to_owned()));
    timeout(WITHIN, work).await.unwrap_or_else(|_| late())
}

fn checked(
    kind: ProviderKind,
    provider: &str,
    what: &str,
    took: Duration,
    done: Result<String, (Outcome, String)>,
) -> Checked {
    let (outcome, detail) = match done {
        Ok(detail) => (Outcome::Answered, detail),
        Err((outcome, detail)) => (outcome, detail),
    };
    let (provider, what) = (provider.to_owned(), what.to_owned());
    Checked { kind, provider, what, outcome, took, detail }
}
