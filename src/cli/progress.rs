//! Signs of life for a person who waits: on stderr, and only where somebody looks at it.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use super::Context;
use crate::domain::{Dataset, Result};

/// Soon enough to be seen, seldom enough to be calm.
const TICK: Duration = Duration::from_millis(120);

/// A spinner with some words. Hidden in pipes, in CI and with `--quiet`; gone when dropped.
pub(super) struct Waiting(ProgressBar);

impl Waiting {
    pub(super) fn begin(context: &Context, words: &'static str) -> Self {
        // indicatif itself hides it where stderr is no terminal.
        if context.out.is_quiet() || context.environment().has("CI") {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(words);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Says how far it has come.
    pub(super) fn tell(&self, words: String) {
        self.0.set_message(words);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar that fills. Hidden in pipes, in CI and with `--quiet`; gone when dropped.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn begin(context: &Context, all: u64) -> Self {
        if context.out.is_quiet() || context.environment().has("CI") {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(all);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// One more is done.
    pub(super) fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar that fills, with words beside it. Gone when dropped.
pub(super) struct Tally(ProgressBar);

impl Tally {
    pub(super) fn begin(context: &Context, all: u64) -> Self {
        let hidden = context.out.is_quiet() || context.environment().has("CI");
        if hidden || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(all);
        if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    /// Whether anybody sees it.
    pub(super) fn is_shown(&self) -> bool {
        !self.0.is_hidden()
    }

    /// How far it has come.
    pub(super) fn set(&self, done: u64, words: String) {
        self.0.set_position(done);
        self.0.set_message(words);
    }

    /// Says something else meanwhile.
    pub(super) fn aside(&self, say: impl FnOnce()) {
        self.0.suspend(say);
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Rows that are written, with how many there are where that is known, and how quickly. Gone when dropped.
pub(super) struct Rows(ProgressBar);

impl Rows {
    /// `all` is asked for only where somebody looks.
    pub(super) fn begin(
        context: &Context,
        dataset: Dataset,
        all: impl FnOnce() -> Result<Option<u64>>,
    ) -> Result<Self> {
        let hidden = context.out.is_quiet() || context.environment().has("CI");
        if hidden || !std::io::stderr().is_terminal() {
            return Ok(Self(ProgressBar::hidden()));
        }
        // Turns have no window of their own: to count them is to read them.
        let all = if dataset == Dataset::Turns { None } else { all()? };
        let (bar, template) = match all {
            Some(all) => {
                (ProgressBar::new(all), "{bar:30} {human_pos}/{human_len} {per_sec} {eta}")
            }
            None => (ProgressBar::new_spinner(), "{spinner} {human_pos} {per_sec}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Ok(Self(bar))
    }

    /// So many more; nothing where that is not known.
    pub(super) fn more(&self, rows: Option<u64>) {
        self.0.inc(rows.unwrap_or(1));
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
