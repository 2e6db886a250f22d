//! A double of Deepgram's two listening sockets, on 127.0.0.1. `tests/ears.rs` compares its messages
//! with Deepgram's own description of them, where that lies beside the checkout.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};
use webox::audio::g711;

use super::talk;

/// What a connection does; the last one of a list is for all that follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// As it should.
    Hears,
    /// Each word is final as soon as the next one begins.
    FinalWords,
    /// Refuses the handshake.
    Refuses(u16),
    /// Takes the connection, and says nothing at all.
    NeverAnswers,
    /// Takes the WebSocket, and says nothing at all.
    Mute,
    /// Answers sound with this.
    Says(&'static str),
    /// Answers sound with bytes.
    SaysBytes,
    /// Breaks off after so many bytes of sound.
    BreaksAfter(usize),
    /// Does not answer when it is asked to finish.
    NeverFinishes,
    /// Whatever the sound, understands these, one after the other, each as a language.
    Understands(&'static [(&'static str, &'static str)]),
}

/// What it has seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Path and query, and the authorisation, of each connection.
    pub(crate) requests: Vec<(String, String)>,
    /// The text messages of all connections.
    pub(crate) texts: Vec<String>,
    /// The sound of each connection.
    pub(crate) sounds: Vec<Vec<u8>>,
    /// How many utterances were understood.
    understood: usize,
}

pub(crate) struct FakeDeepgram {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeDeepgram {
    pub(crate) fn start(manners: &[Manner]) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let (stop, stopped) = oneshot::channel();
        let (kept, manners) = (Arc::clone(&seen), manners.to_vec());
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    let mut number = 0;
                    while let Ok((socket, _)) = listener.accept().await {
                        let manner = manners[number.min(manners.len() - 1)];
                        number += 1;
                        tokio::spawn(serve(socket, manner, Arc::clone(&kept)));
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { address, seen, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for FakeDeepgram {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

#[allow(clippy::result_large_err, reason = "the type of the handshake's callback")]
async fn serve(socket: TcpStream, manner: Manner, seen: Arc<Mutex<Seen>>) {
    if manner == Manner::NeverAnswers {
        std::future::pending::<()>().await;
    }
    let mut path = String::new();
    let shake = |request: &Request, response: Response| {
        path = request.uri().to_string();
        let key = request.headers().get("authorization").map(|key| key.to_str().unwrap());
        let asked = (path.clone(), key.unwrap_or_default().to_owned());
        seen.lock().unwrap().requests.push(asked);
        let Manner::Refuses(status) = manner else { return Ok(response) };
        let why = if status == 401 { "Invalid credentials." } else { "zzprovider: no." };
        let refusal = ErrorResponse::new(Some(String::new()));
        let (mut head, body) = refusal.into_parts();
        head.status = status.try_into().unwrap();
        head.headers.insert("dg-error", why.parse().unwrap());
        head.headers.insert("retry-after", "7".parse().unwrap());
        Err(ErrorResponse::from_parts(head, body))
    };
    let Ok(socket) = accept_hdr_async(socket, shake).await else { return };
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.sounds.push(Vec::new());
        seen.sounds.len() - 1
    };
    let line = Line { socket, manner, seen, number, sound: Vec::new(), told: 0, turn: 0 };
    // A client that goes away ends its connection, and nothing else.
    let _ = if path.starts_with("/v2/") { line.flux().await } else { line.nova().await };
}

struct Line {
    socket: WebSocketStream<TcpStream>,
    manner: Manner,
    seen: Arc<Mutex<Seen>>,
    number: usize,
    sound: Vec<u8>,
    /// Up to where it has been told as final.
    told: usize,
    turn: u64,
}

type Gone = Result<(), Box<dyn std::error::Error + Send + Sync>>;

impl Line {
    /// The next text, after the sound before it was heard; nothing when it is over.
    async fn next(
        &mut self,
    ) -> Result<Option<Option<String>>, tokio_tungstenite::tungstenite::Error> {
        loop {
            let Some(message) = self.socket.next().await.transpose()? else { return Ok(None) };
            match message {
                Message::Binary(sound) => {
                    self.seen.lock().unwrap().sounds[self.number].extend_from_slice(&sound);
                    self.sound.extend_from_slice(&sound);
                    match self.manner {
                        Manner::Mute => {}
                        Manner::BreaksAfter(bytes) if self.sound.len() >= bytes => return Ok(None),
                        Manner::Says(text) => self.socket.send(Message::text(text)).await?,
                        Manner::SaysBytes => {
                            self.socket.send(Message::binary(vec![0xff, 0])).await?;
                        }
                        _ => return Ok(Some(None)),
                    }
                }
                Message::Text(text) => {
                    self.seen.lock().unwrap().texts.push(text.to_string());
                    if self.manner != Manner::Mute {
                        return Ok(Some(Some(text.to_string())));
                    }
                }
                Message::Close(_) => return Ok(None),
                _ => {}
            }
        }
    }

    async fn tell(&mut self, message: &Value) -> Gone {
        Ok(self.socket.send(Message::text(message.to_string())).await?)
    }

    async fn nova(mut self) -> Gone {
        while let Some(text) = self.next().await? {
            let Some(text) = text else {
                if matches!(self.manner, Manner::Understands(_)) {
                    continue;
                }
                let words = talk::words(&self.sound[self.told..]);
                if self.manner == Manner::FinalWords && words.contains(' ') {
                    let word = words.split(' ').next().unwrap();
                    let length = 1_600;
                    let result = results(self.told, length, word, true, false);
                    self.told += length;
                    self.tell(&result).await?;
                    continue;
                }
                let result = results(self.told, self.sound.len() - self.told, &words, false, false);
                self.tell(&result).await?;
                continue;
            };
            let message: Value = serde_json::from_str(&text)?;
            match message["type"].as_str().unwrap() {
                "Finalize" if self.manner != Manner::NeverFinishes => self.finalise(true).await?,
                "CloseStream" => {
                    self.finalise(false).await?;
                    self.tell(&metadata()).await?;
                    self.socket.close(None).await?;
                    return Ok(());
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn finalise(&mut self, from_finalize: bool) -> Gone {
        if let (Manner::Understands(phrases), true) = (self.manner, from_finalize) {
            let next = {
                let mut seen = self.seen.lock().unwrap();
                seen.understood += 1;
                phrases.get(seen.understood - 1).copied()
            };
            let (words, language) = next.unwrap_or_default();
            let length = self.sound.len() - self.told;
            let mut result = results(self.told, length, words, true, from_finalize);
            result["channel"]["alternatives"][0]["languages"] = json!([language]);
            self.told = self.sound.len();
            return self.tell(&result).await;
        }
        let words = talk::words(&self.sound[self.told..]);
        let length = self.sound.len() - self.told;
        let result = results(self.told, length, &words, true, from_finalize);
        self.told = self.sound.len();
        self.tell(&result).await
    }

    async fn flux(mut self) -> Gone {
        self.tell(&connected()).await?;
        let mut open = false;
        let mut eager = false;
        while let Some(text) = self.next().await? {
            if text.as_ref().is_some_and(|text| text.contains("CloseStream")) {
                self.socket.close(None).await?;
                return Ok(());
            }
            let words = talk::words(&self.sound[self.told..]);
            let quiet = self.sound.iter().rev().take_while(|b| **b == g711::SILENCE).count();
            let forced = text.is_some_and(|text| text.contains("ForceEndTurn"));
            let event = match (open, eager) {
                (false, _) if words.is_empty() => "Update",
                (false, _) => "StartOfTurn",
                _ if self.manner == Manner::NeverFinishes => "Update",
                _ if forced || quiet >= 2_400 => "EndOfTurn",
                (true, false) if quiet >= 1_200 => "EagerEndOfTurn",
                (true, true) if quiet == 0 => "TurnResumed",
                _ => "Update",
            };
            open = open && event != "EndOfTurn" || event == "StartOfTurn";
            eager = match event {
                "EagerEndOfTurn" => true,
                "Update" => eager,
                _ => false,
            };
            let info = turn_info(event, self.turn, self.sound.len(), &words);
            if event == "EndOfTurn" {
                self.turn += 1;
                self.told = self.sound.len();
            }
            self.tell(&info).await?;
        }
        Ok(())
    }
}

const REQUEST: &str = "8c8ebea9-dbec-45fa-a035-e4632cb05b5f";

fn seconds(bytes: usize) -> f64 {
    bytes as f64 / 8_000.0
}

pub(crate) fn results(
    start: usize,
    length: usize,
    words: &str,
    is_final: bool,
    from_finalize: bool,
) -> Value {
    let told: Vec<Value> = words
        .split_whitespace()
        .map(|word| json!({"word": word, "start": 0.0, "end": 0.2, "confidence": 0.9}))
        .collect();
    json!({
        "type": "Results", "channel_index": [0, 1], "start": seconds(start),
        "duration": seconds(length), "is_final": is_final, "speech_final": false,
        "from_finalize": from_finalize,
        "channel": {"alternatives": [
            {"transcript": words, "confidence": 0.9, "languages": ["en"], "words": told},
        ]},
        "metadata": {
            "request_id": REQUEST, "model_uuid": REQUEST,
            "model_info": {"name": "general-nova-3", "version": "2026-01-01.0", "arch": "nova-3"},
        },
    })
}

pub(crate) fn metadata() -> Value {
    json!({
        "type": "Metadata", "transaction_key": "deprecated", "request_id": REQUEST,
        "sha256": "e3b0", "created": "2026-08-29T22:37:55.202Z", "duration": 0.0, "channels": 1,
    })
}

pub(crate) fn connected() -> Value {
    json!({"type": "Connected", "request_id": REQUEST, "sequence_id": 0})
}

pub(crate) fn turn_info(event: &str, turn: u64, bytes: usize, words: &str) -> Value {
    let told: Vec<Value> =
        words.split_whitespace().map(|word| json!({"word": word, "confidence": 0.9})).collect();
    json!({
        "type": "TurnInfo", "request_id": REQUEST, "sequence_id": 1, "event": event,
        "turn_index": turn, "audio_window_start": 0.0, "audio_window_end": seconds(bytes),
        "transcript": words, "words": told, "end_of_turn_confidence": 0.5, "languages": ["en"],
    })
}
