//! Whose call is it? Calls of a client's own account at Twilio are signed with that account's token,
//! and with nobody else's.

use std::{collections::HashSet, sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

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
    /// The number that it signs for.
    pub(super) number: PhoneNumber,
}

/// For so long what is known of clients' accounts is good. Whoever sends thousands of forgeries has the
/// store asked for each no more; and nobody makes an account ours and calls from it sooner.
const KNOWN_FOR: Duration = Duration::from_millis(5);

/// Clients' accounts, when it was looked for them; none where the store could not tell.
struct Known {
    at: Instant,
    accounts: Option<HashSet<AccountSid>>,
}

/// The accounts of calls.
#[derive(Clone)]
pub(super) struct Accounts {
    store: Store,
    secrets: Secrets,
    known: Arc<Mutex<Option<Known>>>,
}

impl Accounts {
    pub(super) fn new(store: Store, secrets: Secrets) -> Self {
        Self { store, secrets, known: Arc::default() }
    }

    /// Whether an account may be a client's own: then it takes the call to say whose token its requests
    /// are signed with. It may, while the store cannot tell.
    pub(super) async fn may_be_a_clients(&self, account: Option<&str>) -> bool {
        let Some(account) = account.and_then(|account| account.parse::<AccountSid>().ok()) else {
            return false;
        };
        self.asked(|accounts| accounts.contains(&account)).await
    }

    /// Whether any client may have an account of their own.
    pub(super) async fn may_be_any(&self) -> bool {
        self.asked(|accounts| !accounts.is_empty()).await
    }

    /// What clients' accounts answer; yes, while the store cannot tell.
    async fn asked(&self, whether: impl FnOnce(&HashSet<AccountSid>) -> bool) -> bool {
        // One asks the store, and the others wait for what it finds.
        let mut known = self.known.lock().await;
        if known.as_ref().is_none_or(|known| known.at.elapsed() >= KNOWN_FOR) {
            let found = live::clients_accounts(&self.store).await;
            if let Err(error) = &found {
                tracing::debug!(%error, "clients' accounts could not be looked for");
            }
            *known = Some(Known { at: Instant::now(), accounts: found.ok() });
        }
        known.as_ref().and_then(|known| known.accounts.as_ref()).is_none_or(whether)
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
        Ok(Some(OwnAccount { sid, token, number: assistant.spec.phone.number.clone() }))
    }
}
