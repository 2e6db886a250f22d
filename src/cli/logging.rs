//! What webox logs, on stderr: for people on a terminal, as JSON elsewhere.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use super::{Cli, Context};
use crate::domain::{Error, Result};

/// Starts logging when `-v` asks for it. The daemon calls [`start_with`] itself.
pub(super) fn start(cli: &Cli, context: &Context) -> Result<()> {
    match cli.global.verbose {
        0 => Ok(()),
        1 => start_with("webox=debug", context),
        _ => start_with("trace", context),
    }
}

/// Starts logging what `filter` lets through. A second start changes nothing.
pub(super) fn start_with(filter: &str, context: &Context) -> Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|cause| {
        Error::config(format!("`{}` is no log filter", filter.escape_debug()))
            .hint("write a level, such as `info`, or a filter, such as `webox=debug`")
            .because(cause)
    })?;
    let to_stderr = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = if io::stderr().is_terminal() {
        to_stderr.with_ansi(context.out.colour().is_on()).try_init()
    } else {
        to_stderr.json().flatten_event(true).with_span_list(false).try_init()
    };
    // Only tests that call `main` twice in one process come here twice.
    drop(started);
    Ok(())
}
