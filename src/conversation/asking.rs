//! Asking one model: its stream, its tools, its deadlines; and whether its words can be said.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tokio::time::{Instant as Deadline, timeout_at};

use super::{
    aloud::Saying,
    engine::{Engine, Progress, ROUNDS, Scene, TOOLS, millis},
    promises::{self, Done},
    speakable::speakable,
    tools::{self, ToolRequest},
};
use crate::{
    domain::{Attempt, Next, Outcome, TokenUsage},
    providers::llm::{
        ChatEvent, ChatMessage, ChatModel, ChatRequest, ChatStream, ModelError, StopReason,
        ToolCall,
    },
};

/// Bound on one answer: about a minute of speech.
const MAX_OUTPUT_TOKENS: u32 = 400;

/// What one round of a model came to.
#[derive(Debug, Default)]
struct Round {
    text: String,
    calls: Vec<ToolCall>,
    usage: Option<TokenUsage>,
    first_token: Option<Duration>,
}

impl Engine {
    /// What a model is asked.
    pub(super) fn request(scene: &Scene, messages: Vec<ChatMessage>) -> ChatRequest {
        ChatRequest {
            system: Self::instructions(scene),
            messages,
            tools: tools::offered(&scene.assistant.spec),
            max_output_tokens: MAX_OUTPUT_TOKENS,
            cache_key: Some(scene.assistant.spec.name.to_string()),
        }
    }

    /// Asks a model until it has said something or failed. Tools that ran stay in `messages`, so
    /// that the next model goes on from there.
    pub(super) async fn ask(
        &self,
        scene: &Scene,
        model: &dyn ChatModel,
        messages: &mut Vec<ChatMessage>,
        left: Duration,
        progress: &mut Progress,
    ) -> Option<String> {
        let begun = Instant::now();
        let before = progress.inquired;
        let deadline = Deadline::now() + self.deadlines.model.min(left);
        let mut attempt = Attempt {
            model: model.id().to_owned(),
            outcome: Outcome::Answered,
            first_token_ms: None,
            total_ms: 0,
            usage: TokenUsage::default(),
            detail: None,
        };
        let outcome = self.rounds(scene, model, messages, deadline, progress, &mut attempt).await;
        let inquired = progress.inquired.saturating_sub(before);
        attempt.total_ms = millis(begun.elapsed().saturating_sub(inquired));
        let text = match outcome {
            Ok(text) => Some(text),
            Err(error) => {
                tracing::warn!(
                    call_sid = %scene.call.sid, model = model.id(), outcome = error.outcome.as_str(),
                    detail = %error.detail, "a model did not answer"
                );
                attempt.outcome = error.outcome;
                attempt.detail = Some(error.detail);
                None
            }
        };
        progress.attempts.push(attempt);
        text
    }

    async fn rounds(
        &self,
        scene: &Scene,
        model: &dyn ChatModel,
        messages: &mut Vec<ChatMessage>,
        deadline: Deadline,
        progress: &mut Progress,
        attempt: &mut Attempt,
    ) -> Result<String, ModelError> {
        let mut corrected = false;
        let mut said = String::new();
        let before = progress.inquired;
        for round in 0..=ROUNDS {
            let mut request = Self::request(scene, messages.clone());
            if round == ROUNDS {
                // In the last round it must speak.
                request.tools.clear();
            }
            let stream = progress.stream(model, &request);
            let length = length(&request);
            if let Some(saying) = &mut progress.saying {
                saying.begin_round();
            }
            let done = done_so_far(scene, progress);
            let deadline = deadline + progress.inquired.saturating_sub(before);
            let answer =
                self.round(stream, length, deadline, attempt, &mut progress.saying, done).await?;
            if !answer.text.trim().is_empty() {
                said = answer.text.clone();
            }
            let speaks_last = answer.calls.is_empty();
            let mut ends = false;
            if !speaks_last {
                messages.push(ChatMessage::Assistant {
                    text: answer.text,
                    calls: answer.calls.clone(),
                });
                for call in answer.calls {
                    ends |= self.run_call(scene, call, messages, progress).await;
                }
            }
            let done = done_so_far(scene, progress);
            let promised = progress.saying.as_mut().map(|saying| saying.end_round(done));
            // A goodbye or a handing over said beside its tool needs no further round.
            let has_parted = ends && !said.trim().is_empty();
            if !speaks_last && !has_parted {
                continue;
            }
            let text = speakable(&said, &scene.call.language);
            if text.is_empty() && progress.next.is_some() {
                let closing = closing_words(scene, progress);
                return Ok(match &mut progress.saying {
                    Some(saying) => {
                        saying.say(&closing);
                        saying.said().to_owned()
                    }
                    None => closing,
                });
            }
            if text.is_empty() {
                return Err(error(Outcome::Unusable, "it said nothing that can be spoken"));
            }
            let promised = promised
                .unwrap_or_else(|| promises::is_promised(&text, &scene.call.language, done));
            if promised {
                if corrected {
                    return Err(error(Outcome::Unusable, "it confirmed what is not stored"));
                }
                corrected = true;
                // The goodbye that went with the false promise is taken back too.
                progress.next = None;
                messages.push(ChatMessage::Assistant { text, calls: Vec::new() });
                messages.push(ChatMessage::User(promises::CORRECTION.to_owned()));
                said.clear();
                continue;
            }
            return Ok(progress.saying.as_ref().map_or(text, |saying| saying.said().to_owned()));
        }
        Err(error(Outcome::Unusable, "it asked for tools again and again"))
    }

    /// Runs one tool for a model; says whether it ends the conversation.
    async fn run_call(
        &self,
        scene: &Scene,
        call: ToolCall,
        messages: &mut Vec<ChatMessage>,
        progress: &mut Progress,
    ) -> bool {
        let (content, is_error) =
            match ToolRequest::read(&call.name, &call.arguments, &scene.assistant.spec) {
                Ok(_) if progress.tools.len() >= TOOLS + usize::from(progress.told_found) => {
                    let enough = "no more tools in this turn: answer the caller with what you know";
                    (enough.to_owned(), true)
                }
                Ok(request) => {
                    let result = self.run(scene, &request, progress).await;
                    (result.to_json(), result.is_error())
                }
                Err(wrong) => {
                    // Kept for the transcript too: a model that cannot use its tools should be seen.
                    progress.tools.push(crate::domain::ToolUse {
                        tool: call.name.chars().take(64).collect(),
                        arguments: call.arguments.chars().take(500).collect(),
                        result: serde_json::json!({ "error": wrong }).to_string(),
                    });
                    (wrong, true)
                }
            };
        messages.push(ChatMessage::ToolResult { call_id: call.id, content, is_error });
        progress.next.is_some()
    }

    async fn round(
        &self,
        stream: ChatStream,
        length: usize,
        deadline: Deadline,
        attempt: &mut Attempt,
        saying: &mut Option<Saying>,
        done: Done,
    ) -> Result<Round, ModelError> {
        let begun = Instant::now();
        let mut round = Round::default();
        let interrupted = saying.as_ref().map(Saying::interrupted);
        let mut take = |text: &str| {
            if let Some(saying) = saying {
                saying.write(text, done);
            }
        };
        let collected = self.collect(stream, deadline, begun, &mut round, &mut take);
        let outcome = match interrupted {
            None => collected.await,
            Some(mut interrupted) => tokio::select! {
                biased;
                // Dropping the answer cancels it.
                Ok(_) = interrupted.wait_for(|stop| *stop) => {
                    Err(error(Outcome::Interrupted, "the caller talked over it"))
                }
                collected = collected => collected,
            },
        };
        attempt.first_token_ms = attempt.first_token_ms.or(round.first_token.map(millis));
        // A stream that is cut off is billed all the same, and says nothing of its cost.
        let usage = round.usage.unwrap_or_else(|| estimated(length, round.text.len()));
        if outcome.is_ok() || round.first_token.is_some() {
            attempt.usage.add(&usage);
        }
        outcome.map(|()| round)
    }

    async fn collect(
        &self,
        mut stream: ChatStream,
        deadline: Deadline,
        begun: Instant,
        round: &mut Round,
        take: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ModelError> {
        let first = (Deadline::now() + self.deadlines.first_token).min(deadline);
        loop {
            let until = if round.first_token.is_some() { deadline } else { first };
            let event = timeout_at(until, stream.next())
                .await
                .map_err(|_| error(Outcome::TimedOut, "it took too long"))?
                .ok_or_else(|| error(Outcome::BrokenStream, "the answer broke off"))??;
            match event {
                ChatEvent::Text(text) => {
                    round.first_token.get_or_insert_with(|| begun.elapsed());
                    take(&text);
                    round.text.push_str(&text);
                }
                ChatEvent::ToolCall(call) => {
                    round.first_token.get_or_insert_with(|| begun.elapsed());
                    round.calls.push(call);
                }
                ChatEvent::Done { reason, usage } => {
                    round.usage = usage;
                    return match reason {
                        StopReason::Declined => {
                            Err(error(Outcome::Declined, "it declined to answer"))
                        }
                        // A half sentence is better than none: what is there is spoken.
                        StopReason::Finished | StopReason::ToolCalls | StopReason::Length => Ok(()),
                    };
                }
            }
            // More calls than a turn may run are a model gone wild: run no more of them.
            if round.calls.len() > ROUNDS {
                return Err(error(Outcome::Unusable, "it asked for too many tools at once"));
            }
        }
    }
}

/// How long what a model is sent is, in bytes.
pub(super) fn length(request: &ChatRequest) -> usize {
    let of_message = |message: &ChatMessage| match message {
        ChatMessage::User(text) | ChatMessage::Assistant { text, .. } => text.len(),
        ChatMessage::ToolResult { content, .. } => content.len(),
    };
    request.system.len() + request.messages.iter().map(of_message).sum::<usize>()
}

/// What an answer that was cut off has probably cost.
pub(super) fn estimated(asked: usize, answered: usize) -> TokenUsage {
    TokenUsage {
        input: (asked / 4) as u32,
        output: (answered / 4) as u32,
        estimated: true,
        ..TokenUsage::default()
    }
}

/// What was done in the call so far, and the caller may be told of.
fn done_so_far(scene: &Scene, progress: &Progress) -> Done {
    Done::by(scene.history.iter().flat_map(|turn| &turn.tools).chain(&progress.tools))
}

/// What is said when a model ends or hands over a call without a word.
fn closing_words(scene: &Scene, progress: &Progress) -> String {
    let phrases = super::phrases::for_language(&scene.call.language);
    match progress.next {
        Some(Next::Transfer(_)) => phrases.transferring.clone(),
        _ if super::satisfaction::is_due(scene) => phrases.satisfaction.question.clone(),
        _ => phrases.goodbye.clone(),
    }
}

fn error(outcome: Outcome, detail: &str) -> ModelError {
    ModelError { outcome, detail: detail.to_owned(), retry_after: None }
}
