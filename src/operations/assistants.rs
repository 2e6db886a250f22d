//! Assistants: find, create, change, switch, delete.

use jiff::Timestamp;

use crate::{
    domain::{
        Assistant, AssistantId, AssistantName, AssistantSpec, Author, Error, Kind, Result,
        suggestion_hint,
    },
    store::{Store, StoreError, Tx, assistants, versions::Stamp},
};

pub use crate::store::assistants::AssistantOverview;

/// All assistants, by name, with their figures.
pub fn list(store: &Store) -> Result<Vec<AssistantOverview>> {
    store.read(assistants::list)
}

/// By slug, or by the API's `id`.
pub fn find(store: &Store, name_or_id: &str) -> Result<Assistant> {
    store.read(|tx| {
        let found = match name_or_id.parse::<i64>() {
            Ok(id) => assistants::by_id(tx, AssistantId(id))?,
            Err(_) => assistants::by_name(tx, name_or_id)?,
        };
        found.map_or_else(|| Err(unknown(tx, name_or_id)?.into()), Ok)
    })
}

pub(super) fn unknown(tx: &Tx, name: &str) -> Result<Error, StoreError> {
    let names = assistants::names(tx)?;
    let hint =
        suggestion_hint(name, names.iter().map(AssistantName::as_str)).unwrap_or_else(|| {
            if names.is_empty() {
                "there is none yet: create one with `webox assistants create`".to_owned()
            } else {
                "list them with `webox assistants`".to_owned()
            }
        });
    Ok(Error::not_found(format!("no assistant named `{}`", name.escape_debug())).hint(hint))
}

/// Adds an assistant.
pub fn create(
    store: &Store,
    spec: AssistantSpec,
    author: &Author,
    now: Timestamp,
) -> Result<Assistant> {
    spec.check()?;
    let author = author.clone();
    store.write(move |tx| {
        assistants::insert(tx, &spec, &Stamp { at: now, author: &author, apply: None })
    })
}

/// Changes an assistant; with an expected revision, only if nobody else changed it meanwhile.
pub fn update(
    store: &Store,
    id: AssistantId,
    spec: AssistantSpec,
    expected_revision: Option<i64>,
    author: &Author,
    now: Timestamp,
) -> Result<Assistant> {
    spec.check()?;
    let author = author.clone();
    store.write(move |tx| {
        let current = present(tx, id)?;
        if let Some(expected) = expected_revision
            && current.revision != expected
        {
            return Err(Error::new(
                Kind::Conflict,
                format!(
                    "the assistant `{}` was changed by somebody else meanwhile",
                    current.spec.name
                ),
            )
            .hint("look at it again, then repeat your change")
            .into());
        }
        if current.spec == spec {
            return Ok(current);
        }
        let stamp = Stamp { at: now, author: &author, apply: None };
        assistants::update(tx, id, &spec, &stamp)
    })
}

/// Switches an assistant on or off; true on the very next call.
pub fn set_active(
    store: &Store,
    id: AssistantId,
    active: bool,
    author: &Author,
    now: Timestamp,
) -> Result<Assistant> {
    let author = author.clone();
    store.write(move |tx| {
        let current = present(tx, id)?;
        if current.spec.active == active {
            return Ok(current);
        }
        let spec = AssistantSpec { active, ..current.spec };
        let stamp = Stamp { at: now, author: &author, apply: None };
        assistants::update(tx, id, &spec, &stamp)
    })
}

/// Takes an assistant out of service for good. Its calls stay.
pub fn delete(store: &Store, id: AssistantId, author: &Author, now: Timestamp) -> Result<()> {
    let author = author.clone();
    store.write(move |tx| {
        let current = present(tx, id)?;
        assistants::delete(tx, &current, &Stamp { at: now, author: &author, apply: None })
    })
}

fn present(tx: &Tx, id: AssistantId) -> Result<Assistant, StoreError> {
    assistants::by_id(tx, id)?
        .ok_or_else(|| Error::not_found(format!("there is no assistant {}", id.0)).into())
}
