//! One turn: asks the assistant's minds in their order until one has something to say.
//!
//! The chain is the assistant's model, its fallbacks, and always last the built-in concierge.
//! Tools run in between, through `operations`. Nothing here knows how speech travels.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

use super::{
    aloud::{Aloud, Saying},
    called,
    consent::{self, Verdict},
    head_start::HeadStart,
    hold_on::HoldOn,
    looked_up, memory, phrases, prompt, satisfaction,
    state::{self, Decision, Facts},
    tongue::Turned,
    tools::ToolResult,
};
use crate::{
    domain::{
        Assistant, Attempt, Call, CallId, EndReason, Errand, Found, Heard, LanguageTag, ModelRef,
        Next, Outcome, Rating, Recollection, RecordingConsent, Reply, TokenUsage, ToolUse, Turn,
        TurnTimings,
    },
    operations::{endpoints::Endpoints, knowledge::Library},
    providers::{
        breaker::Breakers,
        llm::{ChatMessage, ChatModel, ModelError, Models},
    },
    store::Store,
};

/// How long minds may think.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// One model, until its first word or tool.
    pub first_token: Duration,
    /// One model, in all.
    pub model: Duration,
    /// All models of a turn together; then the concierge answers.
    pub turn: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            first_token: Duration::from_secs(4),
            model: Duration::from_secs(8),
            turn: Duration::from_secs(12),
        }
    }
}

/// Rounds of tools in one turn at most: a model that goes on asking is stopped.
pub(super) const ROUNDS: usize = 5;

/// Tools run in one turn at most, whatever a model asks for.
pub(super) const TOOLS: usize = 5;

/// The engine of all conversations of a daemon.
#[derive(Clone)]
pub struct Engine {
    pub(super) store: Store,
    pub(super) models: Models,
    pub(super) deadlines: Deadlines,
    pub(super) breakers: Option<Breakers>,
    pub(super) endpoints: Endpoints,
    pub(super) hold_on: HoldOn,
    pub(super) library: Library,
}

/// A turn to reply to.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The call.
    pub call: Call,
    /// Who answers.
    pub assistant: Arc<Assistant>,
    /// The turns before.
    pub history: Vec<Turn>,
    /// What was heard.
    pub heard: Heard,
    /// Now.
    pub now: Timestamp,
    /// How long the call has lasted, whatever the time of day.
    pub lasted: SignedDuration,
    /// What is known of the caller from before.
    pub known: Option<Recollection>,
    /// What was found in the assistant's documents for what was heard.
    pub found: Vec<Found>,
    /// What the call is for, where we made it.
    pub errand: Option<Errand>,
}

/// What the engine came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Thought {
    /// What to say and do.
    pub reply: Reply,
    /// How long it took.
    pub timings: TurnTimings,
    /// Why the call is about to end, if it is.
    pub end_reason: Option<EndReason>,
    /// Whether the reply begins with the warning that time is nearly up.
    pub warned: bool,
    /// What the caller said to being recorded, if this was about that.
    pub consent: Option<RecordingConsent>,
    /// How satisfied the caller is, who was asked and said so.
    pub rating: Option<Rating>,
    /// The language that the call goes on in, if it is another one from here on.
    pub language: Option<LanguageTag>,
}

/// What has happened in a turn so far; survives a change of minds.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Every model asked.
    pub(super) attempts: Vec<Attempt>,
    /// Every tool run.
    pub(super) tools: Vec<ToolUse>,
    /// What became of a booking in this turn: stored, moved or cancelled.
    pub(super) booked: Option<ToolResult>,
    /// What to do after speaking, as tools decided.
    pub(super) next: Option<Next>,
    /// The reply as it is said meanwhile, on lines that can.
    pub(super) saying: Option<Saying>,
    /// A model that was asked early.
    pub(super) head_start: Option<HeadStart>,
    /// Whether the caller wanted another language, and nothing else.
    pub(super) only_another_language: bool,
    /// How long the client's own systems were waited for: no model is to blame for it.
    pub(super) inquired: Duration,
    /// Whether a model was told what was found in the documents: it is the first of the tools then.
    pub(super) told_found: bool,
}

impl Engine {
    /// An engine on a store, with the models that can be asked.
    pub fn new(store: Store, models: Models, deadlines: Deadlines) -> Self {
        let (endpoints, hold_on) = (Endpoints::default(), HoldOn::default());
        Self {
            store,
            models,
            deadlines,
            breakers: None,
            endpoints,
            hold_on,
            library: Library::by_words(),
        }
    }

    /// Asks the client's own systems where assistants' files say so.
    #[must_use]
    pub fn asking(self, endpoints: Endpoints) -> Self {
        Self { endpoints, ..self }
    }

    /// Looks documents up by what they mean too, where assistants' files say so.
    #[must_use]
    pub fn looking_up_in(self, library: Library) -> Self {
        Self { library, ..self }
    }

    /// How documents are looked up.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Waits until the caller is to be asked to hold on; says with what words.
    pub async fn hold_on(&self, call: CallId) -> String {
        self.hold_on.wanted(call).await
    }

    /// Leaves a provider that failed a few times alone for a while: with breakers that others share.
    #[must_use]
    pub fn sharing(self, breakers: Breakers) -> Self {
        Self { breakers: Some(breakers), ..self }
    }

    /// Replies to a turn; always has something to say.
    pub async fn reply(&self, scene: &Scene) -> Thought {
        self.reply_to(scene, None, false, None).await
    }

    /// Replies to a turn, and says it meanwhile; before all that a machine speaks, where `discloses`.
    /// The text of the reply is what was said; interrupted, that may be nothing. A model that was asked
    /// the same early is not asked again.
    pub async fn reply_aloud(
        &self,
        scene: &Scene,
        to: Aloud,
        discloses: bool,
        head_start: Option<HeadStart>,
    ) -> Thought {
        self.reply_to(scene, Some(to), discloses, head_start).await
    }

    async fn reply_to(
        &self,
        scene: &Scene,
        to: Option<Aloud>,
        discloses: bool,
        head_start: Option<HeadStart>,
    ) -> Thought {
        let begun = Instant::now();
        let turned = Turned::of(scene);
        let scene = &*turned.scene(scene);
        if let (Some(to), Some(language)) = (&to, turned.language()) {
            to.turn_to(language);
        }
        let mut saying = to.map(|to| Saying::new(to, scene.call.language.clone()));
        if let (Some(saying), true) = (&mut saying, discloses) {
            saying.say(phrases::machine(&scene.call.language));
        }
        let (verdict, decision) = decide(scene, &turned);
        let aloud = saying.is_some();
        let (mut reply, end_reason, warning) = match decision {
            Decision::Say { mut reply, end_reason } => {
                if let Some(saying) = &mut saying {
                    saying.say(&reply.text);
                    saying.said().clone_into(&mut reply.text);
                }
                reply.attempts.extend(head_start.map(HeadStart::in_vain));
                (*reply, end_reason, None)
            }
            Decision::HandOver { first } => {
                let progress = Progress { saying, head_start, ..Progress::default() };
                let reply = self.hand_over(scene, progress, first.as_deref()).await;
                let end_reason = end_reason(&reply.next);
                (reply, end_reason, None)
            }
            Decision::Think { warning } => {
                if let (Some(saying), Some(warning)) = (&mut saying, &warning) {
                    saying.say(warning);
                }
                let only_another_language = turned.is_all();
                let progress =
                    Progress { saying, head_start, only_another_language, ..Progress::default() };
                let reply = self.think(scene, begun, progress).await;
                let end_reason = end_reason(&reply.next);
                (reply, end_reason, warning)
            }
        };
        let warned = warning.is_some() && (aloud || reply.next == Next::Listen);
        if let Some(warning) = warning.filter(|_| warned && !aloud) {
            reply.text = format!("{warning} {}", reply.text);
        }
        let answered = reply
            .attempts
            .iter()
            .rfind(|attempt| matches!(attempt.outcome, Outcome::Answered | Outcome::Interrupted));
        let timings = TurnTimings {
            first_token_ms: answered.and_then(|attempt| attempt.first_token_ms),
            reply_ms: Some(millis(begun.elapsed())),
            ..TurnTimings::default()
        };
        let consent = match verdict {
            Some(Verdict::Decided { consent, .. }) => Some(consent),
            Some(Verdict::AskAgain) | None => None,
        };
        let answer = satisfaction::answer(&scene.history, &scene.call.language, &scene.heard);
        let rating = match answer {
            Some(satisfaction::Answer::Rated(rating)) => Some(rating),
            Some(satisfaction::Answer::Declined) | None => None,
        };
        let language = turned.language().cloned();
        Thought { reply, timings, end_reason, warned, consent, rating, language }
    }

    async fn think(&self, scene: &Scene, begun: Instant, mut progress: Progress) -> Reply {
        let ai = &scene.assistant.spec.ai;
        let mut messages: Option<Vec<ChatMessage>> = None;
        for name in std::iter::once(&ai.model).chain(&ai.fallbacks) {
            if name.is_builtin() {
                break;
            }
            let thought = begun.elapsed().saturating_sub(progress.inquired);
            let left = self.deadlines.turn.saturating_sub(thought);
            if left.is_zero() {
                progress.attempts.push(not_asked(name, Outcome::TimedOut, "no time was left"));
                continue;
            }
            let model = match self.model(&scene.assistant, name) {
                Ok(model) => model,
                Err(error) => {
                    progress.attempts.push(not_asked(name, error.outcome, &error.detail));
                    continue;
                }
            };
            let breaker = breaker_of(model.as_ref());
            if self.breakers.as_ref().is_some_and(|breakers| !breakers.allows(&breaker)) {
                progress.attempts.push(not_asked(name, Outcome::Unreachable, LEFT_ALONE));
                continue;
            }
            let messages = messages.get_or_insert_with(|| memory::messages_of(scene));
            if !scene.found.is_empty() && !progress.told_found {
                progress.told_found = true;
                progress.tools.push(looked_up::noted(scene.heard.text(), &scene.found));
            }
            let mut spoken = self.ask(scene, model.as_ref(), messages, left, &mut progress).await;
            self.report(&breaker, &progress, left);
            if spoken.is_none() {
                spoken = half_said(&mut progress, &scene.call.language);
            }
            if let Some(text) = spoken {
                let engine = model.id().to_owned();
                let next = progress.next.unwrap_or(Next::Listen);
                let (text, next) =
                    satisfaction::after_model(scene, text, next, &mut progress.saying);
                return Reply {
                    text,
                    language: scene.call.language.clone(),
                    next,
                    engine,
                    attempts: progress.attempts,
                    tools: progress.tools,
                    state: None,
                };
            }
        }
        if Self::is_lost(scene, &progress) {
            return self.hand_over(scene, progress, None).await;
        }
        self.ask_concierge(scene, progress).await
    }

    /// A model of the assistant's, with the key that is meant for it.
    pub(super) fn model(
        &self,
        assistant: &Assistant,
        name: &ModelRef,
    ) -> Result<Arc<dyn ChatModel>, ModelError> {
        let ai = &assistant.spec.ai;
        let owner = assistant.owner.as_ref().map(|owner| owner.id);
        // The assistant's key is one for its model; another provider must never see it.
        let key = ai.api_key.as_ref().filter(|_| self.models.share_a_provider(name, &ai.model));
        self.models.find_with(name, key, owner)
    }

    /// Tells a provider's breaker what became of asking it.
    fn report(&self, breaker: &str, progress: &Progress, left: Duration) {
        let (Some(breakers), Some(attempt)) = (&self.breakers, progress.attempts.last()) else {
            return;
        };
        match attempt.outcome {
            Outcome::Answered => breakers.succeeded(breaker),
            // It began to answer, and what it said is the matter of one conversation.
            Outcome::Interrupted | Outcome::Unusable => {
                if attempt.first_token_ms.is_some() {
                    breakers.succeeded(breaker);
                }
            }
            // It was given less time than it may take.
            Outcome::TimedOut if left < self.deadlines.first_token => {}
            outcome => breakers.failed(breaker, &outcome),
        }
    }

    /// Instructions and tools of a call, as a model gets them.
    pub(super) fn instructions(scene: &Scene) -> String {
        let spec = &scene.assistant.spec;
        // The moment the call began: instructions that change every minute cannot be cached.
        let began = scene.call.started_at.to_zoned_datetime(spec.zone());
        let (known, errand) = (scene.known.as_ref(), scene.errand.as_ref());
        prompt::system(spec, &scene.call.language, &began, known, errand)
    }
}

/// Why a call is about to end after a reply, if it is.
const fn end_reason(next: &Next) -> Option<EndReason> {
    match next {
        Next::Listen => None,
        Next::HangUp => Some(EndReason::AssistantHungUp),
        Next::Transfer(_) => Some(EndReason::Transferred),
    }
}

/// What is to be done about something heard, and what it was to a question about recording. The scene
/// is the one that the call goes on in.
pub(super) fn decide(scene: &Scene, turned: &Turned) -> (Option<Verdict>, Decision) {
    let facts = Facts {
        spec: &scene.assistant.spec,
        lasted: scene.lasted,
        language: &scene.call.language,
        history: &scene.history,
        heard: &scene.heard,
    };
    if called::is_to_stop(scene) {
        return (None, state::stopped(&facts));
    }
    let phrases = phrases::for_language(&scene.call.language);
    let verdict = consent::judge(
        &consent::Asked {
            policy: scene.assistant.spec.compliance.recording,
            consent: scene.call.recording_consent,
            said: scene.history.last().and_then(|turn| turn.said.as_deref()),
            said_in: scene
                .history
                .last()
                .map_or(phrases, |turn| phrases::for_language(&turn.language)),
            phrases,
        },
        &scene.heard,
    );
    // Asked in one language, it is asked again in the other.
    let verdict = match verdict {
        Some(Verdict::Decided { .. }) if turned.is_all() && consent_is_open(scene) => {
            Some(Verdict::AskAgain)
        }
        verdict => verdict,
    };
    let decision = match verdict {
        Some(Verdict::Decided { consent, only_that: true }) => state::consented(&facts, consent),
        Some(Verdict::AskAgain) => state::asked_again(&facts),
        _ => match state::decide(&facts) {
            Decision::Think { .. } if turned.is_not_spoken() => state::not_spoken(&facts),
            Decision::Think { .. }
                if turned.is_all() && matches!(scene.heard, Heard::Digits(_)) =>
            {
                state::switched(&facts)
            }
            decision => decision,
        },
    };
    (verdict, decision)
}

/// Whether the caller has not said yet whether the call may be recorded.
fn consent_is_open(scene: &Scene) -> bool {
    scene.call.recording_consent.is_none()
}

/// What a model that was interrupted, or failed, had said by then, where the turn ends with it:
/// nobody can begin a second reply when the first has been heard.
fn half_said(progress: &mut Progress, language: &LanguageTag) -> Option<String> {
    let saying = progress.saying.as_mut()?;
    if saying.is_interrupted() {
        return Some(saying.said().to_owned());
    }
    if !saying.said_a_sentence() {
        return None;
    }
    if !saying.said().ends_with(['.', '!', '?']) {
        saying.say(&phrases::for_language(language).cut_off);
    }
    Some(saying.said().to_owned())
}

/// Why a model was not asked whose provider is left alone.
const LEFT_ALONE: &str = "not asked: it failed a few times just now";

/// The breaker of a model's provider.
pub(super) fn breaker_of(model: &dyn ChatModel) -> String {
    let id = model.id();
    format!("llm/{}", id.split_once('/').map_or(id, |(provider, _)| provider))
}

fn not_asked(model: &ModelRef, outcome: Outcome, detail: &str) -> Attempt {
    Attempt {
        model: model.to_string(),
        outcome,
        first_token_ms: None,
        total_ms: 0,
        usage: TokenUsage::default(),
        detail: Some(detail.to_owned()),
    }
}

pub(super) fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
