//! Is it really Twilio? The signature over the configured public URL decides, nothing else.

use std::sync::{Arc, PoisonError, RwLock};

use axum::http::{HeaderMap, Uri};

use super::twilio_accounts::OwnAccount;
use crate::{
    domain::{AccountSid, Secret},
    twilio::{form::Form, signature},
};

/// Whom to believe.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Requests signed with one of these tokens (several while one is being replaced).
    Signed(Vec<Secret>),
    /// Everybody: for trials on loopback only.
    Everybody,
}

/// Judges requests.
#[derive(Debug)]
pub struct Gate {
    trust: RwLock<Arc<Trust>>,
    /// The agency's account, where it is set.
    account: Option<AccountSid>,
    every_account: bool,
    /// What Twilio calls us, without a final slash.
    public_url: String,
}

impl Gate {
    /// A gate for a public URL, as configured: a `Host` header is never believed.
    pub fn new(trust: Trust, public_url: &str) -> Self {
        Self {
            trust: RwLock::new(trust.into()),
            account: None,
            every_account: false,
            public_url: public_url.trim_end_matches('/').to_owned(),
        }
    }

    /// Requests are let in only from this account, where it is known.
    #[must_use]
    pub fn of_account(self, account: Option<AccountSid>) -> Self {
        Self { account, ..self }
    }

    /// Believes its own tokens for every number, also those in clients' accounts: for rehearsals.
    #[must_use]
    pub fn for_every_account(self) -> Self {
        Self { every_account: true, ..self }
    }

    fn trust(&self) -> Arc<Trust> {
        self.trust.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Believes others from now on.
    pub(super) fn believe(&self, trust: Trust) {
        *self.trust.write().unwrap_or_else(PoisonError::into_inner) = trust.into();
    }

    /// Whether nobody need be asked whose a number is.
    pub(super) fn is_open(&self) -> bool {
        self.every_account || matches!(*self.trust(), Trust::Everybody)
    }

    /// Whether a request may come from Twilio, before its body is read or anything looked up.
    pub(super) fn may_let_in(&self, headers: &HeaderMap) -> bool {
        matches!(*self.trust(), Trust::Everybody)
            || given(headers).is_some_and(signature::is_shaped)
    }

    /// Whether a request comes from Twilio, and for a number's own account. A number in a client's
    /// account is believed with that account's token only, all others with the agency's.
    pub(super) fn lets_in(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        form: &Form,
        own: Option<&OwnAccount>,
    ) -> bool {
        let trust = self.trust();
        let agencys = match &*trust {
            Trust::Everybody => return true,
            Trust::Signed(tokens) => tokens,
        };
        let account = own.map(|own| &own.sid).or(self.account.as_ref());
        if account.is_some_and(|account| form.get("AccountSid") != Some(account.as_str())) {
            return false;
        }
        let tokens = own.map_or(agencys.as_slice(), |own| std::slice::from_ref(&own.token));
        let Some(given) = given(headers) else { return false };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        signature::verify(tokens, &format!("{}{path}", self.public_url), form, given)
    }
}

impl Gate {
    /// Whether the opening of a WebSocket comes from Twilio, and for a call's own account.
    pub(super) fn lets_upgrade(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
        own: Option<&OwnAccount>,
    ) -> bool {
        let trust = self.trust();
        let agencys = match &*trust {
            Trust::Everybody => return true,
            Trust::Signed(tokens) => tokens,
        };
        let tokens = own.map_or(agencys.as_slice(), |own| std::slice::from_ref(&own.token));
        let Some(given) = given(headers) else { return false };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        signature::verify_upgrade(tokens, &format!("{}{path}", self.public_url), given)
    }
}

/// The signature that came with a request.
fn given(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-twilio-signature")?.to_str().ok()
}
