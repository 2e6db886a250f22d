//! Secrets: their names, never their values.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::{domain::EmailAddress, operations::secrets::Kept};

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Secret")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct SecretView {
    pub name: String,
    /// Whose assistants may use it; the agency's own otherwise.
    pub user: Option<EmailAddress>,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
    #[schemars(with = "Moment")]
    pub updated_at: Timestamp,
    /// Which master key it needs.
    pub key_id: String,
}

impl From<Kept> for SecretView {
    fn from(kept: Kept) -> Self {
        let Kept { name, user, created_at, updated_at, key_id } = kept;
        Self { name, user, created_at, updated_at, key_id }
    }
}

impl From<SecretView> for Kept {
    fn from(view: SecretView) -> Self {
        let SecretView { name, user, created_at, updated_at, key_id } = view;
        Self { name, user, created_at, updated_at, key_id }
    }
}

/// Secrets, by name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Secrets {
    /// True.
    pub success: Success,
    /// The secrets.
    pub secrets: Vec<SecretView>,
}
