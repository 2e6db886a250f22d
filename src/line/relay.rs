//! The line `relay`: Twilio listens and speaks, words go both ways over a socket
//! (Twilio, "ConversationRelay: WebSocket messages").

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{
    connect::TICKET,
    greeting::Greeting,
    heard::{MS_PER_CHARACTER, Split},
    sessions::Session,
    socket::{Closed, Goodbye, LAST_WORDS, Socket, told_to_stop, until},
    talk::{Done, Event, Opening, Talk, joined},
    voice::Line,
    waits::{Due, Waits},
};
use crate::{
    conversation::{phrases, tongue::hears_all},
    domain::{CallSid, Delivery, Heard, LanguageTag, Next},
    operations::live::Opened,
    twilio::{
        connect::RelayLanguage,
        relay::{FromTwilio, ToTwilio},
    },
};

/// A socket that has not said which call it is of by then is closed.
const SETUP_WITHIN: Duration = Duration::from_secs(5);

/// From the first word sent until it is spoken.
const SPEECH_STARTS: Duration = Duration::from_millis(400);

/// How long Twilio may take to close a session that we ended.
const CLOSES_WITHIN: Duration = Duration::from_secs(10);

/// Messages in a row that are none, after which a peer is not Twilio (Twilio itself takes 10).
const RUBBISH: u32 = 10;

impl Line {
    /// Holds the relayed part of a call, from the opening of its socket to the end of it. `stopping`
    /// becomes true when the daemon is to stop.
    pub async fn relay(
        &self,
        sid: CallSid,
        socket: &mut impl Socket,
        stopping: watch::Receiver<bool>,
    ) {
        let Some(standing) = self.let_in(&sid, socket).await else {
            return socket.close(Goodbye::Refused).await;
        };
        tracing::info!(assistant = %standing.assistant.spec.name, tickets = standing.tickets, "a call is relayed");
        let session = self.sessions.open(standing.call.id);
        let talk = Talk::new(self.clone(), &standing);
        let mut relay = Relay {
            socket,
            language: talk.language().clone(),
            hears_all: hears_all(&standing.assistant.spec),
            talk,
            waits: Waits::new(self.patience),
            spoken: None,
            queued: None,
            tells_who_speaks: false,
            rubbish: 0,
        };
        let over = relay.hold(&standing, &session, stopping).await;
        relay.leave(over).await;
    }

    /// The call of a socket that shows a good ticket.
    async fn let_in(&self, sid: &CallSid, socket: &mut impl Socket) -> Option<Opened> {
        let first = timeout(SETUP_WITHIN, socket.receive()).await.ok().flatten()?;
        let ticket = match FromTwilio::read(&first) {
            Ok(FromTwilio::Setup { call_sid, custom_parameters, .. }) if call_sid == *sid => {
                custom_parameters.get(TICKET).cloned()
            }
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "a socket began with something else than its setup");
                None
            }
        };
        self.with_ticket(sid, ticket).await
    }
}

/// What is being said.
#[derive(Debug)]
struct Spoken {
    text: String,
    since: Instant,
    /// When it is over, by the usual pace of voices.
    until: Instant,
    /// The turn, once it is whole.
    done: Option<Done>,
    /// What the caller had heard when they talked over it.
    cut: Option<String>,
    /// What Twilio says that it has played.
    played: Option<String>,
}

impl Spoken {
    fn new(text: String, done: Option<Done>) -> Self {
        let since = Instant::now();
        let until = since + SPEECH_STARTS + speech_length(&text);
        Self { text, since, until, done, cut: None, played: None }
    }

    /// What is cut off before a word of it was said.
    fn never() -> Self {
        Self { cut: Some(String::new()), ..Self::new(String::new(), None) }
    }

    /// Some more words: spoken behind those before, or at once if the model made a pause.
    fn push(&mut self, words: &str) {
        self.text.push_str(words);
        let from = self.until.max(Instant::now() + SPEECH_STARTS);
        self.until = from + speech_length(words);
    }

    /// Whether Twilio tells all words so far or only the new ones is not documented. More than is said, spaces
    /// counted twice, was never played: whoever sends such has no room for it here.
    fn note_played(&mut self, words: &str) {
        let most = 2 * self.text.len();
        let played = self.played.get_or_insert_default();
        if words.starts_with(played.as_str()) {
            words[..words.floor_char_boundary(most)].clone_into(played);
        } else {
            let room = most.saturating_sub(played.len());
            played.push_str(&words[..words.floor_char_boundary(room)]);
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Over {
    /// The reply said to hang up, or to hand over: Twilio asks what to do.
    Parted,
    /// The caller or Twilio is gone.
    Gone,
    /// Another socket has the call.
    Replaced,
    /// The daemon stops, or cannot go on: Twilio comes back.
    Left,
}

struct Relay<'a, S> {
    socket: &'a mut S,
    talk: Talk,
    language: LanguageTag,
    /// Whether all languages of the assistant are listened for at once.
    hears_all: bool,
    waits: Waits,
    spoken: Option<Spoken>,
    /// Heard while a turn was not over yet.
    queued: Option<Heard>,
    /// Whether Twilio tells when it speaks and when it is done.
    tells_who_speaks: bool,
    rubbish: u32,
}

impl<S: Socket> Relay<'_, S> {
    async fn hold(
        &mut self,
        standing: &Opened,
        session: &Session,
        mut stopping: watch::Receiver<bool>,
    ) -> Over {
        if self.open(standing).await.is_err() {
            return Over::Gone;
        }
        let mut leave_by = None;
        loop {
            if leave_by.is_some() && self.is_quiet() {
                return Over::Left;
            }
            let due = self.due().into_iter().chain(leave_by).min();
            let done = tokio::select! {
                biased;
                () = session.replaced() => return Over::Replaced,
                event = self.talk.event() => self.heed(event).await,
                message = self.socket.receive() => match message {
                    Some(message) => Ok(self.hear(&message)),
                    None => return Over::Gone,
                },
                () = until(due), if due.is_some() => {
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

    /// The first words of a session.
    async fn open(&mut self, standing: &Opened) -> Result<(), Closed> {
        match Opening::of(standing) {
            Opening::Think(heard) => self.think(heard),
            Opening::Listen => self.waits.for_caller(),
            Opening::Say { number, text, next } => {
                let spec = &standing.assistant.spec;
                let greeting = Greeting::of(spec, &self.language);
                let is_greeting = number == 0;
                let (welcome, may_interrupt) = greeting.welcome();
                // Twilio itself says the first part of a greeting, while the socket opens.
                let already = is_greeting && standing.tickets == 1;
                let first = text.strip_prefix(&welcome).filter(|_| is_greeting);
                if let (Some(rest), true) = (first, already) {
                    self.send_rest(rest).await?;
                } else if let (Some(rest), false) = (first, may_interrupt) {
                    let told = ToTwilio::Text {
                        token: welcome,
                        last: false,
                        lang: None,
                        interruptible: Some(false),
                    };
                    self.send(&told).await?;
                    self.send_rest(rest).await?;
                } else {
                    self.send_rest(&text).await?;
                }
                let done = Done {
                    number,
                    text: text.clone(),
                    next,
                    language: self.language.clone(),
                    discloses: is_greeting && spec.announces_ai(),
                };
                self.spoken = Some(Spoken::new(text, Some(done)));
            }
        }
        Ok(())
    }

    async fn send_rest(&mut self, rest: &str) -> Result<(), Closed> {
        if !rest.trim().is_empty() {
            self.send(&ToTwilio::words(rest)).await?;
            self.send(&ToTwilio::last()).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: &ToTwilio) -> Result<(), Closed> {
        self.socket.send(message.render()).await
    }

    fn is_quiet(&self) -> bool {
        self.spoken.is_none() && !self.talk.is_thinking() && self.queued.is_none()
    }

    /// Thinks about something heard.
    fn think(&mut self, heard: Heard) {
        self.waits.for_reply();
        self.talk.hear(heard);
    }

    /// A message of Twilio's.
    fn hear(&mut self, message: &str) -> Option<Over> {
        let message = match FromTwilio::read(message) {
            Ok(message) => message,
            Err(error) => {
                self.rubbish += 1;
                tracing::warn!(%error, "a message that cannot be read");
                return (self.rubbish >= RUBBISH).then_some(Over::Left);
            }
        };
        self.rubbish = 0;
        match message {
            FromTwilio::Prompt { last: false, .. } => {
                // Somebody speaks.
                self.waits.caller_stirs();
            }
            FromTwilio::Prompt { voice_prompt, lang, .. } => {
                let text: String =
                    voice_prompt.trim().chars().filter(|c| !c.is_control() || *c == '\n').collect();
                let text = Heard::bounded(text);
                if !text.is_empty() {
                    // Where one is listened for at a time, it says no more than which.
                    let language = lang.filter(|_| self.hears_all).and_then(|tag| tag.parse().ok());
                    self.heard(Heard::Speech { text, confidence: None, language });
                }
            }
            FromTwilio::Dtmf { digit } => {
                self.waits.key(&digit);
            }
            FromTwilio::Interrupt { utterance_until_interrupt: until, .. } => self.cut(until),
            FromTwilio::Error { description } => {
                let short: String =
                    description.chars().filter(|c| !c.is_control()).take(200).collect();
                tracing::warn!(description = short, "Twilio objects to what it was sent");
            }
            FromTwilio::Info { name, value } if name == "agentSpeaking" => {
                self.tells_who_speaks = true;
                let is_whole = self.spoken.as_ref().is_some_and(|spoken| spoken.done.is_some());
                if value == "off" && is_whole {
                    return self.spoken_to_its_end();
                }
            }
            FromTwilio::Info { name, value } if name == "tokensPlayed" => {
                if let (Some(spoken), Some(words)) = (&mut self.spoken, value.as_str()) {
                    spoken.note_played(words);
                }
            }
            FromTwilio::Info { name, value } if name == "clientSpeaking" && value == "on" => {
                self.waits.caller_stirs();
            }
            FromTwilio::Setup { .. } | FromTwilio::Info { .. } | FromTwilio::Other => {}
        }
        None
    }

    /// The caller said something, or pressed keys.
    fn heard(&mut self, heard: Heard) {
        if self.talk.is_thinking() {
            // More of what the reply is to: it begins anew, with both.
            self.talk.interrupt();
            let spoken = self.spoken.get_or_insert_with(Spoken::never);
            spoken.cut.get_or_insert_with(|| spoken.text.clone());
            self.queued = Some(joined(self.queued.take(), heard));
            return;
        }
        // Nobody answers before having heard, or talks over it without Twilio saying so.
        self.deliver_whole();
        self.think(heard);
    }

    /// The caller talked over us.
    fn cut(&mut self, until: String) {
        self.talk.interrupt();
        if self.spoken.is_none() && self.talk.is_thinking() {
            // A word while it was late: the reply is not to what is being said now.
            self.spoken = Some(Spoken::never());
            return;
        }
        let Some(spoken) = &mut self.spoken else { return };
        spoken.cut = Some(until);
        if spoken.done.is_some() {
            self.deliver_cut();
        }
    }

    /// What came of a turn.
    async fn heed(&mut self, event: Event) -> Result<Option<Over>, Closed> {
        match event {
            Event::Words(words) => {
                self.waits.no_longer_for_reply();
                let spoken = self.spoken.get_or_insert_with(|| Spoken::new(String::new(), None));
                if spoken.cut.is_none() {
                    spoken.push(&words);
                    self.send(&ToTwilio::words(&words)).await?;
                }
            }
            Event::Language(language) => {
                let code = RelayLanguage::usual(&language, None).code;
                self.language = language;
                let listens = (!self.hears_all).then(|| code.clone());
                let message = ToTwilio::Language {
                    tts_language: Some(code),
                    transcription_language: listens,
                };
                self.send(&message).await?;
            }
            Event::Done(done) => {
                self.waits.no_longer_for_reply();
                if let Some(spoken) = &mut self.spoken {
                    spoken.done = Some(done);
                    if spoken.cut.is_some() {
                        self.deliver_cut();
                    } else {
                        self.send(&ToTwilio::last()).await?;
                    }
                } else {
                    // The caller went on before a word of it was said.
                    let unheard = (!done.text.is_empty()).then_some(done.text);
                    let delivery = Delivery { unheard, interrupted: true, ..Delivery::default() };
                    self.talk.deliver(done.number, delivery, false);
                }
                if let Some(heard) = self.queued.take() {
                    self.think(heard);
                } else if self.spoken.is_none() {
                    self.waits.for_caller();
                }
            }
            Event::Over => return Ok(Some(Over::Left)),
        }
        Ok(None)
    }

    /// When something is to be done if nothing comes.
    fn due(&self) -> Option<Instant> {
        self.speech_due().into_iter().chain(self.waits.due(false)).min()
    }

    /// When what is being said is over, as far as we know.
    fn speech_due(&self) -> Option<Instant> {
        let spoken = self.spoken.as_ref().filter(|spoken| spoken.done.is_some())?;
        // Twilio tells; if it does not, a slow voice is done by then.
        let slack = self.tells_who_speaks.then(|| speech_length(&spoken.text));
        Some(spoken.until + slack.unwrap_or_default())
    }

    async fn act_on_time(&mut self) -> Result<Option<Over>, Closed> {
        let now = Instant::now();
        match self.waits.take(now, false) {
            Some(Due::Keys(keys)) => self.heard(Heard::Digits(keys)),
            Some(Due::Silence) => self.think(Heard::Silence),
            Some(Due::Filler(given)) => {
                self.talk.count_filler(given + 1);
                let filler = phrases::for_language(&self.language).filler(given).to_owned();
                self.send(&ToTwilio::words(&format!("{filler} "))).await?;
            }
            None if self.speech_due().is_some_and(|due| due <= now) => {
                return Ok(self.spoken_to_its_end());
            }
            None => {}
        }
        Ok(None)
    }

    /// The caller has heard the reply: what it said to do is done.
    fn spoken_to_its_end(&mut self) -> Option<Over> {
        let next = self.spoken.as_ref().and_then(|spoken| Some(spoken.done.as_ref()?.next.clone()));
        self.deliver_whole();
        match next {
            None | Some(Next::Listen) => {
                if !self.talk.is_thinking() {
                    self.waits.for_caller();
                }
                None
            }
            Some(Next::HangUp | Next::Transfer(_)) => Some(Over::Parted),
        }
    }

    fn deliver_whole(&mut self) {
        let Some(Spoken { done: Some(done), .. }) = self.spoken.take() else { return };
        let delivery = Delivery { said: done.text, ..Delivery::default() };
        self.talk.deliver(done.number, delivery, done.discloses);
    }

    fn deliver_cut(&mut self) {
        let Some(Spoken { done: Some(done), cut: Some(cut), .. }) = self.spoken.take() else {
            return;
        };
        let Split { said, unheard } = Split::until(&done.text, &cut);
        let discloses = done.discloses && !said.is_empty();
        let delivery = Delivery { said, unheard, interrupted: true, ..Delivery::default() };
        self.talk.deliver(done.number, delivery, discloses);
        if !self.talk.is_thinking() {
            self.waits.for_caller();
        }
    }

    /// The end of the session: what is still thought about is brought to its end, and everything
    /// is written before Twilio asks where the call stands.
    async fn leave(mut self, over: Over) {
        tracing::info!(?over, "a relayed session is over");
        self.talk.interrupt();
        while self.talk.is_thinking() {
            match self.talk.event().await {
                Event::Words(words) => {
                    if let Some(spoken) = &mut self.spoken {
                        spoken.text.push_str(&words);
                    }
                }
                Event::Done(done) => {
                    let spoken =
                        self.spoken.get_or_insert_with(|| Spoken::new(String::new(), None));
                    spoken.done = Some(done);
                }
                Event::Language(_) | Event::Over => {}
            }
        }
        if let Some(Spoken { since, done: Some(done), cut, played, .. }) = self.spoken.take() {
            let time = since.elapsed().saturating_sub(SPEECH_STARTS);
            let split = match cut.or(played) {
                Some(cut) => Split::until(&done.text, &cut),
                None => Split::after(&done.text, time.as_millis() as u64),
            };
            let discloses = done.discloses && !split.said.is_empty();
            let delivery =
                Delivery { said: split.said, unheard: split.unheard, ..Delivery::default() };
            self.talk.deliver(done.number, delivery, discloses);
        }
        let Self { socket, talk, .. } = self;
        talk.settle(Vec::new()).await;
        if over == Over::Parted {
            let end = ToTwilio::End { handoff_data: None };
            let closed = async {
                if socket.send(end.render()).await.is_ok() {
                    while socket.receive().await.is_some() {}
                }
            };
            // Twilio closes; if not, so do we.
            let _ = timeout(CLOSES_WITHIN, closed).await;
        }
        socket.close(Goodbye::Done).await;
    }
}

/// How long a text takes to be spoken.
fn speech_length(text: &str) -> Duration {
    Duration::from_millis(text.chars().count() as u64 * MS_PER_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_was_played_than_was_said() {
        let mut spoken = Spoken::new("Bonjour, où êtes-vous ?".to_owned(), None);
        for words in ["Bonjour,", "Bonjour, où", " êtes-vous ?"] {
            spoken.note_played(words);
        }
        assert_eq!(spoken.played.as_deref(), Some("Bonjour, où êtes-vous ?"));
        for _ in 0..100 {
            spoken.note_played(&"é".repeat(10_000));
            spoken.note_played(&"a".repeat(10_000));
        }
        assert!(spoken.played.is_some_and(|played| played.len() <= 2 * spoken.text.len()));
    }
}
