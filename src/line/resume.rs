//! A call whose socket is over goes on: with what its last reply says, over another socket, or over
//! webhooks.

use super::{gather, talk::Opening, voice::Line};
use crate::{
    conversation::phrases,
    domain::{Delivery, EndReason, Next, Reply, TurnId},
    operations::live::{self, Greeted, Standing, Ticket},
    twilio::{
        twiml::Response,
        webhook::{Incoming, Resumed},
    },
};

impl Line {
    /// A socket is over: the call goes on with what was last said, or over another one.
    pub async fn resume(&self, request: Resumed, step: u32) -> String {
        let hopeless = request.is_hopeless();
        if let Some(failure) = &request.failure {
            tracing::warn!(failure, hopeless, "Twilio ended the session of a call");
        }
        self.goes_on(request.incoming, hopeless, step).await
    }

    /// The same, over webhooks: no socket is to be opened any more.
    pub async fn resume_without_socket(&self, request: Resumed, step: u32) -> String {
        self.goes_on(request.incoming, true, step).await
    }

    pub(super) async fn goes_on(&self, request: Incoming, hopeless: bool, step: u32) -> String {
        let (sid, to) = (request.call_sid.clone(), request.to.clone());
        let standing = match self.stored(live::standing(&self.store, sid.clone())).await {
            Ok(Some(standing)) => standing,
            // Twilio knows the call and we do not: it begins anew.
            Ok(None) => return self.ring(request, step).await,
            Err(error) => return self.unstored(&error, to, &sid, "resume", None, step).await,
        };
        if standing.call.status.is_final() {
            return gather::hang_up();
        }
        if standing.call.end_reason == Some(EndReason::AnsweringMachine) {
            return self.leave_on_machine(request, step).await;
        }
        let (spec, language) = (&standing.assistant.spec, &standing.call.language);
        let said = standing.last.as_ref().filter(|turn| turn.said.is_some());
        let next = said.and_then(|turn| turn.next.clone()).unwrap_or(Next::Listen);
        let has_socket = next == Next::Listen
            && self.has_socket(spec)
            && !hopeless
            && standing.tickets < Standing::NO_MORE;
        let opening = Opening::of(&standing);
        // Nothing is left to be said, but a silence fell that the caller wonders about.
        let excuses = next == Next::Listen && opening == Opening::Listen;
        let excused = excuses && self.excuse(&standing, !has_socket).await;
        if has_socket {
            let led = async {
                let ticket = Ticket::new(self.clock.now())?;
                live::reconnect(&self.store, standing.call.id, ticket.clone()).await?;
                Ok(ticket)
            };
            return match self.stored(led).await {
                Ok(ticket) => {
                    let writer = self.writer_with(&sid, Some(&ticket), None);
                    writer.connected(Response::new(), spec, language, None)
                }
                Err(error) => self.unstored(&error, to, &sid, "resume", None, step).await,
            };
        }
        if let (Next::Transfer(number), Some(turn)) = (&next, said) {
            let id = TurnId { call: standing.call.id, number: turn.number };
            let now = self.clock.now();
            let noted = live::hand_over(&self.store, sid.clone(), id, number.clone(), now);
            if let Err(error) = self.stored(noted).await {
                // Its outcome makes the row, should it be missing.
                tracing::error!(%error, "that a human rings could not be stored");
            }
        }
        let player = self.player(spec, "");
        let writer =
            self.writer_with(&sid, None, player.as_ref()).of(standing.call.caller.as_deref());
        match opening {
            Opening::Think(_) => writer.await_reply(standing.next),
            Opening::Say { number, text, .. } => {
                self.told(&standing, number, &text).await;
                writer.say_then(spec, language, Some(&text), &next, standing.next)
            }
            Opening::Listen => {
                let excuse = excuses.then(|| phrases::for_language(language).cut_off.as_str());
                let number = standing.next + u32::from(excused);
                writer.say_then(spec, language, excuse, &next, number)
            }
        }
    }

    /// Stores a word of excuse as the next turn: said by Twilio now, or by a socket's session, which
    /// begins with what was not heard. Says whether it could.
    async fn excuse(&self, standing: &Standing, heard: bool) -> bool {
        let language = standing.call.language.clone();
        let text = phrases::for_language(&language).cut_off.clone();
        let reply = Reply::fixed(text, language);
        let spoken = Greeted { reply, twiml: String::new(), heard, ticket: None };
        let (sid, now) = (standing.call.sid.clone(), self.clock.now());
        let stored = live::resume(&self.store, sid, standing.next, now, |_, _, _| spoken);
        match self.stored(stored).await {
            Ok(stored) => stored.is_some(),
            Err(error) => {
                tracing::error!(%error, "an excuse could not be stored");
                false
            }
        }
    }

    /// Notes that a reply is said by Twilio after all.
    async fn told(&self, standing: &Standing, number: u32, text: &str) {
        let id = TurnId { call: standing.call.id, number };
        let delivery = Delivery { said: text.to_owned(), ..Delivery::default() };
        let spec = &standing.assistant.spec;
        let discloses = number == 0 && spec.announces_ai();
        let redaction = spec.compliance.redact;
        let now = self.clock.now();
        let told = live::deliver(&self.store, id, delivery, redaction, discloses, now);
        if let Err(error) = self.stored(told).await {
            tracing::error!(turn = number, %error, "what was said could not be noted");
        }
    }
}
