//! `/api/voice/assistants/{id}/knowledge`: documents, and what is found in them.

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{auth::Asker, extract::At, failure::Answer, parameters::Params};
use crate::{
    api::{Documents, Passages, Success},
    domain::Error,
    operations::knowledge,
};

/// The longest question, in characters.
const LONGEST: usize = 1_000;

/// An assistant, by id or by name.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its id or its name.
    id: String,
}

/// How much of the documents.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// With their texts.
    texts: bool,
}

/// What is looked for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct Looked {
    /// What a caller would say: at most 1000 characters.
    #[schemars(length(min = 1, max = 1000))]
    q: String,
}

pub(super) async fn documents(
    asker: Asker,
    At(named): At<Named>,
    Params(wanted): Params<Wanted>,
) -> Answer<Documents> {
    let documents = asker
        .ask(move |store, actor, _| knowledge::documents(store, actor, &named.id, wanted.texts))
        .await?;
    Ok(Json(Documents { success: Success::default(), documents }))
}

pub(super) async fn search(
    asker: Asker,
    At(named): At<Named>,
    Params(looked): Params<Looked>,
) -> Answer<Passages> {
    if looked.q.trim().is_empty() || looked.q.chars().count() > LONGEST {
        return Err(Error::input("`q` is what a caller would say, in 1 to 1000 characters").into());
    }
    let (store, library) = asker.library();
    let passages =
        knowledge::search(store, library, &asker.actor, &named.id, &looked.q, asker.now).await?;
    Ok(Json(Passages { success: Success::default(), passages }))
}
