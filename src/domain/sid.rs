//! Twilio's identifiers: two capital letters and 32 hexadecimal digits.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Error, text::text_type};

fn is_sid(text: &str, prefix: &str) -> bool {
    text.len() == 34
        && text.starts_with(prefix)
        && text.as_bytes()[2..].iter().all(u8::is_ascii_hexdigit)
}

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $whose:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The SID as Twilio writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self, Error> {
                if is_sid(text, $prefix) {
                    Ok(Self(text.to_owned()))
                } else {
                    let shown: String = text.chars().take(40).collect();
                    Err(Error::input(format!("`{}` is not the SID of {}", shown.escape_debug(), $whose))
                        .hint(concat!("it is `", $prefix, "` and 32 hexadecimal digits")))
                }
            }
        }

        text_type!($name);
    };
}

sid!(
    /// One leg of a call, Twilio's `CallSid`.
    CallSid,
    "CA",
    "a call"
);
sid!(
    /// A Twilio account or sub-account.
    AccountSid,
    "AC",
    "an account"
);
sid!(
    /// A recording that Twilio keeps.
    RecordingSid,
    "RE",
    "a recording"
);
sid!(
    /// A phone number that an account at Twilio has.
    NumberSid,
    "PN",
    "a number"
);
sid!(
    /// An API key of an account at Twilio; its secret is another thing.
    ApiKeySid,
    "SK",
    "an API key"
);
sid!(
    /// Papers that a regulator wants to see before a number is handed out, approved by Twilio.
    BundleSid,
    "BU",
    "a bundle"
);
sid!(
    /// An address that an account at Twilio has given.
    AddressSid,
    "AD",
    "an address"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_is_two_letters_and_32_hexadecimal_digits() {
        assert!("CA0123456789abcdefABCDEF0123456789".parse::<CallSid>().is_ok());
        for wrong in [
            "",
            "CA",
            "CA0123",
            "AC0123456789abcdefABCDEF0123456789",
            "CA0123456789abcdefABCDEF012345678é",
        ] {
            assert!(wrong.parse::<CallSid>().is_err(), "{wrong}");
        }
    }
}
