//! What accounts at Twilio are asked with: an account's own token, or one of its API keys. The
//! credentials of a main account are right for its sub-accounts as well.

use std::sync::{Arc, PoisonError, RwLock};

use super::rest::{Request, Rest, RestError};
use crate::domain::{AccountSid, ApiKeySid, Error, Result, Secret};

/// One way to be let in.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The API key that the secret is of; the account's own token otherwise.
    pub key: Option<ApiKeySid>,
    /// The account whose token it is, where it is another than the one that is asked: the main
    /// account of a sub-account.
    pub of: Option<AccountSid>,
    /// The token, or the key's secret.
    pub secret: Secret,
}

impl From<Secret> for Credential {
    fn from(secret: Secret) -> Self {
        Self { key: None, of: None, secret }
    }
}

/// An account, and one way to be let in.
#[derive(Debug, Clone)]
pub struct Account {
    /// Which.
    pub sid: AccountSid,
    /// What it is asked with.
    pub credential: Credential,
}

impl Account {
    /// Who is asked for, as Twilio has it.
    pub(super) fn user(&self) -> &str {
        let Credential { key, of, .. } = &self.credential;
        let key = key.as_ref().map(ApiKeySid::as_str);
        key.unwrap_or_else(|| of.as_ref().unwrap_or(&self.sid).as_str())
    }

    /// The secret beside it.
    pub(super) fn secret(&self) -> &str {
        self.credential.secret.expose()
    }
}

/// What the agency's own account is asked with. All clones go by the same credentials.
#[derive(Debug, Clone)]
pub struct TwilioAccess {
    /// The REST API.
    pub rest: Rest,
    /// The agency's account, where it is set.
    pub account: Option<AccountSid>,
    credentials: Arc<RwLock<Vec<Credential>>>,
}

impl TwilioAccess {
    /// With an API key of the account, and its tokens: several while one is being replaced.
    pub fn new(rest: Rest, account: Option<AccountSid>, credentials: Vec<Credential>) -> Self {
        Self { rest, account, credentials: RwLock::new(credentials).into() }
    }

    /// What the account is asked with, the likeliest first.
    pub fn credentials(&self) -> Vec<Credential> {
        self.credentials.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks with others from now on, wherever a clone of this is used.
    pub fn exchange(&self, credentials: Vec<Credential>) {
        *self.credentials.write().unwrap_or_else(PoisonError::into_inner) = credentials;
    }

    /// Asks an account for something with the first of its credentials that is right.
    ///
    /// # Errors
    /// When none is set; inside, when Twilio did not do it.
    pub async fn ask(
        &self,
        sid: &AccountSid,
        credentials: &[Credential],
        request: &Request,
    ) -> Result<std::result::Result<(), RestError>> {
        let open = OpenAccount {
            rest: self.rest.clone(),
            sid: sid.clone(),
            credentials: credentials.to_vec(),
        };
        let mut last = None;
        for account in open.accounts() {
            let asked = self.rest.ask(&account, request).await;
            if !is_of_credential(&asked) {
                return Ok(asked);
            }
            last = Some(asked);
        }
        last.ok_or_else(no_credential)
    }
}

/// Nothing is set to ask with.
pub fn no_credential() -> Error {
    Error::config("no auth token is set: set TWILIO_AUTH_TOKEN")
}

/// Whether another credential may be right.
pub fn is_of_credential<T>(asked: &std::result::Result<T, RestError>) -> bool {
    matches!(asked, Err(RestError::Refused(refusal)) if refusal.status == 401)
}

/// An account that can be asked.
#[derive(Debug, Clone)]
pub struct OpenAccount {
    /// The REST API.
    pub rest: Rest,
    /// Which.
    pub sid: AccountSid,
    /// What it is asked with, the first that is right.
    pub credentials: Vec<Credential>,
}

impl OpenAccount {
    fn accounts(&self) -> impl Iterator<Item = Account> {
        self.credentials
            .iter()
            .map(|credential| Account { sid: self.sid.clone(), credential: credential.clone() })
    }

    /// Asks with the first credential that is right.
    pub(super) async fn with<T>(
        &self,
        work: impl AsyncFn(&Rest, &Account) -> std::result::Result<T, RestError>,
    ) -> std::result::Result<T, RestError> {
        let mut last = None;
        for account in self.accounts() {
            let asked = work(&self.rest, &account).await;
            if !is_of_credential(&asked) {
                return asked;
            }
            last = Some(asked);
        }
        last.unwrap_or(Err(RestError::NoCredential))
    }
}
