//! What is kept of one caller, and what was forgotten.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Success;
use crate::operations::privacy::{Dossier, Erased, Erasure};

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
