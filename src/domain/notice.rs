//! What people are told in words: callers by SMS, clients by e-mail.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Deliver, DeliveryEvent, DestinationKind};

/// What an SMS may tell, and what it tells when a file does not say.
pub(super) const SAID_BY_SMS: &[DeliveryEvent] = &[
    DeliveryEvent::BookingCreated,
    DeliveryEvent::BookingChanged,
    DeliveryEvent::BookingCancelled,
    DeliveryEvent::BookingReminder,
];

/// What an e-mail tells when a file does not say.
pub(super) const SAID_BY_EMAIL: &[DeliveryEvent] = &[
    DeliveryEvent::BookingCreated,
    DeliveryEvent::BookingChanged,
    DeliveryEvent::BookingCancelled,
    DeliveryEvent::MessageTaken,
    DeliveryEvent::CallTransferred,
];

/// Reminders of one booking, and how long before it begins.
const MOST_REMINDERS: usize = 3;
const REMINDED: std::ops::RangeInclusive<i64> = 10..=14 * 24 * 60;

/// How long texts and subjects of files may be.
const LONGEST_TEXT: usize = 2_000;
const LONGEST_SUBJECT: usize = 200;

/// Parts of an SMS that a text may come to: each is paid for.
pub const MOST_SEGMENTS: usize = 3;

/// An SMS or an e-mail, as it is stored: fixed when it happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// A number, or an address.
    pub to: String,
    /// The number that it comes from; at an e-mail, who is shown to have sent it.
    pub from: String,
    /// What an e-mail is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it says.
    pub text: String,
    /// When nobody needs it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// In how many parts an SMS is sent (3GPP TS 23.038): 160 letters of the short alphabet or 70 of any
/// other; 153 and 67 where there are several parts.
pub fn sms_segments(text: &str) -> usize {
    /// What the short alphabet has besides digits, the letters from A to Z and blanks.
    const SHORT: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà\n\r";
    const TWICE: &str = "^{}\\[~]|€";
    let short = |c: char| match c {
        c if c.is_ascii_alphanumeric() || c == ' ' || SHORT.contains(c) => Some(1),
        c if TWICE.contains(c) => Some(2),
        _ => None,
    };
    let units: Option<usize> = text.chars().map(short).sum();
    let (units, (one, each)) = match units {
        Some(units) => (units, (160, 153)),
        None => (text.encode_utf16().count(), (70, 67)),
    };
    if units <= one { 1 } else { units.div_ceil(each) }
}

impl Deliver {
    /// The rule broken by what only SMS and e-mail have, or do not have.
    pub(super) fn broken_notice(&self) -> Option<(String, String)> {
        let wrong = |key: &str, what: &str| Some((key.to_owned(), what.to_owned()));
        let given = |keys: &[(&'static str, bool)]| {
            keys.iter().find(|(_, given)| *given).map(|(key, _)| *key)
        };
        if !self.to.is_notice() {
            let keys = [
                ("address", self.address.is_some()),
                ("remind", !self.remind.is_empty()),
                ("text", self.text.is_some()),
                ("texts", !self.texts.is_empty()),
                ("subject", self.subject.is_some()),
            ];
            if let Some(key) = given(&keys) {
                let of =
                    if key == "remind" { "is for SMS only" } else { "is for SMS and e-mail only" };
                return wrong(key, of);
            }
            let reminder = self.events.contains(&DeliveryEvent::BookingReminder);
            return reminder
                .then(|| ("events".into(), "has a reminder, which is for SMS only".into()));
        }
        let keys = [
            ("url", self.url.is_some()),
            ("secret", self.secret.is_some()),
            ("client_id", self.client_id.is_some()),
            ("fields", !self.fields.is_empty()),
        ];
        if let Some(key) = given(&keys) {
            return wrong(key, "has no meaning for SMS and e-mail");
        }
        if self.to == DestinationKind::Sms {
            if let Some(key) = given(&[
                ("address", self.address.is_some()),
                ("subject", self.subject.is_some()),
                ("transcript", !self.transcript),
            ]) {
                return wrong(key, "is not for SMS");
            }
            if self.events.iter().any(|event| !SAID_BY_SMS.contains(event)) {
                return wrong("events", "has more than bookings: an SMS goes to the caller");
            }
            let named = self.events.contains(&DeliveryEvent::BookingReminder);
            if named && self.remind.is_empty() {
                return wrong("remind", "is missing: how long before, such as `[\"24h\"]`");
            }
            if !named && !self.events.is_empty() && !self.remind.is_empty() {
                return wrong("remind", "has no effect: `events` leaves out `booking.reminder`");
            }
        } else {
            if !self.remind.is_empty() {
                return wrong("remind", "is for SMS only");
            }
            if self.events.contains(&DeliveryEvent::BookingReminder) {
                return wrong("events", "has a reminder, which is for SMS only");
            }
        }
        if self.remind.len() > MOST_REMINDERS {
            return wrong("remind", "has more than 3 times");
        }
        if self.remind.iter().any(|before| !REMINDED.contains(&before.as_minutes())) {
            return wrong("remind", "is from 10 minutes to 14 days");
        }
        if let Some(event) = self.texts.keys().find(|event| !self.wants(**event)) {
            return Some((
                format!("texts.{event}"),
                "is never said: `events` leaves it out".into(),
            ));
        }
        let too_long = |text: &String| text.chars().count() > LONGEST_TEXT;
        if self.text.as_ref().is_some_and(too_long) {
            return wrong("text", "is longer than 2,000 characters");
        }
        if let Some((event, _)) = self.texts.iter().find(|(_, text)| too_long(text)) {
            return Some((format!("texts.{event}"), "is longer than 2,000 characters".into()));
        }
        let subject = self.subject.as_ref();
        subject
            .is_some_and(|subject| subject.chars().count() > LONGEST_SUBJECT)
            .then(|| ("subject".into(), "is longer than 200 characters".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_carriers_do() {
        for (text, parts) in [
            ("é".repeat(160), 1),
            ("é".repeat(161), 2),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("ê".repeat(70), 1),
            ("ê".repeat(71), 2),
            ("a".repeat(3 * 153), 3),
            ("a".repeat(3 * 153 + 1), 4),
            ("😀".repeat(36), 2),
        ] {
            assert_eq!(sms_segments(&text), parts, "{} × {:?}", text.len(), text.chars().next());
        }
    }

    #[test]
    fn each_kind_takes_what_makes_sense() {
        let read = |json: &str| {
            let place: Deliver = serde_json::from_str(json).unwrap();
            place.broken_notice().map(|(key, _)| key)
        };
        for good in [
            r#"{"to":"sms"}"#,
            r#"{"to":"sms","remind":["24h","2h"]}"#,
            r#"{"to":"sms","events":["booking.reminder"],"remind":["1d"],"text":"x"}"#,
            r#"{"to":"email","address":"a@b.fr","subject":"x","texts":{"message.taken":"x"}}"#,
        ] {
            assert_eq!(read(good), None, "{good}");
        }
        for (wrong, key) in [
            (r#"{"to":"webhook","text":"x"}"#, "text"),
            (r#"{"to":"webhook","remind":["1h"]}"#, "remind"),
            (r#"{"to":"webhook","events":["booking.reminder"]}"#, "events"),
            (r#"{"to":"sms","secret":{"env":"A"}}"#, "secret"),
            (r#"{"to":"sms","address":"a@b.fr"}"#, "address"),
            (r#"{"to":"sms","events":["message.taken"]}"#, "events"),
            (r#"{"to":"sms","events":["booking.reminder"]}"#, "remind"),
            (r#"{"to":"sms","events":["booking.created"],"remind":["1h"]}"#, "remind"),
            (r#"{"to":"sms","remind":["1h","2h","3h","4h"]}"#, "remind"),
            (r#"{"to":"sms","remind":["15d"]}"#, "remind"),
            (r#"{"to":"sms","remind":["9m"]}"#, "remind"),
            (r#"{"to":"email","remind":["1h"]}"#, "remind"),
            (r#"{"to":"email","texts":{"call.ended":"x"}}"#, "texts.call.ended"),
        ] {
            assert_eq!(read(wrong).as_deref(), Some(key), "{wrong}");
        }
    }
}
