//! Letting a webhook in: its body read, its signature judged, its fields made into types.
//! Nothing is stored before this.

use std::{net::IpAddr, time::Duration};

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};

use super::{App, body, limits, peer, problem, tarpit, twilio_accounts::OwnAccount};
use crate::{
    domain::{CallSid, Error, Kind, OutboundId, PhoneNumber},
    twilio::{
        form::Form,
        handed::{Dialled, HumanLeg, LeftMessage, Transcribed},
        webhook::{Gathered, Incoming, Recorded, Resumed, Status, WebhookError, WhoAnswered},
    },
};

/// Once the daemon is to stop, a body is waited for no longer than this.
const BODY_WITHIN: Duration = Duration::from_secs(1);

/// A webhook of Twilio's that was let in.
pub(super) struct Admitted<R> {
    /// What it carries.
    pub(super) request: R,
    /// What its address carries.
    pub(super) query: Query,
    /// The client's own account that signed it, where it was not the agency's.
    pub(super) own: Option<OwnAccount>,
}

/// What our own action URLs carry.
#[derive(Debug, Default)]
pub(super) struct Query {
    /// The call it belongs to.
    pub(super) call_sid: Option<CallSid>,
    /// The turn it belongs to.
    pub(super) turn: Option<u32>,
    /// How often Twilio has come back for it.
    pub(super) step: Option<u32>,
    /// How often a daemon that stops has told it to come back.
    pub(super) later: Option<u32>,
    /// Which of the humans who are rung for a turn.
    pub(super) attempt: Option<u32>,
    /// Which of the calls that we were asked to make.
    pub(super) outbound: Option<OutboundId>,
}

/// A webhook as a type.
pub(super) trait Webhook: Sized {
    fn read(form: &Form) -> Result<Self, WebhookError>;

    /// Whether it is of a call.
    fn is_of(&self, call: &CallSid) -> bool;
}

macro_rules! webhook {
    ($($name:ident),+) => {$(
        impl Webhook for $name {
            fn read(form: &Form) -> Result<Self, WebhookError> {
                $name::read(form)
            }

            fn is_of(&self, call: &CallSid) -> bool {
                self.call_sid == *call
            }
        }
    )+};
}

webhook!(Incoming, Gathered, Dialled, Status, Recorded, LeftMessage, Transcribed, WhoAnswered);

impl Webhook for Resumed {
    fn read(form: &Form) -> Result<Self, WebhookError> {
        Self::read(form)
    }

    fn is_of(&self, call: &CallSid) -> bool {
        self.incoming.call_sid == *call
    }
}

/// The human's side is a call of its own; that it belongs to the caller's, its address says, which is
/// signed.
impl Webhook for HumanLeg {
    fn read(form: &Form) -> Result<Self, WebhookError> {
        Self::read(form)
    }

    fn is_of(&self, call: &CallSid) -> bool {
        self.parent.as_ref().is_none_or(|parent| parent == call)
    }
}

impl<R: Webhook> FromRequest<App> for Admitted<R> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (head, body) = request.into_parts();
        let address = peer::address(&head.extensions, &head.headers, &app.api.trusted_proxies);
        let admitted = admit(app, address, &head, body).await;
        admitted.map_err(|refused| refused.answer(app, address))
    }
}

/// Why a request is not let in.
pub(super) enum Refused {
    /// Not Twilio's. No body: a stranger learns nothing.
    Stranger(String),
    /// Not readable.
    Unreadable(StatusCode, String),
    /// Not a request for a socket.
    NoSocket(Response),
}

impl Refused {
    /// What it is answered. Twilio's own requests come from few addresses: only those that are not are
    /// counted.
    pub(super) fn answer(self, app: &App, address: Option<IpAddr>) -> Response {
        if matches!(self, Self::Stranger(_)) {
            app.tallies.unsigned();
        }
        if let Some(wait) = address.and_then(|address| app.limits.stranger(address).err()) {
            return tarpit::turn_away(wait);
        }
        match self {
            Self::Stranger(path) => {
                tracing::warn!(path, "refused a request without a valid Twilio signature");
                StatusCode::FORBIDDEN.into_response()
            }
            Self::Unreadable(status, why) => {
                tracing::warn!(status = status.as_u16(), why, "refused a request of Twilio's");
                problem::problem(status, &why)
            }
            Self::NoSocket(answer) => answer,
        }
    }

    fn bad(why: impl ToString) -> Self {
        Self::Unreadable(StatusCode::BAD_REQUEST, why.to_string())
    }
}

async fn admit<R: Webhook>(
    app: &App,
    address: Option<IpAddr>,
    head: &Parts,
    body: Body,
) -> Result<Admitted<R>, Refused> {
    let (uri, headers) = (&head.uri, &head.headers);
    if !app.gate.may_let_in(headers) {
        return Err(Refused::Stranger(uri.path().to_owned()));
    }
    let share = || match address {
        Some(address) => app.large_bodies.take(limits::subscriber(address)).map(Some),
        None => Some(None),
    };
    let bytes = tokio::select! {
        read = body::read_form(headers, body, share) => read,
        // Whoever sends it letter by letter keeps the next process from nobody.
        () = app.is_stopping_for(BODY_WITHIN) => {
            Err((StatusCode::SERVICE_UNAVAILABLE, "the daemon stops"))
        }
    };
    let bytes = bytes.map_err(|(status, why)| Refused::Unreadable(status, why.to_owned()))?;
    let form = Form::parse(&bytes).map_err(Refused::bad)?;
    let query = read_query(uri.query().unwrap_or_default());
    // Not believed yet; but whose token it is signed with depends on the call it says it is of.
    let call = query.as_ref().and_then(|query| query.call_sid.clone());
    let outbound = query.as_ref().and_then(|query| query.outbound);
    let agencys = app.gate.lets_in(headers, uri, &form, None);
    // What the agency's token does not vouch for is nobody's, unless a client has an account of its own:
    // a forgery has nothing read for it.
    if !agencys && !app.accounts.may_be_a_clients(form.get("AccountSid")).await {
        return Err(Refused::Stranger(uri.path().to_owned()));
    }
    let own = own_account(app, &form, call, outbound).await?;
    let let_in =
        own.as_ref().map_or(agencys, |own| app.gate.lets_in(headers, uri, &form, Some(own)));
    if !let_in {
        return Err(Refused::Stranger(uri.path().to_owned()));
    }
    app.known.vouch(&head.extensions);
    let query = query.ok_or_else(|| Refused::bad("the address has an unreadable query"))?;
    let request = R::read(&form).map_err(Refused::bad)?;
    if query.call_sid.as_ref().is_some_and(|sid| !request.is_of(sid)) {
        return Err(Refused::bad("the address is that of another call"));
    }
    Ok(Admitted { request, query, own })
}

/// The client's own account that the call is of, if it is of one.
async fn own_account(
    app: &App,
    form: &Form,
    named: Option<CallSid>,
    outbound: Option<OutboundId>,
) -> Result<Option<OwnAccount>, Refused> {
    if app.gate.is_open() {
        return Ok(None);
    }
    let call = named.or_else(|| form.get("CallSid")?.parse::<CallSid>().ok());
    // A call that we were asked to make is whose it is there, whatever numbers the request names. Should the
    // store be away, the agency's own token may still be the right one.
    let mut number = match outbound {
        Some(id) => crate::operations::outbound::own_number(&app.store, id).await.ok().flatten(),
        None => None,
    };
    if number.is_none() {
        // Ours is the number that is called, unless it is we who call.
        let ours = if form.get("Direction") == Some("outbound-api") { "From" } else { "To" };
        number = form.get(ours).and_then(|number| PhoneNumber::from_e164(number.trim()));
    }
    match app.accounts.of(call, number).await {
        Ok(own) => Ok(own),
        // The store or the key is away. Numbers of the agency's are answered all the same: what
        // the line does about the store is its own affair.
        Err(error) if error.kind() != Kind::Config && error.kind() != Kind::NotFound => Ok(None),
        Err(error) => Err(unusable_account(&error)),
    }
}

/// A client's own account is known, and its token is not.
pub(super) fn unusable_account(error: &Error) -> Refused {
    tracing::error!(%error, causes = ?error.causes(), "the token of a client's account cannot be used");
    Refused::Unreadable(
        StatusCode::SERVICE_UNAVAILABLE,
        "the account of this call cannot be checked".to_owned(),
    )
}

pub(super) fn read_query(query: &str) -> Option<Query> {
    let form = Form::parse(query.as_bytes()).ok()?;
    let number = |name: &str| form.get(name).map(str::parse::<u32>).transpose().ok();
    Some(Query {
        call_sid: form.get("call_sid").map(str::parse).transpose().ok()?,
        turn: number("turn")?,
        step: number("step")?,
        later: number("later")?,
        attempt: number("attempt")?,
        outbound: form.get("outbound").map(str::parse).transpose().ok()?.map(OutboundId),
    })
}
