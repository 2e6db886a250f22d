//! The rules of a conversation that hold whoever thinks: silence, time, nothing to add.
//!
//! Pure: facts in, decision out.

use jiff::{SignedDuration, Timestamp};

use super::phrases;
use crate::domain::{AssistantSpec, EndReason, Heard, LanguageTag, Next, Reply, Turn};

/// Before the maximum duration, how long the caller is warned.
const WARNING: SignedDuration = SignedDuration::from_secs(60);

/// How often the caller is asked again before a goodbye.
const ASK_AGAIN: usize = 2;

/// What is known when something is heard.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    /// Whose call it is.
    pub(super) spec: &'a AssistantSpec,
    /// When it rang.
    pub(super) started_at: Timestamp,
    /// Now.
    pub(super) now: Timestamp,
    /// The language spoken.
    pub(super) language: &'a LanguageTag,
    /// The turns before.
    pub(super) history: &'a [Turn],
    /// What was heard.
    pub(super) heard: &'a Heard,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Decision {
    /// Say this; there is nothing to think about.
    Say {
        /// The reply.
        reply: Box<Reply>,
        /// Why the call ends, if it does.
        end_reason: Option<EndReason>,
    },
    /// Ask the assistant's mind, and warn the caller first if time is nearly up.
    Think {
        /// The warning, unless it was given.
        warning: Option<String>,
    },
}

/// Decides.
pub(super) fn decide(facts: &Facts<'_>) -> Decision {
    let phrases = phrases::for_language(facts.language);
    let longest = SignedDuration::try_from(facts.spec.limits.max_call_duration.get())
        .unwrap_or(SignedDuration::MAX);
    let elapsed = facts.now.duration_since(facts.started_at);
    if elapsed >= longest {
        return say(
            facts,
            phrases.duration_goodbye.clone(),
            Next::HangUp,
            Some(EndReason::TooLong),
        );
    }
    if *facts.heard == Heard::Silence {
        let silences = facts
            .history
            .iter()
            .rev()
            .take_while(|turn| turn.heard == Some(Heard::Silence))
            .count();
        if silences >= ASK_AGAIN {
            let goodbye = phrases.silence_goodbye.clone();
            return say(facts, goodbye, Next::HangUp, Some(EndReason::Silence));
        }
        return say(facts, phrases.not_heard(silences as u32).to_owned(), Next::Listen, None);
    }
    let warned = facts.history.iter().any(|turn| {
        turn.said.as_deref().is_some_and(|said| said.starts_with(&phrases.duration_warning))
    });
    let near = elapsed >= longest.saturating_sub(WARNING.min(longest / 4));
    Decision::Think { warning: (near && !warned).then(|| phrases.duration_warning.clone()) }
}

fn say(facts: &Facts<'_>, text: String, next: Next, end_reason: Option<EndReason>) -> Decision {
    let state = facts.history.iter().rev().find_map(|turn| turn.state.clone());
    Decision::Say {
        reply: Box::new(Reply {
            text,
            language: facts.language.clone(),
            next,
            engine: "webox".to_owned(),
            attempts: Vec::new(),
            tools: Vec::new(),
            state,
        }),
        end_reason,
    }
}
