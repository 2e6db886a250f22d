//! Numbers that an account at Twilio has, and those that are to be had (Twilio, "Voice API:
//! AvailablePhoneNumbers, IncomingPhoneNumbers, Addresses").

use serde::{Deserialize, Deserializer};

use super::{
    access::OpenAccount,
    form::Form,
    rest::{Account, Rest, RestError},
};
use crate::domain::{
    AccountSid, AddressNeed, AddressSid, BundleSid, CountryCode, NumberKind, NumberPattern,
    NumberSid, PhoneNumber, Wiring, WiringChange,
};

/// Numbers of a page: more are asked for when there are more.
const PAGE: &str = "200";

/// More pages than any account has.
const MOST_PAGES: usize = 500;

/// A number that is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnSale {
    /// It.
    pub number: PhoneNumber,
    /// Of which kind.
    pub kind: NumberKind,
    /// Its town, where it has one.
    pub locality: Option<String>,
    /// Its region, where it has one.
    pub region: Option<String>,
    /// The address that whoever has it must have given.
    pub address: AddressNeed,
    /// Whether it sends SMS.
    pub sms: bool,
}

/// Which numbers are looked for.
#[derive(Debug, Clone)]
pub struct Search {
    /// Where.
    pub country: CountryCode,
    /// Of which kind.
    pub kind: NumberKind,
    /// With what in them.
    pub contains: Option<NumberPattern>,
    /// In which town.
    pub locality: Option<String>,
    /// At most so many.
    pub most: u32,
}

/// A number that an account has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Its name.
    pub sid: NumberSid,
    /// It.
    pub number: PhoneNumber,
    /// What the account calls it.
    pub friendly_name: Option<String>,
    /// Whether it rings at all.
    pub voice: bool,
    /// How it is wired.
    pub wiring: Wiring,
}

/// An address of the account's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Its name.
    pub sid: AddressSid,
    /// What the account calls it, or its first line.
    pub label: String,
    /// In which country.
    pub country: Option<CountryCode>,
}

/// What is bought, and what with.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// The number.
    pub number: PhoneNumber,
    /// An address, where one is needed.
    pub address: Option<AddressSid>,
    /// The papers, where they are needed.
    pub bundle: Option<BundleSid>,
}

#[derive(Deserialize)]
struct AvailablePage {
    available_phone_numbers: Vec<AvailableResource>,
}

#[derive(Deserialize)]
struct AvailableResource {
    phone_number: String,
    #[serde(default)]
    locality: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    address_requirements: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    capabilities: Capabilities,
}

/// What is null is as what is not there.
fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Capabilities, D::Error> {
    Ok(Option::<Capabilities>::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Default, Deserialize)]
struct Capabilities {
    #[serde(default, alias = "Voice")]
    voice: Option<bool>,
    #[serde(default, alias = "SMS")]
    sms: Option<bool>,
}

#[derive(Deserialize)]
struct OwnedPage {
    incoming_phone_numbers: Vec<OwnedResource>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

/// Twilio writes a setting that is not set as null, or as an empty text.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct OwnedResource {
    sid: String,
    phone_number: String,
    #[serde(default)]
    friendly_name: Option<String>,
    #[serde(default, deserialize_with = "or_none")]
    capabilities: Capabilities,
    #[serde(default, deserialize_with = "text")]
    voice_url: String,
    #[serde(default, deserialize_with = "text")]
    voice_method: String,
    #[serde(default, deserialize_with = "text")]
    voice_fallback_url: String,
    #[serde(default, deserialize_with = "text")]
    voice_fallback_method: String,
    #[serde(default, deserialize_with = "text")]
    status_callback: String,
    #[serde(default, deserialize_with = "text")]
    status_callback_method: String,
    #[serde(default, deserialize_with = "text")]
    voice_application_sid: String,
    #[serde(default, deserialize_with = "text")]
    trunk_sid: String,
}

impl OwnedResource {
    /// As a type; nothing for what is no phone number: a short code that can only send SMS.
    fn read(self) -> Option<Owned> {
        Some(Owned {
            sid: self.sid.parse().ok()?,
            number: PhoneNumber::from_e164(&self.phone_number)?,
            friendly_name: self.friendly_name.filter(|name| !name.is_empty()),
            voice: self.capabilities.voice.unwrap_or(true),
            wiring: Wiring {
                voice_url: self.voice_url,
                voice_method: self.voice_method,
                voice_fallback_url: self.voice_fallback_url,
                voice_fallback_method: self.voice_fallback_method,
                status_callback: self.status_callback,
                status_callback_method: self.status_callback_method,
                voice_application_sid: self.voice_application_sid,
                trunk_sid: self.trunk_sid,
            },
        })
    }
}

#[derive(Deserialize)]
struct AddressPage {
    addresses: Vec<AddressResource>,
}

#[derive(Deserialize)]
struct AddressResource {
    sid: String,
    #[serde(default)]
    friendly_name: Option<String>,
    #[serde(default)]
    customer_name: Option<String>,
    #[serde(default)]
    iso_country: Option<String>,
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8], what: &str) -> Result<T, RestError> {
    serde_json::from_slice(body).map_err(|_| RestError::Unreadable(format!("it is no {what}")))
}

const fn path_of(kind: NumberKind) -> &'static str {
    match kind {
        NumberKind::Local => "Local",
        NumberKind::National => "National",
        NumberKind::TollFree => "TollFree",
        NumberKind::Mobile => "Mobile",
    }
}

/// The numbers of a page, and where the next page is.
pub(super) fn page(body: &[u8]) -> Result<(Vec<Owned>, Option<String>), RestError> {
    let page: OwnedPage = read(body, "list of numbers")?;
    let numbers = page.incoming_phone_numbers.into_iter().filter_map(OwnedResource::read);
    Ok((numbers.collect(), page.next_page_uri))
}

impl Rest {
    /// The numbers that an account has, page by page; only one of them where one is named.
    pub async fn numbers(
        &self,
        account: &Account,
        only: Option<&PhoneNumber>,
    ) -> Result<Vec<Owned>, RestError> {
        let mut query = vec![("PageSize", PAGE.to_owned())];
        if let Some(number) = only {
            query.push(("PhoneNumber", number.to_string()));
        }
        let path = format!("IncomingPhoneNumbers.json?{}", Form::from_fields(query).encode());
        let mut numbers = self.pages(account, &path, MOST_PAGES, page).await?;
        // Twilio matches parts of numbers.
        numbers.retain(|one| only.is_none_or(|only| one.number == *only));
        Ok(numbers)
    }
}

impl OpenAccount {
    /// Numbers that are to be had; none where a country has none of the kind.
    pub async fn numbers_on_sale(&self, search: &Search) -> Result<Vec<OnSale>, RestError> {
        let mut query = vec![
            ("VoiceEnabled", "true".to_owned()),
            ("PageSize", search.most.clamp(1, 1_000).to_string()),
        ];
        if let Some(pattern) = &search.contains {
            query.push(("Contains", pattern.as_str().to_owned()));
        }
        if let Some(locality) = &search.locality {
            query.push(("InLocality", locality.clone()));
        }
        let (country, kind) = (search.country.as_str(), path_of(search.kind));
        let query = Form::from_fields(query).encode();
        let path = format!("AvailablePhoneNumbers/{country}/{kind}.json?{query}");
        let asked =
            self.with(async |rest, account| rest.read(account, &rest.below(account, &path)).await);
        let body = match asked.await {
            Err(RestError::Refused(refusal)) if refusal.status == 404 => return Ok(Vec::new()),
            asked => asked?,
        };
        let page: AvailablePage = read(&body, "list of numbers")?;
        let numbers = page.available_phone_numbers.into_iter().filter_map(|one| {
            Some(OnSale {
                number: PhoneNumber::from_e164(&one.phone_number)?,
                kind: search.kind,
                locality: one.locality.filter(|text| !text.is_empty()),
                region: one.region.filter(|text| !text.is_empty()),
                address: AddressNeed::from_twilio(
                    one.address_requirements.as_deref().unwrap_or(""),
                ),
                sms: one.capabilities.sms.unwrap_or(false),
            })
        });
        Ok(numbers.take(search.most as usize).collect())
    }

    /// The numbers that the account has; only one of them where one is named.
    pub async fn numbers(&self, only: Option<&PhoneNumber>) -> Result<Vec<Owned>, RestError> {
        self.with(async |rest, account| rest.numbers(account, only).await).await
    }

    /// The addresses that the account has given.
    pub async fn addresses(&self) -> Result<Vec<Address>, RestError> {
        let body = self
            .with(async |rest, account| {
                rest.read(account, &rest.below(account, "Addresses.json?PageSize=200")).await
            })
            .await?;
        let page: AddressPage = read(&body, "list of addresses")?;
        let addresses = page.addresses.into_iter().filter_map(|one| {
            let names = [one.friendly_name, one.customer_name];
            Some(Address {
                sid: one.sid.parse().ok()?,
                label: names
                    .into_iter()
                    .flatten()
                    .find(|name| !name.is_empty())
                    .unwrap_or_default(),
                country: one.iso_country.and_then(|code| code.parse().ok()),
            })
        });
        Ok(addresses.collect())
    }

    /// Buys a number. Asked once: an answer that is lost may be of a number that was bought.
    pub async fn buy(&self, purchase: &Purchase) -> Result<Owned, RestError> {
        let mut fields = vec![("PhoneNumber", purchase.number.to_string())];
        if let Some(address) = &purchase.address {
            fields.push(("AddressSid", address.to_string()));
        }
        if let Some(bundle) = &purchase.bundle {
            fields.push(("BundleSid", bundle.to_string()));
        }
        let form = Form::from_fields(fields);
        let body = self
            .with(async |rest: &Rest, account: &Account| {
                rest.add(account, "IncomingPhoneNumbers.json", &form).await
            })
            .await?;
        one(&body)
    }

    /// Changes how a number is wired; answers how it is then, as Twilio says. A setting that is to be
    /// empty is taken away.
    pub async fn wire(
        &self,
        number: &NumberSid,
        changes: &[WiringChange],
    ) -> Result<Owned, RestError> {
        let fields = changes.iter().map(|one| (parameter(&one.setting), one.after.as_str()));
        let form = Form::from_fields(fields);
        let path = format!("IncomingPhoneNumbers/{number}.json");
        let body = self.with(async |rest, account| rest.set(account, &path, &form).await).await?;
        one(&body)
    }

    /// Gives a number back: it rings no more, and costs nothing more.
    pub async fn release(&self, number: &NumberSid) -> Result<(), RestError> {
        let path = format!("IncomingPhoneNumbers/{number}.json");
        self.with(async |rest, account| rest.delete(account, &path).await).await
    }

    /// Which account it is.
    pub fn sid(&self) -> &AccountSid {
        &self.sid
    }
}

/// `voice_url` as `VoiceUrl`: what is answered in one spelling is asked for in another.
fn parameter(setting: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    setting.split('_').map(capital).collect()
}

pub(super) fn one(body: &[u8]) -> Result<Owned, RestError> {
    let resource: OwnedResource = read(body, "number")?;
    resource.read().ok_or_else(|| RestError::Unreadable("it is no number".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_empty_however_it_is_written() {
        let owned =
            one(br#"{"sid":"PN00000000000000000000000000000001","phone_number":"+33123456789",
                 "friendly_name":"","capabilities":{"voice":true,"SMS":false},
                 "voice_url":null,"voice_method":"POST","trunk_sid":null,"new":1}"#)
            .unwrap();
        assert!(owned.wiring.is_nowhere() && owned.voice && owned.friendly_name.is_none());
        assert!(one(b"<html>").is_err());
        assert!(one(br#"{"sid":"PN1","phone_number":"12345"}"#).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_answer_panics(body in proptest::collection::vec(0_u8.., 0..200)) {
            let _ = one(&body);
            let _ = read::<OwnedPage>(&body, "page");
        }
    }
}
