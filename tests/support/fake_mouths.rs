//! Doubles of those who speak: a small HTTP server of which every byte is ours, so that sound can be
//! late, slow, cut off or no sound at all. It speaks WebSocket where it is asked to.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::sleep,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// The key that the doubles are sent, and quote in their refusals.
pub(crate) const KEY: &str = "mouth-double-5b1e77a0c4";

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The path and the query.
    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap()
    }
}

/// What is said to one request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Sound, in pieces of this many bytes.
    Sound(Vec<u8>, usize),
    /// A status, a content type, more headers, a body.
    Whole(u16, &'static str, &'static str, Vec<u8>),
    /// Some sound, and then nothing more.
    Stalls(Vec<u8>),
    /// Some sound, and then the connection is gone.
    Cut(Vec<u8>),
    /// Sound without an end.
    Endless,
    /// Nothing at all.
    Silence,
    /// Over a WebSocket: messages, and whether it is closed or left open after them.
    Socket(Vec<Value>, End),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Close,
    Open,
}

/// Messages of ElevenLabs's socket for some sound.
pub(crate) fn spoken(sound: &[u8], piece: usize) -> Vec<Value> {
    let mut messages: Vec<Value> = sound
        .chunks(piece)
        .map(|piece| json!({"audio": STANDARD.encode(piece), "isFinal": null, "alignment": null}))
        .collect();
    messages.push(json!({"audio": null, "isFinal": true}));
    messages
}

/// A server that stops when it is dropped.
pub(crate) struct FakeMouth {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    asked: Vec<Asked>,
    gone: usize,
}

impl FakeMouth {
    /// Gives the first request the first answer, and so on; the last one repeats.
    pub(crate) fn start(answers: Vec<Answer>) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        let (stop, stopped) = oneshot::channel();
        let noted = Arc::clone(&seen);
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let answers: Arc<[Answer]> = answers.into();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    while let Ok((socket, _)) = listener.accept().await {
                        // A client that goes away ends its connection, and nothing else.
                        tokio::spawn(serve(socket, Arc::clone(&answers), Arc::clone(&noted)));
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { address, seen, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().asked.clone()
    }

    /// Waits until a listener of endless sound has gone away.
    pub(crate) async fn left_alone(&self) {
        for _ in 0..1_000 {
            if self.seen.lock().unwrap().gone > 0 {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("still connected");
    }
}

impl Drop for FakeMouth {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn serve(
    mut socket: TcpStream,
    answers: Arc<[Answer]>,
    seen: Arc<Mutex<Seen>>,
) -> io::Result<()> {
    socket.set_nodelay(true)?;
    if is_upgrade(&socket).await? {
        return serve_socket(socket, &answers, &seen).await;
    }
    let asked = read(&mut socket).await?;
    let answer = note(&answers, &seen, asked);
    match answer {
        Answer::Sound(sound, piece) => {
            head(&mut socket).await?;
            for piece in sound.chunks(piece.max(1)) {
                chunk(&mut socket, piece).await?;
            }
            socket.write_all(b"0\r\n\r\n").await?;
            socket.shutdown().await
        }
        Answer::Whole(status, content_type, headers, body) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\
                 {headers}connection: close\r\n\r\n",
                body.len()
            );
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&body).await?;
            socket.shutdown().await
        }
        Answer::Stalls(sound) => {
            head(&mut socket).await?;
            chunk(&mut socket, &sound).await?;
            sleep(Duration::from_mins(1)).await;
            Ok(())
        }
        Answer::Cut(sound) => {
            head(&mut socket).await?;
            chunk(&mut socket, &sound).await
        }
        Answer::Endless => {
            head(&mut socket).await?;
            while chunk(&mut socket, &[0x90; 400]).await.is_ok() {
                sleep(Duration::from_millis(5)).await;
            }
            seen.lock().unwrap().gone += 1;
            Ok(())
        }
        Answer::Silence | Answer::Socket(..) => {
            sleep(Duration::from_mins(1)).await;
            Ok(())
        }
    }
}

/// Reads the words of an utterance as requests, and answers after the closing one.
async fn serve_socket(socket: TcpStream, answers: &[Answer], seen: &Mutex<Seen>) -> io::Result<()> {
    let mut bytes = vec![0; 8 * 1024];
    let length = socket.peek(&mut bytes).await?;
    let mut asked = parse(&String::from_utf8_lossy(&bytes[..length]));
    let index = seen.lock().unwrap().asked.len();
    let Answer::Socket(messages, end) = &answers[index.min(answers.len() - 1)] else {
        // Refused before it opens.
        let mut socket = socket;
        let asked = read(&mut socket).await?;
        if let Answer::Whole(status, _, _, body) = note(answers, seen, asked) {
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&body).await?;
            return socket.shutdown().await;
        }
        sleep(Duration::from_mins(1)).await;
        return Ok(());
    };
    let mut socket = accept_async(socket).await.map_err(io::Error::other)?;
    let mut said = Vec::new();
    while let Some(Ok(Message::Text(text))) = socket.next().await {
        let words: Value = serde_json::from_str(&text).map_err(io::Error::other)?;
        let over = words["text"] == "";
        said.push(words);
        if over {
            break;
        }
    }
    asked.body = Value::from(said).to_string();
    note(answers, seen, asked);
    // The other side may go at any time, also between two messages.
    let mut there = true;
    for message in messages {
        there = there && socket.send(Message::text(message.to_string())).await.is_ok();
    }
    if *end == End::Close {
        return socket.close(None).await.map_err(io::Error::other);
    }
    while there && let Some(Ok(_)) = socket.next().await {}
    seen.lock().unwrap().gone += 1;
    Ok(())
}

fn note(answers: &[Answer], seen: &Mutex<Seen>, asked: Asked) -> Answer {
    let mut seen = seen.lock().unwrap();
    seen.asked.push(asked);
    answers[(seen.asked.len() - 1).min(answers.len() - 1)].clone()
}

async fn is_upgrade(socket: &TcpStream) -> io::Result<bool> {
    let mut bytes = vec![0; 8 * 1024];
    loop {
        let length = socket.peek(&mut bytes).await?;
        let text = String::from_utf8_lossy(&bytes[..length]).to_ascii_lowercase();
        if length == 0 || text.contains("\r\n\r\n") {
            return Ok(text.contains("upgrade: websocket"));
        }
        sleep(Duration::from_millis(1)).await;
    }
}

async fn head(socket: &mut TcpStream) -> io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: audio/basic\r\ntransfer-encoding: chunked\r\n\
                connection: close\r\n\r\n";
    socket.write_all(head.as_bytes()).await
}

async fn chunk(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    socket.write_all(&framed).await
}

async fn read(socket: &mut TcpStream) -> io::Result<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if socket.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let mut asked = parse(&String::from_utf8_lossy(&bytes[..end]));
    let length = asked.header("content-length").parse().unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if socket.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Ok(asked)
}

fn parse(head: &str) -> Asked {
    let mut lines = head.lines();
    let line = lines.next().unwrap_or_default().to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Asked { line, headers, body: String::new() }
}
