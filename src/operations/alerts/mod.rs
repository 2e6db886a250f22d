//! Alerts: what is watched, what is too much, and who is told.
//!
//! [`look`] measures and moves every alert by one step, in one transaction: whoever looks, and however
//! often a daemon is killed in between, each alert fires once and is over once, with a notice for each
//! who is told. The daemon brings the notices out ([`work`]); people look at them ([`desk`]).

mod away;
mod desk;
mod look;
mod measure;
mod notice;
mod phrases;
mod work;

use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::domain::{
    AlertChannel, AlertDestination, AlertLanguage, AlertRecipient, AlertRule, AlertSeverity,
    HumanDuration, TimeRange, WatchedRule,
};

pub(super) use look::forget;

pub use away::{Away, AwayNotice};
pub use desk::{
    Page, RuleOf, ack, end_silence, list, list_rules, may_test, show, silence, silences, unknown,
};
pub use look::{Turned, look};
pub use measure::Observed;
pub use notice::{Told, trial};
pub use work::{LEASE, count, settle, take_ready};

/// What is watched, and who is told: as the settings say.
#[derive(Debug, Clone)]
pub struct Watch {
    /// Rules of `webox.toml`.
    pub rules: Arc<[AlertRule]>,
    /// Those who can be told.
    pub destinations: Arc<[AlertDestination]>,
    /// Who is told when a rule names nobody.
    pub to: Arc<[String]>,
    /// When nobody is told of what can wait.
    pub quiet: Arc<[TimeRange]>,
    /// How long after it was told an alert is told again where a rule says nothing; as is usual of its
    /// kind otherwise.
    pub remind: Option<HumanDuration>,
    /// Where those hours are, and days, when it is not about one assistant.
    pub zone: TimeZone,
    /// In which language.
    pub language: AlertLanguage,
}

impl Default for Watch {
    fn default() -> Self {
        Self {
            rules: Arc::from([]),
            destinations: Arc::from([]),
            to: Arc::from([]),
            quiet: Arc::from([]),
            remind: None,
            zone: TimeZone::UTC,
            language: AlertLanguage::default(),
        }
    }
}

impl Watch {
    /// Those whom a rule tells, who want to know what is so bad.
    fn told(&self, rule: &WatchedRule) -> Vec<(String, Option<AlertChannel>)> {
        let named = rule.to.as_deref().unwrap_or(&self.to);
        let mut told: Vec<(String, Option<AlertChannel>)> = Vec::new();
        for text in named {
            let Ok(one) = AlertRecipient::read(text) else { continue };
            let channel = match &one {
                AlertRecipient::Email(_) => Some(AlertChannel::Email),
                AlertRecipient::Number(_) => Some(AlertChannel::Sms),
                AlertRecipient::Named(name) => match self.destination(name) {
                    Some(place) if !place.wants(rule.severity) => continue,
                    place => place.map(|place| place.kind),
                },
            };
            if !told.iter().any(|(known, _)| known == one.as_str()) {
                told.push((one.as_str().to_owned(), channel));
            }
        }
        told
    }

    /// The destination with a name.
    pub fn destination(&self, name: &str) -> Option<&AlertDestination> {
        self.destinations.iter().find(|one| one.name == name)
    }

    /// The quiet hours of a rule.
    fn quiet_of<'a>(&'a self, rule: Option<&'a WatchedRule>) -> &'a [TimeRange] {
        rule.and_then(|rule| rule.quiet.as_deref()).unwrap_or(&self.quiet)
    }

    /// How long after it was told what a rule says is told again; nothing when it never is.
    fn remind_of(&self, rule: &WatchedRule) -> Option<HumanDuration> {
        let remind = rule.remind.or(self.remind).unwrap_or_else(|| rule.kind.usual_remind());
        (remind.as_secs() > 0).then_some(remind)
    }

    /// Whether what is so bad waits for the morning.
    const fn waits(severity: AlertSeverity) -> bool {
        !matches!(severity, AlertSeverity::Critical)
    }
}
