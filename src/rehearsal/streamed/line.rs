//! Both ends of the sound of a call: what the caller sends, frame by frame in real time, and what
//! is played of what the assistant sends. It outlives the socket: a call may have several.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::{
    playback::{Playback, bytes},
    speech::{Frame, Speech},
};
use crate::{
    audio::{FRAME_MS, g711},
    domain::{Error, Result},
    rehearsal::lateness::Lateness,
    twilio::{
        caller::Caller,
        socket::{MediaSocket, Sent, read_media},
        stream::{Start, ToTwilio},
    },
};

/// Twenty milliseconds.
const PACE: Duration = Duration::from_millis(FRAME_MS as u64);

/// What happened in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// Something, and the socket is still there.
    Something,
    /// The daemon closed the socket.
    Closed,
}

/// The moments that a caller feels, since the call's sound began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    /// The stream began.
    pub(super) started: Duration,
    /// The first sound of the assistant arrived.
    pub(super) first_frame: Option<Duration>,
    /// The caller began to be heard.
    pub(super) spoke: Option<Duration>,
    /// What waited to be played was dropped after that.
    pub(super) cleared: Option<Duration>,
    /// The caller had finished.
    pub(super) finished: Option<Duration>,
    /// The first audible sound of what arrived after that is played.
    pub(super) answered: Option<Duration>,
}

/// A socket and its pace.
struct Wire {
    media: MediaSocket,
    start: Start,
    ticks: Interval,
    /// Where the stream's own time begins.
    begun: Duration,
    frames: u64,
}

/// Both ends.
pub(super) struct Line {
    origin: Instant,
    wire: Option<Wire>,
    speech: Option<(Speech, usize)>,
    silence: Frame,
    /// Sound that has just arrived: a buffer that is used again.
    decoded: Vec<u8>,
    pub(super) playback: Playback,
    /// What the caller sent, when it is kept.
    caller: Option<Vec<u8>>,
    pub(super) moments: Moments,
    pub(super) lateness: Lateness,
}

impl Line {
    pub(super) fn new(keep: bool) -> Self {
        Self {
            origin: Instant::now(),
            wire: None,
            speech: None,
            silence: Frame::silence(),
            decoded: Vec::new(),
            playback: if keep { Playback::kept() } else { Playback::default() },
            caller: keep.then(Vec::new),
            moments: Moments::default(),
            lateness: Lateness::default(),
        }
    }

    /// Opens a socket, and begins a stream on it.
    pub(super) async fn open(
        &mut self,
        twilio: &Caller,
        url: &str,
        stream_sid: String,
        start: Start,
    ) -> Result<()> {
        let socket = twilio.open(url).await?;
        let media = MediaSocket::begin(socket, stream_sid, &start).await?;
        let begun = Instant::now();
        let mut ticks = interval_at(begun + PACE, PACE);
        // Twilio sends what was late all at once.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let begun = begun.duration_since(self.origin);
        self.moments = Moments { started: begun, ..Moments::default() };
        self.wire = Some(Wire { media, start, ticks, begun, frames: 0 });
        Ok(())
    }

    pub(super) fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    pub(super) fn is_open(&self) -> bool {
        self.wire.is_some()
    }

    /// Whether the caller is still speaking.
    pub(super) fn is_speaking(&self) -> bool {
        self.speech.is_some()
    }

    /// The caller begins to speak.
    pub(super) fn speak(&mut self, speech: Speech) {
        self.moments =
            Moments { spoke: None, cleared: None, finished: None, answered: None, ..self.moments };
        self.speech = Some((speech, 0));
    }

    /// The caller has finished: what arrives from now on is the answer.
    pub(super) fn finish(&mut self) {
        self.moments.finished = Some(self.now());
        self.moments.answered = None;
        self.playback.turn();
    }

    /// The caller presses a key.
    pub(super) async fn press(&mut self, digit: char) -> Result<Happened> {
        match &mut self.wire {
            Some(wire) => {
                let sent = wire.media.key(digit).await?;
                Ok(self.unless_closed(sent))
            }
            None => Ok(Happened::Closed),
        }
    }

    /// Waits for the next tick of the clock, or for the next message, and does what is to be done.
    pub(super) async fn step(&mut self) -> Result<Happened> {
        let Some(wire) = &mut self.wire else { return Ok(Happened::Closed) };
        tokio::select! {
            due = wire.ticks.tick() => self.send_frame(due).await,
            text = wire.media.next() => match text? {
                Some(text) => self.take(read_media(&text)?).await,
                None => Ok(self.unless_closed(Sent::Closed)),
            },
        }
    }

    async fn send_frame(&mut self, due: Instant) -> Result<Happened> {
        let now = Instant::now();
        self.lateness.record(now.duration_since(due));
        let at = now.duration_since(self.origin);
        let Some(wire) = &mut self.wire else { return Ok(Happened::Closed) };
        let said = self.speech.as_ref().and_then(|(speech, next)| speech.frame(*next));
        let frame = said.unwrap_or(&self.silence);
        let stream_ms = wire.frames * u64::from(FRAME_MS);
        wire.frames += 1;
        if let Some(track) = &mut self.caller {
            track.resize(bytes(wire.begun + Duration::from_millis(stream_ms)), g711::SILENCE);
            track.extend_from_slice(&frame.sound);
        }
        let sent = wire.media.media(stream_ms, &frame.payload).await?;
        if let Some((speech, next)) = &mut self.speech {
            if speech.begins_to_be_heard(*next) {
                self.moments.spoke = Some(at);
            }
            if speech.is_over(*next) {
                self.moments.finished = Some(at);
                self.moments.answered = None;
                self.playback.turn();
            }
            *next += 1;
            if speech.frame(*next).is_none() {
                self.speech = None;
            }
        }
        match self.unless_closed(sent) {
            Happened::Something => self.return_marks(at).await,
            Happened::Closed => Ok(Happened::Closed),
        }
    }

    async fn take(&mut self, message: ToTwilio<'_>) -> Result<Happened> {
        let at = self.now();
        match message {
            ToTwilio::Media { media, .. } => {
                media.decode(&mut self.decoded).map_err(|error| {
                    Error::failure("the daemon sent what cannot be played").because(error)
                })?;
                let heard = self.playback.sound(at, &self.decoded);
                let moments = &mut self.moments;
                moments.first_frame = moments.first_frame.or(Some(at));
                if moments.finished.is_some() {
                    moments.answered = moments.answered.or(heard);
                }
                Ok(Happened::Something)
            }
            ToTwilio::Mark { mark, .. } => {
                self.playback.mark(at, &mark.name);
                self.return_marks(at).await
            }
            ToTwilio::Clear { .. } => {
                self.playback.clear(at);
                let moments = &mut self.moments;
                if moments.spoke.is_some() {
                    moments.cleared = moments.cleared.or(Some(at));
                }
                // What was to be the answer was dropped before anybody heard it.
                moments.answered = moments.answered.filter(|heard| *heard < at);
                self.return_marks(at).await
            }
        }
    }

    async fn return_marks(&mut self, at: Duration) -> Result<Happened> {
        while let Some(name) = self.playback.due(at) {
            let Some(wire) = &mut self.wire else { return Ok(Happened::Closed) };
            let sent = wire.media.mark(&name).await?;
            if self.unless_closed(sent) == Happened::Closed {
                return Ok(Happened::Closed);
            }
        }
        Ok(Happened::Something)
    }

    fn unless_closed(&mut self, sent: Sent) -> Happened {
        match sent {
            Sent::OnItsWay => Happened::Something,
            Sent::Closed => {
                self.cut();
                Happened::Closed
            }
        }
    }

    /// The socket is gone, without a word.
    pub(super) fn cut(&mut self) {
        self.wire = None;
        self.speech = None;
        self.playback.cut(self.now());
    }

    /// The stream ends as Twilio ends it.
    pub(super) async fn stop(&mut self) -> Result<()> {
        let wire = self.wire.take();
        self.cut();
        match wire {
            Some(wire) => wire.media.stop(&wire.start).await,
            None => Ok(()),
        }
    }

    /// Both sides until now, of the same length: what was sent, and what was played.
    pub(super) fn recording(&self) -> (Vec<i16>, Vec<i16>) {
        let caller = self.caller.as_deref().unwrap_or_default();
        let played = self.playback.played(self.now());
        let length = caller.len().max(played.len());
        let linear = |track: &[u8]| {
            let mut samples: Vec<i16> = track.iter().map(|byte| g711::decode(*byte)).collect();
            samples.resize(length, 0);
            samples
        };
        (linear(caller), linear(played))
    }
}
