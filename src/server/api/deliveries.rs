//! `/api/voice/deliveries`.

use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    assistants,
    auth::Asker,
    extract::At,
    failure::Answer,
    parameters::{Cursor, Params, within},
};
use crate::{
    api::{Deliveries, DeliveryView, Moment, OneDelivery, Success},
    domain::{DeliveryFilter, DeliveryId, DeliveryState},
    operations::outbox,
};

/// Which deliveries.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// Standing so.
    state: Option<DeliveryState>,
    /// Of what happened at or after.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// At most so many: 50 when left out, 1000 at most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u64>,
    /// Go on after a page: what it answered as `next`.
    cursor: Option<Cursor>,
}

pub(super) async fn list(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<Deliveries> {
    let limit = within("limit", wanted.limit.unwrap_or(50), &(1..=1_000))?;
    let page = asker
        .ask(move |store, actor, _| {
            let filter = DeliveryFilter {
                assistant: assistants::named(store, actor, wanted.assistant_id.as_ref())?,
                state: wanted.state,
                since: wanted.since,
                older_than: wanted.cursor.map(|cursor| DeliveryId(cursor.0)),
                limit: Some(limit),
            };
            outbox::list(store, actor, &filter)
        })
        .await?;
    Ok(Json(page.into()))
}

/// A delivery, by number.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Numbered {
    id: i64,
}

pub(super) async fn show(asker: Asker, At(numbered): At<Numbered>) -> Answer<OneDelivery> {
    let id = DeliveryId(numbered.id);
    let delivery = asker.ask(move |store, actor, _| outbox::show(store, actor, id)).await?;
    Ok(Json(OneDelivery { success: Success::default(), delivery: DeliveryView::whole(delivery) }))
}

pub(super) async fn retry(asker: Asker, At(numbered): At<Numbered>) -> Answer<OneDelivery> {
    let id = DeliveryId(numbered.id);
    let delivery = asker.ask(move |store, actor, now| outbox::retry(store, actor, id, now)).await?;
    Ok(Json(OneDelivery { success: Success::default(), delivery: DeliveryView::whole(delivery) }))
}
