//! Delivers what happened to those outside who are to know, for as long as the daemon runs.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::watch, task::JoinSet};

use super::texts::Texts;
use crate::{
    domain::{
        AssistantId, DestinationKind, Notice, OutboxDelivery, PhoneNumber, Trouble, sms_segments,
    },
    integrations::{Couriers, Parcel},
    operations::{
        outbox::{self, InFlight, Text},
        secrets::Secrets,
    },
    store::{
        Store,
        deliveries::{Ended, Taken},
    },
};

/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long one try may take in all; shorter than the lease on it.
const WITHIN: Duration = Duration::from_secs(20);

/// What a try needs.
#[derive(Clone)]
struct Post {
    store: Store,
    secrets: Secrets,
    couriers: Couriers,
    texts: Texts,
}

/// Looks for deliveries that are due, and has them on their way side by side. Once it is to stop, those end that
/// are on their way: whoever was told already is not told again.
pub(super) async fn run(
    store: Store,
    secrets: Secrets,
    couriers: Couriers,
    texts: Texts,
    mut stopping: watch::Receiver<bool>,
) {
    let post = Post { store, secrets, couriers, texts };
    let mut tries: JoinSet<(AssistantId, String)> = JoinSet::new();
    let mut in_flight = InFlight::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            true = async { stopping.wait_for(|stop| *stop).await.is_ok() } => {
                while tries.join_next().await.is_some() {}
                return;
            }
            // Whatever comes after it may be ready now.
            Some(done) = tries.join_next() => forget(&mut in_flight, done),
        }
        while let Some(done) = tries.try_join_next() {
            forget(&mut in_flight, done);
        }
        if tries.is_empty() {
            // A try that broke off does not say which it was.
            in_flight.clear();
        }
        match outbox::take_ready(&post.store, &in_flight, Timestamp::now()).await {
            Ok(taken) => {
                for one in taken {
                    let place = (one.delivery.assistant_id, one.delivery.destination.clone());
                    *in_flight.entry(place.clone()).or_default() += 1;
                    let post = post.clone();
                    tries.spawn(async move {
                        attempt(&post, one).await;
                        place
                    });
                }
            }
            Err(error) => tracing::error!(%error, "what is to be delivered could not be read"),
        }
    }
}

fn forget(in_flight: &mut InFlight, done: Result<(AssistantId, String), tokio::task::JoinError>) {
    match done {
        Ok(place) => {
            if let Some(count) = in_flight.get_mut(&place) {
                *count = count.saturating_sub(1);
            }
            in_flight.retain(|_, count| *count > 0);
        }
        Err(error) => tracing::error!(%error, "a delivery was broken off: it is tried again"),
    }
}

async fn attempt(post: &Post, taken: Taken) {
    let Taken { delivery, payload, progress } = taken;
    let now = Timestamp::now().as_second();
    let mut parcel = Parcel {
        id: delivery.message_id.clone(),
        now,
        attempts: delivery.attempts,
        body: payload,
        progress,
    };
    let outcome = bring(post, &delivery, &mut parcel).await;
    let (id, place, attempts) = (delivery.id.0, delivery.destination.clone(), delivery.attempts);
    let text = text_of(&delivery, &parcel);
    let now = Timestamp::now();
    let noted = outbox::settle(&post.store, delivery, outcome, parcel.progress, text, now).await;
    match noted {
        Ok(Some(Ended::Delivered)) => tracing::info!(delivery = id, place, "delivered"),
        // Told once when it begins to fail, and when it is given up.
        Ok(Some(Ended::Again { failure, at })) if attempts == 1 => {
            tracing::warn!(delivery = id, place, failure, next = %at, "not delivered yet");
        }
        Ok(Some(Ended::Again { failure, at })) => {
            tracing::debug!(delivery = id, place, attempts, failure, next = %at, "not delivered yet");
        }
        Ok(Some(Ended::Dead { failure })) => tracing::error!(
            delivery = id,
            place,
            attempts,
            failure,
            "a delivery was given up; `webox deliveries retry` tries it again"
        ),
        Ok(None) => tracing::info!(delivery = id, place, "a delivery is no longer wanted"),
        Err(error) => tracing::error!(
            delivery = id, place, %error,
            "how a delivery ended could not be noted: it is delivered again"
        ),
    }
}

async fn bring(
    post: &Post,
    delivery: &OutboxDelivery,
    parcel: &mut Parcel,
) -> Result<(), (Trouble, String)> {
    let (store, secrets, of) = (post.store.clone(), post.secrets.clone(), delivery.clone());
    let door = tokio::task::spawn_blocking(move || outbox::door(&store, &secrets, &of)).await;
    let door = door.map_err(|error| (Trouble::Later(None), error.to_string()))??;
    let brought = async {
        match (delivery.to, door.secret) {
            (DestinationKind::Sms, _) => {
                let call = delivery.call.as_ref().map(|(_, sid)| sid.clone());
                post.texts.send(call, &notice(parcel)?, Timestamp::now()).await
            }
            (DestinationKind::Email, _) => post.couriers.mail(&parcel.id, &notice(parcel)?).await,
            (_, Some(secret)) => post.couriers.deliver(&door.place, &secret, parcel).await,
            (_, None) => Err((Trouble::Refused, "the place has no `secret`".to_owned())),
        }
    };
    tokio::time::timeout(WITHIN, brought).await.unwrap_or_else(|_| {
        Err((Trouble::Later(None), format!("it was not done within {WITHIN:?}")))
    })
}

/// The text message that a delivery is, if it is one.
fn text_of(delivery: &OutboxDelivery, parcel: &Parcel) -> Option<Text> {
    if delivery.to != DestinationKind::Sms {
        return None;
    }
    let notice = notice(parcel).ok()?;
    let segments = sms_segments(&notice.text) as u64;
    Some(Text { to: PhoneNumber::from_e164(&notice.to)?, segments })
}

/// What somebody is told in words.
fn notice(parcel: &Parcel) -> Result<Notice, (Trouble, String)> {
    serde_json::from_str(&parcel.body)
        .map_err(|error| (Trouble::Gone, format!("the delivery cannot be read: {error}")))
}
