//! The connection to Deepgram: kept alive, watched, and made once again when it breaks.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use reqwest::Url;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        error::UrlError,
        http::{HeaderMap, HeaderValue, header::AUTHORIZATION},
        protocol::WebSocketConfig,
    },
};

use super::{Deepgram, Heard, Reader};
use crate::{
    audio::{RATE, g711},
    domain::Outcome,
    providers::{
        refusal,
        speech::SpeechError,
        stt::{
            EarPatience, Sound,
            ends::{Over, Teller},
            errors,
            tail::Tail,
        },
    },
};

/// Sound is gathered to 80 ms before it is sent (Deepgram, "Flux: audio chunks").
const CHUNK: usize = RATE as usize * 80 / 1000;
const CHUNK_TIME: Duration = Duration::from_millis(80);

/// Silence is made up after this long without sound: longer than a frame may be late.
const QUIET: Duration = Duration::from_millis(120);

/// What is kept of the silence between turns: the beginning of a word may be in it.
const LEAD_IN: usize = 2 * RATE as usize;

/// An utterance this short may well bring no message at all.
const NOTEWORTHY: usize = RATE as usize / 2;

/// A socket's own buffers; the usual ones are 128 KiB each.
const BUFFER: usize = 4 * 1024;

/// A message of Deepgram's is a few KiB.
const LONGEST_MESSAGE: usize = 1024 * 1024;

/// A packet that cannot be sent for this long will not be.
const SEND: Duration = Duration::from_secs(3);

/// The goodbye, when nobody waits for it.
const GOODBYE: Duration = Duration::from_millis(200);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What went wrong on a connection.
enum Trouble {
    /// It broke: another may do better.
    Broken(SpeechError),
    /// Another would do no better.
    Hopeless(SpeechError),
}

impl From<SpeechError> for Trouble {
    fn from(error: SpeechError) -> Self {
        Self::Hopeless(error)
    }
}

pub(super) struct Session {
    url: Url,
    authorization: HeaderValue,
    patience: EarPatience,
    socket: Socket,
    reader: Box<dyn Reader>,
    /// What was sent and is not understood yet.
    tail: Tail,
    /// What is not sent yet.
    gathered: BytesMut,
    /// When sound was last sent, or a word in its place.
    sent: Instant,
    /// When silence is due, where it has to flow.
    silence: Instant,
    pinged: Instant,
    /// The last sign of life.
    alive: Instant,
    /// Finishes that are not answered, and how long they are waited for.
    finishes: u32,
    finish: Option<Instant>,
    /// Bytes of the utterance, and whether Deepgram has said anything about it.
    utterance: usize,
    answered: bool,
    /// It has broken before without a word in between.
    second: bool,
}

impl Session {
    pub(super) async fn open(
        ear: &Deepgram,
        url: Url,
        reader: Box<dyn Reader>,
    ) -> Result<Self, SpeechError> {
        let mut authorization = HeaderValue::from_str(&format!("Token {}", ear.key.expose()))
            .map_err(|_| {
                SpeechError::new(Outcome::Denied, "the key of Deepgram is no key: check it")
            })?;
        authorization.set_sensitive(true);
        let socket = connect(&url, &authorization, ear.patience.connect).await?;
        let now = Instant::now();
        Ok(Self {
            url,
            authorization,
            patience: ear.patience,
            socket,
            reader,
            tail: Tail::default(),
            gathered: BytesMut::new(),
            sent: now,
            silence: now + QUIET,
            pinged: now,
            alive: now,
            finishes: 0,
            finish: None,
            utterance: 0,
            answered: false,
            second: false,
        })
    }

    pub(super) async fn run(
        mut self,
        mut sounds: mpsc::Receiver<Sound>,
        teller: &Teller,
    ) -> Result<(), Over> {
        loop {
            let wake = self.wake();
            let happened = tokio::select! {
                () = teller.unheard() => {
                    let _ = timeout(GOODBYE, self.goodbye()).await;
                    return Err(Over::Unheard);
                }
                sound = sounds.recv() => match sound {
                    Some(sound) => self.take(sound).await.map(|()| Vec::new()),
                    None => return self.end(teller).await,
                },
                message = self.socket.next() => self.read(message).await,
                () = sleep_until(wake) => self.tick().await,
            };
            match happened {
                Ok(heard) => teller.tell_all(heard).await?,
                Err(Trouble::Broken(error)) if !self.second => {
                    tracing::warn!(%error, "the connection to Deepgram broke, it is made again");
                    tokio::select! {
                        again = self.connect_again() => again?,
                        () = teller.unheard() => return Err(Over::Unheard),
                    }
                }
                Err(Trouble::Broken(error) | Trouble::Hopeless(error)) => return Err(error.into()),
            }
        }
    }

    async fn take(&mut self, sound: Sound) -> Result<(), Trouble> {
        match sound {
            Sound::Audio(sound) => {
                if self.utterance == 0 {
                    self.answered = false;
                }
                self.utterance += sound.len();
                self.gathered.extend_from_slice(&sound);
                self.silence = Instant::now() + QUIET;
                if self.gathered.len() >= CHUNK { self.send_gathered().await } else { Ok(()) }
            }
            Sound::Finish => {
                self.finishes += 1;
                self.finish = Some(Instant::now() + self.patience.finish);
                self.send_gathered().await?;
                self.ask_to_finish().await
            }
        }
    }

    async fn ask_to_finish(&mut self) -> Result<(), Trouble> {
        let seconds = self.tail.end() as f64 / f64::from(RATE);
        match self.reader.finish(seconds) {
            Some(told) => self.send(Message::text(told)).await,
            None => Ok(()),
        }
    }

    async fn read(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
    ) -> Result<Vec<Heard>, Trouble> {
        let broken = |detail: String| SpeechError::new(Outcome::BrokenStream, detail);
        let message = match message {
            Some(Ok(message)) => message,
            Some(Err(cause)) => return Err(Trouble::Broken(broken(cause.to_string()))),
            None => {
                let told = "Deepgram closed the connection".to_owned();
                return Err(Trouble::Broken(broken(told)));
            }
        };
        self.alive = Instant::now();
        let text = match message {
            Message::Text(text) => text,
            Message::Close(why) => {
                let why = why.map(|why| format!(": {} {}", why.code, why.reason));
                let told = format!("Deepgram closed the connection{}", why.unwrap_or_default());
                return Err(Trouble::Broken(broken(told)));
            }
            Message::Binary(_) => {
                let told = "Deepgram sent bytes where text was agreed upon";
                return Err(SpeechError::new(Outcome::Unusable, told).into());
            }
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return Ok(Vec::new()),
        };
        let message = serde_json::from_str(&text).map_err(|cause| super::unreadable(&cause))?;
        let understood = self.reader.understand(message)?;
        if understood.is_about_sound {
            self.answered = true;
            self.second = false;
        }
        if let Some(seconds) = understood.settled {
            self.tail.forget_until((seconds * f64::from(RATE)).max(0.0) as usize);
        } else if !self.reader.within_a_turn() {
            self.tail.keep_last(LEAD_IN);
        }
        if let Some(answer) = understood.answer {
            self.send(Message::text(answer)).await?;
        }
        let mut heard = understood.heard;
        let finished = understood.finished.min(self.finishes);
        if finished > 0 {
            self.finishes -= finished;
            if self.finishes == 0 {
                self.finish = None;
            }
            self.utterance = 0;
            heard.extend((0..finished).map(|_| Heard::Finished));
        }
        if heard.contains(&Heard::TurnEnd) {
            self.utterance = 0;
        }
        Ok(heard)
    }

    /// When there is something to do without being told.
    fn wake(&self) -> Instant {
        let mut wake = self.pinged + self.patience.keep_alive;
        if let Some(finish) = self.finish {
            wake = wake.min(finish);
        }
        let quiet = if self.reader.wants_silence() {
            self.silence
        } else {
            self.sent + self.patience.keep_alive
        };
        wake.min(quiet)
    }

    async fn tick(&mut self) -> Result<Vec<Heard>, Trouble> {
        let now = Instant::now();
        if self.finish.is_some_and(|finish| finish <= now) {
            return self.settle_for_less();
        }
        if now >= self.pinged + self.patience.keep_alive {
            self.pinged = now;
            // Whoever is there answers a ping; two that were not answered are enough.
            if now > self.alive + 3 * self.patience.keep_alive {
                let told = "there is no sign of life from Deepgram";
                return Err(Trouble::Broken(SpeechError::new(Outcome::TimedOut, told)));
            }
            self.send(Message::Ping(Bytes::new())).await?;
        }
        if self.reader.wants_silence() {
            if now >= self.silence {
                self.silence = now + CHUNK_TIME;
                let short = CHUNK.saturating_sub(self.gathered.len());
                self.gathered.resize(self.gathered.len() + short, g711::SILENCE);
                self.send_gathered().await?;
            }
        } else if now >= self.sent + self.patience.keep_alive {
            // What was gathered is too little to matter, but it is not lost.
            self.send_gathered().await?;
            self.sent = now;
            self.send(Message::text(r#"{"type":"KeepAlive"}"#)).await?;
        }
        Ok(Vec::new())
    }

    /// Deepgram may have nothing to finish, and then says nothing (Deepgram, "Finalize"). But
    /// whoever said nothing at all about so much sound is not there.
    fn settle_for_less(&mut self) -> Result<Vec<Heard>, Trouble> {
        self.finish = None;
        if !self.answered && self.utterance >= NOTEWORTHY {
            let told = "Deepgram says nothing about what it was sent";
            return Err(SpeechError::new(Outcome::TimedOut, told).into());
        }
        self.utterance = 0;
        let mut heard = self.reader.settle_for_less();
        if !heard.is_empty() {
            self.tail.forget_until(self.tail.end());
        }
        let finishes = std::mem::take(&mut self.finishes);
        heard.extend((0..finishes).map(|_| Heard::Finished));
        Ok(heard)
    }

    async fn send_gathered(&mut self) -> Result<(), Trouble> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let sound = self.gathered.split().freeze();
        self.tail.push(sound.clone());
        self.sent = Instant::now();
        self.send(Message::Binary(sound)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), Trouble> {
        let broken = |told: String| Trouble::Broken(SpeechError::new(Outcome::BrokenStream, told));
        match timeout(SEND, self.socket.send(message)).await {
            Ok(sent) => sent.map_err(|cause| broken(cause.to_string())),
            Err(_) => Err(broken("Deepgram takes no more sound".to_owned())),
        }
    }

    /// Connects anew and tells again what had not been understood.
    async fn connect_again(&mut self) -> Result<(), SpeechError> {
        self.second = true;
        self.socket = connect(&self.url, &self.authorization, self.patience.connect).await?;
        self.reader.begin_again();
        let now = Instant::now();
        (self.sent, self.pinged, self.alive) = (now, now, now);
        let sound = self.tail.again();
        let told = async {
            if !sound.is_empty() {
                self.send(Message::Binary(sound)).await?;
            }
            if self.finish.is_some() {
                self.finish = Some(Instant::now() + self.patience.finish);
                self.ask_to_finish().await?;
            }
            Ok(())
        };
        told.await.map_err(|trouble| match trouble {
            Trouble::Broken(error) | Trouble::Hopeless(error) => error,
        })
    }

    async fn goodbye(&mut self) -> Result<(), Trouble> {
        self.send_gathered().await?;
        self.send(Message::text(r#"{"type":"CloseStream"}"#)).await
    }

    /// No more sound comes: tells what is still understood of it.
    async fn end(mut self, teller: &Teller) -> Result<(), Over> {
        let waited = self.patience.finish;
        let rest = async {
            if self.goodbye().await.is_ok() {
                loop {
                    let message = self.socket.next().await;
                    match self.read(message).await {
                        Ok(heard) => teller.tell_all(heard).await?,
                        // It is closed, as was asked for.
                        Err(_) => break,
                    }
                }
            }
            Ok(())
        };
        timeout(waited, rest).await.unwrap_or(Ok(()))
    }
}

async fn connect(
    url: &Url,
    authorization: &HeaderValue,
    patience: Duration,
) -> Result<Socket, SpeechError> {
    let mut request = url.as_str().into_client_request().map_err(|cause| not_connected(&cause))?;
    request.headers_mut().insert(AUTHORIZATION, authorization.clone());
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE));
    match timeout(patience, connect_async_with_config(request, Some(config), true)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(cause)) => Err(not_connected(&cause)),
        Err(_) => Err(SpeechError::new(Outcome::TimedOut, "Deepgram does not take the connection")),
    }
}

fn not_connected(cause: &tungstenite::Error) -> SpeechError {
    match cause {
        tungstenite::Error::Http(response) => {
            let headers: &HeaderMap = response.headers();
            let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
            let body = response.body().as_deref().unwrap_or_default();
            let body = String::from_utf8_lossy(body);
            let retry_after = refusal::retry_after(header);
            let mut error = errors::refused(response.status().as_u16(), retry_after, &body);
            // Deepgram says in a header why it refuses a WebSocket.
            if let Some(why) = header("dg-error") {
                error.detail = format!("{} {why}", response.status().as_u16());
            }
            error
        }
        tungstenite::Error::Url(UrlError::UnableToConnect(_)) | tungstenite::Error::Io(_) => {
            SpeechError::new(Outcome::Unreachable, cause.to_string())
        }
        tungstenite::Error::Tls(_) => SpeechError::new(Outcome::Unreachable, cause.to_string()),
        tungstenite::Error::Url(_) | tungstenite::Error::HttpFormat(_) => {
            SpeechError::new(Outcome::BadRequest, cause.to_string())
        }
        _ => SpeechError::new(Outcome::Unusable, cause.to_string()),
    }
}
