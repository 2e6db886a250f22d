//! One rehearsed call over `<Connect><ConversationRelay>`: text in both directions.

use std::time::{Duration, Instant};

use super::{
    State,
    call::spoken,
    handed::Beep,
    human::Humans,
    leg::{Halt, Leg, PickedUp, Told, fresh},
};
use crate::{
    domain::{CallSid, Error, PhoneNumber, Result},
    twilio::{
        caller::Caller,
        reader::{Connect, Endpoint, Noun},
        relay::{FromTwilio, ToTwilio},
        socket::{Introduction, RelaySocket, Sent},
    },
};

/// For so long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// For so long more is listened for when an answer is complete: an `end` follows at once.
const GRACE: Duration = Duration::from_millis(50);

/// Between falling into somebody's words and having said one's own, or after coming back: what was
/// on its way comes in.
const FALLING_IN: Duration = Duration::from_millis(200);

/// Sockets in a row that come to nothing, after which a rehearsal gives up.
const REFUSALS: usize = 5;

/// What the caller heard, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// The assistant's words, and those of `<Say>` on the way.
    pub text: String,
    /// How long the first of them took to come. Nothing when none came.
    pub after: Option<Duration>,
    /// How long all of them took.
    pub whole: Duration,
    /// Everything the daemon sent, in order.
    pub messages: Vec<ToTwilio>,
    /// Every document that was answered on the way.
    pub twiml: Vec<String>,
}

/// How a session ended, in Twilio's words.
enum Ended {
    /// The daemon said so.
    ByUs(Option<String>),
    /// The caller hung up.
    ByCaller,
    /// The socket was lost, or never opened.
    Lost,
}

struct Session {
    socket: RelaySocket,
    id: String,
    begun: Instant,
    /// Where the outcome goes.
    action: Option<String>,
}

/// A call from one number to another.
pub struct RelayedCall<'a> {
    leg: Leg<'a>,
    session: Option<Session>,
    state: State,
    action: Option<String>,
    beep: Option<Beep>,
    endpoint: Option<Endpoint>,
    told: Told,
    failures: Vec<String>,
}

impl<'a> RelayedCall<'a> {
    /// Dials, and hears the greeting.
    pub async fn place(twilio: &'a Caller, from: &str, to: &PhoneNumber) -> Result<(Self, Heard)> {
        Self::begin(Leg::new(twilio, from, to)?).await
    }

    /// Picks up a call that the daemon makes.
    pub async fn pick_up(twilio: &'a Caller, call: &PickedUp<'_>) -> Result<(Self, Heard)> {
        Self::begin(Leg::called(twilio, call)?).await
    }

    async fn begin(leg: Leg<'a>) -> Result<(Self, Heard)> {
        let mut call = Self {
            leg,
            session: None,
            state: State::Listening,
            action: None,
            beep: None,
            endpoint: None,
            told: Told::default(),
            failures: Vec::new(),
        };
        let begun = Instant::now();
        let halt = call.leg.ring(&mut call.told).await?;
        call.halted(halt).await?;
        let heard = call.after_webhook(begun).await?;
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

    /// Whether a session is open. Without one and still listening, the assistant has asked
    /// something by `<Gather>` first.
    pub fn is_relayed(&self) -> bool {
        self.session.is_some()
    }

    /// What the TwiML said of the relay.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// Sockets that could not be opened, each with the reason.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Says something, and hears the answer.
    pub async fn say(&mut self, words: &str) -> Result<Heard> {
        if let Some(beep) = self.beep.take() {
            let begun = Instant::now();
            let halt = self.leg.leave_message(beep, words, &mut self.told).await?;
            self.halted(halt).await?;
            return self.after_webhook(begun).await;
        }
        if self.action.is_some() {
            return self.post(&spoken(words)).await;
        }
        self.say_in_parts(&[words]).await
    }

    /// Says something bit by bit, as a relay with `partialPrompts` tells it: each part replaces the
    /// one before, and the last one is what was said.
    pub async fn say_in_parts(&mut self, parts: &[&str]) -> Result<Heard> {
        let begun = Instant::now();
        for (place, words) in parts.iter().enumerate() {
            let last = place + 1 == parts.len();
            if self.send(&prompt(words, last)).await? == Sent::Closed {
                break;
            }
        }
        self.reply(begun, Until::Complete).await
    }

    /// Says something, heard as a language by a relay that listens for several.
    pub async fn say_in(&mut self, language: &str, words: &str) -> Result<Heard> {
        let begun = Instant::now();
        let prompt = FromTwilio::Prompt {
            voice_prompt: words.to_owned(),
            lang: Some(language.to_owned()),
            last: true,
        };
        // A socket that is closed is noticed when the reply is waited for.
        let _ = self.send(&prompt).await?;
        self.reply(begun, Until::Complete).await
    }

    /// Says something, and is back as soon as so many characters of the answer have come.
    pub async fn ask(&mut self, words: &str, characters: usize) -> Result<Heard> {
        let begun = Instant::now();
        // A socket that is closed is noticed when the reply is waited for.
        let _ = self.send(&prompt(words, true)).await?;
        self.reply(begun, Until::Characters(characters)).await
    }

    /// Falls into the assistant's words after what had been `heard` of them, and hears the answer.
    pub async fn interrupt(&mut self, heard: &str, words: &str) -> Result<Heard> {
        let interrupt = FromTwilio::Interrupt {
            utterance_until_interrupt: heard.to_owned(),
            // A fair speaker says fifteen characters a second.
            duration_until_interrupt_ms: Some(heard.chars().count() as u64 * 1_000 / 15),
        };
        let mut late = Heard::default();
        if self.send(&interrupt).await? == Sent::OnItsWay {
            // Tokens that were on their way belong to the turn that is given up.
            late = self.reply(Instant::now(), Until::Silent(FALLING_IN)).await?;
        }
        if self.session.is_none() {
            return Ok(late);
        }
        self.say_in_parts(&[words]).await
    }

    /// Presses keys, one message each, and hears the answer.
    pub async fn press(&mut self, keys: &str) -> Result<Heard> {
        if self.action.is_some() {
            return self.post(&[("Digits", keys)]).await;
        }
        let begun = Instant::now();
        for digit in keys.chars() {
            if self.send(&FromTwilio::Dtmf { digit: digit.to_string() }).await? == Sent::Closed {
                break;
            }
        }
        self.reply(begun, Until::Complete).await
    }

    /// Hears what the assistant says of its own accord: more of a reply, or that the call ends.
    pub async fn listen(&mut self) -> Result<Heard> {
        self.reply(Instant::now(), Until::Complete).await
    }

    /// Says nothing for a while, and hears what comes meanwhile.
    pub async fn wait(&mut self, time: Duration) -> Result<Heard> {
        if self.session.is_none() {
            tokio::time::sleep(time).await;
            return Ok(self.heard());
        }
        self.reply(Instant::now(), Until::Silent(time)).await
    }

    /// Loses the socket, and goes on where Twilio would. What the daemon says at once when the call
    /// is back is heard; it need not say anything.
    pub async fn drop_socket(&mut self) -> Result<Heard> {
        let Some(session) = self.session.take() else {
            return Err(Error::failure("there is no session that could be lost"));
        };
        drop(session.socket);
        let halt = self.resume(session.action, &session.id, session.begun, Ended::Lost).await?;
        self.halted(halt).await?;
        self.reply(Instant::now(), Until::Silent(FALLING_IN)).await
    }

    /// The caller hangs up, or the call is over anyway: Twilio announces it.
    pub async fn hang_up(&mut self) -> Result<()> {
        if let Some(session) = self.session.take() {
            session.socket.close().await?;
            // What is answered has no effect: the caller is gone.
            self.resume(session.action, &session.id, session.begun, Ended::ByCaller).await?;
        }
        self.leg.hang_up().await
    }

    async fn post(&mut self, extra: &[(&str, &str)]) -> Result<Heard> {
        let action = self
            .action
            .take()
            .ok_or_else(|| Error::failure("nothing was asked that is answered by a webhook"))?;
        let begun = Instant::now();
        let fields = self.leg.fields_with(extra);
        let halt = self.leg.request(action, fields, &mut self.told).await?;
        self.halted(halt).await?;
        self.after_webhook(begun).await
    }

    /// What is heard after TwiML: its greeting, or what the daemon says once it is connected.
    async fn after_webhook(&mut self, begun: Instant) -> Result<Heard> {
        let greets = self.endpoint.as_ref().and_then(|relay| relay.attribute("welcomeGreeting"));
        if self.session.is_none() || greets.is_some_and(|words| !words.is_empty()) {
            let mut heard = self.heard();
            heard.whole = begun.elapsed();
            heard.after = Some(heard.whole).filter(|_| !heard.text.is_empty());
            return Ok(heard);
        }
        // What TwiML said may be all there is to say: the assistant then listens.
        let nothing = self.told.text.is_empty();
        let until = if nothing { Until::Complete } else { Until::Silent(FALLING_IN) };
        self.reply(begun, until).await
    }

    async fn send(&mut self, message: &FromTwilio) -> Result<Sent> {
        match &mut self.session {
            Some(session) => session.socket.send(message).await,
            None => Err(Error::failure("there is no session to be heard over")),
        }
    }

    /// Takes what the daemon sends, until a reply has come as far as is wanted.
    async fn reply(&mut self, begun: Instant, until: Until) -> Result<Heard> {
        // What TwiML said was said before the socket was open.
        let mut heard = self.heard();
        let mut words = String::new();
        let mut complete = false;
        let mut deadline = match until {
            Until::Silent(time) => begun + time,
            _ => begun + PATIENCE,
        };
        while let Some(session) = &mut self.session {
            let next = session.socket.next();
            let Ok(message) = tokio::time::timeout_at(deadline.into(), next).await else { break };
            let Some(message) = message? else {
                self.ended(Ended::Lost).await?;
                break;
            };
            heard.messages.push(message.clone());
            match message {
                ToTwilio::Text { token, last, .. } => {
                    if !token.is_empty() {
                        heard.after = heard.after.or(Some(begun.elapsed()));
                        words.push_str(&token);
                    }
                    if last {
                        heard.whole = begun.elapsed();
                        complete = true;
                        self.played(&words).await?;
                    }
                }
                ToTwilio::End { handoff_data } => {
                    self.ended(Ended::ByUs(handoff_data)).await?;
                    break;
                }
                ToTwilio::Play { .. } | ToTwilio::SendDigits { .. } | ToTwilio::Language { .. } => {
                }
            }
            match until {
                Until::Characters(wanted) if words.chars().count() >= wanted => break,
                Until::Complete | Until::Characters(_) if complete => {
                    deadline = Instant::now() + GRACE;
                }
                _ => {}
            }
        }
        if !complete {
            heard.whole = begun.elapsed();
        }
        let afterwards = self.heard();
        let parts = [heard.text, words, afterwards.text];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        heard.text = parts.join(" ");
        heard.twiml.extend(afterwards.twiml);
        if !heard.text.is_empty() {
            heard.after = heard.after.or(Some(heard.whole));
        }
        Ok(heard)
    }

    /// Tells what was played, and that it is over, where the TwiML asked to be told. Nobody waits for
    /// the words here.
    async fn played(&mut self, words: &str) -> Result<()> {
        let asked = |what: &str| {
            self.endpoint.as_ref().is_some_and(|relay| {
                ["events", "debug"]
                    .iter()
                    .any(|name| relay.attribute(name).is_some_and(|told| told.contains(what)))
            })
        };
        let (speakers, tokens) = (asked("speaker-events"), asked("tokens-played"));
        let told = [
            (speakers, "agentSpeaking", "on"),
            (tokens && !words.is_empty(), "tokensPlayed", words),
            (speakers, "agentSpeaking", "off"),
        ];
        for (asked, name, value) in told {
            if asked {
                let info = FromTwilio::Info { name: name.to_owned(), value: value.into() };
                let _ = self.send(&info).await?;
            }
        }
        Ok(())
    }

    /// The session is over: Twilio goes on with the TwiML.
    async fn ended(&mut self, how: Ended) -> Result<()> {
        let Some(session) = self.session.take() else { return Ok(()) };
        if matches!(how, Ended::ByUs(_)) {
            session.socket.close().await?;
        }
        let halt = self.resume(session.action, &session.id, session.begun, how).await?;
        self.halted(halt).await
    }

    async fn resume(
        &mut self,
        action: Option<String>,
        session: &str,
        begun: Instant,
        how: Ended,
    ) -> Result<Halt> {
        let Some(action) = action else { return self.leg.go_on(&mut self.told).await };
        let seconds = begun.elapsed().as_secs().to_string();
        let mut extra = vec![("SessionId", session), ("SessionDuration", &seconds)];
        let handoff;
        let mut status = "in-progress";
        match how {
            Ended::ByUs(data) => {
                extra.push(("SessionStatus", "ended"));
                if let Some(data) = data {
                    handoff = data;
                    extra.push(("HandoffData", &handoff));
                }
            }
            Ended::ByCaller => {
                extra.push(("SessionStatus", "completed"));
                status = "completed";
            }
            Ended::Lost => extra.extend([
                ("SessionStatus", "failed"),
                ("ErrorCode", "39001"),
                ("ErrorMessage", "Network connection to WebSocket server failed."),
            ]),
        }
        let mut fields = self.leg.fields_with(&extra);
        for (name, value) in &mut fields {
            if name == "CallStatus" {
                status.clone_into(value);
            }
        }
        self.leg.request(action, fields, &mut self.told).await
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
                Halt::Connect(Connect { action, to: Some(Noun::Relay(endpoint)) }) => {
                    let (id, begun) = (fresh("VX"), Instant::now());
                    match self.connect(&endpoint, &id).await {
                        Ok(socket) => {
                            let greeting = endpoint.attribute("welcomeGreeting");
                            self.told.speak(greeting.unwrap_or_default());
                            self.endpoint = Some(endpoint);
                            self.session = Some(Session { socket, id, begun, action });
                            return Ok(());
                        }
                        Err(error) => {
                            self.failures.push(error.with_causes());
                            halt = self.resume(action, &id, begun, Ended::Lost).await?;
                            continue;
                        }
                    }
                }
                Halt::Connect(_) => {
                    return Err(Error::failure("the call goes on, but not over a relay"));
                }
            }
            return Ok(());
        }
        let why = self.failures.last().map_or("no reason", String::as_str).to_owned();
        Err(Error::failure("no session comes about, however often it is tried").because(why))
    }

    async fn connect(&self, endpoint: &Endpoint, id: &str) -> Result<RelaySocket> {
        let socket = self.leg.twilio.open(&endpoint.url).await?;
        let introduction = Introduction {
            session_id: id,
            account_sid: self.leg.twilio.account().as_str(),
            call_sid: self.leg.sid.as_str(),
            from: &self.leg.from,
            to: self.leg.to.as_str(),
            parameters: &endpoint.parameters,
        };
        RelaySocket::begin(socket, &introduction).await
    }

    /// What was told by TwiML since it was last asked.
    fn heard(&mut self) -> Heard {
        let told = std::mem::take(&mut self.told);
        Heard { text: told.text, twiml: told.twiml, ..Heard::default() }
    }
}

/// How far a reply is wanted.
#[derive(Clone, Copy)]
enum Until {
    /// To its end.
    Complete,
    /// So many characters, or to its end.
    Characters(usize),
    /// Whatever comes in this time.
    Silent(Duration),
}

fn prompt(words: &str, last: bool) -> FromTwilio {
    FromTwilio::Prompt { voice_prompt: words.to_owned(), lang: None, last }
}
