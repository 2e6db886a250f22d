//! A double of OpenAI's transcriptions, on 127.0.0.1: reads the form and the WAV file in it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use webox::audio::g711;

use super::talk;

/// How a request is answered; the last one of a list is for all that follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// With the words.
    Words,
    /// With this status and this body.
    Status(u16, &'static str),
    /// Not at all.
    Never,
    /// With half of an answer.
    Half,
}

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) authorization: String,
    /// The fields of the form, but for the file.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) words: String,
}

pub(crate) struct FakeTranscriber {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeTranscriber {
    pub(crate) fn start(answers: &[Answer]) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (stop, stopped) = oneshot::channel();
        let (kept, answers) = (Arc::clone(&asked), answers.to_vec());
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    while let Ok((socket, _)) = listener.accept().await {
                        let answers = answers.clone();
                        tokio::spawn(serve(socket, answers, Arc::clone(&kept)));
                    }
                };
                tokio::select! { () = accept => {}, _ = stopped => {} }
            });
        });
        Self { address, asked, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for FakeTranscriber {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn serve(mut socket: TcpStream, answers: Vec<Answer>, kept: Arc<Mutex<Vec<Asked>>>) {
    let Some(asked) = read(&mut socket).await else { return };
    let number = {
        let mut kept = kept.lock().unwrap();
        kept.push(asked.clone());
        kept.len() - 1
    };
    let (status, body) = match answers[number.min(answers.len() - 1)] {
        Answer::Words => {
            let words = serde_json::json!({"text": asked.words, "usage": {"type": "duration"}});
            (200, words.to_string())
        }
        Answer::Status(status, body) => (status, body.to_owned()),
        Answer::Never => return tokio::time::sleep(Duration::from_mins(1)).await,
        Answer::Half => {
            let half = "HTTP/1.1 200 X\r\ncontent-length: 90\r\n\r\n{\"text\": \"zzprov";
            let _ = socket.write_all(half.as_bytes()).await;
            return;
        }
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         retry-after: 3\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = socket.write_all(head.as_bytes()).await;
    let _ = socket.shutdown().await;
}

async fn read(socket: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = find(&bytes, b"\r\n\r\n") {
            break at;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
        line.and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length:")?.parse().ok()?;
    let boundary = header("content-type:")?.split_once("boundary=")?.1.to_owned();
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if socket.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    let mut asked = Asked {
        path: head.split(' ').nth(1)?.to_owned(),
        authorization: header("authorization:").unwrap_or_default(),
        ..Asked::default()
    };
    let separator = format!("--{boundary}\r\n").into_bytes();
    let mut rest = &body[separator.len()..];
    while rest.len() > "\r\n".len() {
        let ends = find(rest, format!("\r\n--{boundary}").as_bytes())?;
        let part = &rest[..ends];
        let at = find(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&part[..at]).into_owned();
        let name = head.split_once("name=\"")?.1.split('"').next()?.to_owned();
        let value = &part[at + 4..];
        if name == "file" {
            assert!(head.contains("audio/wav") && value.starts_with(b"RIFF"), "{head}");
            let (samples, _) = value[44..].as_chunks::<2>();
            let sound: Vec<u8> =
                samples.iter().map(|sample| g711::encode(i16::from_le_bytes(*sample))).collect();
            asked.words = talk::words(&sound);
        } else {
            asked.fields.push((name, String::from_utf8_lossy(value).into_owned()));
        }
        let next = ends + separator.len() + 2;
        rest = rest.get(next..).unwrap_or_default();
    }
    Some(asked)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
