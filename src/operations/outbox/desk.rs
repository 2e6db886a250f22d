//! Deliveries looked at and tried again, by those who may.

use jiff::Timestamp;
use serde_json::json;

use crate::{
    domain::{
        Actor, AssistantId, DeliveryFilter, DeliveryId, DeliveryState, DeliveryTotals, Error,
        OutboxDelivery, Result,
    },
    operations::audit,
    store::{Store, audit::Deed, deliveries},
};

/// Some deliveries, newest first, and how many there are of which state in all.
#[derive(Debug, Clone)]
pub struct Page {
    /// The deliveries.
    pub deliveries: Vec<OutboxDelivery>,
    /// Of all that may be seen, or of the assistant that was asked for.
    pub totals: DeliveryTotals,
    /// Whether there are more after these.
    pub more: bool,
}

/// A page of deliveries that match, newest first.
pub fn list(store: &Store, actor: &Actor, filter: &DeliveryFilter) -> Result<Page> {
    let sight = actor.sight();
    let limit = filter.limit.map(|limit| limit.saturating_add(1));
    let wanted = DeliveryFilter { limit, ..filter.clone() };
    store.read(|tx| {
        let mut deliveries = deliveries::list(tx, sight, &wanted)?;
        let more = filter.limit.is_some_and(|limit| deliveries.len() as u64 > limit);
        if more {
            deliveries.pop();
        }
        let totals = deliveries::totals(tx, sight, filter.assistant)?;
        Ok(Page { deliveries, totals, more })
    })
}

/// How many stand how, of those that the actor may see.
pub fn totals(
    store: &Store,
    actor: &Actor,
    assistant: Option<AssistantId>,
) -> Result<DeliveryTotals> {
    store.read(|tx| deliveries::totals(tx, actor.sight(), assistant))
}

/// One. One that the actor may not see is one that is not there.
pub fn show(store: &Store, actor: &Actor, id: DeliveryId) -> Result<OutboxDelivery> {
    let sight = actor.sight();
    store.read(|tx| deliveries::get(tx, sight, id)?.ok_or_else(|| unknown(id).into()))
}

/// Tries one again now, whether it was given up or waits; answers it as it is then.
pub fn retry(
    store: &Store,
    actor: &Actor,
    id: DeliveryId,
    now: Timestamp,
) -> Result<OutboxDelivery> {
    actor.may_write()?;
    let actor = actor.clone();
    store.write(move |tx| {
        let sight = actor.sight();
        let before = deliveries::get(tx, sight, id)?.ok_or_else(|| unknown(id))?;
        if !deliveries::retry(tx, id, now)? {
            let what = format!("the delivery {} cannot be tried again", id.0);
            let error = if before.state == DeliveryState::Delivered {
                Error::conflict(what).hint("it has arrived")
            } else {
                Error::conflict(what).hint("its caller was forgotten, and what it told with them")
            };
            return Err(error.into());
        }
        let deed = Deed {
            action: "delivery.retry",
            target: format!("delivery/{}", id.0),
            before: json!({ "state": before.state, "attempts": before.attempts }),
            after: json!({ "state": DeliveryState::Pending }),
        };
        audit::record(tx, &actor, now, &deed)?;
        deliveries::get(tx, sight, id)?.ok_or_else(|| unknown(id).into())
    })
}

/// A delivery that is not there, or not for the actor to know of.
pub fn unknown(id: DeliveryId) -> Error {
    Error::not_found(format!("no delivery {}", id.0)).hint("list them with `webox deliveries`")
}
