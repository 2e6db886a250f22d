//! What webox logs, on stderr: for people on a terminal, as JSON elsewhere.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, reload};

use super::{Cli, Context};
use crate::domain::{Error, Result};

/// Starts logging when `-v` asks for it. The daemon calls [`start_with`] itself.
pub(super) fn start(cli: &Cli, context: &Context) -> Result<()> {
    match cli.global.verbose {
        0 => Ok(()),
        1 => start_with("webox=debug", context).map(drop),
        _ => start_with("trace", context).map(drop),
    }
}

/// What lets other things through from now on.
pub(super) struct Filter(Box<dyn Fn(EnvFilter) -> Result<(), reload::Error>>);

impl Filter {
    pub(super) fn exchange(&self, filter: &str) -> Result<()> {
        let failed = |cause| Error::failure("the log filter stays as it is").because(cause);
        (self.0)(parse(filter)?).map_err(failed)
    }
}

/// Whether a filter can be read.
pub(super) fn parse(filter: &str) -> Result<EnvFilter> {
    EnvFilter::try_new(filter).map_err(|cause| {
        Error::config(format!("`{}` is no log filter", filter.escape_debug()))
            .hint("write a level, such as `info`, or a filter, such as `webox=debug`")
            .because(cause)
    })
}

/// Starts logging what `filter` lets through. A second start changes nothing.
pub(super) fn start_with(filter: &str, context: &Context) -> Result<Filter> {
    let to_stderr =
        tracing_subscriber::fmt().with_env_filter(parse(filter)?).with_writer(io::stderr);
    let (started, filter) = if io::stderr().is_terminal() {
        let to_stderr = to_stderr.with_ansi(context.out.colour().is_on()).with_filter_reloading();
        let handle = to_stderr.reload_handle();
        (to_stderr.try_init(), Filter(Box::new(move |filter| handle.reload(filter))))
    } else {
        let to_stderr = to_stderr.json().flatten_event(true).with_span_list(false);
        let to_stderr = to_stderr.with_filter_reloading();
        let handle = to_stderr.reload_handle();
        (to_stderr.try_init(), Filter(Box::new(move |filter| handle.reload(filter))))
    };
    // Only `-v`, and tests that call `main` twice in one process, come here twice.
    drop(started);
    Ok(filter)
}
