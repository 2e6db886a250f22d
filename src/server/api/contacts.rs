//! `/api/voice/contacts`.

use std::ops::RangeInclusive;

use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    extract::{At, Body},
    failure::Answer,
    parameters::{Params, within},
};
use crate::{
    api::{ContactView, Contacts, Moment, OneContact, Success},
    domain::{ContactChange, ContactFilter},
    operations::contacts,
};

/// How many in one answer.
const LIMIT: RangeInclusive<u64> = 1..=10_000;

/// Which contacts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// Whose last call began at or after.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Whose last call began before: where a page ends, the next one begins.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// At most so many; 10000 when left out, which is the most.
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<u64>,
}

/// A contact, by its id or its number.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its id, or its number.
    id: String,
}

pub(super) async fn list(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<Contacts> {
    let limit = within("limit", wanted.limit.unwrap_or(*LIMIT.end()), &LIMIT)?;
    let filter = ContactFilter { since: wanted.since, until: wanted.until, limit: Some(limit) };
    let found = asker.ask(move |store, actor, _| contacts::list(store, actor, &filter)).await?;
    let contacts = found.iter().map(ContactView::from).collect();
    Ok(Json(Contacts { success: Success::default(), contacts }))
}

pub(super) async fn show(asker: Asker, At(named): At<Named>) -> Answer<OneContact> {
    let contact = asker.ask(move |store, actor, _| contacts::show(store, actor, &named.id)).await?;
    Ok(Json(OneContact::from(&contact)))
}

pub(super) async fn edit(
    asker: Asker,
    At(named): At<Named>,
    Body(change): Body<ContactChange>,
) -> Answer<OneContact> {
    let contact = asker
        .ask(move |store, actor, now| contacts::edit(store, actor, &named.id, change, now))
        .await?;
    Ok(Json(OneContact::from(&contact)))
}

pub(super) async fn delete(asker: Asker, At(named): At<Named>) -> Answer<OneContact> {
    let contact =
        asker.ask(move |store, actor, now| contacts::delete(store, actor, &named.id, now)).await?;
    Ok(Json(OneContact::from(&contact)))
}
