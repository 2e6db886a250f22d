//! `[metrics]` and `[otlp]`: where figures are to be had, and where figures and traces are pushed to.

use std::net::SocketAddr;

use serde::Deserialize;

use super::{Origin, PublicUrl, Setting, load::Sources, secrets};
use crate::domain::{Error, Result, Secret, SecretRef};

/// Where Prometheus finds figures when nothing is said: the port that OpenTelemetry's exporters have
/// (OpenTelemetry, "Environment Variable Specification").
const METRICS_LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 9464);

/// Where monitoring is told.
#[derive(Debug, Clone)]
pub struct Monitoring {
    /// Where figures may be scraped; nowhere when it is off.
    pub metrics_listen: Setting<Option<SocketAddr>>,
    /// A collector that figures and traces are pushed to.
    pub otlp_endpoint: Setting<Option<PublicUrl>>,
    /// What it wants to be told with each push.
    pub otlp_headers: Setting<Vec<(String, Secret)>>,
}

/// `[metrics]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MetricsSection {
    listen: Option<String>,
}

/// `[otlp]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct OtlpSection {
    endpoint: Option<String>,
    headers: Option<SecretRef>,
}

impl Monitoring {
    pub(super) fn load(
        sources: &Sources<'_>,
        metrics: &MetricsSection,
        otlp: &OtlpSection,
        flag: Option<&str>,
    ) -> Result<Self> {
        let listen = sources.pick(
            "metrics.listen",
            flag.map(|text| ("--metrics-listen", text)),
            "WEBOX_METRICS_LISTEN",
            metrics.listen.as_deref(),
            |text| match text.trim() {
                "off" => Ok(None),
                text => text.parse::<SocketAddr>().map(Some).map_err(|_| {
                    Error::config(format!("`{}` is no address to listen at", text.escape_debug()))
                        .hint("write an IP address and a port, such as `127.0.0.1:9464`, or `off`")
                }),
            },
        )?;
        let otlp_endpoint = sources.pick(
            "otlp.endpoint",
            None,
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            otlp.endpoint.as_deref(),
            str::parse,
        )?;
        let headers = secrets::OTLP_HEADERS.resolve(
            sources.environment,
            otlp.headers.as_ref(),
            sources.path,
        )?;
        let read = headers.value.as_ref().map(read_headers).transpose()?;
        Ok(Self {
            metrics_listen: listen.or_default_with(|| Some(METRICS_LISTEN.into())),
            otlp_endpoint,
            otlp_headers: Setting { value: read.unwrap_or_default(), origin: headers.origin },
        })
    }

    /// Whether somebody said where figures are to be had: then it must be so.
    pub fn metrics_are_wanted(&self) -> bool {
        self.metrics_listen.origin != Origin::Default
    }
}

/// `name=value,name=value`, as OpenTelemetry writes them. What is wrong is not quoted: it is a secret.
fn read_headers(text: &Secret) -> Result<Vec<(String, Secret)>> {
    let pairs = text.expose().split(',').map(str::trim).filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let wrong = || {
                Error::config("the headers of `[otlp]` are not `name=value`, separated by commas")
                    .hint("such as `x-api-key=…`; OTEL_EXPORTER_OTLP_HEADERS has the same form")
            };
            let (name, value) = pair.split_once('=').ok_or_else(wrong)?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let name = name.trim();
            if name.is_empty() || !name.chars().all(is_name) {
                return Err(wrong());
            }
            Ok((name.to_ascii_lowercase(), Secret::new(value.trim())))
        })
        .collect()
}
