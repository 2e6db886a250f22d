//! Answers that say only that something was done, and those about one caller.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operations::privacy::{Dossier, Erased, Erasure};

/// Always true: what fails answers a problem document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Success(pub bool);

impl Default for Success {
    fn default() -> Self {
        Self(true)
    }
}

impl JsonSchema for Success {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Success".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "boolean", "description": "True: what fails answers a problem document" })
    }
}

/// It is done.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// True.
    pub success: Success,
}

/// Everything that is kept of one caller, rows as they are stored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DossierView {
    /// True.
    pub success: Success,
    /// The number or address.
    pub caller: String,
    /// The calls.
    pub calls: Vec<Value>,
    /// What was said in them.
    pub turns: Vec<Value>,
    /// What was booked.
    pub bookings: Vec<Value>,
    /// What was written down.
    pub messages: Vec<Value>,
}

impl From<Dossier> for DossierView {
    fn from(dossier: Dossier) -> Self {
        let Dossier { caller, calls, turns, bookings, messages } = dossier;
        Self { success: Success::default(), caller, calls, turns, bookings, messages }
    }
}

impl From<DossierView> for Dossier {
    fn from(view: DossierView) -> Self {
        let DossierView { caller, calls, turns, bookings, messages, .. } = view;
        Self { caller, calls, turns, bookings, messages }
    }
}

/// What was erased, and what could not be reached.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ErasedView {
    /// True.
    pub success: Success,
    /// Calls without their number and words; they still count.
    pub calls: u64,
    /// Turns without their words.
    pub turns: u64,
    /// Bookings taken out.
    pub bookings: u64,
    /// Messages taken out.
    pub messages: u64,
    /// What stands in the number's place.
    pub pseudonym: String,
    /// Recordings at a provider, to be deleted there.
    pub recordings: Vec<String>,
    /// Whether the database was written anew; otherwise copies may stay in its free space.
    pub scrubbed: bool,
}

impl From<Erased> for ErasedView {
    fn from(erased: Erased) -> Self {
        let Erasure { calls, turns, bookings, messages } = erased.erasure;
        Self {
            success: Success::default(),
            calls,
            turns,
            bookings,
            messages,
            pseudonym: erased.pseudonym,
            recordings: erased.recordings,
            scrubbed: erased.scrubbed,
        }
    }
}

impl From<ErasedView> for Erased {
    fn from(view: ErasedView) -> Self {
        let ErasedView {
            calls, turns, bookings, messages, pseudonym, recordings, scrubbed, ..
        } = view;
        let erasure = Erasure { calls, turns, bookings, messages };
        Self { erasure, pseudonym, recordings, scrubbed }
    }
}
