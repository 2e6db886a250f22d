//! ElevenLabs over a WebSocket, one utterance a socket (ElevenLabs, "WebSocket stream-input").
//!
//! `auto_mode` makes it speak at once what it gets: our requests are whole sentences.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{SinkExt, Stream, StreamExt, stream};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error as SocketError, Message, client::IntoClientRequest, http::HeaderValue,
        protocol::WebSocketConfig,
    },
};

use super::{
    AudioStream, SpeechRequest,
    elevenlabs::{ElevenLabs, path_voice},
    errors::{self, broken, late},
    http,
};
use crate::{domain::Outcome, providers::speech::SpeechError};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What a socket reads at a time; the usual 128 KiB would be held by every caller.
const READ_BUFFER: usize = 8 * 1024;

/// Bound on a message: minutes of sound.
const MESSAGE: usize = 4 * 1024 * 1024;

pub(super) fn speak(mouth: ElevenLabs, request: SpeechRequest) -> AudioStream {
    http::spoken(Some(mouth.key.clone()), async move {
        let by = Instant::now() + mouth.http.deadlines.first_byte;
        let mut socket = timeout_at(by, connect(&mouth, &request))
            .await
            .map_err(|_| late("the socket did not open in time"))??;
        let said = timeout_at(by, say(&mut socket, &request.text));
        said.await.map_err(|_| late("the words could not be sent in time"))??;
        Ok(heard(socket, by, mouth.http.deadlines.stall))
    })
}

async fn connect(mouth: &ElevenLabs, request: &SpeechRequest) -> Result<Socket, SpeechError> {
    let unfit = |_| SpeechError::new(Outcome::BadRequest, "the address of ElevenLabs is no URL");
    let socket_base = mouth.base.replacen("http", "ws", 1);
    let voice = path_voice(request)?;
    let mut url = Url::parse(&format!("{socket_base}/v1/text-to-speech/{voice}/stream-input"))
        .map_err(unfit)?;
    url.query_pairs_mut()
        .append_pair("model_id", &mouth.model)
        .append_pair("output_format", "ulaw_8000")
        .append_pair("auto_mode", "true");
    if let Some(language) = mouth.language(request) {
        url.query_pairs_mut().append_pair("language_code", language);
    }
    let mut asked = url.as_str().into_client_request().map_err(|cause| unreachable(&cause))?;
    let mut key = HeaderValue::from_str(mouth.key.expose()).map_err(|_| {
        SpeechError::new(Outcome::Denied, "the key of ElevenLabs holds characters that no key has")
    })?;
    key.set_sensitive(true);
    asked.headers_mut().insert("xi-api-key", key);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(MESSAGE))
        .max_frame_size(Some(MESSAGE));
    match connect_async_with_config(asked, Some(config), true).await {
        Ok((socket, _)) => Ok(socket),
        Err(SocketError::Http(response)) => {
            let retry_after = http::retry_after(response.headers());
            let body = response.body().as_deref().unwrap_or_default();
            let body = String::from_utf8_lossy(body);
            Err(errors::refused(response.status().as_u16(), retry_after, &body))
        }
        Err(cause) => Err(unreachable(&cause)),
    }
}

/// A space opens, the words follow, nothing closes.
async fn say(socket: &mut Socket, text: &str) -> Result<(), SpeechError> {
    for text in [" ".to_owned(), format!("{} ", text.trim()), String::new()] {
        let message = Message::text(json!({"text": text}).to_string());
        socket.send(message).await.map_err(|cause| broken(cause.to_string()))?;
    }
    Ok(())
}

fn heard(
    socket: Socket,
    by: Instant,
    stall: Duration,
) -> impl Stream<Item = Result<Bytes, SpeechError>> + Send {
    stream::try_unfold((socket, by, false), move |(mut socket, by, begun)| async move {
        loop {
            let message = timeout_at(by, socket.next()).await.map_err(|_| {
                late(if begun { "the sound stalled" } else { "no sound came in time" })
            })?;
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    let why = frame.map(|frame| format!("{}: {}", frame.code, frame.reason));
                    let why = why.unwrap_or_else(|| "without a word".to_owned());
                    return Err(broken(format!("the socket was closed before the end, {why}")));
                }
                Some(Ok(_)) => continue,
                Some(Err(cause)) => return Err(broken(cause.to_string())),
                None => return Err(broken("the socket was closed before the end")),
            };
            match piece(&text)? {
                Piece::Sound(bytes) => {
                    let by = Instant::now() + stall;
                    return Ok(Some((bytes, (socket, by, true))));
                }
                Piece::Nothing => {}
                Piece::End => return Ok(None),
            }
        }
    })
}

pub(super) enum Piece {
    Sound(Bytes),
    Nothing,
    End,
}

pub(super) fn piece(text: &str) -> Result<Piece, SpeechError> {
    let unusable = |what: &str| SpeechError::new(Outcome::Unusable, what);
    let json: Value = serde_json::from_str(text).map_err(|_| unusable("a message is no JSON"))?;
    if let Some(audio) = json["audio"].as_str().filter(|audio| !audio.is_empty()) {
        let bytes = STANDARD.decode(audio).map_err(|_| unusable("the sound is no base64"))?;
        return Ok(Piece::Sound(bytes.into()));
    }
    if json["isFinal"] == true {
        return Ok(Piece::End);
    }
    // A piece without sound says so; what says neither is an error.
    if json.get("audio").is_some() || json.get("isFinal").is_some() {
        return Ok(Piece::Nothing);
    }
    Err(errors::in_stream(&json))
}

fn unreachable(cause: &SocketError) -> SpeechError {
    let outcome = match cause {
        SocketError::Url(_) | SocketError::HttpFormat(_) => Outcome::BadRequest,
        _ => Outcome::Unreachable,
    };
    SpeechError::new(outcome, cause.to_string())
}
