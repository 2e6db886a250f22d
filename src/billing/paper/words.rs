//! What stands on a bill, in French or English.

use jiff::civil::Date;

use crate::{
    billing::{
        catalogue::{NamedVat, Vat},
        statement::What,
    },
    domain::{Cents, LanguageTag, Micros, Month},
};

/// A language that bills are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    French,
    English,
}

const MONTHS_FR: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl Words {
    pub(super) fn of(language: &LanguageTag) -> Self {
        if language.primary() == "fr" { Self::French } else { Self::English }
    }

    /// One of two.
    pub(super) const fn either(self, french: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::French => french,
            Self::English => english,
        }
    }

    pub(super) fn date(self, day: Date) -> String {
        let name = |months: [&'static str; 12]| {
            months.get(usize::from(day.month().unsigned_abs()) - 1).copied().unwrap_or_default()
        };
        match (self, day.day()) {
            (Self::French, 1) => format!("1er {} {}", name(MONTHS_FR), day.year()),
            (Self::French, n) => format!("{n} {} {}", name(MONTHS_FR), day.year()),
            (Self::English, n) => format!("{n} {} {}", name(MONTHS_EN), day.year()),
        }
    }

    pub(super) fn month(self, month: Month) -> String {
        let date = self.date(month.last());
        date.split_once(' ').map_or(date.clone(), |(_, rest)| rest.to_owned())
    }

    /// `1 234,50 €`, `€1,234.50`.
    pub(super) fn amount(self, amount: Cents) -> String {
        self.euros(&amount.to_string())
    }

    /// With as many places as the price has.
    pub(super) fn price(self, price: Micros) -> String {
        self.euros(&price.to_string())
    }

    fn euros(self, plain: &str) -> String {
        let (sign, plain) = plain.strip_prefix('-').map_or(("", plain), |rest| ("-", rest));
        let (units, places) = plain.split_once('.').unwrap_or((plain, "00"));
        let gap = self.either("\u{202f}", ",");
        let mut grouped = String::new();
        for (place, digit) in units.chars().enumerate() {
            if place > 0 && (units.len() - place).is_multiple_of(3) {
                grouped.push_str(gap);
            }
            grouped.push(digit);
        }
        match self {
            Self::French => format!("{sign}{grouped},{places}\u{a0}€"),
            Self::English => format!("{sign}€{grouped}.{places}"),
        }
    }

    pub(super) fn vat(self, vat: Vat) -> String {
        match (self, vat) {
            (Self::French, Vat::Rate(rate)) => {
                format!("{}\u{a0}%", rate.to_string().replace('.', ","))
            }
            (Self::English, Vat::Rate(rate)) => format!("{rate}%"),
            (_, Vat::Named(_)) => "—".to_owned(),
        }
    }

    /// Why there is no tax: the words that the law wants.
    pub(super) const fn untaxed(self, vat: Vat) -> Option<&'static str> {
        match vat {
            Vat::Rate(_) => None,
            Vat::Named(NamedVat::Exempt) => Some(self.either(
                "TVA non applicable, article 293 B du CGI",
                "VAT not applicable, article 293 B of the French tax code (CGI)",
            )),
            Vat::Named(NamedVat::ReverseCharge) => Some(self.either(
                "Autoliquidation : TVA due par le preneur, article 283-2 du CGI",
                "Reverse charge: VAT due by the customer, article 196 of Directive 2006/112/EC",
            )),
        }
    }

    /// What a line is for.
    pub(super) fn what(self, what: &What) -> String {
        match (self, what) {
            (Self::French, What::Setup { plan }) => format!("Mise en service, formule {plan}"),
            (Self::English, What::Setup { plan }) => format!("Set-up, plan {plan}"),
            (_, What::Month { plan, from, to }) => {
                let month = Month::of(*from);
                let name = match self {
                    Self::French => format!("Abonnement, formule {plan}, {}", self.month(month)),
                    Self::English => format!("Subscription, plan {plan}, {}", self.month(month)),
                };
                if *from == month.first() && *to == month.last() {
                    return name;
                }
                match self {
                    Self::French => format!("{name} (du {} au {})", from.day(), to.day()),
                    Self::English => format!("{name} ({} to {})", from.day(), to.day()),
                }
            }
            (Self::French, What::Calls { all, covered }) => {
                format!("Appels au-delà du forfait ({all} appels, {covered} compris)")
            }
            (Self::English, What::Calls { all, covered }) => {
                format!("Calls beyond those included ({all} calls, {covered} included)")
            }
            (Self::French, What::Minutes { all, covered }) => {
                format!("Minutes au-delà du forfait ({all} minutes, {covered} comprises)")
            }
            (Self::English, What::Minutes { all, covered }) => {
                format!("Minutes beyond those included ({all} minutes, {covered} included)")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_days_are_written_as_people_write_them() {
        let amount = Cents::new(-123_456_789);
        assert_eq!(Words::French.amount(amount), "-1\u{202f}234\u{202f}567,89\u{a0}€");
        assert_eq!(Words::English.amount(amount), "-€1,234,567.89");
        assert_eq!(Words::French.price("0.0085".parse().unwrap()), "0,0085\u{a0}€");
        let day = "2026-08-01".parse().unwrap();
        assert_eq!(Words::French.date(day), "1er août 2026");
        assert_eq!(Words::English.date(day), "1 August 2026");
        assert_eq!(Words::French.month("2026-12".parse().unwrap()), "décembre 2026");
    }
}
