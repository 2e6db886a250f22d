//! Calls that we make: who picked up, and the message on an answering machine.

use super::{gather, voice::Line};
use crate::{
    domain::{Next, Reply, Result},
    operations::live::{self, Greeted, PickedUp},
    twilio::webhook::{Incoming, WhoAnswered},
};

impl Line {
    /// Twilio says who picked up. What is to be done about a machine, Twilio must be asked for.
    pub async fn picked_up(&self, request: WhoAnswered) -> Result<PickedUp> {
        let who = request.answered_by;
        let done = live::picked_up(&self.store, request.outbound, request.call_sid, who).await?;
        tracing::info!(answered_by = who.as_str(), ?done, "Twilio told who picked up");
        Ok(done)
    }

    /// The address of a webhook of ours.
    pub fn address(&self, webhook: &str) -> String {
        format!("{}/api/voice/webhook/{webhook}", self.public_url)
    }

    /// Twilio comes for what is left on an answering machine, after its signal.
    pub async fn leave_on_machine(&self, request: Incoming, step: u32) -> String {
        let (sid, to) = (request.call_sid.clone(), request.to.clone());
        let left = live::leave_on_machine(
            &self.store,
            sid.clone(),
            self.clock.now(),
            |spec, language, text| {
                let reply =
                    Reply { next: Next::HangUp, ..Reply::fixed(text.to_owned(), language.clone()) };
                let twiml = gather::farewell(Some(spec), language, text);
                Greeted { reply, twiml, heard: true, ticket: None }
            },
        );
        match self.stored(left).await {
            Ok(Some(twiml)) => twiml,
            Ok(None) => gather::hang_up(),
            Err(error) => self.unstored(&error, to, &sid, "machine", None, step).await,
        }
    }
}
