//! E-mail addresses, in one spelling.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Error, text::text_type};

/// An e-mail address, in lower case: what a user is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text has the shape of an address. Only mail that arrives proves one.
    pub fn is_like(text: &str) -> bool {
        text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && text.rsplit_once('@').is_some_and(|(user, host)| {
                !user.is_empty()
                    && host.split('.').count() > 1
                    && host.split('.').all(|label| !label.is_empty())
            })
    }
}

impl FromStr for EmailAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim().to_lowercase();
        if Self::is_like(&text) {
            return Ok(Self(text));
        }
        let shown: String = text.chars().take(60).collect();
        Err(Error::input(format!("`{}` is not an e-mail address", shown.escape_debug()))
            .hint("such as `claire@agence.fr`"))
    }
}

text_type!(EmailAddress);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_lower_case() {
        let address: EmailAddress = " Claire@Agence.FR ".parse().unwrap();
        assert_eq!(address.as_str(), "claire@agence.fr");
        for wrong in ["", "a", "@b.fr", "a@b", "a@.fr", "a b@c.fr", "a@b..fr", "a@b.fr\n.x y"] {
            assert!(wrong.parse::<EmailAddress>().is_err(), "{wrong:?}");
        }
    }
}
