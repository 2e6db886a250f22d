//! `/api/voice/assistants`.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    extract::{Answer, At, Body, Failure, IfMatch, Tagged},
};
use crate::{
    api::{
        AssistantInput, AssistantView, Assistants, Done, Owner, RollbackInput, Success, Versions,
    },
    domain::{Assistant, AssistantName, AssistantSpec, Error, Kind, Result, Secret, SecretRef},
    operations::{
        assistants, provisioning,
        secrets::{self, Secrets},
        stats,
    },
    server::App,
    store::Store,
};

/// An assistant, by id or by name.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its id or its name.
    id: String,
}

pub(super) async fn list(asker: Asker) -> Answer<Assistants> {
    let assistants = asker
        .ask(|store, actor, _| {
            let sums = stats::by_assistant(store, actor)?;
            let overviews = assistants::list(store, actor)?;
            Ok(overviews
                .iter()
                .map(|overview| {
                    let sums = sums.get(&overview.assistant.id).copied().unwrap_or_default();
                    AssistantView::from(overview).with_sums(&sums)
                })
                .collect())
        })
        .await?;
    Ok(Json(Assistants { success: Success::default(), assistants }))
}

pub(super) async fn show(asker: Asker, At(named): At<Named>) -> Result<Tagged, Failure> {
    let view = asker
        .ask(move |store, actor, _| {
            let assistant = assistants::find(store, actor, &named.id)?;
            whole(store, actor, assistant)
        })
        .await?;
    Ok(Tagged::of(view))
}

/// With its figures.
fn whole(
    store: &Store,
    actor: &crate::domain::Actor,
    assistant: Assistant,
) -> Result<AssistantView> {
    let overview = assistants::overview(store, assistant)?;
    let sums = stats::of_assistant(store, actor, overview.assistant.id)?;
    Ok(AssistantView::from(&overview).with_sums(&sums))
}

pub(super) async fn create(
    State(app): State<App>,
    asker: Asker,
    Body(mut input): Body<AssistantInput>,
) -> Result<Tagged, Failure> {
    let secrets = app.secrets.clone();
    let view = asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            let (owner, token) = (input.owner_email.take(), input.take_auth_token());
            let mut spec = input.create()?;
            let sealed = refer(&secrets, &mut spec, token)?;
            let assistant = assistants::create(store, actor, spec, owner, now)?;
            keep(&secrets, store, actor, &assistant, sealed, now)?;
            whole(store, actor, assistant)
        })
        .await?;
    Ok(Tagged::created(view))
}

pub(super) async fn change(
    State(app): State<App>,
    asker: Asker,
    At(named): At<Named>,
    IfMatch(revision): IfMatch,
    Body(mut input): Body<AssistantInput>,
) -> Result<Tagged, Failure> {
    let secrets = app.secrets.clone();
    let view = asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            if input.owner_email.is_some() {
                return Err(Error::input("`owner_email` is set when an assistant is made")
                    .hint("hand it over with `POST …/owner`"));
            }
            let current = assistants::find(store, actor, &named.id)?;
            let token = input.take_auth_token();
            // What was read is what is changed: somebody else's change in between is not lost.
            let revision = Some(revision.unwrap_or(current.revision));
            let mut spec = input.change(current.spec)?;
            let sealed = refer(&secrets, &mut spec, token)?;
            let changed = assistants::update(store, actor, current.id, spec, revision, now)?;
            keep(&secrets, store, actor, &changed, sealed, now)?;
            whole(store, actor, changed)
        })
        .await?;
    Ok(Tagged::of(view))
}

/// A token that came with an assistant is kept under a name made from the assistant's. Where it
/// could not be sealed, nothing is changed.
fn refer(
    keeper: &Secrets,
    spec: &mut AssistantSpec,
    token: Option<Secret>,
) -> Result<Option<(String, Secret)>> {
    let Some(token) = token else { return Ok(None) };
    keeper.vault().key_in_force()?;
    if spec.twilio.account_sid.is_none() {
        return Err(Error::input("`twilio_auth_token` needs its `twilio_account_sid`"));
    }
    let name = format!("twilio:{}", spec.name);
    secrets::check(&name, &token)?;
    spec.twilio.auth_token = Some(SecretRef::Secret(name.clone()));
    Ok(Some((name, token)))
}

fn keep(
    secrets: &Secrets,
    store: &Store,
    actor: &crate::domain::Actor,
    assistant: &Assistant,
    sealed: Option<(String, Secret)>,
    now: jiff::Timestamp,
) -> Result<()> {
    let Some((name, token)) = sealed else { return Ok(()) };
    let owner = assistant.owner.as_ref().map(|owner| owner.id);
    secrets.put(store, actor, owner, &name, &token, now)
}

pub(super) async fn delete(
    asker: Asker,
    At(named): At<Named>,
    IfMatch(revision): IfMatch,
) -> Answer<Done> {
    asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            let found = assistants::find(store, actor, &named.id)?;
            assistants::delete(store, actor, found.id, revision, now)
        })
        .await?;
    Ok(Json(Done::default()))
}

async fn switch(asker: Asker, named: Named, active: Option<bool>) -> Result<Tagged, Failure> {
    let view = asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            let found = assistants::find(store, actor, &named.id)?;
            let switched = assistants::switch(store, actor, found.id, active, now)?;
            whole(store, actor, switched)
        })
        .await?;
    Ok(Tagged::of(view))
}

pub(super) async fn enable(asker: Asker, At(named): At<Named>) -> Result<Tagged, Failure> {
    switch(asker, named, Some(true)).await
}

pub(super) async fn disable(asker: Asker, At(named): At<Named>) -> Result<Tagged, Failure> {
    switch(asker, named, Some(false)).await
}

pub(super) async fn toggle(asker: Asker, At(named): At<Named>) -> Result<Tagged, Failure> {
    switch(asker, named, None).await
}

pub(super) async fn hand_over(
    asker: Asker,
    At(named): At<Named>,
    Body(owner): Body<Owner>,
) -> Result<Tagged, Failure> {
    let view = asker
        .ask(move |store, actor, now| {
            actor.may_administer()?;
            let found = assistants::find(store, actor, &named.id)?;
            let given = assistants::hand_over(store, actor, found.id, owner.owner_email, now)?;
            whole(store, actor, given)
        })
        .await?;
    Ok(Tagged::of(view))
}

/// Also of an assistant that was deleted, by name.
pub(super) async fn history(asker: Asker, At(named): At<Named>) -> Answer<Versions> {
    let versions = asker
        .ask(move |store, actor, _| {
            let name = name_of(store, actor, &named)?;
            let (_, versions) = provisioning::history(store, actor, &name)?;
            Ok(versions.into_iter().map(Into::into).collect())
        })
        .await?;
    Ok(Json(Versions { success: Success::default(), versions }))
}

fn name_of(store: &Store, actor: &crate::domain::Actor, named: &Named) -> Result<AssistantName> {
    match named.id.parse::<i64>() {
        Ok(_) => Ok(assistants::find(store, actor, &named.id)?.spec.name),
        Err(_) => named.id.parse().map_err(|_| Error::not_found("there is no such assistant")),
    }
}

pub(super) async fn rollback(
    asker: Asker,
    At(named): At<Named>,
    Body(input): Body<RollbackInput>,
) -> Result<Tagged, Failure> {
    let view = asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            let name = name_of(store, actor, &named)?;
            let plan = provisioning::plan_rollback(store, actor, &name, input.to)?;
            if input.from.is_some_and(|from| from != plan.from.revision) {
                return Err(Error::new(
                    Kind::Outdated,
                    format!("the assistant `{name}` was changed by somebody else meanwhile"),
                )
                .hint("look at its history again"));
            }
            let assistant = provisioning::rollback(store, actor, plan, now)?;
            whole(store, actor, assistant)
        })
        .await?;
    Ok(Tagged::of(view))
}
