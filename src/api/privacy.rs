//! What is kept of one caller, and what was forgotten.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use jiff::Timestamp;

use super::{Moment, Success};
use crate::{
    domain::{CallSid, Removal, RemovalId},
    operations::privacy::{Dossier, Erased, Erasure},
};

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
    /// What others were told of it.
    #[serde(default)]
    pub deliveries: Vec<Value>,
    /// Who it is.
    #[serde(default)]
    pub contacts: Vec<Value>,
    /// What calls to them were asked for.
    #[serde(default)]
    pub outbound_calls: Vec<Value>,
    /// Which campaigns they are in.
    #[serde(default)]
    pub campaign_rows: Vec<Value>,
    /// Whether they are not to be called: this stays when the rest is forgotten.
    #[serde(default)]
    pub do_not_call: Vec<Value>,
}

impl From<Dossier> for DossierView {
    fn from(dossier: Dossier) -> Self {
        Self {
            success: Success::default(),
            caller: dossier.caller,
            calls: dossier.calls,
            turns: dossier.turns,
            bookings: dossier.bookings,
            messages: dossier.messages,
            deliveries: dossier.deliveries,
            contacts: dossier.contacts,
            outbound_calls: dossier.outbound_calls,
            campaign_rows: dossier.campaign_rows,
            do_not_call: dossier.do_not_call,
        }
    }
}

impl From<DossierView> for Dossier {
    fn from(view: DossierView) -> Self {
        Self {
            caller: view.caller,
            calls: view.calls,
            turns: view.turns,
            bookings: view.bookings,
            messages: view.messages,
            deliveries: view.deliveries,
            contacts: view.contacts,
            outbound_calls: view.outbound_calls,
            campaign_rows: view.campaign_rows,
            do_not_call: view.do_not_call,
        }
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
    /// Deliveries to others whose content was taken out; what they were sent before is theirs.
    #[serde(default)]
    pub deliveries: u64,
    /// Contacts taken out.
    #[serde(default)]
    pub contacts: u64,
    /// What stands in the number's place.
    pub pseudonym: String,
    /// How many records and recordings Twilio is asked to remove.
    pub removals: u64,
    /// Recordings that are not at Twilio, to be deleted where they are.
    pub recordings: Vec<String>,
    /// Whether the database was written anew; otherwise copies may stay in its free space.
    pub scrubbed: bool,
}

impl From<Erased> for ErasedView {
    fn from(erased: Erased) -> Self {
        let Erasure { calls, turns, bookings, messages, deliveries, contacts } = erased.erasure;
        Self {
            success: Success::default(),
            calls,
            turns,
            bookings,
            messages,
            deliveries,
            contacts,
            pseudonym: erased.pseudonym,
            removals: erased.removals,
            recordings: erased.recordings,
            scrubbed: erased.scrubbed,
        }
    }
}

impl From<ErasedView> for Erased {
    fn from(view: ErasedView) -> Self {
        let ErasedView {
            calls,
            turns,
            bookings,
            messages,
            deliveries,
            contacts,
            pseudonym,
            removals,
            recordings,
            scrubbed,
            ..
        } = view;
        let erasure = Erasure { calls, turns, bookings, messages, deliveries, contacts };
        Self { erasure, pseudonym, removals, recordings, scrubbed }
    }
}

/// Something that Twilio has still to remove.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Removal")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct RemovalView {
    pub id: RemovalId,
    pub call_sid: CallSid,
    /// `recording`, `call-record`, or `live-recording`: one that is to stop.
    pub what: String,
    pub recording_sid: Option<String>,
    #[schemars(with = "Moment")]
    pub asked_at: Timestamp,
    /// When Twilio is asked next.
    #[schemars(with = "Moment")]
    pub due_at: Timestamp,
    /// How often it was asked.
    pub attempts: u32,
    /// Why it has not done it yet.
    pub failure: Option<String>,
}

impl From<Removal> for RemovalView {
    fn from(removal: Removal) -> Self {
        Self {
            id: removal.id,
            call_sid: removal.call,
            what: removal.what.as_str().to_owned(),
            recording_sid: removal.what.recording().map(|kept| kept.sid.to_string()),
            asked_at: removal.asked_at,
            due_at: removal.due_at,
            attempts: removal.attempts,
            failure: removal.failure,
        }
    }
}

/// What Twilio has still to remove, oldest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Removals {
    /// True.
    pub success: Success,
    /// The removals.
    pub removals: Vec<RemovalView>,
}
