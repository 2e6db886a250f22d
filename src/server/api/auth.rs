//! Who is asking: the key of a request, judged before anything else.

use std::{net::IpAddr, sync::Arc, time::Duration};

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use jiff::Timestamp;

use super::failure::Failure;
use crate::{
    billing::catalogue::Catalogue,
    domain::{Actor, Error, Kind, Result},
    operations::{
        accounts::{self, Refused},
        knowledge::Library,
    },
    server::{
        App,
        access_log::Asked,
        peer,
        permits::{Permit, Permits},
        problem, tarpit,
    },
    store::Store,
};

/// The asker, as handlers are given it. Only [`authenticate`] makes one.
#[derive(Clone)]
pub(super) struct Asker {
    app: App,
    /// Who asks.
    pub(super) actor: Actor,
    /// When.
    pub(super) now: Timestamp,
}

impl Asker {
    /// The same for what takes long: a few at a time, whoever asks, also when nobody waits for it
    /// any more.
    pub(super) async fn ask_with_permit<T: Send + 'static>(
        &self,
        permits: &Permits,
        work: impl FnOnce(&Store, &Actor, Timestamp) -> Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let permit = self.permit(permits).await?;
        self.ask(move |store, actor, now| {
            let done = work(store, actor, now);
            drop(permit);
            done
        })
        .await
    }

    /// Waits for a permit, which lasts until what it answers is dropped.
    pub(super) async fn permit(&self, permits: &Permits) -> Result<Permit, Failure> {
        permits.take(self.actor.user()).await.ok_or_else(|| {
            Error::new(Kind::TooMany, "as many ask for the same already as may")
                .hint("ask again in a minute")
                .into()
        })
    }

    /// Who bills, by which plans, and whom.
    pub(super) fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.app.api.catalogue)
    }

    /// The store, and how documents are looked up in it.
    pub(super) fn library(&self) -> (&Store, &Library) {
        (&self.app.store, self.app.line.library())
    }

    /// Does blocking work on a thread that may block; it goes on when the asker hangs up.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store, &Actor, Timestamp) -> Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (store, actor, now) = (self.app.store.clone(), self.actor.clone(), self.now);
        let span = tracing::Span::current();
        let done =
            tokio::task::spawn_blocking(move || span.in_scope(|| work(&store, &actor, now))).await;
        Ok(done.unwrap_or_else(|error| {
            Err(Error::failure("a request was broken off: this is a bug of webox").because(error))
        })?)
    }
}

impl FromRequestParts<App> for Asker {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let actor = parts.extensions.get::<Actor>().cloned();
        let actor =
            actor.ok_or_else(|| Error::new(Kind::Denied, "no key was sent with this request"))?;
        Ok(Self { app: app.clone(), actor, now: Timestamp::now() })
    }
}

impl OperationInput for Asker {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        operation.security.push([("token".to_owned(), Vec::new())].into_iter().collect());
    }
}

/// Lets in requests with a good key, and says nothing else to others.
pub(super) async fn authenticate(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = peer::address(request.extensions(), request.headers(), &app.api.trusted_proxies);
    let account = match bearer(request.headers()) {
        None => {
            let slow = address.and_then(|address| app.limits.stranger(address).err());
            return slow
                .map_or_else(|| refused("no key was sent with this request"), tarpit::turn_away);
        }
        Some(key) => accounts::authenticate(&app.store, key, Timestamp::now()).await,
    };
    let account = match account {
        Ok(Ok(account)) => account,
        Ok(Err(why)) => return wrong_key(&app, address, why),
        Err(error) => return problem::from_error(&error),
    };
    app.known.vouch(request.extensions());
    let asked = Asked { token: account.token, user: account.email.to_string() };
    let limited = app.limits.user(account.user).err();
    let path = request.extensions().get::<MatchedPath>();
    let path =
        path.map_or_else(|| request.uri().path().to_owned(), |path| path.as_str().to_owned());
    let command = format!("{} {path}", request.method());
    let host = address.map(|address| address.to_string());
    let actor = Actor::of(account, host, command);
    let may = may_begin(&actor, request.method(), &path);
    let mut response = match (limited, may) {
        (Some(wait), _) => problem::too_many(wait),
        (None, Err(error)) => problem::from_error(&error),
        (None, Ok(())) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
    };
    response.extensions_mut().insert(asked);
    response
}

/// Routes that only look, although what they are asked stands in a body.
const LOOKS: [&str; 5] = [
    "/api/voice/validate",
    "/api/voice/plan",
    "/api/voice/plan/numbers",
    "/api/voice/campaigns/preview",
    "/api/voice/privacy/export",
];

/// Refuses who may only look before a body is read.
fn may_begin(actor: &Actor, method: &Method, route: &str) -> Result<()> {
    let looks = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    if looks || LOOKS.contains(&route) { Ok(()) } else { actor.may_write() }
}

/// How long somebody who sends no key must wait, if that one asked too often.
pub(super) fn stranger(app: &App, request: &Request) -> Option<Duration> {
    let address = peer::address(request.extensions(), request.headers(), &app.api.trusted_proxies)?;
    app.limits.stranger(address).err()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// The line is the same whatever is wrong: programs that watch the log look for it.
fn wrong_key(app: &App, address: Option<IpAddr>, why: Refused) -> Response {
    let shown = address.map_or_else(|| "unknown".to_owned(), |address| address.to_string());
    tracing::warn!(address = shown, why = why.as_str(), "refused a wrong key");
    match address.and_then(|address| app.limits.wrong_key(address).err()) {
        Some(wait) => tarpit::turn_away(wait),
        None => refused("this key is not accepted"),
    }
}

fn refused(why: &str) -> Response {
    let hint = "send `Authorization: Bearer webox_…`; `webox tokens create` makes a key";
    let error = Error::new(Kind::Denied, why).hint(hint);
    let mut response = problem::with_status(StatusCode::UNAUTHORIZED, &error);
    let scheme = HeaderValue::from_static("Bearer realm=\"webox\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    response
}
