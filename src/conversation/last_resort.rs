//! The last mind of every chain: the built-in concierge, which always answers.

use std::time::Instant;

use super::{
    called::{self, Answered},
    concierge,
    engine::{Engine, Progress, ROUNDS, Scene, millis},
    head_start::HeadStart,
    looked_up, phrases, satisfaction,
};
use crate::domain::{Attempt, Heard, ModelRef, Next, Outcome, Reply, TokenUsage, Turn};

/// What is answered to the first words of a call that we made, where that is all.
fn first_answer(scene: &Scene) -> Option<concierge::Event<'_>> {
    let errand = scene.errand.as_ref().filter(|errand| called::is_first(scene, errand))?;
    let answered = called::answered(&scene.call.language, &scene.heard)?;
    Some(match answered {
        Answered::Hello => concierge::Event::PickedUp(&errand.opening),
        Answered::Yes => concierge::Event::Agreed,
        Answered::No => concierge::Event::Declined,
    })
}

impl Engine {
    /// The built-in concierge: always answers.
    pub(super) async fn ask_concierge(&self, scene: &Scene, mut progress: Progress) -> Reply {
        let begun = Instant::now();
        let early = progress.head_start.take().map(HeadStart::in_vain);
        progress.attempts.extend(early);
        let spec = &scene.assistant.spec;
        let now = scene.now.to_zoned_datetime(spec.zone());
        let stage = concierge::Scene {
            spec,
            language: &scene.call.language,
            now: &now,
            caller: scene.call.caller.as_deref(),
            known: scene.known.as_ref(),
            found: &scene.found,
        };
        let state = remembered(&stage, &scene.history);
        let booked = progress.booked.take();
        let event = match &booked {
            Some(booked) => concierge::Event::Tool(booked),
            None if progress.only_another_language => concierge::Event::AnotherLanguage,
            None => first_answer(scene).unwrap_or(concierge::Event::Heard(&scene.heard)),
        };
        let (mut state, mut effect) = concierge::step(&stage, state, event);
        let mut rounds = 0;
        let (text, next) = loop {
            match effect {
                concierge::Effect::Say { text, next } => break (text, next),
                concierge::Effect::Run(_) if rounds == ROUNDS => {
                    // Cannot happen with the concierge as it is; a caller must not pay if it does.
                    tracing::error!(call_sid = %scene.call.sid, "the concierge asked for too many tools");
                    let phrases = phrases::for_language(&scene.call.language);
                    break (phrases.apology.clone(), Next::Listen);
                }
                concierge::Effect::Run(request) => {
                    rounds += 1;
                    let result = self.run(scene, &request, &mut progress).await;
                    (state, effect) =
                        concierge::step(&stage, state, concierge::Event::Tool(&result));
                }
            }
        };
        let parts = next == Next::HangUp;
        let (text, next) = satisfaction::after_concierge(scene, text, next);
        if parts && next == Next::Listen {
            state.begin_again();
        }
        if let Some(told) = state.told.and_then(|at| scene.found.get(at))
            && !progress.told_found
        {
            let told = std::slice::from_ref(told);
            progress.tools.insert(0, looked_up::noted(scene.heard.text(), told));
        }
        let text = match &mut progress.saying {
            Some(saying) => {
                saying.say(&text);
                saying.said().to_owned()
            }
            None => text,
        };
        progress.attempts.push(Attempt {
            model: ModelRef::BUILTIN.to_owned(),
            outcome: Outcome::Answered,
            first_token_ms: None,
            total_ms: millis(begun.elapsed()),
            usage: TokenUsage::default(),
            detail: None,
        });
        Reply {
            text,
            language: concierge::language(&scene.call.language),
            next,
            engine: ModelRef::BUILTIN.to_owned(),
            attempts: progress.attempts,
            tools: progress.tools,
            state: serde_json::to_string(&state).ok(),
        }
    }
}

/// The concierge's memory: its own of the last turn it answered, and the utterances since.
pub(super) fn remembered(stage: &concierge::Scene<'_>, history: &[Turn]) -> concierge::State {
    let last = history.iter().rposition(|turn| turn.state.is_some());
    let state = last
        .and_then(|last| serde_json::from_str(history[last].state.as_deref()?).ok())
        .unwrap_or_default();
    history[last.map_or(0, |last| last + 1)..].iter().fold(state, |state, turn| match &turn.heard {
        Some(Heard::Speech { text, .. }) => {
            // In the language that was spoken then.
            let stage = concierge::Scene { language: &turn.language, ..*stage };
            concierge::absorb(&stage, state, text)
        }
        _ => state,
    })
}
