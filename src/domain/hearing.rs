//! How an assistant listens on lines where that is ours to say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BargeIn, EarProvider};

/// Who listens, how long a silence ends what a caller says, and when a caller may interrupt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hearing {
    /// Who turns speech into words: needed on `stream`; on `relay`, Twilio's usual one otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<EarProvider>,
    /// The provider's name of the model; its usual one otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Those that listen when it fails, in order, each with its usual model.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<EarProvider>,
    /// The usual silence that ends what a caller says, in milliseconds, from 200 to 3,000. After a
    /// finished sentence it is shorter, after "euh" or in the middle of a number longer.
    #[serde(skip_serializing_if = "is_usual_pause")]
    pub pause_ms: u32,
    /// How readily a caller's voice interrupts the assistant.
    #[serde(skip_serializing_if = "is_usual_barge_in")]
    pub barge_in: BargeIn,
    /// On `stream`: whether the model begins to think when the caller has probably finished, before
    /// the pause is over. Worth it where `pause_ms` is long; what was thought is thrown away, and paid
    /// for, when the caller goes on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub start_early: bool,
}

/// Short enough for a conversation, long enough for a breath.
const USUAL_PAUSE: u32 = 500;

impl Default for Hearing {
    fn default() -> Self {
        Self {
            provider: None,
            model: None,
            fallbacks: Vec::new(),
            pause_ms: USUAL_PAUSE,
            barge_in: BargeIn::Medium,
            start_early: false,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_usual_pause(pause: &u32) -> bool {
    *pause == USUAL_PAUSE
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_usual_barge_in(barge_in: &BargeIn) -> bool {
    *barge_in == BargeIn::Medium
}

impl Hearing {
    /// Whether nothing is said but what is usual.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
