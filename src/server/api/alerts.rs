//! `/api/voice/alerts`.

use axum::{Json, extract::State};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    assistants,
    auth::Asker,
    extract::{At, Body},
    failure::{Answer, Failure},
    parameters::{Cursor, Params, within},
};
use crate::{
    api::{
        AlertRules, AlertTests, AlertView, Alerts, Done, OneAlert, OneSilence, SilenceInput,
        SilenceView, Success, TestInput,
    },
    domain::{Actor, AlertFilter, AlertId, Assistant, Error, Kind, Result},
    operations::{alerts, assistants as known},
    server::{App, bells},
    store::Store,
};

/// Which alerts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// Also those that are over.
    all: Option<bool>,
    /// At most so many: 50 when left out, 1000 at most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u64>,
    /// Go on after a page: what it answered as `next`.
    cursor: Option<Cursor>,
}

pub(super) async fn list(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<Alerts> {
    let limit = within("limit", wanted.limit.unwrap_or(50), &(1..=1_000))?;
    let page = asker
        .ask(move |store, actor, now| {
            let filter = AlertFilter {
                assistant: assistants::named(store, actor, wanted.assistant_id.as_ref())?,
                all: wanted.all.unwrap_or(false),
                older_than: wanted.cursor.map(|cursor| AlertId(cursor.0)),
                limit: Some(limit),
            };
            alerts::list(store, actor, &filter, now)
        })
        .await?;
    Ok(Json(page.into()))
}

/// An alert, by number.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Numbered {
    id: i64,
}

pub(super) async fn show(asker: Asker, At(numbered): At<Numbered>) -> Answer<OneAlert> {
    let id = AlertId(numbered.id);
    let alert = asker.ask(move |store, actor, now| alerts::show(store, actor, id, now)).await?;
    Ok(Json(OneAlert { success: Success::default(), alert: AlertView::from(alert) }))
}

pub(super) async fn ack(asker: Asker, At(numbered): At<Numbered>) -> Answer<OneAlert> {
    let id = AlertId(numbered.id);
    let alert = asker.ask(move |store, actor, now| alerts::ack(store, actor, id, now)).await?;
    Ok(Json(OneAlert { success: Success::default(), alert: AlertView::from(alert) }))
}

/// Of which assistant.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Whose {
    /// Its id or its name.
    assistant_id: Option<String>,
}

fn named(store: &Store, actor: &Actor, name: Option<&String>) -> Result<Option<Assistant>> {
    name.map(|name| known::find(store, actor, name)).transpose()
}

pub(super) async fn rules(
    State(app): State<App>,
    asker: Asker,
    Params(whose): Params<Whose>,
) -> Answer<AlertRules> {
    let watch = app.watch.clone().unwrap_or_default();
    let answer = asker
        .ask(move |store, actor, now| {
            let assistant = named(store, actor, whose.assistant_id.as_ref())?;
            let rules = alerts::list_rules(store, &watch, actor, assistant.as_ref())?;
            let silences = alerts::silences(store, actor, now)?;
            Ok(AlertRules::of(rules, silences))
        })
        .await?;
    Ok(Json(answer))
}

pub(super) async fn silence(
    State(app): State<App>,
    asker: Asker,
    Body(input): Body<SilenceInput>,
) -> Answer<OneSilence> {
    let watch = app.watch.clone().unwrap_or_default();
    let silence = asker
        .ask(move |store, actor, now| {
            let assistant = named(store, actor, input.assistant_id.as_ref())?;
            let length =
                SignedDuration::try_from(input.length.get()).unwrap_or(SignedDuration::MAX);
            let (rule, assistant) = (&input.rule, assistant.as_ref());
            alerts::silence(store, &watch, actor, rule, assistant, length, now)
        })
        .await?;
    Ok(Json(OneSilence { success: Success::default(), silence: SilenceView::from(silence) }))
}

/// A rule, by name.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    rule: String,
}

pub(super) async fn end_silence(
    asker: Asker,
    At(one): At<Named>,
    Params(whose): Params<Whose>,
) -> Answer<Done> {
    asker
        .ask(move |store, actor, now| {
            let assistant = named(store, actor, whose.assistant_id.as_ref())?;
            alerts::end_silence(store, actor, &one.rule, assistant.as_ref(), now)
        })
        .await?;
    Ok(Json(Done::default()))
}

pub(super) async fn test(
    State(app): State<App>,
    asker: Asker,
    Body(input): Body<TestInput>,
) -> Result<Json<AlertTests>, Failure> {
    alerts::may_test(&asker.actor)?;
    let watch = app.watch.clone().unwrap_or_default();
    let bells = app
        .bells()
        .ok_or_else(|| Error::new(Kind::Unavailable, "this daemon tells nobody of alerts"))?;
    let tests = bells::test(&bells, &watch, &input.to, Timestamp::now()).await?;
    Ok(Json(AlertTests { success: Success::default(), tests }))
}
