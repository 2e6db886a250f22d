//! Counters and histograms. Labels take few values each: a provider, a line, an outcome; never a caller,
//! an assistant or a call.

use std::{sync::Arc, time::Duration};

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, Meter, MeterProvider},
};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider};

use super::{gauges, scrape::Scraped};
use crate::{
    domain::{Call, CallStatus, Direction, Error, HttpTool, Result, Turn, VoiceLine, WholeCall},
    server::ScheduledBackups,
    store::Store,
};

/// Bounds of what callers wait for, in seconds.
const WAITS: &[f64] = &[0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0];

/// Bounds of how long calls take.
const CALLS: &[f64] = &[10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 3600.0];

/// Bounds of how long requests take.
const REQUESTS: &[f64] =
    &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0];

struct Instruments {
    calls: Counter<u64>,
    call_length: Histogram<f64>,
    turns: Counter<u64>,
    replies: Histogram<f64>,
    first_sounds: Histogram<f64>,
    models: Counter<u64>,
    first_tokens: Histogram<f64>,
    tokens: Counter<u64>,
    tools: Counter<u64>,
    cost: Counter<f64>,
    requests: Counter<u64>,
    request_lengths: Histogram<f64>,
}

/// What is counted and measured. Cheap to clone.
#[derive(Clone)]
pub struct Figures {
    instruments: Arc<Instruments>,
    /// Kept: with it the readers end.
    provider: SdkMeterProvider,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}

/// Who tells.
pub(super) fn resource() -> Resource {
    Resource::builder()
        .with_service_name("webox")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build()
}

fn instruments(meter: &Meter) -> Instruments {
    let seconds = |name: &'static str, about: &'static str, bounds: &[f64]| {
        meter
            .f64_histogram(name)
            .with_unit("s")
            .with_description(about)
            .with_boundaries(bounds.to_vec())
            .build()
    };
    let count = |name: &'static str, about: &'static str| {
        meter.u64_counter(name).with_description(about).build()
    };
    Instruments {
        calls: count("webox.calls", "Calls that are over"),
        call_length: seconds("webox.call.duration", "How long calls took", CALLS),
        turns: count("webox.turns", "Replies that were stored"),
        replies: seconds(
            "webox.reply.duration",
            "From the caller's words to the whole reply",
            WAITS,
        ),
        first_sounds: seconds(
            "webox.first_sound.duration",
            "From the end of the caller's speech to the first sound of the reply",
            WAITS,
        ),
        models: count("webox.model.requests", "Models that were asked, by what became of it"),
        first_tokens: seconds(
            "webox.model.first_token.duration",
            "Until a model's first word",
            WAITS,
        ),
        tokens: count("webox.model.tokens", "Tokens that models read and wrote"),
        tools: count(
            "webox.tools",
            "Tools that were run; those of assistants' own files are `own`",
        ),
        cost: meter
            .f64_counter("webox.cost.euros")
            .with_description("What calls cost, by the rates in force")
            .build(),
        requests: count("http.server.requests", "Requests that were answered, by route"),
        request_lengths: seconds("http.server.request.duration", "How long answers took", REQUESTS),
    }
}

impl Figures {
    /// Counted for whoever scrapes, and pushed where `push` says so. Figures of the store are read when
    /// they are asked for.
    ///
    /// # Errors
    /// When the exporter cannot be set up.
    pub fn new(
        store: &Store,
        push: Option<&super::traces::Target>,
        backups: Option<&ScheduledBackups>,
    ) -> Result<(Self, Scraped)> {
        let registry = prometheus::Registry::new();
        let scraped = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .scope_info_enabled(false)
            .build()
            .map_err(wrong)?;
        let mut builder =
            SdkMeterProvider::builder().with_resource(resource()).with_reader(scraped);
        if let Some(target) = push {
            builder = builder.with_periodic_exporter(target.metrics()?);
        }
        let provider = builder.build();
        let meter = provider.meter("webox");
        gauges::observe(&meter, store);
        if let Some(backups) = backups {
            gauges::observe_backups(&meter, backups);
        }
        let figures = Self { instruments: Arc::new(instruments(&meter)), provider };
        figures.begin();
        Ok((figures, Scraped::new(registry)))
    }

    /// Counts nothing of what is known to come, so that the first of it is seen to be one more.
    fn begin(&self) {
        let of = &self.instruments;
        for line in VoiceLine::ALL {
            let line = KeyValue::new("line", line.as_str());
            of.turns.add(0, std::slice::from_ref(&line));
            for direction in [Direction::Inbound, Direction::Outbound] {
                for status in CallStatus::ALL.into_iter().filter(|status| status.is_final()) {
                    of.calls.add(
                        0,
                        &[
                            line.clone(),
                            KeyValue::new("direction", direction.as_str()),
                            KeyValue::new("status", status.as_str()),
                            KeyValue::new("outcome", "none"),
                        ],
                    );
                }
            }
        }
    }

    /// A reply was stored.
    pub(super) fn turn(&self, call: &Call, turn: &Turn) {
        let of = &self.instruments;
        let line = [KeyValue::new("line", call.line.as_str())];
        of.turns.add(1, &line);
        if let (Some(ms), true) = (turn.timings.reply_ms, turn.heard.is_some()) {
            of.replies.record(seconds(ms), &line);
        }
        for attempt in &turn.attempts {
            // Providers are few; models come and go.
            let provider = attempt.model.split('/').next().unwrap_or_default().to_owned();
            let provider = KeyValue::new("provider", provider);
            of.models
                .add(1, &[provider.clone(), KeyValue::new("outcome", attempt.outcome.as_str())]);
            if let Some(ms) = attempt.first_token_ms {
                of.first_tokens.record(seconds(ms), std::slice::from_ref(&provider));
            }
            let usage = &attempt.usage;
            let fresh = usage.input.saturating_sub(usage.cached);
            for (kind, count) in
                [("input", fresh), ("cached", usage.cached), ("output", usage.output)]
            {
                if count > 0 {
                    let kind = KeyValue::new("kind", kind);
                    of.tokens.add(u64::from(count), &[provider.clone(), kind]);
                }
            }
        }
        for tool in &turn.tools {
            let name =
                if HttpTool::TAKEN.contains(&tool.tool.as_str()) { &tool.tool } else { "own" };
            of.tools.add(1, &[KeyValue::new("tool", name.to_owned())]);
        }
    }

    /// A call is over.
    pub(super) fn ended(&self, whole: &WholeCall) {
        let (of, call) = (&self.instruments, &whole.call);
        let line = KeyValue::new("line", call.line.as_str());
        let outcome = call.after.outcome.map_or("none", |outcome| outcome.as_str());
        of.calls.add(
            1,
            &[
                line.clone(),
                KeyValue::new("direction", call.direction.as_str()),
                KeyValue::new("status", call.status.as_str()),
                KeyValue::new("outcome", outcome),
            ],
        );
        if let Some(length) = call.duration_s {
            of.call_length.record(f64::from(length), std::slice::from_ref(&line));
        }
        // Known only once the caller heard it.
        for felt in whole.turns.iter().filter_map(|turn| turn.timings.felt_ms()) {
            of.first_sounds.record(seconds(felt), std::slice::from_ref(&line));
        }
        for entry in &whole.costs {
            let euros = entry.cost.eur.get() as f64 / 1_000_000.0;
            of.cost.add(euros, &[KeyValue::new("provider", entry.provider.clone())]);
        }
    }

    /// A request was answered. The route, not the address.
    pub(in crate::server) fn answered(
        &self,
        route: &str,
        method: &str,
        status: u16,
        took: Duration,
    ) {
        let route = KeyValue::new("route", route.to_owned());
        let of = &self.instruments;
        of.request_lengths.record(took.as_secs_f64(), std::slice::from_ref(&route));
        let status = KeyValue::new("status", i64::from(status));
        // Strangers may ask by whatever word they like: labels stay few.
        let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
        let method = known.into_iter().find(|known| *known == method).unwrap_or("other");
        of.requests.add(1, &[route, KeyValue::new("method", method), status]);
    }

    /// Pushes what was not pushed yet; waits for it, a little.
    pub fn flush(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(Duration::from_secs(2)) {
            tracing::debug!(%error, "the last figures were not pushed");
        }
    }
}

fn seconds(ms: u32) -> f64 {
    f64::from(ms) / 1_000.0
}

pub(super) fn wrong(cause: impl std::fmt::Display) -> Error {
    Error::failure("monitoring could not be set up").because(cause.to_string())
}
