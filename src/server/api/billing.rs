//! `/api/voice/billing`.

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{auth::Asker, extract::Body, failure::Answer, parameters::Params};
use crate::{
    api::{CloseInput, Margins, MonthClosed, Previews, Success},
    domain::Month,
    operations::billing,
};

/// Whose month.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Wanted {
    /// The month, such as `2026-11`.
    month: Month,
    /// Of one client, by the name that assistants' files give.
    #[serde(default)]
    client: Option<String>,
}

/// Which month.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct OfMonth {
    /// The month, such as `2026-11`.
    month: Month,
}

pub(super) async fn preview(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<Previews> {
    let catalogue = asker.catalogue();
    let previews = asker
        .ask(move |store, actor, now| {
            let client = wanted.client.as_deref();
            billing::preview(store, actor, &catalogue, wanted.month, client, now)
        })
        .await?;
    Ok(Json(Previews { success: Success::default(), previews }))
}

pub(super) async fn close(asker: Asker, Body(input): Body<CloseInput>) -> Answer<MonthClosed> {
    let catalogue = asker.catalogue();
    let closed = asker
        .ask(move |store, actor, now| {
            billing::close(store, actor, catalogue, input.month, input.client, now)
        })
        .await?;
    Ok(Json(MonthClosed { success: Success::default(), closed }))
}

pub(super) async fn margin(asker: Asker, Params(wanted): Params<OfMonth>) -> Answer<Margins> {
    let catalogue = asker.catalogue();
    let margins = asker
        .ask(move |store, actor, now| billing::margins(store, actor, &catalogue, wanted.month, now))
        .await?;
    Ok(Json(Margins { success: Success::default(), margins }))
}
