//! Calls that we make: dialled one a second, which is what Twilio does for an account that has asked
//! for no more, and the webhooks that only they have.
//!
//! The daemon dials, whoever asked: it holds the pace of the account for all, and a call that no
//! daemon answers would ring for nothing.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, response::Response};
use jiff::Timestamp;

use super::{
    App,
    admission::Admitted,
    twilio_accounts::Accounts,
    webhooks::{in_own_task, noted},
};
use crate::{
    domain::{AccountSid, CallSid, Error, Kind, PhoneNumber, Result},
    operations::{
        campaigns,
        live::PickedUp,
        outbound::{self, Dial},
    },
    store::Store,
    twilio::{
        access::{Credential, TwilioAccess},
        calling::{NewCall, NotCalled},
        rest::{Account, Request},
        webhook::{Incoming, WhoAnswered},
    },
};

/// How often it is looked for calls to make.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Between two calls of ours.
const PACE: Duration = Duration::from_secs(1);

/// How often it is looked for calls of which nothing more will be heard.
const GIVE_UP_EVERY: u32 = 40;

/// What an answering machine is not told twice: Twilio is asked so often to hang up.
const ASKED: u32 = 3;

/// Somebody whom we called has picked up.
pub(super) async fn answered(
    State(app): State<App>,
    Admitted { mut request, query, .. }: Admitted<Incoming>,
) -> Response {
    request.outbound = query.outbound;
    let (sid, step) = (request.call_sid.clone(), query.step.unwrap_or(0));
    in_own_task(&sid, app.line, move |line| async move { line.ring(request, step).await }).await
}

/// Twilio has found out who it was.
pub(super) async fn answered_by(
    State(app): State<App>,
    Admitted { mut request, query, .. }: Admitted<WhoAnswered>,
) -> Response {
    request.outbound = query.outbound;
    let sid = request.call_sid.clone();
    let of = sid.clone();
    let work = async move {
        let request = match app.line.picked_up(request).await? {
            PickedUp::HangUp => Request::HangUp(of.clone()),
            PickedUp::LeaveMessage => {
                let to = app.line.address(&format!("machine?call_sid={of}"));
                Request::Redirect { call: of.clone(), to }
            }
            PickedUp::Person | PickedUp::Over => return Ok(()),
        };
        let Some(access) = &app.twilio else {
            tracing::error!("this daemon does not ask Twilio: an answering machine is talked to");
            return Ok(());
        };
        have_done(&app.accounts, access, of, &request).await
    };
    noted(&sid, work).await
}

/// Twilio comes for what is left on an answering machine.
pub(super) async fn machine(
    State(app): State<App>,
    Admitted { request, query, .. }: Admitted<Incoming>,
) -> Response {
    let (sid, step) = (request.call_sid.clone(), query.step.unwrap_or(0));
    let leave =
        move |line: crate::line::Line| async move { line.leave_on_machine(request, step).await };
    in_own_task(&sid, app.line, leave).await
}

/// Has Twilio do something with a live call, a few times.
async fn have_done(
    accounts: &Accounts,
    access: &TwilioAccess,
    sid: CallSid,
    request: &Request,
) -> Result<()> {
    let (account, credentials) = account(accounts, access, Some(sid), None).await?;
    let mut wait = Duration::from_millis(500);
    for _ in 0..ASKED {
        match access.ask(&account, &credentials, request).await? {
            Ok(()) => return Ok(()),
            Err(error) => tracing::warn!(%error, "Twilio did not take a call from a machine yet"),
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    // Whatever the machine is heard to say, it is not answered: the call ends by its time limit.
    Err(Error::unavailable("Twilio could not be told to leave an answering machine"))
}

/// The account that a call or a number is in, and what it is asked with.
async fn account(
    accounts: &Accounts,
    access: &TwilioAccess,
    call: Option<CallSid>,
    number: Option<PhoneNumber>,
) -> Result<(AccountSid, Vec<Credential>)> {
    if let Some(own) = accounts.of(call, number).await? {
        return Ok((own.sid, vec![own.token.into()]));
    }
    let sid = access.account.clone().ok_or_else(|| {
        Error::config("the account to ask is not known: set TWILIO_ACCOUNT_SID for `webox serve`")
    })?;
    Ok((sid, access.credentials()))
}

/// Makes calls that were asked for, for as long as the daemon runs.
pub(super) async fn run(
    store: Store,
    accounts: Accounts,
    access: TwilioAccess,
    public_url: Arc<str>,
) {
    let mut looks = 0_u32;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if looks.is_multiple_of(GIVE_UP_EVERY) {
            match outbound::give_up(&store, Timestamp::now()).await {
                Ok(0) => {}
                Ok(lost) => tracing::error!(
                    lost,
                    "it is not known what came of calls that Twilio was asked for; they are not made again"
                ),
                Err(error) => tracing::error!(%error, "calls that are lost could not be noted"),
            }
        }
        looks = looks.wrapping_add(1);
        match outbound::next(&store, Timestamp::now()).await {
            Ok(Some(dial)) => {
                let id = dial.call.id;
                if let Err(error) = make(&store, &accounts, &access, &public_url, dial).await {
                    tracing::error!(id = id.0, %error, "what came of asking for a call could not be noted");
                }
                tokio::time::sleep(PACE).await;
            }
            Ok(None) => {
                if let Err(error) = campaigns::advance(&store, Timestamp::now()).await {
                    tracing::error!(%error, "campaigns could not be looked after");
                }
            }
            Err(error) => tracing::error!(%error, "calls to be made could not be read"),
        }
    }
}

/// Has Twilio make one, and notes what it answered.
async fn make(
    store: &Store,
    accounts: &Accounts,
    access: &TwilioAccess,
    public_url: &str,
    dial: Dial,
) -> Result<()> {
    let Dial { call, assistant } = dial;
    let (id, spec) = (call.id, &assistant.spec);
    let new = NewCall {
        id,
        from: &spec.phone,
        to: &call.number,
        public_url,
        machine: call.machine,
        longest: spec.limits.max_call_duration.get(),
    };
    let own = account(accounts, access, None, Some(spec.phone.number.clone())).await;
    let asked = match own {
        Ok((sid, credentials)) => dial_with(access, &sid, &credentials, &new).await,
        // What is not set stays so until somebody sets it; a store that is busy does not.
        Err(error) if error.kind() == Kind::Config => Err(NotCalled::Denied(error.to_string())),
        Err(error) => Err(NotCalled::Later(error.to_string())),
    };
    let now = Timestamp::now();
    let to = call.number.masked();
    match asked {
        Ok(sid) => {
            tracing::info!(id = id.0, assistant = %spec.name, to, call_sid = %sid, "calls somebody");
            outbound::placed(store, id, sid).await
        }
        Err(NotCalled::Refused(why)) => {
            tracing::warn!(id = id.0, assistant = %spec.name, to, why, "somebody could not be called");
            outbound::refused(store, id, why, now).await
        }
        Err(NotCalled::Denied(why)) => {
            tracing::error!(id = id.0, assistant = %spec.name, to, why, "nobody can be called");
            outbound::denied(store, id, why, now).await
        }
        Err(NotCalled::Later(why)) => {
            tracing::warn!(id = id.0, assistant = %spec.name, to, why, "somebody is called a little later");
            outbound::later(store, id, why, now).await
        }
        Err(NotCalled::Unclear(why)) => {
            tracing::error!(id = id.0, assistant = %spec.name, to, why, "it is not known whether somebody is called");
            outbound::unclear(store, id, why, now).await
        }
    }
}

/// With the first of the credentials that is right.
async fn dial_with(
    access: &TwilioAccess,
    sid: &AccountSid,
    credentials: &[Credential],
    new: &NewCall<'_>,
) -> Result<CallSid, NotCalled> {
    let mut last = NotCalled::Denied("no auth token is set: set TWILIO_AUTH_TOKEN".to_owned());
    for credential in credentials {
        let account = Account { sid: sid.clone(), credential: credential.clone() };
        match access.rest.call(&account, new).await {
            Err(denied @ NotCalled::Denied(_)) => last = denied,
            asked => return asked,
        }
    }
    Err(last)
}
