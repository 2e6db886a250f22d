//! A provider that takes a fixed time for everything and never fails: mind, ears and mouth of the
//! assistants that are measured. Its mind and ears are those of OpenAI (OpenAI, "API reference":
//! chat completions, transcriptions), its mouth is that of ElevenLabs (ElevenLabs, "Stream speech"),
//! in the telephone's own format.
//!
//! Everything that is answered comes at once after its delay, so that what webox itself takes is
//! the rest.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use crate::{
    domain::{Error, Result},
    line::{WORDS_ASKED_AFTER, pause_after},
};

/// What it says, with a number that is another one each time: what was said once is kept, and would
/// not be asked for again.
fn sentence(number: u64) -> String {
    format!(
        "Pour la demande {number}, nous sommes ouverts tous les jours de midi à vingt-trois heures. \
         Souhaitez-vous autre chose ?"
    )
}

/// What it always understands.
const UNDERSTOOD: &str = "À quelle heure ouvrez-vous demain ?";

/// A fair speaker takes so long for a character.
const CHARACTER: Duration = Duration::from_millis(65);

/// Bytes a second of μ-law.
const BYTES_A_SECOND: usize = 8_000;

/// No text is spoken for longer.
const LONGEST: usize = 30;

/// How long it takes.
#[derive(Debug, Clone, Copy)]
pub struct Delays {
    /// To understand what was said.
    pub hearing: Duration,
    /// To think of an answer.
    pub thinking: Duration,
    /// To begin to speak.
    pub speaking: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            hearing: Duration::from_millis(150),
            thinking: Duration::from_millis(300),
            speaking: Duration::from_millis(100),
        }
    }
}

impl Delays {
    /// From the caller's last sound to the first of an answer, with the usual silence that ends an
    /// utterance. The words are asked for while that silence goes on; an assistant that starts early
    /// thinks meanwhile as well.
    pub fn of_answer(self, pause: Duration, start_early: bool) -> Duration {
        let pause = u32::try_from(pause.as_millis()).unwrap_or(u32::MAX);
        let silence = Duration::from_millis(pause_after(UNDERSTOOD, pause).into());
        let understood = WORDS_ASKED_AFTER + self.hearing;
        let thought = if start_early {
            silence.max(understood + self.thinking)
        } else {
            silence.max(understood) + self.thinking
        };
        thought + self.speaking
    }
}

/// What is said in a call that follows a script, for an ear that cannot hear.
#[derive(Debug, Clone, Default)]
pub(in crate::rehearsal) struct Prompter(Arc<Mutex<Option<String>>>);

impl Prompter {
    /// These words are said now. They are understood once: a pause may cut what is said into two.
    pub(in crate::rehearsal) fn says(&self, words: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.to_owned());
    }

    fn understood(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default()
    }
}

/// A provider that stops when it is dropped.
pub(in crate::rehearsal) struct Stubs {
    url: String,
    task: JoinHandle<()>,
}

struct Fixed {
    delays: Delays,
    /// [`LONGEST`] seconds of speech; answers are parts of it, and nothing is copied.
    sound: Bytes,
    /// Answers thought of so far.
    thought: AtomicU64,
    /// Tells what is understood; always the same otherwise.
    prompter: Option<Prompter>,
}

impl Stubs {
    /// Listens on a free port of this machine.
    pub(super) async fn start(delays: Delays, speech: &[u8]) -> Result<Self> {
        let sound = sound(speech);
        Self::listen(Fixed { delays, sound, thought: AtomicU64::new(0), prompter: None }).await
    }

    /// An ear that is told what it hears, and takes as long as one that hears it.
    pub(in crate::rehearsal) async fn prompted(prompter: Prompter) -> Result<Self> {
        let (delays, sound) = (Delays::default(), Bytes::new());
        let prompter = Some(prompter);
        Self::listen(Fixed { delays, sound, thought: AtomicU64::new(0), prompter }).await
    }

    async fn listen(fixed: Fixed) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::failure("no port of this machine could be bound").because(error)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        Ok(Self { url, task: tokio::spawn(serve(listener, Arc::new(fixed))) })
    }

    /// The base address, as `OPENAI_BASE_URL` wants it.
    pub(in crate::rehearsal) fn of_openai(&self) -> String {
        format!("{}/v1", self.url)
    }

    /// The base address, as `ELEVENLABS_BASE_URL` wants it.
    pub(super) fn of_elevenlabs(&self) -> &str {
        &self.url
    }
}

impl Drop for Stubs {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The same speech again and again.
fn sound(speech: &[u8]) -> Bytes {
    speech.iter().copied().cycle().take(LONGEST * BYTES_A_SECOND).collect()
}

async fn serve(listener: TcpListener, fixed: Arc<Fixed>) {
    let mut connections = JoinSet::new();
    // A listener on this machine fails only for want of files: then there is nothing to serve.
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let fixed = Arc::clone(&fixed);
        let service = service_fn(move |request| answer(request, Arc::clone(&fixed)));
        connections.spawn(async move {
            // Whoever breaks off is the daemon that is measured; it says so itself.
            let mut http = http1::Builder::new();
            let _ =
                http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    request: Request<Incoming>,
    fixed: Arc<Fixed>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
    let body = body.unwrap_or_default();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let (delay, kind, content) = match path.strip_prefix("/v1") {
        Some("/chat/completions") => {
            let number = fixed.thought.fetch_add(1, Ordering::Relaxed);
            let (kind, content) = thought(&asked, &sentence(number));
            (fixed.delays.thinking, kind, content)
        }
        Some("/audio/transcriptions") => {
            let prompted = fixed.prompter.as_ref().map(Prompter::understood);
            let words = prompted.as_deref().unwrap_or(UNDERSTOOD);
            let content = json!({ "text": words }).to_string();
            (fixed.delays.hearing, "application/json", content.into())
        }
        Some(path) if path.starts_with("/text-to-speech/") => {
            let text = asked["text"].as_str().unwrap_or_default();
            (fixed.delays.speaking, "audio/basic", fixed.spoken(text))
        }
        _ => {
            let message = format!("there is no {path} here");
            let content = json!({ "error": { "message": message } }).to_string();
            let mut response = Response::new(Full::from(content));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return Ok(response);
        }
    };
    tokio::time::sleep(delay).await;
    let mut response = Response::new(Full::new(content));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

impl Fixed {
    /// As much sound as a text takes; none where there is no voice.
    fn spoken(&self, text: &str) -> Bytes {
        self.sound.slice(..spoken_length(text).min(self.sound.len()))
    }
}

/// How many bytes a text is spoken in.
fn spoken_length(text: &str) -> usize {
    let time = CHARACTER * text.chars().count().min(1_000) as u32;
    let bytes = (time.as_secs_f64() * BYTES_A_SECOND as f64) as usize;
    bytes.min(LONGEST * BYTES_A_SECOND)
}

/// An answer, in the form that is asked for.
fn thought(asked: &Value, sentence: &str) -> (&'static str, Bytes) {
    let usage = json!({ "prompt_tokens": 700, "completion_tokens": 25, "total_tokens": 725 });
    if asked["stream"] != true {
        let message = json!({ "role": "assistant", "content": sentence });
        let whole = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "stub",
            "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
            "usage": usage,
        });
        return ("application/json", whole.to_string().into());
    }
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "stub",
            "choices": choices, "usage": usage,
        });
        format!("data: {chunk}\n\n")
    };
    let delta = |delta: Value, reason: Value| {
        chunk(json!([{ "index": 0, "delta": delta, "finish_reason": reason }]), Value::Null)
    };
    let mut text = delta(json!({ "role": "assistant", "content": "" }), Value::Null);
    for word in sentence.split_inclusive(' ') {
        text.push_str(&delta(json!({ "content": word }), Value::Null));
    }
    text.push_str(&delta(json!({}), "stop".into()));
    if asked["stream_options"]["include_usage"] == true {
        text.push_str(&chunk(json!([]), usage));
    }
    text.push_str("data: [DONE]\n\n");
    ("text/event-stream", text.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_hears_thinks_and_speaks_as_its_vendors_do() {
        let none = Duration::ZERO;
        let delays = Delays { hearing: none, thinking: none, speaking: none };
        let stubs = Stubs::start(delays, &[0x80; 800]).await.unwrap();
        let client = reqwest::Client::new();
        let ask = async |path: &str, body: Value| {
            let response = client
                .post(format!("{}{path}", stubs.of_openai()))
                .json(&body)
                .send()
                .await
                .unwrap();
            (response.status().as_u16(), response.bytes().await.unwrap())
        };
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let streamed = json!({ "stream": true, "stream_options": { "include_usage": true } });
        let thought = text(ask("/chat/completions", streamed).await.1);
        let words: String = thought
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
            .filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
            .collect();
        assert_eq!(words, sentence(0));
        assert!(thought.ends_with("data: [DONE]\n\n") && thought.contains("total_tokens"));
        let whole = text(ask("/chat/completions", json!({})).await.1);
        assert!(whole.contains(&sentence(1)), "another one each time");
        assert!(text(ask("/audio/transcriptions", json!({})).await.1).contains(UNDERSTOOD));
        let voice = "/text-to-speech/x/stream?output_format=ulaw_8000";
        let (_, sound) = ask(voice, json!({ "text": "Bonjour !!" })).await;
        assert_eq!((sound.len(), sound[0]), (5_200, 0x80), "650 ms");
        let long = "a".repeat(5_000);
        let (_, sound) = ask(voice, json!({ "text": long })).await;
        assert_eq!(sound.len(), LONGEST * BYTES_A_SECOND);
        assert_eq!(ask("/models", json!({})).await.0, 404);
    }

    #[test]
    fn what_is_not_ours_overlaps() {
        let (delays, ms) = (Delays::default(), Duration::from_millis);
        assert_eq!(delays.of_answer(ms(500), false), ms(800), "a question ends after 400 ms");
        assert_eq!(delays.of_answer(ms(300), false), ms(790), "the words come after 390");
        assert_eq!(delays.of_answer(ms(500), true), ms(790), "thought meanwhile");
        assert_eq!(delays.of_answer(ms(1_000), true), ms(900));
    }

    #[tokio::test]
    async fn a_prompted_ear_understands_what_is_said_once() {
        let prompter = Prompter::default();
        let stubs = Stubs::prompted(prompter.clone()).await.unwrap();
        let client = reqwest::Client::new();
        let hear = async || {
            let url = format!("{}/audio/transcriptions", stubs.of_openai());
            let heard: Value = client.post(url).send().await.unwrap().json().await.unwrap();
            heard["text"].as_str().unwrap().to_owned()
        };
        assert_eq!(hear().await, "");
        prompter.says("Bonjour");
        assert_eq!((hear().await, hear().await), ("Bonjour".to_owned(), String::new()));
    }
}
