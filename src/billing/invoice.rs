//! A bill, as it is issued: everything that it says is in it, and nothing of it changes afterwards.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    catalogue::{Client, NamedVat, Seller, Vat},
    party::Party,
    statement::Line,
};
use crate::domain::{Cents, Error, LanguageTag, Month, Percent, Result};

/// A bill, or what takes one back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invoice {
    /// Its number: without gaps in a year.
    pub number: String,
    /// The bill that this one takes back, whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<Credited>,
    /// The client, by the name that assistants' files give.
    pub client: String,
    /// For which month.
    pub month: Month,
    /// The day of its issue.
    #[schemars(with = "String")]
    pub issued: Date,
    /// The day by which it is to be paid.
    #[schemars(with = "String")]
    pub due: Date,
    /// ISO 4217.
    pub currency: String,
    /// Of the text.
    pub language: LanguageTag,
    /// Who bills.
    pub seller: Party,
    /// Who pays.
    pub buyer: Party,
    /// What the buyer wants to read on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Where to pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iban: Option<String>,
    /// The bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bic: Option<String>,
    /// What holds for paying early and late.
    pub terms: Terms,
    /// What is paid for.
    pub lines: Vec<Line>,
    /// Before tax.
    pub net: Cents,
    /// By rate.
    pub taxes: Vec<Tax>,
    /// All of the tax.
    pub tax: Cents,
    /// What is to be paid; less than nothing in one that takes another back.
    pub total: Cents,
}

/// A bill as it was issued, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IssuedInvoice")]
pub struct Issued {
    /// All that it says.
    #[serde(flatten)]
    pub invoice: Invoice,
    /// The number of what took it back.
    pub credited_by: Option<String>,
}

/// A bill that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credited {
    /// Its number.
    pub number: String,
    /// The day of its issue.
    #[schemars(with = "String")]
    pub issued: Date,
}

/// The tax of the lines at one rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tax {
    /// Which.
    pub vat: Vat,
    /// The lines before tax.
    pub base: Cents,
    /// The tax on these: rounded once, as EN 16931 wants it (rule BR-CO-17).
    pub amount: Cents,
}

impl Vat {
    /// The rate.
    pub const fn rate(self) -> Percent {
        match self {
            Self::Rate(rate) => rate,
            Self::Named(NamedVat::ReverseCharge | NamedVat::Exempt) => Percent::ZERO,
        }
    }
}

/// What stands on a bill beside its lines.
#[derive(Debug)]
pub struct Heading<'h> {
    /// Who bills.
    pub seller: &'h Seller,
    /// The client's name in files.
    pub client: &'h str,
    /// What is agreed with them.
    pub terms: &'h Client,
    /// The month.
    pub month: Month,
    /// The day of its issue.
    pub issued: Date,
}

/// The currency of bills.
pub const CURRENCY: &str = "EUR";

/// What holds for paying early and late: each must stand on bills between companies (Code de commerce,
/// art. L441-9 and D441-5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// Of paying early.
    pub discount: String,
    /// Of paying late.
    pub penalties: String,
    /// Of having to be asked.
    pub recovery: String,
}

impl Terms {
    /// The seller's words, else the law's.
    fn of(seller: &Seller, french: bool) -> Self {
        let words = |own: &Option<String>, fr: &str, en: &str| {
            own.clone().unwrap_or_else(|| if french { fr } else { en }.to_owned())
        };
        let own = &seller.terms;
        Self {
            discount: words(
                &own.discount,
                "Pas d'escompte pour paiement anticipé.",
                "No discount for early payment.",
            ),
            penalties: words(
                &own.penalties,
                "Pénalités de retard : trois fois le taux d'intérêt légal (Code de commerce, art. L441-10).",
                "Late payment interest: three times the French legal rate (Code de commerce, art. L441-10).",
            ),
            recovery: words(
                &own.recovery,
                "Indemnité forfaitaire pour frais de recouvrement : 40 € (art. D441-5).",
                "Lump sum for recovery costs: €40 (art. D441-5).",
            ),
        }
    }
}

impl Invoice {
    /// A bill of some lines. Its number comes last, when it is stored.
    pub fn of(heading: &Heading<'_>, lines: Vec<Line>) -> Result<Self> {
        let Heading { seller, client, terms, month, issued } = *heading;
        let language = terms.language.clone().unwrap_or_else(LanguageTag::french);
        let due = issued.checked_add(i64::from(seller.due_days).days()).map_err(|error| {
            Error::input("the day by which it is to be paid is beyond the calendar").because(error)
        })?;
        let mut buyer = terms.company.clone();
        if buyer.name.trim().is_empty() {
            client.clone_into(&mut buyer.name);
        }
        if lines.is_empty() {
            return Err(Error::input(format!("`{client}` owes nothing for {month}"))
                .hint("a bill has one line at least"));
        }
        let missing = [
            ("street", buyer.street.is_empty()),
            ("city", buyer.city.is_none()),
            ("country", buyer.country.is_none()),
        ];
        if let Some((key, _)) = missing.into_iter().find(|(_, missing)| *missing) {
            return Err(Error::config(format!("a bill for `{client}` needs their whole address"))
                .hint(format!(
                    "give `{key}` under `[clients.\"{client}\".company]` of billing.toml"
                )));
        }
        let reverse = |line: &Line| line.vat == Vat::Named(NamedVat::ReverseCharge);
        if lines.iter().any(reverse) && buyer.vat_number.is_none() {
            return Err(Error::config(format!(
                "`{client}` owes the tax itself, and its number for value added tax is not known"
            ))
            .hint(format!(
                "give `vat_number` under `[clients.\"{client}\".company]` of billing.toml"
            )));
        }
        let bill_terms = Terms::of(seller, language.primary() == "fr");
        let (net, taxes) = (lines.iter().map(|line| line.net).sum::<Cents>(), taxes(&lines));
        let tax = taxes.iter().map(|tax| tax.amount).sum();
        Ok(Self {
            number: String::new(),
            credits: None,
            client: client.to_owned(),
            month,
            issued,
            due,
            currency: CURRENCY.to_owned(),
            language,
            seller: seller.company.clone(),
            buyer,
            reference: terms.reference.clone(),
            iban: seller.iban.clone(),
            bic: seller.bic.clone(),
            terms: bill_terms,
            lines,
            net,
            taxes,
            tax,
            total: net.plus(tax),
        })
    }

    /// What French electronic invoicing refuses it for: both sides have an address there (BR-FR-12 and
    /// BR-FR-13 of its rules).
    pub fn refused_for(&self) -> Option<String> {
        if self.seller.country.as_deref() != Some("FR") {
            return None;
        }
        let sides = [("seller", &self.seller), ("client", &self.buyer)];
        let (who, _) = sides.into_iter().find(|(_, party)| party.email.is_none())?;
        Some(format!(
            "the {who} has no `email` in billing.toml, without which French electronic invoicing takes no bill"
        ))
    }

    /// What takes it back, whole.
    #[must_use]
    pub fn credit(&self, issued: Date) -> Self {
        let mut credit = self.clone();
        let number = std::mem::take(&mut credit.number);
        credit.credits = Some(Credited { number, issued: self.issued });
        (credit.issued, credit.due) = (issued, issued);
        for line in &mut credit.lines {
            line.net = line.net.negated();
        }
        for tax in &mut credit.taxes {
            (tax.base, tax.amount) = (tax.base.negated(), tax.amount.negated());
        }
        credit.net = credit.net.negated();
        credit.tax = credit.tax.negated();
        credit.total = credit.total.negated();
        credit
    }
}

/// The tax on some lines, by rate, in the order in which rates come up.
pub fn taxes(lines: &[Line]) -> Vec<Tax> {
    let mut order = Vec::new();
    let mut bases: BTreeMap<usize, Cents> = BTreeMap::new();
    for line in lines {
        let place = order.iter().position(|vat| *vat == line.vat).unwrap_or_else(|| {
            order.push(line.vat);
            order.len() - 1
        });
        let base = bases.entry(place).or_default();
        *base = base.plus(line.net);
    }
    let tax = |(place, base): (usize, Cents)| {
        let vat = order[place];
        Tax { vat, base, amount: base.at(vat.rate()) }
    };
    bases.into_iter().map(tax).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::billing::{catalogue::Catalogue, statement};

    pub(in crate::billing) const FILE: &str = r#"
[seller]
vat  = 20
iban = "FR76 3000 6000 0112 3456 7890 189"
[seller.company]
name       = "Agence Écho"
street     = ["1 rue de la Paix"]
postcode   = "75002"
city       = "Paris"
country    = "FR"
siren      = "732829320"
vat_number = "FR44732829320"
email      = "factures@agence-echo.example"
legal      = "SARL au capital de 10 000 €, RCS Paris 732 829 320"
[clients."Le Gourmet"]
reference = "BC-2026-17"
[clients."Le Gourmet".company]
name     = "SARL Le Gourmet & Fils"
street   = ["12 quai de l'Île"]
postcode = "35000"
city     = "Rennes"
country  = "FR"
[clients."Lampen".company]
name       = "Lampen GmbH"
street     = ["Hauptstraße 5"]
postcode   = "10827"
city       = "Berlin"
country    = "DE"
vat_number = "DE136695976"
"#;

    pub(in crate::billing) fn invoice(client: &str, vat: Option<Vat>, calls: u64) -> Invoice {
        let catalogue = Catalogue::read("billing.toml", FILE).unwrap();
        let month: Month = "2026-11".parse().unwrap();
        let used = statement::Use {
            assistant: "le-gourmet".to_owned(),
            calls,
            seconds: 0,
            start: "2026-01-01".parse().unwrap(),
            end: None,
        };
        let seller = catalogue.seller.as_ref().unwrap();
        let plan = &catalogue.plans["starter"];
        let lines = statement::lines("starter", plan, vat.unwrap_or(seller.vat), month, &used);
        let issued = "2026-12-01".parse().unwrap();
        let terms = &catalogue.clients[client];
        let heading = Heading { seller, client, terms, month, issued };
        let mut invoice = Invoice::of(&heading, lines).unwrap();
        invoice.number = "F2026-0001".to_owned();
        invoice
    }

    #[test]
    fn tax_is_reckoned_on_the_sum_and_a_credit_takes_all_of_it_back() {
        let invoice = invoice("Le Gourmet", None, 113);
        assert_eq!(invoice.net.to_string(), "59.75");
        assert_eq!(
            (invoice.tax.to_string(), invoice.total.to_string()),
            ("11.95".into(), "71.70".into())
        );
        assert_eq!(invoice.due.to_string(), "2026-12-31");
        assert!(invoice.refused_for().unwrap().contains("the client has no `email`"));
        let credit = invoice.credit("2026-12-05".parse().unwrap());
        assert_eq!(credit.credits.as_ref().unwrap().number, "F2026-0001");
        assert_eq!(credit.total.plus(invoice.total), Cents::ZERO);
        let json = serde_json::to_string(&invoice).unwrap();
        assert_eq!(serde_json::from_str::<Invoice>(&json).unwrap(), invoice);
    }

    #[test]
    fn who_owes_the_tax_itself_pays_none_to_us_and_has_a_number() {
        let reverse = Some(Vat::Named(NamedVat::ReverseCharge));
        let invoice = invoice("Lampen", reverse, 0);
        assert_eq!((invoice.tax, invoice.total.to_string()), (Cents::ZERO, "50.00".to_owned()));
        let unnumbered = std::panic::catch_unwind(|| self::invoice("Le Gourmet", reverse, 0));
        assert!(unnumbered.is_err());
    }
}
