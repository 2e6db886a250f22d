//! A line for every request that was answered: of the API where everybody sees it, of webhooks and
//! probes for those who look closely.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use super::App;
use crate::domain::TokenId;

/// Whose key a request came with; left at the answer by who judged it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// The token.
    pub(super) token: Option<TokenId>,
    /// Its user.
    pub(super) user: String,
}

/// Tells of a request once it is answered. The route and not the address: there may be a caller or
/// a secret's name in it. The request's name is in the span.
pub(super) async fn tell(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let asked = response.extensions().get::<Asked>();
    let token = asked.and_then(|asked| asked.token).map(|token| token.0);
    let user = asked.map(|asked| asked.user.as_str());
    let status = response.status().as_u16();
    let took = begun.elapsed();
    if let Some(observing) = &app.observing {
        observing.figures().answered(route, method.as_str(), status, took);
    }
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if route.starts_with("/api/") && !route.starts_with("/api/voice/webhook/") {
        tracing::info!(%method, route, status, ms, token, user, "answered");
    } else {
        tracing::debug!(%method, route, status, ms, "answered");
    }
    response
}
