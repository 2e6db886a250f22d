//! Asking the client's own systems while the caller waits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{
    engine::{Engine, Progress, Scene},
    phrases,
    tools::ToolResult,
};
use crate::{
    domain::{HttpTool, Outcome},
    operations::endpoints::{Inquired, Inquiry},
};

/// An answer that takes longer is waited for with a word.
const GRACE: Duration = Duration::from_secs(1);

/// After so long in one turn no other question is asked; then the caller gets what there is.
const LONGEST: Duration = Duration::from_secs(10);

impl Engine {
    /// Asks one of the client's endpoints, and has the caller hold on where that takes a while.
    pub(super) async fn inquire(
        &self,
        scene: &Scene,
        tool: &HttpTool,
        arguments: &Map<String, Value>,
        progress: &mut Progress,
    ) -> ToolResult {
        if progress.inquired >= LONGEST {
            return ToolResult::NoAnswer("there is no time for another question".to_owned());
        }
        let breaker = format!("tool/{}/{}", scene.assistant.spec.name, tool.name);
        if self.breakers.as_ref().is_some_and(|breakers| !breakers.allows(&breaker)) {
            return ToolResult::NoAnswer("not asked: it failed a few times just now".to_owned());
        }
        let inquiry = Inquiry {
            assistant: Arc::clone(&scene.assistant),
            caller: scene.call.caller.clone(),
            language: scene.call.language.clone(),
            arguments: arguments.clone(),
            key: key(scene, tool, arguments),
        };
        let begun = Instant::now();
        let mut asking = Box::pin(self.endpoints.ask(tool, inquiry));
        let inquired = if let Ok(inquired) = timeout(GRACE, &mut asking).await {
            inquired
        } else {
            self.ask_to_hold_on(scene, tool, progress);
            asking.await
        };
        self.hold_on.is_over(scene.call.id);
        progress.inquired += begun.elapsed();
        if let Some(breakers) = &self.breakers {
            match &inquired {
                Inquired::Unanswered { outcome, .. } => breakers.failed(&breaker, outcome),
                Inquired::Found { .. } | Inquired::NotFound { .. } => breakers.succeeded(&breaker),
            }
        }
        match inquired {
            Inquired::Found { answer, said } => ToolResult::Answered { answer, said },
            Inquired::NotFound { answer, said } => ToolResult::NoSuchThing { answer, said },
            Inquired::Unanswered { outcome, detail } => {
                tracing::warn!(
                    call_sid = %scene.call.sid, tool = tool.name, outcome = outcome.as_str(), detail,
                    "a tool of the client's gave no answer"
                );
                ToolResult::NoAnswer(match outcome {
                    // Where a secret is kept is nothing that a model need know.
                    Outcome::NoKey => "its secret is not there".to_owned(),
                    _ => detail,
                })
            }
        }
    }

    fn ask_to_hold_on(&self, scene: &Scene, tool: &HttpTool, progress: &mut Progress) {
        let language = &scene.call.language;
        let usual = || phrases::for_language(language).filler(0).to_owned();
        let words = tool.wait.as_ref().map(|wait| wait.in_language(language).trim().to_owned());
        let words = words.unwrap_or_else(usual);
        match &mut progress.saying {
            // Whoever thinks has said something of the kind.
            Some(saying) if saying.said_a_sentence() => {}
            Some(saying) => saying.say(&words),
            None => self.hold_on.ask(scene.call.id, words),
        }
    }
}

/// The same question of the same turn has the same key: thought about again after a crash, it is done
/// once.
fn key(scene: &Scene, tool: &HttpTool, arguments: &Map<String, Value>) -> String {
    let turn = scene.history.last().map_or(1, |turn| turn.number + 1);
    let asked = Value::Object(arguments.clone()).to_string();
    let digest = Sha256::digest(format!("{}\n{asked}", tool.name));
    format!("{}-{turn}-{}", scene.call.sid, &hex::encode(digest)[..16])
}
