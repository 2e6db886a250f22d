//! How providers stand: what is set up, who is left alone for a while, and what need not be asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Outcome;

/// What a provider does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    /// Thinks: a language model.
    Model,
    /// Listens: speech to text.
    Ear,
    /// Speaks: text to speech.
    Mouth,
}

impl ProviderKind {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Ear => "ear",
            Self::Mouth => "mouth",
        }
    }

    /// The word that its breaker's name begins with.
    pub const fn breaker(self) -> &'static str {
        match self {
            Self::Model => "llm",
            Self::Ear => "stt",
            Self::Mouth => "tts",
        }
    }
}

/// Whether a provider is asked just now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderState {
    /// Whether it is left alone for a while, because it failed a few times in a row.
    pub open: bool,
    /// Failures in a row within the last minute, counted up to the one that opens it.
    pub failures: u32,
    /// What became of the last one.
    pub last_failure: Option<Outcome>,
    /// Seconds since it was first left alone.
    pub open_for_s: Option<u64>,
}

/// A provider, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderStanding {
    /// What it does.
    pub kind: ProviderKind,
    /// Its word: `openai`.
    pub provider: String,
    /// Whether it can be asked with the keys and addresses that are set.
    pub configured: bool,
    /// Its address, when not the usual one.
    pub address: Option<String>,
    /// What only a running daemon knows.
    pub state: Option<ProviderState>,
}

/// What sounds that are kept have spared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SoundFigures {
    /// Sentences that were there.
    pub hits: u64,
    /// Sentences that had to be spoken.
    pub misses: u64,
    /// Characters that no provider was paid for.
    pub saved_characters: u64,
    /// Sounds in the folder.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many bytes there may be.
    pub most_bytes: u64,
}

/// All providers, and the sounds that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProvidersOverview {
    /// Those that webox knows.
    pub providers: Vec<ProviderStanding>,
    /// What only a running daemon knows.
    pub sounds: Option<SoundFigures>,
}
