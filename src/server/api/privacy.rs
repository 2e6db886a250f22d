//! `/api/voice/privacy`.

use axum::Json;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{auth::Asker, extract::Body, failure::Answer};
use crate::{
    api::{DossierView, ErasedView, Removals, Success},
    domain::{CallSid, Error},
    operations::{
        privacy::{self, Whose},
        removals,
    },
};

/// Whose data; one of the two. In the body: an address ends up in the logs of proxies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallerInput {
    /// The caller's number, in any usual spelling.
    caller: Option<String>,
    /// A call, for callers who withheld their number.
    call_sid: Option<CallSid>,
}

impl CallerInput {
    fn whose(self) -> Result<Whose, Error> {
        match (self.caller, self.call_sid) {
            (Some(caller), None) => Ok(Whose::Caller(caller)),
            (None, Some(sid)) => Ok(Whose::Call(sid)),
            _ => Err(Error::input("give either `caller` or `call_sid`")),
        }
    }
}

pub(super) async fn export(asker: Asker, Body(input): Body<CallerInput>) -> Answer<DossierView> {
    let dossier = asker
        .ask(move |store, actor, now| privacy::export(store, actor, &input.whose()?, now))
        .await?;
    Ok(Json(dossier.into()))
}

pub(super) async fn erase(asker: Asker, Body(input): Body<CallerInput>) -> Answer<ErasedView> {
    let erased = asker
        .ask(move |store, actor, now| privacy::erase(store, actor, &input.whose()?, now))
        .await?;
    Ok(Json(erased.into()))
}

pub(super) async fn removals(asker: Asker) -> Answer<Removals> {
    let removals = asker.ask(|store, actor, _| removals::list(store, actor)).await?;
    let removals = removals.into_iter().map(Into::into).collect();
    Ok(Json(Removals { success: Success::default(), removals }))
}
