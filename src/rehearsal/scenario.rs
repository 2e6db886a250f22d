//! One scenario, played: a store of its own, the real daemon, real signed webhooks.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    Call, Daemon, Heard, State, errand,
    expect::{Happened, failures},
    file::{AlreadyBooked, Input, Rehearsal, Scenario},
    persona,
};
use crate::{
    domain::{
        Actor, Assistant, AssistantSpec, Booking, BookingFilter, BookingRequest, Error,
        LanguageTag, Message, ModelRef, Result, ToolUse, Turn,
    },
    line::{Clock, Voices},
    operations::{
        assistants,
        bookings::{self, Booker},
        calls,
        endpoints::Endpoints,
    },
    providers::llm::Models,
    store::{Options, Store},
};

/// Who calls when a scenario does not say.
pub const CALLER: &str = "+33612345678";

/// Turns that a model as the caller may take.
const PERSONA_TURNS: usize = 12;

/// Who answers.
#[derive(Clone)]
pub struct Minds {
    /// The models that can be asked.
    pub models: Models,
    /// The one to ask; the built-in concierge when not given.
    pub model: Option<ModelRef>,
}

/// How a scenario ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "outcome", content = "reason")]
pub enum Outcome {
    /// All was as expected.
    Passed,
    /// Something was not.
    Failed,
    /// It was not played, and why.
    Skipped(String),
}

/// One turn of a scenario, as it went.
#[derive(Debug, Clone, Serialize)]
pub struct Played {
    /// What the caller did; nothing in the greeting.
    pub caller: Option<String>,
    /// What the assistant said.
    pub reply: String,
    /// Webox's own time, in milliseconds: the round trip without the models.
    pub own_ms: u32,
    /// Who answered.
    pub engine: Option<String>,
    /// The tools that were run.
    pub tools: Vec<ToolUse>,
    /// What humans who were rung were told of the call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub whispers: Vec<String>,
    /// What was not as expected.
    pub failures: Vec<String>,
}

/// A scenario, as it went.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The file.
    pub file: String,
    /// The assistant.
    pub assistant: String,
    /// The scenario.
    pub scenario: String,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Turn by turn, the greeting first.
    pub turns: Vec<Played>,
    /// What was not as expected of the whole call.
    pub failures: Vec<String>,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// The stage of one call: a daemon with one assistant, and a clock of its own.
pub struct Stage {
    /// The store of this call alone.
    pub store: Store,
    /// The daemon.
    pub daemon: Daemon,
    /// The assistant.
    pub assistant: Assistant,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// Sets the stage for an assistant at a moment, in writing.
    pub async fn set(spec: AssistantSpec, models: Models, clock: Clock) -> Result<Self> {
        Self::set_for(spec, models, clock, None, Endpoints::default()).await
    }

    /// The same with endpoints that the assistant may ask.
    pub async fn set_asking(
        spec: AssistantSpec,
        models: Models,
        clock: Clock,
        endpoints: Endpoints,
    ) -> Result<Self> {
        Self::set_for(spec, models, clock, None, endpoints).await
    }

    /// The same for calls that travel as the assistant's file says, with mouths and ears.
    pub async fn set_in_sound(
        spec: AssistantSpec,
        models: Models,
        clock: Clock,
        voices: Voices,
        endpoints: Endpoints,
    ) -> Result<Self> {
        Self::set_for(spec, models, clock, Some(voices), endpoints).await
    }

    async fn set_for(
        spec: AssistantSpec,
        models: Models,
        clock: Clock,
        voices: Option<Voices>,
        endpoints: Endpoints,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("webox-rehearsal-")
            .tempdir()
            .map_err(|error| Error::failure("no temporary folder could be made").because(error))?;
        let path = folder.path().join("webox.db");
        let opened = tokio::task::spawn_blocking(move || {
            let store = Store::open(&path, Options::terminal())?;
            let actor = Actor::webox("test");
            let assistant = assistants::create(&store, &actor, spec, None, Timestamp::now())?;
            Ok::<_, Error>((store, assistant))
        });
        let (store, assistant) = opened
            .await
            .unwrap_or_else(|error| Err(Error::failure("a rehearsal broke off").because(error)))?;
        let daemon = match voices {
            Some(voices) => {
                Daemon::start_in_sound(store.clone(), models, clock, voices, endpoints).await?
            }
            None => Daemon::start_asking(store.clone(), models, clock, endpoints).await?,
        };
        Ok(Self { store, daemon, assistant, _folder: folder })
    }
}

/// The assistant as it is rehearsed: in service, thought for by the model that was asked for.
pub fn rehearsed(spec: &AssistantSpec, model: Option<&ModelRef>) -> AssistantSpec {
    let mut spec = AssistantSpec { active: true, ..spec.clone() };
    spec.ai.model = model.cloned().unwrap_or_else(ModelRef::builtin);
    spec.ai.fallbacks.clear();
    spec
}

/// The clock of a call that rings at a time on the client's wall.
pub fn clock(spec: &AssistantSpec, at: Option<jiff::civil::DateTime>) -> Result<Clock> {
    let Some(at) = at else { return Ok(Clock::system()) };
    let at = at.to_zoned_datetime(spec.zone()).map_err(|error| {
        Error::input(format!("there is no {at} at the client's")).because(error)
    })?;
    Ok(Clock::set_to(at.timestamp()))
}

/// Plays a scenario. What goes wrong with it is its failure; it takes no other one along.
pub async fn play(rehearsal: &Rehearsal, minds: &Minds) -> Report {
    let begun = Instant::now();
    let mut report = Report {
        file: rehearsal.file.clone(),
        assistant: rehearsal.assistant.name.to_string(),
        scenario: rehearsal.scenario.name.clone(),
        outcome: Outcome::Passed,
        turns: Vec::new(),
        failures: Vec::new(),
        elapsed_ms: 0,
    };
    if rehearsal.scenario.persona.is_some() && minds.model.is_none() {
        report.outcome = Outcome::Skipped("a persona needs a model: give --model".to_owned());
        return report;
    }
    if let Err(error) = play_into(rehearsal, minds, &mut report).await {
        let causes = error.causes();
        let because =
            if causes.is_empty() { String::new() } else { format!(": {}", causes.join(": ")) };
        report.failures.push(format!("{error}{because}"));
    }
    let failed =
        !report.failures.is_empty() || report.turns.iter().any(|turn| !turn.failures.is_empty());
    if failed {
        report.outcome = Outcome::Failed;
    }
    report.elapsed_ms = begun.elapsed().as_millis() as u64;
    report
}

async fn play_into(rehearsal: &Rehearsal, minds: &Minds, report: &mut Report) -> Result<()> {
    let Rehearsal { assistant, scenario, .. } = rehearsal;
    let spec = rehearsed(assistant, minds.model.as_ref());
    let clock = clock(&spec, scenario.at)?;
    let now = clock.now();
    let endpoints = Endpoints::played(scenario.tools.clone());
    let stage = Stage::set_asking(spec, minds.models.clone(), clock, endpoints).await?;
    let from = match scenario.from.as_deref() {
        None => CALLER.to_owned(),
        Some("withheld") => "anonymous".to_owned(),
        Some(number) => number.parse::<crate::domain::PhoneNumber>()?.to_string(),
    };
    for given in &scenario.already_booked {
        book_before(&stage, given, &from, now).await?;
    }
    let humans = scenario.answers.clone();
    let (mut call, greeting) = if let Some(context) = &scenario.outbound {
        errand::pick_up(&stage, &from, context, humans, now).await?
    } else {
        let phone = &stage.assistant.spec.phone;
        Call::place_with(stage.daemon.caller(), &from, phone, humans).await?
    };
    let mut before = Facts::default();
    let seen = Facts::read(&stage, &call)?;
    let (played, _) = judge(None, &greeting, &seen, &before, &call, &scenario.greeting);
    report.turns.push(played);
    before = seen;
    if scenario.persona.is_some() {
        let goal = persona::play(scenario, minds, &stage, &mut call, report, PERSONA_TURNS).await?;
        report.failures.extend(goal);
    } else {
        let mut last = greeting;
        for step in &scenario.turn {
            let Some(input) = step.input() else { continue };
            let told = told(&input);
            if *call.state() != State::Listening {
                report.failures.push(format!("the call was over before {told}"));
                break;
            }
            if matches!(input, Input::Interrupt(_))
                && last.twiml.last().is_some_and(|twiml| twiml.contains("bargeIn=\"false\""))
            {
                report.failures.push(format!("the assistant could not be interrupted: {told}"));
            }
            let heard = act(&mut call, &input).await?;
            let seen = Facts::read(&stage, &call)?;
            let (played, _) = judge(Some(told), &heard, &seen, &before, &call, &step.expect);
            report.turns.push(played);
            before = seen;
            last = heard;
        }
    }
    let taken = report.turns.len() - 1;
    if let Some(most) = scenario.max_turns
        && taken > most
    {
        report.failures.push(format!("it took {taken} turns, not {most}"));
    }
    finish(&stage, &mut call, scenario, report).await?;
    stage.daemon.stop().await
}

/// Books what is booked when the phone rings, a while before it does.
async fn book_before(
    stage: &Stage,
    given: &AlreadyBooked,
    caller: &str,
    now: Timestamp,
) -> Result<()> {
    let number = given.from.as_ref().map(ToString::to_string);
    let booker = Booker {
        assistant: Arc::new(stage.assistant.clone()),
        call: None,
        caller: number.or_else(|| (caller != "anonymous").then(|| caller.to_owned())),
        language: stage.assistant.spec.voice.language.clone(),
    };
    let request = BookingRequest {
        party: given.party,
        at: given.at.unwrap_or_default(),
        nights: given.nights,
        service: given.service.clone(),
        resource: given.resource.clone(),
        name: Some(given.name.clone()),
        note: None,
    };
    let earlier = now - SignedDuration::from_mins(5);
    let booked = bookings::book(&stage.store, &booker, &request, earlier).await?;
    booked.map(|_| ()).map_err(|refusal| {
        let why = serde_json::to_string(&refusal).unwrap_or_default();
        Error::input(format!("`already_booked` of {} cannot be: {why}", given.name))
    })
}

/// The whole call, after Twilio has announced its end.
async fn finish(
    stage: &Stage,
    call: &mut Call<'_>,
    scenario: &Scenario,
    report: &mut Report,
) -> Result<()> {
    call.hang_up().await?;
    let seen = Facts::read(stage, call)?;
    let said: Vec<&str> = report.turns.iter().map(|turn| turn.reply.as_str()).collect();
    let reply = said.join("\n");
    let happened = Happened {
        reply: &reply,
        language: seen.turns.last().map(|turn| &turn.language),
        tools: seen.turns.iter().flat_map(|turn| &turn.tools).collect(),
        bookings: &seen.bookings,
        touched: &seen.touched,
        messages: seen.messages.iter().map(|message| message.text.as_str()).collect(),
        whispers: report.turns.iter().flat_map(|turn| &turn.whispers).map(String::as_str).collect(),
        satisfaction: seen.satisfaction,
        state: call.state(),
        own_ms: report.turns.iter().map(|turn| turn.own_ms).max().unwrap_or(0),
    };
    report.failures.extend(failures(&scenario.expect, &happened));
    Ok(())
}

/// Does what the caller does.
pub async fn act(call: &mut Call<'_>, input: &Input) -> Result<Heard> {
    match input {
        Input::Say(words) | Input::Interrupt(words) => call.say(words).await,
        Input::Press(keys) => call.press(keys).await,
        Input::Silence => call.say("").await,
    }
}

/// What the caller does, in words.
pub fn told(input: &Input) -> String {
    match input {
        Input::Say(words) => words.clone(),
        Input::Interrupt(words) => format!("(interrupts) {words}"),
        Input::Press(keys) => format!("(presses {keys})"),
        Input::Silence => "(silence)".to_owned(),
    }
}

/// What the store has of a call.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) turns: Vec<Turn>,
    bookings: Vec<Booking>,
    touched: Vec<Booking>,
    messages: Vec<Message>,
    satisfaction: Option<u8>,
}

impl Facts {
    pub(super) fn read(stage: &Stage, call: &Call<'_>) -> Result<Self> {
        let (stored, turns) = calls::show(&stage.store, &Actor::webox("test"), call.sid())?;
        let all = BookingFilter { cancelled: true, ..BookingFilter::default() };
        let mut touched = bookings::list(&stage.store, &Actor::webox("test"), &all)?;
        touched.retain(|one| one.call != Some(stored.id) && one.updated_at != one.created_at);
        Ok(Self {
            turns,
            touched,
            satisfaction: stored.satisfaction,
            bookings: bookings::of_call(&stage.store, stored.id)?,
            messages: calls::messages(&stage.store, stored.id)?,
        })
    }
}

/// One turn: what is new in the store since the one before, against what was expected.
pub(super) fn judge(
    caller: Option<String>,
    heard: &Heard,
    seen: &Facts,
    before: &Facts,
    call: &Call<'_>,
    expect: &super::wanted::Expect,
) -> (Played, Option<LanguageTag>) {
    let new = &seen.turns[before.turns.len().min(seen.turns.len())..];
    let models: u32 = new
        .iter()
        .flat_map(|turn| &turn.attempts)
        .filter(|attempt| attempt.model != ModelRef::BUILTIN)
        .map(|attempt| attempt.total_ms)
        .sum();
    let own = heard.after.saturating_sub(Duration::from_millis(u64::from(models)));
    let language = seen.turns.last().map(|turn| turn.language.clone());
    let happened = Happened {
        reply: &heard.text,
        language: language.as_ref(),
        tools: new.iter().flat_map(|turn| &turn.tools).collect(),
        bookings: &seen.bookings[before.bookings.len().min(seen.bookings.len())..],
        touched: &seen.touched[before.touched.len().min(seen.touched.len())..],
        messages: seen.messages[before.messages.len().min(seen.messages.len())..]
            .iter()
            .map(|message| message.text.as_str())
            .collect(),
        whispers: heard.whispers.iter().map(String::as_str).collect(),
        satisfaction: seen.satisfaction,
        state: call.state(),
        own_ms: u32::try_from(own.as_millis()).unwrap_or(u32::MAX),
    };
    let played = Played {
        caller,
        reply: heard.text.clone(),
        own_ms: happened.own_ms,
        engine: new.last().and_then(|turn| turn.engine.clone()),
        tools: new.iter().flat_map(|turn| turn.tools.clone()).collect(),
        whispers: heard.whispers.clone(),
        failures: failures(expect, &happened),
    };
    (played, language)
}
