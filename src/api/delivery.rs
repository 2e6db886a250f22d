//! Deliveries: what happened, told to those outside who are to know.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Moment, Success};
use crate::{
    domain::{
        AssistantId, AssistantName, CallSid, DeliveryEvent, DeliveryId, DeliveryState,
        DeliveryTotals, DestinationKind, OutboxDelivery,
    },
    operations::outbox::Page,
};

/// A delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Delivery")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct DeliveryView {
    pub id: DeliveryId,
    /// The name it is delivered under, however often: a webhook's `webhook-id`.
    pub message_id: String,
    pub assistant_id: AssistantId,
    pub assistant: AssistantName,
    pub call_sid: Option<CallSid>,
    /// The place in the assistant's file.
    pub destination: String,
    pub to: DestinationKind,
    pub event: DeliveryEvent,
    /// Who called; null once the caller is forgotten.
    pub contact: Option<String>,
    pub state: DeliveryState,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
    /// When it is tried next; null once it arrived or was given up.
    #[schemars(with = "Option<Moment>")]
    pub due_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it did not arrive the last time.
    pub failure: Option<String>,
    /// When it arrived, or was given up.
    #[schemars(with = "Option<Moment>")]
    pub settled_at: Option<Timestamp>,
    /// What is delivered, as it is sent; null once the caller is forgotten. Of one delivery only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

impl DeliveryView {
    /// As it stands in a list.
    pub fn listed(delivery: OutboxDelivery) -> Self {
        let is_pending = delivery.state == DeliveryState::Pending;
        Self {
            id: delivery.id,
            message_id: delivery.message_id,
            assistant_id: delivery.assistant_id,
            assistant: delivery.assistant,
            call_sid: delivery.call.map(|(_, sid)| sid),
            destination: delivery.destination,
            to: delivery.to,
            event: delivery.event,
            contact: delivery.contact,
            state: delivery.state,
            created_at: delivery.created_at,
            due_at: is_pending.then_some(delivery.due_at),
            attempts: delivery.attempts,
            failure: delivery.failure,
            settled_at: delivery.settled_at,
            payload: None,
        }
    }

    /// With what is delivered.
    pub fn whole(delivery: OutboxDelivery) -> Self {
        let payload = delivery.payload.as_deref();
        let payload = payload.map(|text| {
            serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
        });
        Self { payload, ..Self::listed(delivery) }
    }
}

/// A page of deliveries, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Deliveries {
    /// True.
    pub success: Success,
    /// The deliveries.
    pub deliveries: Vec<DeliveryView>,
    /// How many stand how, of all, or of the assistant that was asked for.
    pub totals: DeliveryTotals,
    /// What to send as `cursor` for the next page; null at the end.
    pub next: Option<String>,
}

impl From<Page> for Deliveries {
    fn from(page: Page) -> Self {
        let last = page.deliveries.last().filter(|_| page.more);
        let next = last.map(|last| last.id.0.to_string());
        let deliveries = page.deliveries.into_iter().map(DeliveryView::listed).collect();
        Self { success: Success::default(), deliveries, totals: page.totals, next }
    }
}

/// One delivery.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneDelivery {
    /// True.
    pub success: Success,
    /// As it is now.
    pub delivery: DeliveryView,
}
