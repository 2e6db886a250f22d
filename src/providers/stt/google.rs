//! Google Cloud Speech-to-Text v2 over gRPC: `StreamingRecognize`, a stream for each utterance.
//!
//! A stream begins with the first sound after a finish, and what Google answers until its end are
//! the words of the utterance.

use std::{sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use google_cloud_auth::credentials::{self, Credentials};
use google_cloud_gax::streaming::RequestSender;
use google_cloud_speech_v2::{
    Error,
    client::Speech,
    model::{
        ExplicitDecodingConfig, PhraseSet, RecognitionConfig, RecognitionFeatures,
        SpeechAdaptation, StreamingRecognitionConfig, StreamingRecognitionFeatures,
        StreamingRecognizeRequest, StreamingRecognizeResponse,
        explicit_decoding_config::AudioEncoding, phrase_set::Phrase,
        speech_adaptation::AdaptationPhraseSet,
    },
};
use serde_json::Value;
use tokio::{
    sync::{OnceCell, mpsc},
    time::{Instant, sleep_until, timeout},
};

use super::{
    EarPatience, Heard, ListenRequest, Listening, Sound, SpeechToText,
    ends::{Over, Teller, listening},
    tail::Tail,
};
use crate::{
    audio::{RATE, g711},
    domain::{LanguageTag, Outcome, Secret},
    providers::speech::SpeechError,
};

/// The model of an ear that names none.
pub(super) const MODEL: &str = "telephony";

/// Google takes 15 KB of sound in a message, and asks for about 100 ms.
const LARGEST: usize = 15_000;
const CHUNK: usize = RATE as usize / 10;

/// Google ends a stream after some five minutes; ours are over before.
const ROTATE: Duration = Duration::from_secs(285);

/// Google gives up on a stream after about ten seconds without sound.
const QUIET: Duration = Duration::from_secs(4);

/// A message that cannot be sent for this long will not be.
const SEND: Duration = Duration::from_secs(3);

/// How many times as long as another ear Google is waited for at the end: it closes the stream.
const SLOWER: u32 = 3;

/// A stream that ended by itself sooner than this, without a word, will do so again.
const SHORT: Duration = Duration::from_secs(2);

/// An utterance this short may well bring no answer at all.
const NOTEWORTHY: usize = RATE as usize / 2;

/// Languages that may be given at once (Google, "Multiple language codes").
const LANGUAGES: usize = 3;

/// Phrases, each once; and how much likelier they are made (Google recommends up to 20).
const HINTS: usize = 100;
const BOOST: f32 = 10.0;

/// How Google knows who asks.
#[derive(Clone)]
pub(super) enum Access {
    /// What a file of credentials says.
    Key(Value),
    /// Whatever this machine has: gcloud's own file, or what the cloud's host tells.
    Machine,
    /// A server of one's own does not ask.
    Anonymous,
}

/// A connection, made when it is first needed and shared by all calls.
pub(super) struct Connection {
    endpoint: String,
    access: Access,
    client: OnceCell<Speech>,
}

impl Connection {
    /// To the host of a location, or to another address.
    pub(super) fn new(endpoint: Option<&str>, location: &str, access: Access) -> Self {
        let endpoint = match (endpoint, location) {
            (Some(endpoint), _) => endpoint.trim_end_matches('/').to_owned(),
            (None, "global") => "https://speech.googleapis.com".to_owned(),
            (None, location) => format!("https://{location}-speech.googleapis.com"),
        };
        Self { endpoint, access, client: OnceCell::new() }
    }

    async fn client(&self) -> Result<&Speech, SpeechError> {
        self.client
            .get_or_try_init(|| async {
                let credentials = credentials(&self.access)?;
                let client = Speech::builder()
                    .with_endpoint(&self.endpoint)
                    .with_credentials(credentials)
                    .build();
                client.await.map_err(|cause| {
                    let told = format!("{} cannot be used: {cause}", self.endpoint);
                    SpeechError::new(Outcome::BadRequest, told)
                })
            })
            .await
    }
}

/// Says no more than which kind they are: a cause may quote the key.
fn credentials(access: &Access) -> Result<Credentials, SpeechError> {
    let built = match access {
        Access::Anonymous => return Ok(credentials::anonymous::Builder::new().build()),
        Access::Machine => credentials::Builder::default().build(),
        Access::Key(key) => match key["type"].as_str().unwrap_or_default() {
            "service_account" => credentials::service_account::Builder::new(key.clone()).build(),
            "authorized_user" => credentials::user_account::Builder::new(key.clone()).build(),
            "external_account" => credentials::external_account::Builder::new(key.clone()).build(),
            "impersonated_service_account" => {
                credentials::impersonated::Builder::new(key.clone()).build()
            }
            other => {
                let told = format!(
                    "Google's credentials are of the unknown type `{}`: take a service account's",
                    other.chars().take(40).collect::<String>().escape_debug()
                );
                return Err(SpeechError::new(Outcome::Denied, told));
            }
        },
    };
    built.map_err(|_| {
        let told =
            "Google's credentials cannot be used: download the key of the service account anew";
        SpeechError::new(Outcome::Denied, told)
    })
}

/// An ear of Google's.
#[derive(Clone)]
pub(super) struct Google {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) project: String,
    pub(super) location: String,
    pub(super) connection: Arc<Connection>,
    pub(super) key: Option<Secret>,
    pub(super) patience: EarPatience,
}

impl SpeechToText for Google {
    fn id(&self) -> &str {
        &self.id
    }

    fn hears_together(&self, languages: &[&LanguageTag]) -> bool {
        self.model.starts_with("chirp") || languages.len() <= LANGUAGES
    }

    fn listen(&self, request: ListenRequest) -> Listening {
        let ear = self.clone();
        listening(self.key.clone(), move |mut sounds, teller| async move {
            let client = ear.connection.client().await?;
            let beginning = ear.beginning(&request);
            loop {
                let first = tokio::select! {
                    () = teller.unheard() => return Err(Over::Unheard),
                    sound = sounds.recv() => sound,
                };
                match first {
                    Some(Sound::Audio(sound)) => {
                        let utterance = Utterance::new(&beginning, ear.patience, sound);
                        if utterance.hear(client, &mut sounds, &teller).await? {
                            return Ok(());
                        }
                    }
                    Some(Sound::Finish) => teller.tell(Heard::Finished).await?,
                    None => return Ok(()),
                }
            }
        })
    }
}

impl Google {
    /// The first message of a stream: what to listen for.
    fn beginning(&self, request: &ListenRequest) -> StreamingRecognizeRequest {
        let languages: Vec<&str> = match &request.languages[..] {
            // Chirp finds out by itself which one is spoken.
            [_, _, ..] if self.model.starts_with("chirp") => vec!["auto"],
            languages => languages.iter().take(LANGUAGES).map(LanguageTag::as_str).collect(),
        };
        let mut config = RecognitionConfig::new()
            .set_model(&self.model)
            .set_language_codes(languages)
            .set_explicit_decoding_config(
                ExplicitDecodingConfig::new()
                    .set_encoding(AudioEncoding::Mulaw)
                    .set_sample_rate_hertz(RATE as i32)
                    .set_audio_channel_count(1),
            )
            .set_features(RecognitionFeatures::new().set_enable_automatic_punctuation(true));
        let hints = request.hints.iter().map(|hint| hint.trim()).filter(|hint| !hint.is_empty());
        let phrases: Vec<Phrase> =
            hints.take(HINTS).map(|hint| Phrase::new().set_value(hint)).collect();
        if !phrases.is_empty() {
            let phrases = PhraseSet::new().set_phrases(phrases).set_boost(BOOST);
            let phrases = AdaptationPhraseSet::new().set_inline_phrase_set(phrases);
            config = config.set_adaptation(SpeechAdaptation::new().set_phrase_sets([phrases]));
        }
        let features = StreamingRecognitionFeatures::new().set_interim_results(true);
        let streaming =
            StreamingRecognitionConfig::new().set_config(config).set_streaming_features(features);
        StreamingRecognizeRequest::new()
            .set_recognizer(format!(
                "projects/{}/locations/{}/recognizers/_",
                self.project, self.location
            ))
            .set_streaming_config(streaming)
    }
}

type Sender = RequestSender<StreamingRecognizeRequest>;

/// How a stream ended.
enum Ended {
    /// Google has told everything that was asked of it.
    Told,
    /// By itself, or because it became too old: the utterance goes on in another.
    TooSoon,
    Failed(SpeechError),
}

/// What is done with sound, and why no more of it is sent on this stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    Open,
    /// The utterance is over.
    Finished,
    /// No more sound comes at all.
    Closed,
    /// The stream is old.
    Old,
}

struct Utterance<'a> {
    beginning: &'a StreamingRecognizeRequest,
    patience: EarPatience,
    /// What is not understood yet.
    tail: Tail,
    /// What is not sent yet.
    gathered: BytesMut,
    sending: Sending,
    interim: String,
    /// Google has answered something on this stream.
    answered: bool,
}

impl<'a> Utterance<'a> {
    fn new(beginning: &'a StreamingRecognizeRequest, patience: EarPatience, first: Bytes) -> Self {
        let mut tail = Tail::default();
        tail.push(first);
        Self {
            beginning,
            patience,
            tail,
            gathered: BytesMut::new(),
            sending: Sending::Open,
            interim: String::new(),
            answered: false,
        }
    }

    /// Hears it to its end. Whether no more sound comes at all.
    async fn hear(
        mut self,
        client: &Speech,
        sounds: &mut mpsc::Receiver<Sound>,
        teller: &Teller,
    ) -> Result<bool, Over> {
        let mut in_vain = 0;
        loop {
            let opened = Instant::now();
            self.answered = false;
            if self.sending == Sending::Old {
                self.sending = Sending::Open;
            }
            let ended = self.stream(client, sounds, teller).await?;
            in_vain = if self.answered || opened.elapsed() > SHORT { 0 } else { in_vain + 1 };
            match ended {
                Ended::Told => {
                    if self.sending == Sending::Finished {
                        teller.tell(Heard::Finished).await?;
                    }
                    return Ok(self.sending == Sending::Closed);
                }
                Ended::TooSoon if in_vain > 1 => {
                    let told = "Google ends the stream as soon as it is opened";
                    return Err(SpeechError::new(Outcome::BrokenStream, told).into());
                }
                Ended::TooSoon => {}
                Ended::Failed(error) if in_vain > 1 || !is_passing(&error) => {
                    return Err(error.into());
                }
                Ended::Failed(error) => {
                    tracing::warn!(%error, "Google's stream broke, it is opened again");
                    // One more failure without an answer is enough.
                    in_vain = in_vain.max(1);
                }
            }
        }
    }

    async fn stream(
        &mut self,
        client: &Speech,
        sounds: &mut mpsc::Receiver<Sound>,
        teller: &Teller,
    ) -> Result<Ended, Over> {
        let (sender, mut responses) = client.streaming_recognize().build();
        let mut sender = Some(sender);
        let again = self.tail.again();
        if let Err(error) = self.begin(sender.as_ref(), again).await {
            return Ok(Ended::Failed(error));
        }
        let rotate = Instant::now() + ROTATE;
        let mut quiet = Instant::now() + QUIET;
        let mut patience = None;
        if self.sending != Sending::Open {
            sender = None;
        }
        loop {
            if sender.is_none() && patience.is_none() {
                patience = Some(Instant::now() + SLOWER * self.patience.finish);
            }
            let wake = patience.unwrap_or(quiet.min(rotate));
            tokio::select! {
                () = teller.unheard() => return Err(Over::Unheard),
                response = responses.next() => match response {
                    Some(Ok(response)) => teller.tell_all(self.understand(response)).await?,
                    Some(Err(cause)) => return Ok(Ended::Failed(failure(&cause))),
                    None => return Ok(self.ended()),
                },
                sound = sounds.recv(), if sender.is_some() => {
                    match sound {
                        Some(Sound::Audio(sound)) => {
                            quiet = Instant::now() + QUIET;
                            self.tail.push(sound.clone());
                            self.gathered.extend_from_slice(&sound);
                            if self.gathered.len() < CHUNK {
                                continue;
                            }
                        }
                        Some(Sound::Finish) => self.sending = Sending::Finished,
                        None => self.sending = Sending::Closed,
                    }
                    if let Err(error) = self.send_gathered(sender.as_ref()).await {
                        // What Google has against it is told by the responses, if by anything.
                        if error.outcome == Outcome::TimedOut {
                            return Ok(Ended::Failed(error));
                        }
                        sender = None;
                    }
                    if self.sending != Sending::Open {
                        sender = None;
                    }
                }
                () = sleep_until(wake) => {
                    if patience.is_some() {
                        if !self.answered && self.tail.end() >= NOTEWORTHY {
                            let told = "Google says nothing about what it was sent";
                            return Ok(Ended::Failed(SpeechError::new(Outcome::TimedOut, told)));
                        }
                        if self.sending != Sending::Open {
                            teller.tell_all(self.settle_for_less()).await?;
                        }
                        return Ok(self.ended());
                    }
                    if wake == rotate {
                        self.sending = Sending::Old;
                        sender = None;
                    } else {
                        quiet = Instant::now() + QUIET;
                        let silence = Bytes::from_static(&[g711::SILENCE; CHUNK]);
                        self.tail.push(silence.clone());
                        self.gathered.extend_from_slice(&silence);
                        let _ = self.send_gathered(sender.as_ref()).await;
                    }
                }
            }
        }
    }

    /// What it means that a stream is at its end.
    fn ended(&self) -> Ended {
        match self.sending {
            Sending::Open | Sending::Old => Ended::TooSoon,
            Sending::Finished | Sending::Closed => Ended::Told,
        }
    }

    async fn begin(&mut self, sender: Option<&Sender>, again: Bytes) -> Result<(), SpeechError> {
        if let Some(sender) = sender {
            send(sender, self.beginning.clone()).await?;
        }
        self.gathered = again.into();
        self.send_gathered(sender).await
    }

    async fn send_gathered(&mut self, sender: Option<&Sender>) -> Result<(), SpeechError> {
        let Some(sender) = sender else { return Ok(()) };
        while !self.gathered.is_empty() {
            let part = self.gathered.split_to(self.gathered.len().min(LARGEST)).freeze();
            send(sender, StreamingRecognizeRequest::new().set_audio(part)).await?;
        }
        Ok(())
    }

    fn understand(&mut self, response: StreamingRecognizeResponse) -> Vec<Heard> {
        let mut heard = Vec::new();
        let mut interim = String::new();
        self.answered = true;
        for result in response.results {
            let Some(best) = result.alternatives.into_iter().next() else { continue };
            if !result.is_final {
                // The likely beginning and the unlikely rest come as two results.
                interim.push_str(&best.transcript);
                continue;
            }
            self.interim.clear();
            if let Some(end) = result.result_end_offset {
                let seconds = end.seconds() as f64 + f64::from(end.nanos()) / 1e9;
                self.tail.forget_until((seconds * f64::from(RATE)).max(0.0) as usize);
            }
            let text = best.transcript.trim();
            if !text.is_empty() {
                heard.push(Heard::Final {
                    text: text.to_owned(),
                    // Zero means that it is not told.
                    confidence: (best.confidence > 0.0).then_some(best.confidence),
                    language: result.language_code.parse().ok(),
                });
            }
        }
        let interim = interim.trim();
        if !interim.is_empty() && self.interim != interim {
            interim.clone_into(&mut self.interim);
            heard.push(Heard::Interim(self.interim.clone()));
        }
        heard
    }

    /// Google takes too long to finish: what was heard so far counts.
    fn settle_for_less(&mut self) -> Vec<Heard> {
        let text = std::mem::take(&mut self.interim);
        self.tail.forget_until(self.tail.end());
        if text.is_empty() {
            return Vec::new();
        }
        vec![Heard::Final { text, confidence: None, language: None }]
    }
}

async fn send(sender: &Sender, message: StreamingRecognizeRequest) -> Result<(), SpeechError> {
    match timeout(SEND, sender.send(message)).await {
        Ok(sent) => {
            sent.map_err(|cause| SpeechError::new(Outcome::BrokenStream, cause.to_string()))
        }
        Err(_) => Err(SpeechError::new(Outcome::TimedOut, "Google takes no more sound")),
    }
}

/// Whether another stream may do better.
fn is_passing(error: &SpeechError) -> bool {
    matches!(error.outcome, Outcome::ServerError | Outcome::BrokenStream)
}

/// A failure in the words of the transcript (the codes of gRPC).
fn failure(cause: &Error) -> SpeechError {
    if let Some(status) = cause.status() {
        let code = status.code.name();
        return SpeechError::new(outcome(code), format!("Google: {code}: {}", status.message));
    }
    let outcome = if cause.is_authentication() {
        Outcome::Denied
    } else if cause.is_timeout() {
        Outcome::TimedOut
    } else if cause.is_connect() || cause.is_io() {
        Outcome::Unreachable
    } else if cause.is_transport() {
        Outcome::BrokenStream
    } else {
        Outcome::Unusable
    };
    // The cause of a refused key may quote it.
    let told = if outcome == Outcome::Denied {
        "Google does not accept the credentials".to_owned()
    } else {
        format!("Google: {cause}")
    };
    SpeechError::new(outcome, told)
}

fn outcome(code: &str) -> Outcome {
    match code {
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => Outcome::Denied,
        "RESOURCE_EXHAUSTED" => Outcome::RateLimited,
        "NOT_FOUND" | "UNIMPLEMENTED" => Outcome::NotFound,
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "ALREADY_EXISTS" => Outcome::BadRequest,
        "DEADLINE_EXCEEDED" => Outcome::TimedOut,
        // A stream that became too old, or had no sound for too long.
        "OUT_OF_RANGE" | "ABORTED" | "CANCELLED" => Outcome::BrokenStream,
        _ => Outcome::ServerError,
    }
}

#[cfg(test)]
#[path = "google_tests.rs"]
mod tests;
