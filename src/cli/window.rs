//! `--since`, `--until` and `--assistant`: which calls a command is about.

use std::fmt::Write;

use clap::Args;
use jiff::Timestamp;

use super::{Context, desk::Span, human};
use crate::domain::{
    AssistantId, Error, Result,
    when::{self, Bound},
};

/// The flags that `calls` and `stats` share.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub(super) struct WindowFlags {
    /// From this time on: an age (`90m`, `2d`, `1w`), `today`, `yesterday`, a date or a time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Before this time, which itself is left out.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// Only those of an assistant, by name or id.
    #[arg(long, value_name = "NAME")]
    assistant: Option<String>,
}

/// What they mean.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    pub(super) since: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    pub(super) assistant: Option<AssistantId>,
}

impl WindowFlags {
    /// Reads the flags; local times in the zone in force.
    pub(super) fn read(&self, context: &Context) -> Result<Window> {
        let now = context.now()?;
        let read = |text: &Option<String>, bound| {
            text.as_deref().map(|text| when::parse(text, &now, bound)).transpose()
        };
        let since = read(&self.since, Bound::Since)?;
        let until = read(&self.until, Bound::Until)?;
        if let (Some(since), Some(until)) = (since, until)
            && since >= until
        {
            return Err(Error::input("--since is not before --until")
                .hint("--since is the earlier end, and --until is left out of the window"));
        }
        let assistant = match &self.assistant {
            Some(name) => Some(context.desk("assistants show")?.assistant(name)?.id),
            None => None,
        };
        Ok(Window { since, until, assistant })
    }
}

impl Window {
    /// The same, as a desk is asked.
    pub(super) fn span(&self) -> Span {
        Span { since: self.since, until: self.until, assistant: self.assistant }
    }

    /// The window in words, for a note: ` since 2026-09-20 00:00 CEST`.
    pub(super) fn words(&self, context: &Context) -> Result<String> {
        let now = context.now()?;
        let mut words = String::new();
        if let Some(since) = self.since {
            let _ = write!(words, " since {}", human::date_time_zone(since, &now));
        }
        if let Some(until) = self.until {
            let _ = write!(words, " until {}", human::date_time_zone(until, &now));
        }
        Ok(words)
    }
}
