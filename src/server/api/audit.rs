//! `/api/voice/audit`.

use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    failure::Answer,
    parameters::{Cursor, Params, page, within},
};
use crate::{
    api::{AuditCheckView, AuditLog, Moment, Success},
    operations::audit,
};

/// Which lines.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Window {
    /// At or after.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Before.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// At most so many: 100 when left out, 10,000 at most.
    #[schemars(range(min = 1, max = 10_000))]
    limit: Option<u64>,
    /// Go on after a page: what it answered as `next`.
    cursor: Option<Cursor>,
}

pub(super) async fn list(asker: Asker, Params(window): Params<Window>) -> Answer<AuditLog> {
    let limit = within("limit", window.limit.unwrap_or(100), &(1..=10_000))?;
    let entries = asker
        .ask(move |store, actor, _| {
            let before = window.cursor.map(|cursor| cursor.0);
            audit::list(store, actor, window.since, window.until, before, Some(limit + 1))
        })
        .await?;
    let (entries, next) = page(entries, limit, |entry| entry.id);
    let entries = entries.into_iter().map(Into::into).collect();
    Ok(Json(AuditLog { success: Success::default(), entries, next }))
}

/// What was kept elsewhere.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Head {
    /// The `head` of an earlier check, which must still be in the log.
    head: Option<String>,
}

pub(super) async fn check(asker: Asker, Params(kept): Params<Head>) -> Answer<AuditCheckView> {
    let (check, holds_head) =
        asker.ask(move |store, actor, _| audit::check(store, actor, kept.head.as_deref())).await?;
    Ok(Json(AuditCheckView { holds_head, ..check.into() }))
}
