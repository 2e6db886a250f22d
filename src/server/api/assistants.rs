//! `/api/voice/assistants`.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::Asker,
    extract::{At, Body},
    failure::{Answer, Failure},
    tags::{Created, IfMatch, Tagged},
};
use crate::{
    api::{
        AssistantInput, AssistantView, Assistants, Done, OneAssistant, Owner, RollbackInput,
        Success, Versions,
    },
    domain::{
        Actor, Assistant, AssistantId, AssistantName, AssistantSpec, Error, Expected, Kind, Result,
        Secret, SecretRef,
    },
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
    pub(super) id: String,
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

/// The assistant that a query names, if it names one.
pub(super) fn named(
    store: &Store,
    actor: &Actor,
    name: Option<&String>,
) -> Result<Option<AssistantId>> {
    name.map(|name| Ok(assistants::find(store, actor, name)?.id)).transpose()
}

type One = Result<Tagged<OneAssistant>, Failure>;

pub(super) async fn show(asker: Asker, At(named): At<Named>) -> One {
    let one = asker
        .ask(move |store, actor, _| {
            let assistant = assistants::find(store, actor, &named.id)?;
            whole(store, actor, assistant)
        })
        .await?;
    Ok(Tagged(one))
}

/// With its figures.
fn whole(store: &Store, actor: &Actor, assistant: Assistant) -> Result<OneAssistant> {
    let overview = assistants::overview(store, assistant)?;
    let sums = stats::of_assistant(store, actor, overview.assistant.id)?;
    let assistant = AssistantView::from(&overview).with_sums(&sums);
    Ok(OneAssistant { success: Success::default(), assistant })
}

pub(super) async fn create(
    State(app): State<App>,
    asker: Asker,
    Body(mut input): Body<AssistantInput>,
) -> Result<Created<OneAssistant>, Failure> {
    let secrets = app.secrets.clone();
    let one = asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            let (owner, token) = (input.owner_email.take(), input.take_auth_token());
            let mut spec = input.create()?;
            if let Some(token) = &token {
                refer(&secrets, &mut spec, token)?;
            }
            let assistant = assistants::create(store, actor, spec, owner, now)?;
            keep(&secrets, store, actor, &assistant, token, now)?;
            whole(store, actor, assistant)
        })
        .await?;
    Ok(Created(one))
}

pub(super) async fn change(
    State(app): State<App>,
    asker: Asker,
    At(named): At<Named>,
    tags: IfMatch,
    Body(mut input): Body<AssistantInput>,
) -> One {
    let secrets = app.secrets.clone();
    let one = asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            if input.owner_email.is_some() {
                return Err(Error::input("`owner_email` is set when an assistant is made")
                    .hint("hand it over with `POST …/owner`"));
            }
            let found = assistants::find(store, actor, &named.id)?;
            let (id, expected) = (found.id, tags.of_assistant(found.id));
            let token = input.take_auth_token();
            let (keeper, sealed) = (secrets.clone(), token.clone());
            // What is left out stays as it is at that moment, not as it was a moment ago.
            let make = move |current: AssistantSpec| {
                let mut spec = input.change(current)?;
                if let Some(token) = &sealed {
                    refer(&keeper, &mut spec, token)?;
                }
                Ok(spec)
            };
            let changed = assistants::change(store, actor, id, expected, now, make)?;
            keep(&secrets, store, actor, &changed, token, now)?;
            whole(store, actor, changed)
        })
        .await?;
    Ok(Tagged(one))
}

/// A token that came with an assistant is kept under a name made from the assistant's. Where it
/// could not be sealed, nothing is changed.
fn refer(keeper: &Secrets, spec: &mut AssistantSpec, token: &Secret) -> Result<()> {
    keeper.vault().key_in_force()?;
    if spec.twilio.account_sid.is_none() {
        return Err(Error::input("`twilio_auth_token` needs its `twilio_account_sid`"));
    }
    let name = assistants::token_name(&spec.name);
    secrets::check(&name, token)?;
    spec.twilio.auth_token = Some(SecretRef::Secret(name));
    Ok(())
}

fn keep(
    secrets: &Secrets,
    store: &Store,
    actor: &Actor,
    assistant: &Assistant,
    token: Option<Secret>,
    now: jiff::Timestamp,
) -> Result<()> {
    let Some(token) = token else { return Ok(()) };
    let owner = assistant.owner.as_ref().map(|owner| owner.id);
    let name = assistants::token_name(&assistant.spec.name);
    secrets.put(store, actor, owner, &name, &token, now)
}

pub(super) async fn delete(asker: Asker, At(named): At<Named>, tags: IfMatch) -> Answer<Done> {
    asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            let id = assistants::find(store, actor, &named.id)?.id;
            assistants::delete(store, actor, id, tags.of_assistant(id), now)
        })
        .await?;
    Ok(Json(Done::default()))
}

async fn switch(asker: Asker, named: Named, tags: IfMatch, active: Option<bool>) -> One {
    let one = asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            let id = assistants::find(store, actor, &named.id)?.id;
            let expected = tags.of_assistant(id);
            let switched = assistants::switch(store, actor, id, active, expected, now)?;
            whole(store, actor, switched)
        })
        .await?;
    Ok(Tagged(one))
}

pub(super) async fn enable(asker: Asker, At(named): At<Named>, tags: IfMatch) -> One {
    switch(asker, named, tags, Some(true)).await
}

pub(super) async fn disable(asker: Asker, At(named): At<Named>, tags: IfMatch) -> One {
    switch(asker, named, tags, Some(false)).await
}

pub(super) async fn toggle(asker: Asker, At(named): At<Named>, tags: IfMatch) -> One {
    switch(asker, named, tags, None).await
}

pub(super) async fn hand_over(
    asker: Asker,
    At(named): At<Named>,
    tags: IfMatch,
    Body(owner): Body<Owner>,
) -> One {
    let one = asker
        .ask(move |store, actor, now| {
            actor.may_administer()?;
            let id = assistants::find(store, actor, &named.id)?.id;
            let expected = tags.of_assistant(id);
            let to = owner.owner_email;
            let given = assistants::hand_over(store, actor, id, to, expected, now)?;
            whole(store, actor, given)
        })
        .await?;
    Ok(Tagged(one))
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

fn name_of(store: &Store, actor: &Actor, named: &Named) -> Result<AssistantName> {
    match named.id.parse::<i64>() {
        Ok(_) => Ok(assistants::find(store, actor, &named.id)?.spec.name),
        Err(_) => named.id.parse().map_err(|_| Error::not_found("there is no such assistant")),
    }
}

pub(super) async fn rollback(
    asker: Asker,
    At(named): At<Named>,
    tags: IfMatch,
    Body(input): Body<RollbackInput>,
) -> One {
    let one = asker
        .ask(move |store, actor, now| {
            actor.may_write()?;
            let name = name_of(store, actor, &named)?;
            let plan = provisioning::plan_rollback(store, actor, &name, input.to)?;
            // Seen in the body, in the header, or nowhere. That it is still so when the change is
            // made, the operation sees to.
            let seen = [Expected::from(input.from), tags.of_assistant(plan.id)];
            if !seen.iter().all(|expected| expected.allows(plan.from.revision)) {
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
    Ok(Tagged(one))
}
