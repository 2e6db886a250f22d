//! Calendars of others: which are read, and what is kept of them.

use jiff::Timestamp;

use crate::{
    domain::{Assistant, AssistantId, Deliver, Error, Result, Secret, Sight},
    operations::secrets::Secrets,
    store::{Store, assistants, busy},
};

/// A calendar that is to be read.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// Whose bookings it stands in the way of.
    pub assistant: Assistant,
    /// The calendar, as the file has it.
    pub place: Deliver,
}

/// The calendars to be read: of assistants in service that take bookings. What was kept of others is
/// forgotten.
pub async fn shelves(store: &Store) -> Result<Vec<Shelf>> {
    let (shelves, gone) = store
        .read_async(|tx| {
            let mut shelves: Vec<Shelf> = Vec::new();
            for overview in assistants::list(tx, Sight::All)? {
                let assistant = overview.assistant;
                if !assistant.spec.active || assistant.spec.booking.is_none() {
                    continue;
                }
                let places = assistant.spec.deliver.clone().into_iter();
                shelves.extend(
                    places
                        .filter(|place| place.to.is_calendar() && place.busy)
                        .map(|place| Shelf { assistant: assistant.clone(), place }),
                );
            }
            let mut gone = busy::kept(tx)?;
            gone.retain(|(id, name)| {
                !shelves.iter().any(|s| s.assistant.id == *id && s.place.name() == name)
            });
            Ok((shelves, gone))
        })
        .await?;
    if !gone.is_empty() {
        store
            .write_async(move |tx| {
                gone.iter().try_for_each(|(id, place)| busy::forget(tx, *id, place))
            })
            .await?;
    }
    Ok(shelves)
}

/// What a calendar is read with. Takes a moment; must not be called from async code.
pub fn key(store: &Store, secrets: &Secrets, shelf: &Shelf) -> Result<Secret> {
    let owner = shelf.assistant.owner.as_ref().map(|owner| owner.id);
    let reference = shelf.place.secret.as_ref();
    let reference = reference.ok_or_else(|| Error::config("the calendar has no `secret`"))?;
    secrets.resolve(store, owner, reference)
}

/// Keeps what was read.
pub async fn keep(
    store: &Store,
    assistant: AssistantId,
    place: &Deliver,
    busy: Vec<(Timestamp, Timestamp)>,
) -> Result<()> {
    let (name, resource) = (place.name().to_owned(), place.resource.clone());
    store.write_async(move |tx| busy::keep(tx, assistant, &name, resource.as_deref(), &busy)).await
}
