//! Where figures and traces are pushed to: OTLP over HTTP.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_otlp::{
    MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor,
};

use super::{
    figures::{resource, wrong},
    spans::{Span, Value},
};
use crate::domain::{Result, Secret};

/// How long a push may take.
const WITHIN: Duration = Duration::from_secs(10);

/// A collector.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its address, without `/v1/…`.
    pub endpoint: String,
    /// What it wants to be told with each push: a key, say.
    pub headers: Vec<(String, Secret)>,
}

impl Target {
    fn url(&self, signal: &str) -> String {
        format!("{}/v1/{signal}", self.endpoint.trim_end_matches('/'))
    }

    fn headers(&self) -> HashMap<String, String> {
        self.headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
    }

    pub(super) fn metrics(&self) -> Result<MetricExporter> {
        MetricExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(self.url("metrics"))
            .with_headers(self.headers())
            .with_timeout(WITHIN)
            .build()
            .map_err(wrong)
    }

    fn spans(&self) -> Result<SpanExporter> {
        SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(self.url("traces"))
            .with_headers(self.headers())
            .with_timeout(WITHIN)
            .build()
            .map_err(wrong)
    }
}

/// Sends calls as traces, many at once, from a thread of its own.
#[derive(Debug, Clone)]
pub struct Traces(Arc<BatchSpanProcessor>);

impl Traces {
    /// To a collector.
    ///
    /// # Errors
    /// When its address is none.
    pub fn to(target: &Target) -> Result<Self> {
        let mut processor = BatchSpanProcessor::builder(target.spans()?).build();
        processor.set_resource(&resource());
        Ok(Self(Arc::new(processor)))
    }

    pub(super) fn send(&self, spans: Vec<Span>) {
        for span in spans {
            self.0.on_end(data(span));
        }
    }

    /// Sends what was not sent yet; waits for it, a little.
    pub fn flush(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(Duration::from_secs(2)) {
            tracing::debug!(%error, "the last traces were not sent");
        }
    }
}

fn data(span: Span) -> SpanData {
    let trace = TraceId::from_bytes(span.trace);
    let attributes = span.attributes.into_iter().map(|(name, value)| match value {
        Value::Text(text) => KeyValue::new(name, text),
        Value::Whole(whole) => KeyValue::new(name, whole),
        Value::Real(real) => KeyValue::new(name, real),
    });
    SpanData {
        span_context: SpanContext::new(
            trace,
            SpanId::from_bytes(span.id),
            TraceFlags::SAMPLED,
            false,
            TraceState::default(),
        ),
        parent_span_id: span.parent.map_or(SpanId::INVALID, SpanId::from_bytes),
        parent_span_is_remote: false,
        span_kind: if span.parent.is_none() { SpanKind::Server } else { SpanKind::Internal },
        name: span.name.into(),
        start_time: system_time(span.begun),
        end_time: system_time(span.ended),
        attributes: attributes.collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: if span.failed { Status::error("") } else { Status::Unset },
        instrumentation_scope: InstrumentationScope::builder("webox")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

fn system_time(at: jiff::Timestamp) -> SystemTime {
    let since = u64::try_from(at.as_millisecond()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_millis(since)
}
