//! `/api/voice/privacy`.

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{auth::Asker, extract::Body, failure::Answer};
use crate::{
    api::{DossierView, ErasedView, Removals, Success},
    operations::{privacy, removals},
};

/// Who called. In the body: an address ends up in the logs of proxies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallerInput {
    /// The number, in any usual spelling.
    caller: String,
}

pub(super) async fn export(asker: Asker, Body(input): Body<CallerInput>) -> Answer<DossierView> {
    let dossier =
        asker.ask(move |store, actor, _| privacy::export(store, actor, &input.caller)).await?;
    Ok(Json(dossier.into()))
}

pub(super) async fn erase(asker: Asker, Body(input): Body<CallerInput>) -> Answer<ErasedView> {
    let erased = asker
        .ask(move |store, actor, now| privacy::erase(store, actor, &input.caller, now))
        .await?;
    Ok(Json(erased.into()))
}

pub(super) async fn removals(asker: Asker) -> Answer<Removals> {
    let removals = asker.ask(|store, actor, _| removals::list(store, actor)).await?;
    let removals = removals.into_iter().map(Into::into).collect();
    Ok(Json(Removals { success: Success::default(), removals }))
}
