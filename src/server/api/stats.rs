//! `/api/voice/stats`.

use axum::Json;
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{assistants, auth::Asker, failure::Answer, parameters::Params};
use crate::{
    api::{Moment, Statistics},
    domain::{StatsBy, ZoneName},
    operations::stats,
};

/// Which statistics.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Statistic {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// Calls that started at or after.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Calls that started before.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// In groups.
    by: Option<Group>,
    /// Whose days: UTC when left out.
    timezone: Option<ZoneName>,
}

/// How to group.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Group {
    /// By day.
    Day,
    /// By assistant.
    Assistant,
    /// By status.
    Status,
}

pub(super) async fn stats(asker: Asker, Params(wanted): Params<Statistic>) -> Answer<Statistics> {
    let stats = asker
        .ask(move |store, actor, _| {
            let id = assistants::named(store, actor, wanted.assistant_id.as_ref())?;
            let by = wanted.by.map(|group| match group {
                Group::Day => StatsBy::Day,
                Group::Assistant => StatsBy::Assistant,
                Group::Status => StatsBy::Status,
            });
            let zone = wanted.timezone.as_ref().map_or(TimeZone::UTC, ZoneName::zone);
            stats::overview(store, actor, wanted.since, wanted.until, id, by, &zone)
        })
        .await?;
    Ok(Json(Statistics::from(&stats)))
}
