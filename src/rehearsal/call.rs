//! One rehearsed call over webhooks alone: hears what is said, answers back.

use std::time::{Duration, Instant};

use super::leg::{Halt, Leg, Told};
use crate::{
    domain::{CallSid, Error, PhoneNumber, Result},
    twilio::caller::Caller,
};

/// What is heard on the caller's side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The assistant's words.
    pub text: String,
    /// How long they took to come.
    pub after: Duration,
    /// Every document that was answered, in order.
    pub twiml: Vec<String>,
}

/// Where the call stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The assistant listens.
    Listening,
    /// The assistant hung up.
    HungUp,
    /// The call goes to a human.
    Transferred(PhoneNumber),
}

/// A call from one number to another.
pub struct Call<'a> {
    leg: Leg<'a>,
    action: Option<String>,
    state: State,
}

impl<'a> Call<'a> {
    /// Dials, and hears the greeting.
    pub async fn place(twilio: &'a Caller, from: &str, to: &PhoneNumber) -> Result<(Self, Heard)> {
        let leg = Leg::new(twilio, from, to)?;
        let mut call = Self { leg, action: None, state: State::Listening };
        let (begun, mut told) = (Instant::now(), Told::default());
        let halt = call.leg.ring(&mut told).await?;
        let heard = call.halted(halt, begun, told)?;
        Ok((call, heard))
    }

    /// Its identifier.
    pub fn sid(&self) -> &CallSid {
        &self.leg.sid
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Says something, or nothing, and hears the answer.
    pub async fn say(&mut self, words: &str) -> Result<Heard> {
        self.answer(&spoken(words)).await
    }

    /// Presses keys, and hears the answer.
    pub async fn press(&mut self, keys: &str) -> Result<Heard> {
        self.answer(&[("Digits", keys)]).await
    }

    /// The call is over: Twilio announces it.
    pub async fn hang_up(&mut self) -> Result<()> {
        self.leg.hang_up().await
    }

    async fn answer(&mut self, extra: &[(&str, &str)]) -> Result<Heard> {
        let action = self
            .action
            .clone()
            .ok_or_else(|| Error::failure("the assistant does not listen any more"))?;
        let (begun, mut told) = (Instant::now(), Told::default());
        let fields = self.leg.fields_with(extra);
        let halt = self.leg.request(action, fields, &mut told).await?;
        self.halted(halt, begun, told)
    }

    fn halted(&mut self, halt: Halt, begun: Instant, told: Told) -> Result<Heard> {
        (self.action, self.state) = match halt {
            Halt::Gather(action) => (Some(action), State::Listening),
            Halt::Transferred(number) => (None, State::Transferred(number)),
            Halt::HungUp => (None, State::HungUp),
            Halt::Connect(_) => {
                return Err(Error::failure(
                    "the call goes on over a socket, and this rehearsal has only webhooks",
                ));
            }
        };
        Ok(Heard { text: told.text, after: begun.elapsed(), twiml: told.twiml })
    }
}

/// The fields of words; none of silence.
pub(super) fn spoken(words: &str) -> Vec<(&str, &str)> {
    if words.trim().is_empty() {
        return Vec::new();
    }
    vec![("SpeechResult", words), ("Confidence", "0.93")]
}
