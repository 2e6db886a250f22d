//! How long callers wait, and for what.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stage of a turn, on the way from the caller's last word to the first sound of the reply.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// From the end of speech until it was taken for the end.
    Endpoint,
    /// From there until the words were known.
    Words,
    /// From the words to the model's first one.
    FirstToken,
    /// From there to the first whole sentence.
    Sentence,
    /// From there to its first sound.
    Audio,
    /// From there until the first of it was sent.
    Frame,
    /// From the words to the whole reply.
    Reply,
    /// From the end of speech until the first sound of the reply was sent: what a caller feels.
    Felt,
}

impl Stage {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::Words => "words",
            Self::FirstToken => "first-token",
            Self::Sentence => "sentence",
            Self::Audio => "audio",
            Self::Frame => "frame",
            Self::Reply => "reply",
            Self::Felt => "felt",
        }
    }
}

/// How latencies are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LatencyBy {
    /// By assistant.
    Assistant,
    /// By who is waited for: the ear, the model, the mouth.
    Provider,
}

/// Half, nineteen in twenty and ninety-nine in a hundred waited no longer, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// Which group; `all` without one.
    pub key: String,
    /// For what.
    pub stage: Stage,
    /// How many turns.
    pub count: u64,
    /// Half of them.
    pub p50_ms: u32,
    /// Nineteen in twenty.
    pub p95_ms: u32,
    /// Ninety-nine in a hundred.
    pub p99_ms: u32,
}

impl Latency {
    /// Of some waits; nothing of none.
    pub fn of(key: String, stage: Stage, mut waits: Vec<u32>) -> Option<Self> {
        waits.sort_unstable();
        // The nearest rank: a wait that somebody really had.
        let rank = |percent: usize| {
            let rank = (waits.len() * percent).div_ceil(100).max(1);
            waits.get(rank - 1).copied()
        };
        Some(Self {
            key,
            stage,
            count: waits.len() as u64,
            p50_ms: rank(50)?,
            p95_ms: rank(95)?,
            p99_ms: rank(99)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_waits_that_somebody_had() {
        let of = |waits: &[u32]| Latency::of("all".into(), Stage::Felt, waits.to_vec());
        assert_eq!(of(&[]), None);
        let one = of(&[7]).unwrap();
        assert_eq!((one.count, one.p50_ms, one.p95_ms, one.p99_ms), (1, 7, 7, 7));
        let hundred: Vec<u32> = (1..=100).rev().collect();
        let hundred = of(&hundred).unwrap();
        assert_eq!((hundred.p50_ms, hundred.p95_ms, hundred.p99_ms), (50, 95, 99));
        assert_eq!(of(&[1, 2]).unwrap().p50_ms, 1);
    }
}
