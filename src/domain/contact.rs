//! Contacts: who called, one a number and owner.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::row_number::row_number;
use super::{Error, LanguageTag, PhoneNumber, RecordingConsent, UserId};

row_number!(
    /// The row number of a contact.
    ContactId
);

/// A caller, as far as the owner of the assistants that were called may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its row.
    pub id: ContactId,
    /// Whose assistants were called; the agency's own otherwise.
    pub owner: Option<UserId>,
    /// Who called.
    pub number: PhoneNumber,
    /// As given in a booking or a message, or written by hand.
    pub name: Option<String>,
    /// Spoken in the last call, or written by hand.
    pub language: LanguageTag,
    /// What a person wrote about the caller.
    pub notes: Option<String>,
    /// What was said to being recorded, the last time that it was asked.
    pub recording_consent: Option<RecordingConsent>,
    /// When the first call began.
    pub first_call_at: Timestamp,
    /// When the last call began.
    pub last_call_at: Timestamp,
    /// How many there were.
    pub calls: u64,
}

/// Which contacts. Everything given must hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct ContactFilter {
    /// Called at or after.
    pub since: Option<Timestamp>,
    /// Called last before.
    pub until: Option<Timestamp>,
    /// At most this many; `None` is all.
    pub limit: Option<u64>,
}

/// What is changed of a contact by hand: what is left out stays, and an empty text takes out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContactChange {
    /// The name; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    pub name: Option<String>,
    /// Notes; empty for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2000))]
    pub notes: Option<String>,
    /// The language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageTag>,
}

impl ContactChange {
    /// Refuses what is too long.
    pub fn check(&self) -> Result<(), Error> {
        for (field, text, most) in [("name", &self.name, 200), ("notes", &self.notes, 2_000)] {
            if text.as_ref().is_some_and(|text| text.chars().count() > most) {
                return Err(Error::input(format!("`{field}` is longer than {most} characters")));
            }
        }
        Ok(())
    }
}
