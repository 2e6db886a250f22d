//! Files of assistants: `/api/voice/validate`, `/plan`, `/apply`, and what was applied.

use std::{
    path::{Component, Path},
    sync::Arc,
};

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::runtime::Handle;

use super::{
    auth::Asker,
    extract::Body,
    failure::Answer,
    parameters::{Cursor, Params, page, within},
};
use crate::{
    api::{
        Applied, Applies, ApplyInput, BundleFile, Checked, KeptNumbers, NumbersInput, PlanInput,
        Planned, ProblemView, Standings, Success, ValidateInput,
    },
    domain::{Actor, ApplyId, Author, Error, KeptNumber, Kind, Result},
    operations::{
        numbers::{self, Telephony},
        provisioning::{self, Consent},
    },
    provision::{self, Layer, Loaded, Plan, Problem},
    server::App,
    store::Store,
};

/// Files in one request.
const MOST: usize = 2_000;

/// Folders one within the other.
const DEEPEST: usize = 16;

/// Bytes of documents, counted for each assistant that names them: as many as a bundle has room for. All
/// of them are written at once, and callers wait for it.
const DOCUMENTS: usize = 16 * 1024 * 1024;

/// Mistakes told in one answer.
const MOST_TOLD: usize = 500;

pub(super) async fn validate(
    State(app): State<App>,
    asker: Asker,
    Body(input): Body<ValidateInput>,
) -> Answer<Checked> {
    let problems = asker
        .ask_with_permit(&Arc::clone(&app.bundles), move |_, _, _| {
            Ok(load(&input.files, app.defaults.clone())?.err().unwrap_or_default())
        })
        .await?;
    let valid = problems.is_empty();
    let problems = problems.iter().take(MOST_TOLD).map(ProblemView::from).collect();
    Ok(Json(Checked { success: Success::default(), valid, problems }))
}

pub(super) async fn plan(
    State(app): State<App>,
    asker: Asker,
    Body(input): Body<PlanInput>,
) -> Answer<Planned> {
    let plan = asker
        .ask_with_permit(&Arc::clone(&app.bundles), move |store, actor, _| {
            make(store, actor, &input.files, input.prune, app.defaults.clone())
        })
        .await?;
    Ok(Json(Planned::of(&plan)?))
}

pub(super) async fn apply(
    State(app): State<App>,
    asker: Asker,
    Body(input): Body<ApplyInput>,
) -> Answer<Applied> {
    let (id, plan) = asker
        .ask_with_permit(&Arc::clone(&app.bundles), move |store, actor, now| {
            actor.may_write()?;
            let plan = match (input.read_plan()?, input.files.is_empty()) {
                (Some(plan), true) => plan,
                (None, false) => {
                    make(store, actor, &input.files, input.prune, app.defaults.clone())?
                }
                _ => return Err(Error::input("send either `files` or a `plan`")),
            };
            let consent = Consent { overwrite: input.overwrite, max_deletes: input.max_deletes };
            provisioning::check(&plan, &consent)?;
            let author = Author { git: input.git, ..actor.author.clone() };
            let actor = Actor { author, ..actor.clone() };
            let source = input.source.unwrap_or_else(|| "API".to_owned());
            let id = provisioning::apply(store, &actor, plan.clone(), source, now)?;
            Ok((id, plan))
        })
        .await?;
    Ok(Json(Applied::of(id, &plan)?))
}

pub(super) async fn look_at_numbers(
    State(app): State<App>,
    asker: Asker,
    Body(input): Body<NumbersInput>,
) -> Answer<KeptNumbers> {
    numbers(&app, asker, &input, |telephony, asker, plan, handle| {
        handle.block_on(telephony.look_at_kept(&asker.actor, plan))
    })
    .await
}

pub(super) async fn connect_numbers(
    State(app): State<App>,
    asker: Asker,
    Body(input): Body<NumbersInput>,
) -> Answer<KeptNumbers> {
    asker.actor.may_write()?;
    numbers(&app, asker, &input, |telephony, asker, plan, handle| {
        handle.block_on(telephony.connect_kept(&asker.actor, plan, asker.now))
    })
    .await
}

/// Asks Twilio on a thread of its own, a few plans at a time: what was begun there is noted here, also
/// when the asker hangs up.
async fn numbers(
    app: &App,
    asker: Asker,
    input: &NumbersInput,
    ask: impl FnOnce(&Telephony, &Asker, &Plan, &Handle) -> Result<Vec<KeptNumber>> + Send + 'static,
) -> Answer<KeptNumbers> {
    let plan = input.read_plan()?;
    numbers::may_keep(&asker.actor, &plan)?;
    let (telephony, handle) = (app.telephony()?, Handle::current());
    let permit = asker.permit(&app.wirings).await?;
    let asking = tokio::task::spawn_blocking(move || {
        let numbers = ask(&telephony, &asker, &plan, &handle);
        drop(permit);
        numbers
    });
    let numbers = asking
        .await
        .map_err(|cause| Error::failure("Twilio could not be asked").because(cause))??;
    Ok(Json(KeptNumbers { success: Success::default(), numbers }))
}

fn make(
    store: &Store,
    actor: &Actor,
    files: &[BundleFile],
    prune: bool,
    defaults: Option<Layer>,
) -> Result<Plan> {
    let loaded = load(files, defaults)?.map_err(|problems| told(&problems))?;
    provisioning::plan(store, actor, &loaded, prune)?.map_err(|problems| told(&problems))
}

fn told(problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems.iter().take(50).map(ToString::to_string).collect();
    Error::new(Kind::Refused, lines.join("\n"))
        .hint("`POST /api/voice/validate` answers the mistakes one by one")
}

/// Reads a bundle just as files on a disk are read: in a folder of its own that is thrown away.
pub(in crate::server) fn load(
    files: &[BundleFile],
    defaults: Option<Layer>,
) -> Result<Result<Vec<Loaded>, Vec<Problem>>> {
    if files.is_empty() || files.len() > MOST {
        return Err(Error::input(format!("a bundle has 1 to {MOST} files")));
    }
    let folder = tempfile::tempdir().map_err(Error::of_temporary_folder)?;
    for file in files {
        let path = Path::new(&file.path);
        let plain = |part| matches!(part, Component::Normal(_));
        if file.path.is_empty()
            || file.path.len() > 500
            || file.path.contains('\0')
            || path.components().count() > DEEPEST
            || !path.components().all(plain)
        {
            let shown: String = file.path.chars().take(80).collect();
            return Err(Error::input(format!("`{}` is no path in a bundle", shown.escape_debug()))
                .hint("write it relative, without `..`, and in at most 15 folders"));
        }
        let path = folder.path().join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|cause| unwritable(&file.path, cause))?;
        }
        std::fs::write(path, &file.text).map_err(|cause| unwritable(&file.path, cause))?;
    }
    let root = folder.path().to_path_buf();
    let roots = std::slice::from_ref(&root);
    let loaded = provision::load_up_to(roots, defaults, &mut std::io::empty(), DOCUMENTS);
    // Where the bundle lay for a moment is nobody's business.
    let prefix = format!("{}/", root.display());
    let whole = root.display().to_string();
    let plain = |text: &str| text.replace(&prefix, "").replace(&whole, "the bundle");
    Ok(match loaded {
        Ok(loaded) => Ok(loaded
            .into_iter()
            .map(|one| Loaded { path: plain(&one.path.display().to_string()).into(), ..one })
            .collect()),
        Err(problems) => Err(problems
            .into_iter()
            .map(|problem| Problem {
                file: plain(&problem.file),
                message: plain(&problem.message),
                hint: problem.hint.as_deref().map(plain),
                ..problem
            })
            .collect()),
    })
}

fn unwritable(path: &str, cause: std::io::Error) -> Error {
    Error::input(format!("`{}` collides with another file of the bundle", path.escape_debug()))
        .because(cause)
}

pub(super) async fn standings(asker: Asker) -> Answer<Standings> {
    let (store_id, standings) = asker
        .ask(|store, actor, _| {
            Ok((provisioning::store_id(store)?, provisioning::standings(store, actor)?))
        })
        .await?;
    let standings = standings.iter().map(Into::into).collect();
    Ok(Json(Standings { success: Success::default(), store_id, standings }))
}

/// How many.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(super) struct Most {
    /// At most so many: 50 when left out, 1000 at most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u64>,
    /// Go on after a page: what it answered as `next`.
    cursor: Option<Cursor>,
}

pub(super) async fn applies(asker: Asker, Params(most): Params<Most>) -> Answer<Applies> {
    let limit = within("limit", most.limit.unwrap_or(50), &(1..=1_000))?;
    let before = most.cursor.map(|cursor| ApplyId(cursor.0));
    let applies = asker
        .ask(move |store, actor, _| provisioning::applies(store, actor, before, Some(limit + 1)))
        .await?;
    let (applies, next) = page(applies, limit, |apply| apply.id.0);
    let applies = applies.into_iter().map(Into::into).collect();
    Ok(Json(Applies { success: Success::default(), applies, next }))
}
