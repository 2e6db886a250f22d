//! Whose number is it? Numbers in a client's own account at Twilio are signed with that account's
//! token, and nobody else's.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    domain::{AccountSid, PhoneNumber, Result, Secret},
    operations::{live, secrets::Secrets},
    store::Store,
};

/// How long what was read is believed: a new token counts a moment later.
const FRESH: Duration = Duration::from_secs(2);

/// Numbers remembered at a time.
const MOST: usize = 10_000;

/// A client's own account.
#[derive(Debug, Clone)]
pub(super) struct OwnAccount {
    /// Which.
    pub(super) sid: AccountSid,
    /// What it signs with.
    pub(super) token: Secret,
}

type Remembered = HashMap<PhoneNumber, (Instant, Option<OwnAccount>)>;

/// The accounts of numbers.
#[derive(Clone)]
pub(super) struct Accounts {
    store: Store,
    secrets: Secrets,
    remembered: Arc<Mutex<Remembered>>,
}

impl Accounts {
    pub(super) fn new(store: Store, secrets: Secrets) -> Self {
        Self { store, secrets, remembered: Arc::default() }
    }

    /// The account of a number; nothing when it is in the agency's own.
    pub(super) async fn of(&self, number: &PhoneNumber) -> Result<Option<OwnAccount>> {
        if let Some(known) = self.known(number) {
            return Ok(known);
        }
        let found = self.read(number.clone()).await?;
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST {
            remembered.clear();
        }
        remembered.insert(number.clone(), (Instant::now(), found.clone()));
        Ok(found)
    }

    #[allow(clippy::option_option, reason = "not remembered, and remembered as nobody's, differ")]
    fn known(&self, number: &PhoneNumber) -> Option<Option<OwnAccount>> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, known) = remembered.get(number)?;
        (at.elapsed() < FRESH).then(|| known.clone())
    }

    async fn read(&self, number: PhoneNumber) -> Result<Option<OwnAccount>> {
        let Some(assistant) = live::assistant_of(&self.store, number).await? else {
            return Ok(None);
        };
        let account = &assistant.spec.twilio;
        let (Some(sid), Some(reference)) = (&account.account_sid, &account.auth_token) else {
            return Ok(None);
        };
        let owner = assistant.owner.as_ref().map(|owner| owner.id);
        let (secrets, store) = (self.secrets.clone(), self.store.clone());
        let (sid, reference) = (sid.clone(), reference.clone());
        let token = tokio::task::spawn_blocking(move || secrets.resolve(&store, owner, &reference));
        let token = token.await.map_err(|cause| {
            crate::domain::Error::failure("a secret could not be read").because(cause)
        })??;
        Ok(Some(OwnAccount { sid, token }))
    }
}
