//! Phone numbers as Twilio sells them: where, of which kind, and what for they may not be used.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Error, Kind, PhoneNumber, suggestion_hint, text::text_type};

/// A country, as ISO 3166-1 has it: two capital letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode(String);

impl CountryCode {
    /// The two letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a number is.
    pub fn of(number: &PhoneNumber) -> Option<Self> {
        number.destination().0?.parse().ok()
    }
}

impl FromStr for CountryCode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let code = text.trim().to_ascii_uppercase();
        if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Ok(Self(code));
        }
        let shown: String = text.chars().take(40).collect();
        // On the command line nobody sees a hint to this.
        let shown = shown.escape_debug();
        Err(Error::input(format!("`{shown}` is not a country: write its two letters, such as FR")))
    }
}

text_type!(CountryCode);

/// What kind of number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberKind {
    /// Of a town or a region.
    Local,
    /// Of the whole country.
    National,
    /// Callers pay nothing.
    TollFree,
    /// Of a mobile network.
    Mobile,
}

impl NumberKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Local, Self::National, Self::TollFree, Self::Mobile];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::National => "national",
            Self::TollFree => "toll-free",
            Self::Mobile => "mobile",
        }
    }

    /// Whether numbers of this kind may be answered by a machine in a country.
    ///
    /// # Errors
    /// Says what forbids it, and what to take instead.
    pub fn may_be_used_in(self, country: &CountryCode) -> Result<(), Error> {
        if self == Self::Mobile && country.as_str() == "FR" {
            return Err(Error::new(
                Kind::Refused,
                "French mobile numbers are not offered: Twilio's terms for France keep them to calls \
                 between people, and forbid automated calling on them",
            )
            .hint("take a local or a national number: `webox numbers search --country FR`"));
        }
        Ok(())
    }
}

impl fmt::Display for NumberKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NumberKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str);
            Error::input(format!("`{}` is not a kind of number", text.escape_debug())).hint(
                suggestion_hint(text, known)
                    .unwrap_or_else(|| format!("one of {}", known.join(", "))),
            )
        })
    }
}

impl PhoneNumber {
    /// Whether a machine may call and be called at this number.
    ///
    /// # Errors
    /// Says what forbids it.
    pub fn may_be_a_machines(&self) -> Result<(), Error> {
        // All of them, also where the tables of the day do not know the numbers yet.
        match CountryCode::of(self) {
            Some(country) if self.may_take_sms() || self.is_french_mobile() => {
                NumberKind::Mobile.may_be_used_in(&country)
            }
            _ => Ok(()),
        }
    }
}

/// Part of a number: digits, letters as on a keypad, `*` or `%` for whatever is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberPattern(String);

impl NumberPattern {
    /// As Twilio reads it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NumberPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let pattern: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let plain = |c: char| c.is_ascii_alphanumeric() || "*%+$".contains(c);
        if (2..=16).contains(&pattern.chars().count()) && pattern.chars().all(plain) {
            return Ok(Self(pattern));
        }
        Err(Error::input(
            "this is no part of a number: write 2 to 16 digits or letters, `*` for any digit, `%` for any number of them",
        ))
    }
}

/// An address that whoever has a number must have given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressNeed {
    /// None.
    None,
    /// One anywhere.
    Any,
    /// One in the country of the number.
    Local,
    /// One outside of it.
    Foreign,
}

impl AddressNeed {
    /// Reads Twilio's word; one that is new asks for some address.
    pub fn from_twilio(text: &str) -> Self {
        match text {
            "none" | "" => Self::None,
            "local" => Self::Local,
            "foreign" => Self::Foreign,
            _ => Self::Any,
        }
    }

    /// What is needed, in words; nothing where nothing is.
    pub const fn words(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Any => Some("an address"),
            Self::Local => Some("an address in the country of the number"),
            Self::Foreign => Some("an address outside of the country of the number"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_mobile_numbers_are_nobodys_machine() {
        let may = |text: &str| text.parse::<PhoneNumber>().unwrap().may_be_a_machines().is_ok();
        for forbidden in ["+33612345678", "+33712345678"] {
            assert!(!may(forbidden), "{forbidden}");
        }
        for allowed in ["+33123456789", "+33912345678", "+447911123456", "+12125550100"] {
            assert!(may(allowed), "{allowed}");
        }
    }

    #[test]
    fn countries_and_patterns_are_read_strictly() {
        assert_eq!("fr".parse::<CountryCode>().unwrap().as_str(), "FR");
        assert!("FRA".parse::<CountryCode>().is_err() && "é1".parse::<CountryCode>().is_err());
        assert_eq!("+33 1*".parse::<NumberPattern>().unwrap().as_str(), "+331*");
        for wrong in ["1", "12345678901234567", "1&2", ""] {
            assert!(wrong.parse::<NumberPattern>().is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<CountryCode>();
            let _ = text.parse::<NumberPattern>();
            let _ = text.parse::<NumberKind>();
        }
    }
}
