//! A model that is asked early, when the caller has probably finished: if so, the answer is there
//! the sooner; if not, it is thrown away.
//!
//! Nothing comes of it by itself: no tool is run and no word is said before the turn has begun and
//! asks the same model the very same.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    asking::{estimated, length},
    engine::{Engine, Progress, Scene, breaker_of, decide, millis},
    memory,
    state::Decision,
    tongue::Turned,
};
use crate::{
    domain::{Attempt, Outcome, TokenUsage},
    providers::llm::{ChatEvent, ChatModel, ChatRequest, ChatStream, ModelError},
};

/// An answer on its way, to what was probably said. Dropping it cancels it.
#[derive(Debug)]
pub struct HeadStart {
    model: String,
    request: ChatRequest,
    begun: Instant,
    /// With how long each took to come.
    events: mpsc::UnboundedReceiver<(Duration, Result<ChatEvent, ModelError>)>,
    task: JoinHandle<()>,
}

impl Drop for HeadStart {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Engine {
    /// Asks the assistant's first model about a turn that may come; nothing when it would not be
    /// asked, or is left alone.
    pub fn head_start(&self, scene: &Scene) -> Option<HeadStart> {
        let turned = Turned::of(scene);
        let scene = &*turned.scene(scene);
        if !matches!(decide(scene, &turned), (_, Decision::Think { .. })) {
            return None;
        }
        let name = &scene.assistant.spec.ai.model;
        if name.is_builtin() {
            return None;
        }
        let model = self.model(&scene.assistant, name).ok()?;
        let breaker = breaker_of(model.as_ref());
        if self.breakers.as_ref().is_some_and(|breakers| breakers.is_open(&breaker)) {
            return None;
        }
        let request = Self::request(scene, memory::messages_of(scene));
        let (told, events) = mpsc::unbounded_channel();
        let (mut answer, begun) = (model.stream(request.clone()), Instant::now());
        let task = tokio::spawn(async move {
            while let Some(event) = answer.next().await {
                if told.send((begun.elapsed(), event)).is_err() {
                    return;
                }
            }
        });
        let model = model.id().to_owned();
        Some(HeadStart { model, request, begun, events, task })
    }
}

impl Progress {
    /// The answer of a model to a request: the one that was asked for early, if it is to the same.
    pub(super) fn stream(&mut self, model: &dyn ChatModel, request: &ChatRequest) -> ChatStream {
        match self.head_start.take() {
            Some(early) if early.model == model.id() && early.request == *request => early.answer(),
            early => {
                self.attempts.extend(early.map(HeadStart::in_vain));
                model.stream(request.clone())
            }
        }
    }
}

impl HeadStart {
    fn answer(self) -> ChatStream {
        Box::pin(stream::unfold(self, async |mut early| {
            early.events.recv().await.map(|(_, event)| (event, early))
        }))
    }

    /// What is kept of one that was of no use: it has been paid for, unless it was refused.
    pub fn in_vain(mut self) -> Attempt {
        let mut attempt = Attempt {
            model: self.model.clone(),
            outcome: Outcome::Unused,
            first_token_ms: None,
            total_ms: millis(self.begun.elapsed()),
            usage: TokenUsage::default(),
            detail: None,
        };
        let (mut written, mut usage) = (0, None);
        while let Ok((after, event)) = self.events.try_recv() {
            match event {
                Ok(ChatEvent::Text(text)) => written += text.len(),
                Ok(ChatEvent::ToolCall(call)) => written += call.arguments.len(),
                Ok(ChatEvent::Done { usage: told, .. }) => {
                    usage = told;
                    continue;
                }
                Err(error) => {
                    (attempt.outcome, attempt.detail) = (error.outcome, Some(error.detail));
                    continue;
                }
            }
            attempt.first_token_ms.get_or_insert(millis(after));
        }
        if attempt.outcome == Outcome::Unused || attempt.first_token_ms.is_some() {
            attempt.usage = usage.unwrap_or_else(|| estimated(length(&self.request), written));
        }
        attempt
    }
}
