//! Sends a request and reads its event stream. The only file here that touches the network.
//!
//! Time belongs to the caller, who drops the stream. Nothing is retried but a request that named
//! a field the model refuses: without that field, once, and never with it again.

use std::{
    collections::{BTreeSet, VecDeque},
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use reqwest::{
    Response,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value;

use super::{
    ChatEvent, ChatMessage, ChatModel, ChatRequest, ChatStream, ModelError, StopReason,
    errors::{self, broken, error},
    table::Capabilities,
    wire::{Decoder, Wire},
};
use crate::{
    domain::{Outcome, Secret},
    providers::refusal,
};

/// Hosts are near, or not worth waiting for while somebody listens.
const CONNECT: Duration = Duration::from_secs(2);

/// Bound on what an answer says: far more than anybody listens to.
const ANSWER: usize = 256 * 1024;

/// Bound on what an answer is wrapped in: events, padding, reasoning.
const WRAPPED: usize = 2 * 1024 * 1024;

/// A byte order mark, which a stream of events may begin with (WHATWG HTML, 9.2.6). It is taken out here:
/// `eventsource-stream` 0.2.3 panics over it.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Bound on the text of a refusal.
const REFUSAL: usize = 64 * 1024;

/// Fields without which a request would be another one.
const ESSENTIAL: [&str; 8] =
    ["model", "messages", "system", "instructions", "input", "tools", "stream", "max_tokens"];

/// Fields that may be found refused, one after the other, in one request.
const REFUSED: usize = 3;

/// The client of all models, and what it has learnt of them.
#[derive(Default)]
pub(super) struct Http {
    client: OnceLock<reqwest::Client>,
    /// Model and address, and the field they refuse.
    refused: Mutex<BTreeSet<(String, String)>>,
}

impl Http {
    pub(super) fn client(&self) -> Result<&reqwest::Client, ModelError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| unreachable(&cause))?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// How a provider knows who asks.
#[derive(Debug, Clone)]
pub(super) enum Auth {
    Bearer(Secret),
    ApiKey(Secret),
    None,
}

impl Auth {
    fn key(&self) -> Option<&Secret> {
        match self {
            Self::Bearer(key) | Self::ApiKey(key) => Some(key),
            Self::None => None,
        }
    }
}

/// A model at an address.
#[derive(Clone)]
pub(super) struct RemoteModel {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) url: String,
    pub(super) auth: Auth,
    pub(super) wire: Wire,
    pub(super) capabilities: Capabilities,
    pub(super) http: Arc<Http>,
}

impl ChatModel for RemoteModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn stream(&self, request: ChatRequest) -> ChatStream {
        let model = self.clone();
        let key = self.auth.key().cloned();
        let answer = async move { model.ask(&request).await.map(events) };
        Box::pin(
            stream::once(answer)
                .try_flatten()
                .map_err(move |error| errors::presentable(error, key.as_ref())),
        )
    }
}

impl RemoteModel {
    async fn ask(&self, request: &ChatRequest) -> Result<Answer, ModelError> {
        let mut body = self.wire.body(&self.capabilities, &self.model, request);
        self.leave_out_refused(&mut body);
        let mut refused = 0;
        loop {
            let response = self.send(&body).await?;
            let status = response.status().as_u16();
            if status == 200 {
                return self.answer(response, request).await;
            }
            let retry_after = retry_after(response.headers());
            let text = read(response).await?;
            match errors::refused_field(status, &text) {
                Some(field) if refused < REFUSED && leave_out(&mut body, &field) => {
                    tracing::info!(model = %self.id, field, "the model refuses a field, it is left out");
                    self.remember(field);
                    refused += 1;
                }
                _ => return Err(errors::refused(self.wire, status, retry_after, &text)),
            }
        }
    }

    async fn send(&self, body: &Value) -> Result<Response, ModelError> {
        let request = self.http.client()?.post(&self.url).json(body);
        let request = match &self.auth {
            Auth::Bearer(key) => request.bearer_auth(key.expose()),
            Auth::ApiKey(key) => request.header("x-api-key", key.expose()),
            Auth::None => request,
        };
        let request = match self.wire {
            Wire::Messages => request.header("anthropic-version", "2023-06-01"),
            Wire::ChatCompletions | Wire::Responses => request,
        };
        request.send().await.map_err(|cause| unreachable(&cause))
    }

    async fn answer(
        &self,
        response: Response,
        request: &ChatRequest,
    ) -> Result<Answer, ModelError> {
        let header = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = header.unwrap_or_default().to_ascii_lowercase();
        if content_type.contains("json") || content_type.contains("html") {
            let text = read(response).await?;
            return Err(match serde_json::from_str::<Value>(&text) {
                Ok(json) if !json["error"].is_null() => errors::in_stream(&json),
                _ => error(Outcome::Unusable, format!("{content_type}, not an event stream")),
            });
        }
        let pieces = response
            .bytes_stream()
            .map(|piece| piece.map_err(|cause| broken(refusal::reason(&cause))));
        // After a tool, there may be nothing left to say.
        let may_be_empty = matches!(request.messages.last(), Some(ChatMessage::ToolResult { .. }));
        Ok(Answer::arriving(pieces, self.wire, may_be_empty))
    }

    fn leave_out_refused(&self, body: &mut Value) {
        let refused = self.http.refused.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, field) in refused.iter().filter(|(model, _)| *model == self.place()) {
            leave_out(body, field);
        }
    }

    fn remember(&self, field: String) {
        let mut refused = self.http.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert((self.place(), field));
    }

    fn place(&self) -> String {
        format!("{} {}", self.model, self.url)
    }
}

/// Takes a field out of a request, if it is there and not essential.
fn leave_out(body: &mut Value, field: &str) -> bool {
    !ESSENTIAL.contains(&field)
        && body.as_object_mut().is_some_and(|body| body.remove(field).is_some())
}

type Events = Pin<Box<dyn Stream<Item = Result<Event, EventStreamError<ModelError>>> + Send>>;

/// An answer that is arriving.
pub(super) struct Answer {
    events: Events,
    decoder: Box<dyn Decoder>,
    decoded: VecDeque<ChatEvent>,
    size: usize,
    heard: bool,
    over: bool,
    may_be_empty: bool,
}

pub(super) fn events(answer: Answer) -> impl Stream<Item = Result<ChatEvent, ModelError>> + Send {
    stream::try_unfold(answer, |mut answer| async move {
        Ok(answer.next().await?.map(|event| (event, answer)))
    })
}

impl Answer {
    /// One that comes in such pieces.
    pub(super) fn arriving(
        pieces: impl Stream<Item = Result<Bytes, ModelError>> + Send + 'static,
        wire: Wire,
        may_be_empty: bool,
    ) -> Self {
        let (mut size, mut begin) = (0, Some(Vec::new()));
        let bytes = pieces.map(move |piece| {
            let piece = piece?;
            size += piece.len();
            if size > WRAPPED {
                return Err(too_long());
            }
            let Some(held) = &mut begin else { return Ok(piece) };
            held.extend_from_slice(&piece);
            while held.starts_with(MARK) {
                held.drain(..MARK.len());
            }
            if MARK.starts_with(held) {
                return Ok(Bytes::new());
            }
            Ok(begin.take().unwrap_or_default().into())
        });
        Self {
            events: Box::pin(bytes.eventsource()),
            decoder: wire.decoder(),
            decoded: VecDeque::new(),
            size: 0,
            heard: false,
            over: false,
            may_be_empty,
        }
    }

    async fn next(&mut self) -> Result<Option<ChatEvent>, ModelError> {
        while !self.over {
            if let Some(event) = self.decoded.pop_front() {
                return self.check(event).map(Some);
            }
            match self.events.next().await {
                Some(Ok(event)) => {
                    self.heard = true;
                    self.decoded.extend(self.decoder.event(&event.data)?);
                }
                Some(Err(EventStreamError::Transport(cause))) => return Err(cause),
                Some(Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_))) => {
                    return Err(error(Outcome::Unusable, "the answer is not an event stream"));
                }
                None if self.heard => self.decoded.extend(self.decoder.finish()?),
                None => return Err(error(Outcome::Unusable, "the answer is empty")),
            }
        }
        Ok(None)
    }

    /// Keeps count, and sees the end.
    fn check(&mut self, event: ChatEvent) -> Result<ChatEvent, ModelError> {
        match &event {
            ChatEvent::Text(text) => self.size += text.len(),
            ChatEvent::ToolCall(call) => self.size += call.name.len() + call.arguments.len(),
            ChatEvent::Done { reason, .. } => {
                self.over = true;
                if self.size == 0 && *reason != StopReason::Declined && !self.may_be_empty {
                    return Err(error(Outcome::Unusable, "the answer says nothing"));
                }
            }
        }
        if self.size > ANSWER { Err(too_long()) } else { Ok(event) }
    }
}

fn too_long() -> ModelError {
    error(Outcome::Unusable, "the answer is too long")
}

/// The beginning of a body that is not an answer.
pub(super) async fn read(mut response: Response) -> Result<String, ModelError> {
    let mut bytes = Vec::new();
    while bytes.len() < REFUSAL {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Err(cause) if bytes.is_empty() => return Err(broken(refusal::reason(&cause))),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(REFUSAL);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn unreachable(cause: &reqwest::Error) -> ModelError {
    let (outcome, reason) = refusal::unreachable(cause);
    error(outcome, reason)
}

pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    refusal::retry_after(|name| headers.get(name)?.to_str().ok())
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
