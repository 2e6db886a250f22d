//! One streamed call: what it hears, says and waits for.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use tokio::{sync::watch, time::Instant};

use super::{hearing::Hearing, reply::Speech, voicing::Sounded};
use crate::{
    audio::FRAME,
    conversation::phrases,
    domain::{Assistant, AssistantSpec, Delivery, Heard, LanguageTag, TurnTimings, Use},
    line::{
        gather::hints,
        greeting::Greeting,
        heard::Split,
        meter::add_to,
        sessions::Session,
        socket::{Alarm, Closed, Goodbye, LAST_WORDS, Socket, told_to_stop},
        talk::{Done, Event, Opening, Talk},
        voice::Line,
        voices::{Mouth, listener},
        waits::{Due, Waits},
    },
    operations::live::Opened,
    providers::stt::{EarRecord, ListenRequest, Listening, Sound},
    twilio::stream::ToTwilio,
};

/// After an interruption without words, when we go on.
const GO_ON_AFTER: Duration = Duration::from_secs(2);

/// Twilio sends fifty frames a second: after so long without one, nobody is there.
const GONE: Duration = Duration::from_secs(30);

/// How long Twilio may take to close a stream that we closed.
const CLOSES_WITHIN: Duration = Duration::from_secs(2);

/// Sound goes out in messages of at most 400 ms.
pub(super) const MESSAGE: usize = 20 * FRAME;

/// Messages in a row that are none, after which a peer is not Twilio.
pub(super) const RUBBISH: u32 = 100;

/// Why a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The reply said to hang up, or to hand over: Twilio asks what to do.
    Parted,
    /// The caller or Twilio is gone.
    Gone,
    /// Another socket has the call.
    Replaced,
    /// The daemon stops, or cannot go on: Twilio comes back.
    Left,
    /// Nobody of ours can listen or speak.
    Voiceless,
}

/// A reply that the caller talked over.
pub(super) struct Cut {
    pub(super) said: String,
    pub(super) record: (TurnTimings, Option<String>),
    pub(super) done: Option<Done>,
    pub(super) since: Instant,
    /// It was nothing: we go on as soon as we know with what.
    pub(super) was_nothing: bool,
}

pub(super) struct Call<'a, S> {
    pub(super) line: &'a Line,
    pub(super) socket: &'a mut S,
    pub(super) stream_sid: String,
    pub(super) talk: Talk,
    pub(super) mouth: Mouth,
    pub(super) ear: Listening,
    pub(super) ear_record: EarRecord,
    /// What ears heard that listen no more.
    pub(super) heard_before: Vec<Use>,
    pub(super) hearing: Hearing,
    pub(super) never_interrupted: bool,
    pub(super) language: LanguageTag,
    /// Whose ears hear one language at a time: they are exchanged with the language.
    pub(super) one_at_a_time: Option<Arc<Assistant>>,
    pub(super) waits: Waits,
    pub(super) speech: Option<Speech>,
    pub(super) next_mark: u64,
    pub(super) cut: Option<Cut>,
    /// Heard while a turn was not over yet, and how long that took.
    pub(super) queued: Option<(Heard, TurnTimings)>,
    /// When the turn that is thought about was heard, and how long that took.
    pub(super) asked: (Instant, TurnTimings),
    pub(super) last_message: Instant,
    pub(super) rubbish: u32,
    /// Sound that was no whole frame yet, and what is decoded into.
    pub(super) partial: Vec<u8>,
    pub(super) decoded: Vec<u8>,
    pub(super) outbox: Vec<Sound>,
    /// The time of the latest sound, as Twilio counts it.
    pub(super) heard_until: Option<u64>,
}

impl<'a, S: Socket> Call<'a, S> {
    /// Nothing when nobody can speak or listen for the assistant.
    pub(super) fn new(
        line: &'a Line,
        standing: &Opened,
        socket: &'a mut S,
        stream_sid: String,
    ) -> Option<Self> {
        let spec = &standing.assistant.spec;
        let voices = line.voices.as_ref()?;
        let mouth = match voices.mouth(spec, &listener(&standing.call)) {
            Ok(mouth) => mouth,
            Err(error) => {
                tracing::error!(%error, "nobody can speak for the assistant");
                return None;
            }
        };
        let language = standing.call.language.clone();
        let (ear, ear_record) = voices.listen(spec, request(spec, &language));
        let now = Instant::now();
        Some(Self {
            line,
            socket,
            stream_sid,
            talk: Talk::new(line.clone(), standing),
            mouth,
            ear,
            hearing: Hearing::new(spec, ear_record.ends_turns()),
            ear_record,
            heard_before: Vec::new(),
            never_interrupted: Hearing::never_interrupted(spec),
            one_at_a_time: (!voices.hears_together(spec)).then(|| Arc::clone(&standing.assistant)),
            language,
            waits: Waits::new(line.patience),
            speech: None,
            next_mark: 1,
            cut: None,
            queued: None,
            asked: (now, TurnTimings::default()),
            last_message: now,
            rubbish: 0,
            partial: Vec::new(),
            decoded: Vec::new(),
            outbox: Vec::new(),
            heard_until: None,
        })
    }

    /// The call goes on in another language: so does its voice, and its ear if need be.
    pub(super) fn turn_to(&mut self, language: LanguageTag) {
        self.language = language;
        if let Some(speech) = &mut self.speech {
            speech.turn_to(&self.language);
        }
        if let (Some(assistant), Some(voices)) = (&self.one_at_a_time, &self.line.voices) {
            let spec = &assistant.spec;
            take_heard(&self.ear_record, true, &mut self.heard_before);
            (self.ear, self.ear_record) = voices.listen(spec, request(spec, &self.language));
            self.hearing.exchange_ear(self.ear_record.ends_turns());
        }
    }

    pub(super) async fn hold(
        mut self,
        standing: &Opened,
        session: &Session,
        stopping: watch::Receiver<bool>,
    ) {
        let over = self.talk_until_over(standing, session, stopping).await;
        if over == Over::Voiceless {
            self.line.over_webhooks(standing).await;
        }
        self.leave(over).await;
    }

    async fn talk_until_over(
        &mut self,
        standing: &Opened,
        session: &Session,
        mut stopping: watch::Receiver<bool>,
    ) -> Over {
        self.open(standing);
        let mut leave_by = None;
        let mut alarm = Alarm::new();
        loop {
            if leave_by.is_some() && self.is_quiet() {
                return Over::Left;
            }
            let due = leave_by.map_or(self.due(), |by| self.due().min(by));
            let done = tokio::select! {
                biased;
                () = session.replaced() => return Over::Replaced,
                event = self.talk.event() => Ok(self.heed(event)),
                sounded = next_sound(&mut self.speech) => self.sound(sounded).await,
                heard = self.ear.heard.next() => match heard {
                    Some(Ok(heard)) => self.understand(heard).await,
                    Some(Err(error)) => {
                        tracing::error!(%error, "nobody can listen any more");
                        return Over::Voiceless;
                    }
                    None => return Over::Voiceless,
                },
                message = self.socket.receive() => match message {
                    Some(message) => self.receive(&message).await,
                    None => return Over::Gone,
                },
                () = alarm.by(due) => {
                    if due > Instant::now() {
                        continue;
                    }
                    if leave_by.is_some_and(|by| by <= Instant::now()) {
                        return Over::Left;
                    }
                    self.act_on_time().await
                }
                () = told_to_stop(&mut stopping), if leave_by.is_none() => {
                    leave_by = Some(Instant::now() + LAST_WORDS);
                    continue;
                }
            };
            match done {
                Ok(None) => {}
                Ok(Some(over)) => return over,
                Err(Closed) => return Over::Gone,
            }
        }
    }

    /// What of speech was used since the last time that this was asked.
    pub(super) fn used(&mut self, at_the_end: bool) -> Vec<Use> {
        let mut uses = std::mem::take(&mut self.heard_before);
        take_heard(&self.ear_record, at_the_end, &mut uses);
        uses.extend(self.mouth.used());
        uses
    }

    /// The first words of a stream.
    fn open(&mut self, standing: &Opened) {
        match Opening::of(standing) {
            Opening::Think(heard) => self.think(heard, TurnTimings::default()),
            Opening::Listen => self.waits.for_caller(),
            Opening::Say { number, text, next } => {
                let spec = &standing.assistant.spec;
                self.asked = (Instant::now(), TurnTimings::default());
                let discloses = number == 0 && spec.announces_ai();
                let (told, may_interrupt) = Greeting::of(spec, &self.language).welcome();
                let mut speech = self.new_speech();
                match text.strip_prefix(&told) {
                    Some(rest) if number == 0 && !may_interrupt => {
                        speech.tell(&told);
                        // As it was cut when it was spoken before the call.
                        speech.words(rest.trim_start());
                    }
                    _ => speech.words(&text),
                }
                let language = self.language.clone();
                speech.end(Done { number, text, next, language, discloses });
                self.speech = Some(speech);
            }
        }
    }

    pub(super) fn new_speech(&self) -> Speech {
        let (asked_at, timings) = self.asked;
        Speech::new(self.mouth.clone(), self.language.clone(), self.next_mark, asked_at, timings)
    }

    fn is_quiet(&self) -> bool {
        self.speech.is_none()
            && self.cut.is_none()
            && self.queued.is_none()
            && !self.talk.is_thinking()
            && !self.hearing.is_open()
    }

    pub(super) async fn send(&mut self, message: &ToTwilio<'_>) -> Result<(), Closed> {
        self.socket.send(message.render()).await
    }

    pub(super) async fn mark(&mut self, mark: Option<u64>) -> Result<(), Closed> {
        let Some(mark) = mark else { return Ok(()) };
        self.next_mark = mark + 1;
        let (sid, name) = (self.stream_sid.clone(), mark.to_string());
        self.send(&ToTwilio::mark(&sid, &name)).await
    }

    /// Thinks about something heard.
    pub(super) fn think(&mut self, heard: Heard, timings: TurnTimings) {
        self.asked = (Instant::now(), timings);
        self.waits.for_reply();
        self.talk.hear(heard);
    }

    /// When something is to be done if nothing comes.
    fn due(&self) -> Instant {
        let speech = self.speech.as_ref().and_then(Speech::over_by);
        let waits = self.waits.due(self.hearing.is_open());
        let gone = self.last_message + GONE;
        [speech, self.go_on_due(), waits].into_iter().flatten().fold(gone, Instant::min)
    }

    /// When an interruption without words was none.
    fn go_on_due(&self) -> Option<Instant> {
        let cut = self.cut.as_ref().filter(|cut| !cut.was_nothing && !self.hearing.is_open())?;
        Some(cut.since + GO_ON_AFTER)
    }

    async fn act_on_time(&mut self) -> Result<Option<Over>, Closed> {
        let now = Instant::now();
        if self.last_message + GONE <= now {
            tracing::warn!("no sound of a caller for too long");
            return Ok(Some(Over::Gone));
        }
        match self.waits.take(now, self.hearing.is_open()) {
            // What must be heard whole is not keyed over either: they count when it is over.
            Some(Due::Keys(keys)) if self.must_be_heard(now) => {
                keys.chars().for_each(|key| self.waits.key(key.encode_utf8(&mut [0; 4])));
            }
            Some(Due::Keys(keys)) => {
                if self.speaks() {
                    self.interrupt().await?;
                }
                self.heard(Heard::Digits(keys), TurnTimings::default()).await?;
            }
            Some(Due::Silence) => self.think(Heard::Silence, TurnTimings::default()),
            Some(Due::Filler(given)) => {
                self.talk.count_filler(given + 1);
                let filler = phrases::for_language(&self.language).filler(given).to_owned();
                let mut speech = self.speech.take().unwrap_or_else(|| self.new_speech());
                speech.aside(&filler);
                self.speech = Some(speech);
            }
            None if self.go_on_due().is_some_and(|due| due <= now) => self.go_on(),
            None if self.speech.as_ref().and_then(Speech::over_by).is_some_and(|by| by <= now) => {
                tracing::warn!("the last mark of a reply did not come back");
                return Ok(self.spoken_to_its_end());
            }
            None => {}
        }
        Ok(None)
    }

    pub(super) fn must_be_heard(&self, now: Instant) -> bool {
        self.speech.as_ref().is_some_and(|speech| speech.must_be_heard(now))
    }

    pub(super) fn speaks(&self) -> bool {
        self.speech.as_ref().is_some_and(|speech| speech.playback.has_begun())
    }

    /// The end of the stream: what is still thought about is brought to its end, and everything is
    /// written before Twilio asks where the call stands.
    async fn leave(mut self, over: Over) {
        tracing::info!(?over, "a stream is over");
        let now = Instant::now();
        self.talk.expect_no_longer();
        if let Some(speech) = self.speech.take() {
            self.talk.interrupt();
            self.cut = Some(Cut {
                said: speech.heard(now),
                record: speech.record(),
                done: speech.done.clone(),
                since: now,
                was_nothing: false,
            });
        }
        self.talk.interrupt();
        while self.talk.is_thinking() {
            match self.talk.event().await {
                Event::Words(_) | Event::Language(_) | Event::Over => {}
                Event::Done(done) => match &mut self.cut {
                    Some(cut) if cut.done.is_none() => cut.done = Some(done),
                    _ => {
                        let unheard = (!done.text.is_empty()).then_some(done.text);
                        let delivery = Delivery { unheard, ..Delivery::default() };
                        self.talk.deliver(done.number, delivery, false);
                    }
                },
            }
        }
        if let Some(Cut { said, record: (timings, mouth), done: Some(done), .. }) = self.cut.take()
        {
            let Split { said, unheard } = Split::until(&done.text, &said);
            let discloses = done.discloses && !said.is_empty();
            let ear = self.ear_record.used();
            let delivery = Delivery { said, unheard, timings, ear, mouth, ..Delivery::default() };
            self.talk.deliver(done.number, delivery, discloses);
        }
        let used = self.used(true);
        let Self { socket, talk, .. } = self;
        talk.settle(used).await;
        socket.close(Goodbye::Done).await;
        let closed = async { while socket.receive().await.is_some() {} };
        let _ = tokio::time::timeout(CLOSES_WITHIN, closed).await;
    }
}

/// How the caller is listened to: in all languages, the one spoken now first.
fn request(spec: &AssistantSpec, now: &LanguageTag) -> ListenRequest {
    let others = spec.voice.spoken().into_iter().filter(|language| *language != now);
    let languages = std::iter::once(now).chain(others).cloned().collect();
    ListenRequest { languages, hints: hints(spec) }
}

async fn next_sound(speech: &mut Option<Speech>) -> Option<Sounded> {
    match speech {
        Some(speech) => speech.next().await,
        None => std::future::pending().await,
    }
}

fn take_heard(record: &EarRecord, at_the_end: bool, uses: &mut Vec<Use>) {
    for (ear, seconds) in record.take_seconds(at_the_end) {
        add_to(uses, Use::of_hearing(&ear, seconds));
    }
}
