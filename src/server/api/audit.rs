//! `/api/voice/audit`.

use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    extract::{Answer, Params},
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
}

pub(super) async fn list(asker: Asker, Params(window): Params<Window>) -> Answer<AuditLog> {
    let most = window.limit.unwrap_or(100).clamp(1, 10_000);
    let entries = asker
        .ask(move |store, actor, _| {
            audit::list(store, actor, window.since, window.until, Some(most))
        })
        .await?;
    let entries = entries.into_iter().map(Into::into).collect();
    Ok(Json(AuditLog { success: Success::default(), entries }))
}

pub(super) async fn check(asker: Asker) -> Answer<AuditCheckView> {
    let check = asker.ask(|store, actor, _| audit::check(store, actor)).await?;
    Ok(Json(check.into()))
}
