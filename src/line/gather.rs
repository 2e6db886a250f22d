//! The line `gather`: a conversation as TwiML. Pure: what to say in, a document out.

use crate::{
    conversation::phrases,
    domain::{AssistantSpec, CallSid, LanguageTag, Next, PhoneNumber, Reply, VoiceProvider},
    twilio::twiml::{Dial, Gather, Response, Say},
};

/// A transfer that nobody answers comes back after this many seconds.
const RING_SECONDS: u32 = 25;

/// Writes the TwiML of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer<'a> {
    /// What Twilio calls us, without a final slash.
    pub(super) public_url: &'a str,
    /// The call.
    pub(super) sid: &'a CallSid,
}

impl Writer<'_> {
    /// A reply, and what happens after it: turn `number` is the one it belongs to.
    pub(super) fn reply(&self, spec: &AssistantSpec, number: u32, reply: &Reply) -> String {
        let say = say(spec, &reply.language, &reply.text);
        match &reply.next {
            Next::Listen => self.listen(spec, &reply.language, Some(say), number + 1),
            Next::HangUp => Response::new().say(say).hangup().render(),
            Next::Transfer(to) => self.transfer(say, to, number + 1),
        }
    }

    /// Listens for turn `number`, without or after a word.
    pub(super) fn listen(
        &self,
        spec: &AssistantSpec,
        language: &LanguageTag,
        say: Option<Say>,
        number: u32,
    ) -> String {
        let action = self.url("process", &format!("&turn={number}"));
        let mut gather = Gather::speech(&action, language);
        gather.hints = hints(spec);
        gather.prompt = say;
        // Should `<Gather>` itself fail, its turn is one of silence rather than the end of the call.
        Response::new().gather(gather).redirect(&action).render()
    }

    fn transfer(&self, say: Say, to: &PhoneNumber, number: u32) -> String {
        let dial = Dial {
            number: to.clone(),
            action: Some(self.url("transfer", &format!("&turn={number}"))),
            timeout: RING_SECONDS,
        };
        Response::new().say(say).dial(dial).render()
    }

    /// A word while the reply to turn `number` is late; Twilio comes back for it.
    pub(super) fn filler(
        &self,
        spec: &AssistantSpec,
        language: &LanguageTag,
        number: u32,
        step: u32,
    ) -> String {
        let back = self.url("wait", &format!("&turn={number}&step={}", step + 1));
        let text = phrases::for_language(language).filler(step);
        Response::new().say(say(spec, language, text)).redirect(&back).render()
    }

    /// Nothing can be stored just now: a word, and Twilio tries the same request again.
    pub(super) fn try_again(
        &self,
        spec: &AssistantSpec,
        route: &str,
        turn: Option<u32>,
        step: u32,
    ) -> String {
        let turn = turn.map(|turn| format!("&turn={turn}")).unwrap_or_default();
        let back = self.url(route, &format!("{turn}&step={}", step + 1));
        let language = &spec.voice.language;
        let text = &phrases::for_language(language).busy_retry;
        Response::new().say(say(spec, language, text)).pause(1).redirect(&back).render()
    }

    fn url(&self, route: &str, rest: &str) -> String {
        let (base, sid) = (self.public_url, self.sid);
        format!("{base}/api/voice/webhook/{route}?call_sid={sid}{rest}")
    }
}

/// Nothing helps: an apology, and a human if there is one.
pub(super) fn give_up(spec: &AssistantSpec, language: &LanguageTag) -> String {
    let apology = say(spec, language, &phrases::for_language(language).apology);
    let response = Response::new().say(apology);
    let response = match &spec.transfer.number {
        Some(to) => response.dial(Dial { number: to.clone(), action: None, timeout: RING_SECONDS }),
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

/// The end, without a word: the call is over already.
pub(super) fn hang_up() -> String {
    Response::new().hangup().render()
}

fn say(spec: &AssistantSpec, language: &LanguageTag, text: &str) -> Say {
    // A voice of another provider means nothing to `<Say>`.
    let voice = spec.voice.voice_id.as_deref().filter(|_| {
        spec.voice.provider == VoiceProvider::Twilio && *language == spec.voice.language
    });
    Say::new(text, language, voice)
}

/// Words the recogniser should expect.
fn hints(spec: &AssistantSpec) -> Vec<String> {
    let mut hints = vec![spec.client.clone()];
    hints.extend(spec.facts.iter().flat_map(|fact| fact.about.iter().cloned()));
    hints.retain(|hint| !hint.contains(',') && hint.chars().count() <= 100);
    hints.truncate(100);
    hints
}
