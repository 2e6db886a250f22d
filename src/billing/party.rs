//! Who bills, and who pays: as a bill must name them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::EmailAddress;

/// A company, as it stands on a bill (Code de commerce, art. R123-237 and L441-9; CGI, annexe II,
/// art. 242 nonies A).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Party {
    /// Its legal name.
    pub name: String,
    /// Street and number, up to three lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub street: Vec<String>,
    /// Postcode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// Town.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Two letters (ISO 3166-1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The number of a French company: nine digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub siren: Option<String>,
    /// Its number for value added tax, such as `FR40123456824`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
    /// Where bills are sent to, or questions about them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    /// What else the law wants at the foot: legal form, capital, register.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal: Option<String>,
}

impl Party {
    /// What is wrong with it: the key, and why.
    pub fn mistakes(&self) -> Vec<(&'static str, String)> {
        let mut mistakes = Vec::new();
        if self.street.len() > 3 {
            mistakes.push(("street", "has three lines at most".to_owned()));
        }
        if let Some(country) = &self.country
            && !(country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
        {
            mistakes.push(("country", "is two capital letters, such as `FR`".to_owned()));
        }
        if let Some(siren) = &self.siren
            && !is_siren(siren)
        {
            mistakes
                .push(("siren", "is nine digits, the last of which checks the others".to_owned()));
        }
        if let Some(number) = &self.vat_number
            && let Some(why) = vat_number_mistake(number, self.siren.as_deref())
        {
            mistakes.push(("vat_number", why));
        }
        mistakes
    }
}

/// Whether it is the number of a French company: nine digits with a Luhn check.
fn is_siren(text: &str) -> bool {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    digits.is_some_and(|digits| {
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(place, digit)| match (place % 2, digit * 2) {
                (0, _) => *digit,
                (_, twice) if twice > 9 => twice - 9,
                (_, twice) => twice,
            })
            .sum();
        digits.len() == 9 && sum.is_multiple_of(10)
    })
}

/// French numbers carry a key that is reckoned from the SIREN; of others only the form is looked at.
fn vat_number_mistake(number: &str, siren: Option<&str>) -> Option<String> {
    let form = number.len() >= 4
        && number.len() <= 14
        && number.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        && number.bytes().skip(2).all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if !form {
        return Some(
            "is a country and a number without blanks, such as `FR40123456824`".to_owned(),
        );
    }
    let (key, own) = (number.strip_prefix("FR")?.get(..2)?, number.get(4..)?);
    if !is_siren(own) {
        return Some("ends in the nine digits of the SIREN".to_owned());
    }
    if siren.is_some_and(|siren| siren != own) {
        return Some("is that of another SIREN".to_owned());
    }
    let reckoned = (12 + 3 * (own.parse::<u64>().ok()? % 97)) % 97;
    match key.parse::<u64>() {
        Ok(key) if key != reckoned => Some(format!("has the key {key:02}, not {reckoned:02}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_companies_are_checked() {
        // The French tax office's own example of a SIREN with its key.
        assert!(is_siren("732829320") && !is_siren("732829321") && !is_siren("73282932"));
        let wrong = |number: &str| vat_number_mistake(number, Some("732829320"));
        assert_eq!(wrong("FR44732829320"), None);
        assert!(wrong("FR45732829320").unwrap().contains("44"));
        assert!(wrong("FR44123456782").is_some());
        assert!(wrong("FR44 732829320").unwrap().contains("without blanks"));
        assert_eq!(vat_number_mistake("DE136695976", None), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(number in "\\PC{0,20}", siren in "\\PC{0,12}") {
            let _ = (is_siren(&siren), vat_number_mistake(&number, Some(&siren)));
        }
    }
}
