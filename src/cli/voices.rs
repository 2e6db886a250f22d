//! `webox voices`: the voices of those that speak, and how one sounds.

use std::{fmt::Write as _, path::Path};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    Context, daemon, exit, help,
    output::{Cell, Column, Listing, Row},
};
use crate::{
    audio::wav,
    conversation::phrases,
    domain::{Error, LanguageTag, Outcome, Personality, Result, VoiceProvider},
    providers::{
        check,
        speech::SpeechError,
        tts::{Mouths, SpeechRequest, VoiceInfo},
    },
};

/// Arguments of `webox voices`.
#[derive(Debug, Args)]
#[command(after_long_help = help::examples(
    &[
        ("webox voices --language fr-FR", "what `voice.voice_id` of an assistant may be"),
        ("webox voices --provider azure -o ids", "the ids alone, for a script"),
        ("webox voices --provider openai --voice nova --play nova.wav", "how one of them sounds"),
    ],
    &[exit::FAILURE, exit::USAGE, exit::UNAVAILABLE],
))]
pub struct Voices {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List voices (the same as `webox voices`).
    List(List),
}

#[derive(Debug, Default, Args)]
struct List {
    /// Those of one provider: elevenlabs, google, azure, openai or local; all with a key otherwise.
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<VoiceProvider>,
    /// Those that speak a language, such as fr-FR.
    #[arg(long, value_name = "TAG")]
    language: Option<LanguageTag>,
    /// Speak a sample sentence, and write it to a WAV file; `-` for stdout.
    ///
    /// The first voice of the list speaks, in the language of --language, or English. It costs what
    /// the provider asks for a sentence.
    #[arg(long, value_name = "FILE")]
    play: Option<String>,
    /// The voice that speaks the sample.
    #[arg(long, value_name = "ID", requires = "play")]
    voice: Option<String>,
}

/// A voice, and whose it is.
struct Found {
    provider: VoiceProvider,
    voice: VoiceInfo,
}

pub(super) fn run(args: &Voices, context: &Context) -> Result<()> {
    let args = match &args.action {
        Some(Action::List(list)) => list,
        None => &args.list,
    };
    context.with_own_keys("voices")?;
    let mouths = daemon::mouths(context.settings()?);
    daemon::runtime()?.block_on(async {
        let found = list(args, &mouths, context).await?;
        match &args.play {
            Some(file) => play(file, args, &found, &mouths, context).await,
            None => context.out.listing(&listing(&found)),
        }
    })
}

async fn list(args: &List, mouths: &Mouths, context: &Context) -> Result<Vec<Found>> {
    if args.provider == Some(VoiceProvider::Twilio) {
        return Err(Error::usage("Twilio's voices are listed by Twilio")
            .hint("an assistant's `voice.voice_id` takes its names, such as `Polly.Lea-Neural`"));
    }
    let ours = VoiceProvider::ALL.iter().filter(|provider| **provider != VoiceProvider::Twilio);
    let wanted: Vec<VoiceProvider> = match args.provider {
        Some(provider) => vec![provider],
        None => ours.copied().collect(),
    };
    let asked = wanted.into_iter().map(|provider| async move {
        let voices = match mouths.find(provider, None) {
            Ok(mouth) => mouth.voices(args.language.clone()).await,
            Err(error) => Err(error),
        };
        (provider, voices)
    });
    let mut found = Vec::new();
    for (provider, voices) in futures_util::future::join_all(asked).await {
        match voices {
            Ok(voices) => {
                found.extend(voices.into_iter().map(|voice| Found { provider, voice }));
            }
            // One that was asked for by its name must be there.
            Err(error) if args.provider.is_some() => return Err(cannot(provider, &error)),
            Err(error) => context.out.note(&format!("{provider}: {}", error.detail)),
        }
    }
    Ok(found)
}

fn cannot(provider: VoiceProvider, error: &SpeechError) -> Error {
    let told = format!("{provider} cannot be asked: {}", error.detail);
    match error.outcome {
        Outcome::NoKey => Error::config(told),
        _ => Error::unavailable(told).hint("`webox providers check` tells how it stands"),
    }
}

fn listing(found: &[Found]) -> Listing {
    let mut listing = Listing::new(
        "voices",
        [
            Column::new("provider", "provider"),
            Column::new("id", "id"),
            Column::new("name", "name"),
            Column::new("languages", "languages"),
            Column::new("gender", "gender"),
        ],
    );
    listing.rows = found.iter().map(row).collect();
    listing
}

fn row(Found { provider, voice }: &Found) -> Row {
    let languages = voice.languages.join(",");
    Row {
        id: voice.id.clone(),
        json: json!({
            "provider": provider, "id": voice.id, "name": voice.name,
            "languages": voice.languages, "gender": voice.gender,
        }),
        cells: vec![
            Cell::same(provider.as_str()),
            Cell::same(&voice.id),
            Cell::same(&voice.name),
            Cell::shown(&languages, shortened(&voice.languages)),
            Cell::maybe(voice.gender.as_deref()),
        ],
    }
}

/// Languages for a table; some voices speak seventy.
fn shortened(languages: &[String]) -> String {
    const SHOWN: usize = 4;
    if languages.is_empty() {
        return "any".to_owned();
    }
    let mut text = languages.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if languages.len() > SHOWN {
        let _ = write!(text, " and {} more", languages.len() - SHOWN);
    }
    text
}

async fn play(
    file: &str,
    args: &List,
    found: &[Found],
    mouths: &Mouths,
    context: &Context,
) -> Result<()> {
    let (provider, voice) = match (&args.voice, found.first()) {
        (Some(voice), first) => {
            let owner = found.iter().find(|one| one.voice.id == *voice).or(first);
            let owner = owner.map(|one| one.provider).or(args.provider);
            (owner, Some(voice.clone()))
        }
        (None, Some(first)) => (Some(first.provider), Some(first.voice.id.clone())),
        (None, None) => (args.provider, None),
    };
    let provider = provider.ok_or_else(|| {
        Error::config("no provider can be asked for a voice")
            .hint("`webox providers` tells which are set up")
    })?;
    let language = match &args.language {
        Some(language) => language.clone(),
        None => "en-GB".parse()?,
    };
    let phrases = phrases::for_language(&language);
    let request =
        SpeechRequest { text: phrases.greeting(Personality::Friendly, "webox"), language, voice };
    let mouth = mouths.find(provider, None).map_err(|error| cannot(provider, &error))?;
    let spoken = check::spoken(mouth, &request).await;
    let (by, sound) = spoken.map_err(|error| cannot(provider, &error))?;
    let sound = wav::of_telephone(&sound);
    if file == "-" {
        return context.out.bytes(&sound);
    }
    std::fs::write(Path::new(file), &sound)
        .map_err(|cause| Error::of_file(Path::new(file), "cannot be written", cause))?;
    context.out.note(&format!("{provider}, {by}: {file}"));
    Ok(())
}
