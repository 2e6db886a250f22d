//! `[alerts]`: what is watched otherwise than usual, and who is told.

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::{Origin, Setting, load::Sources};
use crate::domain::{
    AlertDestination, AlertLanguage, AlertRecipient, AlertRule, HumanDuration, SecretRef,
    TimeRange, ZoneName,
};

/// What is watched, and who is told.
#[derive(Debug, Clone)]
pub struct Alerts {
    /// In which language.
    pub language: Setting<AlertLanguage>,
    /// When nobody is told of what can wait.
    pub quiet: Setting<Vec<TimeRange>>,
    /// Where those hours are, when it is not about one assistant.
    pub zone: Setting<TimeZone>,
    /// Who is told when a rule names nobody.
    pub to: Setting<Vec<String>>,
    /// How long after it was told an alert is told again where a rule says nothing.
    pub remind: Setting<Option<HumanDuration>>,
    /// Rules laid over those that are usual.
    pub rules: Setting<Vec<AlertRule>>,
    /// Those who can be told.
    pub destinations: Setting<Vec<AlertDestination>>,
}

/// `[alerts]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AlertsSection {
    language: Option<AlertLanguage>,
    quiet: Option<Vec<TimeRange>>,
    timezone: Option<ZoneName>,
    to: Option<Vec<String>>,
    remind: Option<HumanDuration>,
    rules: Vec<AlertRule>,
    destinations: Vec<AlertDestination>,
}

impl AlertsSection {
    /// The first rule broken between keys: the path of the key, and what is wrong with it.
    pub(super) fn broken(&self) -> Option<(String, String)> {
        if let Some(broken) =
            AlertDestination::broken_among(&self.destinations, "alerts.destinations")
        {
            return Some(broken);
        }
        let known = |name: &str| self.destinations.iter().any(|one| one.name == name);
        for told in self.to.iter().flatten() {
            let what = match AlertRecipient::read(told) {
                Ok(AlertRecipient::Named(name)) if !known(&name) => format!(
                    "names `{}`, which no `[[alerts.destinations]]` is called",
                    name.escape_debug()
                ),
                Ok(_) => continue,
                Err(what) => what,
            };
            return Some(("alerts.to".to_owned(), what));
        }
        if let Some(what) = self.remind.and_then(AlertRule::broken_remind) {
            return Some(("alerts.remind".to_owned(), what.to_owned()));
        }
        AlertRule::broken_among(&self.rules, "alerts.rules", false, Some(&known))
    }
}

impl Alerts {
    pub(super) fn load(sources: &Sources<'_>, file: AlertsSection, zone: &TimeZone) -> Self {
        fn or<T>(value: Option<T>, sources: &Sources<'_>, usual: T) -> Setting<T> {
            match value {
                Some(value) => Setting { value, origin: sources.file() },
                None => Setting { value: usual, origin: Origin::Default },
            }
        }
        fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
            (!list.is_empty()).then_some(list)
        }
        let mut destinations = file.destinations;
        for place in &mut destinations {
            if let Some(SecretRef::File(path)) = &mut place.secret {
                *path = sources.beside(path);
            }
        }
        Self {
            language: or(file.language, sources, AlertLanguage::default()),
            quiet: or(file.quiet, sources, Vec::new()),
            zone: or(file.timezone.map(|name| name.zone()), sources, zone.clone()),
            to: or(file.to, sources, Vec::new()),
            remind: or(file.remind.map(Some), sources, None),
            rules: or(some(file.rules), sources, Vec::new()),
            destinations: or(some(destinations), sources, Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file;

    #[test]
    fn the_example_is_read_and_makes_sense() {
        let text = include_str!("../../examples/alerts.toml");
        let file = file::read(Path::new("webox.toml"), text).unwrap();
        let alerts = file.alerts;
        assert_eq!((alerts.rules.len(), alerts.destinations.len()), (4, 4));
    }

    #[test]
    fn mistakes_are_told_with_their_places() {
        let rule = "[[alerts.rules]]\nrule = ";
        let place = "[[alerts.destinations]]\nname = \"a\"\nkind = ";
        for (text, at, what) in [
            ("[alerts]\nlanguage = \"de\"\n".to_owned(), "2:12", "fr"),
            ("[alerts]\nquiet = [\"22\"]\n".to_owned(), "2:", "is not a time range"),
            ("[alerts]\nremind = \"30s\"\n".to_owned(), "2:10", "between 1m and 31d"),
            ("[alerts]\nto = [\"equipe\"]\n".to_owned(), "2:6", "names `equipe`"),
            (format!("{rule}\"latencie\"\n"), "2:8", "latency"),
            (format!("{rule}\"latency\"\nthreshold = \"x\"\n"), "3:13", "no value"),
            (
                format!("{rule}\"latency\"\n\n{rule}\"disk\"\nthreshold = \"4s\"\n"),
                "6:13",
                "is a share",
            ),
            (format!("{rule}\"latency\"\nfor = \"8d\"\n"), "3:7", "longer than 7 days"),
            (format!("{rule}\"latency\"\nfro = \"8d\"\n"), "3:1", "unknown key"),
            (
                format!("{place}\"slack\"\nsecret = \"https://hooks.slack.example/T0/hidden\"\n"),
                "4:10",
                "a secret is written out here",
            ),
            (format!("{place}\"command\"\ncommand = [\"page\"]\n"), "4:11", "the whole path"),
            (format!("{place}\"email\"\naddress = \"a\"\n"), "4:11", "e-mail"),
        ] {
            let error = file::read(Path::new("webox.toml"), &text).unwrap_err().to_string();
            assert!(error.contains(&format!("webox.toml:{at}")), "{error}\n{text}");
            assert!(error.contains(what), "{error}");
            assert!(!error.contains("T0/hidden"), "{error}");
        }
    }
}
