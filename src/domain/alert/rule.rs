//! Rules as files write them, and what is wrong with them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    super::{HumanDuration, TimeRange},
    AlertKind, AlertLevel, AlertRecipient, AlertSeverity,
};

/// A rule as a file writes it: `[[alerts.rules]]` of `webox.toml`, `[[alerts]]` of an assistant's file.
/// What is left out is as it is usual, or as the rule of the same name has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// What is watched.
    pub rule: AlertKind,
    /// What the rule is called, where there are several that watch the same; as `rule` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// From this value on it is too much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<AlertLevel>,
    /// Below this value it is well again; four fifths of the threshold otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover: Option<AlertLevel>,
    /// Over how long it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<HumanDuration>,
    /// How long it must be too much before anybody is told.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub hold: Option<HumanDuration>,
    /// How long it must be well before it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recover_for: Option<HumanDuration>,
    /// Of how many calls, replies or ratings anything can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    /// How long after it was told it is told again while it goes on; `0s`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind: Option<HumanDuration>,
    /// How bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<AlertSeverity>,
    /// Stretches of the day in which nobody is told, unless it is critical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Vec<TimeRange>>,
    /// Who is told: names of destinations in `webox.toml`, e-mail addresses, numbers for SMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Vec<String>>,
    /// Whether money is watched for each assistant by itself: in `webox.toml`, where it is added up
    /// otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<bool>,
}

/// Rules in one file.
const MOST: usize = 50;

/// Those whom one rule tells.
const MOST_TOLD: usize = 10;

/// The shortest and the longest window, in seconds.
const MINUTE: u64 = 60;
const DAY: u64 = 86_400;

impl AlertRule {
    /// A rule of a kind, with nothing said about it.
    pub const fn new(rule: AlertKind) -> Self {
        Self {
            rule,
            name: None,
            active: None,
            threshold: None,
            recover: None,
            window: None,
            hold: None,
            recover_for: None,
            at_least: None,
            remind: None,
            severity: None,
            quiet: None,
            to: None,
            each: None,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.rule.as_str())
    }

    /// The first rule broken among those of a file: the path of the key below `path`, and what is
    /// wrong with it.
    pub fn broken_among(
        all: &[Self],
        path: &str,
        of_assistant: bool,
        known: Option<&dyn Fn(&str) -> bool>,
    ) -> Option<(String, String)> {
        if all.len() > MOST {
            return Some((path.to_owned(), format!("has more than {MOST} rules")));
        }
        all.iter().enumerate().find_map(|(at, one)| {
            let key = |key: &str| format!("{path}[{at}].{key}");
            if let Some((wrong, what)) = one.broken(of_assistant) {
                return Some((key(wrong), what));
            }
            for told in one.to.iter().flatten() {
                match AlertRecipient::read(told) {
                    Err(what) => return Some((key("to"), what)),
                    Ok(AlertRecipient::Named(name)) => {
                        if known.is_some_and(|known| !known(&name)) {
                            let what = format!(
                                "names `{}`, which no `[[alerts.destinations]]` is called",
                                name.escape_debug()
                            );
                            return Some((key("to"), what));
                        }
                    }
                    Ok(_) => {}
                }
            }
            all[..at].iter().any(|other| other.name() == one.name()).then(|| {
                let what = format!("is called `{}` like another: give it a `name`", one.name());
                (key("name"), what)
            })
        })
    }

    /// What is wrong with how long after it was told an alert is told again: people are rung, and SMS
    /// are paid for.
    pub fn broken_remind(remind: HumanDuration) -> Option<&'static str> {
        let fits = remind.as_secs() == 0 || (MINUTE..=31 * DAY).contains(&remind.as_secs());
        (!fits).then_some("lies between 1m and 31d, or is `0s`: never")
    }

    pub(super) fn broken(&self, of_assistant: bool) -> Option<(&'static str, String)> {
        let kind = self.rule;
        let wrong = |key: &'static str, what: &str| Some((key, what.to_owned()));
        if of_assistant && !kind.is_of_assistants() {
            return wrong("rule", "is of the whole webox: write it in `webox.toml`");
        }
        if of_assistant && self.each.is_some() {
            return wrong("each", "is for `webox.toml` only: here it is of this assistant");
        }
        if self.each.is_some() && !kind.is_spend() {
            return wrong("each", "is for `spend-day` and `spend-month` only");
        }
        let name = self.name();
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 63 || !name.chars().all(letter) {
            return wrong("name", "has 1 to 63 lower-case letters, digits and hyphens");
        }
        if self.name.is_some()
            && AlertKind::ALL.iter().any(|other| *other != kind && other.as_str() == name)
        {
            return wrong("name", "is what another rule is called");
        }
        for (key, level) in [("threshold", self.threshold), ("recover", self.recover)] {
            let Some(level) = level else { continue };
            if kind == AlertKind::ProviderDown {
                return wrong(key, "is for rules with a value: a provider is up or down");
            }
            if level.unit() != kind.unit() {
                return Some((key, format!("is {}, for `{kind}`", kind.unit().example())));
            }
            if key == "threshold" && level.get() <= 0 {
                return wrong(key, "must be more than nothing");
            }
            if kind == AlertKind::Disk && level.get() > 10_000 {
                return wrong(key, "is more than 100%");
            }
        }
        if let (Some(threshold), Some(recover)) = (self.threshold, self.recover) {
            if recover.currency() != threshold.currency() {
                return wrong("recover", "must be in the currency of `threshold`");
            }
            if recover.get() > threshold.get() {
                return wrong("recover", "cannot be more than `threshold`");
            }
        }
        if let Some(window) = self.window {
            let fits = match kind {
                AlertKind::FailedCalls => MINUTE..=7 * DAY,
                AlertKind::Latency | AlertKind::Signatures | AlertKind::StoreErrors => MINUTE..=DAY,
                AlertKind::Satisfaction => DAY..=60 * DAY,
                _ => {
                    return wrong("window", "is for rules that look at a time: not for this one");
                }
            };
            if !fits.contains(&window.as_secs()) {
                let (least, most) = (
                    HumanDuration::from_secs(*fits.start()),
                    HumanDuration::from_secs(*fits.end()),
                );
                return Some(("window", format!("lies between {least} and {most}")));
            }
        }
        for (key, length) in [("for", self.hold), ("recover_for", self.recover_for)] {
            if length.is_some_and(|length| length.as_secs() > 7 * DAY) {
                return wrong(key, "is longer than 7 days");
            }
        }
        if let Some(what) = self.remind.and_then(Self::broken_remind) {
            return wrong("remind", what);
        }
        let counts = matches!(
            kind,
            AlertKind::FailedCalls
                | AlertKind::NoCalls
                | AlertKind::Latency
                | AlertKind::Satisfaction
        );
        if self.at_least.is_some() && !counts {
            return wrong(
                "at_least",
                "is for `failed-calls`, `no-calls`, `latency` and `satisfaction` only",
            );
        }
        if self.quiet.as_ref().is_some_and(|quiet| quiet.len() > 10) {
            return wrong("quiet", "has more than 10 stretches");
        }
        if self.to.as_ref().is_some_and(|to| to.len() > MOST_TOLD) {
            return wrong("to", "has more than 10 entries");
        }
        None
    }

    /// This rule, with what another one of the same name says laid over it.
    pub(super) fn under(&self, over: &Self) -> Self {
        // A threshold of its own has a lower bound of its own.
        let recover = if over.threshold.is_some() { over.recover } else { self.recover };
        Self {
            rule: over.rule,
            name: Some(over.name().to_owned()),
            active: over.active.or(self.active),
            threshold: over.threshold.or(self.threshold),
            recover: over.recover.or(recover),
            window: over.window.or(self.window),
            hold: over.hold.or(self.hold),
            recover_for: over.recover_for.or(self.recover_for),
            at_least: over.at_least.or(self.at_least),
            remind: over.remind.or(self.remind),
            severity: over.severity.or(self.severity),
            quiet: over.quiet.clone().or_else(|| self.quiet.clone()),
            to: over.to.clone().or_else(|| self.to.clone()),
            each: over.each.or(self.each),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> AlertRule {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_makes_no_sense_is_refused_at_its_key() {
        let told = |json: &str, own: bool| {
            let known: &dyn Fn(&str) -> bool = &|name| name == "equipe";
            AlertRule::broken_among(&[read(json)], "alerts", own, Some(known)).map(|(key, _)| key)
        };
        for (json, own, key) in [
            (r#"{"rule":"disk"}"#, true, "rule"),
            (r#"{"rule":"disk","threshold":"101%"}"#, false, "threshold"),
            (r#"{"rule":"latency","threshold":"20%"}"#, true, "threshold"),
            (r#"{"rule":"latency","threshold":"0s"}"#, true, "threshold"),
            (r#"{"rule":"failed-calls","threshold":"20%","recover":"30%"}"#, true, "recover"),
            (r#"{"rule":"spend-day","threshold":"5 EUR","recover":"4 USD"}"#, false, "recover"),
            (r#"{"rule":"provider-down","threshold":2}"#, false, "threshold"),
            (r#"{"rule":"disk","window":"1h"}"#, false, "window"),
            (r#"{"rule":"latency","window":"2d"}"#, false, "window"),
            (r#"{"rule":"latency","for":"8d"}"#, false, "for"),
            (r#"{"rule":"disk","at_least":3}"#, false, "at_least"),
            (r#"{"rule":"disk","remind":"59s"}"#, false, "remind"),
            (r#"{"rule":"latency","remind":"32d"}"#, true, "remind"),
            (r#"{"rule":"disk","each":true}"#, false, "each"),
            (r#"{"rule":"spend-day","each":true}"#, true, "each"),
            (r#"{"rule":"latency","name":"A b"}"#, true, "name"),
            (r#"{"rule":"latency","name":"disk"}"#, true, "name"),
            (r#"{"rule":"latency","to":["nobody"]}"#, true, "to"),
            (r#"{"rule":"latency","to":["a@"]}"#, true, "to"),
            (r#"{"rule":"latency","to":["+33"]}"#, true, "to"),
        ] {
            assert_eq!(told(json, own), Some(format!("alerts[0].{key}")), "{json}");
        }
        for good in [
            r#"{"rule":"latency","threshold":"800ms","to":["equipe","a@b.fr","+33612345678"]}"#,
            r#"{"rule":"latency","remind":"0s"}"#,
            r#"{"rule":"latency","remind":"1m"}"#,
            r#"{"rule":"satisfaction","threshold":0.4,"window":"14d","quiet":["22:00-07:00"]}"#,
        ] {
            assert_eq!(told(good, true), None, "{good}");
        }
        let twice = [read(r#"{"rule":"latency"}"#), read(r#"{"rule":"latency"}"#)];
        let (key, _) = AlertRule::broken_among(&twice, "alerts", true, None).unwrap();
        assert_eq!(key, "alerts[1].name");
    }
}
