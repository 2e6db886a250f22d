//! A double of Google's `StreamingRecognize` (Speech-to-Text v2), on 127.0.0.1: gRPC over HTTP/2 without
//! TLS, with the few fields of its messages that matter. Their numbers are those of
//! `google/cloud/speech/v2/cloud_speech.proto`.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
};

use axum::http::{HeaderMap, Response};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use h2::{RecvStream, SendStream, server, server::SendResponse};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

use super::talk;

/// What a stream does; the last one of a list is for all that follow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Hears,
    /// Ends at once with this gRPC status.
    Refuses(u8),
    /// Takes the connection, and says nothing at all.
    NeverAnswers,
    /// Takes the stream, and says nothing at all.
    Mute,
    /// Breaks off with `UNAVAILABLE` after so many bytes of sound.
    BreaksAfter(usize),
    /// Tells what it hears, but never that it is over.
    NeverFinishes,
}

/// A stream as it was seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streamed {
    pub(crate) recognizer: String,
    /// The fields of the configuration that are texts: its model and its languages.
    pub(crate) model: String,
    pub(crate) languages: Vec<String>,
    pub(crate) sound: Vec<u8>,
    pub(crate) largest: usize,
}

pub(crate) struct FakeGoogle {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Streamed>>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl FakeGoogle {
    pub(crate) fn start(streams: &[Stream]) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Streamed>>>::default();
        let (stop, stopped) = oneshot::channel();
        let (kept, streams) = (Arc::clone(&seen), streams.to_vec());
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                let accept = async {
                    while let Ok((socket, _)) = listener.accept().await {
                        tokio::spawn(serve(socket, streams.clone(), Arc::clone(&kept)));
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

    pub(crate) fn seen(&self) -> Vec<Streamed> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for FakeGoogle {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

type Gone = Result<(), h2::Error>;

async fn serve(socket: TcpStream, streams: Vec<Stream>, seen: Arc<Mutex<Vec<Streamed>>>) -> Gone {
    if streams[0] == Stream::NeverAnswers {
        std::future::pending::<()>().await;
    }
    let mut connection = server::handshake(socket).await?;
    while let Some(request) = connection.accept().await {
        let (request, respond) = request?;
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(Streamed::default());
            seen.len() - 1
        };
        let stream = streams[number.min(streams.len() - 1)];
        tokio::spawn(hear(request.into_body(), respond, stream, Arc::clone(&seen), number));
    }
    Ok(())
}

async fn hear(
    mut body: RecvStream,
    mut respond: SendResponse<Bytes>,
    stream: Stream,
    seen: Arc<Mutex<Vec<Streamed>>>,
    number: usize,
) -> Gone {
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    let mut answer = respond.send_response(head, false)?;
    if let Stream::Refuses(status) = stream {
        return end(&mut answer, status);
    }
    let mut bytes = BytesMut::new();
    let mut told = String::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        bytes.extend_from_slice(&data);
        while let Some(message) = message(&mut bytes) {
            take(&mut seen.lock().unwrap()[number], &message);
        }
        let sound = seen.lock().unwrap()[number].sound.clone();
        match stream {
            Stream::Mute => continue,
            Stream::BreaksAfter(most) if sound.len() >= most => return end(&mut answer, 14),
            _ => {}
        }
        let words = talk::words(&sound);
        if words != told {
            told.clone_from(&words);
            answer.send_data(result(&words, None), false)?;
        }
    }
    if matches!(stream, Stream::Mute | Stream::NeverFinishes) {
        std::future::pending::<()>().await;
    }
    let sound = seen.lock().unwrap()[number].sound.clone();
    if !told.is_empty() {
        answer.send_data(result(&told, Some(sound.len())), false)?;
    }
    end(&mut answer, 0)
}

fn end(answer: &mut SendStream<Bytes>, status: u8) -> Gone {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", status.to_string().parse().unwrap());
    if status != 0 {
        trailers.insert("grpc-message", "zzprovider: no".parse().unwrap());
    }
    answer.send_trailers(trailers)
}

/// A message without its five bytes of gRPC, when all of it is there.
fn message(bytes: &mut BytesMut) -> Option<Bytes> {
    let length = u32::from_be_bytes(bytes.get(1..5)?.try_into().unwrap()) as usize;
    if bytes.len() < 5 + length {
        return None;
    }
    bytes.advance(5);
    Some(bytes.split_to(length).freeze())
}

/// Reads a `StreamingRecognizeRequest`.
fn take(streamed: &mut Streamed, message: &[u8]) {
    for (number, value) in fields(message) {
        match number {
            3 => streamed.recognizer = text(&value),
            5 => {
                streamed.largest = streamed.largest.max(value.len());
                streamed.sound.extend_from_slice(&value);
            }
            // A `StreamingRecognitionConfig`, and in it a `RecognitionConfig`.
            6 => {
                let config = fields(&value).into_iter().find(|(number, _)| *number == 1).unwrap();
                for (number, value) in fields(&config.1) {
                    match number {
                        9 => streamed.model = text(&value),
                        10 => streamed.languages.push(text(&value)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

fn text(value: &[u8]) -> String {
    String::from_utf8(value.to_vec()).unwrap()
}

/// The fields of a message that have a length; numbers are passed over.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut fields = Vec::new();
    while bytes.has_remaining() {
        let tag = varint(&mut bytes);
        match tag & 7 {
            0 => drop(varint(&mut bytes)),
            1 => bytes.advance(8),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (value, rest) = bytes.split_at(length);
                fields.push((tag >> 3, value.to_vec()));
                bytes = rest;
            }
            _ => bytes.advance(4),
        }
    }
    fields
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = bytes.get_u8();
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// A field with a length, shorter than 128 bytes.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(value.len()).ok().filter(|length| *length < 128).unwrap();
    [&[number << 3 | 2, length], value].concat()
}

/// A `StreamingRecognizeResponse` with one result, final at this byte of the sound if it is.
fn result(words: &str, end: Option<usize>) -> Bytes {
    let mut best = field(1, words.as_bytes());
    best.push(2 << 3 | 5);
    best.put_f32_le(0.9);
    let mut result = field(1, &best);
    if let Some(end) = end {
        result.extend([2 << 3, 1]);
        // A `Duration`: whole seconds only.
        result.extend(field(4, &[1 << 3, u8::try_from(end / 8_000).unwrap()]));
    }
    result.extend(field(6, b"en-us"));
    let response = field(6, &result);
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(response.len() as u32);
    message.put_slice(&response);
    message.freeze()
}
