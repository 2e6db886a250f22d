//! The REST API. Each route names its operation; who may do it is decided there.

mod accounts;
mod assistants;
mod audit;
mod auth;
mod calls;
mod events;
mod extract;
mod idempotency;
mod privacy;
mod provisioning;
mod rehearse;
mod secrets;

use std::sync::Arc;

use aide::{
    axum::{
        ApiRouter,
        routing::{delete_with, get_with, post_with, put_with},
    },
    openapi::{Info, OpenApi, SecurityScheme},
    transform::{TransformOpenApi, TransformOperation},
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::header,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};

use super::{App, problem};
use crate::domain::{Error, Result};

/// Bytes of a body: a long context, a value of 64 KiB, with room.
const BODY: usize = 1024 * 1024;

/// Bytes of a bundle of files.
const BUNDLE: usize = 16 * 1024 * 1024;

/// A line of documentation, for a route.
fn told(
    text: &'static str,
) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> + 'static {
    move |operation| operation.summary(text)
}

/// All routes that need a key, and the document that tells of them.
#[rustfmt::skip]
fn routes(app: &App) -> (Router<App>, OpenApi) {
    aide::generate::extract_schemas(true);
    // Schemas are made from types; what aide has doubts about are empty ones.
    aide::generate::on_error(|error| tracing::debug!(%error, "the OpenAPI document"));
    aide::generate::infer_responses(true);
    let bundles = ApiRouter::<App>::new()
        .api_route("/validate", post_with(provisioning::validate, told("Check files of assistants")))
        .api_route("/plan", post_with(provisioning::plan, told("What applying files would change")))
        .api_route("/apply", post_with(provisioning::apply, told("Make the store as files or a plan say: all of it or nothing")))
        .layer(DefaultBodyLimit::max(BUNDLE));
    let others = ApiRouter::<App>::new()
        .api_route("/assistants",
            get_with(assistants::list, told("All assistants, by name"))
            .post_with(assistants::create, told("Add an assistant")))
        .api_route("/assistants/{id}",
            get_with(assistants::show, told("One assistant"))
            .put_with(assistants::change, told("Change an assistant: what is left out stays"))
            .delete_with(assistants::delete, told("Take an assistant out of service for good; its calls stay")))
        .api_route("/assistants/{id}/enable", post_with(assistants::enable, told("Let an assistant answer")))
        .api_route("/assistants/{id}/disable", post_with(assistants::disable, told("Let an assistant no longer answer")))
        .api_route("/assistants/{id}/toggle", post_with(assistants::toggle, told("Switch an assistant over")))
        .api_route("/assistants/{id}/owner", post_with(assistants::hand_over, told("Hand an assistant over to a user")))
        .api_route("/assistants/{id}/history", get_with(assistants::history, told("Every version of an assistant, newest first")))
        .api_route("/assistants/{id}/rollback", post_with(assistants::rollback, told("Take an assistant back to an earlier version")))
        .api_route("/assistants/{id}/rehearse", post_with(rehearse::rehearse, told("How an assistant would answer; nothing is kept")))
        .api_route("/calls", get_with(calls::list, told("Calls, newest first")))
        .api_route("/calls/{sid}", get_with(calls::show, told("One call, turn by turn")))
        .api_route("/stats", get_with(calls::stats, told("Sums over calls")))
        .api_route("/bookings", get_with(calls::bookings, told("Bookings, in the order they take place")))
        .api_route("/standings", get_with(provisioning::standings, told("Every assistant, and what the files last said of it")))
        .api_route("/applies", get_with(provisioning::applies, told("What was applied, newest first")))
        .api_route("/users",
            get_with(accounts::users, told("All users"))
            .post_with(accounts::add_user, told("Add a user")))
        .api_route("/users/{email}",
            get_with(accounts::show_user, told("One user"))
            .patch_with(accounts::change_user, told("Change a user's role, or disable the user"))
            .delete_with(accounts::delete_user, told("Take a user out, with the user's tokens")))
        .api_route("/tokens",
            get_with(accounts::tokens, told("Tokens, newest first, without their keys"))
            .post_with(accounts::create_token, told("Make a token; its key is answered this once")))
        .api_route("/tokens/{id}", delete_with(accounts::revoke_token, told("Accept a token no longer")))
        .api_route("/secrets", get_with(secrets::list, told("Names of secrets, never values")))
        .api_route("/secrets/{name}",
            put_with(secrets::set, told("Keep a secret; it is sealed at once and never answered"))
            .delete_with(secrets::delete, told("Forget a secret")))
        .api_route("/me", get_with(accounts::me, told("Who is asking")))
        .api_route("/audit", get_with(audit::list, told("Who did what to what, newest first")))
        .api_route("/audit/check", get_with(audit::check, told("Compute every hash of the audit log again")))
        .api_route("/privacy/export", post_with(privacy::export, told("Everything that is kept of one caller")))
        .api_route("/privacy/erase", post_with(privacy::erase, told("Forget one caller")))
        .api_route("/privacy/removals", get_with(privacy::removals, told("What Twilio has still to remove")))
        .api_route("/events", get_with(events::watch, events::told))
        .layer(DefaultBodyLimit::max(BODY));
    // The way of a request: who asks, has it been answered before, what is asked.
    let both = ApiRouter::new().merge(bundles).merge(others)
        .layer(middleware::from_fn_with_state(app.clone(), idempotency::once))
        .layer(middleware::from_fn_with_state(app.clone(), auth::authenticate))
        // Outermost: whoever reads a body before its route does may read as much as any route.
        .layer(DefaultBodyLimit::max(BUNDLE));
    let mut document = OpenApi {
        info: Info {
            title: "webox".to_owned(),
            summary: Some("Phone assistants for an agency's clients".to_owned()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Info::default()
        },
        ..OpenApi::default()
    };
    let router = ApiRouter::new()
        .nest("/api/voice", both)
        .finish_api_with(&mut document, describe);
    (router, document)
}

#[allow(clippy::default_trait_access, reason = "a map of a crate that is not named here")]
fn describe(document: TransformOpenApi<'_>) -> TransformOpenApi<'_> {
    document.security_scheme(
        "token",
        SecurityScheme::Http {
            scheme: "bearer".to_owned(),
            bearer_format: Some("webox_…".to_owned()),
            description: Some("A key that `webox tokens create` made".to_owned()),
            extensions: Default::default(),
        },
    )
}

/// The API, and the document that tells of it, which needs no key.
pub(super) fn router(app: &App) -> Result<Router<App>> {
    let (router, document) = routes(app);
    let text: Arc<str> = serde_json::to_string(&document)
        .map_err(|cause| Error::failure("the OpenAPI document cannot be made").because(cause))?
        .into();
    let app = app.clone();
    let document = get(move |request: Request| {
        let (text, app) = (Arc::clone(&text), app.clone());
        // Large, and for everybody: only as often as strangers may ask.
        async move {
            match auth::stranger(&app, &request) {
                Some(wait) => problem::too_many(wait),
                None => json(text),
            }
        }
    });
    Ok(router.route("/api/openapi.json", document))
}

fn json(text: Arc<str>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}
