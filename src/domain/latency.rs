//! How long callers wait, and for what.

use std::collections::BTreeMap;

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
    /// Of how many waited for how many milliseconds; nothing of none.
    pub fn of(key: String, stage: Stage, waits: &BTreeMap<u32, u64>) -> Option<Self> {
        // A wait that somebody really had.
        Self::by_rank(key, stage, waits.iter().map(|(wait, turns)| (*wait, *turns)))
    }

    /// By the nearest rank, among waits in order.
    fn by_rank(
        key: String,
        stage: Stage,
        waits: impl Iterator<Item = (u32, u64)> + Clone,
    ) -> Option<Self> {
        let count: u64 = waits.clone().map(|(_, turns)| turns).sum();
        let rank = |percent: u64| {
            let rank = (count * percent).div_ceil(100).max(1);
            let mut passed = 0;
            let found = waits.clone().find(|(_, turns)| {
                passed += turns;
                passed >= rank
            });
            found.map(|(wait, _)| wait)
        };
        Some(Self { key, stage, count, p50_ms: rank(50)?, p95_ms: rank(95)?, p99_ms: rank(99)? })
    }

    /// Of waits that are counted by steps, in order: no wait is said to be shorter than it was.
    pub fn of_steps(key: String, stage: Stage, steps: &[(u32, u64)]) -> Option<Self> {
        let ends = steps.iter().map(|(from, turns)| (from + wait_step(*from).1, *turns));
        Self::by_rank(key, stage, ends)
    }
}

/// From how many milliseconds on waits are counted together, and how wide that step is. The store counts
/// by the same ones.
pub const fn wait_step(ms: u32) -> (u32, u32) {
    let width = match ms {
        0..500 => 10,
        500..2_000 => 50,
        2_000..10_000 => 200,
        10_000..60_000 => 1_000,
        _ => return (60_000, 0),
    };
    (ms / width * width, width)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(waits: &[u32]) -> BTreeMap<u32, u64> {
        let mut counts = BTreeMap::new();
        for wait in waits {
            *counts.entry(*wait).or_default() += 1;
        }
        counts
    }

    proptest::proptest! {
        #[test]
        fn steps_are_close_to_the_waits(waits in proptest::collection::vec(0_u32..60_000, 1..200)) {
            let mut steps = std::collections::BTreeMap::new();
            for wait in &waits {
                *steps.entry(wait_step(*wait).0).or_insert(0) += 1;
            }
            let steps: Vec<(u32, u64)> = steps.into_iter().collect();
            let by_steps = Latency::of_steps("all".into(), Stage::Felt, &steps).unwrap();
            let exact = Latency::of("all".into(), Stage::Felt, &counted(&waits)).unwrap();
            for (near, exact) in [
                (by_steps.p50_ms, exact.p50_ms),
                (by_steps.p95_ms, exact.p95_ms),
                (by_steps.p99_ms, exact.p99_ms),
            ] {
                proptest::prop_assert!(near >= exact && near - exact <= wait_step(exact).1);
            }
        }
    }

    #[test]
    fn steps_of_nothing_are_nothing() {
        assert_eq!(Latency::of_steps("all".into(), Stage::Felt, &[]), None);
        assert_eq!(wait_step(499), (490, 10));
        assert_eq!(wait_step(1_999), (1_950, 50));
        assert_eq!(wait_step(7_777_777), (60_000, 0));
    }

    #[test]
    fn percentiles_are_waits_that_somebody_had() {
        let of = |waits: &[u32]| Latency::of("all".into(), Stage::Felt, &counted(waits));
        assert_eq!(of(&[]), None);
        let one = of(&[7]).unwrap();
        assert_eq!((one.count, one.p50_ms, one.p95_ms, one.p99_ms), (1, 7, 7, 7));
        let hundred: Vec<u32> = (1..=100).rev().collect();
        let hundred = of(&hundred).unwrap();
        assert_eq!((hundred.p50_ms, hundred.p95_ms, hundred.p99_ms), (50, 95, 99));
        assert_eq!(of(&[1, 2]).unwrap().p50_ms, 1);
    }
}
