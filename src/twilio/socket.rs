//! The other end of the daemon's sockets: Twilio's, for rehearsals, tests and the load generator.
//!
//! A [`Socket`] carries text. [`MediaSocket`] and [`RelaySocket`] write what Twilio writes on it,
//! with all the fields that Twilio documents, also those that the daemon does not read.

use std::{fmt::Write, io, ops::Deref};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        self, Error as WsError, Message, Utf8Bytes, client::IntoClientRequest,
        error::ProtocolError, http::HeaderValue, protocol::WebSocketConfig,
    },
};

use super::{
    relay,
    stream::{self, Start},
};
use crate::domain::{Error, Result};

/// Read at a time: a thousand calls in one process each have such a buffer.
const READ_BUFFER: usize = 4 * 1024;

/// A message's text.
#[derive(Debug, Clone)]
pub struct Text(Utf8Bytes);

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

/// Whether a message could still be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Sent {
    /// It is on its way.
    OnItsWay,
    /// The other end has closed the socket.
    Closed,
}

/// An open socket.
pub struct Socket {
    inner: WebSocketStream<MaybeTlsStream<TcpStream>>,
    closed_with: Option<u16>,
}

impl Socket {
    /// Connects to an address with a signature given.
    pub async fn open(url: &str, signature: &str) -> Result<Self> {
        let failed = |error: WsError| {
            let told = match &error {
                WsError::Http(answer) => {
                    format!("the socket at {url} was refused with {}", answer.status())
                }
                _ => format!("no socket could be opened at {url}"),
            };
            Error::unavailable(told).because(error)
        };
        let mut request = url.into_client_request().map_err(failed)?;
        let signature = HeaderValue::from_str(signature)
            .map_err(|error| Error::input("the signature is no header").because(error))?;
        request.headers_mut().insert("x-twilio-signature", signature);
        // Each message goes out at once: a frame of sound that waits for the next one is late.
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
        let (inner, _) =
            connect_async_with_config(request, Some(config), true).await.map_err(failed)?;
        Ok(Self { inner, closed_with: None })
    }

    /// Sends a message.
    pub async fn send(&mut self, text: String) -> Result<Sent> {
        match self.inner.send(Message::text(text)).await {
            Ok(()) => Ok(Sent::OnItsWay),
            Err(error) if is_closed(&error) => Ok(Sent::Closed),
            Err(error) => Err(broken(error)),
        }
    }

    /// The next message; nothing once the other end has closed the socket. May be dropped while
    /// it waits: nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Text>> {
        loop {
            match self.inner.next().await {
                None => return Ok(None),
                Some(Ok(Message::Text(text))) => return Ok(Some(Text(text))),
                Some(Ok(Message::Close(frame))) => {
                    self.closed_with = frame.map(|frame| frame.code.into());
                    // Our half of the goodbye; whoever has left already does not need it.
                    let _ = self.inner.flush().await;
                    return Ok(None);
                }
                Some(Ok(Message::Binary(_))) => {
                    return Err(Error::failure(
                        "the daemon sent bytes, which Twilio does not take",
                    ));
                }
                // Pings are answered by the library.
                Some(Ok(_)) => {}
                Some(Err(error)) if is_closed(&error) => return Ok(None),
                Some(Err(error)) => return Err(broken(error)),
            }
        }
    }

    /// The code that the other end closed it with.
    pub fn closed_with(&self) -> Option<u16> {
        self.closed_with
    }

    /// Closes it.
    pub async fn close(mut self) -> Result<()> {
        match self.inner.close(None).await {
            Err(error) if !is_closed(&error) => Err(broken(error)),
            _ => Ok(()),
        }
    }
}

/// Whether an error only says that the other end is gone, in whatever way it went.
fn is_closed(error: &WsError) -> bool {
    match error {
        WsError::ConnectionClosed
        | WsError::AlreadyClosed
        | WsError::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing,
        ) => true,
        WsError::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}

fn broken(error: tungstenite::Error) -> Error {
    Error::failure("the socket to the daemon broke").because(error)
}

/// The socket of a `<Stream>`: numbers what it sends.
pub struct MediaSocket {
    socket: Socket,
    stream_sid: String,
    sequence: u64,
    chunk: u64,
}

impl MediaSocket {
    /// Says which call it is, as Twilio does.
    pub async fn begin(socket: Socket, stream_sid: String, start: &Start) -> Result<Self> {
        let mut media = Self { socket, stream_sid, sequence: 0, chunk: 0 };
        let connected = json!({"event": "connected", "protocol": "Call", "version": "1.0.0"});
        let _ = media.socket.send(connected.to_string()).await?;
        let start = json!({
            "streamSid": media.stream_sid,
            "accountSid": start.account_sid,
            "callSid": start.call_sid,
            "tracks": ["inbound"],
            "customParameters": start.custom_parameters,
            "mediaFormat": start.media_format,
        });
        let _ = media.event("start", start).await?;
        Ok(media)
    }

    /// Twenty milliseconds of the caller, already in base64; `at_ms` since the stream began.
    pub async fn media(&mut self, at_ms: u64, payload: &str) -> Result<Sent> {
        self.sequence += 1;
        self.chunk += 1;
        let mut text = String::with_capacity(payload.len() + 200);
        // By hand: this is written fifty times a second and call. A SID and base64 need no escapes,
        // and writing to a String cannot fail.
        let _ = write!(
            text,
            r#"{{"event":"media","sequenceNumber":"{}","media":{{"track":"inbound","chunk":"{}","timestamp":"{at_ms}","payload":"{payload}"}},"streamSid":"{}"}}"#,
            self.sequence, self.chunk, self.stream_sid,
        );
        self.socket.send(text).await
    }

    /// A key.
    pub async fn key(&mut self, digit: char) -> Result<Sent> {
        let digit = digit.to_string();
        self.event("dtmf", json!({"track": "inbound_track", "digit": digit})).await
    }

    /// A mark comes back.
    pub async fn mark(&mut self, name: &str) -> Result<Sent> {
        self.event("mark", json!({ "name": name })).await
    }

    /// The stream is over.
    pub async fn stop(mut self, start: &Start) -> Result<()> {
        let body = json!({"accountSid": start.account_sid, "callSid": start.call_sid});
        match self.event("stop", body).await? {
            Sent::OnItsWay => self.socket.close().await,
            Sent::Closed => Ok(()),
        }
    }

    /// The next message, to be read with [`stream::ToTwilio`]; nothing once the daemon closed it.
    pub async fn next(&mut self) -> Result<Option<Text>> {
        self.socket.next().await
    }

    async fn event(&mut self, event: &str, body: serde_json::Value) -> Result<Sent> {
        self.sequence += 1;
        let mut message = json!({
            "event": event,
            "sequenceNumber": self.sequence.to_string(),
            "streamSid": self.stream_sid,
        });
        message[event] = body;
        self.socket.send(message.to_string()).await
    }
}

/// Reads a message of the daemon on a `<Stream>`.
pub fn read_media(text: &str) -> Result<stream::ToTwilio<'_>> {
    serde_json::from_str(text).map_err(unknown)
}

/// Who calls whom, as a relay's first message says it.
#[derive(Debug, Clone)]
pub struct Introduction<'a> {
    /// The session, `VX…`.
    pub session_id: &'a str,
    /// The account.
    pub account_sid: &'a str,
    /// The call.
    pub call_sid: &'a str,
    /// The caller.
    pub from: &'a str,
    /// The number called.
    pub to: &'a str,
    /// What the TwiML gave along.
    pub parameters: &'a std::collections::BTreeMap<String, String>,
}

/// The socket of a `<ConversationRelay>`.
pub struct RelaySocket(Socket);

impl RelaySocket {
    /// Says which call it is, as Twilio does.
    pub async fn begin(mut socket: Socket, introduction: &Introduction<'_>) -> Result<Self> {
        let setup = json!({
            "type": "setup",
            "sessionId": introduction.session_id,
            "accountSid": introduction.account_sid,
            "parentCallSid": "",
            "callSid": introduction.call_sid,
            "from": introduction.from,
            "to": introduction.to,
            "forwardedFrom": "",
            "callType": "PSTN",
            "callerName": "",
            "direction": "inbound",
            "callStatus": "IN-PROGRESS",
            "customParameters": introduction.parameters,
        });
        let _ = socket.send(setup.to_string()).await?;
        Ok(Self(socket))
    }

    /// Sends a message.
    pub async fn send(&mut self, message: &relay::FromTwilio) -> Result<Sent> {
        let text = serde_json::to_string(message)
            .map_err(|error| Error::failure("a message could not be written").because(error))?;
        self.0.send(text).await
    }

    /// The next message; nothing once the daemon closed the socket.
    pub async fn next(&mut self) -> Result<Option<relay::ToTwilio>> {
        let text = self.0.next().await?;
        text.map(|text| serde_json::from_str(&text).map_err(unknown)).transpose()
    }

    /// Closes it.
    pub async fn close(self) -> Result<()> {
        self.0.close().await
    }
}

fn unknown(error: serde_json::Error) -> Error {
    Error::failure("the daemon sent a message that Twilio does not know").because(error)
}
