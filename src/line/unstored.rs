//! What is said while the store cannot be used: the caller holds on, and Twilio comes back.

use tokio::time::timeout;

use super::{gather, voice::Line};
use crate::{
    conversation::phrases,
    domain::{CallSid, Country, Error, PhoneNumber, Result},
    operations::live,
};

impl Line {
    /// Waits for the store, but not so long that Twilio gives up.
    pub(super) async fn stored<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        timeout(self.patience.store, work)
            .await
            .unwrap_or_else(|_| Err(Error::unavailable("the store did not answer in time")))
    }

    /// Nothing can be stored: the caller is asked to hold on, and Twilio to come back.
    pub(super) async fn unstored(
        &self,
        error: &Error,
        to: Option<PhoneNumber>,
        sid: &CallSid,
        route: &str,
        turn: Option<u32>,
        step: u32,
    ) -> String {
        let rest = turn.map(|turn| format!("&turn={turn}")).unwrap_or_default();
        self.unstored_at(error, to, sid, (route, &rest), step).await
    }

    /// The same, with whatever the address to come back to says besides.
    pub(super) async fn unstored_at(
        &self,
        error: &Error,
        to: Option<PhoneNumber>,
        sid: &CallSid,
        (route, rest): (&str, &str),
        step: u32,
    ) -> String {
        tracing::error!(route, step, %error, causes = ?error.causes(), "the store could not be used");
        let number = to.clone();
        let found = match number {
            Some(number) => {
                self.stored(live::assistant_of(&self.store, number)).await.ok().flatten()
            }
            None => None,
        };
        let writer = self.writer(sid);
        match found {
            Some(assistant) if step < self.patience.fillers => {
                writer.try_again(&assistant.spec, route, rest, step)
            }
            Some(assistant) => {
                gather::give_up(&assistant.spec, &assistant.spec.voice.language, self.clock.now())
            }
            None => {
                let language = Country::language_of(to.as_ref());
                gather::farewell(None, &language, &phrases::for_language(&language).apology)
            }
        }
    }
}
