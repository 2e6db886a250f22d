//! Who is told of alerts.

use serde::Deserialize;

use super::{
    super::{EmailAddress, PhoneNumber, SecretRef},
    AlertChannel, AlertSeverity,
};

/// Somebody who is told: `[[alerts.destinations]]` of `webox.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertDestination {
    /// What rules call it.
    pub name: String,
    /// By which way.
    pub kind: AlertChannel,
    /// Whom an e-mail goes to.
    #[serde(default)]
    pub address: Option<EmailAddress>,
    /// Whom an SMS goes to.
    #[serde(default)]
    pub number: Option<PhoneNumber>,
    /// The number that an SMS comes from; the assistant's own otherwise, where it is about one.
    #[serde(default)]
    pub from: Option<PhoneNumber>,
    /// The address of a webhook.
    #[serde(default)]
    pub url: Option<String>,
    /// What a webhook is signed with (`whsec_…`); for Slack, Teams and Discord the whole address that
    /// they give for incoming messages, which is a key.
    #[serde(default)]
    pub secret: Option<SecretRef>,
    /// A program, and what it is given: run without a shell.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// Told only of what is at least so bad; of everything otherwise.
    #[serde(default)]
    pub severity: Option<AlertSeverity>,
}

/// Destinations there may be.
const MOST: usize = 50;

impl AlertDestination {
    /// The first rule broken among those of a file: the path of the key below `path`, and what is
    /// wrong with it.
    pub fn broken_among(all: &[Self], path: &str) -> Option<(String, String)> {
        if all.len() > MOST {
            return Some((path.to_owned(), format!("has more than {MOST} destinations")));
        }
        all.iter().enumerate().find_map(|(at, one)| {
            if let Some((key, what)) = one.broken() {
                return Some((format!("{path}[{at}].{key}"), what.to_owned()));
            }
            let twice = all[..at].iter().any(|other| other.name == one.name);
            twice.then(|| {
                let what = format!("is `{}` like another's: each has its own", one.name);
                (format!("{path}[{at}].name"), what)
            })
        })
    }

    fn broken(&self) -> Option<(&'static str, &'static str)> {
        use AlertChannel::{Command, Discord, Email, Slack, Sms, Teams, Webhook};
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !(1..=63).contains(&self.name.len()) || !self.name.chars().all(letter) {
            return Some(("name", "has 1 to 63 letters, digits, `-`, `_`, `.`"));
        }
        let is_chat = matches!(self.kind, Slack | Teams | Discord);
        let given = [
            ("address", self.address.is_some(), self.kind == Email, "is for `email` only"),
            ("number", self.number.is_some(), self.kind == Sms, "is for `sms` only"),
            ("from", self.from.is_some(), self.kind == Sms, "is for `sms` only"),
            (
                "url",
                self.url.is_some(),
                self.kind == Webhook,
                "is for `webhook` only: the address of a channel is a key, and goes into `secret`",
            ),
            (
                "secret",
                self.secret.is_some(),
                is_chat || self.kind == Webhook,
                "is for webhooks and channels only",
            ),
            ("command", self.command.is_some(), self.kind == Command, "is for `command` only"),
        ];
        if let Some((key, .., what)) = given.into_iter().find(|(_, is, may, _)| *is && !may) {
            return Some((key, what));
        }
        match self.kind {
            Email if self.address.is_none() => {
                Some(("address", "is missing: whom should it go to?"))
            }
            Sms if self.number.is_none() => Some(("number", "is missing: whom should it go to?")),
            Webhook if self.url.is_none() => Some(("url", "is missing: where should it go to?")),
            Webhook
                if self
                    .url
                    .as_deref()
                    .is_some_and(|url| !super::super::deliver::is_address(url)) =>
            {
                Some(("url", "is no address: write it like `https://ops.example.com/alerts`"))
            }
            Webhook if self.secret.is_none() => Some((
                "secret",
                "is missing: what the webhook is signed with, such as `{ env = \"ALERT_SECRET\" }`",
            )),
            Slack | Teams | Discord if self.secret.is_none() => Some((
                "secret",
                "is missing: the address of the channel's incoming webhook, such as `{ env = \"SLACK_ALERTS_URL\" }`",
            )),
            Command => match self.command.as_deref().and_then(<[String]>::first) {
                None => Some((
                    "command",
                    "is missing: a program and what it is given, such as `[\"/usr/local/bin/page\"]`",
                )),
                Some(program) if !program.starts_with('/') => Some((
                    "command",
                    "begins with the whole path of a program, such as `/usr/local/bin/page`",
                )),
                Some(_) => None,
            },
            _ => None,
        }
    }

    /// Whether it is told of what is so bad.
    pub fn wants(&self, severity: AlertSeverity) -> bool {
        self.severity.is_none_or(|least| severity >= least)
    }
}

/// Somebody whom a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertRecipient {
    /// A destination of `webox.toml`.
    Named(String),
    /// An e-mail address.
    Email(EmailAddress),
    /// A number that takes SMS.
    Number(PhoneNumber),
}

impl AlertRecipient {
    /// Reads one: what has an `@` is an address, what begins with `+` a number.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.contains('@') {
            return text.parse().map(Self::Email).map_err(|error| error.to_string());
        }
        if text.starts_with('+') {
            return text.parse().map(Self::Number).map_err(|error| error.to_string());
        }
        if text.is_empty() {
            return Err("names nobody".to_owned());
        }
        Ok(Self::Named(text.to_owned()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Email(address) => address.as_str(),
            Self::Number(number) => number.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        let one: AlertDestination = serde_json::from_str(json).unwrap();
        AlertDestination::broken_among(&[one], "d").map(|(key, _)| key)
    }

    #[test]
    fn each_way_needs_what_it_needs_and_nothing_else() {
        for good in [
            r#"{"name":"a","kind":"email","address":"a@b.fr","severity":"critical"}"#,
            r#"{"name":"a","kind":"sms","number":"+33612345678","from":"+33123456789"}"#,
            r#"{"name":"a","kind":"slack","secret":{"env":"S"}}"#,
            r#"{"name":"a","kind":"webhook","url":"https://a.example","secret":{"env":"S"}}"#,
            r#"{"name":"a","kind":"command","command":["/bin/true","x"]}"#,
        ] {
            assert_eq!(read(good), None, "{good}");
        }
        for (wrong, key) in [
            (r#"{"name":"a b","kind":"email","address":"a@b.fr"}"#, "name"),
            (r#"{"name":"a","kind":"email"}"#, "address"),
            (r#"{"name":"a","kind":"sms"}"#, "number"),
            (r#"{"name":"a","kind":"slack","url":"https://a.example"}"#, "url"),
            (r#"{"name":"a","kind":"teams"}"#, "secret"),
            (r#"{"name":"a","kind":"webhook","url":"a","secret":{"env":"S"}}"#, "url"),
            (r#"{"name":"a","kind":"webhook","url":"https://a.example"}"#, "secret"),
            (r#"{"name":"a","kind":"command"}"#, "command"),
            (r#"{"name":"a","kind":"command","command":["page"]}"#, "command"),
            (r#"{"name":"a","kind":"command","command":["/x"],"secret":{"env":"S"}}"#, "secret"),
        ] {
            assert_eq!(read(wrong), Some(format!("d[0].{key}")), "{wrong}");
        }
    }
}
