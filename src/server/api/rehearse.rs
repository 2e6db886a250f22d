//! `/api/voice/assistants/{id}/rehearse`: how an assistant would answer, without a phone and
//! without a trace, but for what its models cost. The conversation is the real one, on a store that is
//! thrown away.

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;
use tracing::Instrument;

use super::{
    auth::Asker,
    extract::{At, Body},
    failure::Answer,
};
use crate::{
    api::{Rehearsal, RehearseInput, Success},
    conversation::engine::{Deadlines, Engine},
    domain::{Actor, AssistantSpec, Attempt, Caller, Direction, Error, Heard, Result, Turn},
    line::{Clock, Line, Patience},
    operations::{assistants, calls, knowledge, ledger},
    server::App,
    store::{Options, Store},
    twilio::webhook::{Gathered, Incoming},
};

/// Utterances in one rehearsal.
const MOST: usize = 20;

/// Characters of one.
const LONGEST: usize = 2_000;

/// An assistant, by id or by name.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Named {
    /// Its id or its name.
    id: String,
}

pub(super) async fn rehearse(
    State(app): State<App>,
    asker: Asker,
    At(named): At<Named>,
    Body(input): Body<RehearseInput>,
) -> Answer<Rehearsal> {
    if input.says.len() > MOST || input.says.iter().any(|says| says.chars().count() > LONGEST) {
        let hint = format!("at most {MOST} utterances of {LONGEST} characters");
        return Err(Error::input("this is too much for a rehearsal").hint(hint).into());
    }
    let (id, spec) = asker
        .ask(move |store, actor, _| {
            actor.may_write()?;
            let assistant = assistants::find(store, actor, &named.id)?;
            Ok((assistant.id, knowledge::with_texts(store, &assistant)?))
        })
        .await?;
    // Asking models costs money, also when nobody waits for the answer any more.
    let permit = asker.permit(&app.rehearsals).await?;
    let playing = async move {
        let store = app.store.clone();
        let turns = play(app, spec, input.says).await?;
        let attempts: Vec<Attempt> =
            turns.iter().flat_map(|turn| turn.attempts.iter().cloned()).collect();
        if let Err(error) = ledger::rehearsed(&store, id, &attempts, asker.now).await {
            tracing::error!(%error, causes = ?error.causes(), "what a rehearsal cost could not be entered");
        }
        drop(permit);
        Ok::<_, Error>(turns)
    };
    let turns = tokio::spawn(playing.in_current_span()).await.map_err(|error| {
        Error::failure("a rehearsal was broken off: this is a bug of webox").because(error)
    })??;
    let turns = turns.iter().map(Into::into).collect();
    Ok(Json(Rehearsal { success: Success::default(), turns }))
}

async fn play(app: App, spec: AssistantSpec, says: Vec<String>) -> Result<Vec<Turn>> {
    let folder = tempfile::tempdir().map_err(Error::of_temporary_folder)?;
    let path = folder.path().join("rehearsal.db");
    let actor = Actor::webox("rehearse");
    let clock = Clock::system();
    let (store, assistant) = {
        let (actor, now) = (actor.clone(), clock.now());
        let spec = AssistantSpec { active: true, ..spec };
        let made = tokio::task::spawn_blocking(move || {
            let store = Store::open(&path, Options::terminal())?;
            let assistant = assistants::create(&store, &actor, spec, None, now)?;
            Ok::<_, Error>((store, assistant))
        });
        made.await.map_err(|cause| Error::failure("a rehearsal broke off").because(cause))??
    };
    let engine = Engine::new(store.clone(), app.models.clone(), Deadlines::default());
    let line = Line::new(store.clone(), engine, clock, "http://rehearsal", Patience::patient());
    let sid: crate::domain::CallSid = "CA00000000000000000000000000000000".parse()?;
    let phone = assistant.spec.phone.number.clone();
    let from = Caller::read("anonymous");
    let ringing = Incoming {
        account: None,
        call_sid: sid.clone(),
        from: from.clone(),
        to: Some(phone.clone()),
        to_raw: phone.to_string(),
        spoofed: false,
        direction: Direction::Inbound,
        outbound: None,
    };
    line.ring(ringing, 0).await;
    for (n, text) in (1_u32..).zip(says) {
        let heard = if text.trim().is_empty() { Heard::Silence } else { Heard::words(text) };
        let gathered = Gathered {
            call_sid: sid.clone(),
            from: from.clone(),
            to: Some(phone.clone()),
            heard,
            account: None,
            direction: Direction::Inbound,
        };
        line.hear(gathered, Some(n), 0).await;
    }
    let (_, turns) = tokio::task::spawn_blocking(move || calls::show(&store, &actor, &sid))
        .await
        .map_err(|cause| Error::failure("a rehearsal broke off").because(cause))??;
    Ok(turns)
}
