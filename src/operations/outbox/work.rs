//! Delivering, as far as the store is concerned: what is ready, where it goes, how it ended.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{
        AssistantId, Deliver, DeliveryId, Error, OutboxDelivery, PhoneNumber, Result, Secret,
        Trouble, next_try,
    },
    operations::{ledger, secrets::Secrets},
    store::{
        Store, assistants,
        deliveries::{self, Ended, Progress, Taken},
    },
};

/// How long a daemon may be at a delivery: longer than a try takes. Should it die over it, another
/// one, or itself after a restart, goes on after this.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// Deliveries to one place at once, and in all.
pub const BUSY: (u32, u32) = (4, 32);

/// How many are on their way to which place.
pub type InFlight = HashMap<(AssistantId, String), u32>;

/// Takes what may be tried now, as far as the places are not busy already.
pub async fn take_ready(store: &Store, in_flight: &InFlight, now: Timestamp) -> Result<Vec<Taken>> {
    let (of_each, most) = BUSY;
    let on_their_way: u32 = in_flight.values().sum();
    let free = most.saturating_sub(on_their_way);
    if free == 0 {
        return Ok(Vec::new());
    }
    // Looked for by a reader: nothing to deliver costs callers nothing.
    let found = store.read_async(move |tx| deliveries::ready(tx, now, of_each, most)).await?;
    let mut at: InFlight = in_flight.clone();
    let mut chosen: Vec<DeliveryId> = Vec::new();
    for (id, assistant, place) in found {
        let busy = at.entry((assistant, place)).or_default();
        if *busy < of_each && (chosen.len() as u32) < free {
            *busy += 1;
            chosen.push(id);
        }
    }
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    store
        .write_async(move |tx| {
            let taken = chosen.into_iter().map(|id| deliveries::take(tx, id, now, LEASE));
            Ok(taken.collect::<std::result::Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        })
        .await
}

/// Where a delivery goes, and with what.
#[derive(Debug, Clone)]
pub struct Door {
    /// The place, as the assistant's file has it now.
    pub place: Deliver,
    /// Its secret; people have none.
    pub secret: Option<Secret>,
}

/// Where a delivery goes by the assistant's file as it is now: a new address or key counts for what
/// waits. Otherwise why it goes nowhere, and whether that may change. Takes a moment; must not be
/// called from async code.
pub fn door(
    store: &Store,
    secrets: &Secrets,
    delivery: &OutboxDelivery,
) -> std::result::Result<Door, (Trouble, String)> {
    // A store that is busy and a key that is not there yet are ours to set right.
    let ours = |error: Error| (Trouble::Later(None), error.to_string());
    let assistant = store.read(|tx| assistants::by_id(tx, delivery.assistant_id)).map_err(ours)?;
    let (owner, places) = assistant.map_or_else(Default::default, |assistant| {
        (assistant.owner.map(|owner| owner.id), assistant.spec.deliver)
    });
    let place = places
        .into_iter()
        .find(|place| place.name() == delivery.destination && place.to == delivery.to);
    let place = place.filter(|place| place.secret.is_some() || place.to.is_notice());
    let place = place.ok_or_else(|| {
        let what = format!(
            "`{}` has no place `{}` any more: have it back in `[[deliver]]`, then try again",
            delivery.assistant, delivery.destination
        );
        (Trouble::Refused, what)
    })?;
    let secret = place.secret.as_ref().map(|named| secrets.resolve(store, owner, named));
    let secret = secret.transpose().map_err(ours)?;
    Ok(Door { place, secret })
}

/// A text message of a delivery.
#[derive(Debug, Clone)]
pub struct Text {
    /// To whom.
    pub to: PhoneNumber,
    /// How many parts it has.
    pub segments: u64,
}

/// What comes after a try: nothing, another one, or giving up.
pub(in crate::operations) fn ended(
    outcome: std::result::Result<(), (Trouble, String)>,
    attempts: u32,
    expires_at: Timestamp,
    now: Timestamp,
) -> Ended {
    let Err((trouble, failure)) = outcome else { return Ended::Delivered };
    let mut luck = [128_u8];
    if getrandom::fill(&mut luck).is_err() {
        // Without random numbers all wait the same.
        luck = [128];
    }
    match next_try(trouble, attempts, expires_at, now, luck[0]) {
        Some(at) => Ended::Again { at, failure },
        None => Ended::Dead { failure },
    }
}

/// Notes how a try ended; says what became of the delivery, as far as that was still to say.
pub async fn settle(
    store: &Store,
    delivery: OutboxDelivery,
    outcome: std::result::Result<(), (Trouble, String)>,
    progress: Progress,
    text: Option<Text>,
    now: Timestamp,
) -> Result<Option<Ended>> {
    let text = text.filter(|_| outcome.is_ok());
    let cache = store.clone();
    let asked = matches!(outcome, Err((Trouble::Later(Some(_)), _)));
    let ended = ended(outcome, delivery.attempts, delivery.expires_at, now);
    store
        .write_async(move |tx| {
            if let Some(Text { to, segments }) = &text {
                let call = delivery.call.as_ref().map(|(id, _)| *id);
                // Each try that arrived is a message of its own.
                let number = (delivery.id.0 << 16) | i64::from(delivery.attempts & 0xffff);
                let whose = (delivery.assistant_id, call);
                ledger::texted(tx, &cache, whose, number, (to, *segments), now)?;
            }
            let is_ours = deliveries::settle(tx, &delivery, &ended, &progress, now)?;
            if let (Ended::Again { at, .. }, true, true) = (&ended, asked, is_ours) {
                deliveries::hold(tx, delivery.assistant_id, &delivery.destination, *at)?;
            }
            Ok(is_ours.then_some(ended))
        })
        .await
}
