//! One leg of a rehearsed call: follows TwiML as Twilio would, until something has to be done that
//! is no webhook.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::{
    handed::{Beep, Ringing, Talking},
    human::Humans,
};
use crate::{
    domain::{CallSid, Error, PhoneNumber, Result},
    twilio::{
        caller::{Answer, Caller},
        reader::{self, Connect, Verb},
    },
};

/// Twilio follows at most this many redirects in a row.
const REDIRECTS: usize = 10;

/// Where TwiML stops to be followed.
#[derive(Debug)]
pub(super) enum Halt {
    /// The caller is listened to; what is heard goes to this address.
    Gather(String),
    /// The call goes on over a socket.
    Connect(Connect),
    /// The caller and a human talk.
    Transferred(PhoneNumber),
    /// A message is recorded.
    Message(Beep),
    /// The assistant hung up.
    HungUp,
}

/// What was told on the way.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Words spoken.
    pub(super) text: String,
    /// Every document, in order.
    pub(super) twiml: Vec<String>,
    /// What humans were told before they took the call, or refused it.
    pub(super) whispers: Vec<String>,
}

impl Told {
    pub(super) fn speak(&mut self, words: &str) {
        if !self.text.is_empty() && !words.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(words);
    }
}

/// A call that the daemon makes, as whoever is called picks it up.
#[derive(Debug, Clone, Copy)]
pub struct PickedUp<'p> {
    /// As Twilio named it when it was asked for.
    pub sid: &'p CallSid,
    /// The daemon's number.
    pub from: &'p PhoneNumber,
    /// Who is called.
    pub to: &'p PhoneNumber,
    /// Where Twilio was told to go.
    pub address: &'p str,
}

/// The caller's leg.
pub(super) struct Leg<'a> {
    pub(super) twilio: &'a Caller,
    pub(super) sid: CallSid,
    pub(super) from: String,
    pub(super) to: PhoneNumber,
    begun: Instant,
    /// Verbs after the one that halted.
    rest: VecDeque<Verb>,
    /// Who is rung, and what they do.
    pub(super) humans: Humans,
    /// The human whom the caller talks to.
    pub(super) talking: Option<Talking>,
    /// Where Twilio was told to go once somebody picks up, in a call that the daemon makes: `from` is
    /// its number then, and `to` the one who is called.
    called: Option<String>,
}

impl<'a> Leg<'a> {
    pub(super) fn new(twilio: &'a Caller, from: &str, to: &PhoneNumber) -> Result<Self> {
        Ok(Self {
            twilio,
            sid: fresh_sid()?,
            from: from.to_owned(),
            to: to.clone(),
            begun: Instant::now(),
            rest: VecDeque::new(),
            humans: Humans::default(),
            talking: None,
            called: None,
        })
    }

    /// Of a call that the daemon makes, which goes on at an address once somebody picks up.
    pub(super) fn called(twilio: &'a Caller, picked_up: &PickedUp<'_>) -> Result<Self> {
        let PickedUp { sid, from, to, address } = picked_up;
        let called = Some((*address).to_owned());
        let new = Self::new(twilio, from.as_str(), to)?;
        Ok(Self { called, sid: (*sid).clone(), ..new })
    }

    /// Rings.
    pub(super) async fn ring(&mut self, told: &mut Told) -> Result<Halt> {
        if let Some(address) = self.called.clone() {
            return self.request(address, self.fields("in-progress"), told).await;
        }
        let fields = self.fields("ringing");
        self.request("/api/voice/webhook/incoming".to_owned(), fields, told).await
    }

    /// The fields of every request.
    pub(super) fn fields(&self, status: &str) -> Vec<(String, String)> {
        let mut fields = self.twilio.fields(&self.sid, &self.from, &self.to, status);
        let outbound =
            fields.iter_mut().filter(|(name, _)| self.called.is_some() && name == "Direction");
        outbound.for_each(|(_, direction)| "outbound-api".clone_into(direction));
        fields
    }

    /// The same, with others added.
    pub(super) fn fields_with(&self, extra: &[(&str, &str)]) -> Vec<(String, String)> {
        let mut fields = self.fields("in-progress");
        fields.extend(extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        fields
    }

    /// Posts to an address and follows what it answers.
    pub(super) async fn request(
        &mut self,
        url: String,
        fields: Vec<(String, String)>,
        told: &mut Told,
    ) -> Result<Halt> {
        self.follow_from(&url, fields, told).await?;
        self.go_on(told).await
    }

    /// Posts to an address whose answer is followed next.
    pub(super) async fn follow_from(
        &mut self,
        url: &str,
        fields: Vec<(String, String)>,
        told: &mut Told,
    ) -> Result<()> {
        self.rest.clear();
        self.fetch(url, fields, told).await
    }

    /// Follows the verbs that are left: after a `<Connect>` whose socket was closed.
    pub(super) async fn go_on(&mut self, told: &mut Told) -> Result<Halt> {
        let mut redirects = 0;
        while redirects <= REDIRECTS {
            match self.follow(told)? {
                Step::Halt(halt) => return Ok(halt),
                Step::Redirect(url) => {
                    redirects += 1;
                    let fields = self.fields("in-progress");
                    self.fetch(&url, fields, told).await?;
                }
                Step::Pause(seconds) => {
                    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
                }
                Step::Ring(ringing) => {
                    if let Some(halt) = self.ring_human(ringing, told).await? {
                        return Ok(halt);
                    }
                }
            }
        }
        Err(Error::failure("the daemon redirects in circles"))
    }

    async fn fetch(
        &mut self,
        url: &str,
        fields: Vec<(String, String)>,
        told: &mut Told,
    ) -> Result<()> {
        let answer = self.twilio.post(url, fields).await?;
        if answer.status != 200 || !answer.content_type.starts_with("text/xml") {
            return Err(Error::failure(format!(
                "{url} was answered with {} ({}), which Twilio would not play",
                answer.status, answer.content_type
            )));
        }
        let verbs = reader::read(&answer.body).map_err(|error| {
            Error::failure("the daemon answered what Twilio cannot play").because(error)
        })?;
        told.twiml.push(answer.body);
        self.rest = verbs.into();
        Ok(())
    }

    /// Plays verbs until one waits, ends or leads elsewhere.
    fn follow(&mut self, told: &mut Told) -> Result<Step> {
        while let Some(verb) = self.rest.pop_front() {
            match verb {
                Verb::Say(said) => told.speak(&said.text),
                Verb::Gather { action, prompts, .. } => {
                    for said in prompts {
                        told.speak(&said.text);
                    }
                    return Ok(Step::Halt(Halt::Gather(action)));
                }
                Verb::Connect(connect) => return Ok(Step::Halt(Halt::Connect(connect))),
                Verb::Redirect(url) => {
                    self.rest.clear();
                    return Ok(Step::Redirect(url));
                }
                Verb::Dial { number, action, caller_id, whisper } => {
                    return Ok(Step::Ring(Ringing { number, action, caller_id, whisper }));
                }
                Verb::Record { action, ready, words } => {
                    return Ok(Step::Halt(Halt::Message(Beep { action, ready, words })));
                }
                Verb::Hangup | Verb::Reject => return Ok(Step::Halt(Halt::HungUp)),
                // A recording begins beside the conversation, which goes on; a sound is no words.
                Verb::Start | Verb::Play(_) => {}
                // Whoever is told to come back later does so later.
                Verb::Pause(seconds) => return Ok(Step::Pause(seconds)),
                Verb::Other(name) => {
                    return Err(Error::failure(format!("a rehearsal cannot follow <{name}>")));
                }
            }
        }
        // Out of verbs: Twilio ends the call.
        Ok(Step::Halt(Halt::HungUp))
    }

    /// The call is over: Twilio announces it.
    pub(super) async fn hang_up(&mut self) -> Result<()> {
        self.talked().await?;
        let mut fields = self.fields("completed");
        let seconds = self.elapsed().as_secs().max(1);
        fields.push(("CallDuration".to_owned(), seconds.to_string()));
        fields.push(("CallbackSource".to_owned(), "call-progress-events".to_owned()));
        fields.push(("SequenceNumber".to_owned(), "0".to_owned()));
        let answer: Answer = self.twilio.post("/api/voice/webhook/status", fields).await?;
        if answer.status >= 300 {
            return Err(Error::failure(format!(
                "the status callback was answered with {}",
                answer.status
            )));
        }
        Ok(())
    }

    /// How long it has lasted.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

enum Step {
    Halt(Halt),
    Redirect(String),
    Pause(u32),
    Ring(Ringing),
}

/// A CallSid that no other rehearsal has.
pub(super) fn fresh_sid() -> Result<CallSid> {
    fresh("CA").parse()
}

/// An identifier that nothing else has: two letters and 32 hexadecimal digits.
pub(super) fn fresh(prefix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = jiff::Timestamp::now().as_nanosecond() as u64;
    let count = COUNT.fetch_add(1, Ordering::Relaxed) as u32;
    format!("{prefix}{now:016x}{:08x}{count:08x}", std::process::id())
}
