//! Is the daemon alive, and can it take calls?

use std::{
    path::Path,
    time::{Duration, Instant},
};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::sync::Mutex;

use super::{App, problem};
use crate::operations::doctor::STOPPING;

/// A store that has not answered by then is not ready.
const WITHIN: Duration = Duration::from_secs(2);

/// For so long what was found is good: it takes a write, and anybody may ask.
const KNOWN_FOR: Duration = Duration::from_millis(500);

/// Alive: the process answers, and says which webox it is (as the API's document does).
pub(super) async fn healthz() -> Response {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// Whether the store could be written when somebody last asked, and else why not.
#[derive(Debug, Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, Result<(), &'static str>)>>);

/// Ready: the store can be written.
pub(super) async fn readyz(State(app): State<App>) -> Response {
    if app.leaving.has_begun() {
        return problem::problem(StatusCode::SERVICE_UNAVAILABLE, STOPPING);
    }
    // One looks, and the others wait for what it finds.
    let mut known = app.readiness.0.lock().await;
    let found = match *known {
        Some((at, found)) if at.elapsed() < KNOWN_FOR => found,
        _ => {
            let found = look(&app).await;
            *known = Some((Instant::now(), found));
            found
        }
    };
    drop(known);
    match found {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(why) => problem::problem(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

async fn look(app: &App) -> Result<(), &'static str> {
    match tokio::time::timeout(WITHIN, app.line.ready()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            let (path, free_bytes) = (app.store.path().display(), free_bytes(app.store.path()));
            tracing::error!(%error, causes = ?error.causes(), %path, free_bytes, "not ready");
            Err("the store cannot be written")
        }
        Err(_) => {
            tracing::error!("not ready: the store does not answer");
            Err("the store does not answer")
        }
    }
}

/// What is left on the disk that a file is on, for whoever may not use the reserve.
fn free_bytes(file: &Path) -> Option<u64> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let stat = rustix::fs::statvfs(folder.unwrap_or(Path::new("."))).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}
