//! What a check says.

use std::{fmt, str::FromStr, time::Duration};

use crate::domain::{Error, suggestion_hint};

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// `webox.toml`, and the variables that it names.
    Settings,
    /// The database and its disk.
    Store,
    /// Its backups.
    Backups,
    /// The master key, and what it opens.
    Keys,
    /// The time, and its zones.
    Clock,
    /// How many files may be open.
    Files,
    /// The daemon on this machine.
    Daemon,
    /// The address that Twilio reaches it by.
    Public,
    /// The accounts at Twilio, and where their numbers lead.
    Twilio,
    /// Models, ears and mouths.
    Providers,
    /// What assistants are told to do.
    Assistants,
    /// How far plans are used up.
    Quotas,
}

impl Group {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 12] = [
        Self::Settings,
        Self::Store,
        Self::Backups,
        Self::Keys,
        Self::Clock,
        Self::Files,
        Self::Daemon,
        Self::Public,
        Self::Twilio,
        Self::Providers,
        Self::Assistants,
        Self::Quotas,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Store => "store",
            Self::Backups => "backups",
            Self::Keys => "keys",
            Self::Clock => "clock",
            Self::Files => "files",
            Self::Daemon => "daemon",
            Self::Public => "public",
            Self::Twilio => "twilio",
            Self::Providers => "providers",
            Self::Assistants => "assistants",
            Self::Quotas => "quotas",
        }
    }

    /// Whether the network is needed for it. The daemon is on this machine.
    pub const fn needs_network(self) -> bool {
        matches!(self, Self::Public | Self::Twilio | Self::Providers)
    }

    pub(super) fn ok(self, name: impl Into<String>, seen: impl Into<String>) -> Finding {
        Finding::new(self, name, Verdict::Ok, seen, None)
    }

    /// Not looked at, and why.
    pub fn skipped(self, name: impl Into<String>, why: impl Into<String>) -> Finding {
        Finding::new(self, name, Verdict::Skipped, why, None)
    }

    pub(super) fn warning(
        self,
        name: impl Into<String>,
        seen: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding::new(self, name, Verdict::Warning, seen, Some(advice.into()))
    }

    pub(super) fn problem(
        self,
        name: impl Into<String>,
        seen: impl Into<String>,
        advice: impl Into<String>,
    ) -> Finding {
        Finding::new(self, name, Verdict::Problem, seen, Some(advice.into()))
    }

    /// An error as a finding: its hint is what to do.
    pub fn failed(self, name: impl Into<String>, error: &Error) -> Finding {
        let advice = error.hint_text().map(str::to_owned);
        let mut seen = error.to_string();
        if let Some(cause) = error.causes().last() {
            seen = format!("{seen}: {cause}");
        }
        Finding::new(self, name, Verdict::Problem, seen, advice)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Group {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let words = Self::ALL.map(Self::as_str);
        Self::ALL.into_iter().find(|group| group.as_str() == text.trim()).ok_or_else(|| {
            let hint = suggestion_hint(text, words).unwrap_or_else(|| words.join(", "));
            Error::usage(format!("there are no checks called `{}`", text.escape_debug())).hint(hint)
        })
    }
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Well.
    Ok,
    /// Not looked at.
    Skipped,
    /// Well for now, or not as most would want it.
    Warning,
    /// Something does not work, or is not safe.
    Problem,
}

impl Verdict {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What a check says: one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub group: Group,
    /// Which part of it.
    pub name: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do about it.
    pub advice: Option<String>,
    /// How long others took to answer.
    pub took: Option<Duration>,
}

impl Finding {
    fn new(
        group: Group,
        name: impl Into<String>,
        verdict: Verdict,
        seen: impl Into<String>,
        advice: Option<String>,
    ) -> Self {
        // What others said may have more lines than one.
        let one_line =
            |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ").trim().to_owned();
        let (name, seen) = (name.into(), one_line(seen.into()));
        Self { group, name, verdict, seen, advice: advice.map(one_line), took: None }
    }

    #[must_use]
    pub(super) fn in_time(self, took: Duration) -> Self {
        Self { took: Some(took), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_called_by_their_words() {
        for group in Group::ALL {
            assert_eq!(group.as_str().parse::<Group>().unwrap(), group);
        }
        let error = "stor".parse::<Group>().unwrap_err();
        assert!(error.hint_text().unwrap().contains("store"), "{error:?}");
    }

    #[test]
    fn a_finding_is_one_line() {
        let found = Group::Store.problem("x", "a\n  b", "c\td");
        assert_eq!((found.seen.as_str(), found.advice.as_deref()), ("a b", Some("c d")));
    }
}
