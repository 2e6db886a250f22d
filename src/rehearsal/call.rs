//! One rehearsed call over webhooks alone: hears what is said, answers back.

use std::time::{Duration, Instant};

use super::{
    handed::Beep,
    human::Humans,
    leg::{Halt, Leg, PickedUp, Told},
};
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
    /// What humans who were rung were told of the call.
    pub whispers: Vec<String>,
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
    beep: Option<Beep>,
    state: State,
}

impl<'a> Call<'a> {
    /// Dials, and hears the greeting.
    pub async fn place(twilio: &'a Caller, from: &str, to: &PhoneNumber) -> Result<(Self, Heard)> {
        Self::place_with(twilio, from, to, Humans::default()).await
    }

    /// The same, where the humans who are rung do something of their own.
    pub async fn place_with(
        twilio: &'a Caller,
        from: &str,
        to: &PhoneNumber,
        humans: Humans,
    ) -> Result<(Self, Heard)> {
        Self::begin(Leg::new(twilio, from, to)?, humans).await
    }

    /// Picks up a call that the daemon makes, and hears its first words.
    pub async fn pick_up(
        twilio: &'a Caller,
        call: &PickedUp<'_>,
        humans: Humans,
    ) -> Result<(Self, Heard)> {
        Self::begin(Leg::called(twilio, call)?, humans).await
    }

    async fn begin(mut leg: Leg<'a>, humans: Humans) -> Result<(Self, Heard)> {
        leg.humans = humans;
        let mut call = Self { leg, action: None, beep: None, state: State::Listening };
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
        if let Some(beep) = self.beep.take() {
            let (begun, mut told) = (Instant::now(), Told::default());
            let halt = self.leg.leave_message(beep, words, &mut told).await?;
            return self.halted(halt, begun, told);
        }
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
            Halt::Message(beep) => {
                self.beep = Some(beep);
                (None, State::Listening)
            }
            Halt::Connect(_) => {
                return Err(Error::failure(
                    "the call goes on over a socket, and this rehearsal has only webhooks",
                ));
            }
        };
        let Told { text, twiml, whispers } = told;
        Ok(Heard { text, after: begun.elapsed(), twiml, whispers })
    }
}

/// The fields of words; none of silence.
pub(super) fn spoken(words: &str) -> Vec<(&str, &str)> {
    if words.trim().is_empty() {
        return Vec::new();
    }
    vec![("SpeechResult", words), ("Confidence", "0.93")]
}
