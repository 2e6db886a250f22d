//! Rules as they are watched: the usual ones, with those of `webox.toml` and of an assistant's file laid over
//! them.

use jiff::SignedDuration;

use super::{
    super::{HumanDuration, TimeRange},
    AlertBounds, AlertKind, AlertLevel, AlertRule, AlertSeverity,
};

/// A rule as it is watched: nothing is left open.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchedRule {
    /// What it is called.
    pub name: String,
    /// What it watches.
    pub kind: AlertKind,
    /// Whether it is watched at all: not when it is switched off, or has no threshold.
    pub active: bool,
    /// From this value on it is too much; money has none of its own.
    pub threshold: Option<AlertLevel>,
    /// Below this it is well again.
    pub recover: Option<AlertLevel>,
    /// Over how long it is measured.
    pub window: HumanDuration,
    /// How long it must be too much.
    pub hold: HumanDuration,
    /// How long it must be well.
    pub recover_for: HumanDuration,
    /// Of how many anything can be said.
    pub at_least: u32,
    /// How long after it was told it is told again; as for all of them when nothing is said.
    pub remind: Option<HumanDuration>,
    /// How bad it is.
    pub severity: AlertSeverity,
    /// When nobody is told of it; as for all of them when nothing is said.
    pub quiet: Option<Vec<TimeRange>>,
    /// Who is told; as for all of them when nothing is said.
    pub to: Option<Vec<String>>,
    /// Whether money is watched for each assistant.
    pub each: bool,
}

impl WatchedRule {
    fn of(rule: &AlertRule) -> Self {
        let recover = rule.threshold.map(|threshold| {
            let usual = threshold.get() / 5 * 4 + threshold.get() % 5 * 4 / 5;
            // A count of one is over when there is none.
            let usual = usual.max(1).min(threshold.get());
            let same = |recover: &AlertLevel| {
                recover.unit() == threshold.unit() && recover.currency() == threshold.currency()
            };
            let own = rule.recover.filter(same).map(AlertLevel::get);
            threshold.with(own.unwrap_or(usual).min(threshold.get()))
        });
        let or = |length: Option<HumanDuration>, usual| length.unwrap_or(usual);
        Self {
            name: rule.name().to_owned(),
            kind: rule.rule,
            active: rule.active.unwrap_or(true) && rule.threshold.is_some(),
            threshold: rule.threshold,
            recover,
            window: or(rule.window, HumanDuration::from_minutes(60)),
            hold: or(rule.hold, HumanDuration::from_secs(0)),
            recover_for: or(rule.recover_for, HumanDuration::from_minutes(10)),
            at_least: rule.at_least.unwrap_or(0),
            remind: rule.remind,
            severity: rule.severity.unwrap_or_default(),
            quiet: rule.quiet.clone(),
            to: rule.to.clone(),
            each: rule.each.unwrap_or(false),
        }
    }

    /// Its bounds, if it is watched.
    pub fn bounds(&self) -> Option<AlertBounds> {
        let length =
            |one: HumanDuration| SignedDuration::try_from(one.get()).unwrap_or(SignedDuration::MAX);
        Some(AlertBounds {
            threshold: self.threshold.filter(|_| self.active)?.get(),
            recover: self.recover?.get(),
            hold: length(self.hold),
            recover_for: length(self.recover_for),
        })
    }

    /// Whether it is watched for each assistant; of the whole otherwise. Money in an assistant's own
    /// file is that assistant's.
    pub const fn is_of_assistants(&self) -> bool {
        self.kind.is_of_assistants() && (!self.kind.is_spend() || self.each)
    }
}

/// What is usual of each kind.
fn usual() -> Vec<AlertRule> {
    use AlertKind::{
        Backup, Disk, FailedCalls, Latency, NoCalls, ProviderDown, Quota, Satisfaction, Signatures,
        SpendDay, SpendMonth, StoreErrors,
    };
    use AlertLevel::{Number, Share, Time};
    let minutes = |minutes| Some(HumanDuration::from_minutes(minutes));
    let rule =
        |kind, threshold: Option<AlertLevel>| AlertRule { threshold, ..AlertRule::new(kind) };
    let critical = Some(AlertSeverity::Critical);
    vec![
        AlertRule {
            recover: Some(Share(1_000)),
            window: minutes(60),
            hold: minutes(5),
            at_least: Some(5),
            ..rule(FailedCalls, Some(Share(2_000)))
        },
        // Twelve hours of opening; and only where calls are to be expected.
        AlertRule {
            recover_for: minutes(0),
            at_least: Some(20),
            ..rule(NoCalls, Some(Time(12 * 3_600_000)))
        },
        AlertRule {
            window: minutes(30),
            hold: minutes(5),
            at_least: Some(20),
            ..rule(Latency, Some(Time(5_000)))
        },
        AlertRule {
            hold: minutes(2),
            recover_for: minutes(5),
            severity: critical,
            ..rule(ProviderDown, Some(Number(100)))
        },
        AlertRule { recover_for: minutes(0), ..rule(SpendDay, None) },
        AlertRule { recover_for: minutes(0), ..rule(SpendMonth, None) },
        AlertRule { recover_for: minutes(0), ..rule(Quota, Some(Share(8_000))) },
        AlertRule {
            window: minutes(7 * 24 * 60),
            recover_for: minutes(60),
            at_least: Some(10),
            ..rule(Satisfaction, Some(Number(50)))
        },
        AlertRule { window: minutes(10), ..rule(Signatures, Some(Number(2_000))) },
        AlertRule {
            recover: Some(Share(8_500)),
            hold: minutes(1),
            severity: critical,
            ..rule(Disk, Some(Share(9_000)))
        },
        AlertRule {
            window: minutes(5),
            severity: critical,
            ..rule(StoreErrors, Some(Number(500)))
        },
        // A day, and time for the one that is due to be made.
        AlertRule { recover_for: minutes(0), ..rule(Backup, Some(Time(26 * 3_600_000))) },
    ]
}

/// What is watched: the usual rules, with those of `webox.toml` and then those of an assistant's file
/// laid over those of the same name. Of the whole where no assistant's are given.
pub fn watched(of_webox: &[AlertRule], of_assistant: Option<&[AlertRule]>) -> Vec<WatchedRule> {
    let mut rules = usual();
    let mut own: Vec<String> = Vec::new();
    for (over, is_own) in of_webox
        .iter()
        .map(|rule| (rule, false))
        .chain(of_assistant.unwrap_or_default().iter().map(|rule| (rule, true)))
    {
        if is_own {
            own.push(over.name().to_owned());
        }
        let same = rules.iter().position(|rule| rule.name() == over.name());
        // One of another name is as is usual of its kind.
        let kind = || usual().into_iter().find(|rule| rule.rule == over.rule);
        match same {
            // A name that meant something else means this now.
            Some(at) if rules[at].rule == over.rule => {
                let mut laid = rules[at].under(over);
                if is_own && over.rule.is_spend() && !rules[at].each.unwrap_or(false) {
                    // That of `webox.toml` is of the whole: of another thing.
                    laid = kind().map_or_else(|| over.clone(), |usual| usual.under(over));
                }
                rules[at] = laid;
            }
            Some(at) => rules[at] = kind().map_or_else(|| over.clone(), |usual| usual.under(over)),
            None => rules.push(kind().map_or_else(|| over.clone(), |usual| usual.under(over))),
        }
    }
    let is_whole = of_assistant.is_none();
    rules
        .iter()
        .map(|rule| {
            let mut watched = WatchedRule::of(rule);
            watched.each |= rule.rule.is_spend() && own.contains(&watched.name);
            watched
        })
        .filter(|rule| rule.is_of_assistants() != is_whole)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> AlertRule {
        serde_json::from_str(json).unwrap()
    }

    fn named<'a>(rules: &'a [WatchedRule], name: &str) -> Option<&'a WatchedRule> {
        rules.iter().find(|rule| rule.name == name)
    }

    #[test]
    fn the_usual_rules_are_sound_and_each_kind_has_one() {
        let usual = usual();
        assert_eq!(AlertRule::broken_among(&usual[..3], "x", true, None), None);
        for (rule, kind) in usual.iter().zip(AlertKind::ALL) {
            assert_eq!(rule.rule, *kind);
            let without = AlertRule { threshold: None, recover: None, ..rule.clone() };
            let checked = if *kind == AlertKind::ProviderDown { &without } else { rule };
            assert_eq!(checked.broken(false), None, "{kind}");
        }
        let whole = watched(&[], None);
        assert!(whole.iter().all(|rule| !rule.is_of_assistants()), "{whole:?}");
        assert!(!named(&whole, "spend-day").unwrap().active, "money needs a threshold");
        let each = watched(&[], Some(&[]));
        assert_eq!(whole.len() + each.len(), AlertKind::ALL.len());
        assert!(each.iter().all(|rule| rule.active && rule.bounds().is_some()));
    }

    #[test]
    fn an_assistants_file_lies_over_webox_toml_which_lies_over_what_is_usual() {
        let webox = [
            read(
                r#"{"rule":"failed-calls","threshold":"10%","for":"1m","to":["equipe"],"remind":"2h"}"#,
            ),
            read(
                r#"{"rule":"failed-calls","name":"half","threshold":"50%","severity":"critical"}"#,
            ),
            read(r#"{"rule":"spend-day","threshold":"50 EUR"}"#),
            read(r#"{"rule":"latency","active":false}"#),
        ];
        let own = [
            read(r#"{"rule":"failed-calls","window":"2h"}"#),
            read(r#"{"rule":"spend-day","threshold":"5 EUR"}"#),
            read(r#"{"rule":"latency","active":true,"threshold":"3s"}"#),
        ];
        let rules = watched(&webox, Some(&own));
        let failed = named(&rules, "failed-calls").unwrap();
        assert_eq!(failed.threshold, Some(AlertLevel::Share(1_000)));
        assert_eq!(failed.recover, Some(AlertLevel::Share(800)), "of its own threshold");
        assert_eq!((failed.window, failed.hold.as_secs()), (HumanDuration::from_minutes(120), 60));
        assert_eq!(failed.to.as_deref(), Some(&["equipe".to_owned()][..]));
        assert_eq!(failed.remind, Some(HumanDuration::from_minutes(120)));
        let half = named(&rules, "half").unwrap();
        assert_eq!((half.severity, half.at_least), (AlertSeverity::Critical, 5));
        let spend = named(&rules, "spend-day").unwrap();
        assert_eq!(spend.threshold.unwrap().to_string(), "5.00 EUR");
        assert!(named(&rules, "latency").unwrap().active);
        // The agency's own sum stays what it is.
        let whole = watched(&webox, None);
        assert_eq!(named(&whole, "spend-day").unwrap().threshold.unwrap().to_string(), "50.00 EUR");
        assert!(named(&watched(&webox, Some(&[])), "spend-day").is_none());
        let each = [read(r#"{"rule":"spend-day","threshold":"50 EUR","each":true}"#)];
        assert!(named(&watched(&each, None), "spend-day").is_none());
        assert!(named(&watched(&each, Some(&[])), "spend-day").unwrap().active);
    }
}
