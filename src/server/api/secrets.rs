//! `/api/voice/secrets`.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    accounts::Whose,
    auth::Asker,
    extract::{At, Body},
    failure::Answer,
    parameters::Params,
};
use crate::{
    api::{Done, Secrets, Success},
    domain::Secret,
    operations::secrets,
    server::App,
};

/// A secret, by name.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct SecretName {
    /// Its name.
    name: String,
}

/// The value of a secret. It is sealed at once, and never answered.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretInput {
    /// The value.
    value: String,
}

pub(super) async fn list(asker: Asker, Params(whose): Params<Whose>) -> Answer<Secrets> {
    let kept = asker
        .ask(move |store, actor, now| secrets::list(store, actor, whose.user.as_ref(), now))
        .await?;
    let secrets = kept.into_iter().map(Into::into).collect();
    Ok(Json(Secrets { success: Success::default(), secrets }))
}

pub(super) async fn set(
    State(app): State<App>,
    asker: Asker,
    At(named): At<SecretName>,
    Params(whose): Params<Whose>,
    Body(input): Body<SecretInput>,
) -> Answer<Done> {
    let (keeper, value) = (app.secrets.clone(), Secret::new(input.value));
    asker
        .ask(move |store, actor, now| {
            keeper.set(store, actor, whose.user.as_ref(), &named.name, &value, now)
        })
        .await?;
    Ok(Json(Done::default()))
}

pub(super) async fn delete(
    asker: Asker,
    At(named): At<SecretName>,
    Params(whose): Params<Whose>,
) -> Answer<Done> {
    asker
        .ask(move |store, actor, now| {
            secrets::delete(store, actor, whose.user.as_ref(), &named.name, now)
        })
        .await?;
    Ok(Json(Done::default()))
}
