//! Doing what a mind asks for: one tool, through `operations`, noted for the transcript.

use std::sync::Arc;

use super::{
    engine::{Engine, Progress, Scene},
    handing_over,
    tools::{ToolRequest, ToolResult},
};
use crate::{
    domain::{Message, Next, Summary, ToolUse},
    operations::{
        bookings::{self, Booker},
        messages,
    },
};

impl Engine {
    /// Runs a tool and notes it.
    pub(super) async fn run(
        &self,
        scene: &Scene,
        request: &ToolRequest,
        progress: &mut Progress,
    ) -> ToolResult {
        let booker = Booker {
            assistant: Arc::clone(&scene.assistant),
            call: Some(scene.call.id),
            caller: scene.call.caller.clone(),
            language: scene.call.language.clone(),
        };
        let failed = |error: crate::domain::Error| {
            tracing::error!(call_sid = %scene.call.sid, tool = request.name(), %error, "a tool failed");
            ToolResult::Failed
        };
        let result = match request {
            ToolRequest::CheckAvailability(wish) => {
                bookings::check(&self.store, &booker, wish, scene.now)
                    .await
                    .map_or_else(failed, ToolResult::Availability)
            }
            ToolRequest::Book(wish) => bookings::book(&self.store, &booker, wish, scene.now)
                .await
                .map_or_else(failed, |booked| ToolResult::Booked(booked.map(Box::new))),
            ToolRequest::FindBookings(key) => bookings::find(&self.store, &booker, key, scene.now)
                .await
                .map_or_else(failed, |found| {
                    ToolResult::Found(found.iter().map(Summary::from).collect())
                }),
            ToolRequest::Reschedule(key, change) => {
                bookings::reschedule(&self.store, &booker, key, change, scene.now)
                    .await
                    .map_or_else(failed, |moved| ToolResult::Rescheduled(moved.map(Box::new)))
            }
            ToolRequest::Cancel(key) => bookings::call_off(&self.store, &booker, key, scene.now)
                .await
                .map_or_else(failed, |gone| ToolResult::Cancelled(gone.map(Box::new))),
            ToolRequest::TakeMessage { name, text } => {
                let message = Message {
                    assistant: scene.assistant.id,
                    call: scene.call.id,
                    caller: scene.call.caller.clone(),
                    name: name.clone(),
                    text: text.clone(),
                    recording: None,
                    created_at: scene.now,
                };
                messages::take(&self.store, Arc::clone(&scene.assistant), message)
                    .await
                    .map_or_else(failed, |()| ToolResult::MessageTaken)
            }
            ToolRequest::Transfer { to, .. } => {
                let result = handing_over::choose(&scene.assistant.spec, to.as_deref(), scene.now);
                if let ToolResult::Transferring { number, .. } = &result {
                    progress.next = Some(Next::Transfer(number.clone()));
                }
                result
            }
            ToolRequest::Inquire { tool, arguments } => {
                match scene.assistant.spec.tools.iter().find(|one| one.name == *tool) {
                    Some(tool) => self.inquire(scene, tool, arguments, progress).await,
                    None => ToolResult::NoAnswer(format!("there is no tool `{tool}`")),
                }
            }
            ToolRequest::SearchKnowledge(query) => {
                let found = self.library.look_up(&self.store, &scene.assistant, query, None);
                ToolResult::Passages(found.await)
            }
            ToolRequest::EndCall => {
                progress.next.get_or_insert(Next::HangUp);
                ToolResult::Ending
            }
        };
        if matches!(
            result,
            ToolResult::Booked(Ok(_))
                | ToolResult::Rescheduled(Ok(_))
                | ToolResult::Cancelled(Ok(_))
        ) {
            progress.booked = Some(result.clone());
        }
        progress.tools.push(ToolUse {
            tool: request.name().to_owned(),
            arguments: request.arguments(),
            result: result.noted(),
        });
        result
    }
}
