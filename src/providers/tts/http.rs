//! What mouths that speak over HTTP share: one client, its deadlines, and the way sound arrives.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{
    Method, RequestBuilder, Response,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    AudioStream,
    errors::{self, broken, late},
};
use crate::{
    audio::{g711, wav},
    domain::{Outcome, Secret},
    providers::{refusal, speech::SpeechError},
};

/// How long somebody on the telephone waits for a voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// For a connection.
    pub connect: Duration,
    /// From the request to the first sound. Vendors take a tenth of this; then the next one is tried.
    pub first_byte: Duration,
    /// Between two pieces of sound.
    pub stall: Duration,
    /// For a list of voices, which no caller waits for.
    pub list: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            first_byte: Duration::from_secs(3),
            stall: Duration::from_secs(3),
            list: Duration::from_secs(10),
        }
    }
}

/// Bound on what comes as one JSON document: the longest list of voices, or minutes of sound.
const DOCUMENT: usize = 8 * 1024 * 1024;

/// Bound on the text of a refusal.
const REFUSAL: usize = 16 * 1024;

/// The client of all mouths.
#[derive(Clone, Default)]
pub(super) struct Http {
    client: Arc<OnceLock<reqwest::Client>>,
    pub(super) deadlines: Deadlines,
}

impl Http {
    pub(super) fn new(deadlines: Deadlines) -> Self {
        Self { client: Arc::default(), deadlines }
    }

    pub(super) fn post(&self, url: &str) -> Result<RequestBuilder, SpeechError> {
        Ok(self.client()?.request(Method::POST, url))
    }

    pub(super) fn get(&self, url: &str) -> Result<RequestBuilder, SpeechError> {
        Ok(self.client()?.request(Method::GET, url))
    }

    fn client(&self) -> Result<&reqwest::Client, SpeechError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = reqwest::Client::builder()
            .connect_timeout(self.deadlines.connect)
            .redirect(reqwest::redirect::Policy::none())
            // Azure insists on a name (Microsoft, "Text to speech REST API").
            .user_agent(concat!("webox/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|cause| unreachable(&cause))?;
        Ok(self.client.get_or_init(|| client))
    }

    /// Sends a request, and gives the sound as it arrives.
    pub(super) async fn sound(
        &self,
        request: RequestBuilder,
    ) -> Result<impl Stream<Item = Result<Bytes, SpeechError>> + Send + use<>, SpeechError> {
        let (by, stall) = (Instant::now() + self.deadlines.first_byte, self.deadlines.stall);
        let response = answer(request, by).await?;
        let header = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = header.unwrap_or_default().to_ascii_lowercase();
        if ["json", "html", "xml", "text/"].iter().any(|word| content_type.contains(word)) {
            let text = beginning(response, by).await;
            return Err(match serde_json::from_str::<Value>(&text) {
                Ok(json) => errors::in_stream(&json),
                Err(_) => SpeechError::new(
                    Outcome::Unusable,
                    format!("{content_type} came instead of sound"),
                ),
            });
        }
        let next = move |(mut response, first): (Response, Option<Instant>)| async move {
            let by = first.unwrap_or_else(|| Instant::now() + stall);
            match timeout_at(by, response.chunk()).await {
                Err(_) if first.is_some() => Err(late("no sound came in time")),
                Err(_) => Err(late("the sound stalled")),
                Ok(Err(cause)) => Err(broken(refusal::reason(&cause))),
                Ok(Ok(None)) => Ok(None),
                Ok(Ok(Some(bytes))) if first.is_some() && is_document(&bytes) => {
                    Err(SpeechError::new(Outcome::Unusable, "a document came instead of sound"))
                }
                Ok(Ok(Some(bytes))) => Ok(Some((bytes, (response, None)))),
            }
        };
        Ok(stream::try_unfold((response, Some(by)), next))
    }

    /// Sends a request, and reads a JSON document.
    pub(super) async fn json(
        &self,
        request: RequestBuilder,
        within: Duration,
    ) -> Result<Value, SpeechError> {
        let by = Instant::now() + within;
        let mut response = answer(request, by).await?;
        let mut document = Vec::new();
        loop {
            match timeout_at(by, response.chunk()).await {
                Err(_) => return Err(late("the answer did not come in time")),
                Ok(Err(cause)) => return Err(broken(refusal::reason(&cause))),
                Ok(Ok(None)) => break,
                Ok(Ok(Some(bytes))) => document.extend_from_slice(&bytes),
            }
            if document.len() > DOCUMENT {
                return Err(SpeechError::new(Outcome::Unusable, "the answer is too long"));
            }
        }
        serde_json::from_slice(&document)
            .map_err(|_| SpeechError::new(Outcome::Unusable, "the answer is no JSON"))
    }
}

async fn answer(request: RequestBuilder, by: Instant) -> Result<Response, SpeechError> {
    let response = timeout_at(by, request.send())
        .await
        .map_err(|_| late("no answer came in time"))?
        .map_err(|cause| unreachable(&cause))?;
    let status = response.status().as_u16();
    if status == 200 {
        return Ok(response);
    }
    let retry_after = retry_after(response.headers());
    Err(errors::refused(status, retry_after, &beginning(response, by).await))
}

/// The beginning of a body that is no sound; as much of it as came in time.
async fn beginning(mut response: Response, by: Instant) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < REFUSAL
        && let Ok(Ok(Some(chunk))) = timeout_at(by, response.chunk()).await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(REFUSAL);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn unreachable(cause: &reqwest::Error) -> SpeechError {
    let (outcome, reason) = refusal::unreachable(cause);
    SpeechError::new(outcome, reason)
}

/// Whether some bytes begin as documents and compressed sound do, and no voice.
pub(super) fn is_document(bytes: &[u8]) -> bool {
    const SIGNS: [&[u8]; 11] = [
        b"<!doctype",
        b"<html",
        b"<?xml",
        b"<speak",
        b"{\"",
        b"{\n",
        b"[{",
        b"id3",
        b"oggs",
        b"flac",
        b"http/",
    ];
    let start = bytes.trim_ascii_start();
    SIGNS
        .iter()
        .any(|sign| start.get(..sign.len()).is_some_and(|start| start.eq_ignore_ascii_case(sign)))
}

/// When to come back.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    refusal::retry_after(|name| headers.get(name)?.to_str().ok())
}

/// Sound that is asked for when it is first wanted; what is told of a failure holds no key.
pub(super) fn spoken<S>(
    key: Option<Secret>,
    asked: impl Future<Output = Result<S, SpeechError>> + Send + 'static,
) -> AudioStream
where
    S: Stream<Item = Result<Bytes, SpeechError>> + Send + 'static,
{
    Box::pin(
        stream::once(asked)
            .try_flatten()
            .map_err(move |error| errors::presentable(error, key.as_ref())),
    )
}

/// Sound of another kind, made the telephone's as it arrives.
pub(super) fn converted(
    sound: impl Stream<Item = Result<Bytes, SpeechError>> + Send + 'static,
    reader: wav::Reader,
) -> impl Stream<Item = Result<Bytes, SpeechError>> + Send {
    stream::try_unfold((Box::pin(sound), Some(reader)), |(mut sound, reader)| async move {
        let Some(mut reader) = reader else { return Ok(None) };
        let mut samples = Vec::new();
        while let Some(bytes) = sound.next().await {
            reader.push(&bytes?, &mut samples).map_err(|wrong| errors::no_sound(&wrong))?;
            if !samples.is_empty() {
                return Ok(Some((mulaw(&samples), (sound, Some(reader)))));
            }
        }
        reader.finish(&mut samples).map_err(|wrong| errors::no_sound(&wrong))?;
        Ok((!samples.is_empty()).then(|| (mulaw(&samples), (sound, None))))
    })
}

pub(super) fn mulaw(samples: &[i16]) -> Bytes {
    samples.iter().map(|sample| g711::encode(*sample)).collect()
}

/// Waits for a part of the work, which has a deadline of its own.
pub(super) async fn within<T>(
    longest: Duration,
    what: &str,
    work: impl Future<Output = T>,
) -> Result<T, SpeechError> {
    timeout(longest, work).await.map_err(|_| late(what))
}
