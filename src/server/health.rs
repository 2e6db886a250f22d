//! Is the daemon alive, and can it take calls?

use std::{path::Path, time::Duration};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{App, problem};
use crate::operations::doctor::STOPPING;

/// A store that has not answered by then is not ready.
const WITHIN: Duration = Duration::from_secs(2);

/// Alive: the process answers, and says which webox it is (as the API's document does).
pub(super) async fn healthz() -> Response {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })).into_response()
}

/// Ready: the store can be written.
pub(super) async fn readyz(State(app): State<App>) -> Response {
    if app.leaving.has_begun() {
        return problem::problem(StatusCode::SERVICE_UNAVAILABLE, STOPPING);
    }
    match tokio::time::timeout(WITHIN, app.line.ready()).await {
        Ok(Ok(())) => Json(json!({ "status": "ready" })).into_response(),
        Ok(Err(error)) => {
            let (path, free_bytes) = (app.store.path().display(), free_bytes(app.store.path()));
            tracing::error!(%error, causes = ?error.causes(), %path, free_bytes, "not ready");
            problem::problem(StatusCode::SERVICE_UNAVAILABLE, "the store cannot be written")
        }
        Err(_) => {
            tracing::error!("not ready: the store does not answer");
            problem::problem(StatusCode::SERVICE_UNAVAILABLE, "the store does not answer")
        }
    }
}

/// What is left on the disk that a file is on, for whoever may not use the reserve.
fn free_bytes(file: &Path) -> Option<u64> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let stat = rustix::fs::statvfs(folder.unwrap_or(Path::new("."))).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}
