//! Phone numbers in E.164, and callers that may not have one.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Country, Error, emergency, text::text_type};

/// A phone number in E.164: `+` and 7 to 15 digits; never an emergency number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads a number already in E.164, as Twilio writes it. Cheap; nothing else is accepted.
    pub fn from_e164(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
            && emergency::in_country(digits).is_none();
        fits.then(|| Self(text.to_owned()))
    }

    /// Whether it is a mobile's in France (06, 07), which Twilio's terms close to machines.
    pub fn is_french_mobile(&self) -> bool {
        ["+336", "+337"].iter().any(|start| self.0.starts_with(start))
    }

    /// Reads a number as people write it: `+33 1 23 45 67 89`, `0033123456789`, `01 23 45 67 89`.
    /// A national spelling is read as French, the home of most of our users.
    pub fn from_any_spelling(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if let Some(number) = Self::from_e164(text) {
            return Ok(number);
        }
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            Error::input(format!("`{}` is not a phone number", shown.escape_debug()))
                .hint("write it with its country code, such as `+33 1 23 45 67 89`")
        };
        if text.len() > 64 {
            return Err(wrong());
        }
        if let Some(short) = emergency::emergency_number(text) {
            return Err(Error::input(format!(
                "`{short}` is an emergency number, which an assistant never dials"
            ))
            .hint("callers who need it are told to hang up and dial it themselves"));
        }
        let international = text.strip_prefix("00").map(|rest| format!("+{rest}"));
        let text = international.as_deref().unwrap_or(text);
        let parsed =
            phonenumber::parse(Some(phonenumber::country::FR), text).map_err(|_| wrong())?;
        if parsed.extension().is_some() {
            return Err(wrong());
        }
        Self::from_e164(&parsed.format().mode(phonenumber::Mode::E164).to_string())
            .ok_or_else(wrong)
    }

    /// The number in E.164.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits without the `+`.
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// Whether an SMS may reach it: not where its country's plan says that it is no mobile.
    pub fn may_take_sms(&self) -> bool {
        use phonenumber::Type::{FixedLineOrMobile, Mobile};
        let kind = phonenumber::parse(None, &self.0)
            .map(|number| number.number_type(&phonenumber::metadata::DATABASE));
        matches!(kind, Ok(Mobile | FixedLineOrMobile))
    }

    /// Where it is, as ISO 3166-1 has it, and whether somebody may simply be called there: not where
    /// its country's plan knows no such number, or has the caller pay for it.
    pub fn destination(&self) -> (Option<String>, bool) {
        use phonenumber::Type::{FixedLine, FixedLineOrMobile, Mobile, TollFree, Voip};
        let Ok(number) = phonenumber::parse(None, &self.0) else { return (None, false) };
        let kind = number.number_type(&phonenumber::metadata::DATABASE);
        let may = matches!(kind, FixedLine | FixedLineOrMobile | Mobile | TollFree | Voip);
        (number.country().id().map(|id| format!("{id:?}")), may)
    }

    /// Whether a call there is dear by its nature: its country's plan has the caller pay for more than the
    /// call, or its code is no country's, as those of satellites are.
    pub fn is_premium(&self) -> bool {
        // Of no country (ITU-T E.164, list of assigned codes): shared cost, satellites, personal numbers,
        // networks, relief, premium. Those of 800 are free.
        const NO_COUNTRYS: [u16; 8] = [808, 870, 878, 881, 882, 883, 888, 979];
        let Ok(number) = phonenumber::parse(None, &self.0) else { return true };
        let kind = number.number_type(&phonenumber::metadata::DATABASE);
        kind == phonenumber::Type::PremiumRate || NO_COUNTRYS.contains(&number.country().code())
    }

    /// The number as people say it to each other where `home` is: without the country code there.
    pub fn as_said(&self, home: &Self) -> String {
        let at_home = Country::of(self).is_some() && Country::of(self) == Country::of(home);
        let mode =
            if at_home { phonenumber::Mode::National } else { phonenumber::Mode::International };
        phonenumber::parse(None, &self.0)
            .map_or_else(|_| self.0.clone(), |number| number.format().mode(mode).to_string())
    }

    /// The number with its middle hidden, for logs: `+3361•••78`.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

/// Hides all but the first five and last two characters of anything that may be a number.
fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= 7 {
        return "•••".to_owned();
    }
    let head: String = chars[..5].iter().collect();
    let tail: String = chars[chars.len() - 2..].iter().collect();
    format!("{head}•••{tail}")
}

impl FromStr for PhoneNumber {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_any_spelling(text)
    }
}

text_type!(PhoneNumber);

/// Who is calling: Twilio's `From`, in all the forms it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A number one can call back.
    Number(PhoneNumber),
    /// The caller hides the number.
    Withheld,
    /// A SIP address, a `client:` name, or whatever the carrier passed on.
    Other(String),
}

/// What carriers send for "withheld": words, and those words typed on a keypad.
/// The keypad forms are valid E.164 by shape: unlisted, all hidden callers would be one person.
const WITHHELD: &[&str] = &[
    "anonymous",
    "unknown",
    "restricted",
    "unavailable",
    "private",
    "blocked",
    "withheld",
    "266696687",
    "7378742833",
    "86282452253",
    "8656696",
    "2562533",
];

impl Caller {
    /// Reads Twilio's `From`; every text is some caller.
    pub fn read(from: &str) -> Self {
        let text = from.trim();
        let bare = text.strip_prefix('+').unwrap_or(text);
        if bare.is_empty() || WITHHELD.iter().any(|word| bare.eq_ignore_ascii_case(word)) {
            return Self::Withheld;
        }
        match PhoneNumber::from_e164(text) {
            Some(number) => Self::Number(number),
            None => Self::Other(text.chars().filter(|c| !c.is_control()).take(128).collect()),
        }
    }

    /// The number, when there is one.
    pub fn number(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Number(number) => Some(number),
            Self::Withheld | Self::Other(_) => None,
        }
    }

    /// What the store and tables hold: the number, the address, or nothing.
    pub fn as_stored(&self) -> Option<&str> {
        match self {
            Self::Number(number) => Some(number.as_str()),
            Self::Withheld => None,
            Self::Other(text) => Some(text),
        }
    }

    /// For logs.
    pub fn masked(&self) -> String {
        match self {
            Self::Number(number) => number.masked(),
            Self::Withheld => "withheld".to_owned(),
            Self::Other(text) => mask(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_spellings_become_e164() {
        for text in [
            "+33123456789",
            "+33 1 23 45 67 89",
            "0033123456789",
            "01 23 45 67 89",
            "01.23.45.67.89",
            "+33 (0)1 23 45 67 89",
            "+33-1-23-45-67-89",
        ] {
            assert_eq!(text.parse::<PhoneNumber>().unwrap().as_str(), "+33123456789", "{text}");
        }
        assert_eq!("+1 (212) 555-0100".parse::<PhoneNumber>().unwrap().as_str(), "+12125550100");
        for wrong in ["", "bonjour", "+", "12", "+33 1 23 45 67 89 poste 4", "+0123456789"] {
            assert!(wrong.parse::<PhoneNumber>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_said_as_at_home() {
        let number = |text: &str| text.parse::<PhoneNumber>().unwrap();
        let (paris, london) = (number("+33123456789"), number("+442079460018"));
        assert_eq!(number("+33612345678").as_said(&paris), "06 12 34 56 78");
        assert_eq!(number("+33612345678").as_said(&london), "+33 6 12 34 56 78");
    }

    #[test]
    fn only_what_may_be_a_mobile_is_sent_an_sms() {
        let may = |text: &str| text.parse::<PhoneNumber>().unwrap().may_take_sms();
        for mobile in ["+33612345678", "+447911123456", "+12125550100", "+4915123456789"] {
            assert!(may(mobile), "{mobile}");
        }
        for other in ["+33123456789", "+442079460018", "+33800123456", "+493012345678"] {
            assert!(!may(other), "{other}");
        }
    }

    #[test]
    fn hidden_callers_are_nobody_in_all_their_disguises() {
        for from in
            ["", "anonymous", "ANONYMOUS", "+266696687", "266696687", "Restricted", "+8656696"]
        {
            assert_eq!(Caller::read(from), Caller::Withheld, "{from}");
        }
        assert_eq!(
            Caller::read("sip:bob@example.com"),
            Caller::Other("sip:bob@example.com".into())
        );
        assert!(Caller::read("+33612345678").number().is_some());
    }

    #[test]
    fn logs_show_a_masked_number() {
        assert_eq!(Caller::read("+33612345678").masked(), "+3361•••78");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_caller_and_never_panics(text in ".*") {
            let _ = Caller::read(&text).masked();
            let _ = text.parse::<PhoneNumber>();
        }

        #[test]
        fn what_parses_is_e164_and_parses_to_itself(digits in "[1-9][0-9]{6,14}") {
            let text = format!("+{digits}");
            proptest::prop_assume!(emergency::in_country(&digits).is_none());
            let number = text.parse::<PhoneNumber>().unwrap();
            proptest::prop_assert_eq!(number.as_str(), text);
        }
    }
}
