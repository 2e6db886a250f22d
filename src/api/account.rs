//! Users, tokens, secrets, and the audit log.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Moment, Success};
use crate::{
    domain::{Author, EmailAddress, Role, Scope, Token, TokenId, User, UserId},
    operations::{audit, secrets::Kept},
};

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

/// A line of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AuditEntry")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct AuditEntryView {
    pub id: i64,
    #[schemars(with = "Moment")]
    pub at: Timestamp,
    /// Who, from where, by what.
    pub author: Author,
    pub action: String,
    pub target: String,
    pub before: Value,
    pub after: Value,
    /// Over this line and the hash of the one before it.
    pub hash: String,
}

impl From<audit::Entry> for AuditEntryView {
    fn from(entry: audit::Entry) -> Self {
        let audit::Entry { id, at, author, action, target, before, after, hash } = entry;
        Self { id, at, author, action, target, before, after, hash }
    }
}

impl From<AuditEntryView> for audit::Entry {
    fn from(view: AuditEntryView) -> Self {
        let AuditEntryView { id, at, author, action, target, before, after, hash } = view;
        Self { id, at, author, action, target, before, after, hash }
    }
}

/// Lines of the audit log, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AuditLog {
    /// True.
    pub success: Success,
    /// The lines.
    pub entries: Vec<AuditEntryView>,
}

/// What a check of the whole audit log found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AuditCheckView {
    /// True; what was found is in the other fields.
    pub success: Success,
    /// Lines.
    pub lines: u64,
    /// The hash of the last one.
    pub head: Option<String>,
    /// The first line that is not as it was written, if any.
    pub broken_at: Option<i64>,
}

impl From<audit::Check> for AuditCheckView {
    fn from(check: audit::Check) -> Self {
        let audit::Check { lines, head, broken_at } = check;
        Self { success: Success::default(), lines, head, broken_at }
    }
}

impl From<AuditCheckView> for audit::Check {
    fn from(view: AuditCheckView) -> Self {
        Self { lines: view.lines, head: view.head, broken_at: view.broken_at }
    }
}
