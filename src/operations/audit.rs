//! The audit log: written by every operation that changes something, read by admins.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    domain::{Actor, AssistantSpec, Result},
    provision,
    store::{Store, StoreError, Tx, audit, audit::Deed},
};

pub use crate::store::audit::{Check, Entry};

/// A value longer than this is cut: the whole of it is in the versions of the assistant.
const LONGEST: usize = 300;

/// Adds a line, in the transaction of what it tells.
pub(super) fn record(tx: &Tx, actor: &Actor, at: Timestamp, deed: &Deed) -> Result<(), StoreError> {
    audit::record(tx, at, &actor.author, deed)
}

/// What becomes of an assistant, field by field.
pub(super) fn of_assistant(
    action: &'static str,
    before: Option<&AssistantSpec>,
    after: Option<&AssistantSpec>,
) -> Deed {
    let name = after.or(before).map_or_else(String::new, |spec| spec.name.to_string());
    let (before, after) = match (before, after) {
        (Some(before), Some(after)) => {
            let fields = provision::differences(before, after);
            let side = |value: fn(&provision::Field) -> &Value| -> Value {
                let sides = fields.iter().map(|field| (field.path.clone(), short(value(field))));
                Value::Object(sides.collect::<Map<_, _>>())
            };
            (side(|field| &field.before), side(|field| &field.after))
        }
        (before, after) => {
            let brief = |spec: Option<&AssistantSpec>| {
                spec.map_or(Value::Null, |spec| {
                    serde_json::json!({ "client": spec.client, "phone": spec.phone.number, "active": spec.active })
                })
            };
            (brief(before), brief(after))
        }
    };
    Deed { action, target: format!("assistant/{name}"), before, after }
}

fn short(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > LONGEST => {
            let start: String = text.chars().take(LONGEST).collect();
            Value::String(format!("{start}… ({} characters)", text.chars().count()))
        }
        Value::Array(_) | Value::Object(_) if value.to_string().len() > 4 * LONGEST => {
            Value::String("changed".to_owned())
        }
        value => value.clone(),
    }
}

/// Lines of a window, newest first; from before a line on, if one is named.
pub fn list(
    store: &Store,
    actor: &Actor,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    before: Option<i64>,
    most: Option<u64>,
) -> Result<Vec<Entry>> {
    actor.may_administer()?;
    store.read(|tx| audit::list(tx, since, until, before, most))
}

/// Computes every hash again; says also whether the log holds the line with a hash that was kept
/// elsewhere, if one is given.
pub fn check(store: &Store, actor: &Actor, head: Option<&str>) -> Result<(Check, Option<bool>)> {
    actor.may_administer()?;
    store.read(|tx| {
        let holds = head.map(|head| audit::holds(tx, head)).transpose()?;
        Ok((audit::check(tx)?, holds))
    })
}
