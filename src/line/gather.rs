//! The line `gather`: a conversation as TwiML. Pure: what to say in, a document out.

use jiff::Timestamp;

use super::{connect::connect, greeting::Greeting, handover, player::Player};
use crate::{
    conversation::{phrases, tongue::hears_all},
    domain::{AssistantSpec, CallSid, LanguageTag, Next, Reply, VoiceProvider},
    operations::live::Ticket,
    twilio::{
        dial::Dial,
        twiml::{Gather, Response, Say, Words},
    },
};

/// Writes the TwiML of one call.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    /// What Twilio calls us, without a final slash.
    pub(super) public_url: &'a str,
    /// The call.
    pub(super) sid: &'a CallSid,
    /// The ticket to the call's socket, when the caller is listened to over one.
    pub(super) ticket: Option<&'a Ticket>,
    /// A mouth of ours, where one speaks: what is kept of it is played.
    pub(super) player: Option<&'a Player>,
    /// Who calls, where a human may be shown it.
    pub(super) caller: Option<&'a str>,
}

impl<'a> Writer<'a> {
    /// Of somebody's call.
    pub(super) fn of(self, caller: Option<&'a str>) -> Self {
        Self { caller, ..self }
    }
}

impl Writer<'_> {
    /// The first words of a call. What the law asks for is heard whole; the rest may be talked over.
    pub(super) fn greeting(
        &self,
        spec: &AssistantSpec,
        language: &LanguageTag,
        greeting: &Greeting,
    ) -> String {
        let Greeting { told, rest, hints, asks, records } = greeting;
        if self.ticket.is_some() && !records {
            let welcome = Some(greeting.welcome());
            return self.connected(Response::new(), spec, language, welcome);
        }
        let spoken = |text: &String| (!text.is_empty()).then(|| self.words(spec, language, text));
        let mut response = Response::new();
        if let Some(told) = spoken(told) {
            response = response.say(told);
        }
        if *records {
            response = response.record(&self.url("recording", ""));
        }
        if self.ticket.is_some() {
            // Nobody is recorded before having been told, and only TwiML begins a recording.
            let response = match spoken(rest) {
                Some(rest) => response.say(rest),
                None => response,
            };
            return self.connected(response, spec, language, None);
        }
        let mut gather = self.gather(spec, language, 1);
        let hints = hints.iter().map(|(language, text)| self.words(spec, language, text));
        gather.prompt = spoken(rest).into_iter().chain(hints).collect();
        gather.keys = (*asks || gather.prompt.len() > 1).then_some(1);
        self.listening(response, gather, 1)
    }

    /// A reply, and what happens after it: turn `number` is the one it belongs to. `records` when
    /// the caller has just agreed to that; `sound` is the address of what was spoken for it.
    pub(super) fn reply(
        &self,
        spec: &AssistantSpec,
        number: u32,
        reply: &Reply,
        records: bool,
        sound: Option<String>,
    ) -> String {
        let mut response = Response::new();
        if records {
            response = response.record(&self.url("recording", ""));
        }
        let say = match sound {
            Some(sound) => Words::Play(sound),
            None => say(spec, &reply.language, &reply.text).into(),
        };
        match &reply.next {
            Next::Listen if self.ticket.is_some() => {
                self.connected(response.say(say), spec, &reply.language, None)
            }
            Next::Listen => {
                let mut gather = self.gather(spec, &reply.language, number + 1);
                gather.prompt = vec![say];
                self.listening(response, gather, number + 1)
            }
            Next::HangUp => response.say(say).hangup().render(),
            Next::Transfer(to) => self.ring(response.say(say), spec, to, number + 1, 1),
        }
    }

    /// Listens for turn `number`, without a word.
    pub(super) fn listen(
        &self,
        spec: &AssistantSpec,
        language: &LanguageTag,
        number: u32,
    ) -> String {
        self.listening(Response::new(), self.gather(spec, language, number), number)
    }

    fn gather(&self, spec: &AssistantSpec, language: &LanguageTag, number: u32) -> Gather {
        let mut gather = Gather::speech(&self.action(number), language);
        gather.hints = hints(spec);
        gather.several = hears_all(spec);
        gather
    }

    /// Should `<Gather>` itself fail, its turn is one of silence rather than the end of the call.
    fn listening(&self, response: Response, gather: Gather, number: u32) -> String {
        response.gather(gather).redirect(&self.action(number)).render()
    }

    /// Goes on over the call's socket, and comes back should it close.
    pub(super) fn connected(
        &self,
        response: Response,
        spec: &AssistantSpec,
        language: &LanguageTag,
        welcome: Option<(String, bool)>,
    ) -> String {
        let led = self
            .ticket
            .and_then(|ticket| connect(self.public_url, self.sid, spec, language, ticket, welcome));
        let response = match led {
            Some(led) => response.connect(led),
            None => response,
        };
        response.redirect(&self.url("resume", "")).render()
    }

    /// Says something, and does what comes after it.
    pub(super) fn say_then(
        &self,
        spec: &AssistantSpec,
        language: &LanguageTag,
        text: Option<&str>,
        next: &Next,
        number: u32,
    ) -> String {
        let mut response = Response::new();
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            response = response.say(self.words(spec, language, text));
        }
        match next {
            Next::Listen => self.listening(response, self.gather(spec, language, number), number),
            Next::HangUp => response.hangup().render(),
            Next::Transfer(to) => self.ring(response, spec, to, number, 1),
        }
    }

    /// Comes back for the reply to turn `number`.
    pub(super) fn await_reply(&self, number: u32) -> String {
        let back = self.url("wait", &format!("&turn={number}&step=0"));
        Response::new().redirect(&back).render()
    }

    fn action(&self, number: u32) -> String {
        self.url("process", &format!("&turn={number}"))
    }

    /// A word while the reply to turn `number` is late; Twilio comes back for it. `discloses` when it
    /// is the first that is ours in a call.
    pub(super) fn filler(
        &self,
        spec: &AssistantSpec,
        language: &LanguageTag,
        number: u32,
        step: u32,
        discloses: bool,
    ) -> String {
        let filler = phrases::for_language(language).filler(step);
        self.hold_on(spec, language, (number, step), filler, discloses)
    }

    /// The same with words of somebody's own.
    pub(super) fn hold_on(
        &self,
        spec: &AssistantSpec,
        language: &LanguageTag,
        (number, step): (u32, u32),
        words: &str,
        discloses: bool,
    ) -> String {
        let back = self.url("wait", &format!("&turn={number}&step={}", step + 1));
        let text = if discloses {
            format!("{} {words}", phrases::machine(language))
        } else {
            words.to_owned()
        };
        Response::new().say(self.words(spec, language, &text)).redirect(&back).render()
    }

    /// Nothing can be stored just now: a word, and Twilio tries the same request again.
    pub(super) fn try_again(
        &self,
        spec: &AssistantSpec,
        route: &str,
        rest: &str,
        step: u32,
    ) -> String {
        let back = self.url(route, &format!("{rest}&step={}", step + 1));
        let language = &spec.voice.language;
        let text = &phrases::for_language(language).busy_retry;
        Response::new().say(self.words(spec, language, text)).pause(1).redirect(&back).render()
    }

    /// Words in our own voice when they are kept in it, else in Twilio's.
    pub(super) fn words(&self, spec: &AssistantSpec, language: &LanguageTag, text: &str) -> Words {
        match self.player.and_then(|player| player.held(text, language)) {
            Some(sound) => Words::Play(sound),
            None => say(spec, language, text).into(),
        }
    }

    pub(super) fn url(&self, route: &str, rest: &str) -> String {
        let (base, sid) = (self.public_url, self.sid);
        format!("{base}/api/voice/webhook/{route}?call_sid={sid}{rest}")
    }
}

/// Nothing helps: an apology, and a human if one is there now.
pub(super) fn give_up(spec: &AssistantSpec, language: &LanguageTag, now: Timestamp) -> String {
    let apology = say(spec, language, &phrases::for_language(language).apology);
    let response = Response::new().say(apology);
    let at = now.to_zoned_datetime(spec.zone()).datetime();
    let response = match spec.transfer.reachable(at).first() {
        Some(human) => response.dial(Dial {
            caller_id: Some(handover::caller_id(spec, None)),
            ..Dial::new(human.number.clone(), handover::ring_seconds(spec))
        }),
        None => response,
    };
    response.hangup().render()
}

/// A sentence and goodbye, in a language, in Twilio's own voice.
pub(super) fn farewell(spec: Option<&AssistantSpec>, language: &LanguageTag, text: &str) -> String {
    let say = match spec {
        Some(spec) => say(spec, language, text),
        None => Say::new(text, language, None),
    };
    Response::new().say(say).hangup().render()
}

/// Turned down without being answered: as busy, or as not in service.
pub(super) fn reject(as_busy: bool) -> String {
    Response::new().reject(as_busy).render()
}

/// The end, without a word: the call is over already.
pub(super) fn hang_up() -> String {
    Response::new().hangup().render()
}

pub(super) fn say(spec: &AssistantSpec, language: &LanguageTag, text: &str) -> Say {
    // A voice of another provider means nothing to `<Say>`.
    let ours = spec.voice.provider == VoiceProvider::Twilio;
    let voice = spec.voice.voice_in(language).filter(|_| ours);
    Say::new(text, language, voice)
}

/// Words the recogniser should expect.
pub(super) fn hints(spec: &AssistantSpec) -> Vec<String> {
    let mut hints = vec![spec.client.clone()];
    hints.extend(spec.facts.iter().flat_map(|fact| fact.about.iter().cloned()));
    hints.extend(spec.tools.iter().flat_map(|tool| tool.about.iter().cloned()));
    hints.retain(|hint| !hint.contains(',') && hint.chars().count() <= 100);
    hints.truncate(100);
    hints
}
