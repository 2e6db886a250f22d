//! Users and their tokens.

use jiff::Timestamp;

use super::{EmailAddress, Role, Scope, row_number::row_number};

row_number!(
    /// The row number of a user.
    UserId
);

row_number!(
    /// The row number of a token.
    TokenId
);

/// An account of webox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Row number.
    pub id: UserId,
    /// What the user is called.
    pub email: EmailAddress,
    /// What the user may do.
    pub role: Role,
    /// Since when.
    pub created_at: Timestamp,
    /// Since when none of the user's tokens is accepted, if so.
    pub disabled_at: Option<Timestamp>,
    /// Assistants that belong to the user.
    pub assistants: u64,
    /// Tokens that are accepted now, unless the user is disabled.
    pub tokens: u64,
}

/// A user's key to the API, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Row number.
    pub id: TokenId,
    /// Whose.
    pub user: UserId,
    /// Whose, by address.
    pub email: EmailAddress,
    /// What for.
    pub name: String,
    /// The beginning of the key, which is no secret.
    pub lookup: String,
    /// How far it reaches.
    pub scope: Scope,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when; without end otherwise.
    pub expires_at: Option<Timestamp>,
    /// Since when it is not accepted, if so.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}
