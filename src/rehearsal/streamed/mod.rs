//! One rehearsed call over `<Connect><Stream>`: sound in both directions, in real time.
//!
//! The call is played by whoever waits for one of its methods; between them its clock stands, and
//! the frames that were due are sent at once when it goes on.

mod line;
mod playback;
mod speech;

use std::time::Duration;

pub use playback::{Gaps, Playback, is_voiced};
pub use speech::Speech;

use line::{Happened, Line};

use super::{
    State,
    call::spoken,
    handed::Beep,
    human::Humans,
    lateness::Lateness,
    leg::{Halt, Leg, PickedUp, Told, fresh},
};
use crate::{
    domain::{CallSid, Error, PhoneNumber, Result},
    twilio::{
        caller::Caller,
        reader::{Connect, Endpoint, Noun},
        stream::{MediaFormat, Start},
    },
};

/// Sockets in a row that come to nothing, after which a rehearsal gives up.
const REFUSALS: usize = 5;

/// Nobody listens to more than this.
const LONGEST_REPLY: Duration = Duration::from_mins(3);

/// How a caller behaves.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// The assistant has finished when nothing was heard of it for so long.
    pub quiet: Duration,
    /// For so long an answer is waited for.
    pub patience: Duration,
    /// Whether both sides are kept, for [`StreamedCall::recording`].
    pub record: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { quiet: Duration::from_millis(800), patience: Duration::from_secs(20), record: true }
    }
}

/// What the caller heard, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// What the caller felt: from the end of the caller's own speech (or from the stream's start)
    /// to the first audible sound played. Nothing when none came.
    pub after: Option<Duration>,
    /// Only after the start of a stream: when the first sound at all arrived.
    pub first_frame: Option<Duration>,
    /// From the caller's first audible frame to the `clear`, where one came.
    pub cleared: Option<Duration>,
    /// Words of `<Say>` on the way.
    pub text: String,
    /// Every document that was answered on the way.
    pub twiml: Vec<String>,
}

/// A call from one number to another.
pub struct StreamedCall<'a> {
    leg: Leg<'a>,
    line: Line,
    manner: Manner,
    state: State,
    /// Where an answer goes that is asked for by `<Gather>`, before there is a stream.
    action: Option<String>,
    beep: Option<Beep>,
    /// Where the last `<Connect>` said that the call goes on.
    resume: Option<String>,
    endpoint: Option<Endpoint>,
    told: Told,
    failures: Vec<String>,
}

impl<'a> StreamedCall<'a> {
    /// Dials, and hears the greeting out.
    pub async fn place(twilio: &'a Caller, from: &str, to: &PhoneNumber) -> Result<(Self, Heard)> {
        let (mut call, greeting) = Self::ring(twilio, from, to, Manner::default()).await?;
        let rest = call.listen().await?;
        Ok((call, joined(greeting, rest)))
    }

    /// Dials, and is back as soon as the greeting begins.
    pub async fn ring(
        twilio: &'a Caller,
        from: &str,
        to: &PhoneNumber,
        manner: Manner,
    ) -> Result<(Self, Heard)> {
        Self::begin(Leg::new(twilio, from, to)?, manner).await
    }

    /// Picks up a call that the daemon makes, and hears the first words to their end.
    pub async fn pick_up(twilio: &'a Caller, call: &PickedUp<'_>) -> Result<(Self, Heard)> {
        let leg = Leg::called(twilio, call)?;
        let (mut call, greeting) = Self::begin(leg, Manner::default()).await?;
        let rest = call.listen().await?;
        Ok((call, joined(greeting, rest)))
    }

    async fn begin(leg: Leg<'a>, manner: Manner) -> Result<(Self, Heard)> {
        let mut call = Self {
            leg,
            line: Line::new(manner.record),
            manner,
            state: State::Listening,
            action: None,
            beep: None,
            resume: None,
            endpoint: None,
            told: Told::default(),
            failures: Vec::new(),
        };
        let halt = call.leg.ring(&mut call.told).await?;
        call.halted(halt).await?;
        let heard = call.first_sound().await?;
        Ok((call, heard))
    }

    /// What the humans do who are rung from now on.
    pub fn humans(&mut self, humans: Humans) {
        self.leg.humans = humans;
    }

    /// Its identifier.
    pub fn sid(&self) -> &CallSid {
        &self.leg.sid
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether a stream is open. Without one and still listening, the assistant has asked something
    /// by `<Gather>` first: [`Self::answer`] it.
    pub fn is_streaming(&self) -> bool {
        self.line.is_open()
    }

    /// What the TwiML said of the stream.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// Sockets that could not be opened, each with the reason.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Holes in what was heard of the assistant.
    pub fn gaps(&self) -> Gaps {
        self.line.playback.gaps()
    }

    /// How late this player was with its own frames.
    pub fn lateness(&self) -> &Lateness {
        &self.line.lateness
    }

    /// Both sides until now, 8 kHz, aligned in time: what the caller sent, and what of the
    /// assistant was played.
    pub fn recording(&self) -> (Vec<i16>, Vec<i16>) {
        self.line.recording()
    }

    /// Says something once the assistant has finished, and hears the answer out.
    pub async fn say(&mut self, speech: impl Into<Speech>) -> Result<Heard> {
        let heard = self.ask(speech).await?;
        Ok(joined(heard, self.listen().await?))
    }

    /// Says something once the assistant has finished, and is back when the answer begins.
    pub async fn ask(&mut self, speech: impl Into<Speech>) -> Result<Heard> {
        self.until_quiet().await?;
        self.speak(speech.into()).await
    }

    /// Lets the assistant speak for so long, then talks over it, and is back when the answer to
    /// that begins. `Heard::cleared` says how fast the assistant fell silent.
    pub async fn interrupt_after(
        &mut self,
        after: Duration,
        speech: impl Into<Speech>,
    ) -> Result<Heard> {
        let patience = self.line.now() + self.manner.patience;
        while !self.line.playback.speaks(self.line.now()) {
            if self.line.now() > patience || !self.step().await? {
                return Err(Error::failure("the assistant says nothing that could be interrupted"));
            }
        }
        self.wait(after).await?;
        self.speak(speech.into()).await
    }

    /// Hears the assistant out.
    pub async fn listen(&mut self) -> Result<Heard> {
        self.until_quiet().await?;
        Ok(self.heard())
    }

    /// Says nothing for a while.
    pub async fn wait(&mut self, time: Duration) -> Result<()> {
        let until = self.line.now() + time;
        while self.line.now() < until {
            if !self.step().await? {
                break;
            }
        }
        Ok(())
    }

    /// Presses keys, and is back when the answer begins.
    pub async fn press(&mut self, keys: &str) -> Result<Heard> {
        if self.action.is_some() {
            return self.post(&[("Digits", keys)]).await;
        }
        self.must_stream()?;
        for digit in keys.chars() {
            if self.line.press(digit).await? == Happened::Closed {
                self.went_on().await?;
                return Ok(self.heard());
            }
        }
        self.line.finish();
        self.first_sound().await
    }

    /// Answers in words what was asked by `<Gather>`, before there is a stream.
    pub async fn answer(&mut self, words: &str) -> Result<Heard> {
        if let Some(beep) = self.beep.take() {
            let halt = self.leg.leave_message(beep, words, &mut self.told).await?;
            self.halted(halt).await?;
            return self.first_sound().await;
        }
        self.post(&spoken(words)).await
    }

    /// Loses the socket, and goes on where Twilio would.
    pub async fn drop_socket(&mut self) -> Result<()> {
        self.must_stream()?;
        self.line.cut();
        self.went_on().await
    }

    /// The caller hangs up, or the call is over anyway: Twilio announces it.
    pub async fn hang_up(&mut self) -> Result<()> {
        self.line.stop().await?;
        self.leg.hang_up().await
    }

    async fn post(&mut self, extra: &[(&str, &str)]) -> Result<Heard> {
        let action = self
            .action
            .take()
            .ok_or_else(|| Error::failure("nothing was asked that is answered by a webhook"))?;
        let fields = self.leg.fields_with(extra);
        let halt = self.leg.request(action, fields, &mut self.told).await?;
        self.halted(halt).await?;
        self.first_sound().await
    }

    async fn speak(&mut self, speech: Speech) -> Result<Heard> {
        self.must_stream()?;
        self.line.speak(speech);
        while self.line.is_speaking() {
            if !self.step().await? {
                return Ok(self.heard());
            }
        }
        self.first_sound().await
    }

    fn must_stream(&self) -> Result<()> {
        if self.line.is_open() {
            return Ok(());
        }
        Err(Error::failure("there is no stream to be heard over"))
    }

    /// Steps until the answer is heard, or is waited for no longer.
    async fn first_sound(&mut self) -> Result<Heard> {
        // What TwiML said may be all there is to say: the assistant then listens.
        let Manner { patience, quiet, .. } = self.manner;
        let patience = self.line.now() + if self.told.text.is_empty() { patience } else { quiet };
        while self.line.is_open() {
            let now = self.line.now();
            let heard = self.line.moments.answered.is_some_and(|answered| answered <= now);
            if heard || now > patience || !self.step().await? {
                break;
            }
        }
        Ok(self.heard())
    }

    async fn until_quiet(&mut self) -> Result<()> {
        let longest = self.line.now() + LONGEST_REPLY;
        while self.line.playback.silent_for(self.line.now()) < self.manner.quiet {
            if self.line.now() > longest {
                return Err(Error::failure("the assistant does not stop speaking"));
            }
            if !self.step().await? {
                break;
            }
        }
        Ok(())
    }

    /// A step of the line. Answers whether the same stream goes on.
    async fn step(&mut self) -> Result<bool> {
        if !self.line.is_open() {
            return Ok(false);
        }
        if self.line.step().await? == Happened::Something {
            return Ok(true);
        }
        self.went_on().await?;
        Ok(false)
    }

    /// The socket is closed: Twilio goes on with the TwiML.
    async fn went_on(&mut self) -> Result<()> {
        let halt = self.after_connect().await?;
        self.halted(halt).await
    }

    async fn after_connect(&mut self) -> Result<Halt> {
        match self.resume.take() {
            Some(action) => {
                let fields = self.leg.fields("in-progress");
                self.leg.request(action, fields, &mut self.told).await
            }
            None => self.leg.go_on(&mut self.told).await,
        }
    }

    async fn halted(&mut self, mut halt: Halt) -> Result<()> {
        for _ in 0..REFUSALS {
            match halt {
                Halt::Gather(action) => {
                    self.action = Some(action);
                    return Ok(());
                }
                Halt::HungUp => self.state = State::HungUp,
                Halt::Transferred(number) => self.state = State::Transferred(number),
                Halt::Message(beep) => self.beep = Some(beep),
                Halt::Connect(Connect { action, to: Some(Noun::Stream(endpoint)) }) => {
                    self.resume = action;
                    match self.connect(endpoint).await {
                        Ok(()) => return Ok(()),
                        Err(error) => {
                            self.failures.push(error.with_causes());
                            halt = self.after_connect().await?;
                            continue;
                        }
                    }
                }
                Halt::Connect(_) => {
                    return Err(Error::failure("the call goes on, but not over a <Stream>"));
                }
            }
            return Ok(());
        }
        let why = self.failures.last().map_or("no reason", String::as_str).to_owned();
        Err(Error::failure("no stream comes about, however often it is tried").because(why))
    }

    async fn connect(&mut self, endpoint: Endpoint) -> Result<()> {
        let start = Start {
            account_sid: self.leg.twilio.account().clone(),
            call_sid: self.leg.sid.clone(),
            custom_parameters: endpoint.parameters.clone(),
            media_format: MediaFormat::default(),
        };
        self.line.open(self.leg.twilio, &endpoint.url, fresh("MZ"), start).await?;
        // Whoever is connected waits for what is said.
        self.line.moments.finished = Some(self.line.moments.started);
        self.endpoint = Some(endpoint);
        Ok(())
    }

    /// What was heard since it was last told.
    fn heard(&mut self) -> Heard {
        let told = std::mem::take(&mut self.told);
        let moments = &mut self.line.moments;
        let since = |from: Option<Duration>, to: Option<Duration>| Some(to?.saturating_sub(from?));
        let first_frame = moments.first_frame.filter(|_| moments.spoke.is_none());
        Heard {
            after: since(moments.finished, moments.answered),
            first_frame: since(Some(moments.started), first_frame),
            cleared: since(moments.spoke, moments.cleared),
            text: told.text,
            twiml: told.twiml,
        }
    }
}

/// What begins with one and ends with the other.
fn joined(first: Heard, rest: Heard) -> Heard {
    let text = [first.text, rest.text].into_iter().filter(|text| !text.is_empty());
    Heard {
        after: first.after.or(rest.after),
        first_frame: first.first_frame.or(rest.first_frame),
        cleared: first.cleared.or(rest.cleared),
        text: text.collect::<Vec<_>>().join(" "),
        twiml: first.twiml.into_iter().chain(rest.twiml).collect(),
    }
}
