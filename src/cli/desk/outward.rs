//! What commands ask about calls that assistants make, and who is not to be called.

use reqwest::Method;

use super::{Local, Remote};
use crate::{
    api::{CallInput, DoNotCallChanged, DoNotCallInput, DoNotCallList, OneOutbound, OutboundCalls},
    domain::{DoNotCall, OutboundCall, OutboundId, PhoneNumber, Result},
    operations::{
        do_not_call,
        outbound::{self, Wanted},
    },
};

/// Numbers in one request, at most.
const NUMBERS: usize = 10_000;

/// Calls that assistants make, and who is not to be called.
#[rustfmt::skip]
pub(in crate::cli) trait OutwardDesk {
    /// Has an assistant call somebody.
    fn ask_call(&self, assistant: &str, wanted: Wanted) -> Result<OutboundCall>;
    fn outbound_calls(&self) -> Result<Vec<OutboundCall>>;
    fn outbound_call(&self, id: OutboundId) -> Result<OutboundCall>;
    fn take_back_call(&self, id: OutboundId) -> Result<OutboundCall>;
    fn do_not_call(&self) -> Result<Vec<DoNotCall>>;
    /// Answers how many are new.
    fn add_do_not_call(&self, numbers: &[PhoneNumber]) -> Result<u64>;
    fn remove_do_not_call(&self, number: &PhoneNumber) -> Result<u64>;
}

impl OutwardDesk for Local {
    fn ask_call(&self, assistant: &str, wanted: Wanted) -> Result<OutboundCall> {
        outbound::ask(&self.store, &self.actor, assistant, wanted, self.now)
    }

    fn outbound_calls(&self) -> Result<Vec<OutboundCall>> {
        outbound::list(&self.store, &self.actor)
    }

    fn outbound_call(&self, id: OutboundId) -> Result<OutboundCall> {
        outbound::show(&self.store, &self.actor, id)
    }

    fn take_back_call(&self, id: OutboundId) -> Result<OutboundCall> {
        outbound::take_back(&self.store, &self.actor, id, self.now)
    }

    fn do_not_call(&self) -> Result<Vec<DoNotCall>> {
        do_not_call::list(&self.store, &self.actor)
    }

    fn add_do_not_call(&self, numbers: &[PhoneNumber]) -> Result<u64> {
        do_not_call::add(&self.store, &self.actor, numbers.to_vec(), self.now)
    }

    fn remove_do_not_call(&self, number: &PhoneNumber) -> Result<u64> {
        do_not_call::remove(&self.store, &self.actor, number.clone(), self.now)
    }
}

impl OutwardDesk for Remote {
    fn ask_call(&self, assistant: &str, wanted: Wanted) -> Result<OutboundCall> {
        let input = CallInput {
            assistant_id: assistant.to_owned(),
            number: wanted.number,
            context: wanted.context,
            say: wanted.say,
            timezone: wanted.zone,
            anyway: wanted.anyway,
        };
        // Sent twice, it is refused the second time: the number is being called.
        Ok(self.client.post(&["calls"]).body(&input)?.send::<OneOutbound>()?.outbound.into())
    }

    fn outbound_calls(&self) -> Result<Vec<OutboundCall>> {
        let answer: OutboundCalls = self.client.get(&["outbound"]).send()?;
        Ok(answer.outbound.into_iter().map(Into::into).collect())
    }

    fn outbound_call(&self, id: OutboundId) -> Result<OutboundCall> {
        let ask = self.client.get(&["outbound", &id.0.to_string()]);
        Ok(ask.send::<OneOutbound>()?.outbound.into())
    }

    fn take_back_call(&self, id: OutboundId) -> Result<OutboundCall> {
        let path = ["outbound", &id.0.to_string(), "cancel"];
        Ok(self.client.post(&path).send::<OneOutbound>()?.outbound.into())
    }

    fn do_not_call(&self) -> Result<Vec<DoNotCall>> {
        let answer: DoNotCallList = self.client.get(&["do-not-call"]).send()?;
        Ok(answer.do_not_call.into_iter().map(Into::into).collect())
    }

    fn add_do_not_call(&self, numbers: &[PhoneNumber]) -> Result<u64> {
        let mut added = 0;
        for numbers in numbers.chunks(NUMBERS) {
            let body = DoNotCallInput { numbers: numbers.to_vec() };
            let ask = self.client.post(&["do-not-call"]).body(&body)?;
            added += ask.send::<DoNotCallChanged>()?.numbers;
        }
        Ok(added)
    }

    fn remove_do_not_call(&self, number: &PhoneNumber) -> Result<u64> {
        let ask = self.client.ask(Method::DELETE, &["do-not-call", number.as_str()]);
        Ok(ask.send::<DoNotCallChanged>()?.numbers)
    }
}
