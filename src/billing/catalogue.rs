//! `billing.toml`: who bills, by which plans, and what is agreed with whom.

use std::{collections::BTreeMap, ops::Range, path::Path, sync::OnceLock};

use jiff::{civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{party::Party, plan::Plan};
use crate::{
    document::{self, Problem},
    domain::{Agreed, Allowances, Error, LanguageTag, Percent, Result, ZoneName, suggestion_hint},
};

/// All that bills are made by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// The agency's zone, whose clocks part the months; that of Paris where nothing is given.
    pub timezone: Option<ZoneName>,
    /// Who bills; without it there are previews only.
    pub seller: Option<Seller>,
    /// By name, those that webox ships with among them.
    pub plans: BTreeMap<String, Plan>,
    /// What is agreed with clients, by the name that their assistants' files give.
    pub clients: BTreeMap<String, Client>,
}

/// Who bills.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seller {
    /// The company.
    pub company: Party,
    /// The tax, where a plan says no other.
    #[serde(default)]
    pub vat: Vat,
    /// Before the number of each bill; `{year}` is the year that it is issued in, and begins anew at 1.
    #[serde(default = "prefix")]
    pub prefix: String,
    /// The last number that was given elsewhere, by a database that was lost or by other software: those of its
    /// series go on after it.
    #[serde(default)]
    pub last_number: Option<String>,
    /// Days until a bill is to be paid.
    #[serde(default = "days")]
    pub due_days: u16,
    /// Where to pay.
    #[serde(default)]
    pub iban: Option<String>,
    /// The bank.
    #[serde(default)]
    pub bic: Option<String>,
    /// What holds for paying early and late; the law's words in France where nothing is given.
    #[serde(default)]
    pub terms: SellerTerms,
}

/// The seller's own words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SellerTerms {
    /// Of paying early.
    pub discount: Option<String>,
    /// Of paying late.
    pub penalties: Option<String>,
    /// Of having to be asked.
    pub recovery: Option<String>,
}

fn prefix() -> String {
    "F{year}-".to_owned()
}

const fn days() -> u16 {
    30
}

/// Whether and how there is tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a rate such as 20, \"reverse-charge\" or \"exempt\"")]
pub enum Vat {
    /// A word.
    Named(NamedVat),
    /// At a rate.
    Rate(Percent),
}

/// How there is no tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NamedVat {
    /// The buyer owes it: a company in another country of the Union (CGI, art. 283-2).
    ReverseCharge,
    /// The seller owes none (in France, CGI, art. 293 B).
    Exempt,
}

impl Default for Vat {
    fn default() -> Self {
        Self::Named(NamedVat::Exempt)
    }
}

/// What is agreed with a client.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    /// As the bill names them; by the name of the files alone where nothing is given.
    pub company: Party,
    /// The plan of assistants whose files name none.
    pub plan: Option<String>,
    /// From this day on, for the first assistants; those made later begin on the day that they were made,
    /// as all do where nothing is given.
    #[serde(deserialize_with = "day")]
    pub start: Option<Date>,
    /// Up to this day.
    #[serde(deserialize_with = "day")]
    pub end: Option<Date>,
    /// Another tax than the seller's.
    pub vat: Option<Vat>,
    /// The language of bills: French, else English. French where nothing is given.
    pub language: Option<LanguageTag>,
    /// What the client wants to read on each bill, such as an order's number.
    pub reference: Option<String>,
}

/// A day, as TOML writes one or as text.
fn day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Date>, D::Error> {
    let text = match toml::Value::deserialize(from)? {
        toml::Value::Datetime(written) => written.to_string(),
        toml::Value::String(text) => text,
        _ => return Err(D::Error::custom("a day is meant here, such as 2026-11-01")),
    };
    let plain = text.len() == 10;
    let read = text.parse().ok().filter(|_| plain);
    read.map(Some).ok_or_else(|| D::Error::custom("a day is meant here, such as 2026-11-01"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    timezone: Option<ZoneName>,
    seller: Option<Seller>,
    plans: BTreeMap<String, Plan>,
    clients: BTreeMap<String, Client>,
}

/// The plans that webox ships with.
fn shipped() -> &'static BTreeMap<String, Plan> {
    static PLANS: OnceLock<BTreeMap<String, Plan>> = OnceLock::new();
    // A test proves that the file is read.
    PLANS.get_or_init(|| {
        document::read("plans.toml", include_str!("plans.toml"))
            .map(|written: Written| written.plans)
            .unwrap_or_default()
    })
}

impl Catalogue {
    /// Without a file: previews by the plans that webox ships with.
    pub fn shipped() -> Self {
        Self { plans: shipped().clone(), ..Self::default() }
    }

    /// Reads a file, or says all that is wrong with it.
    pub fn read(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let written: Written = document::read(name, text)?;
        let mut plans = shipped().clone();
        plans.extend(written.plans);
        let read = Self {
            timezone: written.timezone,
            seller: written.seller,
            plans,
            clients: written.clients,
        };
        let wrong = read.mistakes();
        if wrong.is_empty() {
            return Ok(read);
        }
        let table = document::parse(name, text)?;
        let problem = |(path, why): (Vec<&str>, String)| {
            let message = format!("`{}` {why}", path.join("."));
            let place: Option<Range<usize>> = document::place_of(table.get_ref(), &path);
            match place {
                Some(span) => Problem::on(name, text, span, message),
                None => Problem::of_file(name, message),
            }
        };
        Err(wrong.into_iter().map(problem).collect())
    }

    /// Reads a file from the disk.
    ///
    /// # Errors
    /// When it cannot be read, or has mistakes: all of them, each with its place.
    pub fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|cause| {
            Error::config(format!("cannot read the plans in {name}"))
                .hint("correct `file` in `[billing]` of webox.toml, or leave it out")
                .because(cause)
        })?;
        Self::read(&name, &text).map_err(|problems| {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            Error::config(lines.join("\n")).hint("the keys are in `man webox.toml`, under Plans")
        })
    }

    /// The agency's zone.
    pub fn zone(&self) -> TimeZone {
        let named = self.timezone.as_ref().map(ZoneName::zone);
        named.or_else(|| TimeZone::get("Europe/Paris").ok()).unwrap_or(TimeZone::UTC)
    }

    /// How much its plans let assistants be used.
    pub fn allowances(&self) -> Allowances {
        let agreed = |client: &Client| Agreed {
            plan: client.plan.clone(),
            start: client.start,
            end: client.end,
        };
        let plans = self.plans.iter().map(|(name, plan)| (name.clone(), plan.allowance()));
        let clients = self.clients.iter().map(|(name, client)| (name.clone(), agreed(client)));
        Allowances { zone: self.zone(), plans: plans.collect(), clients: clients.collect() }
    }

    /// The tax of a plan for a client: what is agreed with them, else the plan's, else the seller's.
    pub fn vat(&self, plan: &Plan, client: Option<&Client>) -> Vat {
        let agreed = client.and_then(|client| client.vat);
        let usual = || self.seller.as_ref().map(|seller| seller.vat).unwrap_or_default();
        agreed.or(plan.vat.map(Vat::Rate)).unwrap_or_else(usual)
    }

    fn mistakes(&self) -> Vec<(Vec<&str>, String)> {
        let mut wrong = Vec::new();
        if let Some(seller) = &self.seller {
            // Whoever charges a tax, or has the buyer owe it, has a number for it.
            let exempt = Vat::Named(NamedVat::Exempt);
            let taxed = seller.vat != exempt
                || self.plans.values().any(|plan| plan.vat.is_some())
                || self.clients.values().any(|client| client.vat.is_some_and(|vat| vat != exempt));
            let company = seller.company.mistakes().into_iter().chain(seller.missing(taxed));
            wrong.extend(company.map(|(key, why)| (vec!["seller", "company", key], why)));
            let told = seller.mistakes().into_iter();
            wrong.extend(told.map(|(key, why)| (vec!["seller", key], why)));
        }
        for (name, plan) in &self.plans {
            let told = plan.mistakes().into_iter();
            wrong.extend(told.map(|(key, why)| (vec!["plans", name, key], format!(": {why}"))));
        }
        for (name, client) in &self.clients {
            let company = client.company.mistakes().into_iter();
            wrong.extend(company.map(|(key, why)| (vec!["clients", name, "company", key], why)));
            let mut add = |key, why| wrong.push((vec!["clients", name.as_str(), key], why));
            if let Some(plan) = &client.plan
                && !self.plans.contains_key(plan)
            {
                add("plan", self.unknown_plan(plan));
            }
            if let Some(why) = self.tax_mistake(client) {
                add("vat", why);
            }
            if let (Some(start), Some(end)) = (client.start, client.end)
                && end < start
            {
                add("end", "is before `start`".to_owned());
            }
        }
        wrong
    }

    /// Why the tax agreed with a client cannot be.
    fn tax_mistake(&self, client: &Client) -> Option<String> {
        let (seller, vat) = (self.seller.as_ref()?, client.vat?);
        let abroad = || client.company.country != seller.company.country;
        match vat {
            Vat::Named(NamedVat::Exempt) if matches!(seller.vat, Vat::Rate(_)) => Some(
                "cannot be `exempt` where the seller charges tax (CGI, art. 293 B is the seller's): give a rate, or `reverse-charge`"
                    .to_owned(),
            ),
            Vat::Named(NamedVat::ReverseCharge) if client.company.country.is_some() && !abroad() => {
                Some("cannot be `reverse-charge` within the seller's country (CGI, art. 283-2)".to_owned())
            }
            _ => None,
        }
    }

    /// Why a name is that of no plan, and which was meant.
    pub fn unknown_plan(&self, name: &str) -> String {
        let known = self.plans.keys().map(String::as_str);
        let hint = suggestion_hint(name, known).unwrap_or_else(|| {
            format!("there are {}", self.plans.keys().cloned().collect::<Vec<_>>().join(", "))
        });
        format!("is no plan: {hint}")
    }
}

impl Seller {
    /// What the numbers of bills begin with that are issued on a day: in each series they are counted
    /// from 1.
    pub fn series(&self, issued: Date) -> String {
        self.prefix.replace("{year}", &issued.year().to_string())
    }

    /// How far a series was counted elsewhere.
    pub fn last_elsewhere(&self, series: &str) -> Option<u32> {
        let counter = self.last_number.as_deref()?.strip_prefix(series)?;
        // No sign, and no more of them than anybody issues: a slip would leave a gap for ever.
        let is_counter = counter.len() <= 6 && counter.bytes().all(|byte| byte.is_ascii_digit());
        counter.parse().ok().filter(|_| is_counter)
    }

    /// Whether a number is one that bills have here, of whatever year.
    fn is_number(&self, number: &str) -> bool {
        let year = self
            .prefix
            .split_once("{year}")
            .and_then(|(before, _)| number.strip_prefix(before)?.get(..4))
            .filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()));
        let series = self.prefix.replace("{year}", year.unwrap_or_default());
        self.last_elsewhere(&series).is_some_and(|last| last > 0)
    }

    /// What every bill must have of it, and it has not.
    fn missing(&self, taxed: bool) -> impl Iterator<Item = (&'static str, String)> {
        let company = &self.company;
        let french = company.country.as_deref() == Some("FR");
        [
            ("name", company.name.trim().is_empty()),
            ("street", company.street.is_empty()),
            ("city", company.city.is_none()),
            ("country", company.country.is_none()),
            ("siren", french && company.siren.is_none()),
            ("vat_number", taxed && company.vat_number.is_none()),
        ]
        .into_iter()
        .filter(|(_, missing)| *missing)
        .map(|(key, _)| (key, "is missing: every bill must have it".to_owned()))
    }

    fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.vat == Vat::Named(NamedVat::ReverseCharge) {
            wrong.push(("vat", "is that of a client, never of all of them".to_owned()));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_/".contains(c);
        let prefix = self.prefix.replace("{year}", "");
        if !prefix.chars().all(plain) || self.prefix.len() > 20 {
            wrong.push(("prefix", "is letters, digits, `-`, `_`, `/` and `{year}`".to_owned()));
        }
        if let Some(number) = &self.last_number
            && !self.is_number(number)
        {
            let like = self.prefix.replace("{year}", "2026");
            wrong.push(("last_number", format!("is no number of a bill, such as `{like}0041`")));
        }
        if self.due_days > 60 {
            wrong.push((
                "due_days",
                "is 60 at most between companies (Code de commerce, art. L441-10)".to_owned(),
            ));
        }
        if let Some(iban) = &self.iban
            && !is_iban(iban)
        {
            wrong.push(("iban", "is not one: its check digits do not fit".to_owned()));
        }
        wrong
    }
}

/// Whether the check digits of an account's number fit (ISO 13616: 97-10 of ISO 7064).
fn is_iban(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| *c != ' ').collect();
    if !(15..=34).contains(&plain.len()) || !plain.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return false;
    }
    let turned = plain[4..].chars().chain(plain[..4].chars());
    let rest = turned.filter_map(|c| c.to_digit(36)).fold(0_u64, |rest, digit| {
        let shift = if digit > 9 { 100 } else { 10 };
        (rest * shift + u64::from(digit)) % 97
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const SELLER: &str = "[seller]\nvat = 20\n[seller.company]\nname = \"Agence\"\nstreet = [\"1 rue de la Paix\"]\npostcode = \"75002\"\ncity = \"Paris\"\ncountry = \"FR\"\nsiren = \"732829320\"\nvat_number = \"FR44732829320\"\n";

    fn told(text: &str) -> String {
        let problems = Catalogue::read("billing.toml", text).unwrap_err();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_shipped_plans_are_those_of_the_price_list() {
        let catalogue = Catalogue::shipped();
        assert!(catalogue.mistakes().is_empty());
        let names: Vec<_> = catalogue.plans.keys().map(String::as_str).collect();
        assert_eq!(names, ["enterprise", "freemium", "pay-per-call", "pro", "starter"]);
        assert_eq!(catalogue.plans["pro"].calls, Some(500));
    }

    #[test]
    fn a_file_adds_to_them() {
        let text = format!(
            "[seller]\niban = \"FR76 3000 6000 0112 3456 7890 189\"{}[plans.starter]\nmonth = 60\n\
             [clients.\"Le Gourmet\"]\nplan = \"starter\"\nstart = \"2026-11-12\"\nvat = \"reverse-charge\"\n",
            &SELLER["[seller]".len()..]
        );
        let read = Catalogue::read("billing.toml", &text).unwrap();
        assert_eq!(read.plans["starter"].calls, None, "a plan of the file stands for itself");
        assert_eq!(read.seller.as_ref().unwrap().prefix, "F{year}-");
        let client = &read.clients["Le Gourmet"];
        assert_eq!(client.vat, Some(Vat::Named(NamedVat::ReverseCharge)));
        let starter = &read.plans["starter"];
        assert_eq!(client.start, Some("2026-11-12".parse().unwrap()));
        let agreed = Catalogue::default().vat(starter, Some(client));
        assert_eq!(agreed, Vat::Named(NamedVat::ReverseCharge));
        let dated = Catalogue::read("x", "[clients.A]\nstart = 2026-11-12\n").unwrap();
        assert_eq!(dated.clients["A"].start, client.start);
        assert!(Catalogue::read("x", "[clients.A]\nstart = 2026-11-12T08:00:00\n").is_err());
    }

    #[test]
    fn mistakes_have_a_place() {
        let told_of = |text: &str, parts: &[&str]| {
            let told = told(text);
            for part in parts {
                assert!(told.contains(part), "{part} in {told}");
            }
        };
        told_of("[plans.x]\ncalls = 5\n", &["billing.toml:2:", "`plans.x.calls`", "no price"]);
        told_of("[plans.x]\nmnth = 5\n", &["billing.toml:2:1", "month"]);
        told_of("[clients.A]\nplan = \"startr\"\n", &["billing.toml:2:", "did you mean `starter`"]);
        told_of(
            "[seller.company]\nname = \"A\"\n",
            &["`seller.company.street` is missing", "`seller.company.city`"],
        );
        let last =
            |number: &str| SELLER.replace("vat = 20", &format!("last_number = \"{number}\""));
        for wrong in ["41", "F26-0041", "F2026-", "F2026-0000", "F2026-+041", "G2026-0041"] {
            told_of(&last(wrong), &["billing.toml:2:", "`seller.last_number`", "`F2026-0041`"]);
        }
        let read = Catalogue::read("billing.toml", &last("F2025-0041")).unwrap();
        let seller = read.seller.unwrap();
        assert_eq!(
            (seller.last_elsewhere("F2025-"), seller.last_elsewhere("F2026-")),
            (Some(41), None)
        );
        told_of(&SELLER.replace("FR44", "FR45"), &["billing.toml:10:", "has the key 45, not 44"]);
        let wrong = SELLER.replace("vat = 20", "vat = 20\niban = \"FR7630006000011234567890188\"");
        told_of(&wrong, &["billing.toml:3:", "`seller.iban`"]);
        let client = |vat: &str| {
            format!("{SELLER}[clients.A]\nvat = \"{vat}\"\ncompany = {{ country = \"FR\" }}\n")
        };
        told_of(&client("exempt"), &["billing.toml:12:", "where the seller charges tax"]);
        told_of(&client("reverse-charge"), &["billing.toml:12:", "within the seller's country"]);
        let abroad = client("reverse-charge").replace("country = \"FR\" }", "country = \"BE\" }");
        assert!(Catalogue::read("x", &abroad).is_ok());
        told_of("[clients.A]\nstart = \"2026-02-01\"\nend = \"2026-01-01\"\n", &["before `start`"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = Catalogue::read("x", &text);
            let _ = is_iban(&text);
        }
    }
}
