//! Asks Twilio what calls cost, some time after their end: it does not know at once.

use std::time::Duration;

use jiff::Timestamp;

use super::twilio_accounts::Accounts;
use crate::{
    domain::Result,
    operations::ledger::{self, DueCharge, Told},
    store::Store,
    twilio::{
        access::TwilioAccess,
        charge::Charge,
        rest::{Account, RestError},
    },
};

/// How often it is looked: nobody waits for it.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Looks for calls that are due, for as long as the daemon runs.
pub(super) async fn run(store: Store, accounts: Accounts, access: TwilioAccess) {
    loop {
        let due = match ledger::charges_due(&store, Timestamp::now()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!(%error, "the calls whose price is to be asked could not be read");
                Vec::new()
            }
        };
        let mut is_quiet = due.is_empty();
        for one in due {
            let told = ask(&accounts, &access, &one).await;
            let told = told.unwrap_or_else(|error| Told::NotYet(error.to_string()));
            if let Err(error) = ledger::note_charge(&store, one, told, Timestamp::now()).await {
                tracing::error!(%error, "what Twilio charged could not be noted");
                is_quiet = true;
            }
        }
        if is_quiet {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

async fn ask(accounts: &Accounts, access: &TwilioAccess, due: &DueCharge) -> Result<Told> {
    let own = accounts.of(Some(due.sid.clone()), None).await?;
    let (sid, credentials) = match own {
        Some(own) => (Some(own.sid), vec![own.token.into()]),
        None => (access.account.clone().or_else(|| due.account.clone()), access.credentials()),
    };
    let Some(sid) = sid else {
        return Ok(Told::Never(
            "the account to ask is not known: set TWILIO_ACCOUNT_SID".to_owned(),
        ));
    };
    let mut told = Told::Never("no auth token is set: set TWILIO_AUTH_TOKEN".to_owned());
    for credential in credentials {
        let account = Account { sid: sid.clone(), credential };
        told = match access.rest.charge(&account, &due.sid).await {
            Ok(Charge::Known(amount, currency)) => Told::Charged(amount, currency),
            Ok(Charge::NotYet) => Told::NotYet("Twilio does not know yet".to_owned()),
            Ok(Charge::Unreadable(why)) => Told::Never(why),
            // Its record was removed: nobody will know any more.
            Err(RestError::Refused(refusal)) if refusal.status == 404 => {
                Told::Never("Twilio has no record of the call".to_owned())
            }
            Err(error @ RestError::Refused(_)) if is_of_token(&error) => {
                told = Told::NotYet(error.to_string());
                continue;
            }
            Err(error) => Told::NotYet(error.to_string()),
        };
        break;
    }
    Ok(told)
}

/// Whether another token may be right.
fn is_of_token(error: &RestError) -> bool {
    matches!(error, RestError::Refused(refusal) if refusal.status == 401)
}
