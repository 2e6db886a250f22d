//! The audit log.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Moment, Success};
use crate::{domain::Author, operations::audit};

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
    /// What to send as `cursor` for the next page; null at the end.
    pub next: Option<String>,
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
    /// Whether the log holds the line with the hash that was asked for; null when none was.
    pub holds_head: Option<bool>,
}

impl From<audit::Check> for AuditCheckView {
    fn from(check: audit::Check) -> Self {
        let audit::Check { lines, head, broken_at } = check;
        Self { success: Success::default(), lines, head, broken_at, holds_head: None }
    }
}

impl From<AuditCheckView> for audit::Check {
    fn from(view: AuditCheckView) -> Self {
        Self { lines: view.lines, head: view.head, broken_at: view.broken_at }
    }
}
