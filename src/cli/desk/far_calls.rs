//! Calls that a daemon far away makes, and whom it does not call.

use reqwest::Method;

use super::client::Client;
use crate::{
    api::{CallInput, DoNotCallChanged, DoNotCallInput, DoNotCallList, OneOutbound, OutboundCalls},
    domain::{DoNotCall, OutboundCall, OutboundId, PhoneNumber, Result},
    operations::outbound::Wanted,
};

/// Numbers in one request, at most.
const NUMBERS: usize = 10_000;

pub(super) fn ask(client: &Client, assistant: &str, wanted: Wanted) -> Result<OutboundCall> {
    let input = CallInput {
        assistant_id: assistant.to_owned(),
        number: wanted.number,
        context: wanted.context,
        say: wanted.say,
        timezone: wanted.zone,
        anyway: wanted.anyway,
    };
    // Sent twice, it is refused the second time: the number is being called.
    Ok(client.post(&["calls"]).body(&input)?.send::<OneOutbound>()?.outbound.into())
}

pub(super) fn list(client: &Client) -> Result<Vec<OutboundCall>> {
    let answer: OutboundCalls = client.get(&["outbound"]).send()?;
    Ok(answer.outbound.into_iter().map(Into::into).collect())
}

pub(super) fn one(client: &Client, id: OutboundId) -> Result<OutboundCall> {
    Ok(client.get(&["outbound", &id.0.to_string()]).send::<OneOutbound>()?.outbound.into())
}

pub(super) fn take_back(client: &Client, id: OutboundId) -> Result<OutboundCall> {
    let path = ["outbound", &id.0.to_string(), "cancel"];
    Ok(client.post(&path).send::<OneOutbound>()?.outbound.into())
}

pub(super) fn not_to_call(client: &Client) -> Result<Vec<DoNotCall>> {
    let answer: DoNotCallList = client.get(&["do-not-call"]).send()?;
    Ok(answer.do_not_call.into_iter().map(Into::into).collect())
}

pub(super) fn add(client: &Client, numbers: &[PhoneNumber]) -> Result<u64> {
    let mut added = 0;
    for numbers in numbers.chunks(NUMBERS) {
        let input = DoNotCallInput { numbers: numbers.to_vec() };
        added += client.post(&["do-not-call"]).body(&input)?.send::<DoNotCallChanged>()?.numbers;
    }
    Ok(added)
}

pub(super) fn remove(client: &Client, number: &PhoneNumber) -> Result<u64> {
    let ask = client.ask(Method::DELETE, &["do-not-call", number.as_str()]);
    Ok(ask.send::<DoNotCallChanged>()?.numbers)
}
