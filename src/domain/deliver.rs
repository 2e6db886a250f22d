//! Where an assistant's file has what happened delivered to: `[[deliver]]`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    DeliveryEvent, DestinationKind, EmailAddress, HumanDuration, SecretRef,
    notice::{SAID_BY_EMAIL, SAID_BY_SMS},
};

/// One place that is told what happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deliver {
    /// What kind of place it is.
    pub to: DestinationKind,
    /// What it is called in `webox deliveries`; by its kind when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address of a webhook; the organisation's own domain at Salesforce; a company's at Pipedrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What a webhook is signed with (`whsec_…`), or the key to the other places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// The consumer key of the application at Salesforce that the secret belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Who writes into a CalDAV calendar; the secret is the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The calendar at Google that is shared with the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Whose calendar it is, of the resources of `[booking]`; everybody's when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Whether what else stands in a calendar takes up its time.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub busy: bool,
    /// What is told; everything when it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<DeliveryEvent>,
    /// Whether what was said goes along.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub transcript: bool,
    /// Fields of the place's own, with templates for values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Whom an e-mail goes to; to the `email` of the assistant otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<EmailAddress>,
    /// How long before a booking begins its caller is reminded by SMS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remind: Vec<HumanDuration>,
    /// What an SMS or e-mail says, as a template; good words in the caller's language otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The same for one event alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<DeliveryEvent, String>,
    /// What an e-mail is about, as a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

const fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_yes(yes: &bool) -> bool {
    *yes
}

/// Places that one assistant may have told.
const MOST: usize = 10;

/// Fields of one place, and how long a template may be.
const MOST_FIELDS: usize = 50;
const LONGEST_TEMPLATE: usize = 1_000;

impl Deliver {
    /// What it is called: deliveries name it, so that a new address or key reaches those that wait.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.to.as_str())
    }

    /// Whether it is told of an event. Calendars hold bookings, and all of them.
    pub fn wants(&self, event: DeliveryEvent) -> bool {
        if self.to.is_calendar() {
            return event.is_change_of_a_booking();
        }
        if !self.events.is_empty() {
            return self.events.contains(&event);
        }
        match self.to {
            DestinationKind::Sms => SAID_BY_SMS.contains(&event),
            DestinationKind::Email => SAID_BY_EMAIL.contains(&event),
            _ => event != DeliveryEvent::BookingReminder,
        }
    }

    /// The template of its own for an event, if it has one.
    pub fn text_for(&self, event: DeliveryEvent) -> Option<&str> {
        self.texts.get(&event).or(self.text.as_ref()).map(String::as_str)
    }

    /// What is sent where with what: who may not name a secret may not send it elsewhere either.
    pub fn door(&self) -> (DestinationKind, [Option<&str>; 4], Option<&SecretRef>) {
        let whither = [&self.url, &self.client_id, &self.user, &self.calendar];
        (self.to, whither.map(Option::as_deref), self.secret.as_ref())
    }

    /// The rule broken, if any: the key and what is wrong with it.
    fn broken(&self) -> Option<(String, String)> {
        use DestinationKind::{
            Caldav, Email, GoogleCalendar, Hubspot, Pipedrive, Salesforce, Sms, Webhook,
        };
        let wrong = |key: &str, what: &str| Some((key.to_owned(), what.to_owned()));
        let is_name = |name: &str| {
            (1..=63).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        if self.name.as_deref().is_some_and(|name| !is_name(name)) {
            return wrong("name", "has 1 to 63 letters, digits, `-`, `_`, `.`");
        }
        if let Some(broken) = self.broken_notice() {
            return Some(broken);
        }
        if self.to.is_notice() {
            return self.broken_calendar();
        }
        match (self.to, &self.url) {
            (Webhook, None) => return wrong("url", "is missing: where should it be delivered to?"),
            (Salesforce, None) => {
                return wrong(
                    "url",
                    "is missing: the organisation's own domain, such as `https://acme.my.salesforce.com`",
                );
            }
            (Caldav, None) => {
                return wrong(
                    "url",
                    "is missing: the calendar's own address, such as `https://cal.example.com/user/calendar/`",
                );
            }
            (GoogleCalendar, Some(_)) => {
                return wrong("url", "is not needed for Google: `calendar` says which it is");
            }
            (Hubspot, Some(_)) => {
                return wrong("url", "is not needed for HubSpot: the key says whose account it is");
            }
            (_, Some(url)) if !is_address(url) => {
                return wrong(
                    "url",
                    "is no address: write it like `https://crm.example.com/hooks`",
                );
            }
            _ => {}
        }
        if let Some(broken) = self.broken_calendar() {
            return Some(broken);
        }
        if self.secret.is_none() {
            return match self.to {
                Webhook => wrong(
                    "secret",
                    "is missing: what the webhook is signed with, such as `{ env = \"CRM_HOOK_SECRET\" }`",
                ),
                Hubspot | Pipedrive => {
                    wrong("secret", "is missing: the key, such as `{ env = \"CRM_KEY\" }`")
                }
                Salesforce => {
                    wrong("secret", "is missing: the consumer secret that belongs to `client_id`")
                }
                Caldav => wrong("secret", "is missing: the password of `user`"),
                GoogleCalendar => {
                    wrong("secret", "is missing: the JSON key of the service account")
                }
                // They need none, and were looked at above.
                Sms | Email => None,
            };
        }
        match (self.to, &self.client_id) {
            (Salesforce, None) => wrong("client_id", "is missing: the consumer key at Salesforce"),
            (_, Some(_)) if self.to != Salesforce => wrong("client_id", "is for Salesforce only"),
            _ if self.fields.len() > MOST_FIELDS => wrong("fields", "has more than 50 fields"),
            _ => self.fields.iter().find_map(|(field, template)| {
                let key = || format!("fields.{field}");
                if field.trim().is_empty() || field.len() > 100 {
                    return Some((key(), "is no name for a field".to_owned()));
                }
                (template.chars().count() > LONGEST_TEMPLATE)
                    .then(|| (key(), "is longer than 1,000 characters".to_owned()))
            }),
        }
    }

    /// The rule broken by what only calendars have.
    fn broken_calendar(&self) -> Option<(String, String)> {
        let wrong = |key: &str, what: &str| Some((key.to_owned(), what.to_owned()));
        if !self.to.is_calendar() {
            let given = [
                ("user", self.user.is_some()),
                ("calendar", self.calendar.is_some()),
                ("resource", self.resource.is_some()),
                ("busy", !self.busy),
            ];
            let (key, _) = given.into_iter().find(|(_, given)| *given)?;
            return wrong(key, "is for calendars only");
        }
        match (self.to, &self.user, &self.calendar) {
            (DestinationKind::Caldav, None, _) => {
                return wrong("user", "is missing: who writes into the calendar");
            }
            (DestinationKind::Caldav, _, Some(_)) => {
                return wrong("calendar", "is for Google only: `url` says which calendar it is");
            }
            (DestinationKind::GoogleCalendar, _, None) => {
                return wrong(
                    "calendar",
                    "is missing: which calendar, such as `abc@group.calendar.google.com`",
                );
            }
            (DestinationKind::GoogleCalendar, Some(_), _) => {
                return wrong("user", "is for CalDAV only: the key says who writes");
            }
            _ => {}
        }
        if !self.events.is_empty() {
            return wrong("events", "has no meaning for a calendar: it holds the bookings");
        }
        (!self.fields.is_empty()).then(|| ("fields".into(), "has no meaning for a calendar".into()))
    }

    /// The first rule broken by an assistant's places: the path of the key and what is wrong with it.
    pub(super) fn broken_among(all: &[Self], email: Option<&str>) -> Option<(String, String)> {
        if all.len() > MOST {
            return Some(("deliver".to_owned(), "has more than 10 places".to_owned()));
        }
        all.iter().enumerate().find_map(|(at, one)| {
            if let Some((key, what)) = one.broken() {
                return Some((format!("deliver[{at}].{key}"), what));
            }
            if one.to == DestinationKind::Email && one.address.is_none() && email.is_none() {
                let what = "is missing: whom should it go to? Or give the assistant an `email`";
                return Some((format!("deliver[{at}].address"), what.to_owned()));
            }
            all[..at].iter().any(|other| other.name() == one.name()).then(|| {
                let what = format!("is called `{}` like another: give it a `name`", one.name());
                (format!("deliver[{at}]"), what)
            })
        })
    }
}

/// Whether a text looks like the address of something on the web; the request itself is judged when
/// it is sent.
pub(super) fn is_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !host.is_empty()
        && !host.contains('@')
        && url.len() <= 2_000
        && !url.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<(String, String)> {
        let all: Vec<Deliver> = serde_json::from_str(json).unwrap();
        Deliver::broken_among(&all, None)
    }

    #[test]
    fn each_kind_needs_what_it_needs() {
        let secret = r#""secret":{"env":"S"}"#;
        let good = [
            format!(r#"{{"to":"webhook","url":"https://a.example/b",{secret}}}"#),
            format!(r#"{{"to":"hubspot",{secret}}}"#),
            format!(r#"{{"to":"pipedrive",{secret}}}"#),
            format!(r#"{{"to":"salesforce","url":"https://a.example","client_id":"x",{secret}}}"#),
        ];
        assert_eq!(read(&format!("[{}]", good.join(","))), None);
        for (wrong, key) in [
            (format!(r#"{{"to":"webhook",{secret}}}"#), "url"),
            (r#"{"to":"webhook","url":"https://a.example"}"#.to_owned(), "secret"),
            (format!(r#"{{"to":"webhook","url":"a.example",{secret}}}"#), "url"),
            (format!(r#"{{"to":"webhook","url":"https://u@a.example",{secret}}}"#), "url"),
            (format!(r#"{{"to":"hubspot","url":"https://a.example",{secret}}}"#), "url"),
            (format!(r#"{{"to":"hubspot","client_id":"x",{secret}}}"#), "client_id"),
            (format!(r#"{{"to":"salesforce","url":"https://a.example",{secret}}}"#), "client_id"),
            (format!(r#"{{"to":"hubspot","name":"a b",{secret}}}"#), "name"),
        ] {
            let (path, _) = read(&format!("[{wrong}]")).unwrap();
            assert_eq!(path, format!("deliver[0].{key}"), "{wrong}");
        }
        let twice = format!("[{},{}]", good[1], good[1]);
        assert_eq!(read(&twice).unwrap().0, "deliver[1]");
    }
}
