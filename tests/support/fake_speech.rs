//! A double of OpenAI's transcriptions and speech (OpenAI, "API reference: audio"): understands what
//! the test says that it understands, and speaks in a vowel.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// As it should.
    Well,
    /// It answers with a status.
    Fails(u16),
    /// It is late.
    Slow(Duration),
    /// It takes the request and never answers.
    Silent,
    /// What it sends is a page.
    Rubbish,
}

#[derive(Default)]
struct Shared {
    /// What is understood next.
    words: Mutex<VecDeque<String>>,
    /// What was spoken.
    spoken: Mutex<Vec<String>>,
    /// In which voices.
    voices: Mutex<Vec<String>>,
    /// Bytes of sound that were to be understood.
    heard: Mutex<Vec<usize>>,
    ear: Mutex<Option<Mood>>,
    mouth: Mutex<Option<Mood>>,
}

/// Ears and a mouth on this machine.
pub(crate) struct FakeSpeech {
    shared: Arc<Shared>,
    url: String,
    runtime: Option<tokio::runtime::Runtime>,
}

impl FakeSpeech {
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new()
            .route("/v1/audio/transcriptions", post(transcribe))
            .route("/v1/audio/speech", post(speak))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self { shared, url, runtime: Some(runtime) }
    }

    /// Its base URL, as `OPENAI_BASE_URL` wants it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it understands next, and after that nothing.
    pub(crate) fn understands<'a>(&self, words: impl IntoIterator<Item = &'a str>) {
        self.shared.words.lock().unwrap().extend(words.into_iter().map(str::to_owned));
    }

    pub(crate) fn ear(&self, mood: Mood) {
        *self.shared.ear.lock().unwrap() = Some(mood);
    }

    pub(crate) fn mouth(&self, mood: Mood) {
        *self.shared.mouth.lock().unwrap() = Some(mood);
    }

    /// The sentences that it was asked to speak.
    pub(crate) fn spoken(&self) -> Vec<String> {
        self.shared.spoken.lock().unwrap().clone()
    }

    /// A sentence that was spoken, and in which voice.
    pub(crate) fn voices(&self) -> Vec<(String, String)> {
        let voices = self.shared.voices.lock().unwrap().clone();
        self.spoken().into_iter().zip(voices).collect()
    }

    /// How often it was asked to understand something.
    pub(crate) fn asked(&self) -> usize {
        self.shared.heard.lock().unwrap().len()
    }
}

impl Drop for FakeSpeech {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn behave(mood: Option<Mood>) -> Option<Response> {
    match mood.unwrap_or(Mood::Well) {
        Mood::Well => None,
        Mood::Fails(status) => {
            let status = StatusCode::from_u16(status).unwrap();
            let body = json!({"error": {"message": "zzprovider", "type": "x", "code": "x"}});
            Some((status, Json(body)).into_response())
        }
        Mood::Slow(late) => {
            tokio::time::sleep(late).await;
            None
        }
        Mood::Silent => std::future::pending().await,
        Mood::Rubbish => {
            Some(([(header::CONTENT_TYPE, "text/html")], "<html>zzprovider</html>").into_response())
        }
    }
}

async fn transcribe(State(shared): State<Arc<Shared>>, body: axum::body::Bytes) -> Response {
    shared.heard.lock().unwrap().push(body.len());
    let mood = *shared.ear.lock().unwrap();
    if let Some(answer) = behave(mood).await {
        return answer;
    }
    let words = shared.words.lock().unwrap().pop_front().unwrap_or_default();
    Json(json!({ "text": words })).into_response()
}

async fn speak(State(shared): State<Arc<Shared>>, Json(asked): Json<Value>) -> Response {
    let text = asked["input"].as_str().unwrap_or_default().to_owned();
    shared.spoken.lock().unwrap().push(text.clone());
    shared.voices.lock().unwrap().push(asked["voice"].as_str().unwrap_or_default().to_owned());
    let mood = *shared.mouth.lock().unwrap();
    if let Some(answer) = behave(mood).await {
        return answer;
    }
    ([(header::CONTENT_TYPE, "audio/pcm")], Body::from(vowel(text.chars().count()))).into_response()
}

/// A vowel at 24 kHz, 25 ms for each character: quicker than any voice, and loud enough for one.
fn vowel(characters: usize) -> Vec<u8> {
    let samples = characters.max(10) * 600;
    (0..samples)
        .flat_map(|n| {
            let time = n as f32 / 24_000.0;
            let part = |hz: f32, gain: f32| (time * hz * std::f32::consts::TAU).sin() * gain;
            let sum = part(150.0, 0.5) + part(700.0, 1.0) + part(1_200.0, 0.6) + part(2_500.0, 0.3);
            ((sum * 6_000.0) as i16).to_le_bytes()
        })
        .collect()
}
