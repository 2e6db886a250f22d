//! Against real parts: llama.cpp with a small model, speaking all three wire formats; in `spoken`
//! a whole call with a real voice and a real ear; in `mailed` a mail server; in `stored` backups.
//!
//! `make test-real` brings it; without `WEBOX_REAL_PYTHON` these tests pass over themselves.

mod calendar;
mod mailed;
mod spoken;
mod stored;

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use futures_util::StreamExt;
use webox::{
    domain::ModelRef,
    providers::llm::{
        ChatEvent, ChatMessage, ChatRequest, Models, ProviderSettings, StopReason, ToolSpec,
    },
};

/// A running model; killed when dropped.
struct Model {
    process: Child,
    url: String,
}

impl Model {
    fn start() -> Option<Self> {
        let Some(python) = std::env::var_os("WEBOX_REAL_PYTHON") else {
            eprintln!("passed over: WEBOX_REAL_PYTHON is not set (make test-real)");
            return None;
        };
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real");
        let mut process = Command::new(python)
            .arg(format!("{folder}/model_server.py"))
            .arg(port.to_string())
            .arg(format!("{folder}/tools.jinja"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let listens = lines.any(|line| line.is_ok_and(|line| line.starts_with("listening")));
        assert!(listens, "the model's server did not start");
        Some(Self { process, url: format!("http://127.0.0.1:{port}") })
    }

    fn models(&self) -> Models {
        Models::new(ProviderSettings {
            openai_base_url: Some(format!("{}/v1", self.url)),
            anthropic_base_url: Some(self.url.clone()),
            ..ProviderSettings::default()
        })
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const WIRES: [&str; 3] = ["openai/smollm2", "openai-responses/smollm2", "anthropic/smollm2"];

async fn ask(models: &Models, name: &str, words: &str, tools: Vec<ToolSpec>) -> Vec<ChatEvent> {
    let model = models.find(&name.parse::<ModelRef>().unwrap()).unwrap();
    let request = ChatRequest {
        system: "You answer the telephone. Be brief.".to_owned(),
        messages: vec![ChatMessage::User(words.to_owned())],
        tools,
        max_output_tokens: 60,
        cache_key: None,
    };
    let events = model.stream(request).collect::<Vec<_>>();
    let events = tokio::time::timeout(Duration::from_mins(1), events).await.unwrap();
    events
        .into_iter()
        .map(|event| event.unwrap_or_else(|error| panic!("{name}: {error}")))
        .collect()
}

#[tokio::test]
async fn a_real_model_speaks_all_three_formats() {
    let Some(model) = Model::start() else { return };
    let models = model.models();
    for name in WIRES {
        let events = ask(&models, name, "Hello there", Vec::new()).await;
        let words: Vec<&str> = events
            .iter()
            .filter_map(|event| match event {
                ChatEvent::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        assert!(words.len() > 1, "{name}: streamed in pieces, not {words:?}");
        let Some(ChatEvent::Done { reason, usage: Some(usage) }) = events.last() else {
            panic!("{name}: ended with {:?}", events.last())
        };
        assert!(matches!(reason, StopReason::Finished | StopReason::Length), "{name}");
        assert!(usage.input > 0 && usage.output > 0, "{name}: {usage:?}");
    }
}

#[tokio::test]
async fn a_real_model_calls_a_tool_in_all_three_formats() {
    let Some(model) = Model::start() else { return };
    let models = model.models();
    for name in WIRES {
        let tool = ToolSpec {
            name: "book".into(),
            description: "Books a table.".to_owned(),
            parameters: serde_json::json!({
                "type": "object",
                "properties": { "party": { "type": "integer" }, "name": { "type": "string" } },
                "required": ["party", "name"],
            }),
        };
        let words = "Please book a table for 4 people in the name of Dupont";
        let events = ask(&models, name, words, vec![tool]).await;
        let call = events
            .iter()
            .find_map(|event| match event {
                ChatEvent::ToolCall(call) => Some(call),
                _ => None,
            })
            .unwrap_or_else(|| panic!("{name}: no tool in {events:?}"));
        assert_eq!(call.name, "book", "{name}");
        let arguments: serde_json::Value = serde_json::from_str(&call.arguments).unwrap();
        assert!(arguments.is_object(), "{name}: {arguments}");
        assert!(!call.id.is_empty(), "{name}");
    }
}
