//! One rehearsed call: follows the TwiML as Twilio would, hears what is said, answers back.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::{
    domain::{CallSid, Error, PhoneNumber, Result},
    twilio::{
        caller::Caller,
        reader::{self, Verb},
    },
};

/// Twilio follows at most this many redirects in a row.
const REDIRECTS: usize = 10;

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
    twilio: &'a Caller,
    sid: CallSid,
    from: String,
    to: PhoneNumber,
    action: Option<String>,
    begun: Instant,
    state: State,
}

impl<'a> Call<'a> {
    /// Dials, and hears the greeting.
    pub async fn place(twilio: &'a Caller, from: &str, to: &PhoneNumber) -> Result<(Self, Heard)> {
        let mut call = Self {
            twilio,
            sid: fresh_sid()?,
            from: from.to_owned(),
            to: to.clone(),
            action: None,
            begun: Instant::now(),
            state: State::Listening,
        };
        let fields = call.fields("ringing");
        let heard = call.request("/api/voice/webhook/incoming".to_owned(), fields).await?;
        Ok((call, heard))
    }

    /// Its identifier.
    pub fn sid(&self) -> &CallSid {
        &self.sid
    }

    /// Where it stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Says something, or nothing, and hears the answer.
    pub async fn say(&mut self, words: &str) -> Result<Heard> {
        let mut fields = self.fields("in-progress");
        if !words.trim().is_empty() {
            fields.push(("SpeechResult".to_owned(), words.to_owned()));
            fields.push(("Confidence".to_owned(), "0.93".to_owned()));
        }
        self.answer(fields).await
    }

    /// Presses keys, and hears the answer.
    pub async fn press(&mut self, keys: &str) -> Result<Heard> {
        let mut fields = self.fields("in-progress");
        fields.push(("Digits".to_owned(), keys.to_owned()));
        self.answer(fields).await
    }

    /// The call is over: Twilio announces it.
    pub async fn hang_up(&mut self) -> Result<()> {
        let mut fields = self.fields("completed");
        let seconds = self.begun.elapsed().as_secs().max(1);
        fields.push(("CallDuration".to_owned(), seconds.to_string()));
        fields.push(("CallbackSource".to_owned(), "call-progress-events".to_owned()));
        fields.push(("SequenceNumber".to_owned(), "0".to_owned()));
        let answer = self.twilio.post("/api/voice/webhook/status", fields).await?;
        if answer.status >= 300 {
            return Err(Error::failure(format!(
                "the status callback was answered with {}",
                answer.status
            )));
        }
        Ok(())
    }

    fn fields(&self, status: &str) -> Vec<(String, String)> {
        self.twilio.fields(&self.sid, &self.from, &self.to, status)
    }

    async fn answer(&mut self, fields: Vec<(String, String)>) -> Result<Heard> {
        let action = self
            .action
            .clone()
            .ok_or_else(|| Error::failure("the assistant does not listen any more"))?;
        self.request(action, fields).await
    }

    async fn request(&mut self, mut url: String, fields: Vec<(String, String)>) -> Result<Heard> {
        let begun = Instant::now();
        let mut heard = Heard { text: String::new(), after: Duration::ZERO, twiml: Vec::new() };
        let mut fields = fields;
        for _ in 0..=REDIRECTS {
            let answer = self.twilio.post(&url, fields).await?;
            if answer.status != 200 || !answer.content_type.starts_with("text/xml") {
                return Err(Error::failure(format!(
                    "{url} was answered with {} ({}), which Twilio would not play",
                    answer.status, answer.content_type
                )));
            }
            let verbs = reader::read(&answer.body).map_err(|error| {
                Error::failure("the daemon answered what Twilio cannot play").because(error)
            })?;
            heard.twiml.push(answer.body);
            let Some(redirect) = self.follow(verbs, &mut heard.text)? else {
                heard.after = begun.elapsed();
                return Ok(heard);
            };
            url = redirect;
            fields = self.fields("in-progress");
        }
        Err(Error::failure("the daemon redirects in circles"))
    }

    /// Plays verbs until one waits or ends; answers where to go on, if anywhere.
    fn follow(&mut self, verbs: Vec<Verb>, text: &mut String) -> Result<Option<String>> {
        let mut speak = |words: &str| {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(words);
        };
        for verb in verbs {
            match verb {
                Verb::Say(said) => speak(&said.text),
                Verb::Gather { action, prompts } => {
                    for said in prompts {
                        speak(&said.text);
                    }
                    self.action = Some(action);
                    self.state = State::Listening;
                    return Ok(None);
                }
                Verb::Redirect(url) => return Ok(Some(url)),
                Verb::Dial { number, .. } => {
                    self.action = None;
                    self.state = State::Transferred(number.parse()?);
                    return Ok(None);
                }
                Verb::Hangup => {
                    self.action = None;
                    self.state = State::HungUp;
                    return Ok(None);
                }
                // A recording begins beside the conversation, which goes on.
                Verb::Pause(_) | Verb::Start => {}
                Verb::Other(name) => {
                    return Err(Error::failure(format!("a rehearsal cannot follow <{name}>")));
                }
            }
        }
        // Out of verbs: Twilio ends the call.
        self.action = None;
        self.state = State::HungUp;
        Ok(None)
    }
}

/// A CallSid that no other rehearsal has.
fn fresh_sid() -> Result<CallSid> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = jiff::Timestamp::now().as_nanosecond() as u64;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("CA{now:016x}{:08x}{count:08x}", std::process::id()).parse()
}
