//! `/api/voice/providers`.

use axum::{Json, extract::State};

use super::{auth::Asker, failure::Answer};
use crate::{
    api::Providers,
    operations::providers::{self, Known},
    server::App,
};

pub(super) async fn standing(State(app): State<App>, asker: Asker) -> Answer<Providers> {
    let voices = app.line.voices();
    let known = Known {
        breakers: voices.map(crate::line::Voices::breakers).unwrap_or_default(),
        sounds: voices.and_then(crate::line::Voices::figures),
    };
    let overview = providers::overview(&asker.actor, &app.providers, Some(known))?;
    Ok(Json(overview.into()))
}
