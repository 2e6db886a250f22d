//! Contacts: who called.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::domain::{Contact, ContactId, LanguageTag, PhoneNumber, RecordingConsent, UserId};

/// A caller, one a number and owner of the assistants called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Contact")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct ContactView {
    pub id: ContactId,
    /// Whose assistants were called; null for the agency's own.
    pub owner_id: Option<UserId>,
    pub number: PhoneNumber,
    /// As given in a booking or a message, or written by hand.
    pub name: Option<String>,
    /// Spoken in the last call, or written by hand.
    pub language: LanguageTag,
    /// Written by hand.
    pub notes: Option<String>,
    /// What was said to being recorded, the last time that it was asked.
    pub recording_consent: Option<RecordingConsent>,
    #[schemars(with = "Moment")]
    pub first_call_at: Timestamp,
    #[schemars(with = "Moment")]
    pub last_call_at: Timestamp,
    pub calls: u64,
}

impl From<&Contact> for ContactView {
    fn from(contact: &Contact) -> Self {
        Self {
            id: contact.id,
            owner_id: contact.owner,
            number: contact.number.clone(),
            name: contact.name.clone(),
            language: contact.language.clone(),
            notes: contact.notes.clone(),
            recording_consent: contact.recording_consent,
            first_call_at: contact.first_call_at,
            last_call_at: contact.last_call_at,
            calls: contact.calls,
        }
    }
}

impl From<ContactView> for Contact {
    fn from(view: ContactView) -> Self {
        Self {
            id: view.id,
            owner: view.owner_id,
            number: view.number,
            name: view.name,
            language: view.language,
            notes: view.notes,
            recording_consent: view.recording_consent,
            first_call_at: view.first_call_at,
            last_call_at: view.last_call_at,
            calls: view.calls,
        }
    }
}

/// One contact.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneContact {
    /// True.
    pub success: Success,
    /// The contact.
    pub contact: ContactView,
}

impl From<&Contact> for OneContact {
    fn from(contact: &Contact) -> Self {
        Self { success: Success::default(), contact: contact.into() }
    }
}

/// Contacts, those who called last first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Contacts {
    /// True.
    pub success: Success,
    /// The contacts.
    pub contacts: Vec<ContactView>,
}
