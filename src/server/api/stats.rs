//! `/api/voice/stats`.

use axum::Json;
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{assistants, auth::Asker, failure::Answer, parameters::Params};
use crate::{
    api::{Latencies, Moment, Statistics, Success},
    domain::{LatencyBy, StatsBy, ZoneName},
    operations::{latency, stats},
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
    /// Whose days and hours: UTC when left out.
    timezone: Option<ZoneName>,
    /// With what the calls show: outcomes, hours of the week, days, shares, costs, waits.
    details: bool,
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
    /// By what came of it; `unknown` for calls that go on, and those from elsewhere.
    Outcome,
    /// By hour of the day.
    Hour,
    /// By weekday.
    Weekday,
    /// By the language of the call.
    Language,
    /// By what calls were about, in a model's words.
    Topic,
}

/// Which waits.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Waits {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// Calls that started at or after.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Calls that started before.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// In groups.
    by: Option<LatencyBy>,
}

pub(super) async fn latency(asker: Asker, Params(wanted): Params<Waits>) -> Answer<Latencies> {
    let rows = asker
        .ask(move |store, actor, _| {
            let id = assistants::named(store, actor, wanted.assistant_id.as_ref())?;
            latency::latencies(store, actor, wanted.since, wanted.until, id, wanted.by)
        })
        .await?;
    Ok(Json(Latencies { success: Success::default(), rows }))
}

pub(super) async fn stats(asker: Asker, Params(wanted): Params<Statistic>) -> Answer<Statistics> {
    let stats = asker
        .ask(move |store, actor, _| {
            let id = assistants::named(store, actor, wanted.assistant_id.as_ref())?;
            let by = wanted.by.map(|group| match group {
                Group::Day => StatsBy::Day,
                Group::Assistant => StatsBy::Assistant,
                Group::Status => StatsBy::Status,
                Group::Outcome => StatsBy::Outcome,
                Group::Hour => StatsBy::Hour,
                Group::Weekday => StatsBy::Weekday,
                Group::Language => StatsBy::Language,
                Group::Topic => StatsBy::Topic,
            });
            let zone = wanted.timezone.as_ref().map_or(TimeZone::UTC, ZoneName::zone);
            let (since, until, details) = (wanted.since, wanted.until, wanted.details);
            let wanted = stats::Wanted { since, until, assistant: id, by, details, zone };
            stats::overview(store, actor, wanted)
        })
        .await?;
    Ok(Json(Statistics::from(&stats)))
}
