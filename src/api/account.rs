//! Users and their tokens.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Moment, Success};
use crate::domain::{Account, EmailAddress, Role, Scope, Token, TokenId, User, UserId};

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "User")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct UserView {
    pub id: UserId,
    pub email: EmailAddress,
    pub role: Role,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
    /// Since when none of the user's tokens is accepted, if so.
    #[schemars(with = "Option<Moment>")]
    pub disabled_at: Option<Timestamp>,
    /// Assistants that belong to the user.
    pub assistants: u64,
    /// Tokens that are accepted now.
    pub tokens: u64,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        let User { id, email, role, created_at, disabled_at, assistants, tokens } = user;
        Self { id, email, role, created_at, disabled_at, assistants, tokens }
    }
}

impl From<UserView> for User {
    fn from(view: UserView) -> Self {
        let UserView { id, email, role, created_at, disabled_at, assistants, tokens } = view;
        Self { id, email, role, created_at, disabled_at, assistants, tokens }
    }
}

/// All users, by address.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Users {
    /// True.
    pub success: Success,
    /// The users.
    pub users: Vec<UserView>,
}

/// One user.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct OneUser {
    /// True.
    pub success: Success,
    /// As it is now.
    pub user: UserView,
}

/// Who is asking.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Me {
    /// True.
    pub success: Success,
    /// The user.
    pub email: EmailAddress,
    /// What the user may do.
    pub role: Role,
    /// How far the token reaches.
    pub scope: Scope,
}

impl From<Account> for Me {
    fn from(account: Account) -> Self {
        let Account { email, role, scope, .. } = account;
        Self { success: Success::default(), email, role, scope }
    }
}

/// A token, without its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Token")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct TokenView {
    pub id: TokenId,
    pub user_id: UserId,
    pub email: EmailAddress,
    pub name: String,
    /// The beginning of the key, which is no secret.
    pub key_begins: String,
    pub scope: Scope,
    #[schemars(with = "Moment")]
    pub created_at: Timestamp,
    #[schemars(with = "Option<Moment>")]
    pub expires_at: Option<Timestamp>,
    #[schemars(with = "Option<Moment>")]
    pub revoked_at: Option<Timestamp>,
    /// To the minute.
    #[schemars(with = "Option<Moment>")]
    pub last_used_at: Option<Timestamp>,
}

impl From<Token> for TokenView {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            user_id: token.user,
            email: token.email,
            name: token.name,
            key_begins: format!("webox_{}", token.lookup),
            scope: token.scope,
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
            last_used_at: token.last_used_at,
        }
    }
}

impl From<TokenView> for Token {
    fn from(view: TokenView) -> Self {
        Self {
            id: view.id,
            user: view.user_id,
            email: view.email,
            name: view.name,
            lookup: view.key_begins.trim_start_matches("webox_").to_owned(),
            scope: view.scope,
            created_at: view.created_at,
            expires_at: view.expires_at,
            revoked_at: view.revoked_at,
            last_used_at: view.last_used_at,
        }
    }
}

/// Tokens, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Tokens {
    /// True.
    pub success: Success,
    /// The tokens.
    pub tokens: Vec<TokenView>,
}

/// A new token. Its key is answered this once.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct TokenCreated {
    /// True.
    pub success: Success,
    /// The key.
    pub token: String,
    /// What is known of it from now on.
    pub details: TokenView,
}

/// A token that is not accepted any longer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TokenRevoked {
    /// True.
    pub success: Success,
    /// What is known of it.
    pub details: TokenView,
}
