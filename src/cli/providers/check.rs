//! `webox providers check`: one small request to each that is set up.

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use clap::{Args, ValueEnum};
use futures_util::{Stream, StreamExt, future::join_all};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    audio::{FRAME, RATE},
    cli::{
        Context, daemon, exit, human,
        output::{Cell, Column, Listing, Row, Tone},
    },
    config::Settings,
    domain::{
        Actor, EarProvider, LanguageTag, ModelRef, Outcome, ProviderKind, Result, VoiceProvider,
    },
    operations::assistants,
    providers::{
        llm::{ChatEvent, ChatMessage, ChatRequest, Models},
        speech::SpeechError,
        stt::{Ears, Heard, ListenRequest, Sound},
        tts::{Mouths, SpeechRequest},
    },
};

/// Arguments of `webox providers check`.
#[derive(Debug, Args)]
#[command(after_long_help = crate::cli::help::examples(
    &[
        ("webox providers check", "all that are set up, at once"),
        ("webox providers check openai -o json", "one of them, for a script"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::CONFIG],
))]
pub(super) struct Check {
    /// Those to ask; all that are set up otherwise.
    ///
    /// Each gets one real request: a model says a word, an ear hears a short question, a mouth
    /// speaks a word. Together they cost a fraction of a cent. The keys are those of this machine.
    #[arg(value_enum, value_name = "PROVIDER")]
    providers: Vec<Named>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Named {
    Openai,
    Anthropic,
    Deepgram,
    Google,
    Elevenlabs,
    Azure,
    Local,
}

impl Named {
    fn word(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Deepgram => "deepgram",
            Self::Google => "google",
            Self::Elevenlabs => "elevenlabs",
            Self::Azure => "azure",
            Self::Local => "local",
        }
    }
}

/// How long one may take.
const WITHIN: Duration = Duration::from_secs(12);

/// A caller's question in French, a second and a bit of it.
const QUESTION: &[u8] = include_bytes!("../../rehearsal/bench/question.ulaw");

/// What a mouth is asked to say.
const WORD: &str = "Bonjour.";

/// The models that are asked where no assistant has one of the provider's.
const USUAL: [&str; 2] = ["openai/gpt-6-luna", "anthropic/claude-haiku-5-5"];

/// What came of asking one.
struct Checked {
    kind: ProviderKind,
    provider: String,
    /// What of it was asked.
    what: String,
    outcome: Outcome,
    took: Duration,
    detail: String,
}

type Asking = Pin<Box<dyn Future<Output = Checked> + Send>>;

pub(super) fn run(args: &Check, context: &Context) -> Result<u8> {
    context.with_own_keys("providers check")?;
    let settings = context.settings()?;
    let wanted = |provider: &str| {
        args.providers.is_empty() || args.providers.iter().any(|named| named.word() == provider)
    };
    let (models, ears) = (daemon::models(settings), daemon::ears(settings));
    let mouths = daemon::mouths(settings);
    let used = models_in_use(settings, context)?;
    let mut asking: Vec<Asking> = Vec::new();
    for standing in daemon::standings(settings) {
        // One that is named is asked, set up or not: what is missing is told.
        if !wanted(&standing.provider) || (args.providers.is_empty() && !standing.configured) {
            continue;
        }
        let provider = standing.provider;
        match standing.kind {
            ProviderKind::Model => asking.push(model(models.clone(), provider, &used)),
            ProviderKind::Ear => {
                let one: EarProvider = provider.parse()?;
                asking.push(Box::pin(ear(ears.clone(), one)));
            }
            ProviderKind::Mouth => {
                let one: VoiceProvider = provider.parse()?;
                asking.push(Box::pin(mouth(mouths.clone(), one)));
            }
        }
    }
    if asking.is_empty() {
        context.out.note(
            "No provider is set up: `webox providers` lists them, `man webox.toml` has the keys.",
        );
    }
    let checked = daemon::runtime()?.block_on(join_all(asking));
    let failed = checked.iter().filter(|one| one.outcome != Outcome::Answered).count();
    context.out.listing(&listing(&checked))?;
    if failed > 0 {
        context
            .out
            .note(&format!("{failed} of {} did not do what they were asked.", checked.len()));
        return Ok(exit::FAILURE);
    }
    Ok(exit::OK)
}

/// The models of the assistants here; none where there is no database yet.
fn models_in_use(settings: &Settings, context: &Context) -> Result<Vec<ModelRef>> {
    if !settings.db.value.exists() {
        return Ok(Vec::new());
    }
    let all = assistants::list(&context.store()?, &Actor::webox("providers check"))?;
    let models = all.into_iter().flat_map(|overview| {
        let ai = overview.assistant.spec.ai;
        std::iter::once(ai.model).chain(ai.fallbacks)
    });
    Ok(models.filter(|model| !model.is_builtin()).collect())
}

/// Asks the first model of a provider that an assistant uses, or its usual one.
fn model(models: Models, provider: String, used: &[ModelRef]) -> Asking {
    let usual = USUAL.iter().filter_map(|name| name.parse().ok());
    let of_provider = |name: &ModelRef| {
        let found = models.find(name).ok();
        found.filter(|model| model.id().split('/').next() == Some(provider.as_str()))
    };
    let found = used.iter().cloned().chain(usual).find_map(|name| of_provider(&name));
    Box::pin(async move {
        let Some(model) = found else {
            let detail = "no key is set".to_owned();
            return checked(
                ProviderKind::Model,
                &provider,
                "",
                Duration::ZERO,
                Err((Outcome::NoKey, detail)),
            );
        };
        let begun = Instant::now();
        let request = ChatRequest {
            system: "Answer with one word.".to_owned(),
            messages: vec![ChatMessage::User("Say hello.".to_owned())],
            max_output_tokens: 16,
            ..ChatRequest::default()
        };
        let answered = async {
            let (mut answer, mut words) = (model.stream(request), String::new());
            loop {
                match answer.next().await {
                    Some(Ok(ChatEvent::Text(text))) => words.push_str(&text),
                    Some(Ok(ChatEvent::ToolCall(_))) => {}
                    Some(Ok(ChatEvent::Done { .. })) => return Ok(format!("said {words:?}")),
                    Some(Err(error)) => return Err((error.outcome, error.detail)),
                    None => return Err((Outcome::BrokenStream, "the answer broke off".to_owned())),
                }
            }
        };
        let done = within(answered).await;
        let what = model.id().split_once('/').map_or("", |(_, name)| name);
        checked(ProviderKind::Model, &provider, what, begun.elapsed(), done)
    })
}

async fn ear(ears: Ears, provider: EarProvider) -> Checked {
    let begun = Instant::now();
    let (what, done) = match ears.find(provider, None, None) {
        Err(error) => (String::new(), Err((error.outcome, error.detail))),
        Ok(ear) => {
            let request =
                ListenRequest { languages: vec![LanguageTag::french()], hints: Vec::new() };
            let heard = async {
                let mut listening = ear.listen(request);
                let sound = listening.sound.clone();
                let told = tokio::spawn(async move {
                    for piece in QUESTION.chunks(FRAME * 5) {
                        if sound.send(Sound::Audio(piece.into())).await.is_err() {
                            return;
                        }
                    }
                    // An ear that is gone says why itself.
                    let _ = sound.send(Sound::Finish).await;
                    // It is closed by whoever listens.
                    std::future::pending::<()>().await;
                });
                let words = understood(&mut listening.heard).await;
                told.abort();
                words
            };
            let what = ear.id().split_once('/').map_or("", |(_, model)| model).to_owned();
            (what, within(heard).await)
        }
    };
    checked(ProviderKind::Ear, provider.as_str(), &what, begun.elapsed(), done)
}

async fn understood(
    heard: &mut (impl Stream<Item = std::result::Result<Heard, SpeechError>> + Unpin),
) -> std::result::Result<String, (Outcome, String)> {
    let mut words = String::new();
    loop {
        match heard.next().await {
            Some(Ok(Heard::Final { text, .. })) => words.push_str(&text),
            Some(Ok(Heard::Finished | Heard::TurnEnd)) => return Ok(format!("heard {words:?}")),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err((error.outcome, error.detail)),
            None => return Err((Outcome::BrokenStream, "it stopped listening".to_owned())),
        }
    }
}

async fn mouth(mouths: Mouths, provider: VoiceProvider) -> Checked {
    let begun = Instant::now();
    let (what, done) = match mouths.find(provider, None) {
        Err(error) => (String::new(), Err((error.outcome, error.detail))),
        Ok(mouth) => {
            let request = SpeechRequest {
                text: WORD.to_owned(),
                language: LanguageTag::french(),
                voice: None,
            };
            let what = mouth.voice_for(&request);
            let spoken = async {
                let spoken = daemon::spoken(mouth, &request).await;
                let (_, sound) = spoken.map_err(|error| (error.outcome, error.detail))?;
                let seconds = sound.len() as f64 / f64::from(RATE);
                Ok(format!("spoke for {seconds:.1} s"))
            };
            (what, within(spoken).await)
        }
    };
    checked(ProviderKind::Mouth, provider.as_str(), &what, begun.elapsed(), done)
}

async fn within<T>(
    work: impl Future<Output = std::result::Result<T, (Outcome, String)>>,
) -> std::result::Result<T, (Outcome, String)> {
    let late = || Err((Outcome::TimedOut, "it took too long".to_owned()));
    timeout(WITHIN, work).await.unwrap_or_else(|_| late())
}

fn checked(
    kind: ProviderKind,
    provider: &str,
    what: &str,
    took: Duration,
    done: std::result::Result<String, (Outcome, String)>,
) -> Checked {
    let (outcome, detail) = match done {
        Ok(detail) => (Outcome::Answered, detail),
        Err((outcome, detail)) => (outcome, detail),
    };
    let (provider, what) = (provider.to_owned(), what.to_owned());
    Checked { kind, provider, what, outcome, took, detail }
}

fn listing(checked: &[Checked]) -> Listing {
    let mut listing = Listing::new(
        "checks",
        [
            Column::new("kind", "kind"),
            Column::new("provider", "provider"),
            Column::new("asked", "asked"),
            Column::new("result", "result"),
            Column::new("took_ms", "took").right(),
            Column::new("detail", "detail"),
        ],
    );
    listing.rows = checked.iter().map(row).collect();
    listing
}

fn row(one: &Checked) -> Row {
    let (kind, result) = (one.kind.as_str(), one.outcome.as_str());
    let ms = u32::try_from(one.took.as_millis()).unwrap_or(u32::MAX);
    let tone = if one.outcome == Outcome::Answered { Tone::Good } else { Tone::Bad };
    Row {
        id: format!("{kind}/{}", one.provider),
        json: json!({
            "kind": kind, "provider": one.provider, "asked": one.what, "result": result,
            "took_ms": ms, "detail": one.detail,
        }),
        cells: vec![
            Cell::same(kind),
            Cell::same(&one.provider),
            Cell::same(&one.what),
            Cell::same(result).tone(tone),
            Cell::shown(ms.to_string(), human::milliseconds(ms)),
            Cell::same(&one.detail),
        ],
    }
}
