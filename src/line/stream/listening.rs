//! One streamed call, what it hears: Twilio's messages, frames, and what the ear makes of them.

use tokio::time::Instant;

use super::{
    barge_in::is_backchannel,
    call::{Call, Over, RUBBISH},
    hearing::{Attention, Noticed, Uttered},
};
use crate::{
    audio::FRAME,
    domain::{Heard, TurnTimings},
    line::{
        socket::{Closed, Socket},
        talk::joined,
    },
    providers::stt,
    twilio::stream::FromTwilio,
};

impl<S: Socket> Call<'_, S> {
    /// A message of Twilio's.
    pub(super) async fn receive(&mut self, message: &str) -> Result<Option<Over>, Closed> {
        self.last_message = Instant::now();
        let message = match FromTwilio::read(message) {
            Ok(message) => message,
            Err(error) => return Ok(self.rubbish(&error)),
        };
        match message {
            FromTwilio::Media { media } => {
                let mut decoded = std::mem::take(&mut self.decoded);
                let read = media.decode(&mut decoded);
                let at = media.at_ms();
                let done = match read {
                    Ok(()) => {
                        self.rubbish = 0;
                        self.hear(&decoded, at).await
                    }
                    Err(error) => Ok(self.rubbish(&error)),
                };
                self.decoded = decoded;
                return done;
            }
            FromTwilio::Mark { mark } => {
                if let (Some(speech), Ok(number)) = (&mut self.speech, mark.name.parse()) {
                    speech.playback.returned(number, Instant::now());
                }
                return Ok(self.look_whether_it_is_over());
            }
            FromTwilio::Dtmf { dtmf } => {
                self.waits.key(&dtmf.digit);
            }
            FromTwilio::Stop {} => return Ok(Some(Over::Gone)),
            FromTwilio::Connected {} | FromTwilio::Start { .. } | FromTwilio::Other => {}
        }
        Ok(None)
    }

    pub(super) fn rubbish(&mut self, error: &impl std::fmt::Display) -> Option<Over> {
        self.rubbish += 1;
        if self.rubbish == 1 {
            tracing::warn!(%error, "a message that cannot be read");
        }
        (self.rubbish >= RUBBISH).then_some(Over::Left)
    }

    /// Some sound of the caller, of any length; `at` is when, as Twilio counts.
    pub(super) async fn hear(
        &mut self,
        sound: &[u8],
        at: Option<u64>,
    ) -> Result<Option<Over>, Closed> {
        // What comes twice, or late, has been heard or missed already.
        if let Some(at) = at {
            if self.heard_until.is_some_and(|until| at < until) {
                return Ok(None);
            }
            self.heard_until = Some(at + (sound.len() / 8) as u64);
        }
        if self.partial.is_empty() && sound.len() == FRAME {
            return self.hear_frame(sound).await;
        }
        self.partial.extend_from_slice(sound);
        let waiting = std::mem::take(&mut self.partial);
        let mut frames = waiting.chunks_exact(FRAME);
        for frame in &mut frames {
            if let Some(over) = self.hear_frame(frame).await? {
                return Ok(Some(over));
            }
        }
        self.partial.extend_from_slice(frames.remainder());
        Ok(None)
    }

    pub(super) async fn hear_frame(&mut self, frame: &[u8]) -> Result<Option<Over>, Closed> {
        let Ok(frame) = <&[u8; FRAME]>::try_from(frame) else { return Ok(None) };
        let now = Instant::now();
        let attention = self.attention(now);
        if let (Attention::Divided, Some(speech)) = (attention, &self.speech) {
            self.hearing.we_speak(speech.level_db(now));
        }
        let noticed = self.hearing.hear(frame, now, attention, &mut self.outbox);
        for sound in self.outbox.drain(..) {
            // An ear that takes nothing is given up on by the chain; what it misses, it misses.
            let _ = self.ear.sound.try_send(sound);
        }
        match noticed {
            Some(noticed) => self.notice(noticed).await,
            None => Ok(None),
        }
    }

    pub(super) fn attention(&self, now: Instant) -> Attention {
        if self.must_be_heard(now) || (self.speaks() && self.never_interrupted) {
            Attention::None
        } else if self.speaks() {
            Attention::Divided
        } else {
            Attention::Full
        }
    }

    pub(super) async fn understand(&mut self, heard: stt::Heard) -> Result<Option<Over>, Closed> {
        self.hearing.set_continuous(self.ear_record.ends_turns());
        let now = Instant::now();
        match self.hearing.understand(heard, now, self.attention(now)) {
            Some(noticed) => self.notice(noticed).await,
            None => Ok(None),
        }
    }

    pub(super) async fn notice(&mut self, noticed: Noticed) -> Result<Option<Over>, Closed> {
        match noticed {
            Noticed::Voice => {}
            Noticed::Probably(words) => {
                // What was heard of a reply is noted first; only then would the model be asked the same.
                if self.speech.is_none() && self.cut.is_none() {
                    let language = self.hearing.language().cloned();
                    let text = plain(&words);
                    self.talk.expect(Heard::Speech { text, confidence: None, language });
                }
            }
            Noticed::WentOn => self.talk.expect_no_longer(),
            Noticed::Interruption => self.interrupt().await?,
            Noticed::Utterance(uttered) => self.uttered(uttered).await?,
        }
        Ok(None)
    }

    /// An utterance is over.
    pub(super) async fn uttered(&mut self, uttered: Uttered) -> Result<(), Closed> {
        let nothing = uttered.text.trim().is_empty();
        if (nothing || is_backchannel(&uttered.text)) && self.cut.is_some() {
            self.go_on();
            return Ok(());
        }
        if nothing {
            if uttered.gave_up {
                tracing::warn!("the words of an utterance did not come");
                return self.heard(Heard::Silence, TurnTimings::default()).await;
            }
            self.talk.expect_no_longer();
            return Ok(());
        }
        let speaks = self.speaks();
        if is_backchannel(&uttered.text) && (speaks || self.talk.is_thinking()) {
            return Ok(());
        }
        if speaks {
            // Too short or too low to be noticed as one, but words all the same.
            self.interrupt().await?;
        }
        let timings = TurnTimings {
            endpoint_ms: Some(uttered.endpoint_ms),
            words_ms: Some(uttered.words_ms),
            ..TurnTimings::default()
        };
        let text = plain(&uttered.text);
        let Uttered { confidence, language, .. } = uttered;
        self.heard(Heard::Speech { text, confidence, language }, timings).await
    }

    /// Something was heard that wants a reply.
    pub(super) async fn heard(&mut self, heard: Heard, timings: TurnTimings) -> Result<(), Closed> {
        if self.talk.is_thinking() {
            // More of what the reply is to: it begins anew, with both.
            self.talk.interrupt();
            self.speech = None;
            let before = self.queued.take().map(|(heard, _)| heard);
            self.queued = Some((joined(before, heard), timings));
            return Ok(());
        }
        // A reply that is whole, and of which nothing has sounded yet, is no answer to this.
        self.deliver_cut();
        self.interrupt().await?;
        self.deliver_cut();
        self.think(heard, timings);
        Ok(())
    }
}

/// Words without what is none.
fn plain(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).collect()
}
