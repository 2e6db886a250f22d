//! Assistants: find, create, change, switch, delete, and apply many at once.

use jiff::Timestamp;

use crate::{
    domain::{
        Assistant, AssistantId, AssistantName, AssistantSpec, Error, Kind, Result, suggestion_hint,
    },
    store::{Store, StoreError, Tx, assistants},
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

fn unknown(tx: &Tx, name: &str) -> Result<Error, StoreError> {
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
pub fn create(store: &Store, spec: AssistantSpec, now: Timestamp) -> Result<Assistant> {
    spec.check()?;
    store.write(move |tx| assistants::insert(tx, &spec, now))
}

/// Changes an assistant; with an expected revision, only if nobody else changed it meanwhile.
pub fn update(
    store: &Store,
    id: AssistantId,
    spec: AssistantSpec,
    expected_revision: Option<i64>,
    now: Timestamp,
) -> Result<Assistant> {
    spec.check()?;
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
        if current.spec == spec { Ok(current) } else { assistants::update(tx, id, &spec, now) }
    })
}

/// Switches an assistant on or off; true on the very next call.
pub fn set_active(
    store: &Store,
    id: AssistantId,
    active: bool,
    now: Timestamp,
) -> Result<Assistant> {
    store.write(move |tx| {
        let current = present(tx, id)?;
        if current.spec.active == active {
            return Ok(current);
        }
        let spec = AssistantSpec { active, ..current.spec };
        assistants::update(tx, id, &spec, now)
    })
}

/// Takes an assistant out of service for good. Its calls stay.
pub fn delete(store: &Store, id: AssistantId, now: Timestamp) -> Result<()> {
    store.write(move |tx| {
        present(tx, id)?;
        assistants::delete(tx, id, now)
    })
}

fn present(tx: &Tx, id: AssistantId) -> Result<Assistant, StoreError> {
    assistants::by_id(tx, id)?
        .ok_or_else(|| Error::not_found(format!("there is no assistant {}", id.0)).into())
}

/// What applying one file did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which assistant.
    pub name: AssistantName,
    /// What happened to it.
    pub change: Change,
}

/// A difference between a file and the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Created,
    /// These fields differ.
    Updated {
        /// Paths such as `voice.greeting`.
        fields: Vec<String>,
    },
    /// Nothing differs.
    Unchanged,
}

/// Creates or updates assistants, all or none.
pub fn apply(store: &Store, specs: Vec<AssistantSpec>, now: Timestamp) -> Result<Vec<Applied>> {
    for spec in &specs {
        spec.check()?;
    }
    store.write(move |tx| {
        specs
            .iter()
            .map(|spec| {
                let (applied, current) = compare(tx, spec)?;
                match (&applied.change, current) {
                    (Change::Created, _) => {
                        assistants::insert(tx, spec, now)?;
                    }
                    (Change::Updated { .. }, Some(current)) => {
                        assistants::update(tx, current.id, spec, now)?;
                    }
                    _ => {}
                }
                Ok(applied)
            })
            .collect()
    })
}

/// What [`apply`] would do, without doing it.
pub fn plan(store: &Store, specs: &[AssistantSpec]) -> Result<Vec<Applied>> {
    for spec in specs {
        spec.check()?;
    }
    store.read(|tx| specs.iter().map(|spec| Ok(compare(tx, spec)?.0)).collect())
}

fn compare(tx: &Tx, spec: &AssistantSpec) -> Result<(Applied, Option<Assistant>), StoreError> {
    let current = assistants::by_name(tx, spec.name.as_str())?;
    let change = match &current {
        None => Change::Created,
        Some(current) if current.spec == *spec => Change::Unchanged,
        Some(current) => {
            let mut fields = Vec::new();
            differing(
                "",
                &serde_json::to_value(&current.spec)?,
                &serde_json::to_value(spec)?,
                &mut fields,
            );
            Change::Updated { fields }
        }
    };
    Ok((Applied { name: spec.name.clone(), change }, current))
}

fn differing(
    path: &str,
    old: &serde_json::Value,
    new: &serde_json::Value,
    fields: &mut Vec<String>,
) {
    use serde_json::Value::Object;
    if let (Object(old), Object(new)) = (old, new) {
        let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let null = serde_json::Value::Null;
            differing(&path, old.get(key).unwrap_or(&null), new.get(key).unwrap_or(&null), fields);
        }
    } else if old != new {
        fields.push(path.to_owned());
    }
}
