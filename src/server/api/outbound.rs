//! `/api/voice/calls` as something asked for, `/api/voice/outbound`, `/api/voice/do-not-call`.

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    extract::{At, Body},
    failure::{Answer, Failure},
    tags::Created,
};
use crate::{
    api::{
        CallInput, DoNotCallChanged, DoNotCallInput, DoNotCallList, DoNotCallView, OneOutbound,
        OutboundCalls, OutboundView, Success,
    },
    domain::{Error, OutboundId, PhoneNumber, Result},
    operations::{do_not_call, outbound},
};

/// Numbers in one request, at most.
const NUMBERS: usize = 10_000;

/// A call that was asked for.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its id.
    id: i64,
}

/// A number.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Number {
    /// In any usual spelling.
    number: String,
}

pub(super) async fn ask(
    asker: Asker,
    Body(input): Body<CallInput>,
) -> Result<Created<OneOutbound>, Failure> {
    let wanted = outbound::Wanted {
        number: input.number,
        context: input.context,
        say: input.say,
        zone: input.timezone,
        anyway: input.anyway,
    };
    let call = asker
        .ask(move |store, actor, now| outbound::ask(store, actor, &input.assistant_id, wanted, now))
        .await?;
    Ok(Created(OneOutbound::from(&call)))
}

pub(super) async fn list(asker: Asker) -> Answer<OutboundCalls> {
    let calls = asker.ask(|store, actor, _| outbound::list(store, actor)).await?;
    let outbound = calls.iter().map(OutboundView::from).collect();
    Ok(Json(OutboundCalls { success: Success::default(), outbound }))
}

pub(super) async fn show(asker: Asker, At(named): At<Named>) -> Answer<OneOutbound> {
    let id = OutboundId(named.id);
    let call = asker.ask(move |store, actor, _| outbound::show(store, actor, id)).await?;
    Ok(Json(OneOutbound::from(&call)))
}

pub(super) async fn cancel(asker: Asker, At(named): At<Named>) -> Answer<OneOutbound> {
    let id = OutboundId(named.id);
    let call =
        asker.ask(move |store, actor, now| outbound::take_back(store, actor, id, now)).await?;
    Ok(Json(OneOutbound::from(&call)))
}

pub(super) async fn not_to_call(asker: Asker) -> Answer<DoNotCallList> {
    let found = asker.ask(|store, actor, _| do_not_call::list(store, actor)).await?;
    let do_not_call = found.iter().map(DoNotCallView::from).collect();
    Ok(Json(DoNotCallList { success: Success::default(), do_not_call }))
}

pub(super) async fn add(
    asker: Asker,
    Body(input): Body<DoNotCallInput>,
) -> Answer<DoNotCallChanged> {
    if !(1..=NUMBERS).contains(&input.numbers.len()) {
        return Err(Error::input(format!("`numbers` holds 1 to {NUMBERS} numbers"))
            .hint("send a longer list in several requests")
            .into());
    }
    let numbers = asker
        .ask(move |store, actor, now| do_not_call::add(store, actor, input.numbers, now))
        .await?;
    Ok(Json(DoNotCallChanged { success: Success::default(), numbers }))
}

pub(super) async fn remove(asker: Asker, At(named): At<Number>) -> Answer<DoNotCallChanged> {
    let number: PhoneNumber = named.number.parse()?;
    let numbers =
        asker.ask(move |store, actor, now| do_not_call::remove(store, actor, number, now)).await?;
    Ok(Json(DoNotCallChanged { success: Success::default(), numbers }))
}
