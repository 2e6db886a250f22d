//! Asks Twilio to remove what was promised to callers, until it has.

use std::time::Duration;

use jiff::Timestamp;

use super::{recordings::Archive, twilio_accounts::Accounts};
use crate::{
    domain::{Error, Removable, Removal, Result},
    operations::removals,
    store::Store,
    twilio::{access::TwilioAccess, rest::Request},
};

/// How often it is looked: a caller who objects is not recorded for much longer.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often a failure of the same removal is told in the log: the first time, and then rarely.
const TELL_EVERY: u32 = 10;

/// Looks for removals that are due, for as long as the daemon runs.
pub(super) async fn run(
    store: Store,
    accounts: Accounts,
    access: TwilioAccess,
    archive: Option<Archive>,
) {
    let mut is_more = false;
    loop {
        if !std::mem::take(&mut is_more) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let due = match removals::due(&store, Timestamp::now()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "what Twilio is to remove could not be read");
                continue;
            }
        };
        for removal in due {
            match settle(&store, &accounts, &access, archive.as_ref(), removal).await {
                Ok(()) => is_more = true,
                Err(error) => tracing::error!(%error, "what Twilio removed could not be noted"),
            }
        }
    }
}

async fn settle(
    store: &Store,
    accounts: &Accounts,
    access: &TwilioAccess,
    archive: Option<&Archive>,
    removal: Removal,
) -> Result<()> {
    let what = removal.what.as_str();
    // What lies here goes first: it needs nobody else.
    let dropped = match (archive, &removal.what) {
        (Some(archive), Removable::Recording(kept)) => archive.drop(&removal.call, kept).await,
        _ => Ok(()),
    };
    let removed = match dropped {
        Ok(()) => remove(accounts, access, &removal).await,
        Err(error) => Err(error),
    };
    match removed {
        Ok(()) => {
            tracing::info!(call_sid = %removal.call, what, "Twilio removed what it was asked to");
            removals::done(store, removal.id).await
        }
        Err(error) => {
            if removal.attempts.is_multiple_of(TELL_EVERY) {
                tracing::error!(
                    call_sid = %removal.call, what, attempts = removal.attempts + 1, %error,
                    "Twilio has not removed what it was asked to; `webox privacy removals` tells more"
                );
            }
            let why = error.to_string();
            removals::failed(store, removal, why, Timestamp::now()).await
        }
    }
}

async fn remove(accounts: &Accounts, access: &TwilioAccess, removal: &Removal) -> Result<()> {
    let own = accounts.of(Some(removal.call.clone()), None).await?;
    let (sid, credentials) = if let Some(own) = own {
        (own.sid, vec![own.token.into()])
    } else {
        let sid = access.account.clone().or_else(|| removal.account.clone());
        let sid = sid.ok_or_else(|| {
            Error::config("the account to ask is not known: set TWILIO_ACCOUNT_SID")
        })?;
        (sid, access.credentials())
    };
    if removal.account.as_ref().is_some_and(|account| *account != sid) {
        return Err(Error::config("it is kept in another account than the one that is set"));
    }
    let request = match &removal.what {
        Removable::LiveRecording => Request::StopRecording(removal.call.clone()),
        Removable::Recording(kept) => Request::DeleteRecording(kept.sid.clone()),
        Removable::CallRecord => Request::DeleteCall(removal.call.clone()),
    };
    access
        .ask(&sid, &credentials, &request)
        .await?
        .map_err(|error| Error::unavailable(error.to_string()))
}
