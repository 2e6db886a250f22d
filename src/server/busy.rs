//! Reads the calendars of others, for as long as the daemon runs. One that cannot be read counts as it
//! was last read: a caller is told nothing of it.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    domain::{Error, Result},
    integrations::{Couriers, calendars::Window},
    operations::{
        busy::{self, Shelf},
        secrets::Secrets,
    },
    store::Store,
};

/// How often they are read.
const EVERY: Duration = Duration::from_mins(1);

/// How long one may take.
const WITHIN: Duration = Duration::from_secs(20);

/// How far behind and ahead they are read: further ahead than most book.
const BEHIND: SignedDuration = SignedDuration::from_hours(24);
const AHEAD: SignedDuration = SignedDuration::from_hours(180 * 24);

/// Reads them again and again.
pub(super) async fn run(store: Store, secrets: Secrets, couriers: Couriers) {
    // Told once when it begins, and once when it is over.
    let mut failing: BTreeSet<(i64, String)> = BTreeSet::new();
    loop {
        match busy::shelves(&store).await {
            Ok(shelves) => {
                for shelf in shelves {
                    let name = (shelf.assistant.id.0, shelf.place.name().to_owned());
                    let assistant = shelf.assistant.spec.name.clone();
                    match read(&store, &secrets, &couriers, shelf).await {
                        Ok(()) if failing.remove(&name) => {
                            tracing::info!(%assistant, place = name.1, "a calendar is read again");
                        }
                        Ok(()) => {}
                        Err(error) if failing.insert(name.clone()) => tracing::warn!(
                            %assistant, place = name.1, %error,
                            "a calendar cannot be read: it counts as it was last read"
                        ),
                        Err(error) => {
                            tracing::debug!(%assistant, place = name.1, %error, "still not read");
                        }
                    }
                }
            }
            Err(error) => tracing::error!(%error, "which calendars are to be read is not known"),
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn read(store: &Store, secrets: &Secrets, couriers: &Couriers, shelf: Shelf) -> Result<()> {
    let zone = shelf.assistant.spec.zone();
    let now = Timestamp::now();
    let window = Window {
        from: now.checked_sub(BEHIND).unwrap_or(now),
        until: now.checked_add(AHEAD).unwrap_or(now),
        zone: &zone,
    };
    let (own_store, own_secrets, of) = (store.clone(), secrets.clone(), shelf.clone());
    let key = tokio::task::spawn_blocking(move || busy::key(&own_store, &own_secrets, &of));
    let key =
        key.await.map_err(|cause| Error::failure("a secret was not read").because(cause))??;
    let reading = couriers.read_calendar(&shelf.place, &key, &window);
    let read = tokio::time::timeout(WITHIN, reading).await;
    let busy = read
        .map_err(|_| Error::unavailable("it did not answer in time"))?
        .map_err(|(_, why)| Error::unavailable(why))?;
    let busy = busy.iter().map(|one| (one.starts_at, one.ends_at)).collect();
    busy::keep(store, shelf.assistant.id, &shelf.place, busy).await
}
