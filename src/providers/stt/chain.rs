//! Several ears, one after the other: when one fails in mid-call, the next hears the unfinished
//! utterance again, and the caller need not repeat it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    Heard, ListenRequest, Listening, Sound, SpeechToText,
    ends::{Over, Teller, listening},
    repeat::Repeat,
    tail::LONGEST,
};
use crate::{audio::RATE, domain::Outcome, providers::speech::SpeechError};

/// How long a finish is waited for before the next ear is asked: longer than any ear should take.
pub const FINISH_WITHIN: Duration = Duration::from_secs(5);

/// Sound is told again in pieces of a second.
const PIECE: usize = 8_000;

/// What an ear has not taken yet; it has room for as much again.
const WAITING: usize = 512;

/// Knows which providers are worth asking. Ids are `stt/deepgram`, `stt/google`, `stt/openai`.
pub trait Gate: Send + Sync {
    /// Whether it may be asked now.
    fn allows(&self, id: &str) -> bool;

    /// How it went.
    fn report(&self, id: &str, outcome: Result<(), Outcome>);
}

/// Every ear may always be asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn allows(&self, _id: &str) -> bool {
        true
    }

    fn report(&self, _id: &str, _outcome: Result<(), Outcome>) {}
}

/// Ears in the order in which they are asked.
#[derive(Clone)]
pub struct ListeningChain {
    ears: Vec<Arc<dyn SpeechToText>>,
    gate: Arc<dyn Gate>,
    finish_within: Duration,
}

/// What became of the ears during a call.
#[derive(Clone, Default)]
pub struct EarRecord(Arc<Mutex<Record>>);

#[derive(Default)]
struct Record {
    used: Option<String>,
    ends_turns: bool,
    failures: Vec<(String, SpeechError)>,
    /// Bytes of sound that each ear was sent and that were not taken as seconds yet.
    sent: BTreeMap<String, usize>,
}

/// Bytes of a second.
const SECOND: usize = RATE as usize;

impl EarRecord {
    /// The seconds of sound that ears listened to since the last time that this was asked; begun ones
    /// wait until they are whole, or count whole `at_the_end`.
    pub fn take_seconds(&self, at_the_end: bool) -> Vec<(String, u64)> {
        self.with(|record| {
            let taken = record.sent.iter_mut().map(|(ear, bytes)| {
                let seconds = if at_the_end { bytes.div_ceil(SECOND) } else { *bytes / SECOND };
                *bytes = bytes.saturating_sub(seconds * SECOND);
                (ear.clone(), seconds as u64)
            });
            taken.filter(|(_, seconds)| *seconds > 0).collect()
        })
    }

    /// The ear that listens now, or was the last to.
    pub fn used(&self) -> Option<String> {
        self.with(|record| record.used.clone())
    }

    /// Whether the ear that listens now decides itself when a turn is over. It may change when an
    /// ear fails: ask before each turn.
    pub fn ends_turns(&self) -> bool {
        self.with(|record| record.ends_turns)
    }

    /// The ears that failed so far, in their order.
    pub fn failures(&self) -> Vec<(String, SpeechError)> {
        self.with(|record| record.failures.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Record) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ListeningChain {
    /// Ears in their order.
    pub fn new(ears: Vec<Arc<dyn SpeechToText>>, gate: Arc<dyn Gate>) -> Self {
        Self { ears, gate, finish_within: FINISH_WITHIN }
    }

    /// With another patience after a finish.
    #[must_use]
    pub fn finish_within(self, finish_within: Duration) -> Self {
        Self { finish_within, ..self }
    }

    /// Listens to one call. The stream ends with an error when no ear is left.
    pub fn listen(&self, request: ListenRequest) -> (Listening, EarRecord) {
        let record = EarRecord::default();
        let chain = self.clone();
        let kept = record.clone();
        // The first ear is known at once: the caller of this wants to know who ends the turns.
        let order = self.order();
        if let Some(first) = order.front() {
            record.with(|record| note(record, first.as_ref()));
        }
        let listening = listening(None, move |sounds, teller| async move {
            let mut call = Call {
                chain: &chain,
                request,
                record: kept,
                unfinished: Unfinished::default(),
                said: Vec::new(),
            };
            call.run(order, sounds, &teller).await
        });
        (listening, record)
    }

    /// Ears that may be asked; then the others, since a poor ear is better than none.
    fn order(&self) -> VecDeque<Arc<dyn SpeechToText>> {
        let (allowed, others): (Vec<_>, Vec<_>) =
            self.ears.iter().cloned().partition(|ear| self.gate.allows(&gate_id(ear.as_ref())));
        allowed.into_iter().chain(others).collect()
    }
}

/// `stt/deepgram` of `deepgram/nova-3`.
fn gate_id(ear: &dyn SpeechToText) -> String {
    let id = ear.id();
    format!("stt/{}", id.split_once('/').map_or(id, |(provider, _)| provider))
}

fn note(record: &mut Record, ear: &dyn SpeechToText) {
    record.used = Some(ear.id().to_owned());
    record.ends_turns = ear.ends_turns();
}

struct Call<'a> {
    chain: &'a ListeningChain,
    request: ListenRequest,
    record: EarRecord,
    unfinished: Unfinished,
    /// What was told as final of the utterance that is not finished.
    said: Vec<String>,
}

impl Call<'_> {
    async fn run(
        &mut self,
        mut order: VecDeque<Arc<dyn SpeechToText>>,
        mut sounds: mpsc::Receiver<Sound>,
        teller: &Teller,
    ) -> Result<(), Over> {
        let mut last = SpeechError::new(
            Outcome::NoKey,
            "no ear can be asked: set DEEPGRAM_API_KEY, GOOGLE_APPLICATION_CREDENTIALS, \
             OPENAI_API_KEY or OPENAI_BASE_URL",
        );
        while let Some(ear) = order.pop_front() {
            self.record.with(|record| note(record, ear.as_ref()));
            let gate = gate_id(ear.as_ref());
            let Err(over) = self.listen_with(ear.as_ref(), &gate, &mut sounds, teller).await else {
                return Ok(());
            };
            let Over::Failed(error) = over else { return Err(Over::Unheard) };
            self.chain.gate.report(&gate, Err(error.outcome));
            tracing::warn!(ear = ear.id(), %error, "an ear failed, the next one listens");
            let failure = (ear.id().to_owned(), error.clone());
            self.record.with(|record| record.failures.push(failure));
            last = error;
        }
        Err(last.into())
    }

    async fn listen_with(
        &mut self,
        ear: &dyn SpeechToText,
        gate: &str,
        sounds: &mut mpsc::Receiver<Sound>,
        teller: &Teller,
    ) -> Result<(), Over> {
        let Listening { sound: told, mut heard } = ear.listen(self.request.clone());
        let mut told = Some(told);
        let mut outbox: VecDeque<Sound> = self.unfinished.again();
        // What the caller was told of this utterance by another ear is not told again.
        let mut repeat = Repeat::of(&self.said);
        let mut patience = None;
        let mut fine = false;
        let mut ended = false;
        loop {
            if patience.is_none() && self.unfinished.finishes > 0 {
                patience = Some(Instant::now() + self.chain.finish_within);
            }
            if ended && outbox.is_empty() {
                // The rest is read until the ear is done.
                told = None;
            }
            // Nothing is waited for: a time that does not come.
            let late = patience.unwrap_or_else(|| Instant::now() + Duration::from_hours(24));
            let sender = told.clone();
            let room = async {
                match sender {
                    Some(sender) => sender.reserve_owned().await.ok(),
                    None => None,
                }
            };
            tokio::select! {
                () = teller.unheard() => return Err(Over::Unheard),
                permit = room, if !outbox.is_empty() && told.is_some() => match permit {
                    Some(permit) => {
                        if let Some(sound) = outbox.pop_front() {
                            if let Sound::Audio(audio) = &sound {
                                let bytes = audio.len();
                                self.record.with(|record| {
                                    *record.sent.entry(ear.id().to_owned()).or_default() += bytes;
                                });
                            }
                            permit.send(sound);
                        }
                    }
                    // It has failed; it says itself why.
                    None => told = None,
                },
                sound = sounds.recv(), if outbox.len() < WAITING && told.is_some() && !ended => {
                    match sound {
                        Some(sound) => {
                            self.unfinished.push(sound.clone());
                            outbox.push_back(sound);
                        }
                        None => ended = true,
                    }
                }
                happened = heard.next() => match happened {
                    Some(Ok(happened)) => {
                        let finished = matches!(happened, Heard::Finished);
                        if finished {
                            patience = None;
                        }
                        if finished || !fine {
                            self.chain.gate.report(gate, Ok(()));
                            fine = true;
                        }
                        for happened in repeat.without(happened) {
                            self.note(&happened);
                            teller.tell(happened).await?;
                        }
                    }
                    Some(Err(error)) => return Err(error.into()),
                    None if ended => return Ok(()),
                    None => {
                        let told = "the ear stopped without saying why";
                        return Err(SpeechError::new(Outcome::BrokenStream, told).into());
                    }
                },
                () = sleep_until(late), if patience.is_some() => {
                    let told = "the words did not come in time";
                    return Err(SpeechError::new(Outcome::TimedOut, told).into());
                }
            }
        }
    }

    /// Keeps in mind what is not finished.
    fn note(&mut self, heard: &Heard) {
        match heard {
            Heard::Final { text, .. } => self.said.push(text.clone()),
            Heard::Finished => {
                self.said.clear();
                self.unfinished.finished();
            }
            Heard::TurnEnd => {
                self.said.clear();
                self.unfinished.turn_ended();
            }
            Heard::Interim(_) | Heard::EagerTurnEnd | Heard::TurnResumed => {}
        }
    }
}

/// The sound of utterances that are not understood to their end, and where they end.
#[derive(Default)]
struct Unfinished {
    sounds: VecDeque<Sound>,
    length: usize,
    finishes: usize,
}

impl Unfinished {
    fn push(&mut self, sound: Sound) {
        match &sound {
            Sound::Audio(audio) => self.length += audio.len(),
            Sound::Finish => self.finishes += 1,
        }
        self.sounds.push_back(sound);
        // The oldest sound goes; where utterances end is kept.
        while self.length > LONGEST {
            let oldest = self.sounds.iter().position(|sound| matches!(sound, Sound::Audio(_)));
            match oldest.and_then(|oldest| self.sounds.remove(oldest)) {
                Some(Sound::Audio(audio)) => self.length -= audio.len(),
                _ => break,
            }
        }
    }

    /// The first utterance is understood.
    fn finished(&mut self) {
        if self.finishes == 0 {
            return;
        }
        while let Some(sound) = self.sounds.pop_front() {
            match sound {
                Sound::Audio(audio) => self.length -= audio.len(),
                Sound::Finish => {
                    self.finishes -= 1;
                    break;
                }
            }
        }
    }

    /// All sound so far is understood. Finishes are still to be answered.
    fn turn_ended(&mut self) {
        self.sounds.retain(|sound| *sound == Sound::Finish);
        self.length = 0;
    }

    /// All of it, in larger pieces.
    fn again(&self) -> VecDeque<Sound> {
        let mut pieces = VecDeque::new();
        let mut piece = BytesMut::new();
        let flush = |piece: &mut BytesMut, pieces: &mut VecDeque<Sound>| {
            if !piece.is_empty() {
                pieces.push_back(Sound::Audio(Bytes::from(piece.split())));
            }
        };
        for sound in &self.sounds {
            match sound {
                Sound::Audio(audio) => {
                    piece.extend_from_slice(audio);
                    if piece.len() >= PIECE {
                        flush(&mut piece, &mut pieces);
                    }
                }
                Sound::Finish => {
                    flush(&mut piece, &mut pieces);
                    pieces.push_back(Sound::Finish);
                }
            }
        }
        flush(&mut piece, &mut pieces);
        pieces
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
