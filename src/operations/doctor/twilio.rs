//! Accounts at Twilio: is each taken with its token, and do its numbers lead here?

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use futures_util::{StreamExt as _, stream};

use super::{Case, Finding, Group, count};
use crate::{
    domain::{AccountSid, AssistantName, PhoneNumber, Result, Secret, Sight, Wiring},
    store::assistants,
    twilio::{access::Account, rest::RestError},
};

const GROUP: Group = Group::Twilio;

/// An account whose token is at hand, and the numbers that assistants answer in it.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Which; not known of the agency's where it is not set.
    sid: Option<AccountSid>,
    /// What it signs with.
    pub(super) token: Secret,
    /// Whether it is a client's own.
    is_clients: bool,
    /// Whose number is which.
    pub(super) numbers: Vec<(AssistantName, PhoneNumber)>,
}

impl Known {
    /// The name of a check of this account: its own where there may be several.
    pub(super) fn called(&self, what: &str) -> String {
        match &self.sid {
            Some(sid) if self.is_clients => format!("{what} {sid}"),
            _ => what.to_owned(),
        }
    }

    /// Where the agency's is not known, no daemon minds which it is.
    pub(super) fn sid_or_nobodys(&self) -> Result<AccountSid> {
        match &self.sid {
            Some(sid) => Ok(sid.clone()),
            None => format!("AC{}", "0".repeat(32)).parse(),
        }
    }
}

/// The agency's account first, then those of clients. One whose token does not open is told of elsewhere.
pub(super) async fn accounts(case: &Case) -> Vec<Known> {
    let case = case.clone();
    tokio::task::spawn_blocking(move || read(&case)).await.unwrap_or_default()
}

fn read(case: &Case) -> Vec<Known> {
    let here = &case.here;
    let listed = case.store.as_ref().map(|store| {
        let all = store.read(|tx| assistants::list(tx, Sight::All)).unwrap_or_default();
        (store, all)
    });
    let mut agencys = here.tokens.first().map(|token| Known {
        sid: here.account.clone(),
        token: token.clone(),
        is_clients: false,
        numbers: Vec::new(),
    });
    let mut clients: BTreeMap<String, Known> = BTreeMap::new();
    let listed =
        listed.into_iter().flat_map(|(store, all)| all.into_iter().map(move |one| (store, one)));
    for (store, overview) in listed {
        let assistant = overview.assistant;
        let number = (assistant.spec.name.clone(), assistant.spec.phone.number.clone());
        if !assistant.spec.active {
            continue;
        }
        let own = &assistant.spec.twilio;
        let (Some(sid), Some(reference)) = (&own.account_sid, &own.auth_token) else {
            if let Some(agencys) = &mut agencys {
                agencys.numbers.push(number);
            }
            continue;
        };
        let owner = assistant.owner.as_ref().map(|owner| owner.id);
        let Ok(token) = here.secrets.resolve(store, owner, reference) else { continue };
        let known = clients.entry(sid.to_string()).or_insert_with(|| Known {
            sid: Some(sid.clone()),
            token,
            is_clients: true,
            numbers: Vec::new(),
        });
        known.numbers.push(number);
    }
    agencys.into_iter().chain(clients.into_values()).collect()
}

/// How many accounts are asked at once, and how long each may take.
const AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(12);

pub(super) async fn look(case: Case) -> Vec<Finding> {
    let accounts = accounts(&case).await;
    if accounts.is_empty() {
        let (seen, advice) = match &case.here.account {
            Some(sid) => (
                format!("no auth token is set for {sid}"),
                "set TWILIO_AUTH_TOKEN, or `twilio.auth_token` in webox.toml; one that systemd hands to the daemon: `sudo CREDENTIALS_DIRECTORY=/etc/credstore webox doctor`",
            ),
            None => (
                "no account is set".to_owned(),
                "set `twilio.account_sid` and `twilio.auth_token` in webox.toml: `webox init` asks for them",
            ),
        };
        return vec![GROUP.problem("account", seen, advice)];
    }
    // Side by side, and each with an end to its patience: one that is slow hides none of the others.
    let looks = accounts.into_iter().map(|known| {
        let case = case.clone();
        async move {
            let looked = tokio::time::timeout(PATIENCE, account(&case, &known)).await;
            looked.unwrap_or_else(|_| {
                let seen = format!("Twilio could not be reached within {} s", PATIENCE.as_secs());
                let advice = "try again in a moment; status.twilio.com tells of trouble there";
                vec![GROUP.problem(known.called("account"), seen, advice)]
            })
        }
    });
    let found: Vec<Vec<Finding>> = stream::iter(looks).buffered(AT_ONCE).collect().await;
    found.into_iter().flatten().collect()
}

/// What is found of one account.
async fn account(case: &Case, known: &Known) -> Vec<Finding> {
    let mut found = Vec::new();
    let name = known.called("account");
    let Some(sid) = known.sid.clone() else {
        found.push(GROUP.warning(
            name,
            "the account's SID is not set: no SMS, no calls, nothing removed at Twilio",
            "set `twilio.account_sid` in webox.toml (AC…, on the first page of Twilio's console)",
        ));
        return found;
    };
    let account = Account { sid, credential: known.token.clone().into() };
    if let Err(error) = case.here.rest.takes(&account).await {
        found.push(not_taken(name, &error));
        return found;
    }
    found.push(GROUP.ok(name, format!("{} is taken with its token", account.sid)));
    if let Some(credential) = case.here.api_key.clone().filter(|_| !known.is_clients) {
        let by_key = Account { sid: account.sid.clone(), credential };
        found.push(match case.here.rest.takes(&by_key).await {
            Ok(()) => GROUP.ok("api key", format!("{} is taken with it", account.sid)),
            Err(RestError::Refused(refusal)) if matches!(refusal.status, 401 | 403 | 404) => {
                GROUP.problem(
                    "api key",
                    RestError::Refused(refusal).to_string(),
                    "look at `twilio.api_key` and `twilio.api_secret`, and at the rights of the key in Twilio's console",
                )
            }
            Err(error) => not_taken("api key".to_owned(), &error),
        });
    }
    found.extend(numbers(case, known, &account).await);
    found
}

fn not_taken(name: String, error: &RestError) -> Finding {
    let advice = match error {
        RestError::Refused(refusal) if matches!(refusal.status, 401 | 403 | 404) => {
            "copy SID and auth token again from Twilio's console; was the token replaced, or the \
             account closed?"
        }
        RestError::Refused(_) => "try again in a moment; status.twilio.com tells of trouble there",
        RestError::NotConnected(_) | RestError::Unreachable(_) => {
            "can this machine reach api.twilio.com on port 443? Without it there is no SMS and no call"
        }
        RestError::Unreadable(_) => "is `twilio.base_url` the address of something else?",
        RestError::NoCredential => "set `twilio.auth_token` in webox.toml",
    };
    GROUP.problem(name, error.to_string(), advice)
}

/// Where the numbers of an account lead: a line for each that leads elsewhere, one for the rest.
async fn numbers(case: &Case, known: &Known, account: &Account) -> Vec<Finding> {
    if known.numbers.is_empty() {
        return Vec::new();
    }
    let name = known.called("numbers");
    let Some(url) = &case.here.public_url else {
        return vec![GROUP.skipped(name, "no public URL is set that they could lead to")];
    };
    // All of the account's, by pages: one question for each would take longer than anybody waits.
    let owned: HashMap<PhoneNumber, Wiring> = match case.here.rest.numbers(account, None).await {
        Ok(owned) => owned.into_iter().map(|one| (one.number, one.wiring)).collect(),
        Err(error) => return vec![not_taken(name, &error)],
    };
    let (mut found, mut well) = (Vec::new(), 0);
    for (assistant, number) in &known.numbers {
        let advice = format!("`webox numbers connect {assistant}`");
        let name = format!("number {number}");
        match owned.get(number) {
            Some(wiring) => {
                let faults = wiring.faults(url);
                if faults.is_empty() {
                    well += 1;
                } else {
                    let seen = format!("of `{assistant}`: {}", faults.join("; "));
                    found.push(GROUP.problem(name, seen, advice));
                }
            }
            None => found.push(GROUP.problem(
                name,
                format!("`{assistant}` answers it, and the account {} has no such number", account.sid),
                "buy it or correct `phone`; if it is a client's own, name the account under `[twilio]` \
                 of the assistant's file",
            )),
        }
    }
    if well > 0 {
        found.push(GROUP.ok(name, count(well, "number leads here", "numbers lead here")));
    }
    found
}
