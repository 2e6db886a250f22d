//! A call is handed to a human, in TwiML: ringing one after the other, what the human hears before
//! taking it, and a message after a beep when nobody does.
//!
//! | delivered | outcome |
//! |---|---|
//! | `transfer`: a human took the call | the call ends when they have talked |
//! | `transfer`: this one did not | the next one rings; then a message, or the assistant again |
//! | `transfer` again | the same |
//! | `whisper`, `take`: there is nothing to take any more | the human's side is hung up |
//! | `take` again | what was pressed first stands |
//! | `voicemail`, its recording, its words again | one message |

use super::{
    gather::{self, Writer},
    voice::Line,
};
use crate::{
    conversation::{phrases, whisper},
    domain::{
        AssistantSpec, CallSid, CallerId, HandoverOutcome, LanguageTag, Next, PhoneNumber, Reply,
        Result,
    },
    operations::live::{self, Greeted, Left, Onward, Report, Spoken, Ticket},
    twilio::{
        dial::{AskKey, Dial, TakeMessage},
        handed::{DialStatus, Dialled, HumanLeg, LeftMessage, Transcribed},
        twiml::{Response, Words},
        webhook::Recorded,
    },
};

/// How often a human who presses another key is asked again.
const ASK_AGAIN: u32 = 2;

/// The language that Twilio writes messages down in (Twilio, "TwiML: Record, transcribe").
const TRANSCRIBED: &str = "en";

impl Writer<'_> {
    /// Rings a human. `turn` is the one that follows, should nobody take the call.
    pub(super) fn ring(
        &self,
        response: Response,
        spec: &AssistantSpec,
        number: &PhoneNumber,
        turn: u32,
        attempt: u32,
    ) -> String {
        let rest = format!("&turn={turn}&attempt={attempt}");
        let dial = Dial {
            action: Some(self.url("transfer", &rest)),
            caller_id: Some(caller_id(spec, self.caller)),
            whisper: spec.transfer.warm.then(|| self.url("whisper", &rest)),
            ..Dial::new(number.clone(), ring_seconds(spec))
        };
        response.dial(dial).render()
    }

    /// Records a message.
    fn voicemail(&self, spec: &AssistantSpec, language: &LanguageTag, turn: u32) -> String {
        let phrases = phrases::for_language(language);
        let rest = format!("&turn={turn}");
        let understands = language.primary() == TRANSCRIBED;
        let message = TakeMessage {
            action: self.url("voicemail", &rest),
            ready: self.url("voicemail-recording", &rest),
            words: understands.then(|| self.url("voicemail-words", &rest)),
        };
        Response::new()
            .say(self.words(spec, language, &phrases.handover.voicemail))
            .take_message(message)
            // Nothing was said.
            .say(self.words(spec, language, &phrases.handover.nothing_left))
            .say(self.words(spec, language, &phrases.goodbye))
            .hangup()
            .render()
    }

    /// What a human hears first, twice.
    fn whisper(
        &self,
        spec: &AssistantSpec,
        told: &str,
        turn: u32,
        attempt: u32,
        step: u32,
    ) -> String {
        let language = &spec.voice.language;
        let say = |text: &str| Words::from(gather::say(spec, language, text));
        let rest = format!("&turn={turn}&attempt={attempt}&step={}", step + 1);
        let ask = || AskKey {
            action: self.url("take", &rest),
            prompt: vec![say(told), say(whisper::keys(language))],
        };
        // Nobody pressed a key: nobody is there, or a voice mailbox is.
        Response::new().ask_key(ask()).ask_key(ask()).hangup().render()
    }
}

/// How long one human rings.
pub(super) fn ring_seconds(spec: &AssistantSpec) -> u32 {
    u32::try_from(spec.transfer.ring_for.as_secs()).unwrap_or(u32::MAX)
}

/// The number that the human sees. A caller who hides it has none.
pub(super) fn caller_id(spec: &AssistantSpec, caller: Option<&str>) -> PhoneNumber {
    let callers = caller.and_then(PhoneNumber::from_e164);
    match spec.transfer.caller_id {
        CallerId::Caller => callers.unwrap_or_else(|| spec.phone.number.clone()),
        CallerId::Assistant => spec.phone.number.clone(),
    }
}

impl Line {
    /// A human was rung: the two have talked, or the next one rings, or nobody is left.
    pub async fn transferred(
        &self,
        request: Dialled,
        turn: u32,
        attempt: u32,
        step: u32,
    ) -> String {
        let (sid, to) = (request.call_sid.clone(), request.to.clone());
        let report = Report {
            sid: sid.clone(),
            turn,
            attempt,
            picked_up: match request.status {
                DialStatus::PickedUp => Ok(()),
                DialStatus::Busy => Err(HandoverOutcome::Busy),
                DialStatus::NoAnswer | DialStatus::Untold => Err(HandoverOutcome::NoAnswer),
                DialStatus::Canceled => Err(HandoverOutcome::Canceled),
                DialStatus::Failed => Err(HandoverOutcome::Failed),
            },
            bridged: request.bridged,
            duration_s: request.duration_s,
            is_over: request.is_over,
        };
        let talked = report.picked_up.is_ok() && report.bridged != Some(false);
        tracing::info!(turn, attempt, status = ?request.status, "a human was rung");
        let (line, call_sid) = (self.clone(), sid.clone());
        // Without one, the call goes on over webhooks.
        let ticket = Ticket::new(self.clock.now()).ok();
        let speak = move |spec: &AssistantSpec, history: &[_], call: &crate::domain::Call| {
            if spec.transfer.voicemail {
                let player = line.player(spec, "");
                let writer = line.writer_with(&call_sid, None, player.as_ref());
                let twiml = writer.voicemail(spec, &call.language, turn);
                let text = phrases::for_language(&call.language).handover.voicemail.clone();
                let reply =
                    Reply { next: Next::HangUp, ..Reply::fixed(text, call.language.clone()) };
                return Greeted { reply, twiml, heard: true, ticket: None };
            }
            let reply = line.engine.after_failed_transfer(spec, history, call, line.clock.now());
            let ticket = ticket.filter(|_| line.has_socket(spec));
            let player = line.player(spec, "");
            let sound = player.as_ref().and_then(|p| p.held(&reply.text, &reply.language));
            let writer = line.writer_with(&call_sid, ticket.as_ref(), player.as_ref());
            let twiml = writer.reply(spec, turn, &reply, false, sound);
            Greeted { reply, twiml, heard: true, ticket }
        };
        match self.stored(live::dialled(&self.store, report, self.clock.now(), speak)).await {
            Ok(Onward::Ring(next)) => {
                let (spec, language) = (&next.assistant.spec, &next.call.language);
                let player = self.player(spec, "");
                let writer =
                    self.writer_with(&sid, None, player.as_ref()).of(next.call.caller.as_deref());
                let text = &phrases::for_language(language).handover.next;
                let response = Response::new().say(writer.words(spec, language, text));
                writer.ring(response, spec, &next.number, turn, next.attempt)
            }
            Ok(Onward::Say(twiml)) => twiml,
            Ok(Onward::HangUp) => gather::hang_up(),
            Err(error) if talked => {
                tracing::error!(%error, "that a human took a call could not be stored");
                gather::hang_up()
            }
            // Twilio comes back, and says no more what became of the `<Dial>`.
            Err(error) => {
                let rest = format!("&turn={turn}&attempt={attempt}");
                self.unstored_at(&error, to, &sid, ("transfer", &rest), step).await
            }
        }
    }

    /// A human picked up: hears who calls and why.
    pub async fn whisper(&self, sid: &CallSid, turn: u32, attempt: u32) -> String {
        match self.stored(live::human_leg(&self.store, sid.clone(), turn, attempt)).await {
            Ok(Some(leg)) => self.told_to_human(sid, &leg, turn, attempt, 0),
            Ok(None) => gather::hang_up(),
            Err(error) => {
                tracing::error!(%error, "what a human is to be told could not be read");
                gather::hang_up()
            }
        }
    }

    fn told_to_human(
        &self,
        sid: &CallSid,
        leg: &live::HumanLeg,
        turn: u32,
        attempt: u32,
        step: u32,
    ) -> String {
        let spec = &leg.assistant.spec;
        let told = whisper::summary(spec, &leg.call, &leg.history);
        self.writer(sid).whisper(spec, &told, turn, attempt, step)
    }

    /// A human pressed a key: takes the call, or refuses it.
    pub async fn taken(
        &self,
        sid: &CallSid,
        request: &HumanLeg,
        turn: u32,
        attempt: u32,
        step: u32,
    ) -> String {
        let pressed = live::press(&self.store, sid.clone(), turn, attempt, request.key);
        match self.stored(pressed).await {
            Ok(Some(leg)) => match leg.takes {
                Some(true) => {
                    tracing::info!(turn, attempt, "a human takes the call");
                    let spec = &leg.assistant.spec;
                    let language = &spec.voice.language;
                    let text = &phrases::for_language(language).handover.connecting;
                    // At the end of it the two are connected.
                    Response::new().say(gather::say(spec, language, text)).render()
                }
                Some(false) => {
                    tracing::info!(turn, attempt, "a human refuses the call");
                    gather::hang_up()
                }
                None if step <= ASK_AGAIN => self.told_to_human(sid, &leg, turn, attempt, step),
                None => gather::hang_up(),
            },
            Ok(None) => gather::hang_up(),
            Err(error) => {
                // Better two who talk without a row than a human who is hung up on.
                tracing::error!(%error, "what a human pressed could not be stored");
                match request.key {
                    Some('1') => Response::new().render(),
                    _ => gather::hang_up(),
                }
            }
        }
    }

    /// A message was spoken: kept, and goodbye.
    pub async fn left_message(&self, request: LeftMessage, step: u32) -> String {
        let (sid, to) = (request.call_sid.clone(), request.to.clone());
        let Some(kept) = request.kept else {
            tracing::warn!("a message without a recording");
            return gather::hang_up();
        };
        let spoken =
            Spoken { sid: sid.clone(), kept, seconds: request.seconds, is_over: request.is_over };
        match self.stored(live::leave_message(&self.store, spoken, self.clock.now())).await {
            Ok(Left::Kept { call, assistant }) => {
                tracing::info!(seconds = request.seconds, "a message was spoken");
                let (spec, language) = (&assistant.spec, &call.language);
                let phrases = phrases::for_language(language);
                let player = self.player(spec, "");
                let writer = self.writer_with(&sid, None, player.as_ref());
                Response::new()
                    .say(writer.words(spec, language, &phrases.message_taken))
                    .say(writer.words(spec, language, &phrases.goodbye))
                    .hangup()
                    .render()
            }
            Ok(Left::Unwanted | Left::Unknown) => gather::hang_up(),
            // That it is ready is told once more, by its own callback.
            Err(error) => self.unstored(&error, to, &sid, "resume", None, step).await,
        }
    }

    /// A message is ready: kept, should it not have been told yet.
    pub async fn message_is_ready(&self, request: Recorded) -> Result<()> {
        let Some(kept) = request.kept else { return Ok(()) };
        let spoken = Spoken { sid: request.call_sid, kept, seconds: 0, is_over: true };
        match live::leave_message(&self.store, spoken, self.clock.now()).await? {
            Left::Kept { .. } => {}
            Left::Unwanted => tracing::warn!("a message whose call was forgotten is removed"),
            Left::Unknown => tracing::warn!("a message in a call that nobody knows"),
        }
        Ok(())
    }

    /// A message was written down.
    pub async fn message_in_words(&self, request: Transcribed) -> Result<()> {
        let (Some(kept), Some(text)) = (request.kept, request.text) else {
            tracing::warn!("a message could not be written down");
            return Ok(());
        };
        let now = self.clock.now();
        if !live::set_words(&self.store, request.call_sid, kept, text, now).await? {
            tracing::warn!("the words of a message that nobody has");
        }
        Ok(())
    }
}
