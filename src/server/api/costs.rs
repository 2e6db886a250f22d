//! `/api/voice/costs`.

use axum::Json;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{assistants, auth::Asker, failure::Answer, parameters::Params};
use crate::{
    api::{CostsAnswer, Moment},
    domain::CostsBy,
    operations::ledger,
};

/// Which costs: whole UTC days.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Wanted {
    /// Of one assistant: its id or its name.
    assistant_id: Option<String>,
    /// From the UTC day of this moment on.
    #[schemars(with = "Option<Moment>")]
    since: Option<Timestamp>,
    /// Before this moment; the UTC day that it is in counts whole.
    #[schemars(with = "Option<Moment>")]
    until: Option<Timestamp>,
    /// In groups.
    by: Option<Group>,
}

/// How to group.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Group {
    /// By provider.
    Provider,
    /// By product of a provider.
    Product,
    /// By model: tokens only.
    Model,
    /// By what is counted.
    Unit,
    /// By assistant.
    Assistant,
    /// By client.
    Client,
    /// By UTC day.
    Day,
}

pub(super) async fn costs(asker: Asker, Params(wanted): Params<Wanted>) -> Answer<CostsAnswer> {
    let costs = asker
        .ask(move |store, actor, _| {
            let id = assistants::named(store, actor, wanted.assistant_id.as_ref())?;
            let by = wanted.by.map(|group| match group {
                Group::Provider => CostsBy::Provider,
                Group::Product => CostsBy::Product,
                Group::Model => CostsBy::Model,
                Group::Unit => CostsBy::Unit,
                Group::Assistant => CostsBy::Assistant,
                Group::Client => CostsBy::Client,
                Group::Day => CostsBy::Day,
            });
            ledger::costs(store, actor, wanted.since, wanted.until, id, by)
        })
        .await?;
    Ok(Json(CostsAnswer::from(&costs)))
}
