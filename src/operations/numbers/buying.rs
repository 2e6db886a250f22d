//! Buying a number once, at a price that was shown, with the papers that its country wants; and giving
//! one back.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Standing, Telephony, told};
use crate::{
    domain::{
        AccountSid, Actor, AddressNeed, AddressSid, AssistantName, BundleSid, CountryCode, Error,
        Kind, Micros, NumberKind, PhoneNumber, Result,
    },
    operations::audit,
    store::audit::Deed,
    twilio::{
        access::OpenAccount,
        numbers::{Address, OnSale, Owned, Purchase, Search},
        regulations::Regulation,
        rest::RestError,
    },
};

/// A number that is to be had, and what it takes.
#[derive(Debug, Clone)]
pub struct Offer {
    /// It.
    pub on_sale: OnSale,
    /// Where it is.
    pub country: CountryCode,
    /// What it costs a month, if Twilio says, and the currency.
    pub price: Option<(Micros, String)>,
    /// The papers that its country wants, if it wants any.
    pub regulation: Option<Regulation>,
    /// Why it is not known which papers are wanted, where it is not.
    pub unknown: Option<String>,
    /// Why its price is not known, where it could not be asked for.
    pub unpriced: Option<String>,
    /// The addresses that the account has given.
    pub addresses: Vec<Address>,
    account: OpenAccount,
}

/// What was found of a number that is to be bought.
#[derive(Debug, Clone)]
pub enum Looked {
    /// The account has it already.
    Ours(Box<Owned>),
    /// It is to be had.
    Offer(Box<Offer>),
}

impl Offer {
    /// The account that it would be in.
    pub fn account(&self) -> &AccountSid {
        &self.account.sid
    }

    /// Refuses what Twilio would refuse.
    ///
    /// # Errors
    /// Names what is missing, and how it is come by.
    pub fn is_covered(
        &self,
        address: Option<&AddressSid>,
        bundle: Option<&BundleSid>,
    ) -> Result<()> {
        let (country, kind) = (self.country.as_str(), self.on_sale.kind);
        if let Some(regulation) = self.regulation.as_ref().filter(|_| bundle.is_none()) {
            let list = |what: &str, list: &[String]| match list {
                [] => String::new(),
                list => format!("\n{what}: {}", list.join("; ")),
            };
            let facts = list("of the business", &regulation.facts);
            let papers = list("papers", &regulation.papers);
            return Err(Error::new(
                Kind::Refused,
                format!(
                    "{country} wants to know who has a {kind} number: a regulatory bundle is needed\n{}{facts}{papers}",
                    regulation.name
                ),
            )
            .hint(
                "make one in Twilio's console, Phone Numbers, Regulatory Compliance, and say `--bundle BU…` once Twilio has approved it",
            ));
        }
        let need = self.on_sale.address.words().filter(|_| address.is_none());
        if let Some(need) = need {
            let known: Vec<String> = self
                .addresses
                .iter()
                .filter(|one| {
                    let at_home = one.country.as_ref().map(|at| *at == self.country);
                    match self.on_sale.address {
                        AddressNeed::Local => at_home != Some(false),
                        AddressNeed::Foreign => at_home != Some(true),
                        AddressNeed::Any | AddressNeed::None => true,
                    }
                })
                .map(|one| format!("`--address {}` ({})", one.sid, one.label))
                .collect();
            let hint = if known.is_empty() {
                "give one in Twilio's console, Phone Numbers, Regulatory Compliance, Addresses, and say `--address AD…`".to_owned()
            } else {
                format!("the account has given: {}", known.join(", "))
            };
            return Err(Error::new(Kind::Refused, format!("this number needs {need}")).hint(hint));
        }
        Ok(())
    }
}

impl Telephony {
    /// Looks at a number that is to be bought. One that the account has is not bought again: after an
    /// answer that was lost, this is how it is found out.
    pub async fn offer(
        &self,
        actor: &Actor,
        account: Option<&AccountSid>,
        number: &PhoneNumber,
    ) -> Result<Looked> {
        actor.may_administer()?;
        number.may_be_a_machines()?;
        let account = self.account(actor, account).await?;
        let looking = |error: RestError| told("the number could not be looked up", &error);
        if let Some(owned) = account.numbers(Some(number)).await.map_err(looking)?.pop() {
            return Ok(Looked::Ours(Box::new(owned)));
        }
        let country = CountryCode::of(number)
            .ok_or_else(|| Error::input(format!("it is not known in which country {number} is")))?;
        let on_sale = on_sale(&account, &country, number).await.map_err(looking)?;
        let on_sale = on_sale.ok_or_else(|| {
            Error::not_found(format!("{number} is not to be had")).hint(format!(
                "search again: `webox numbers search --country {}`",
                country.as_str()
            ))
        })?;
        let (price, unpriced) = match account.number_prices(&country).await {
            Ok(prices) => (prices.of(on_sale.kind).map(|price| (price, prices.unit.clone())), None),
            // It can be bought all the same, by who says so.
            Err(error) => (None, Some(error.to_string())),
        };
        let (regulation, unknown) = match account.regulation(&country, on_sale.kind).await {
            Ok(regulation) => (regulation, None),
            // Twilio itself refuses what lacks its papers.
            Err(error) => (None, Some(error.to_string())),
        };
        let addresses = match on_sale.address.words() {
            Some(_) => account.addresses().await.map_err(looking)?,
            None => Vec::new(),
        };
        Ok(Looked::Offer(Box::new(Offer {
            on_sale,
            country,
            price,
            regulation,
            unknown,
            unpriced,
            addresses,
            account,
        })))
    }

    /// Buys what was looked at.
    pub async fn buy(
        &self,
        actor: &Actor,
        offer: &Offer,
        address: Option<AddressSid>,
        bundle: Option<BundleSid>,
        now: Timestamp,
    ) -> Result<Owned> {
        actor.may_administer()?;
        offer.is_covered(address.as_ref(), bundle.as_ref())?;
        let number = offer.on_sale.number.clone();
        let purchase = Purchase { number: number.clone(), address, bundle };
        let owned = match offer.account.buy(&purchase).await {
            Ok(owned) => owned,
            Err(error) if is_unclear(&error) => {
                // It may have been bought all the same: then it is there.
                let there = offer.account.numbers(Some(&number)).await;
                there.ok().and_then(|mut there| there.pop()).ok_or_else(|| {
                    Error::new(
                        Kind::Unavailable,
                        format!("it is not known whether {number} was bought"),
                    )
                    .because(error)
                    .hint(format!(
                        "look with `webox numbers list{}` before you buy it, or another, again",
                        self.of(&offer.account.sid)
                    ))
                })?
            }
            Err(error) => return Err(told(&format!("{number} was not bought"), &error)),
        };
        let price = offer.price.as_ref().map(|(price, unit)| format!("{price} {unit}"));
        self.note(
            actor,
            Deed {
                action: "number.buy",
                target: format!("number/{number}"),
                before: Value::Null,
                after: json!({ "account": offer.account.sid, "a_month": price }),
            },
            now,
        )
        .await
        .map_err(|error| unwritten(&format!("{number} was bought ({})", owned.sid), &error))?;
        Ok(owned)
    }

    /// The number that is to be given back, and who would lose it.
    pub async fn to_release(
        &self,
        actor: &Actor,
        account: Option<&AccountSid>,
        number: &PhoneNumber,
    ) -> Result<Standing> {
        let inventory = self.list(actor, account).await?;
        let mut found = inventory.numbers.into_iter().filter(|one| one.owned.number == *number);
        match (found.next(), inventory.unread.into_iter().next()) {
            (Some(standing), _) => Ok(standing),
            (None, Some(unread)) => Err(unread.why),
            (None, None) => Err(Error::not_found(format!("no account here has {number}"))
                .hint("`webox numbers list` shows those that they have")),
        }
    }

    /// Gives a number back.
    pub async fn release(&self, actor: &Actor, standing: &Standing, now: Timestamp) -> Result<()> {
        actor.may_administer()?;
        let account = self.account(actor, Some(&standing.account)).await?;
        let number = &standing.owned.number;
        account
            .release(&standing.owned.sid)
            .await
            .map_err(|error| told(&format!("{number} was not given back"), &error))?;
        let assistant = standing.assistant.as_ref().map(AssistantName::as_str);
        self.note(
            actor,
            Deed {
                action: "number.release",
                target: format!("number/{number}"),
                before: json!({ "account": standing.account, "assistant": assistant }),
                after: Value::Null,
            },
            now,
        )
        .await
        .map_err(|error| unwritten(&format!("{number} was given back"), &error))
    }

    /// Adds a line to the audit log.
    pub(super) async fn note(&self, actor: &Actor, deed: Deed, now: Timestamp) -> Result<()> {
        let actor = actor.clone();
        self.store.write_async(move |tx| audit::record(tx, &actor, now, &deed)).await
    }
}

/// What Twilio did is done, whether or not it could be written down here.
pub(super) fn unwritten(done: &str, error: &Error) -> Error {
    Error::new(Kind::Partial, format!("{done}, and the audit log does not say so"))
        .because(error.with_causes())
        .hint("look at the database: `webox doctor --only store`; at Twilio nothing is left to do")
}

/// Whether what was asked for may have been done.
fn is_unclear(error: &RestError) -> bool {
    match error {
        RestError::Unreachable(_) | RestError::Unreadable(_) => true,
        RestError::Refused(refusal) => matches!(refusal.status, 408 | 500..),
        RestError::NotConnected(_) | RestError::NoCredential => false,
    }
}

/// The number among those that are to be had, whatever its kind.
async fn on_sale(
    account: &OpenAccount,
    country: &CountryCode,
    number: &PhoneNumber,
) -> Result<Option<OnSale>, RestError> {
    for kind in NumberKind::ALL {
        let search = Search {
            country: country.clone(),
            kind,
            contains: number.as_str().parse().ok(),
            locality: None,
            most: 20,
        };
        let found = account.numbers_on_sale(&search).await?;
        if let Some(found) = found.into_iter().find(|one| one.number == *number) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
