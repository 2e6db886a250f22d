//! What monitoring is told: figures to scrape, and calls as traces; never who called or what was said.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    trace::v1::Span,
};
use prost::Message;
use serde_json::Value;

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, sid},
};

const QUESTION: &str = "Avez-vous un parking pour Madame Quelconque ?";

fn metrics_address(daemon: &Daemon) -> SocketAddr {
    let line: Value = serde_json::from_str(&daemon.logged("at /metrics")).unwrap();
    line["metrics_address"].as_str().unwrap().parse().unwrap()
}

async fn scraped(address: SocketAddr) -> String {
    let answer = reqwest::get(format!("http://{address}/metrics")).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    answer.text().await.unwrap()
}

/// Asks until the figures say something: they follow what happened by a moment.
async fn until(address: SocketAddr, line: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let text = scraped(address).await;
        if text.lines().any(|told| told == line) {
            return text;
        }
        assert!(Instant::now() < deadline, "no `{line}` in {text}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn a_call(daemon: &Daemon, n: u32) {
    daemon.ring(&sid(n)).await;
    daemon.say(&sid(n), 1, QUESTION).await;
    daemon.hang_up(&sid(n), 61).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_to_be_had_beside_the_phone_and_say_nothing_of_callers() {
    let webox = Webox::with_le_gourmet().env("WEBOX_METRICS_LISTEN", "127.0.0.1:0");
    let daemon = Daemon::start(&webox);
    let address = metrics_address(&daemon);
    daemon.ring(&sid(1)).await;
    until(address, "webox_calls_active 1").await;
    daemon.say(&sid(1), 1, QUESTION).await;
    daemon.hang_up(&sid(1), 61).await;
    a_call(&daemon, 2).await;
    let ended = r#"webox_calls_total{direction="inbound",line="gather",outcome="informed",status="completed"} 2"#;
    until(address, ended).await;
    // A reading of the store serves for a second.
    let text = until(address, "webox_calls_active 0").await;
    for line in [
        "webox_assistants_active 1",
        r#"webox_call_duration_seconds_count{line="gather"} 2"#,
        r#"webox_turns_total{line="gather"} 4"#,
        // What is known to come is there before its first time.
        r#"webox_turns_total{line="stream"} 0"#,
        r#"webox_calls_total{direction="outbound",line="relay",outcome="none",status="failed"} 0"#,
        r#"webox_reply_duration_seconds_count{line="gather"} 2"#,
        r#"http_server_requests_total{method="POST",route="/api/voice/webhook/process",status="200"} 2"#,
    ] {
        assert!(text.lines().any(|told| told == line), "{line} in {text}");
    }
    // Two calls: two begun minutes, and a question that Twilio understood.
    let cost =
        text.lines().find(|line| line.starts_with("webox_cost_euros_total{provider=\"twilio\"}"));
    let cost: f64 = cost.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    let euros = 2.0 * (2.0 * 0.0092 + 0.0185);
    assert!((cost - euros).abs() < 0.002, "{cost} and about {euros}: {text}");
    for canary in
        ["33612345678", "33123456789", sid(1).as_str(), "gourmet", "Quelconque", "parking"]
    {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
    // Not where the whole world asks.
    let outside = reqwest::get(format!("http://{}/metrics", daemon.address)).await.unwrap();
    assert_eq!(outside.status(), 404);
    // What Prometheus is set to understands and finds all of it.
    let home = webox.file("metrics.txt", &text);
    let check = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/observability/check.sh");
    if Command::new("promtool").arg("--version").output().is_err() {
        eprintln!("without promtool: the examples of observability are not checked");
        return;
    }
    let checked = tokio::task::block_in_place(|| Command::new(check).arg(home).output()).unwrap();
    assert!(checked.status.success(), "{checked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_taken_is_a_mistake_only_where_it_was_asked_for() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let webox =
        Webox::with_le_gourmet().env("TWILIO_AUTH_TOKEN", "0123456789abcdef0123456789abcdef");
    let args = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--public-url",
        "https://a.test",
        "--metrics-listen",
        &address,
    ];
    tokio::task::block_in_place(|| webox.run(args).code(69).says("--metrics-listen"));
    let file = webox.file("webox.toml", "[metrics]\nlisten = \"here\"\n");
    let wrong = ["serve", "--config", &file];
    let webox = webox.env("WEBOX_METRICS_LISTEN", "");
    tokio::task::block_in_place(|| webox.run(wrong).code(78).says("metrics.listen"));
}

/// What a collector was sent.
#[derive(Clone, Default)]
struct Collector {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
    keys: Arc<Mutex<Vec<String>>>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    async fn start(&self) -> String {
        let (traces, metrics) = (self.clone(), self.clone());
        let router = Router::new()
            .route(
                "/otel/v1/traces",
                post(move |headers: HeaderMap, body: Bytes| async move {
                    traces.keep(&headers, &body);
                    traces.traces.lock().unwrap().push(Message::decode(body).unwrap());
                }),
            )
            .route(
                "/otel/v1/metrics",
                post(move |headers: HeaderMap, body: Bytes| async move {
                    metrics.keep(&headers, &body);
                    metrics.metrics.lock().unwrap().push(Message::decode(body).unwrap());
                }),
            );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/otel")
    }

    fn keep(&self, headers: &HeaderMap, body: &Bytes) {
        let key = headers.get("x-api-key").map_or("", |key| key.to_str().unwrap());
        self.keys.lock().unwrap().push(key.to_owned());
        self.bytes.lock().unwrap().extend_from_slice(body);
    }

    fn spans(&self) -> Vec<Span> {
        let traces = self.traces.lock().unwrap();
        let scopes =
            traces.iter().flat_map(|sent| &sent.resource_spans).flat_map(|of| &of.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_a_trace_and_a_turn_a_part_of_it() {
    let collector = Collector::default();
    let endpoint = collector.start().await;
    let webox = Webox::with_le_gourmet()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .env("OTEL_EXPORTER_OTLP_HEADERS", "X-API-Key=hush");
    let daemon = Daemon::start(&webox);
    a_call(&daemon, 1).await;
    a_call(&daemon, 2).await;
    // A daemon that stops tells what it knows.
    assert_eq!(tokio::task::block_in_place(|| daemon.terminate()), Some(0));
    let spans = collector.spans();
    let mut traces: BTreeMap<Vec<u8>, Vec<&Span>> = BTreeMap::new();
    for span in &spans {
        traces.entry(span.trace_id.clone()).or_default().push(span);
    }
    assert_eq!(traces.len(), 2, "{spans:?}");
    for of_call in traces.values() {
        let roots: Vec<_> = of_call.iter().filter(|span| span.parent_span_id.is_empty()).collect();
        let [root] = roots[..] else { panic!("{roots:?}") };
        assert_eq!(root.name, "call");
        let turns: Vec<_> = of_call.iter().filter(|s| s.parent_span_id == root.span_id).collect();
        assert_eq!(turns.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["greeting", "turn"]);
        assert!(of_call.iter().any(|s| s.parent_span_id == turns[1].span_id), "{of_call:?}");
        for span in of_call {
            assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
            let parent = of_call.iter().find(|s| s.span_id == span.parent_span_id);
            assert!(parent.is_some() || span.span_id == root.span_id, "{span:?}");
        }
        let says = |name: &str| root.attributes.iter().any(|attribute| attribute.key == name);
        assert!(
            says("webox.call.sid") && says("webox.outcome") && says("webox.cost.eur"),
            "{root:?}"
        );
    }
    let metrics = collector.metrics.lock().unwrap();
    let names: Vec<&str> = metrics
        .iter()
        .flat_map(|sent| &sent.resource_metrics)
        .flat_map(|of| &of.scope_metrics)
        .flat_map(|scope| scope.metrics.iter().map(|metric| metric.name.as_str()))
        .collect();
    assert!(names.contains(&"webox.calls") && names.contains(&"webox.calls.active"), "{names:?}");
    assert!(collector.keys.lock().unwrap().iter().all(|key| key == "hush"));
    let bytes = String::from_utf8_lossy(&collector.bytes.lock().unwrap()).into_owned();
    for canary in ["33612345678", "Quelconque", "hush"] {
        assert!(!bytes.contains(canary), "{canary}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_keeps_nobody_waiting() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let webox =
        Webox::with_le_gourmet().env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{gone}"));
    let daemon = Daemon::start(&webox);
    a_call(&daemon, 1).await;
    assert_eq!(tokio::task::block_in_place(|| daemon.terminate()), Some(0));
}
