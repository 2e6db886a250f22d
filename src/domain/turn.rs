//! A turn: what was heard, what was thought, what was said.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CallId, LanguageTag, PhoneNumber, Use};

/// A turn is known by its call and its number in it; number 0 is the greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TurnId {
    /// The call.
    pub call: CallId,
    /// The turn's number in it.
    pub number: u32,
}

/// What reached us from the caller.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Words, as the recogniser understood them.
    Speech {
        /// The utterance.
        text: String,
        /// 0–1; recognisers may leave it out.
        confidence: Option<f32>,
        /// The language it was heard as, where the recogniser listened for several.
        language: Option<LanguageTag>,
    },
    /// Keys.
    Digits(String),
    /// Nothing.
    Silence,
}

impl Heard {
    /// The most bytes of an utterance: minutes of talk without a pause.
    pub const LONGEST: usize = 8 * 1024;

    /// Words, as far as they are kept: nobody can say more at a time, and who sends more keeps others waiting
    /// who want to be heard.
    pub fn bounded(mut text: String) -> String {
        text.truncate(text.floor_char_boundary(Self::LONGEST));
        text
    }

    /// Words of which nothing more is known.
    pub fn words(text: impl Into<String>) -> Self {
        Self::Speech { text: text.into(), confidence: None, language: None }
    }

    /// The utterance or the keys; empty for silence.
    pub fn text(&self) -> &str {
        match self {
            Self::Speech { text, .. } | Self::Digits(text) => text,
            Self::Silence => "",
        }
    }
}

/// What happens after the assistant has spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It listens.
    Listen,
    /// It hangs up.
    HangUp,
    /// It hands the call to a human.
    Transfer(PhoneNumber),
}

/// What became of asking one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It answered, and its answer was used.
    Answered,
    /// Too late.
    TimedOut,
    /// No key is set for it.
    NoKey,
    /// Its provider refused our key or account.
    Denied,
    /// Too many requests.
    RateLimited,
    /// Its provider does not know it, or it is shut down.
    NotFound,
    /// Its provider refused the request.
    BadRequest,
    /// Its provider failed.
    ServerError,
    /// Its provider could not be reached.
    Unreachable,
    /// The answer broke off.
    BrokenStream,
    /// It answered nothing, or nothing one could say.
    Unusable,
    /// It declined to answer.
    Declined,
    /// The caller talked over it.
    Interrupted,
    /// It was asked early, and the caller went on.
    Unused,
}

impl Outcome {
    /// The word in transcripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::TimedOut => "timed-out",
            Self::NoKey => "no-key",
            Self::Denied => "denied",
            Self::RateLimited => "rate-limited",
            Self::NotFound => "not-found",
            Self::BadRequest => "bad-request",
            Self::ServerError => "server-error",
            Self::Unreachable => "unreachable",
            Self::BrokenStream => "broken-stream",
            Self::Unusable => "unusable",
            Self::Declined => "declined",
            Self::Interrupted => "interrupted",
            Self::Unused => "unused",
        }
    }
}

/// Tokens a model counted, or we estimated when it was cut off.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct TokenUsage {
    /// Prompt tokens, cached ones included.
    pub input: u32,
    /// Of those, read from the provider's cache.
    pub cached: u32,
    /// Of those, written to the provider's cache.
    pub cache_write: u32,
    /// Answer tokens, reasoning included.
    pub output: u32,
    /// Whether we estimated.
    pub estimated: bool,
}

impl TokenUsage {
    /// Adds another count to this one.
    pub fn add(&mut self, other: &Self) {
        self.input += other.input;
        self.cached += other.cached;
        self.cache_write += other.cache_write;
        self.output += other.output;
        self.estimated |= other.estimated;
    }
}

/// One model asked in a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Attempt {
    /// `provider/model`, or `builtin`.
    pub model: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Until its first word or tool, in milliseconds.
    pub first_token_ms: Option<u32>,
    /// In all, in milliseconds.
    pub total_ms: u32,
    /// Tokens used.
    pub usage: TokenUsage,
    /// A word from the provider for the log; never spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A tool that was run in a turn. Arguments and result are JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ToolUse {
    /// Which tool.
    pub tool: String,
    /// With what.
    pub arguments: String,
    /// And what came of it.
    pub result: String,
}

/// What the engine decided in a turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What to say, already speakable.
    pub text: String,
    /// In which language.
    pub language: LanguageTag,
    /// Then what.
    pub next: Next,
    /// Who answered: `provider/model`, `builtin`, or `webox` for fixed sentences.
    pub engine: String,
    /// Every model asked, in order.
    pub attempts: Vec<Attempt>,
    /// Every tool run, in order.
    pub tools: Vec<ToolUse>,
    /// The concierge's memory after this turn, as JSON.
    pub state: Option<String>,
}

impl Reply {
    /// A fixed sentence of ours, after which it listens.
    pub fn fixed(text: String, language: LanguageTag) -> Self {
        Self {
            text,
            language,
            next: Next::Listen,
            engine: "webox".to_owned(),
            attempts: Vec::new(),
            tools: Vec::new(),
            state: None,
        }
    }
}

/// How long a turn took, in milliseconds: a waterfall. What a line cannot know is left out: on
/// `gather` and `relay` it is Twilio that listens and speaks.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(default)]
pub struct TurnTimings {
    /// From the end of the caller's speech until it was taken for the end.
    pub endpoint_ms: Option<u32>,
    /// From the end of the caller's speech until its words were known. All others begin here.
    pub words_ms: Option<u32>,
    /// Until the model's first word.
    pub first_token_ms: Option<u32>,
    /// Until the first sentence was whole.
    pub sentence_ms: Option<u32>,
    /// Until the first sound of it was there.
    pub audio_ms: Option<u32>,
    /// Until the first of it was sent to the caller.
    pub frame_ms: Option<u32>,
    /// Until the whole reply was known.
    pub reply_ms: Option<u32>,
}

impl TurnTimings {
    /// From the end of the caller's speech to the first sound of the reply: what a caller feels.
    /// The way to Twilio and through the telephone network comes on top.
    pub fn felt_ms(&self) -> Option<u32> {
        Some(self.words_ms.unwrap_or(0) + self.frame_ms?)
    }
}

/// What became of a reply on its way to the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// What was heard of it.
    pub said: String,
    /// What was not.
    pub unheard: Option<String>,
    /// Whether the caller cut it off; the call then goes on, whatever the reply meant to do.
    pub interrupted: bool,
    /// How long it took; what is set replaces what is known.
    pub timings: TurnTimings,
    /// Who heard the caller.
    pub ear: Option<String>,
    /// Who spoke.
    pub mouth: Option<String>,
    /// What of speech was used since the last time that it was told.
    pub used: Vec<Use>,
}

/// A turn as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// The call.
    pub call: CallId,
    /// Its number in the call; 0 is the greeting.
    pub number: u32,
    /// What was heard; nothing in the greeting.
    pub heard: Option<Heard>,
    /// When.
    pub heard_at: Timestamp,
    /// What the caller heard of our reply, once there is one.
    pub said: Option<String>,
    /// What was cut off by the caller.
    pub unheard: Option<String>,
    /// In which language.
    pub language: LanguageTag,
    /// What happened after.
    pub next: Option<Next>,
    /// Who answered.
    pub engine: Option<String>,
    /// Every model asked.
    pub attempts: Vec<Attempt>,
    /// Every tool run.
    pub tools: Vec<ToolUse>,
    /// The concierge's memory after it, as JSON.
    pub state: Option<String>,
    /// How long it took.
    pub timings: TurnTimings,
    /// Tokens used by all attempts.
    pub usage: TokenUsage,
    /// How many fillers the caller heard before the reply.
    pub fillers: u32,
    /// Who heard the caller, where it was one of ours: `deepgram/nova-3`.
    pub ear: Option<String>,
    /// Who spoke, where it was one of ours: `elevenlabs`, or `cache`.
    pub mouth: Option<String>,
    /// The TwiML that was answered, given again to a repeated delivery.
    pub twiml: Option<String>,
}
