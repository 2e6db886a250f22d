//! A daemon in this process whose assistant thinks with doubles of providers.

use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use webox::{
    conversation::engine::Deadlines,
    domain::{AssistantSpec, CallSid, ModelRef, Secret, Turn},
    line::{Clock, Patience},
    operations::{assistants, bookings, calls},
    providers::llm::{Models, ProviderSettings},
    rehearsal::{Call, Daemon, Heard, demo},
    store::{Options, Store},
    twilio::reader::{self, Verb},
};

use super::{
    fake_anthropic::FakeAnthropic,
    fake_http::{Behaviour, INTERNAL, KEY, Request},
    fake_openai::FakeOpenAi,
};

/// The wires, each by a model that is asked over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Chat,
    Responses,
    Messages,
}

impl Wire {
    pub(crate) const ALL: [Self; 3] = [Self::Chat, Self::Responses, Self::Messages];

    pub(crate) fn model(self) -> &'static str {
        match self {
            Self::Chat => "openai/gpt-6-luna",
            Self::Responses => "openai-responses/gpt-6-luna",
            Self::Messages => "anthropic/claude-haiku-5-5",
        }
    }

    /// The name that the transcript gives the model.
    pub(crate) fn engine(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses => "openai/gpt-6-luna",
            Self::Messages => "anthropic/claude-haiku-5-5",
        }
    }
}

/// The provider behind a wire.
pub(crate) enum Provider {
    OpenAi(FakeOpenAi),
    Anthropic(FakeAnthropic),
}

impl Provider {
    pub(crate) fn start(wire: Wire, behaviours: Vec<Behaviour>) -> Self {
        match wire {
            Wire::Chat | Wire::Responses => Self::OpenAi(FakeOpenAi::start(behaviours)),
            Wire::Messages => Self::Anthropic(FakeAnthropic::start(behaviours)),
        }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        match self {
            Self::OpenAi(double) => double.requests(),
            Self::Anthropic(double) => double.requests(),
        }
    }

    pub(crate) fn settings(&self) -> ProviderSettings {
        let mut settings = ProviderSettings {
            openai_api_key: Some(Secret::new(KEY)),
            anthropic_api_key: Some(Secret::new(KEY)),
            ..ProviderSettings::default()
        };
        match self {
            Self::OpenAi(double) => settings.openai_base_url = Some(double.url()),
            Self::Anthropic(double) => settings.anthropic_base_url = Some(double.url()),
        }
        settings
    }
}

/// How long everybody waits.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) deadlines: Deadlines,
    pub(crate) patience: Patience,
}

impl Pace {
    /// Nobody gives up on a slow machine.
    pub(crate) fn patient() -> Self {
        let long = Duration::from_secs(10);
        Self {
            deadlines: Deadlines { first_token: long, model: long, turn: long },
            patience: Patience { first: long, next: long, ..Patience::default() },
        }
    }

    /// Models are given up on while the test looks on.
    pub(crate) fn hurried() -> Self {
        let deadlines = Deadlines {
            first_token: Duration::from_millis(400),
            model: Duration::from_millis(600),
            turn: Duration::from_millis(900),
        };
        Self { deadlines, ..Self::patient() }
    }

    /// The same, where a model that is well must have its say on a machine that is busy.
    pub(crate) fn brisk() -> Self {
        let deadlines = Deadlines {
            first_token: Duration::from_millis(1_200),
            model: Duration::from_millis(1_500),
            turn: Duration::from_secs(2),
        };
        Self { deadlines, ..Self::patient() }
    }

    /// The caller gets a filler before a slow model has answered.
    pub(crate) fn with_fillers() -> Self {
        let mut pace = Self::patient();
        pace.patience.first = Duration::from_millis(250);
        pace
    }
}

/// A daemon, its store and its only assistant.
pub(crate) struct Stage {
    pub(crate) daemon: Daemon,
    pub(crate) store: Store,
    pub(crate) spec: AssistantSpec,
    folder: TempDir,
}

impl Stage {
    /// The restaurant of the examples with other minds, on a Tuesday at six in the evening.
    pub(crate) async fn set(minds: &[&str], settings: ProviderSettings, pace: Pace) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("webox.db"), Options::daemon()).unwrap();
        let mut spec: AssistantSpec = toml::from_str(demo::ASSISTANT).unwrap();
        let mut minds = minds.iter().map(|mind| mind.parse::<ModelRef>().unwrap());
        spec.ai.model = minds.next().unwrap();
        spec.ai.fallbacks = minds.collect();
        let now: Timestamp = "2026-11-24T18:00:00+01:00".parse().unwrap();
        let (shelf, file) = (store.clone(), spec.clone());
        // The writer blocks whoever waits for it, which a runtime's thread must not.
        let created = tokio::task::spawn_blocking(move || {
            assistants::create(&shelf, &webox::domain::Actor::webox("test"), file, None, now)
        });
        created.await.unwrap().unwrap();
        let (models, clock) = (Models::new(settings), Clock::set_to(now));
        let daemon =
            Daemon::start_with(store.clone(), models, clock, pace.deadlines, pace.patience)
                .await
                .unwrap();
        Self { daemon, store, spec, folder }
    }

    /// One provider, one mind.
    pub(crate) async fn with(wire: Wire, provider: &Provider, pace: Pace) -> Self {
        Self::set(&[wire.model()], provider.settings(), pace).await
    }

    pub(crate) async fn call(&self) -> Call<'_> {
        let caller = self.daemon.caller();
        Call::place(caller, demo::CALLER, &self.spec.phone).await.unwrap().0
    }

    pub(crate) fn turns(&self, sid: &CallSid) -> Vec<Turn> {
        calls::show(&self.store, &webox::domain::Actor::webox("test"), sid).unwrap().1
    }

    /// Bookings and messages stored, whoever made them.
    pub(crate) fn effects(&self, sid: &CallSid) -> (usize, usize) {
        let call =
            calls::show(&self.store, &webox::domain::Actor::webox("test"), sid).unwrap().0.id;
        let bookings = bookings::list(
            &self.store,
            &webox::domain::Actor::webox("test"),
            &webox::domain::BookingFilter::default(),
        )
        .unwrap()
        .len();
        (bookings, calls::messages(&self.store, call).unwrap().len())
    }

    /// What a caller is to hear: words, and nothing of what goes on behind them.
    pub(crate) fn assert_fit_to_hear(what: &str, heard: &Heard) {
        assert!(!heard.text.trim().is_empty(), "{what}: nothing was said");
        for inner in [INTERNAL, KEY, "http", "127.0.0.1", "{", "sk-"] {
            assert!(!heard.text.contains(inner), "{what}: {inner} in {:?}", heard.text);
        }
        for twiml in &heard.twiml {
            let inner = [INTERNAL, KEY].into_iter().find(|inner| twiml.contains(inner));
            assert_eq!(inner, None, "{what}: {twiml}");
        }
    }

    /// The key must not be in any file of the store, not even in what a provider quoted.
    pub(crate) fn assert_no_key_on_disk(&self, what: &str) {
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
            assert!(!found, "{what}: the key is in {}", path.display());
        }
    }
}

/// The words of a TwiML document, in the order they are spoken.
pub(crate) fn spoken(twiml: &str) -> Vec<String> {
    let verbs = reader::read(twiml).unwrap();
    verbs
        .into_iter()
        .flat_map(|verb| match verb {
            Verb::Say(said) => vec![said.text],
            Verb::Gather { prompts, .. } => prompts.into_iter().map(|said| said.text).collect(),
            _ => Vec::new(),
        })
        .collect()
}
