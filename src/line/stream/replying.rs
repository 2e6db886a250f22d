//! One streamed call, what it says: words, sentences, sound, and what was heard of them.

use tokio::time::Instant;

use super::{
    call::{Call, Cut, MESSAGE, Over},
    voicing::Sounded,
};
use crate::{
    domain::{Delivery, Next},
    line::{
        heard::Split,
        socket::{Closed, Socket},
        talk::{Done, Event},
    },
    twilio::stream::ToTwilio,
};

impl<S: Socket> Call<'_, S> {
    /// The caller talks over us: not one word more. Nothing happens when we say nothing.
    pub(super) async fn interrupt(&mut self) -> Result<(), Closed> {
        let Some(speech) = self.speech.take() else { return Ok(()) };
        let now = Instant::now();
        self.talk.interrupt();
        self.next_mark = self.next_mark.max(speech.playback.next_mark());
        let sid = self.stream_sid.clone();
        self.cut = Some(Cut {
            said: speech.heard(now),
            record: speech.record(),
            done: speech.done.clone(),
            since: now,
            was_nothing: false,
        });
        drop(speech);
        self.waits.no_longer_for_reply();
        self.send(&ToTwilio::Clear { stream_sid: sid.into() }).await
    }

    /// The interruption was none: says the rest.
    pub(super) fn go_on(&mut self) {
        let Some(cut) = &mut self.cut else { return };
        let Some(done) = cut.done.clone() else {
            cut.was_nothing = true;
            return;
        };
        let Split { unheard, .. } = Split::until(&done.text, &cut.said);
        let (said, record) = (std::mem::take(&mut cut.said), std::mem::take(&mut cut.record));
        self.cut = None;
        let mut speech = self.new_speech();
        speech.go_on_after(said, record);
        speech.words(unheard.as_deref().unwrap_or_default());
        speech.end(done);
        self.hearing.we_are_done();
        self.speech = Some(speech);
    }

    /// What came of a turn.
    pub(super) fn heed(&mut self, event: Event) -> Option<Over> {
        match event {
            Event::Words(words) => {
                self.waits.no_longer_for_reply();
                if self.cut.is_none() && self.queued.is_none() {
                    let mut speech = self.speech.take().unwrap_or_else(|| self.new_speech());
                    speech.words(&words);
                    self.speech = Some(speech);
                }
            }
            Event::Language(language) => self.turn_to(language),
            Event::Done(done) => {
                self.waits.no_longer_for_reply();
                self.done(done);
            }
            Event::Over => return Some(Over::Left),
        }
        None
    }

    pub(super) fn done(&mut self, done: Done) {
        if let Some(cut) = &mut self.cut {
            cut.done = Some(done);
            if cut.was_nothing && self.queued.is_none() {
                self.go_on();
            } else if self.queued.is_some() {
                self.deliver_cut();
            }
        } else if let (Some(speech), None) = (&mut self.speech, &self.queued) {
            speech.end(done);
        } else {
            // The caller went on before a word of it was said.
            let unheard = (!done.text.is_empty()).then_some(done.text);
            let delivery = Delivery { unheard, interrupted: true, ..Delivery::default() };
            self.talk.deliver(done.number, delivery, false);
            if self.queued.is_none() {
                self.waits.for_caller();
            }
        }
        if let Some((heard, timings)) = self.queued.take() {
            self.think(heard, timings);
        }
    }

    /// What came of a sentence.
    pub(super) async fn sound(&mut self, sounded: Option<Sounded>) -> Result<Option<Over>, Closed> {
        let Some(speech) = &mut self.speech else { return Ok(None) };
        match sounded {
            Some(Sounded::Begin { text, mouth }) => speech.begin(&text, mouth),
            Some(Sounded::Sound(mut sound)) => {
                while !sound.is_empty() {
                    let piece = sound.split_to(MESSAGE.min(sound.len()));
                    let message = ToTwilio::media(&self.stream_sid, &piece).render();
                    self.socket.send(message).await?;
                    let Some(speech) = &mut self.speech else { return Ok(None) };
                    let mark = speech.sent(&piece, Instant::now());
                    self.mark(mark).await?;
                }
            }
            Some(Sounded::End) => speech.end_sentence(),
            Some(Sounded::Unspoken) => return Ok(Some(Over::Voiceless)),
            Some(Sounded::Noise) => {
                speech.playback.disown();
                let stream_sid = self.stream_sid.clone().into();
                self.send(&ToTwilio::Clear { stream_sid }).await?;
                return Ok(Some(Over::Voiceless));
            }
            None => {
                let mark = speech.spoken();
                self.mark(mark).await?;
                return Ok(self.look_whether_it_is_over());
            }
        }
        Ok(None)
    }

    /// Once the caller has heard the reply, what it said to do is done.
    pub(super) fn look_whether_it_is_over(&mut self) -> Option<Over> {
        self.speech.as_ref().filter(|speech| speech.is_over())?;
        self.spoken_to_its_end()
    }

    pub(super) fn spoken_to_its_end(&mut self) -> Option<Over> {
        let speech = self.speech.take()?;
        self.next_mark = self.next_mark.max(speech.playback.next_mark());
        self.hearing.we_are_done();
        let (timings, mouth) = speech.record();
        let done = speech.done.clone()?;
        let next = done.next.clone();
        let delivery = Delivery {
            said: done.text,
            timings,
            mouth,
            ear: self.ear_record.used(),
            used: self.used(false),
            ..Delivery::default()
        };
        self.talk.deliver(done.number, delivery, done.discloses);
        match next {
            Next::Listen => {
                self.waits.for_caller();
                None
            }
            Next::HangUp | Next::Transfer(_) => Some(Over::Parted),
        }
    }

    /// Notes what was heard of a reply that was talked over.
    pub(super) fn deliver_cut(&mut self) {
        let Some(Cut { said, record, done: Some(done), .. }) = self.cut.take() else { return };
        let Split { said, unheard } = Split::until(&done.text, &said);
        let discloses = done.discloses && !said.is_empty();
        let (timings, mouth) = record;
        let ear = self.ear_record.used();
        let used = self.used(false);
        let delivery = Delivery { said, unheard, interrupted: true, timings, mouth, ear, used };
        self.talk.deliver(done.number, delivery, discloses);
    }
}
