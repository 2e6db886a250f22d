//! `/api/voice/calls`, `/stats` and `/bookings`.

use axum::Json;
use jiff::{Timestamp, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    extract::{Answer, At, Params},
};
use crate::{
    api::{BookingView, Bookings, CallView, Calls, Moment, OneCall, Statistics, Success},
    domain::{AssistantId, CallFilter, CallId, CallStatus, Error, Result, StatsBy, ZoneName},
    operations::{assistants, bookings, calls, privacy, stats},
    store::Store,
};

/// The prototype's default.
const PAGE: u64 = 50;

/// The most in one answer.
const LARGEST: u64 = 1_000;

/// Which calls.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// Started at or after.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Started before.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// Standing so.
    status: Option<CallStatus>,
    /// From this number, in any usual spelling.
    from: Option<String>,
    /// At most so many: 50 when left out, 1000 at most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u64>,
    /// Skip so many of the newest. A `cursor` goes further at less cost.
    #[schemars(range(min = 0, max = 1_000_000))]
    offset: u64,
    /// Go on after a page: what it answered as `next`.
    cursor: Option<String>,
    /// Stored after this call, oldest first: what has come since.
    after: Option<i64>,
}

fn assistant(
    store: &Store,
    actor: &crate::domain::Actor,
    named: Option<&String>,
) -> Result<Option<AssistantId>> {
    named.map(|name| Ok(assistants::find(store, actor, name)?.id)).transpose()
}

/// Where a page ends: the start of its last call, in milliseconds, and the call's row.
fn read_cursor(text: &str) -> Result<(Timestamp, CallId)> {
    let parts = text.split_once('-').and_then(|(ms, id)| {
        let at = Timestamp::from_millisecond(ms.parse().ok()?).ok()?;
        Some((at, CallId(id.parse().ok()?)))
    });
    parts.ok_or_else(|| {
        Error::input("the `cursor` is none").hint("send back what a page answered as `next`")
    })
}

pub(super) async fn list(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<Calls> {
    let limit = wanted.limit.unwrap_or(PAGE).clamp(1, LARGEST);
    let page = asker
        .ask(move |store, actor, _| {
            let filter = CallFilter {
                since: wanted.since,
                until: wanted.until,
                assistant: assistant(store, actor, wanted.assistant_id.as_ref())?,
                status: wanted.status,
                caller: wanted.from.as_deref().map(privacy::stored_caller).transpose()?,
                older_than: wanted.cursor.as_deref().map(read_cursor).transpose()?,
                limit: Some(limit),
                offset: wanted.offset.min(i64::MAX as u64),
            };
            match wanted.after {
                None => calls::list(store, actor, &filter),
                Some(last) => {
                    let mut calls = calls::after(store, actor, CallId(last), &filter)?;
                    calls.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
                    Ok(crate::domain::CallPage { total: calls.len() as u64, calls })
                }
            }
        })
        .await?;
    let full = page.calls.len() as u64 == limit;
    let next = page.calls.last().filter(|_| full);
    let next = next.map(|call| format!("{}-{}", call.started_at.as_millisecond(), call.id.0));
    let calls = page.calls.iter().map(CallView::from).collect();
    Ok(Json(Calls { success: Success::default(), calls, total: page.total, next }))
}

/// A call, by SID.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its SID, or the beginning of only one.
    sid: String,
}

pub(super) async fn show(asker: Asker, At(named): At<Named>) -> Answer<OneCall> {
    let whole = asker
        .ask(move |store, actor, _| {
            let sid = calls::resolve(store, actor, &named.sid)?;
            calls::whole(store, actor, &sid)
        })
        .await?;
    Ok(Json(OneCall::from(&whole)))
}

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
            let id = assistant(store, actor, wanted.assistant_id.as_ref())?;
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

/// Whose bookings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Booked {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
}

pub(super) async fn bookings(asker: Asker, Params(wanted): Params<Booked>) -> Answer<Bookings> {
    let bookings = asker
        .ask(move |store, actor, _| {
            let id = assistant(store, actor, wanted.assistant_id.as_ref())?;
            bookings::list(store, actor, id)
        })
        .await?;
    let bookings = bookings.iter().map(BookingView::from).collect();
    Ok(Json(Bookings { success: Success::default(), bookings }))
}
