//! Whose call is it? Calls of a client's own account at Twilio are signed with that account's token,
//! and with nobody else's.

use crate::{
    domain::{AccountSid, CallSid, Error, PhoneNumber, Result, Secret},
    operations::{live, secrets::Secrets},
    store::Store,
};

/// A client's own account.
#[derive(Debug, Clone)]
pub(super) struct OwnAccount {
    /// Which.
    pub(super) sid: AccountSid,
    /// What it signs with.
    pub(super) token: Secret,
}

/// The accounts of calls.
#[derive(Clone)]
pub(super) struct Accounts {
    store: Store,
    secrets: Secrets,
}

impl Accounts {
    pub(super) fn new(store: Store, secrets: Secrets) -> Self {
        Self { store, secrets }
    }

    /// The account of a call; nothing when it is the agency's own. A call keeps the account that it
    /// began with, whoever has its number by now; only a call that is new is its number's.
    pub(super) async fn of(
        &self,
        call: Option<CallSid>,
        number: Option<PhoneNumber>,
    ) -> Result<Option<OwnAccount>> {
        let found = live::answering(&self.store, call, number).await?;
        let Some(assistant) = found else { return Ok(None) };
        let account = &assistant.spec.twilio;
        let (Some(sid), Some(reference)) = (&account.account_sid, &account.auth_token) else {
            return Ok(None);
        };
        let owner = assistant.owner.as_ref().map(|owner| owner.id);
        let (secrets, store) = (self.secrets.clone(), self.store.clone());
        let (sid, reference) = (sid.clone(), reference.clone());
        let token = tokio::task::spawn_blocking(move || secrets.resolve(&store, owner, &reference))
            .await
            .map_err(|cause| Error::failure("a secret could not be read").because(cause))??;
        Ok(Some(OwnAccount { sid, token }))
    }
}
