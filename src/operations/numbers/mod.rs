//! The numbers of the accounts at Twilio: which there are, which are to be had, what they cost, and
//! whether their calls come to this daemon.

mod buying;
mod checking;
mod comparing;
mod connecting;
mod keeping;

use std::collections::BTreeMap;

use serde::Serialize;

use super::{assistants, secrets::Secrets};
use crate::{
    domain::{
        AccountSid, Actor, Assistant, AssistantName, Error, Kind, Overrides, PhoneNumber, Result,
        Wiring,
    },
    store::Store,
    twilio::{
        access::{Credential, OpenAccount, TwilioAccess},
        numbers::{OnSale, Owned, Search},
        pricing::NumberPrices,
        rest::{Refusal, RestError},
    },
};

pub use buying::{Looked, Offer};
pub use checking::{Finding, FindingKind};
pub use comparing::{Comparison, Difference, Found};
pub use connecting::Connection;
pub use keeping::may_keep;

/// Where calls are to go.
#[derive(Debug, Clone)]
pub struct Home {
    /// What Twilio calls this daemon; nothing where that is not set.
    pub public_url: Option<String>,
    /// What it asks when the daemon does not answer; the daemon itself otherwise.
    pub fallback_url: Option<String>,
    /// How it connects.
    pub overrides: Overrides,
}

impl Home {
    /// How a number of ours is wired.
    ///
    /// # Errors
    /// When it is not known what Twilio calls this daemon.
    pub fn wiring(&self) -> Result<Wiring> {
        let url = self.public_url.as_deref().ok_or_else(|| {
            Error::config("it is not known what Twilio calls this daemon")
                .hint("set `public_url` in webox.toml, or WEBOX_PUBLIC_URL, as for `webox serve`")
        })?;
        Ok(Wiring::to(url, self.fallback_url.as_deref(), &self.overrides))
    }
}

/// The accounts at Twilio, and what is known here of their numbers.
#[derive(Clone)]
pub struct Telephony {
    /// Here.
    pub store: Store,
    /// The secrets that tokens of clients are among.
    pub secrets: Secrets,
    /// The agency's account.
    pub access: TwilioAccess,
    /// Where calls are to go.
    pub home: Home,
}

/// An account that could not be asked, and why.
#[derive(Debug)]
pub struct Unread {
    /// Which.
    pub account: AccountSid,
    /// Why.
    pub why: Error,
}

/// Where the calls of a number go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leads {
    /// To this daemon, as it should be.
    Here,
    /// To this daemon, but something is not as it should be.
    HereAlmost,
    /// To something else.
    Elsewhere,
    /// To nothing.
    Nowhere,
    /// It is not known what Twilio calls this daemon.
    Unknown,
}

impl Leads {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::HereAlmost => "here-almost",
            Self::Elsewhere => "elsewhere",
            Self::Nowhere => "nowhere",
            Self::Unknown => "unknown",
        }
    }
}

/// A number, who has it, and where its calls go.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The account that has it.
    pub account: AccountSid,
    /// It.
    pub owned: Owned,
    /// The assistant that answers it.
    pub assistant: Option<AssistantName>,
    /// Where its calls go.
    pub leads: Leads,
}

/// The numbers of all accounts.
#[derive(Debug)]
pub struct Inventory {
    /// By number.
    pub numbers: Vec<Standing>,
    /// Accounts that could not be asked.
    pub unread: Vec<Unread>,
}

/// What is to be had in a country.
#[derive(Debug)]
pub struct Market {
    /// The numbers.
    pub numbers: Vec<OnSale>,
    /// What they cost a month; not known where Twilio does not say.
    pub prices: NumberPrices,
    /// Why Twilio does not say, where it could not be asked.
    pub unpriced: Option<String>,
}

impl Telephony {
    /// Numbers that are to be had, of some kinds, with their prices.
    pub async fn search(
        &self,
        actor: &Actor,
        account: Option<&AccountSid>,
        searches: &[Search],
    ) -> Result<Market> {
        actor.may_administer()?;
        for search in searches {
            search.kind.may_be_used_in(&search.country)?;
        }
        let account = self.account(actor, account).await?;
        let mut numbers = Vec::new();
        for search in searches {
            let found = account.numbers_on_sale(search).await;
            numbers.extend(found.map_err(|error| told("numbers could not be looked for", &error))?);
        }
        let prices = match searches.first() {
            Some(search) if !numbers.is_empty() => account.number_prices(&search.country).await,
            _ => Ok(NumberPrices::default()),
        };
        // They are to be had all the same.
        let unpriced = prices.as_ref().err().map(ToString::to_string);
        Ok(Market { numbers, prices: prices.unwrap_or_default(), unpriced })
    }

    /// How a command names an account, if it has to: the agency's own is asked by itself.
    pub fn of(&self, account: &AccountSid) -> String {
        let is_agencys = self.access.account.as_ref() == Some(account);
        if is_agencys { String::new() } else { format!(" --account {account}") }
    }

    /// The numbers of all accounts that are known here, or of one.
    pub async fn list(&self, actor: &Actor, account: Option<&AccountSid>) -> Result<Inventory> {
        actor.may_administer()?;
        let holders = self.holders(actor).await?;
        let (accounts, mut unread) = match account {
            Some(_) => (vec![self.account(actor, account).await?], Vec::new()),
            None => self.accounts(actor).await?,
        };
        if accounts.is_empty() && unread.is_empty() {
            return Err(no_account());
        }
        let wanted = self.home.wiring().ok();
        let mut numbers = Vec::new();
        for account in accounts {
            match account.numbers(None).await {
                Ok(found) => numbers.extend(found.into_iter().map(|owned| Standing {
                    account: account.sid.clone(),
                    assistant: holders.get(&owned.number).map(|one| one.spec.name.clone()),
                    leads: self.leads(&owned.wiring, wanted.as_ref()),
                    owned,
                })),
                Err(error) => unread.push(Unread {
                    why: told("its numbers could not be listed", &error),
                    account: account.sid,
                }),
            }
        }
        numbers.sort_by(|a, b| a.owned.number.cmp(&b.owned.number));
        Ok(Inventory { numbers, unread })
    }

    fn leads(&self, wiring: &Wiring, wanted: Option<&Wiring>) -> Leads {
        let here = self.home.public_url.as_deref();
        match (wanted, here) {
            _ if wiring.is_nowhere() => Leads::Nowhere,
            (Some(wanted), _) if wiring.changes_to(wanted).is_empty() => Leads::Here,
            (_, Some(url)) if wiring.leads_to(url) => Leads::HereAlmost,
            (Some(_), _) => Leads::Elsewhere,
            (None, _) => Leads::Unknown,
        }
    }

    /// Assistants by the number that they answer.
    async fn holders(&self, actor: &Actor) -> Result<BTreeMap<PhoneNumber, Assistant>> {
        let all = self.assistants(actor).await?;
        Ok(all.into_iter().map(|one| (one.spec.phone.number.clone(), one)).collect())
    }

    async fn assistants(&self, actor: &Actor) -> Result<Vec<Assistant>> {
        let (store, actor) = (self.store.clone(), actor.clone());
        let all = tokio::task::spawn_blocking(move || assistants::list(&store, &actor)).await;
        let all =
            all.map_err(|cause| Error::failure("assistants could not be read").because(cause))?;
        Ok(all?.into_iter().map(|overview| overview.assistant).collect())
    }

    /// Every account that is known here: the agency's, and those that assistants name.
    async fn accounts(&self, actor: &Actor) -> Result<(Vec<OpenAccount>, Vec<Unread>)> {
        let mut open: BTreeMap<AccountSid, OpenAccount> = BTreeMap::new();
        let mut unread: Vec<Unread> = Vec::new();
        if let Some(sid) = &self.access.account {
            open.insert(sid.clone(), self.with_agencys(sid));
        }
        for assistant in self.assistants(actor).await? {
            let Some(sid) = assistant.spec.twilio.account_sid.clone() else { continue };
            if open.contains_key(&sid) || unread.iter().any(|one| one.account == sid) {
                continue;
            }
            match self.account_of(&assistant).await {
                Ok(account) => {
                    open.insert(sid, account);
                }
                Err(why) => unread.push(Unread { account: sid, why }),
            }
        }
        Ok((open.into_values().collect(), unread))
    }

    /// The account that is named, or the agency's. One that no assistant names is a sub-account of the
    /// agency's, and is asked with the same credentials.
    pub async fn account(&self, actor: &Actor, named: Option<&AccountSid>) -> Result<OpenAccount> {
        let Some(sid) = named.or(self.access.account.as_ref()) else { return Err(no_account()) };
        let all = self.assistants(actor).await?;
        let own = all.iter().find(|one| one.spec.twilio.account_sid.as_ref() == Some(sid));
        match own {
            Some(assistant) if self.access.account.as_ref() != Some(sid) => {
                self.account_of(assistant).await
            }
            _ => Ok(self.with_agencys(sid)),
        }
    }

    /// The account that an assistant's number is in.
    async fn account_of(&self, assistant: &Assistant) -> Result<OpenAccount> {
        let own = &assistant.spec.twilio;
        let (Some(sid), Some(reference)) = (&own.account_sid, &own.auth_token) else {
            let sid = self.access.account.as_ref().ok_or_else(no_account)?;
            return Ok(self.with_agencys(sid));
        };
        let owner = assistant.owner.as_ref().map(|owner| owner.id);
        let (store, secrets, reference) =
            (self.store.clone(), self.secrets.clone(), reference.clone());
        let token = tokio::task::spawn_blocking(move || secrets.resolve(&store, owner, &reference))
            .await
            .map_err(|cause| Error::failure("a secret could not be read").because(cause))??;
        let credentials = vec![Credential::from(token)];
        Ok(OpenAccount { rest: self.access.rest.clone(), sid: sid.clone(), credentials })
    }

    /// An account that is asked with what the agency's own is asked with.
    fn with_agencys(&self, sid: &AccountSid) -> OpenAccount {
        let main = self.access.account.as_ref().filter(|main| *main != sid);
        let credentials = self.access.credentials().into_iter();
        let credentials = credentials.map(|one| Credential { of: main.cloned(), ..one });
        OpenAccount {
            rest: self.access.rest.clone(),
            sid: sid.clone(),
            credentials: credentials.collect(),
        }
    }
}

fn no_account() -> Error {
    Error::config("the account at Twilio is not known").hint(
        "set TWILIO_ACCOUNT_SID, and TWILIO_AUTH_TOKEN or TWILIO_API_KEY with TWILIO_API_SECRET",
    )
}

/// What went wrong at Twilio, for a person.
fn told(what: &str, error: &RestError) -> Error {
    let (kind, hint) = match error {
        RestError::NotConnected(_) | RestError::Unreachable(_) => {
            (Kind::Unavailable, Some("try again a little later".to_owned()))
        }
        RestError::Unreadable(_) => (Kind::Failure, None),
        RestError::NoCredential => (
            Kind::Config,
            Some("or an API key, as TWILIO_API_KEY and TWILIO_API_SECRET".to_owned()),
        ),
        RestError::Refused(refusal) => refused(refusal),
    };
    Error::new(kind, what).because(error.clone()).maybe_hint(hint)
}

fn refused(refusal: &Refusal) -> (Kind, Option<String>) {
    let page =
        |code: u32| format!("Twilio tells more at https://www.twilio.com/docs/errors/{code}");
    match (refusal.status, refusal.code) {
        (401 | 403, _) => (
            Kind::Denied,
            Some(
                "check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or the API key and its rights"
                    .to_owned(),
            ),
        ),
        (429, _) => {
            (Kind::Unavailable, Some("Twilio is too busy: try again a little later".to_owned()))
        }
        (408 | 500.., _) => (Kind::Unavailable, Some("try again a little later".to_owned())),
        (404, _) => (Kind::NotFound, None),
        (_, Some(21_422)) => {
            (Kind::Refused, Some("somebody else may have it by now: search again".to_owned()))
        }
        (_, Some(code)) => (Kind::Refused, Some(page(code))),
        (_, None) => (Kind::Refused, None),
    }
}
