//! The settings of ears and mouths.

use std::{path::PathBuf, str::FromStr};

use serde::Deserialize;

use super::{PublicUrl, Setting, load::Sources, secrets};
use crate::domain::{Result, Secret, SecretRef};

/// The settings of a provider that listens or speaks: what is not said is as usual.
#[derive(Debug, Clone)]
pub struct SpeechProvider {
    /// Its key.
    pub api_key: Setting<Option<Secret>>,
    /// Its address, when not the usual one.
    pub base_url: Setting<Option<PublicUrl>>,
}

/// Ears and mouths.
#[derive(Debug, Clone)]
pub struct Speech {
    /// ElevenLabs.
    pub elevenlabs: SpeechProvider,
    /// Its model.
    pub elevenlabs_model: Setting<Option<String>>,
    /// Whether words go to it over a WebSocket.
    pub elevenlabs_socket: Setting<bool>,
    /// Deepgram.
    pub deepgram: SpeechProvider,
    /// Azure.
    pub azure: SpeechProvider,
    /// Where the resource is.
    pub azure_region: Setting<Option<String>>,
    /// Google: a key of the API; the address is that of speech recognition.
    pub google: SpeechProvider,
    /// Where Google speaks, when not at the usual address.
    pub google_voice_url: Setting<Option<PublicUrl>>,
    /// The key of a service account, in a file.
    pub google_credentials: Setting<Option<PathBuf>>,
    /// The project that pays.
    pub google_project: Setting<Option<String>>,
    /// Where Google listens.
    pub google_location: Setting<Option<String>>,
    /// The model that speaks at OpenAI, or a server like it.
    pub openai_voice_model: Setting<Option<String>>,
    /// The program `espeak-ng`.
    pub espeak: Setting<Option<PathBuf>>,
    /// The program `piper`.
    pub piper: Setting<Option<PathBuf>>,
    /// The folder of its models.
    pub piper_models: Setting<Option<PathBuf>>,
}

/// `[elevenlabs]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ElevenLabsSection {
    api_key: Option<SecretRef>,
    base_url: Option<String>,
    model: Option<String>,
    socket: Option<bool>,
}

/// `[deepgram]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DeepgramSection {
    api_key: Option<SecretRef>,
    base_url: Option<String>,
}

/// `[azure]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AzureSection {
    api_key: Option<SecretRef>,
    base_url: Option<String>,
    region: Option<String>,
}

/// `[google]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GoogleSection {
    api_key: Option<SecretRef>,
    credentials: Option<PathBuf>,
    project: Option<String>,
    location: Option<String>,
    base_url: Option<String>,
    voice_base_url: Option<String>,
}

/// `[local]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LocalSection {
    espeak: Option<PathBuf>,
    piper: Option<PathBuf>,
    models: Option<PathBuf>,
}

/// What the file says of all of them.
pub(super) struct Sections<'a> {
    pub(super) elevenlabs: &'a ElevenLabsSection,
    pub(super) deepgram: &'a DeepgramSection,
    pub(super) azure: &'a AzureSection,
    pub(super) google: &'a GoogleSection,
    pub(super) local: &'a LocalSection,
    pub(super) openai_voice_model: Option<&'a str>,
}

impl Speech {
    pub(super) fn load(sources: &Sources<'_>, file: &Sections<'_>) -> Result<Self> {
        let key = |names: &secrets::SecretNames, reference: &Option<SecretRef>| {
            names.resolve(sources.environment, reference.as_ref(), sources.path)
        };
        let url = |name: &str, variable: &str, given: &Option<String>| {
            sources.pick(name, None, variable, given.as_deref(), PublicUrl::from_str)
        };
        let text = |name: &str, variable: &str, given: Option<&str>| {
            sources.pick(name, None, variable, given, |text| Ok(text.to_owned()))
        };
        let in_file = |path: &Option<PathBuf>| Setting {
            origin: path.as_ref().map_or(super::Origin::Default, |_| sources.file()),
            value: path.as_ref().map(|path| sources.beside(path)),
        };
        let Sections { elevenlabs, deepgram, azure, google, local, openai_voice_model } = file;
        let credentials = match sources.environment.path(GOOGLE_CREDENTIALS) {
            Some(path) => Setting {
                value: Some(path),
                origin: super::Origin::Environment(GOOGLE_CREDENTIALS.to_owned()),
            },
            None => in_file(&google.credentials),
        };
        Ok(Self {
            elevenlabs: SpeechProvider {
                api_key: key(&secrets::ELEVENLABS_API_KEY, &elevenlabs.api_key)?,
                base_url: url("elevenlabs.base_url", "ELEVENLABS_BASE_URL", &elevenlabs.base_url)?,
            },
            elevenlabs_model: text(
                "elevenlabs.model",
                "ELEVENLABS_MODEL",
                elevenlabs.model.as_deref(),
            )?,
            elevenlabs_socket: Setting {
                value: elevenlabs.socket.unwrap_or(false),
                origin: elevenlabs.socket.map_or(super::Origin::Default, |_| sources.file()),
            },
            deepgram: SpeechProvider {
                api_key: key(&secrets::DEEPGRAM_API_KEY, &deepgram.api_key)?,
                base_url: url("deepgram.base_url", "DEEPGRAM_BASE_URL", &deepgram.base_url)?,
            },
            azure: SpeechProvider {
                api_key: key(&secrets::AZURE_SPEECH_KEY, &azure.api_key)?,
                base_url: url("azure.base_url", "AZURE_SPEECH_BASE_URL", &azure.base_url)?,
            },
            azure_region: text("azure.region", "AZURE_SPEECH_REGION", azure.region.as_deref())?,
            google: SpeechProvider {
                api_key: key(&secrets::GOOGLE_API_KEY, &google.api_key)?,
                base_url: url("google.base_url", "GOOGLE_SPEECH_BASE_URL", &google.base_url)?,
            },
            google_voice_url: url(
                "google.voice_base_url",
                "GOOGLE_VOICE_BASE_URL",
                &google.voice_base_url,
            )?,
            google_credentials: credentials,
            google_project: text(
                "google.project",
                "GOOGLE_CLOUD_PROJECT",
                google.project.as_deref(),
            )?,
            google_location: text(
                "google.location",
                "GOOGLE_CLOUD_LOCATION",
                google.location.as_deref(),
            )?,
            openai_voice_model: text(
                "openai.voice_model",
                "OPENAI_VOICE_MODEL",
                *openai_voice_model,
            )?,
            espeak: in_file(&local.espeak),
            piper: in_file(&local.piper),
            piper_models: in_file(&local.models),
        })
    }
}

/// Google's own libraries read this one too.
const GOOGLE_CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
