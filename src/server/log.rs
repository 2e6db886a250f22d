//! The daemon's log: for a person on a terminal, for a machine otherwise. Always on stderr.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::domain::{Error, Result};

/// Starts logging. `filter` is a level (`info`) or a list of `target=level`.
pub fn start(filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Error::config(format!("`{}` is not a log filter", filter.escape_debug()))
            .because(error)
            .hint("write a level (error, warn, info, debug, trace), or `target=level`, comma-separated")
    })?;
    let registry = tracing_subscriber::registry().with(filter);
    let started = if std::io::stderr().is_terminal() {
        registry.with(fmt::layer().with_writer(std::io::stderr).with_target(false)).try_init()
    } else {
        let json = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
        registry.with(json.with_writer(std::io::stderr)).try_init()
    };
    started.map_err(|error| Error::failure("logging could not be started").because(error))
}
